//! What becomes of transfers: payers, payees and the operator say so, step by step, until the run is settled.

use crate::support::{Answer, House, Market, User, Vendor, audit};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::task::JoinSet;

const STATES: [&str; 8] = ["instructed", "sent", "received", "failed", "retried", "rolled", "written_off", "disputed"];

/// MILES pays BEANS 10.00, in a run that has been exported.
async fn exported(house: &House) -> (Market, Value) {
    let market = Market::open(house, "0.50", "3000").await;
    market.alice.convert("1000", &market.miles, &market.beans).await.created();
    let run = house.operator.settle("EURO").await;
    let run = house.export(&run).await;
    (market, run)
}

fn path(run: &Value, number: i64) -> String {
    format!("/v1/runs/{}/transfers/{number}", run["id"].as_str().unwrap())
}

async fn run_state(house: &House, run: &Value) -> Value {
    house.operator.client.get(&format!("/v1/runs/{}", run["id"].as_str().unwrap())).await.ok()["state"].clone()
}

/// What the operator has to say to bring a transfer there.
fn operators(to: &str) -> Value {
    json!({"to": to, "reason": "the bank's letter says so", "reason_code": if to == "failed" { Some("AC04") } else { None }})
}

/// Takes a transfer through these states.
async fn walk(house: &House, run: &Value, number: i64, states: &[&str]) {
    for to in states {
        house.operator.mark(run, number, operators(to)).await.created();
    }
}

#[test]
fn payer_and_payee_settle_a_run() {
    audit(async |house| {
        let (Market { miles, beans, .. }, run) = exported(house).await;
        let today = house.day(0);
        let said = json!({"to": "sent", "bank_reference": "2026112500042", "booked_on": today});

        let sent = miles.mark(&run, 1, said).await.created();
        assert_eq!(run_state(house, &run).await, "settling");
        let received = beans.mark(&run, 1, json!({"to": "received"})).await.created();

        assert_eq!(
            (&sent["from"], &sent["to"], &sent["by"], &sent["booked_on"]),
            (&json!("instructed"), &json!("sent"), &json!("payer"), &json!(today))
        );
        assert_eq!((&received["seq"], &received["by"], &received["attempt"]), (&json!(2), &json!("payee"), &json!(1)));
        assert_eq!(run_state(house, &run).await, "settled");
        let transfer = beans.client.get(&path(&run, 1)).await.ok();
        assert_eq!((&transfer["state"], &transfer["payer"], &transfer["amount"]), (&json!("received"), &json!("MILES"), &json!("10.00")));
        assert_eq!((transfer["steps"].as_array().unwrap().len(), &transfer["next"]), (2, &json!([])));
        let steps = house.operator.client.get(&format!("/v1/runs/{}/steps", run["id"].as_str().unwrap())).await.ok();
        assert_eq!((&steps["items"][4]["to"], &steps["items"][4]["actor"]), (&json!("settled"), &json!("house")));
        miles.mark(&run, 1, json!({"to": "sent"})).await.refused(409, "run_not_under_settlement");
        house.operator.step(&run, "void", json!({"reason": "too late"})).await.refused(409, "run_step_illegal");
    });
}

#[test]
fn nothing_is_said_of_a_transfer_before_its_run_is_exported() {
    audit(async |house| {
        let market = Market::open(house, "0.50", "3000").await;
        market.alice.convert("1000", &market.miles, &market.beans).await.created();
        let run = house.operator.settle("EURO").await;
        let problem = market.miles.mark(&run, 1, json!({"to": "sent"})).await.refused(409, "run_not_under_settlement");
        assert_eq!(problem["state"], "computed");
        let refused =
            house.db_admin().await.batch_execute("UPDATE transfers SET state = 'sent'").await.expect_err("the database says no as well");
        assert_eq!(refused.as_db_error().unwrap().constraint(), Some("transfers_run_under_settlement"));
    });
}

#[test]
fn each_side_says_what_it_alone_can_know() {
    audit(async |house| {
        let (Market { miles, beans, .. }, run) = exported(house).await;
        let apart = house.operator.vendor("EURO", "APART", "1").await;

        assert_eq!(miles.client.get(&path(&run, 1)).await.ok()["next"], json!(["sent", "failed", "disputed"]));
        assert_eq!(beans.client.get(&path(&run, 1)).await.ok()["next"], json!(["received", "disputed"]));
        miles.mark(&run, 1, json!({"to": "received"})).await.refused(403, "transfer_step_not_yours");
        beans.mark(&run, 1, json!({"to": "sent"})).await.refused(403, "transfer_step_not_yours");
        apart.client.get(&path(&run, 1)).await.refused(404, "not_found");
        apart.mark(&run, 1, json!({"to": "sent"})).await.refused(404, "not_found");
        miles.mark(&run, 2, json!({"to": "sent"})).await.refused(404, "not_found");
        miles.mark(&run, -1, json!({"to": "sent"})).await.refused(404, "not_found");
        house.operator.mark(&run, 1, json!({"to": "sent"})).await.refused(422, "reason_required");
        assert_eq!(run_state(house, &run).await, "exported", "nothing happened");

        house.operator.mark(&run, 1, json!({"to": "received", "reason": "seen on the statement"})).await.created();
        let steps = miles.client.get(&path(&run, 1)).await.ok()["steps"].clone();
        assert_eq!((&steps[0]["by"], &steps[0]["actor"]), (&json!("operator"), &Value::Null), "whose key it was is not the vendors'");
        let steps = house.operator.client.get(&path(&run, 1)).await.ok()["steps"].clone();
        assert!(steps[0]["actor"].as_str().unwrap().starts_with("operator:"));
    });
}

#[test]
fn a_key_marks_only_with_its_scope() {
    audit(async |house| {
        let (Market { miles, .. }, run) = exported(house).await;
        let made = miles.client.post("/v1/vendor/keys", json!({"name": "reads", "scopes": ["settlement:read"]})).await.created();
        let reads = Vendor { client: miles.client.with(made["api_key"].as_str().unwrap()), ..miles.clone() };
        reads.client.get(&path(&run, 1)).await.ok();
        assert_eq!(reads.mark(&run, 1, json!({"to": "sent"})).await.refused(403, "missing_scope")["scope"], "settlement:confirm");
        let made = miles.client.post("/v1/vendor/keys", json!({"name": "confirms", "scopes": ["settlement:confirm"]})).await.created();
        let confirms = Vendor { client: miles.client.with(made["api_key"].as_str().unwrap()), ..miles.clone() };
        confirms.client.get(&path(&run, 1)).await.refused(403, "missing_scope");
        confirms.mark(&run, 1, json!({"to": "sent"})).await.created();
    });
}

/// Four vendors that owe each other in all twelve ways, in a run of as many transfers that has been exported.
async fn twelve_transfers(house: &House) -> (Value, Vec<Vendor>, User) {
    house.operator.scheme_with("EURO", "gross", 2).await;
    let alice = house.user("alice").await;
    let mut vendors = Vec::new();
    for code in ["AA", "BB", "CC", "DD"] {
        let vendor = house.operator.vendor("EURO", code, "1").await;
        vendor.endow(&alice, "1000").await;
        vendors.push(vendor);
    }
    for (from, to) in (0..4).flat_map(|from| (0..4).map(move |to| (from, to))).filter(|(from, to)| from != to) {
        alice.convert("7", &vendors[from], &vendors[to]).await.created();
    }
    let run = house.operator.settle("EURO").await;
    (house.export(&run).await, vendors, alice)
}

/// A way to each state, and what may follow.
const WAYS: [(&[&str], &[&str]); 8] = [
    (&[], &["sent", "received", "failed", "disputed"]),
    (&["sent"], &["received", "failed", "disputed"]),
    (&["sent", "received"], &[]),
    (&["failed"], &["retried", "rolled", "written_off", "disputed"]),
    (&["failed", "retried"], &["sent", "received", "failed", "disputed"]),
    (&["failed", "rolled"], &[]),
    (&["failed", "written_off"], &[]),
    (&["sent", "disputed"], &["sent"]),
];

#[test]
fn every_illegal_step_is_refused_by_the_api_and_by_the_database() {
    audit(async |house| {
        let (run, ..) = twelve_transfers(house).await;
        let admin = house.db_admin().await;
        for (number, (way, legal)) in (1..).zip(WAYS) {
            walk(house, &run, number, way).await;
            assert_eq!(house.operator.client.get(&path(&run, number)).await.ok()["next"], json!(legal), "{way:?}");
            for to in STATES.into_iter().filter(|to| !legal.contains(to)) {
                let problem = house.operator.mark(&run, number, operators(to)).await.refused(409, "transfer_step_illegal");
                assert_eq!((&problem["asked"], &problem["may_become"]), (&json!(to), &json!(legal)), "{way:?}");
                let disputed_from = if to == "disputed" { "state" } else { "NULL" };
                let forged = format!("UPDATE transfers SET state = '{to}', disputed_from = {disputed_from} WHERE number = {number}");
                let refused = admin.batch_execute(&forged).await.expect_err("the database says no as well");
                assert_eq!(refused.as_db_error().unwrap().constraint(), Some("transfers_step_allowed"), "{way:?} {to}");
            }
        }
        for forged in ["UPDATE transfers SET attempt = 9", "UPDATE transfers SET state = 'sent', attempt = 2 WHERE number = 9"] {
            let refused = admin.batch_execute(forged).await.expect_err("an attempt is counted by its retry");
            assert_eq!(refused.as_db_error().unwrap().constraint(), Some("transfers_step_allowed"));
        }
        for (columns, values, constraint) in [
            ("from_state, to_state", "'sent', 'sent'", "transfer_steps_changes_state"),
            ("from_state, to_state", "'sent', 'failed'", "transfer_steps_failed_has_code"),
            ("from_state, to_state, reason", "'failed', 'written_off', 'why not'", "transfer_steps_failed_is_operators"),
        ] {
            let forged = format!(
                "INSERT INTO transfer_steps (run_id, number, seq, attempt, actor, stepped_at, {columns})
                 SELECT run_id, 9, 1, 1, 'vendor:' || run_id, now(), {values} FROM transfers WHERE number = 9"
            );
            let refused = admin.batch_execute(&forged).await.expect_err("no such step is written down");
            assert_eq!(refused.as_db_error().unwrap().constraint(), Some(constraint));
        }
    });
}

#[test]
fn the_last_transfer_to_end_settles_the_run() {
    audit(async |house| {
        let (run, ..) = twelve_transfers(house).await;
        walk(house, &run, 1, &["failed", "written_off"]).await;
        walk(house, &run, 2, &["failed", "retried", "failed", "retried", "disputed", "retried", "received"]).await;
        let retried = house.operator.client.get(&path(&run, 2)).await.ok();
        assert_eq!((&retried["attempt"], &retried["steps"][6]["attempt"]), (&json!(3), &json!(3)));
        walk(house, &run, 3, &["failed", "rolled"]).await;

        let mut marks = JoinSet::new();
        for number in 4..=12 {
            let (operator, run) = (house.operator.clone(), run.clone());
            marks.spawn(async move { operator.mark(&run, number, json!({"to": "received", "reason": "all at once"})).await });
        }
        for marked in marks.join_all().await {
            marked.created();
        }

        assert_eq!(run_state(house, &run).await, "settled");
        assert_eq!(house.db_count("SELECT count(*) FROM run_steps WHERE to_state IN ('settling', 'settled')").await, 2);
    });
}

#[test]
fn a_rolled_transfer_is_owed_again_and_paid_with_the_next_run() {
    audit(async |house| {
        let (Market { miles, beans, alice }, run) = exported(house).await;
        miles.mark(&run, 1, json!({"to": "failed", "reason_code": "AC04", "reason": "the account was closed"})).await.created();
        house.operator.mark(&run, 1, json!({"to": "rolled", "reason": "with the next one"})).await.created();
        assert_eq!(run_state(house, &run).await, "settled");
        alice.convert("500", &miles, &beans).await.created();

        let next = house.operator.settle("EURO").await;

        assert_eq!((&next["gross"], &next["obligation_count"], &next["total"]), (&json!("15.00"), &json!(2), &json!("15.00")));
        let statement = beans.client.get(&format!("/v1/runs/{}/files/statement-BEANS.csv", next["id"].as_str().unwrap())).await.text();
        let rolled: Vec<&str> = statement.lines().filter(|line| line.contains(",rolled,")).collect();
        let transfer = house.operator.client.get(&path(&run, 1)).await.ok();
        assert!(
            rolled.len() == 1 && rolled[0].contains(transfer["id"].as_str().unwrap()) && rolled[0].contains(",10.000000,"),
            "{statement}"
        );
    });
}

#[test]
fn a_transfer_with_the_house_is_not_rolled() {
    audit(async |house| {
        house.operator.scheme_with("EURO", "hub", 2).await;
        let alice = house.user("alice").await;
        let (aa, bb) = (house.operator.vendor("EURO", "AA", "1").await, house.operator.vendor("EURO", "BB", "1").await);
        aa.endow(&alice, "100").await;
        alice.open(&bb).await;
        alice.convert("100", &aa, &bb).await.created();
        let run = house.operator.settle("EURO").await;
        house.export(&run).await;
        aa.mark(&run, 1, json!({"to": "failed", "reason_code": "AM04"})).await.created();

        house.operator.mark(&run, 1, operators("rolled")).await.refused(422, "roll_needs_two_vendors");
        let refused =
            house.db_admin().await.batch_execute("UPDATE transfers SET state = 'rolled' WHERE number = 1").await.expect_err("nor here");
        assert_eq!(refused.as_db_error().unwrap().constraint(), Some("transfers_rolled_between_vendors"));

        assert_eq!(aa.client.get(&path(&run, 1)).await.ok()["payee"], "HOUSE");
        aa.client.get(&path(&run, 2)).await.refused(404, "not_found");
        house.operator.mark(&run, 1, operators("written_off")).await.created();
        bb.mark(&run, 2, json!({"to": "received"})).await.created();
        assert_eq!(run_state(house, &run).await, "settled");
    });
}

#[test]
fn a_mark_is_made_once_however_often_it_is_sent() {
    audit(async |house| {
        let (Market { miles, beans, .. }, run) = exported(house).await;
        let (steps, sent) = (format!("{}/steps", path(&run, 1)), json!({"to": "sent"}));
        let mut marks = JoinSet::new();
        for _ in 0..10 {
            let (client, steps, sent) = (miles.client.clone(), steps.clone(), sent.clone());
            marks.spawn(async move { client.post_keyed(&steps, "once", sent).await });
        }
        let answers: Vec<Answer> = marks.join_all().await;
        assert_eq!(answers.iter().filter(|answer| answer.header("idempotency-replayed").is_empty()).count(), 1);
        let first = answers.into_iter().map(Answer::created).reduce(|one, other| {
            assert_eq!(one, other);
            one
        });
        beans.client.post_keyed(&steps, "once", json!({"to": "received"})).await.created();

        let again = miles.client.post_keyed(&steps, "once", sent).await;
        assert_eq!((again.header("idempotency-replayed"), Some(again.json())), ("true", first));
        for other in [json!({"to": "failed"}), json!({"to": 5}), json!({"nonsense": true})] {
            miles.client.post_keyed(&steps, "once", other).await.refused(422, "idempotency_key_reused");
        }
        miles
            .client
            .post_keyed(&format!("{}/steps", path(&run, 2)), "once", json!({"to": "sent"}))
            .await
            .refused(422, "idempotency_key_reused");
        miles.client.post(&steps, json!({"to": "sent"})).await.refused(400, "idempotency_key_required");
        assert_eq!(house.db_count("SELECT count(*) FROM transfer_steps").await, 2);
    });
}

#[test]
fn the_key_of_a_mark_does_not_spoil_that_of_an_issue() {
    audit(async |house| {
        let (Market { miles, alice, .. }, run) = exported(house).await;
        miles.client.post_keyed(&format!("{}/steps", path(&run, 1)), "same", json!({"to": "sent"})).await.created();
        miles.client.post_keyed("/v1/vendor/issues", "same", json!({"user": alice.handle, "amount": "1"})).await.created();
    });
}

#[test]
fn a_mark_that_cannot_be_read_changes_nothing() {
    audit(async |house| {
        let (Market { miles, .. }, run) = exported(house).await;
        for (body, status, code) in [
            (json!({"to": "paid"}), 422, "transfer_state_unknown"),
            (json!({"to": ""}), 422, "transfer_state_unknown"),
            (json!({"to": "sent", "bank_reference": ""}), 422, "bank_reference_malformed"),
            (json!({"to": "sent", "bank_reference": "x".repeat(36)}), 422, "bank_reference_malformed"),
            (json!({"to": "sent", "bank_reference": "a\u{0}"}), 422, "bank_reference_malformed"),
            (json!({"to": "sent", "booked_on": "25.11.2026"}), 422, "booked_on_malformed"),
            (json!({"to": "sent", "booked_on": house.day(2)}), 422, "booked_on_in_future"),
            (json!({"to": "failed"}), 422, "reason_code_required"),
            (json!({"to": "failed", "reason_code": "ac04"}), 422, "reason_code_unknown"),
            (json!({"to": "failed", "reason_code": "AC04", "reason": "two\nlines"}), 422, "reason_malformed"),
            (json!({"to": "failed", "reason_code": "AC04", "reason": "x".repeat(501)}), 422, "reason_malformed"),
            (json!({}), 400, "invalid_body"),
            (json!({"to": "sent", "when": "now"}), 400, "invalid_body"),
        ] {
            miles.mark(&run, 1, body).await.refused(status, code);
        }
        assert_eq!((run_state(house, &run).await, house.db_count("SELECT count(*) FROM transfer_steps").await), (json!("exported"), 0));
    });
}

#[test]
fn what_failed_and_is_not_tried_again_in_time_is_owed_again_by_itself() {
    audit(async |house| {
        let (Market { miles, .. }, run) = exported(house).await;
        house.operator.client.patch("/v1/schemes/EURO", "*", json!({"grace_hours": -1})).await.refused(422, "grace_hours_out_of_range");
        walk(house, &run, 1, &["failed"]).await;
        house.clock.advance(SignedDuration::from_hours(100));
        let roll_due =
            || async { runs::transfers::Transfers::new(house.db.clone(), house.clock.clone()).roll_due(house.clock.now()).await.unwrap() };
        assert_eq!(roll_due().await, 0, "without a time of grace it waits for the operator");

        let patched = house.operator.client.patch("/v1/schemes/EURO", "*", json!({"grace_hours": 101})).await.ok();
        assert_eq!((patched["grace_hours"].clone(), roll_due().await), (json!(101), 0));
        house.operator.client.patch("/v1/schemes/EURO", "*", json!({"failure_rule": "pro_rata"})).await.ok();
        house.clock.advance(SignedDuration::from_hours(2));
        assert_eq!(roll_due().await, 0, "another rule is the operator's to carry out");
        house.operator.client.patch("/v1/schemes/EURO", "*", json!({"failure_rule": "carry_over"})).await.ok();
        let (one, two) = tokio::join!(roll_due(), roll_due());
        assert_eq!(one + two, 1);

        let transfer = miles.client.get(&path(&run, 1)).await.ok();
        assert_eq!((&transfer["state"], &transfer["steps"][1]["by"]), (&json!("rolled"), &json!("house")));
        assert_eq!(run_state(house, &run).await, "settled");
        let bundle = house.operator.client.get(&format!("/v1/runs/{}/bundle", run["id"].as_str().unwrap())).await;
        let verified = runs::bundles::verify(bundle.bytes.as_slice()).unwrap();
        assert!(verified.proofs.iter().all(ledger::proofs::Proof::holds), "{:?}", verified.proofs);
        assert_eq!(house.operator.settle("EURO").await["total"], "10.00");
    });
}
