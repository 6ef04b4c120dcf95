//! Vendors that do not pay: the house carries out the rule of the scheme, and something else takes the place of their transfers.

use crate::support::{Answer, Debts, FIVE_DEBTS, House, audit};
use fastrand::Rng;
use jiff::SignedDuration;
use reqwest::Method;
use runs::defaults::Defaults;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// An exported run in which AA is to pay CC 60 and DD 20, and BB DD 10; by this rule, and with so much of AA's held by the house.
pub(super) async fn exported(house: &House, rule: &str, collateral: &str) -> (Debts, Value) {
    exported_by(house, "direct", rule, collateral).await
}

async fn exported_by(house: &House, strategy: &str, rule: &str, collateral: &str) -> (Debts, Value) {
    exported_at(house, strategy, rule, collateral, "1").await
}

/// The same, with tokens that are worth so much each.
pub(super) async fn exported_at(house: &House, strategy: &str, rule: &str, collateral: &str, unit_value: &str) -> (Debts, Value) {
    let debts = Debts::open(house, strategy, unit_value, &FIVE_DEBTS).await;
    house.operator.client.patch("/v1/schemes/EURO", "*", json!({"failure_rule": rule})).await.ok();
    house.operator.hold("AA", collateral).await.ok();
    let run = house.operator.settle("EURO").await;
    (debts, house.export(&run).await)
}

pub(super) async fn put(house: &House, path: &str, body: Value) -> Answer {
    Answer::of(house.operator.client.request(Method::PUT, path).json(&body)).await
}

pub(super) fn defaults(run: &Value) -> String {
    format!("/v1/runs/{}/defaults", run["id"].as_str().unwrap())
}

pub(super) async fn declare(house: &House, run: &Value, vendor: &str) -> Answer {
    put(house, &format!("{}/{vendor}", defaults(run)), json!({"reason": "insolvent"})).await
}

pub(super) async fn fail(house: &House, run: &Value, number: i64) {
    let failed = json!({"to": "failed", "reason_code": "AC04", "reason": "the bank's letter says so"});
    house.operator.mark(run, number, failed).await.created();
}

/// `CC 40.00, DD 10.00`, and `AA>CC 20.00, AA>DD 10.00`.
fn shown(default: &Value) -> (String, String) {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    let join =
        |name: &str, told: &dyn Fn(&Value) -> String| default[name].as_array().unwrap().iter().map(told).collect::<Vec<_>>().join(", ");
    let draw = |draw: &Value| format!("{} {}", text(draw, "payee"), text(draw, "amount"));
    let debt = |debt: &Value| format!("{}>{} {}", text(debt, "debtor"), text(debt, "creditor"), text(debt, "amount"));
    (join("draws", &draw), join("debts", &debt))
}

async fn state(house: &House, run: &Value) -> Value {
    house.operator.client.get(&format!("/v1/runs/{}", run["id"].as_str().unwrap())).await.ok()["state"].clone()
}

/// Payer, payee and amount of the run's transfers.
async fn transfers(house: &House, run: &Value) -> String {
    let transfers = house.operator.client.get(&format!("/v1/runs/{}/transfers", run["id"].as_str().unwrap())).await.ok();
    let told = |t: &Value| format!("{}>{} {}", t["payer"].as_str().unwrap(), t["payee"].as_str().unwrap(), t["amount"].as_str().unwrap());
    transfers["items"].as_array().unwrap().iter().map(told).collect::<Vec<_>>().join(", ")
}

async fn check(house: &House, rule: &str, collateral: &str, draws: &str, debts: &str, left: i64, next: &str) {
    let (_debts, run) = exported(house, rule, collateral).await;
    assert_eq!(transfers(house, &run).await, "AA>CC 60.00, AA>DD 20.00, BB>DD 10.00");
    house.operator.mark(&run, 3, json!({"to": "received", "reason": "the bank's letter says so"})).await.created();
    fail(house, &run, 1).await;
    declare(house, &run, "AA").await.refused(409, "transfer_on_its_way");
    fail(house, &run, 2).await;

    let declared = declare(house, &run, "AA").await.ok();

    assert_eq!((&declared["vendor"], &declared["rule"], &declared["failed"]), (&json!("AA"), &json!(rule), &json!("80.00")));
    assert_eq!(shown(&declared), (draws.to_owned(), debts.to_owned()));
    assert_eq!(
        house.db_count("SELECT collateral_micro FROM scheme_members m JOIN vendors v ON v.id = m.vendor_id WHERE v.code = 'AA'").await,
        left
    );
    assert_eq!(state(house, &run).await, "settled");
    assert_eq!(declare(house, &run, "AA").await.ok(), declared, "it is declared once");
    prove_bundle(house, &run).await;
    // Who has not paid takes part in no run until the operator lets it; those who have to make up for it pay with the next one.
    let run = house.operator.settle("EURO").await;
    assert_eq!(transfers(house, &run).await, next);
    prove_bundle(house, &run).await;
}

/// An auditor finds nothing wrong with the run.
pub(super) async fn prove_bundle(house: &House, run: &Value) {
    let bundle = house.operator.client.get(&format!("/v1/runs/{}/bundle", run["id"].as_str().unwrap())).await;
    let verified = runs::bundles::verify(bundle.bytes.as_slice()).unwrap();
    assert!(verified.proofs.iter().all(ledger::proofs::Proof::holds), "{:?}", verified.proofs);
}

#[test]
fn what_failed_is_carried_over() {
    audit(async |house| check(house, "carry_over", "50", "", "AA>CC 60.00, AA>DD 20.00", 50_000_000, "AA>CC 60.00, AA>DD 20.00").await);
}

#[test]
fn a_defaulter_is_excluded_and_the_rest_is_netted_again() {
    audit(async |house| {
        let debts = "AA>BB 60.00, AA>CC 40.00, BB>CC 20.00, BB>DD 40.00, DD>AA 20.00";
        check(house, "exclude_and_renet", "50", "", debts, 50_000_000, "BB>DD 40.00, BB>CC 20.00").await;
    });
}

#[test]
fn collateral_pays_first_and_the_loss_is_shared() {
    audit(async |house| {
        check(house, "collateral_then_loss_share", "50", "CC 40.00, DD 10.00", "AA>CC 20.00, AA>DD 10.00", 0, "").await;
    });
}

#[test]
fn creditors_are_paid_at_one_rate() {
    // AA is owed 20 and owes 100, so it pays BB 12 and CC 8; BB then has to pay for itself.
    let debts = "AA>BB 48.00, AA>CC 32.00, BB>CC 28.00, BB>DD 20.00";
    audit(async |house| check(house, "pro_rata", "0", "", debts, 0, "BB>CC 28.00, BB>DD 20.00").await);
}

#[test]
fn what_is_owed_in_the_place_of_failed_transfers_counts_once() {
    audit(async |house| {
        let (debts, run) = exported(house, "collateral_then_loss_share", "50").await;
        for vendor in debts.vendors.values() {
            house.operator.cap(vendor, Some("1000")).await;
        }
        // What they owe all others: under their caps by running sums, as shown added up from the positions.
        let owed = async || {
            let mut owed = Vec::new();
            for (code, vendor) in &debts.vendors {
                owed.push(format!("{code} {}", vendor.client.get("/v1/vendor/headroom").await.ok()["net_debit"].as_str().unwrap()));
            }
            owed.join(", ")
        };
        assert_eq!(owed().await, "AA 80.000000, BB 10.000000, CC -60.000000, DD -30.000000");
        fail(house, &run, 3).await;
        house.operator.mark(&run, 3, json!({"to": "rolled", "reason": "owed again"})).await.created();
        assert_eq!(owed().await, "AA 80.000000, BB 10.000000, CC -60.000000, DD -30.000000");
        fail(house, &run, 1).await;
        fail(house, &run, 2).await;
        let settling = state(house, &run).await;

        declare(house, &run, "AA").await.ok();

        assert_eq!((settling, state(house, &run).await), (json!("settling"), json!("settled")));
        assert_eq!(owed().await, "AA 30.000000, BB 10.000000, CC -20.000000, DD -20.000000", "50 are paid out of collateral");
    });
}

/// What a debtor owes each creditor that has a cap for it, and is owed.
async fn pairs(debts: &Debts, debtor: &str) -> Vec<String> {
    let headroom = debts.vendors[debtor].client.get("/v1/vendor/headroom").await.ok();
    let text = |pair: &Value, name: &str| pair[name].as_str().unwrap().to_owned();
    let told = |pair: &Value| format!("{} {} {}", text(pair, "creditor"), text(pair, "owes"), text(pair, "owed"));
    headroom["creditors"]["items"].as_array().unwrap().iter().map(told).collect()
}

async fn accept_all(debts: &Debts) {
    for (creditor, accepts) in &debts.vendors {
        for (debtor, owes) in &debts.vendors {
            if creditor != debtor {
                accepts.accept(owes, Some("1000")).await;
            }
        }
    }
}

#[test]
fn a_pair_counts_what_it_owes_now_whichever_run_settles_first() {
    audit(async |house| {
        let (debts, first) = exported(house, "carry_over", "0").await;
        accept_all(&debts).await;
        let to_be_paid = ["BB 0.000000 0.000000", "CC 60.000000 0.000000", "DD 20.000000 0.000000"];
        assert_eq!(pairs(&debts, "AA").await, to_be_paid);
        fail(house, &first, 1).await;
        house.operator.mark(&first, 1, json!({"to": "rolled", "reason": "next time"})).await.created();
        assert_eq!(pairs(&debts, "AA").await, to_be_paid);

        let second = house.operator.settle("EURO").await;
        house.pay(&second).await;

        assert_eq!(pairs(&debts, "AA").await[1], "CC 0.000000 0.000000");
        assert_eq!((state(house, &first).await, state(house, &second).await), (json!("settling"), json!("settled")));
    });
}

#[test]
fn a_pair_counts_once_what_a_run_carries_from_several_windows() {
    audit(async |house| {
        let debts = Debts::open(house, "direct", "1", &FIVE_DEBTS).await;
        accept_all(&debts).await;
        let held = house.operator.client.post_once("/v1/schemes/EURO/windows", json!({})).await.created();
        assert_eq!(held["number"], 1);
        house.operator.client.patch("/v1/schemes/EURO", "*", json!({"strategy": "gross", "min_transfer": "1000"})).await.ok();

        let run = house.operator.settle("EURO").await;

        assert_eq!(pairs(&debts, "AA").await, ["BB 60.000000 0.000000", "CC 40.000000 0.000000", "DD 0.000000 20.000000"]);
        house.operator.step(&run, "void", json!({"reason": "once more"})).await.ok();
        assert_eq!(pairs(&debts, "AA").await, ["BB 120.000000 60.000000", "CC 80.000000 40.000000", "DD 20.000000 40.000000"]);
    });
}

#[test]
fn a_pair_counts_once_what_takes_the_place_of_failed_transfers() {
    audit(async |house| {
        let (debts, run) = exported(house, "exclude_and_renet", "0").await;
        accept_all(&debts).await;
        fail(house, &run, 1).await;
        fail(house, &run, 2).await;

        declare(house, &run, "AA").await.ok();

        assert_eq!(state(house, &run).await, "settling");
        assert_eq!(pairs(&debts, "AA").await, ["BB 60.000000 0.000000", "CC 40.000000 0.000000", "DD 0.000000 20.000000"]);
        assert_eq!(
            pairs(&debts, "BB").await,
            ["AA 0.000000 60.000000", "CC 20.000000 0.000000", "DD 50.000000 0.000000"],
            "10 of it are still to be paid"
        );
    });
}

#[test]
fn a_vendor_sees_its_own_part_of_a_default() {
    audit(async |house| {
        let (debts, run) = exported(house, "collateral_then_loss_share", "50").await;
        house.operator.vendor("EURO", "IDLE", "1").await.client.get(&defaults(&run)).await.refused(404, "not_found");
        fail(house, &run, 1).await;
        fail(house, &run, 2).await;
        declare(house, &run, "AA").await.ok();

        let seen = async |vendor: &str| {
            let defaults = debts.vendors[vendor].client.get(&defaults(&run)).await.ok();
            let seen = &defaults["items"][0];
            assert!(seen["reason"].is_null() && seen["declared_by"].is_null(), "what the operator says of it is the operator's: {seen}");
            (shown(seen), seen["failed"].clone())
        };
        let own = |draws: &str, debts: &str, failed: &str| ((draws.to_owned(), debts.to_owned()), json!(failed));
        assert_eq!(seen("AA").await, own("CC 40.00, DD 10.00", "AA>CC 20.00, AA>DD 10.00", "80.00"));
        assert_eq!(seen("CC").await, own("CC 40.00", "AA>CC 20.00", "60.00"));
        assert_eq!(seen("BB").await, own("", "", "0.00"));
        assert_eq!(house.operator.client.get("/v1/schemes/EURO/exclusions").await.ok()["items"][0]["vendor"], "AA");
        debts.vendors["CC"].client.get(&format!("{}?limit=0", defaults(&run))).await.refused(400, "invalid_query");
        let declared = debts.vendors["CC"].client.request(Method::PUT, &format!("{}/BB", defaults(&run)));
        Answer::of(declared.json(&json!({"reason": "me too"}))).await.refused(403, "forbidden");
    });
}

#[test]
fn the_house_declares_a_default_by_itself_when_the_time_to_try_again_is_up() {
    audit(async |house| {
        let (_debts, run) = exported(house, "pro_rata", "0").await;
        let grace = async |hours: i64| house.operator.client.patch("/v1/schemes/EURO", "*", json!({"grace_hours": hours})).await.ok();
        let declare_due = || async { Defaults::new(house.db.clone(), house.clock.clone()).declare_due().await.unwrap() };
        fail(house, &run, 1).await;
        house.clock.advance(SignedDuration::from_mins(1));
        assert_eq!(declare_due().await, 0, "without a time of grace it waits for the operator");
        grace(0).await;
        assert_eq!(declare_due().await, 0, "its other transfer may still arrive");
        fail(house, &run, 2).await;
        grace(1).await;
        assert_eq!(declare_due().await, 0, "it may still be tried again");
        house.clock.advance(SignedDuration::from_hours(2));

        let (one, two) = tokio::join!(declare_due(), declare_due());

        assert_eq!((one + two, declare_due().await), (1, 0));
        let declared = house.operator.client.get(&defaults(&run)).await.ok();
        assert_eq!((&declared["items"][0]["declared_by"], &declared["items"][0]["rule"]), (&json!("house"), &json!("pro_rata")));
        assert_eq!(state(house, &run).await, "settling", "the last transfer is BB's");
    });
}

#[test]
fn what_a_second_vendor_fails_is_carried_over() {
    audit(async |house| {
        let (_debts, run) = exported(house, "exclude_and_renet", "0").await;
        for number in 1..=3 {
            fail(house, &run, number).await;
        }
        declare(house, &run, "AA").await.ok();

        let second = declare(house, &run, "BB").await.ok();

        assert_eq!((&second["rule"], shown(&second).1.as_str()), (&json!("carry_over"), "BB>DD 10.00"));
        assert_eq!(house.db_count("SELECT count(*) FROM exclusions").await, 2);
        assert_eq!(state(house, &run).await, "settled");
    });
}

#[test]
fn two_vendors_that_default_at_once_do_so_one_after_the_other() {
    audit(async |house| {
        let (_debts, run) = exported(house, "pro_rata", "50").await;
        for number in 1..=3 {
            fail(house, &run, number).await;
        }
        let (one, two, again) = tokio::join!(declare(house, &run, "AA"), declare(house, &run, "BB"), declare(house, &run, "AA"));
        let (one, two) = (one.ok(), two.ok());
        assert_eq!(again.ok(), one);
        let mut rules = [one["rule"].as_str().unwrap(), two["rule"].as_str().unwrap()];
        rules.sort_unstable();
        assert_eq!(rules, ["carry_over", "pro_rata"]);
    });
}

#[test]
fn who_was_paid_as_well_gives_that_back_before_its_collateral_pays() {
    audit(async |house| {
        let (_debts, run) = exported_by(house, "gross", "pro_rata", "50").await;
        assert_eq!(transfers(house, &run).await, "AA>BB 60.00, AA>CC 40.00, BB>CC 70.00, CC>DD 50.00, DD>AA 20.00");
        house.operator.mark(&run, 5, json!({"to": "received", "reason": "the bank's letter says so"})).await.created();
        fail(house, &run, 1).await;
        fail(house, &run, 2).await;
        let declared = declare(house, &run, "AA").await.ok();
        // 50 and the 20 that it was paid are 70 of the 100 that it owes.
        assert_eq!(shown(&declared), ("BB 30.00, CC 20.00".to_owned(), "AA>BB 30.00, AA>CC 20.00".to_owned()));
    });
}

#[test]
fn what_was_written_off_before_is_paid_as_far_as_the_rule_goes() {
    audit(async |house| {
        let (_debts, run) = exported(house, "collateral_then_loss_share", "60").await;
        fail(house, &run, 1).await;
        fail(house, &run, 2).await;
        house.operator.mark(&run, 2, json!({"to": "written_off", "reason": "as agreed"})).await.created();
        let declared = declare(house, &run, "AA").await.ok();
        assert_eq!(shown(&declared), ("CC 60.00".to_owned(), String::new()));
        assert_eq!(declared["failed"], "60.00");
    });
}

#[test]
fn what_was_held_back_is_not_taken_once_more() {
    audit(async |house| {
        let debts = Debts::open(house, "direct", "1", &FIVE_DEBTS).await;
        house.operator.client.patch("/v1/schemes/EURO", "*", json!({"failure_rule": "exclude_and_renet", "dispute_hours": 1})).await.ok();
        let first = house.operator.settle("EURO").await;
        let statement = house.operator.file(&first, "statement-AA.csv").await.text();
        let disputed = statement.lines().find(|line| line.starts_with("obligation,BB,")).unwrap().split(',').nth(2).unwrap().to_owned();
        let path = format!("/v1/runs/{}/disputes", first["id"].as_str().unwrap());
        debts.vendors["AA"].client.post(&path, json!({"obligation": disputed, "reason": "never happened"})).await.created();
        house.operator.step(&first, "void", json!({"reason": "disputed"})).await.ok();
        house.operator.client.patch("/v1/schemes/EURO", "*", json!({"dispute_hours": 0})).await.ok();
        let run = house.export(&house.operator.settle("EURO").await).await;
        // Without the 60 that AA disputes: BB is to pay 70, AA 20.
        assert_eq!(transfers(house, &run).await, "BB>CC 60.00, BB>DD 10.00, AA>DD 20.00");
        // Of that, what-if speaks as well: CC, to be paid 60, would be paid 20.
        let what_if = house.operator.client.get(&format!("/v1/runs/{}/what-if-default?vendor=AA", run["id"].as_str().unwrap())).await.ok();
        let hit = &what_if["vendors"][0];
        assert_eq!((&hit["vendor"], &hit["expected"], &hit["outcome"]), (&json!("CC"), &json!("60.00"), &json!("20.00")));
        assert_eq!((&what_if["shortfall"], &what_if["defaulters"][0]["expected"]), (&json!("40.00"), &json!("-20.00")));
        fail(house, &run, 3).await;

        let declared = declare(house, &run, "AA").await.ok();

        assert_eq!(shown(&declared).1, "AA>CC 40.00, CC>DD 40.00, DD>AA 20.00");
    });
}

#[test]
fn a_default_that_cannot_be_is_refused_and_changes_nothing() {
    audit(async |house| {
        let (debts, run) = exported(house, "pro_rata", "0").await;
        declare(house, &run, "AA").await.refused(409, "run_not_settling");
        fail(house, &run, 1).await;
        for (vendor, status, code) in [
            ("AA", 409, "transfer_on_its_way"),
            ("CC", 404, "vendor_not_payer"),
            ("NOBODY", 404, "vendor_not_payer"),
            ("%00", 404, "vendor_not_payer"),
        ] {
            declare(house, &run, vendor).await.refused(status, code);
        }
        house.operator.mark(&run, 3, json!({"to": "received", "reason": "the bank's letter says so"})).await.created();
        declare(house, &run, "BB").await.refused(409, "nothing_failed");
        let path = format!("{}/AA", defaults(&run));
        put(house, &path, json!({"reason": ""})).await.refused(422, "reason_malformed");
        put(house, &path, json!({"reason": "x", "rule": "pro_rata"})).await.refused(400, "invalid_body");
        declare(house, &json!({"id": "00000000-0000-7000-8000-000000000000"}), "AA").await.refused(404, "not_found");
        assert_eq!(house.db_count("SELECT count(*) FROM defaults").await, 0);
        assert_eq!(house.db_count("SELECT count(*) FROM exclusions").await, 0);
        drop(debts);
    });
}

#[test]
fn nothing_takes_the_place_of_what_the_house_is_to_be_paid() {
    audit(async |house| {
        Debts::open(house, "hub", "1", &FIVE_DEBTS).await;
        house.operator.client.patch("/v1/schemes/EURO", "*", json!({"failure_rule": "pro_rata", "grace_hours": 0})).await.ok();
        let run = house.operator.settle("EURO").await;
        let run = house.export(&run).await;
        fail(house, &run, 1).await;
        declare(house, &run, "AA").await.refused(422, "house_is_creditor");
        house.clock.advance(SignedDuration::from_hours(1));
        assert_eq!(Defaults::new(house.db.clone(), house.clock.clone()).declare_due().await.unwrap(), 0);
    });
}

/// Whoever fails what, by whatever strategy and rule, in run after run: every default that can be is declared, and the books prove.
#[test]
fn whatever_fails_the_books_prove() {
    audit(async |house| {
        let mut rng = Rng::with_seed(20_261_126);
        let debts = Debts::open(house, "gross", "0.37", &FIVE_DEBTS).await;
        let carol = house.user("carol").await;
        for vendor in debts.vendors.values() {
            vendor.endow(&carol, "100000").await;
        }
        let codes: Vec<&str> = debts.vendors.keys().copied().collect();
        let mut declared = 0;
        for _ in 0..12 {
            let strategy = ["gross", "bilateral", "conservative", "direct", "fewest"][rng.usize(..5)];
            let rule = ["exclude_and_renet", "collateral_then_loss_share", "pro_rata", "carry_over"][rng.usize(..4)];
            let smallest = ["0", "3"][rng.usize(..2)];
            let terms = json!({"strategy": strategy, "failure_rule": rule, "min_transfer": smallest});
            house.operator.client.patch("/v1/schemes/EURO", "*", terms).await.ok();
            for _ in 0..8 {
                let (from, to) = (codes[rng.usize(..4)], codes[rng.usize(..4)]);
                if from != to {
                    let amount = format!("{}.{:02}", rng.u32(1..90), rng.u32(..100));
                    carol.convert(&amount, &debts.vendors[from], &debts.vendors[to]).await.created();
                }
            }
            for vendor in &codes {
                house.operator.hold(vendor, &format!("{}.{:06}", rng.u32(..30), rng.u32(..1_000_000))).await.ok();
                let path = format!("/v1/schemes/EURO/exclusions/{vendor}");
                Answer::of(house.operator.client.request(Method::DELETE, &path)).await;
            }
            let run = house.operator.settle("EURO").await;
            house.export(&run).await;
            declared += fail_some(house, &run, &mut rng).await;
        }
        assert!(declared >= 10, "{declared} defaults");
    });
}

/// Lets some of the transfers arrive and some fail, and declares whoever has failed; answers how many that were.
async fn fail_some(house: &House, run: &Value, rng: &mut Rng) -> u32 {
    let transfers = house.operator.client.get(&format!("/v1/runs/{}/transfers", run["id"].as_str().unwrap())).await.ok();
    let mut payers = BTreeSet::new();
    for transfer in transfers["items"].as_array().unwrap() {
        let number = transfer["number"].as_i64().unwrap();
        let said = |to: &str| json!({"to": to, "reason": "as agreed"});
        if rng.u32(..3) == 0 {
            house.operator.mark(run, number, said("received")).await.created();
            continue;
        }
        fail(house, run, number).await;
        match rng.u32(..6) {
            0 => drop(house.operator.mark(run, number, said("written_off")).await.created()),
            1 => drop(house.operator.mark(run, number, said("rolled")).await.created()),
            _ => drop(payers.insert(transfer["payer"].as_str().unwrap().to_owned())),
        }
    }
    for payer in &payers {
        declare(house, run, payer).await.ok();
    }
    if !transfers["items"].as_array().unwrap().is_empty() {
        assert_eq!(state(house, run).await, "settled");
    }
    u32::try_from(payers.len()).unwrap()
}
