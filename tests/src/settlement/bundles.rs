//! Bundles: what an auditor takes along proves the run, and nothing in it can be changed.

use crate::support::archive::{Members, Unpacked};
use crate::support::program::{self, said, succeeded};
use crate::support::{Answer, House, Operator, User, Vendor, audit};
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use runs::bundles::{NotProven, Verified, verify};
use runs::transfers::Transfers;
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) async fn download(operator: &Operator, run: &Value) -> Answer {
    operator.client.get(&format!("/v1/runs/{}/bundle", run["id"].as_str().unwrap())).await
}

/// What breaks which rule; nothing where all hold.
pub(super) fn broken(bundle: &[u8]) -> Vec<(&'static str, Vec<String>)> {
    let Verified { proofs, .. } = verify(bundle).expect("a bundle, from its first block");
    assert!(proofs.len() >= 19);
    proofs.into_iter().filter(|proof| !proof.holds()).map(|proof| (proof.name, proof.violations)).collect()
}

/// The scheme EURO with AA, BB and CC, of which alice and bob hold tokens.
async fn market(house: &House, strategy: &str) -> (Vec<Vendor>, User, User) {
    house.operator.scheme_with("EURO", strategy, 2).await;
    let (alice, bob) = (house.user("alice").await, house.user("bob").await);
    let mut vendors = Vec::new();
    for (code, unit_value) in [("AA", "0.013"), ("BB", "0.027"), ("CC", "1.1")] {
        let vendor = house.operator.vendor("EURO", code, unit_value).await;
        for user in [&alice, &bob] {
            vendor.endow(user, "1000").await;
        }
        vendors.push(vendor);
    }
    (vendors, alice, bob)
}

/// A run over three windows, one of them held, one of a voided run, with swaps of both kinds, an import, carries in and out and a carry
/// that was taken back; proposed, approved and exported by two persons.
pub(super) async fn rich_run(house: &House, strategy: &str) -> Value {
    let (vendors, alice, bob) = market(house, strategy).await;
    let [a, b, c] = &vendors[..] else { panic!("three vendors") };
    for (send, from, to) in [("333.33", a, b), ("77.7", b, c), ("12.34", c, a)] {
        alice.convert(send, from, to).await.created();
    }
    let first = house.operator.settle("EURO").await;
    assert!(house.db_count("SELECT count(*) FROM run_carries").await > 0, "the first run carries something");
    house.operator.step(&first, "void", json!({"reason": "to be netted again"})).await.ok();
    alice.send(&bob, "5", a, c).await.created();
    house.operator.client.post_once("/v1/schemes/EURO/windows", json!({})).await.created();
    import(house, "debtor,creditor,amount\nAA,BB,10.5\nBB,CC,0.000001\nCC,AA,3\n");
    bob.convert("50", c, b).await.created();
    let run = house.operator.settle("EURO").await;
    let second = house.second_operator().await;
    house.operator.step(&run, "propose", json!({})).await.ok();
    second.approve(&run).await.ok();
    house.operator.step(&run, "export", json!({})).await.ok();
    run
}

/// A run that sets off circles, holds back what AA disputes of what it owes BB, carries what is too small to be paid, and is settled: its
/// transfers are received as the vendors say, rolled, received in a second attempt as the bank says, and written off.
pub(super) async fn settled_run(house: &House) -> Value {
    let terms = json!({
        "code": "EURO", "currency": "EUR", "strategy": "conservative", "approval": "second_person", "dispute_hours": 24, "min_transfer": "1"
    });
    house.operator.client.post("/v1/schemes", terms).await.created();
    let alice = house.user("alice").await;
    let mut vendors = Vec::new();
    for code in ["AA", "BB", "CC", "DD"] {
        let vendor = house.operator.vendor("EURO", code, "1").await;
        vendor.endow(&alice, "1000").await;
        vendors.push(vendor);
    }
    let [a, b, c, d] = &vendors[..] else { panic!("four vendors") };
    for (send, from, to) in [("10", a, b), ("7", a, b), ("10", b, c), ("6", c, a), ("2", a, d), ("3", c, d)] {
        alice.convert(send, from, to).await.created();
    }
    let first = house.operator.settle("EURO").await;
    let statement = house.operator.file(&first, "statement-AA.csv").await.text();
    let line = statement.lines().find(|line| line.starts_with("obligation,BB,") && line.contains(",7.000000,")).unwrap();
    let dispute = json!({"obligation": line.split(',').nth(2).unwrap(), "reason": "never happened"});
    a.client.post(&format!("/v1/runs/{}/disputes", first["id"].as_str().unwrap()), dispute).await.created();
    house.operator.step(&first, "void", json!({"reason": "AA disputes a swap"})).await.ok();
    alice.convert("0.50", b, d).await.created();

    let run = house.operator.settle("EURO").await;
    assert_eq!((&run["transfer_count"], &run["total"]), (&json!(4), &json!("13.00")));
    for vendor in &vendors {
        let acknowledged = vendor.client.post(&format!("/v1/runs/{}/acknowledge", run["id"].as_str().unwrap()), json!({})).await;
        assert_eq!(acknowledged.status, 204);
    }
    house.export(&run).await;
    a.mark(&run, 1, json!({"to": "sent", "bank_reference": "A 1", "booked_on": house.day(0)})).await.created();
    b.mark(&run, 1, json!({"to": "received"})).await.created();
    a.mark(&run, 2, json!({"to": "failed", "reason_code": "AC04"})).await.created();
    house.operator.mark(&run, 2, json!({"to": "rolled", "reason": "with the next run"})).await.created();
    let failed = json!({"to": "failed", "reason_code": "AM04", "reason": "=no money, the bank said \"again\""});
    house.operator.mark(&run, 3, failed).await.created();
    house.operator.mark(&run, 3, json!({"to": "retried", "reason": "topped up"})).await.created();
    c.mark(&run, 3, json!({"to": "disputed", "reason": "the amount, it is another"})).await.created();
    house.operator.mark(&run, 3, json!({"to": "retried", "reason": "it is not"})).await.created();
    let transfer = house.operator.client.get(&format!("/v1/runs/{}/transfers/3", run["id"].as_str().unwrap())).await.ok();
    let (reference, amount) = (transfer["reference"].as_str().unwrap(), transfer["amount"].as_str().unwrap());
    let document =
        format!("reference,amount,currency,result,reason,bank_reference,booked_on\n{reference},{amount},EUR,received,,B 1,2026-11-26\n");
    let confirmation = house.operator.confirm("EURO", &document).await.created();
    house.operator.apply(&confirmation).await.ok();
    house.operator.mark(&run, 4, json!({"to": "failed", "reason_code": "AC06", "reason": "blocked"})).await.created();
    house.operator.mark(&run, 4, json!({"to": "written_off", "reason": "by agreement"})).await.created();
    run
}

#[test]
fn a_settled_run_is_proven_with_its_histories_and_what_it_held_back() {
    audit(async |house| {
        let run = settled_run(house).await;

        let bundle = download(&house.operator, &run).await.bytes;

        assert_eq!(broken(&bundle), []);
        assert_eq!(verify(bundle.as_slice()).unwrap().checked.state, "settled");
        let unpacked = Unpacked::of(&bundle);
        assert_eq!(unpacked.text("holdings-000001.csv"), "debtor,creditor,amount\r\nAA,BB,7.000000\r\n");
        let words = "AM04,\"'=no money, the bank said \"\"again\"\"\",,";
        assert!(unpacked.text("transfer-steps-000001.csv").contains(words), "{}", unpacked.text("transfer-steps-000001.csv"));
        assert_eq!(unpacked.text("confirmations-000001.csv").lines().count(), 2);
        let statement = unpacked.text("files/statement-BB.csv");
        for line in ["held_back,AA,,,,,7.000000,0.000000,EUR", "set_off,AA,", "carry,DD,,,,,0.000000,0.500000,EUR"] {
            assert!(statement.contains(line), "{line}: {statement}");
        }

        // What is rolled is owed in the next run, whose bundle says so.
        let next = house.operator.settle("EURO").await;
        let bundle = download(&house.operator, &next).await.bytes;
        assert_eq!(broken(&bundle), []);
        assert!(Unpacked::of(&bundle).text("obligations-000001.csv").contains(",rolled,"));
    });
}

#[test]
fn what_the_house_rolls_by_itself_is_proven() {
    audit(async |house| {
        let (vendors, alice, _) = market(house, "direct").await;
        alice.convert("333.33", &vendors[0], &vendors[1]).await.created();
        let run = house.export(&house.operator.settle("EURO").await).await;
        house.operator.mark(&run, 1, json!({"to": "failed", "reason_code": "AC04", "reason": "closed"})).await.created();
        house.operator.client.patch("/v1/schemes/EURO", "*", json!({"grace_hours": 1})).await.ok();
        house.clock.advance(SignedDuration::from_hours(2));
        assert_eq!(Transfers::new(house.db.clone(), house.clock.clone()).roll_due(house.clock.now()).await.unwrap(), 1);

        let bundle = download(&house.operator, &run).await.bytes;

        assert_eq!(broken(&bundle), []);
        // Nothing else is the house's to say.
        let mut forged = Unpacked::of(&bundle);
        forged.edit("transfer-steps-000001.csv", 1, "actor", |_| "house".to_owned());
        forged.list_anew();
        let found = broken(&forged.pack());
        assert!(found.len() == 1 && found[0].1[0].contains("from instructed to failed by house"), "{found:?}");
    });
}

#[test]
fn a_bundle_is_proven_at_every_step_of_its_transfers() {
    audit(async |house| {
        let (vendors, alice, _) = market(house, "direct").await;
        alice.convert("333.33", &vendors[0], &vendors[1]).await.created();
        alice.convert("77.77", &vendors[2], &vendors[1]).await.created();
        let run = house.export(&house.operator.settle("EURO").await).await;
        let mut states = Vec::new();
        let mut prove = async || {
            let bundle = download(&house.operator, &run).await.bytes;
            assert_eq!(broken(&bundle), []);
            states.push(verify(bundle.as_slice()).unwrap().checked.state);
        };
        prove().await;
        house.operator.mark(&run, 1, json!({"to": "disputed", "reason": "asked"})).await.created();
        prove().await;
        house.operator.mark(&run, 1, json!({"to": "instructed", "reason": "answered"})).await.created();
        prove().await;
        for number in [1, 2] {
            house.operator.mark(&run, number, json!({"to": "received", "reason": "seen"})).await.created();
            prove().await;
        }
        assert_eq!(states, ["exported", "settling", "settling", "settling", "settled"]);
    });
}

fn import(house: &House, debts: &str) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("debts.csv");
    std::fs::write(&file, debts).unwrap();
    succeeded(&program::run(&["--database-url", &house.database.server_url, "import", file.to_str().unwrap(), "--scheme", "EURO"]));
}

#[test]
fn a_bundle_proves_its_run_whatever_the_strategy() {
    for strategy in ["gross", "bilateral", "conservative", "direct", "hub"] {
        audit(async |house| {
            let run = rich_run(house, strategy).await;

            let bundle = download(&house.operator, &run).await;

            assert_eq!(bundle.status, 200);
            assert_eq!(broken(&bundle.bytes), [], "{strategy}");
            let Verified { checked, .. } = verify(bundle.bytes.as_slice()).unwrap();
            assert_eq!((checked.run.as_str(), checked.number, checked.state.as_str()), (run["id"].as_str().unwrap(), 2, "exported"));
            assert_eq!((checked.obligations, checked.swaps, checked.windows.len()), (run["obligation_count"].as_i64().unwrap(), 5, 3));
            assert_eq!(checked.output_hash, run["output_hash"]);
        });
    }
}

#[test]
fn a_bundle_is_a_tar_of_everything_there_is_of_a_run() {
    audit(async |house| {
        let run = rich_run(house, "conservative").await;

        let bundle = download(&house.operator, &run).await;

        assert_eq!(bundle.header("content-type"), "application/x-tar");
        assert_eq!(bundle.header("content-disposition"), "attachment; filename=\"EURO-run-000002.tar\"");
        let unpacked = Unpacked::of(&bundle.bytes);
        assert_eq!(unpacked.pack(), bundle.bytes, "packed by somebody else it has the same bytes");
        let mut again = unpacked.clone();
        again.list_anew();
        assert_eq!(again.text("bundle.json"), unpacked.text("bundle.json"), "listed by somebody else it has the same list");
        let page = house.operator.client.get(&format!("/v1/runs/{}/files", run["id"].as_str().unwrap())).await.ok();
        for file in page["items"].as_array().unwrap() {
            let name = file["name"].as_str().unwrap();
            assert_eq!(unpacked.member(&format!("files/{name}")), house.operator.file(&run, name).await.bytes, "{name}");
        }
        let obligations = unpacked.text("obligations-000001.csv");
        for source in ["swap", "import", "carry", "reversal"] {
            assert!(obligations.contains(&format!(",{source},")), "{source}: {obligations}");
        }
        for name in ["leaves", "swaps", "transfers", "carries", "vendors"] {
            assert!(unpacked.text(&format!("{name}-000001.csv")).lines().count() > 1, "{name} has rows");
        }
        for handle in ["alice", "bob"] {
            assert!(!unpacked.members.iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains(handle)), "users are ids");
        }
    });
}

#[test]
fn a_bundle_is_the_same_until_something_becomes_of_its_run() {
    audit(async |house| {
        let (vendors, alice, _) = market(house, "direct").await;
        alice.convert("333.33", &vendors[0], &vendors[1]).await.created();
        let run = house.operator.settle("EURO").await;
        let before = download(&house.operator, &run).await.bytes;
        alice.convert("100", &vendors[1], &vendors[2]).await.created();
        house.operator.settle("EURO").await;
        assert!(before == download(&house.operator, &run).await.bytes, "what happens elsewhere changes nothing");

        house.operator.step(&run, "void", json!({"reason": "for another reason"})).await.ok();

        let after = download(&house.operator, &run).await.bytes;
        let (before, after) = (Unpacked::of(&before), Unpacked::of(&after));
        let changed: Vec<&str> =
            before.members.iter().zip(&after.members).filter(|(one, two)| one != two).map(|((name, _), _)| name.as_str()).collect();
        assert_eq!(changed, ["run.json", "steps.json", "bundle.json"]);
        assert_eq!(broken(&after.pack()), [], "a voided run is proven as well");
    });
}

#[test]
fn a_nil_run_has_a_bundle_too() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let run = house.operator.settle("EURO").await;
        let bundle = download(&house.operator, &run).await.bytes;
        assert_eq!(broken(&bundle), []);
        assert_eq!(Unpacked::of(&bundle).text("carries-000001.csv"), "number,debtor,creditor,amount\r\n");
    });
}

#[test]
fn an_archive_that_is_another_is_no_bundle() {
    audit(async |house| {
        let run = rich_run(house, "direct").await;
        let bundle = download(&house.operator, &run).await.bytes;
        for length in (0..bundle.len()).step_by(509) {
            assert!(!holds(&bundle[..length]), "cut off after {length} bytes");
        }
        let archive = "the archive is whole: its members in their order, their headers, and nothing between or behind them";
        let refused = |bundle: &[u8], why: &str| {
            let (name, violations) = broken(bundle).remove(0);
            assert!(name == archive && violations[0].contains(why), "{why}: {violations:?}");
        };
        refused(&[&bundle[..], &[0]].concat(), "bytes behind the end");
        refused(&[&bundle[..], &[0; 1024]].concat(), "bytes behind the end");
        refused(&[&bundle[..], &bundle[..]].concat(), "bytes behind the end");
        let unpacked = Unpacked::of(&bundle);
        let changed = |change: &dyn Fn(&mut Members)| {
            let mut changed = unpacked.clone();
            change(&mut changed.members);
            changed.list_anew();
            changed.pack()
        };
        for index in 1..unpacked.members.len() - 1 {
            let name = &unpacked.members[index].0;
            refused(&changed(&|members| members.swap(index, index + 1)), "");
            refused(&changed(&|members| members.insert(index, members[index].clone())), "");
            if !name.starts_with("files/") {
                refused(&changed(&|members| drop(members.remove(index))), name);
            }
        }
        refused(&changed(&|members| members.insert(1, ("more.csv".to_owned(), Vec::new()))), "more.csv stands where windows.json belongs");
        refused(&changed(&|members| members.push(("more.csv".to_owned(), Vec::new()))), "more.csv stands behind bundle.json");
        // A member that says it is larger than anything.
        let mut absurd = bundle.clone();
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes().copy_from_slice(&bundle[..512]);
        for size in [0o77_777_777_777, u64::MAX] {
            header.set_size(size);
            header.set_cksum();
            absurd[..512].copy_from_slice(header.as_bytes());
            assert!(!holds(&absurd), "{size}");
        }
        let mut earlier = unpacked.clone();
        earlier.replace("run.json", "  \"format\": 3,\n", "");
        earlier.list_anew();
        let (_, violations) = &broken(&earlier.pack())[2];
        assert_eq!(*violations, ["run.json: the bundle has an earlier format; this program proves format 3"]);
        assert!(matches!(verify(&b""[..]), Err(NotProven::NoBundle)));
        assert!(matches!(verify(&[0; 4096][..]), Err(NotProven::NoBundle)));
    });
}

fn holds(bundle: &[u8]) -> bool {
    verify(bundle).is_ok_and(|verified| verified.proofs.iter().all(ledger::proofs::Proof::holds))
}

#[test]
fn nothing_that_is_done_to_a_bundle_makes_the_verifier_stumble() {
    audit(async |house| {
        let run = rich_run(house, "hub").await;
        let bundle = download(&house.operator, &run).await.bytes;
        let unpacked = Unpacked::of(&bundle);
        let mut runner = TestRunner::new(Config { cases: 1_000, failure_persistence: None, ..Config::default() });
        let splice = (any::<prop::sample::Index>(), 0..200_usize, proptest::collection::vec(any::<u8>(), 0..200));
        let spliced = |mut bytes: Vec<u8>, at: prop::sample::Index, length: usize, with: Vec<u8>| {
            let from = at.index(bytes.len());
            let to = (from + length).min(bytes.len());
            bytes.splice(from..to, with);
            bytes
        };
        runner
            .run(&splice, |(at, length, with)| {
                let changed = spliced(bundle.clone(), at, length, with);
                prop_assert!(changed == bundle || !holds(&changed));
                Ok(())
            })
            .unwrap();
        // In a member, with a list and an archive that fit again: what it says is read.
        let member = (any::<prop::sample::Index>(), splice, "[0-9a-f,.\r\n\":{}-]{0,20}");
        runner
            .run(&member, |(which, (at, length, _), with)| {
                let mut changed = unpacked.clone();
                let which = which.index(unpacked.members.len() - 1);
                let (name, bytes) = &mut changed.members[which];
                *bytes = spliced(std::mem::take(bytes), at, length.min(20), with.into_bytes());
                let provable = *bytes != unpacked.members[which].1 && !PARTLY_PROVABLE.contains(&name.as_str());
                changed.list_anew();
                prop_assert!(!(holds(&changed.pack()) && provable), "{:?}", changed.members[which]);
                Ok(())
            })
            .unwrap();
    });
}

/// Nothing else in the bundle says who a payee is at its bank, what a swap gave, which text a step or a slot bears.
const PARTLY_PROVABLE: [&str; 6] =
    ["run.json", "windows.json", "steps.json", "swaps-000001.csv", "files/manifest.json", "files/transfers.csv"];

#[test]
fn a_route_and_a_command_write_the_same_bundle() {
    audit(async |house| {
        let run = rich_run(house, "bilateral").await;
        let id = run["id"].as_str().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("run.tar");
        let path = file.to_str().unwrap();
        let on_house = |args: &[&str]| program::run(&[&["--database-url", house.database.server_url.as_str()], args].concat());

        let wrote = succeeded(&on_house(&["bundle", id, "--out", path]));

        let bundle = std::fs::read(&file).unwrap();
        assert!(wrote.contains(&format!("{} bytes in {path}", bundle.len())), "{wrote}");
        assert!(bundle == download(&house.operator, &run).await.bytes);
        program::refused(&on_house(&["bundle", id, "--out", path]), 2, &["is there already"]);
        let elsewhere = dir.path().join("none.tar");
        let nobody = "00000000-0000-7000-8000-000000000000";
        program::refused(&on_house(&["bundle", nobody, "--out", elsewhere.to_str().unwrap()]), 2, &["no such run"]);
        assert!(!elsewhere.exists());
        program::refused(&on_house(&["bundle", "everything", "--out", path]), 2, &["everything"]);

        // No house, no database: the archive alone.
        let proven = succeeded(&program::run(&["verify", "--bundle", path]));
        let files = house.operator.client.get(&format!("/v1/runs/{id}/files")).await.ok()["items"].as_array().unwrap().len();
        let obligations = &run["obligation_count"];
        let head = format!("checked run {id}, number 2 of EURO, exported: 3 windows, {obligations} obligations, 5 swaps, {files} files\n");
        assert!(proven.starts_with(&head) && !proven.contains("BROKEN"), "{proven}");
        assert!(proven.contains(run["output_hash"].as_str().unwrap()), "it says what to compare with: {proven}");
        let json: Value = serde_json::from_str(&succeeded(&program::run(&["verify", "--bundle", path, "--json"]))).unwrap();
        assert_eq!((&json["holds"], &json["checked"]["run"]), (&json!(true), &run["id"]));

        let mut forged = Unpacked::of(&bundle);
        forged.replace("swaps-000001.csv", ",0.000000,", ",0.000001,");
        std::fs::write(&file, forged.pack()).unwrap();
        let found = program::run(&["verify", "--bundle", path]);
        assert_eq!(found.status.code(), Some(1));
        let proven = said(&found);
        assert!(proven.contains("BROKEN") && proven.contains("swaps-000001.csv, line 2"), "{proven}");
        for (bytes, mentions) in [(&b"number,reference\r\n"[..], "no bundle"), (&[7; 4096], "no bundle"), (b"", "no bundle")] {
            std::fs::write(&file, bytes).unwrap();
            program::refused(&program::run(&["verify", "--bundle", path]), 2, &[mentions, path]);
        }
        program::refused(&program::run(&["verify", "--bundle", elsewhere.to_str().unwrap()]), 2, &["none.tar", "could not be opened"]);
    });
}

#[test]
fn bundles_are_the_operators_and_few_at_a_time() {
    audit(async |house| {
        let run = rich_run(house, "direct").await;
        let path = format!("/v1/runs/{}/bundle", run["id"].as_str().unwrap());
        let vendor = house.operator.vendor("EURO", "DD", "1").await;
        vendor.client.get(&path).await.refused(403, "forbidden");
        house.operator.client.get("/v1/runs/00000000-0000-7000-8000-000000000000/bundle").await.refused(404, "not_found");

        let id = scrip::RunId::new(run["id"].as_str().unwrap().parse().unwrap());
        let (mut one, _two) = (house.app.bundles.open(id).await.unwrap(), house.app.bundles.open(id).await.unwrap());
        house.operator.client.get(&path).await.refused(503, "overloaded");

        while one.next().await.unwrap().is_some() {}
        drop(one);
        assert_eq!(broken(&download(&house.operator, &run).await.bytes), []);
    });
}

#[test]
fn a_table_is_parted_where_it_is_full() {
    for (debts, parts) in [(10_000, 1), (10_001, 2)] {
        audit(async |house| {
            market(house, "direct").await;
            let mut file = "debtor,creditor,amount\n".to_owned();
            for number in 0..debts {
                let (debtor, creditor) = [("AA", "BB"), ("BB", "CC"), ("CC", "AA")][number % 3];
                writeln!(file, "{debtor},{creditor},{number}.5").unwrap();
            }
            import(house, &file);
            let run = house.operator.settle("EURO").await;

            let bundle = download(&house.operator, &run).await.bytes;

            assert_eq!(broken(&bundle), []);
            let mut unpacked = Unpacked::of(&bundle);
            let names: Vec<&String> =
                unpacked.members.iter().map(|(name, _)| name).filter(|name| name.starts_with("obligations")).collect();
            assert_eq!(names.len(), parts, "{names:?}");
            if parts == 2 {
                // The same rows, cut elsewhere.
                let last = unpacked.text("obligations-000002.csv").lines().nth(1).unwrap().to_owned();
                let mut first = unpacked.text("obligations-000001.csv");
                write!(first, "{last}\r\n").unwrap();
                unpacked.set("obligations-000001.csv", first.into_bytes());
                unpacked.replace("obligations-000002.csv", &format!("{last}\r\n"), "");
                unpacked.list_anew();
                let found = broken(&unpacked.pack());
                assert!(found.len() == 1 && found[0].1[0].contains("obligations-000001.csv"), "{found:?}");
            }
        });
    }
}
