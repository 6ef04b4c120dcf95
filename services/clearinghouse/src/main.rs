//! The `scriphouse` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    clearinghouse::commands::main()
}
