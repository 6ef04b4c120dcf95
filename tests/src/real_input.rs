//! Real obligations at their real size, where they are at hand: 94,223 debts between 37,677 users of a community currency in Kenya.

use crate::support::micro;
use crate::support::program::{self, succeeded};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Beside the checkout, not part of it: a checkout without it has nothing to check here. Its README says where the figures come from.
fn obligations() -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/sarafu-obligations.csv");
    file.exists().then_some(file)
}

/// The sum of one column of a file in millionths, and how many rows it has.
fn sum(file: &Path, column: &str) -> (i64, usize) {
    let mut reader = csv::Reader::from_path(file).expect("the file is there");
    let place = reader.headers().unwrap().iter().position(|name| name == column).expect("it has the column");
    let amounts: Vec<i64> = reader.records().map(|row| micro(&row.expect("a well-formed row")[place])).collect();
    (amounts.iter().sum(), amounts.len())
}

#[test]
fn real_obligations_net_to_the_figures_that_were_computed_elsewhere() {
    let Some(file) = obligations() else {
        println!("nothing to check: ../shared/data/sarafu-obligations.csv is not beside this checkout");
        return;
    };
    let file = file.to_str().unwrap();

    let netted = succeeded(&program::run(&["net", file, "--strategy", "direct", "--json"]));

    let netted: Value = serde_json::from_str(&netted).expect("exactly one JSON object");
    assert_eq!((&netted["gross"], &netted["net"]), (&json!("107886628.824"), &json!("16961471.329")));
    assert_eq!((&netted["total"], &netted["bilateral"]), (&json!("16961471.329"), &json!("107886628.824")));
    assert_eq!((&netted["obligations"], &netted["parties"]), (&json!(94_223), &json!(37_677)));
}

#[test]
fn real_obligations_need_fewer_transfers_than_the_largest_first() {
    let Some(file) = obligations() else {
        println!("nothing to check: ../shared/data/sarafu-obligations.csv is not beside this checkout");
        return;
    };
    let netted = |strategy| {
        let netted = succeeded(&program::run(&["net", file.to_str().unwrap(), "--strategy", strategy, "--json"]));
        serde_json::from_str::<Value>(&netted).expect("exactly one JSON object")
    };

    let (direct, fewest) = (netted("direct"), netted("fewest"));

    assert_eq!((&fewest["total"], &fewest["remaining"]), (&direct["total"], &direct["remaining"]));
    let [direct, fewest, needed] = [&direct["transfers"], &fewest["transfers"], &fewest["transfers_needed"]].map(|n| n.as_u64().unwrap());
    assert!(needed <= fewest && fewest < direct, "{needed} needed, {fewest} by fewest, {direct} by direct");
}

/// The figures are those of Google's OR-Tools on the same file.
#[test]
fn the_circles_of_real_obligations_are_the_largest_that_another_solver_finds() {
    let Some(file) = obligations() else {
        println!("nothing to check: ../shared/data/sarafu-obligations.csv is not beside this checkout");
        return;
    };

    let netted = succeeded(&program::run(&["net", file.to_str().unwrap(), "--strategy", "conservative", "--digits", "3", "--json"]));

    let netted: Value = serde_json::from_str(&netted).expect("exactly one JSON object");
    assert_eq!((&netted["set_off"], &netted["remaining"]), (&json!("72671889.614"), &json!("35214739.210")));
    assert_eq!((&netted["total"], &netted["optimal"]), (&json!("35214739.210"), &json!(true)));
}

#[test]
fn real_obligations_are_imported_settled_and_proven() {
    let Some(file) = obligations() else {
        println!("nothing to check: ../shared/data/sarafu-obligations.csv is not beside this checkout");
        return;
    };
    let data = program::data_dir();
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (file.to_str().unwrap(), dir.path().join("files"));
    let house = |args: &[&str]| succeeded(&program::run(&[&["--data-dir", data.path().to_str().unwrap()], args].concat()));

    house(&["import", file, "--scheme", "SARAFU", "--create-scheme", "KES:direct:3", "--create-vendors", "--code-prefix", "P"]);
    house(&["settle", "SARAFU", "--out", out.to_str().unwrap()]);
    house(&["verify"]);

    let (total, transfers) = sum(&out.join("transfers.csv"), "amount");
    assert_eq!(total, micro("16961471.329"));
    assert!(transfers > 0 && transfers < 37_677, "{transfers}: fewer transfers than parties");
    assert_eq!(sum(&out.join("positions.csv"), "net"), (0, 37_677));
    assert_eq!(sum(&out.join("positions.csv"), "owed"), (micro("107886628.824"), 37_677));
}
