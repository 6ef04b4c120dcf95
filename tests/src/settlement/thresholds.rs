//! Schemes that settle because somebody owes much: off their schedules, and once a window.

use crate::support::{Market, audit};
use serde_json::json;

#[test]
fn a_window_is_settled_once_when_a_vendor_owes_more_than_the_threshold() {
    audit(async |house| {
        let Market { miles, beans, alice } = Market::open(house, "0.01", "1000").await;
        let changed = house.operator.client.patch("/v1/schemes/EURO", "*", json!({"settle_threshold": "1.00"})).await.ok();
        assert_eq!(changed["settle_threshold"], "1.000000");
        let second = house.second_app(&crate::support::defaults()).await;

        // Exactly the threshold is not more than it, and what comes back counts.
        alice.convert("100", &miles, &beans).await.created();
        assert!(house.app.runs.settle_above_thresholds().await.unwrap().is_empty());
        alice.convert("50", &beans, &miles).await.created();
        alice.convert("50", &miles, &beans).await.created();
        assert!(house.app.runs.settle_above_thresholds().await.unwrap().is_empty());
        alice.convert("0.01", &miles, &beans).await.created();
        let (one, two) = tokio::join!(house.app.runs.settle_above_thresholds(), second.runs.settle_above_thresholds());

        assert_eq!(one.unwrap().len() + two.unwrap().len(), 1);
        assert!(house.app.runs.settle_above_thresholds().await.unwrap().is_empty(), "nothing is owed any more");
        let runs = house.operator.client.get("/v1/schemes/EURO/runs").await.ok();
        let slots: Vec<_> = runs["items"].as_array().unwrap().iter().map(|run| run["slot"].as_str().unwrap()).collect();
        assert_eq!(slots, ["threshold:1"]);

        house.operator.client.patch("/v1/schemes/EURO", "*", json!({"settle_threshold": null})).await.ok();
        alice.convert("500", &miles, &beans).await.created();
        assert!(house.app.runs.settle_above_thresholds().await.unwrap().is_empty());
    });
}

#[test]
fn what_could_not_be_settled_is_no_cause_to_settle_again() {
    audit(async |house| {
        let Market { miles, beans, alice } = Market::open(house, "0.01", "100000").await;
        house.operator.client.patch("/v1/schemes/EURO", "*", json!({"settle_threshold": "1.00", "min_transfer": "1000"})).await.ok();
        for excluded in [false, true] {
            if excluded {
                let exclusion = json!({"reason": "does not pay"});
                assert_eq!(house.operator.client.put("/v1/schemes/EURO/exclusions/MILES", None, exclusion).await.status, 204);
            }
            alice.convert("500", &miles, &beans).await.created();
            assert_eq!(house.app.runs.settle_above_thresholds().await.unwrap().len(), 1);
            assert!(house.app.runs.settle_above_thresholds().await.unwrap().is_empty(), "all of it is carried");
        }
    });
}

#[test]
fn a_threshold_is_at_least_the_smallest_payment() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        house.operator.scheme_with("WHOLE", "direct", 0).await;
        let client = &house.operator.client;
        for (scheme, threshold, status, code) in [
            ("EURO", json!("0.009999"), 422, "threshold_too_small"),
            ("WHOLE", json!("0.999999"), 422, "threshold_too_small"),
            ("EURO", json!("0"), 422, "amount_zero"),
            ("EURO", json!("1e3"), 422, "amount_malformed"),
            ("EURO", json!(1), 400, "invalid_body"),
            ("NOBODY", json!("1"), 404, "scheme_not_found"),
        ] {
            client.patch(&format!("/v1/schemes/{scheme}"), "*", json!({"settle_threshold": threshold})).await.refused(status, code);
        }
        client.patch("/v1/schemes/EURO", "*", json!({"settle_threshold": "0.01"})).await.ok();
        let body = |threshold: &str| json!({"code": "NEW", "currency": "EUR", "strategy": "direct", "settle_threshold": threshold});
        client.post("/v1/schemes", body("0.001")).await.refused(422, "threshold_too_small");
        assert_eq!(client.post("/v1/schemes", body("25")).await.created()["settle_threshold"], "25.000000");
    });
}
