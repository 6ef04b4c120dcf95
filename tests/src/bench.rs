//! `scriphouse bench` through its door, as small as it can be: every figure that it promises is there, and the books prove.

use crate::support::program;
use serde_json::Value;
use std::path::Path;

/// Runs the parts on a tiny house; the JSON and the folder of results.
fn measured(parts: &str, more: &[&str]) -> (Value, tempfile::TempDir) {
    let (database, results) = (program::data_dir(), tempfile::tempdir().unwrap());
    let (dir, out) = (database.path().to_str().unwrap(), results.path().to_str().unwrap());
    let words = ["bench", "--quick", "--json", "--accounts", "200", "--seconds", "1", "--only", parts, "--dir", dir, "--out", out];
    let output = program::run(&[&words, more].concat());
    let json = serde_json::from_str(&program::succeeded(&output)).expect("exactly one JSON object");
    assert_eq!(std::fs::read_dir(dir).unwrap().count(), 0, "nothing is left of the database");
    (json, results)
}

#[track_caller]
fn assert_positive(json: &Value, names: &[&str]) {
    for name in names {
        let value = json["figures"][name].as_f64().unwrap_or_else(|| panic!("{name} is not among {}", json["figures"]));
        assert!(value > 0.0, "{name} is {value}");
    }
}

#[test]
fn the_bench_measures_swaps_in_turns_with_the_yardsticks_and_proves_the_books() {
    let (json, results) = measured("naive,singles,bulk", &["--bulk-lines", "200", "--connections", "4"]);

    assert_positive(&json, &["naive.per_second", "naive.mean_ms", "singles.per_second", "singles.p50_ms", "singles.p99_ms"]);
    assert_positive(&json, &["bulk.per_second", "bulk.p99_ms", "server.memory_peak_mib", "verify.seconds"]);
    let bars: Vec<&str> = json["bars"].as_array().unwrap().iter().filter_map(|bar| bar["name"].as_str()).collect();
    assert_eq!(bars, ["bulk converts / one swap per tx"], "a ratio stands where both of its sides were measured");
    assert_eq!((&json["machine"]["postgres"]["fsync"], &json["machine"]["postgres"]["synchronous_commit"]), (&"on".into(), &"on".into()));
    let written: Value = serde_json::from_str(&read(results.path(), "bench.json")).unwrap();
    assert_eq!(written["figures"], json["figures"]);
    assert!(read(results.path(), "bench.svg").contains("bulk converts over HTTP"));
}

#[test]
fn the_bench_settles_a_window_and_nets_without_a_database() {
    let (json, _results) = measured("settlement,netting", &["--obligations", "2000"]);

    for step in ["close", "prove", "seal", "net", "record", "write", "carry"] {
        assert!(json["figures"][format!("settlement.{step}_seconds")].as_f64().is_some(), "{step} is missing: {}", json["figures"]);
    }
    assert_positive(&json, &["settlement.group_by_seconds", "statement.lines", "statement.download_seconds", "statement.copy_seconds"]);
    assert_positive(&json, &["netting.2000.obligations", "netting.2000.gross_ms", "netting.2000.direct_ms", "netting.2000.hub_ms"]);
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_bench_refuses_what_it_cannot_measure() {
    program::refused(&program::run(&["bench", "--only", "speed"]), 2, &["speed", "singles"]);
    program::refused(&program::run(&["bench", "--dir", "/nowhere/at/all"]), 2, &["/nowhere/at/all"]);
    if Path::new("/dev/shm").is_dir() {
        program::refused(&program::run(&["bench", "--dir", "/dev/shm"]), 2, &["/dev/shm", "memory", "--dir"]);
    }
}
