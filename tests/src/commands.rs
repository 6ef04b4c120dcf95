//! The command line, as somebody types it: exit code 0, 1 or 2, and one sentence for every error.

use crate::support::program::{self, said};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;

const DEBTS: &str = "debtor,creditor,amount,note\nAA,BB,10.5,x\nBB,CC,7.25,y\nCC,AA,3,z\nAA,CC,0.125,w\n";

fn write(dir: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// The input or the usage is wrong.
#[track_caller]
fn refused(output: &Output, mentions: &[&str]) {
    program::refused(output, 2, mentions);
}

#[test]
fn net_needs_no_database_and_prints_one_json_object() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "debts.csv", DEBTS);
    let out = dir.path().join("out");

    let output = program::run(&["net", file.to_str().unwrap(), "--strategy", "direct", "--json", "--out", out.to_str().unwrap()]);

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json: Value = serde_json::from_str(&said(&output)).expect("exactly one JSON object");
    let names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    for name in [
        "strategy",
        "obligations",
        "parties",
        "gross",
        "bilateral",
        "net",
        "set_off",
        "remaining",
        "transfers",
        "total",
        "optimal",
        "input_hash",
        "output_hash",
    ] {
        assert!(names.contains(&name), "{name} is missing");
    }
    // AA: owed 3, owes 10.625; BB: owed 10.5, owes 7.25; CC: owed 7.375, owes 3.
    assert_eq!((&json["gross"], &json["bilateral"], &json["net"]), (&"20.875".into(), &"20.625".into(), &"7.625".into()));
    assert_eq!((&json["transfers"], &json["total"], &json["set_off"]), (&2.into(), &"7.625".into(), &"13.250".into()));
    let transfers = std::fs::read_to_string(out.join("transfers.csv")).unwrap();
    assert_eq!(transfers, "payer,payee,amount\r\nAA,CC,4.375\r\nAA,BB,3.250\r\n");
    let positions = std::fs::read_to_string(out.join("positions.csv")).unwrap();
    assert_eq!(positions, "party,owed,owes,net\r\nAA,3.000,10.625,-7.625\r\nBB,10.500,7.250,3.250\r\nCC,7.375,3.000,4.375\r\n");
    assert!(out.join("manifest.json").exists());
}

#[test]
fn net_shows_what_every_strategy_would_come_to() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "debts.csv", DEBTS);

    let output = program::run(&["net", file.to_str().unwrap(), "--what-if", "--json", "--min-transfer", "4"]);

    let json: Value = serde_json::from_str(&said(&output)).expect("exactly one JSON object");
    assert_eq!((&json["gross"], &json["conservative"], &json["net"]), (&"20.875".into(), &"11.875".into(), &"7.625".into()));
    let strategies = json["strategies"].as_array().unwrap();
    let lines: Vec<String> = strategies.iter().map(|s| format!("{} {} {}", s["strategy"], s["transfers"], s["carried"])).collect();
    let expected = ["gross 2 3.125", "bilateral 2 2.875", "conservative 2 0.125", "direct 1 3.250", "fewest 1 3.250", "hub 2 3.250"];
    assert_eq!(lines.join(", ").replace('"', ""), expected.join(", "));
}

#[test]
fn net_refuses_a_usage_that_cannot_be_meant() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "debts.csv", DEBTS);
    let file = file.to_str().unwrap();
    refused(&program::run(&["net", file, "--strategy", "direct", "--out", file]), &["debts.csv", "no folder", "--out"]);
    refused(&program::run(&["net", file, "--strategy", "direct", "--what-if"]), &["--strategy", "--what-if"]);
    refused(&program::run(&["net", file, "--strategy", "direct", "--min-transfer", "-1"]), &["--min-transfer"]);
}

#[test]
fn net_gives_the_same_bytes_for_shuffled_input() {
    let dir = tempfile::tempdir().unwrap();
    let mut lines: Vec<&str> = DEBTS.lines().skip(1).collect();
    let mut outputs = Vec::new();
    for round in 0..4 {
        lines.rotate_left(1);
        let text = format!("{}\n{}\n", DEBTS.lines().next().unwrap(), lines.join("\n"));
        let file = write(dir.path(), &format!("{round}.csv"), &text);
        outputs.push(said(&program::run(&["net", file.to_str().unwrap(), "--strategy", "bilateral", "--json"])));
    }
    assert!(outputs.iter().all(|o| o == &outputs[0] && !o.is_empty()));
}

/// What is wrong with a file, and what the error must mention.
const BAD_FILES: &[(&[u8], &[&str])] = &[
    (b"debtor,creditor,amount\nAA,BB,1\nAA,BB,1e3\n", &["line 3", "amount"]),
    (b"debtor,creditor,amount\nAA,BB,-5\n", &["line 2", "amount"]),
    (b"debtor,creditor,amount\nAA,BB,0\n", &["line 2", "amount"]),
    (b"debtor,creditor,amount\nAA,BB,+1\n", &["line 2", "amount"]),
    (b"debtor,creditor,amount\nAA,BB,1_000\n", &["line 2", "amount"]),
    (b"debtor,creditor,amount\nAA,BB,NaN\n", &["line 2", "amount"]),
    (b"debtor,creditor,amount\nAA,BB,\"1,5\"\n", &["line 2", "amount"]),
    (b"debtor,creditor,amount\nAA,BB,1234567890123456789012345678901234567890\n", &["line 2", "amount"]),
    (b"debtor,creditor,amount\nAA,AA,5\n", &["line 2", "AA"]),
    (b"debtor,creditor,amount\nAA,,5\n", &["line 2", "creditor"]),
    (b"debtor,creditor,amount\nAA,BB\n", &["line 2"]),
    (b"debtor,creditor\nAA,BB\n", &["amount"]),
    (b"Debtor,Creditor,Amount\nAA,BB,1\n", &["line 1", "debtor", "small letters"]),
    (b"debtor;creditor;amount\nAA;BB;1\n", &["line 1", "';'", "commas"]),
    (b"", &["debtor"]),
    (b"debtor,creditor,amount\nAA,BB,1\nA\xC4,BB,1\n", &["line 3", "UTF-8"]),
    (b"d\xE9biteur,creditor,amount\nAA,BB,1\n", &["line 1", "debtor"]),
];

#[test]
fn net_names_the_line_and_column_of_a_bad_row() {
    let dir = tempfile::tempdir().unwrap();
    for (content, mentions) in BAD_FILES {
        let file = write(dir.path(), "bad.csv", content);
        refused(&program::run(&["net", file.to_str().unwrap(), "--strategy", "direct"]), mentions);
    }
    let good = write(dir.path(), "good.csv", DEBTS);
    refused(&program::run(&["net", good.to_str().unwrap(), "--strategy", "magic"]), &["magic"]);
    refused(&program::run(&["net", dir.path().join("none.csv").to_str().unwrap(), "--strategy", "direct"]), &["none.csv"]);
    refused(&program::run(&["net", good.to_str().unwrap()]), &["--strategy"]);
    refused(&program::run(&["nett"]), &["nett"]);
}

#[test]
fn a_file_is_explained_and_looked_at_without_a_database() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "debts.csv", DEBTS);
    let funds = write(dir.path(), "funds.csv", "party,balance,floor\nAA,0.125,0\nCC,-1,-8\n");
    let (file, funds) = (file.to_str().unwrap(), funds.to_str().unwrap());

    let explained = program::succeeded(&program::run(&["explain", file, "--strategy", "direct", "--transfer", "2"]));
    let failed = ["what-if-default", file, "--strategy", "direct", "--defaulter", "AA=1", "--rule", "pro_rata", "--json"];
    let failed: Value = serde_json::from_str(&program::succeeded(&program::run(&failed))).expect("exactly one JSON object");
    let queue = program::succeeded(&program::run(&["gridlock", file, "--funds", funds]));

    assert_eq!(explained.lines().nth(1), Some("3.250  path: AA owes BB (line 2); AA pays BB (transfer 2)"), "{explained}");
    assert_eq!((&failed["rule"], &failed["parties"][0]["outcome"]), (&"pro_rata".into(), &"-1.000".into()));
    assert!(queue.starts_with("1 of 4 obligations settle at once, 3.000 in all; 3 wait\n  waits: line 2, AA owes BB 10.500\n"), "{queue}");
    for (content, mentions) in BAD_FILES {
        let bad = write(dir.path(), "bad.csv", content);
        let bad = bad.to_str().unwrap();
        refused(&program::run(&["explain", bad, "--strategy", "direct"]), mentions);
        refused(&program::run(&["what-if-default", bad, "--strategy", "direct", "--defaulter", "AA", "--rule", "pro_rata"]), mentions);
        refused(&program::run(&["gridlock", bad, "--funds", funds]), mentions);
    }
    refused(&program::run(&["explain", file, "--strategy", "direct", "--party", "ZZ"]), &["ZZ"]);
    refused(&program::run(&["what-if-default", file, "--strategy", "direct", "--defaulter", "ZZ", "--rule", "pro_rata"]), &["ZZ"]);
    refused(&program::run(&["gridlock", file, "--funds", file]), &["party"]);
    refused(&program::run(&["gridlock", file]), &["--funds"]);
}

#[test]
fn obligations_are_imported_settled_and_proven_from_the_command_line() {
    let data = program::data_dir();
    let dir = tempfile::tempdir().unwrap();
    let data_dir = data.path().to_str().unwrap();
    let house = |args: &[&str]| program::run(&[&["--data-dir", data_dir], args].concat());
    let debts = write(dir.path(), "debts.csv", DEBTS);
    let debts = debts.to_str().unwrap();
    let out = dir.path().join("files");

    refused(&house(&["import", debts, "--scheme", "EURO"]), &["EURO"]);
    let imported = house(&["import", debts, "--scheme", "EURO", "--create-scheme", "EUR:direct:3", "--create-vendors"]);
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    refused(&house(&["import", debts, "--scheme", "EURO", "--create-vendors"]), &["already"]);
    for (content, mentions) in BAD_FILES {
        let bad = write(dir.path(), "bad.csv", content);
        refused(&house(&["import", bad.to_str().unwrap(), "--scheme", "EURO", "--create-vendors"]), mentions);
    }
    let unknown = write(dir.path(), "unknown.csv", "debtor,creditor,amount\nAA,BB,1\nAA,ZZ,1\n");
    refused(&house(&["import", unknown.to_str().unwrap(), "--scheme", "EURO"]), &["line 3", "creditor", "ZZ", "--create-vendors"]);
    let single = write(dir.path(), "single.csv", "debtor,creditor,amount\n6,8,1\n");
    refused(&house(&["import", single.to_str().unwrap(), "--scheme", "EURO", "--create-vendors"]), &["line 2", "--code-prefix"]);

    refused(&house(&["settle", "EURO", "--slot", "today", "--out", dir.path().to_str().unwrap()]), &["holds other files"]);
    let settled = house(&["settle", "EURO", "--slot", "today", "--out", out.to_str().unwrap()]);
    assert!(settled.status.success(), "{}", String::from_utf8_lossy(&settled.stderr));
    assert!(said(&settled).contains("20.875") && said(&settled).contains("7.625"), "{}", said(&settled));
    assert!(said(&settled).contains("seconds      close 0."), "{}", said(&settled));
    let again = house(&["settle", "EURO", "--slot", "today", "--out", out.to_str().unwrap(), "--json"]);
    assert!(again.status.success());
    let again: serde_json::Value = serde_json::from_str(&said(&again)).unwrap();
    assert_eq!((&again["control_sum"], &again["closed_now"]), (&serde_json::json!("7.625"), &serde_json::json!(false)));
    for step in ["close", "prove", "seal", "net", "record", "write", "carry"] {
        assert!(again["seconds"][step].is_number(), "{step}: {again}");
    }
    let transfers = std::fs::read_to_string(out.join("transfers.csv")).unwrap();
    assert_eq!(transfers.lines().count(), 3, "{transfers}");
    assert!(transfers.contains(",AA,CC,4.375,EUR") && transfers.contains(",AA,BB,3.250,EUR"), "{transfers}");
    assert!(out.join("statement-AA.csv").exists());
    refused(&house(&["settle", "NOBODY"]), &["NOBODY"]);

    let verified = house(&["verify"]);
    assert!(verified.status.success(), "{}", said(&verified));
    assert!(said(&verified).starts_with("checked 0 accounts, 0 entries, 0 swaps, 4 obligations, 2 windows, 1 runs"), "{}", said(&verified));
    refused(&program::run(&["--data-dir", dir.path().join("nowhere").to_str().unwrap(), "verify"]), &["no house", "nowhere", "serve"]);
    let json: Value = serde_json::from_str(&said(&house(&["verify", "--json"]))).unwrap();
    assert_eq!(json["holds"], true);
    assert!(json["proofs"].as_array().unwrap().len() > 12);
}

#[test]
fn the_demo_shows_a_whole_house() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("files");
    let shown = program::run(&["demo", "--once", "--out", out.to_str().unwrap()]);
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    let text = said(&shown);
    assert!(text.contains("Owed gross") && text.contains("saved"), "{text}");
    let mut names: Vec<String> = std::fs::read_dir(&out).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names.len(), 15, "{names:?}");
    assert_eq!(names.iter().filter(|name| name.starts_with("statement-")).count(), 5, "{names:?}");
}

#[test]
fn help_teaches() {
    let help = program::run(&["--help"]);
    assert!(help.status.success());
    for command in [
        "serve",
        "demo",
        "migrate",
        "settle",
        "net",
        "explain",
        "what-if-default",
        "gridlock",
        "verify",
        "import",
        "operator-key",
        "bundle",
        "bench",
    ] {
        assert!(said(&help).contains(command), "{command} is not in the help");
        let own = program::run(&[command, "--help"]);
        assert!(own.status.success() && said(&own).len() > 200, "{command} --help says little");
    }
}
