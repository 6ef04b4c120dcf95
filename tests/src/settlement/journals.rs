//! The journals of a run: two programs that others wrote keep books by them and come to our figures.

use crate::support::{House, audit, micro};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

/// Amounts that leave carries, and codes that are no account's name as they stand.
async fn settled(house: &House, strategy: &str) -> Value {
    house.operator.scheme_with("EURO", strategy, 2).await;
    let alice = house.user("alice").await;
    let mut vendors = Vec::new();
    for (code, unit_value) in [("7_ELEVEN", "0.013"), ("A-", "0.027"), ("A_B-C_", "1.1"), ("TRUE", "1")] {
        let body = json!({"code": code, "name": code, "scale": 2, "unit_value": unit_value, "scheme": "EURO"});
        let vendor = house.operator.vendor_with(body).await;
        vendor.endow(&alice, "1000").await;
        vendors.push(vendor);
    }
    for (send, from, to) in [("333.33", 0, 1), ("77.7", 1, 2), ("12.34", 2, 0), ("5", 2, 1), ("100", 0, 2), ("10", 3, 0), ("9", 0, 3)] {
        alice.convert(send, &vendors[from], &vendors[to]).await.created();
    }
    house.operator.settle("EURO").await
}

/// Runs a program on a file. None, and a line that says so, where the program is not at hand.
fn read_by(program: &str, args: &[&str], file: &Path) -> Option<Output> {
    let Ok(output) = Command::new(program).args(args).arg(file).output() else {
        println!("{} is read by nobody: {program} is missing", file.display());
        return None;
    };
    Some(output)
}

#[track_caller]
fn assert_taken(output: &Option<Output>) {
    if let Some(output) = output {
        let said = [&output.stdout[..], &output.stderr].concat();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    }
}

/// What hledger says that each account comes to.
fn balances(file: &Path) -> Option<BTreeMap<String, i64>> {
    let output = read_by("hledger", &["balance", "--flat", "--no-total", "--empty", "-O", "csv", "-f"], file)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut reader = csv::Reader::from_reader(&output.stdout[..]);
    let rows = reader.records().map(|row| row.expect("a well-formed row"));
    Some(rows.map(|row| (row[0].to_owned(), micro(row[1].trim_end_matches(" EUR").trim_end_matches('0').trim_end_matches('.')))).collect())
}

#[test]
fn others_keep_books_by_the_journals_and_come_to_the_positions() {
    for strategy in ["gross", "bilateral", "conservative", "direct", "hub"] {
        audit(async |house| {
            let run = settled(house, strategy).await;
            let folder = tempfile::tempdir().unwrap();
            let [beancount, hledger] = ["journal.beancount", "journal.hledger"].map(|name| folder.path().join(name));
            for file in [&beancount, &hledger] {
                let name = file.file_name().unwrap().to_str().unwrap();
                std::fs::write(file, house.operator.file(&run, name).await.bytes).unwrap();
            }

            assert_taken(&read_by("bean-check", &[], &beancount));
            assert_taken(&read_by("hledger", &["check", "--strict", "-f"], &hledger));
            let Some(balances) = balances(&hledger) else { return };

            let of = |kind: &str, vendor: &str| balances.get(&format!("{kind}:{}", vendor.replace('_', "u"))).copied().unwrap_or_default();
            let positions = house.operator.file(&run, "positions.csv").await.text();
            let mut count = 0;
            for position in csv::Reader::from_reader(positions.as_bytes()).deserialize::<BTreeMap<String, String>>() {
                let position = position.unwrap();
                let (vendor, figure) = (&position["vendor"], |name: &str| micro(&position[name]));
                assert_eq!(of("Equity:Owed", vendor), -figure("owed"), "{strategy}: {vendor}");
                assert_eq!(of("Equity:Owes", vendor), figure("owes"), "{strategy}: {vendor}");
                assert_eq!(of("Assets:Transfers", vendor), figure("settled"), "{strategy}: {vendor}");
                assert_eq!(of("Assets:Carried", vendor), figure("carry"), "{strategy}: {vendor}");
                assert_eq!(of("Assets:Due", vendor), 0, "{strategy}: {vendor}");
                count += 1;
            }
            assert_eq!(count, 4);
            assert!(of("Assets:Carried", "A-") != 0, "{strategy}: the example leaves a carry");
        });
    }
}

#[test]
fn a_figure_that_is_changed_in_a_journal_is_found() {
    audit(async |house| {
        let run = settled(house, "direct").await;
        let folder = tempfile::tempdir().unwrap();
        let [beancount, hledger] = [("0.000110 ~", "0.000111 ~"), ("= 0.000110", "= 0.000111")];
        for (name, program, args, balance) in
            [("journal.beancount", "bean-check", &[][..], beancount), ("journal.hledger", "hledger", &["check", "-f"], hledger)]
        {
            let text = house.operator.file(&run, name).await.text();
            // One of the two transfers that TRUE pays, with 1 EUR more on either side; a millionth more that TRUE is owed; and a
            // balance that is off by a millionth.
            for (from, to) in [("7.740000 EUR", "8.740000 EUR"), ("0.110110 EUR", "0.110111 EUR"), balance] {
                assert!(text.contains(from), "{from}: {text}");
                let file = folder.path().join(name);
                std::fs::write(&file, text.replace(from, to)).unwrap();
                if let Some(output) = read_by(program, args, &file) {
                    assert!(!output.status.success(), "{program} takes {to} for {from}");
                }
            }
        }
    });
}

#[test]
fn a_run_without_obligations_has_journals_that_are_taken() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let run = house.operator.settle("EURO").await;
        let folder = tempfile::tempdir().unwrap();
        for (name, program, args) in [("journal.beancount", "bean-check", &[][..]), ("journal.hledger", "hledger", &["check", "-f"])] {
            let file = folder.path().join(name);
            std::fs::write(&file, house.operator.file(&run, name).await.bytes).unwrap();
            assert_taken(&read_by(program, args, &file));
        }
    });
}
