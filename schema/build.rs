//! A new migration is a new program: without this an incremental build would leave it out.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
