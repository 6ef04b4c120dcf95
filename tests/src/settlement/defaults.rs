//! What a failure to pay would come to, what the house holds for it, and what could settle within that.

use crate::support::{Answer, Debts, FIVE_DEBTS, House, audit};
use ledger::Failure;
use runs::explanations::{ExplanationRefusal, Explanations};
use scrip::SchemeId;
use serde_json::{Value, json};

async fn what_if(house: &House, run: &Value, query: &str) -> Answer {
    house.operator.client.get(&format!("/v1/runs/{}/what-if-default?{query}", run["id"].as_str().unwrap())).await
}

/// `BB -10 -> -70 (60)`: expected, outcome, short.
fn vendors(what_if: &Value) -> Vec<String> {
    let told = |v: &Value| {
        let text = |name: &str| v[name].as_str().unwrap().to_owned();
        format!("{} {} -> {} ({})", text("vendor"), text("expected"), text("outcome"), text("short"))
    };
    what_if["vendors"].as_array().unwrap().iter().map(told).collect()
}

async fn set_collateral(house: &House, vendor: &str, amount: Value) -> Answer {
    put(house, &format!("/v1/schemes/EURO/members/{vendor}/collateral"), json!({"amount": amount})).await
}

async fn put(house: &House, path: &str, body: Value) -> Answer {
    house.operator.client.put(path, Some("*"), body).await
}

#[test]
fn a_failure_is_borne_by_the_rule() {
    audit(async |house| {
        Debts::open(house, "direct", "1", &FIVE_DEBTS).await;
        let run = house.operator.settle("EURO").await;

        let excluded = what_if(house, &run, "vendor=AA&rule=exclude_and_renet").await.ok();
        assert_eq!(vendors(&excluded), ["BB -10.00 -> -70.00 (60.00)", "CC 60.00 -> 20.00 (40.00)", "DD 30.00 -> 50.00 (0.00)"]);
        assert_eq!((&excluded["shortfall"], &excluded["vendor_count"]), (&json!("100.00"), &json!(3)));
        let defaulter = &excluded["defaulters"][0];
        assert_eq!((&defaulter["vendor"], &defaulter["expected"], &defaulter["outcome"]), (&json!("AA"), &json!("-80.00"), &json!("0.00")));

        set_collateral(house, "AA", json!("50.00")).await.ok();
        let shared = what_if(house, &run, "vendor=AA&rule=collateral_then_loss_share").await.ok();
        assert_eq!(vendors(&shared), ["CC 60.00 -> 40.00 (20.00)", "DD 30.00 -> 20.00 (10.00)", "BB -10.00 -> -10.00 (0.00)"]);
        assert_eq!((&shared["defaulters"][0]["collateral"], &shared["defaulters"][0]["outcome"]), (&json!("50.00"), &json!("-50.00")));

        // By the scheme's rule, which is carry_over: AA pays CC 60 and DD 20, and both go on being owed.
        let carried = what_if(house, &run, "vendor=AA").await.ok();
        assert_eq!(carried["rule"], "carry_over");
        assert_eq!(vendors(&carried), ["CC 60.00 -> 0.00 (60.00)", "DD 30.00 -> 10.00 (20.00)", "BB -10.00 -> -10.00 (0.00)"]);

        let both = what_if(house, &run, "vendor=AA,BB&rule=collateral_then_loss_share").await.ok();
        assert_eq!(both["defaulters"].as_array().unwrap().len(), 2);
        // CC would have 33.333333 of the 50, DD the rest: a cent of it cannot be shared.
        let draws = json!([{"payee": "CC", "amount": "33.33"}, {"payee": "DD", "amount": "16.66"}]);
        assert_eq!((&both["shortfall"], &both["defaulters"][0]["draws"]), (&json!("40.01"), &draws));
        assert_eq!(house.db_count("SELECT count(*) FROM transfers").await, 3, "nothing was decided");
    });
}

#[test]
fn a_failure_that_cannot_be_is_refused() {
    audit(async |house| {
        let debts = Debts::open(house, "hub", "1", &FIVE_DEBTS).await;
        house.operator.vendor("EURO", "IDLE", "1").await;
        let run = house.operator.settle("EURO").await;
        let many = (0..33).map(|n| format!("V{n}")).collect::<Vec<_>>().join(",");
        for (query, status, code) in [
            ("vendor=IDLE", 422, "vendor_not_in_run"),
            ("vendor=nobody", 422, "vendor_not_in_run"),
            ("vendor=%00", 422, "vendor_not_in_run"),
            ("vendor=AA,AA&rule=pro_rata", 422, "vendor_named_twice"),
            ("vendor=", 422, "defaulters_out_of_range"),
            (&format!("vendor={many}"), 422, "defaulters_out_of_range"),
            ("vendor=AA&rule=nobody_pays", 422, "failure_rule_unknown"),
            ("vendor=AA&rule=carry_over", 422, "house_is_creditor"),
            ("rule=carry_over", 400, "invalid_query"),
            ("vendor=AA&vendor=BB", 400, "invalid_query"),
            ("vendor=AA&else=1", 400, "invalid_query"),
        ] {
            what_if(house, &run, query).await.refused(status, code);
        }
        what_if(house, &json!({"id": "00000000-0000-7000-8000-000000000000"}), "vendor=AA").await.refused(404, "not_found");
        let path = format!("/v1/runs/{}/what-if-default?vendor=AA", run["id"].as_str().unwrap());
        debts.vendors["AA"].client.get(&path).await.refused(403, "forbidden");
    });
}

#[test]
fn collateral_is_what_the_operator_says_and_stands_with_the_member() {
    audit(async |house| {
        let debts = Debts::open(house, "direct", "1", &FIVE_DEBTS).await;
        let held = set_collateral(house, "BB", json!("50.00")).await.ok();
        assert_eq!((&held["vendor"], &held["collateral"]), (&json!("BB"), &json!("50.000000")));
        set_collateral(house, "AA", json!("0.000001")).await.ok();
        set_collateral(house, "AA", json!("0")).await.ok();

        let first = house.operator.client.get("/v1/schemes/EURO/members?limit=2").await.ok();
        let rest = format!("/v1/schemes/EURO/members?after={}", first["next"].as_str().unwrap());
        let rest = house.operator.client.get(&rest).await.ok();
        let members = first["items"].as_array().unwrap().iter().chain(rest["items"].as_array().unwrap());
        let members: Vec<_> = members.map(|m| (m["vendor"].as_str().unwrap(), m["collateral"].as_str().unwrap())).collect();
        assert_eq!(members, [("AA", "0.000000"), ("BB", "50.000000"), ("CC", "0.000000"), ("DD", "0.000000")]);
        assert!(rest["next"].is_null() && first["items"][0]["joined_at"].is_string());
        let path = "/v1/schemes/EURO/members/BB/collateral";
        let read = (first["items"][1]["version"]).to_string();
        house.operator.client.put(path, None, json!({"amount": "1"})).await.refused(428, "if_match_required");
        let changed = house.operator.client.put(path, Some(&format!("\"{read}\"")), json!({"amount": "50"})).await;
        assert_eq!(changed.header("etag"), format!("\"{}\"", changed.json()["version"]));
        let late = house.operator.client.put(path, Some(&format!("\"{read}\"")), json!({"amount": "60"})).await;
        let late = late.refused(412, "version_mismatch");
        assert!(late["version"] == changed.json()["version"] && late["detail"].as_str().unwrap().contains("collateral"), "{late}");

        for (amount, status, code) in [
            (json!("-1"), 422, "amount_malformed"),
            (json!("0.0000001"), 422, "amount_too_many_decimals"),
            (json!("99999999999999"), 422, "amount_too_large"),
            (json!("4611686018427.387904"), 422, "amount_too_large"),
            (json!(50), 400, "invalid_body"),
        ] {
            set_collateral(house, "BB", amount).await.refused(status, code);
        }
        for stranger in ["NOBODY", "nobody", "%00"] {
            set_collateral(house, stranger, json!("1")).await.refused(404, "not_member");
        }
        house.operator.scheme("OTHER").await;
        let elsewhere = put(house, "/v1/schemes/OTHER/members/AA/collateral", json!({"amount": "1"})).await;
        elsewhere.refused(404, "not_member");
        let nowhere = put(house, "/v1/schemes/NOBODY/members/AA/collateral", json!({"amount": "1"})).await;
        nowhere.refused(404, "scheme_not_found");
        debts.vendors["BB"].client.get("/v1/schemes/EURO/members").await.refused(403, "forbidden");
        assert_eq!(house.db_count("SELECT sum(collateral_micro)::bigint FROM scheme_members").await, 50_000_000);
    });
}

/// `AA 50.00 -> 0.00: 1 of 60.00, 1 of 40.00 waits`: collateral, what is left, what settles, what waits.
fn queues(gridlock: &Value) -> Vec<String> {
    let tally = |tally: &Value| format!("{} of {}", tally["count"], tally["amount"].as_str().unwrap());
    let told = |v: &Value| {
        let text = |name: &str| v[name].as_str().unwrap();
        let (settles, waits) = (tally(&v["settles"]), tally(&v["waits"]));
        format!("{} {} -> {}: {settles}, {waits} waits", text("vendor"), text("collateral"), text("after"))
    };
    gridlock["vendors"].as_array().unwrap().iter().map(told).collect()
}

#[test]
fn what_nobody_could_pay_alone_settles_together_within_collateral() {
    audit(async |house| {
        let debts = Debts::open(house, "direct", "1", &FIVE_DEBTS).await;
        let gridlock = async || house.operator.client.get("/v1/schemes/EURO/gridlock").await.ok();

        // AA would have to pay 60 first and is paid 20 at most; so it pays nothing, nor does whoever waits for that.
        let without = gridlock().await;
        assert_eq!((&without["windows"], &without["vendor_count"]), (&json!([1]), &json!(4)));
        assert_eq!(without["settles"], json!({"count": 0, "amount": "0.00"}));
        assert_eq!(without["waits"], json!({"count": 5, "amount": "240.00"}));

        // With 40 it pays BB; BB pays CC with 10 of its own, CC pays DD, and DD pays AA. The 40 that AA owes CC still wait.
        set_collateral(house, "AA", json!("40")).await.ok();
        set_collateral(house, "BB", json!("10")).await.ok();
        let within = gridlock().await;
        assert_eq!((&within["settles"]["amount"], &within["waits"]), (&json!("200.00"), &json!({"count": 1, "amount": "40.00"})));
        assert_eq!(
            queues(&within),
            [
                "AA 40.00 -> 0.00: 1 of 60.00, 1 of 40.00 waits",
                "BB 10.00 -> 0.00: 1 of 70.00, 0 of 0.00 waits",
                "CC 0.00 -> 20.00: 1 of 50.00, 0 of 0.00 waits",
                "DD 0.00 -> 30.00: 1 of 20.00, 0 of 0.00 waits",
            ]
        );

        house.operator.settle("EURO").await;
        assert_eq!(gridlock().await["waits"]["count"], 0, "a run settles them");
        house.operator.client.get("/v1/schemes/NOBODY/gridlock").await.refused(404, "scheme_not_found");
        debts.vendors["AA"].client.get("/v1/schemes/EURO/gridlock").await.refused(403, "forbidden");
    });
}

#[test]
fn a_queue_that_is_too_long_is_refused() {
    audit(async |house| {
        Debts::open(house, "direct", "1", &FIVE_DEBTS).await;
        let scheme = SchemeId::new(house.db_admin().await.query_one("SELECT id FROM schemes", &[]).await.unwrap().get(0));
        let few = Explanations::new(&house.db, 1, 4);
        let refused = few.resolve_queue(scheme).await.expect_err("there are five");
        let expected = ExplanationRefusal::TooManyObligations { count: 5, max: 4 };
        assert!(matches!(&refused, Failure::Refused(refusal) if *refusal == expected), "{refused:?}");
    });
}
