//! What becomes of a run: proposed, approved by a second person, exported, or voided and netted again.

use crate::support::{House, Market, Operator, audit};
use serde_json::{Value, json};

/// A market in which MILES owes BEANS 10.00, and the run that nets it.
async fn netted(house: &House) -> (Market, Value) {
    let market = Market::open(house, "0.50", "3000").await;
    market.alice.convert("1000", &market.miles, &market.beans).await.created();
    let run = house.operator.settle("EURO").await;
    (market, run)
}

async fn state(operator: &Operator, run: &Value) -> String {
    let run = operator.client.get(&format!("/v1/runs/{}", run["id"].as_str().unwrap())).await.ok();
    run["state"].as_str().expect("a run has a state").to_owned()
}

async fn steps(operator: &Operator, run: &Value) -> Vec<String> {
    let page = operator.client.get(&format!("/v1/runs/{}/steps", run["id"].as_str().unwrap())).await.ok();
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| format!("{}>{}", step["from"].as_str().unwrap(), step["to"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_run_is_approved_by_a_second_person_and_exported() {
    audit(async |house| {
        let (_market, run) = netted(house).await;
        let second = house.second_operator().await;

        house.operator.step(&run, "propose", json!({})).await.ok();
        second.approve(&run).await.ok();
        let exported = house.operator.step(&run, "export", json!({})).await.ok();

        assert_eq!((&exported["state"], &exported["number"]), (&json!("exported"), &json!(1)));
        assert_eq!(steps(&second, &run).await, ["computed>proposed", "proposed>approved", "approved>exported"]);
    });
}

#[test]
fn the_proposer_does_not_approve() {
    audit(async |house| {
        let (_market, run) = netted(house).await;
        house.operator.step(&run, "propose", json!({})).await.ok();

        house.operator.approve(&run).await.refused(409, "approver_is_proposer");

        assert_eq!(state(&house.operator, &run).await, "proposed");
        let admin = house.db_admin().await;
        let forged = "INSERT INTO run_steps SELECT run_id, 2, 'proposed', 'approved', actor, NULL, output_hash, stepped_at FROM run_steps;
                      UPDATE runs SET state = 'approved'";
        let refused = admin.batch_execute(forged).await.expect_err("the database says no as well");
        assert_eq!(refused.as_db_error().unwrap().constraint(), Some("runs_approved_by_second_person"));
        // Nor by the house, whatever the scheme says since.
        house.operator.client.patch("/v1/schemes/EURO", "*", json!({"approval": "auto"})).await.ok();
        let forged = forged.replace("actor, NULL", "'house', NULL");
        let refused = admin.batch_execute(&forged).await.expect_err("the house approves nothing that is for people to approve");
        assert_eq!(refused.as_db_error().unwrap().constraint(), Some("runs_approved_by_people"));
        assert_eq!(house.operator.client.get(&format!("/v1/runs/{}", run["id"].as_str().unwrap())).await.ok()["approval"], "second_person");
    });
}

#[test]
fn approval_binds_the_result() {
    audit(async |house| {
        let (_market, run) = netted(house).await;
        let second = house.second_operator().await;
        house.operator.step(&run, "propose", json!({})).await.ok();

        second.step(&run, "approve", json!({"output_hash": "00".repeat(32)})).await.refused(409, "output_hash_differs");
        second.step(&run, "approve", json!({"output_hash": "abc"})).await.refused(422, "output_hash_malformed");

        assert_eq!(steps(&second, &run).await, ["computed>proposed"]);
    });
}

#[test]
fn a_step_that_is_asked_for_again_is_taken_once() {
    audit(async |house| {
        let (_market, run) = netted(house).await;
        for _ in 0..2 {
            house.operator.step(&run, "propose", json!({})).await.ok();
        }
        let (one, two) = tokio::join!(
            house.operator.step(&run, "void", json!({"reason": "twice"})),
            house.operator.step(&run, "void", json!({"reason": "twice"})),
        );
        assert_eq!((one.ok()["state"].clone(), two.ok()["state"].clone()), (json!("voided"), json!("voided")));
        assert_eq!(steps(&house.operator, &run).await, ["computed>proposed", "proposed>voided"]);
    });
}

#[test]
fn every_illegal_step_is_refused_by_the_api_and_by_the_database() {
    audit(async |house| {
        let (_market, run) = netted(house).await;
        let second = house.second_operator().await;
        let ask = async |step: &str| match step {
            "approved" => second.approve(&run).await,
            "proposed" => house.operator.step(&run, "propose", json!({})).await,
            "exported" => house.operator.step(&run, "export", json!({})).await,
            _voided => second.step(&run, "void", json!({"reason": "not this one"})).await,
        };
        for (reached, illegal) in [
            ("computed", vec!["approved", "exported"]),
            ("proposed", vec!["exported"]),
            ("approved", vec!["proposed"]),
            ("exported", vec!["proposed"]),
        ] {
            if reached != "computed" {
                ask(reached).await.ok();
            }
            for step in illegal {
                let problem = ask(step).await.refused(409, "run_step_illegal");
                assert_eq!((&problem["state"], &problem["asked"]), (&json!(reached), &json!(step)));
            }
            let admin = house.db_admin().await;
            for state in ["settled", "computed", "nonsense"] {
                let forged = format!("UPDATE runs SET state = '{state}' WHERE state <> '{state}'");
                let refused = if state == reached { None } else { admin.batch_execute(&forged).await.err() };
                assert!(state == reached || refused.is_some(), "{reached} -> {state}");
            }
            let skipped = "INSERT INTO run_steps SELECT id, 9, state, 'settled', 'house', NULL, output_hash, now() FROM runs";
            let refused = admin.batch_execute(skipped).await.expect_err("no history says so");
            assert_eq!(refused.as_db_error().unwrap().constraint(), Some("run_steps_legal"));
        }
    });
}

#[test]
fn a_voided_run_is_netted_again_with_the_next_window() {
    audit(async |house| {
        let (market, first) = netted(house).await;
        house.operator.step(&first, "void", json!({})).await.refused(400, "invalid_body");
        house.operator.step(&first, "void", json!({"reason": ""})).await.refused(422, "reason_malformed");
        house.operator.step(&first, "void", json!({"reason": "a wrong strategy"})).await.ok();
        assert!(house.app.runs.resume().await.unwrap().is_empty(), "the window waits for somebody to ask");
        market.alice.convert("500", &market.miles, &market.beans).await.created();

        let second = house.operator.settle("EURO").await;

        assert_eq!((&second["number"], &second["gross"], &second["obligation_count"]), (&json!(2), &json!("15.00"), &json!(2)));
        let manifest = house.operator.file(&second, "manifest.json").await.ok();
        assert_eq!((&manifest["supersedes"], &manifest["windows"][1]["number"]), (&json!([first["id"]]), &json!(2)));
        let statement = house.operator.file(&second, "statement-BEANS.csv").await.text();
        assert!(statement.contains("net,,,,,,15.000000,0.000000,EUR"), "{statement}");
        let windows = house.operator.client.get("/v1/schemes/EURO/windows").await.ok();
        let runs: Vec<&Value> = windows["items"].as_array().unwrap().iter().map(|window| &window["run"]).collect();
        assert_eq!(runs, [&Value::Null, &second["id"], &second["id"]]);
        // The voided run keeps its files.
        assert!(house.operator.file(&first, "transfers.csv").await.text().contains("10.00"));
    });
}

#[test]
fn what_a_voided_run_carried_is_owed_back() {
    audit(async |house| {
        let market = Market::open(house, "0.50", "3000").await;
        let tiny = house.operator.vendor("EURO", "TINY", "0.005").await;
        market.alice.open(&tiny).await;
        market.alice.convert("0.50", &market.miles, &tiny).await.created();
        let first = house.operator.settle("EURO").await;
        assert_eq!(house.db_count("SELECT count(*) FROM run_carries").await, 1);

        house.operator.step(&first, "void", json!({"reason": "too early"})).await.ok();
        let second = house.operator.settle("EURO").await;

        // Half a cent, what was carried of it, and that taken back.
        assert_eq!((&second["obligation_count"], &second["net"]), (&json!(3), &json!("0.005")));
        assert_eq!(house.db_count("SELECT sum(amount_micro)::bigint FROM obligations WHERE source = 'reversal'").await, 5_000);
    });
}

#[test]
fn windows_that_are_held_are_netted_together() {
    audit(async |house| {
        let market = Market::open(house, "0.50", "3000").await;
        for key in ["monday", "tuesday"] {
            market.alice.convert("100", &market.miles, &market.beans).await.created();
            let path = "/v1/schemes/EURO/windows";
            let held = house.operator.client.post_keyed(path, key, json!({})).await.created();
            assert_eq!((&held["state"], &held["held"], &held["slot"]), (&json!("closed"), &json!(true), &json!(format!("held:{key}"))));
            let again = house.operator.client.post_keyed(path, key, json!({})).await.created();
            assert_eq!(again["number"], held["number"]);
        }
        assert!(house.app.runs.resume().await.unwrap().is_empty(), "nobody has asked for a run");
        market.alice.convert("100", &market.miles, &market.beans).await.created();

        let run = house.operator.settle("EURO").await;

        assert_eq!((&run["gross"], &run["obligation_count"]), (&json!("3.00"), &json!(3)));
        let manifest = house.operator.file(&run, "manifest.json").await.ok();
        assert_eq!(manifest["windows"].as_array().unwrap().len(), 3);
    });
}

#[test]
fn a_preview_is_what_the_run_becomes() {
    audit(async |house| {
        let (market, first) = netted(house).await;
        house.operator.step(&first, "void", json!({"reason": "to be seen first"})).await.ok();
        market.alice.convert("333", &market.miles, &market.beans).await.created();

        let preview = house.operator.client.get("/v1/schemes/EURO/preview").await.ok();
        assert_eq!(house.db_count("SELECT count(*) FROM windows WHERE state = 'closed'").await, 1, "nothing was closed");
        let run = house.operator.settle("EURO").await;

        assert_eq!(preview["windows"], json!([1, 2]));
        for figure in ["input_hash", "output_hash", "gross", "net", "total", "transfer_count", "obligation_count", "strategy", "currency"] {
            assert_eq!(preview[figure], run[figure], "{figure}");
        }
        assert_eq!(preview["transfers"][0]["amount"], "13.33");
        assert_eq!(preview["positions"][0]["vendor"], "BEANS");
        house.operator.client.get("/v1/schemes/NOBODY/preview").await.refused(404, "scheme_not_found");
    });
}

#[test]
fn a_scheme_may_approve_by_itself_and_a_nil_run_is_settled_at_export() {
    audit(async |house| {
        let body = json!({"code": "EURO", "currency": "EUR", "strategy": "direct", "approval": "auto"});
        house.operator.client.post("/v1/schemes", body).await.created();

        let run = house.operator.settle("EURO").await;
        assert_eq!(run["state"], "approved");
        let exported = house.operator.step(&run, "export", json!({})).await.ok();

        assert_eq!(exported["state"], "settled");
        house.operator.step(&run, "void", json!({"reason": "too late"})).await.refused(409, "run_step_illegal");
        house
            .operator
            .client
            .post("/v1/schemes", json!({"code": "X1", "currency": "EUR", "strategy": "direct", "approval": "nobody"}))
            .await
            .refused(422, "approval_unknown");
    });
}

#[test]
fn a_scheme_changes_for_the_next_run() {
    audit(async |house| {
        let (market, first) = netted(house).await;
        let scheme = house.operator.client.get("/v1/schemes/EURO").await;
        let version = scheme.header("etag").to_owned();
        let patched =
            house.operator.client.patch("/v1/schemes/EURO", &version, json!({"strategy": "gross", "approval": "auto"})).await.ok();
        assert_eq!((&patched["strategy"], &patched["approval"], &patched["version"]), (&json!("gross"), &json!("auto"), &json!(2)));
        house.operator.client.patch("/v1/schemes/EURO", &version, json!({"strategy": "hub"})).await.refused(412, "version_mismatch");
        house.operator.client.patch("/v1/schemes/EURO", "*", json!({"strategy": "best"})).await.refused(422, "strategy_unknown");
        market.alice.convert("100", &market.miles, &market.beans).await.created();

        let second = house.operator.settle("EURO").await;

        assert_eq!((&first["strategy"], &second["strategy"], &second["state"]), (&json!("direct"), &json!("gross"), &json!("approved")));
        assert_eq!(state(&house.operator, &first).await, "computed");
    });
}

#[test]
fn all_strategies_are_seen_side_by_side_before_one_is_chosen() {
    audit(async |house| {
        let market = Market::open(house, "0.50", "3000").await;
        let coins = house.operator.vendor("EURO", "COINS", "1").await;
        market.alice.open(&coins).await;
        market.alice.convert("1000", &market.miles, &market.beans).await.created();
        market.alice.convert("10", &market.beans, &coins).await.created();

        let compared = house.operator.client.get("/v1/schemes/EURO/what-if").await.ok();

        assert_eq!(
            (&compared["gross"], &compared["bilateral"], &compared["conservative"], &compared["net"]),
            (&json!("15.00"), &json!("15.00"), &json!("15.00"), &json!("10.00"))
        );
        let moved: Vec<String> = compared["strategies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| format!("{} {} {} {}", s["strategy"].as_str().unwrap(), s["transfer_count"], s["total"], s["largest_payer"]))
            .collect();
        let expected = [
            r#"gross 2 "15.00" "MILES""#,
            r#"bilateral 2 "15.00" "MILES""#,
            r#"conservative 2 "15.00" "MILES""#,
            r#"direct 2 "10.00" "MILES""#,
            r#"fewest 2 "10.00" "MILES""#,
            r#"hub 3 "20.00" "MILES""#,
        ];
        assert_eq!(moved, expected);
    });
}

#[test]
fn a_transfer_below_the_smallest_is_carried() {
    audit(async |house| {
        let body = json!({"code": "EURO", "currency": "EUR", "strategy": "direct", "min_transfer": "0"});
        assert_eq!(house.operator.client.post("/v1/schemes", body).await.created()["min_transfer"], "0.00");
        house.operator.client.patch("/v1/schemes/EURO", "*", json!({"min_transfer": "1e3"})).await.refused(422, "amount_malformed");
        house.operator.client.patch("/v1/schemes/EURO", "*", json!({"min_transfer": "5"})).await.ok();
        let alice = house.user("alice").await;
        let (miles, beans) = (house.operator.vendor("EURO", "MILES", "1").await, house.operator.vendor("EURO", "BEANS", "1").await);
        miles.endow(&alice, "100").await;
        alice.open(&beans).await;
        alice.convert("4.99", &miles, &beans).await.created();

        let first = house.operator.settle("EURO").await;
        alice.convert("0.01", &miles, &beans).await.created();
        let second = house.operator.settle("EURO").await;

        assert_eq!((&first["transfer_count"], &first["min_transfer"]), (&json!(0), &json!("5.00")));
        assert_eq!((&second["transfer_count"], &second["total"]), (&json!(1), &json!("5.00")));
        let statement = house.operator.file(&second, "statement-BEANS.csv").await.text();
        assert!(statement.contains("opening_carry,,,,,,4.990000,0.000000,EUR"), "{statement}");
    });
}

#[test]
fn an_exported_run_is_voided_by_whoever_has_recalled_what_was_instructed() {
    audit(async |house| {
        let (_market, run) = netted(house).await;
        house.export(&run).await;

        house.operator.step(&run, "void", json!({"reason": "a mistake"})).await.refused(409, "instructions_not_recalled");
        assert_eq!(state(&house.operator, &run).await, "exported");
        let recalled = json!({"reason": "a mistake", "instructions_recalled": true});
        assert_eq!(house.operator.step(&run, "void", recalled).await.ok()["state"], "voided");
    });
}

#[test]
fn a_long_netting_and_those_who_wait_for_it_hold_up_no_other_step() {
    audit(async |house| {
        let (market, run) = netted(house).await;
        // A run that takes its time: its lock is held, as another process would hold it.
        let admin = house.db_admin().await;
        let hold = "BEGIN; SELECT pg_advisory_xact_lock(2, ('x' || right(replace(id::text, '-', ''), 8))::bit(32)::int) FROM schemes";
        admin.batch_execute(hold).await.unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..12 {
            let operator = house.operator.client.clone();
            waiting.spawn(async move { operator.post_keyed("/v1/schemes/EURO/runs", "again", json!({})).await });
        }
        while house.db_count("SELECT count(*) FROM windows WHERE state = 'closed'").await < 2 {}

        house.operator.step(&run, "propose", json!({})).await.ok();
        house.operator.client.get("/v1/schemes/EURO/preview").await.ok();
        market.alice.convert("10", &market.miles, &market.beans).await.created();

        admin.batch_execute("ROLLBACK").await.unwrap();
        for settled in waiting.join_all().await {
            settled.created();
        }
    });
}
