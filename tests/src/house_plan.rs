//! The house plan: dependencies point one way, every directory says what it is, no file outgrows one reading.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

/// Who may use whom, of our own crates. A crate that is not named here may use none.
const MAY_USE: &[(&str, &[&str])] = &[
    ("services/clearinghouse", &["bench", "ledger", "netting", "runs", "schema", "scrip", "scriphouse-config"]),
    ("services/bench", &["ledger", "netting", "scrip"]),
    ("settlement/runs", &["ledger", "netting", "scrip"]),
    ("settlement/netting", &["scrip"]),
    ("services/ledger", &["scrip"]),
    ("services/scrip", &[]),
    ("schema", &[]),
    ("config", &[]),
];

const OURS: &[&str] = &["bench", "clearinghouse", "ledger", "netting", "runs", "schema", "scrip", "scriphouse-config"];

/// What would make a pure crate impure.
const NOT_PURE: &[&str] = &["tokio", "tokio-postgres", "deadpool-postgres", "axum", "reqwest", "tracing", "getrandom", "tempfile"];

fn dependencies(manifest: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(manifest).expect("the manifest is read");
    let toml: toml::Table = text.parse().expect("the manifest is TOML");
    toml["dependencies"].as_table().expect("it has dependencies").keys().cloned().collect()
}

#[test]
fn dependencies_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let text = std::fs::read_to_string(root().join("Cargo.toml")).expect("the workspace is read");
    let workspace: toml::Table = text.parse().expect("it is TOML");
    let members = workspace["workspace"]["members"].as_array().expect("it has members");
    for member in members.iter().filter_map(toml::Value::as_str).filter(|m| *m != "tests") {
        let allowed = allowed.get(member).unwrap_or_else(|| panic!("{member} is not in the house plan"));
        for used in dependencies(&root().join(member).join("Cargo.toml")) {
            assert!(!OURS.contains(&used.as_str()) || allowed.contains(&used.as_str()), "{member} may not use {used}");
        }
    }
}

#[test]
fn the_pure_crates_stay_pure() {
    for pure in ["services/scrip", "settlement/netting"] {
        let used = dependencies(&root().join(pure).join("Cargo.toml"));
        assert!(used.iter().all(|d| !NOT_PURE.contains(&d.as_str())), "{pure} uses {used:?}");
        for file in files(&root().join(pure).join("src"), "rs") {
            let text = std::fs::read_to_string(&file).unwrap();
            for word in ["std::fs", "std::net", "std::thread", "std::time", "SystemTime", "Instant::now"] {
                assert!(!text.contains(word), "{} mentions {word}", file.display());
            }
        }
    }
}

#[test]
fn every_directory_says_what_it_is() {
    let mut readmes = vec![root()];
    for dir in ["services", "settlement", "schema", "config", "tests"] {
        readmes.push(root().join(dir));
    }
    readmes.extend(MAY_USE.iter().map(|(member, _)| root().join(member)));
    for dir in readmes {
        let readme = dir.join("README.md");
        let text = std::fs::read_to_string(&readme).unwrap_or_else(|_| panic!("{} is missing", readme.display()));
        assert!(text.len() > 300, "{} says nothing", readme.display());
    }
}

#[test]
fn sql_lives_in_stores_only() {
    for dir in ["services", "settlement"] {
        for file in files(&root().join(dir), "rs") {
            let path = file.display().to_string();
            if path.contains("store") || path.contains("/ledger/src/") || path.contains("/private_postgres/") {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            for keyword in ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM "] {
                assert!(!text.contains(&format!("\"{keyword}")), "{path} has SQL outside a store");
                assert!(!text.contains(&format!("    {keyword}")), "{path} has SQL outside a store");
            }
        }
    }
}

#[test]
fn every_shape_of_the_api_has_a_name_of_its_own() {
    let mut shapes = std::collections::BTreeSet::new();
    for file in files(&root().join("services/clearinghouse/src"), "rs") {
        let text = std::fs::read_to_string(&file).unwrap();
        for derived in text.split("#[derive(").skip(1).filter(|derived| derived.split(')').next().unwrap().contains("ToSchema")) {
            let words = derived.split_whitespace().skip_while(|word| !["struct", "enum"].contains(word));
            let name: String = words.take(2).last().unwrap().chars().take_while(|c| c.is_alphanumeric()).collect();
            assert!(shapes.insert(name.clone()), "the reference would show one {name} for two, and {} has the second", file.display());
        }
    }
    assert!(shapes.len() > 80, "{shapes:?}");
}

#[test]
fn no_file_outgrows_one_reading() {
    for dir in ["services", "settlement", "schema", "config", "tests"] {
        for file in files(&root().join(dir), "rs") {
            let lines = std::fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 520, "{} has {lines} lines: a part of it wants a room of its own", file.display());
        }
    }
}

fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap_or_else(|_| panic!("{} is read", dir.display())) {
        let path = entry.expect("a directory entry").path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                found.extend(files(&path, extension));
            }
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found
}
