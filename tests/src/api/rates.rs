//! Rates: unit values cross by default; the destination vendor may set a pair's rate, margin, or close it.

use crate::support::{Client, House, Market, User, audit};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Alice has 1000 MILES; two of them are worth one of the BEANS.
async fn market(house: &House) -> Market {
    Market::open(house, "0.02", "1000").await
}

async fn received(m: &Market, send: &str) -> (Value, Value) {
    let swap = m.alice.convert(send, &m.miles, &m.beans).await.created();
    (swap["receive"].clone(), swap["value"].clone())
}

#[test]
fn the_destination_vendor_sets_margin_rate_and_close() {
    audit(async |house| {
        let m = market(house).await;
        assert_eq!(received(&m, "100").await, (json!("50.00"), json!("1.000000")));

        m.beans.client.post("/v1/vendor/rates", json!({"from": "MILES", "kind": "cross", "margin_bps": 1000})).await.created();
        assert_eq!(received(&m, "100").await, (json!("45.00"), json!("1.000000")), "compensated in full");

        m.beans.client.post("/v1/vendor/rates", json!({"from": "MILES", "kind": "fixed", "send": "100", "receive": "30"})).await.created();
        assert_eq!(received(&m, "100").await, (json!("30.00"), json!("1.000000")));
        let rate = m.alice.client.get("/v1/rates?from=MILES&to=BEANS").await.ok();
        assert_eq!((&rate["rate"], &rate["kind"]), (&json!("0.3"), &json!("fixed")));

        m.beans.client.post("/v1/vendor/rates", json!({"from": "MILES", "kind": "closed"})).await.created();
        m.alice.convert("100", &m.miles, &m.beans).await.refused(422, "no_rate");
        m.alice.client.get("/v1/rates?from=MILES&to=BEANS").await.refused(422, "no_rate");
        let rates = m.beans.client.get("/v1/vendor/rates").await.ok();
        assert_eq!(rates["items"].as_array().unwrap().len(), 3, "superseded, never edited");
    });
}

#[test]
fn a_rate_or_unit_value_begins_when_it_says_and_never_in_the_past() {
    audit(async |house| {
        let m = market(house).await;
        let tomorrow = house.clock.now().checked_add(SignedDuration::from_hours(24)).unwrap().to_string();
        let yesterday = house.clock.now().checked_sub(SignedDuration::from_hours(24)).unwrap().to_string();
        m.beans.client.post("/v1/vendor/rates", json!({"from": "MILES", "kind": "closed", "starts_at": tomorrow})).await.created();
        m.beans.client.post("/v1/vendor/unit-values", json!({"unit_value": "5", "starts_at": tomorrow})).await.created();
        assert_eq!(received(&m, "100").await.0, "50.00", "not yet in force");

        let late = m.beans.client.post("/v1/vendor/rates", json!({"from": "MILES", "kind": "closed", "starts_at": yesterday})).await;
        late.refused(422, "starts_in_the_past");
        let late = m.beans.client.post("/v1/vendor/unit-values", json!({"unit_value": "5", "starts_at": yesterday})).await;
        late.refused(422, "starts_in_the_past");
        let again = m.beans.client.post("/v1/vendor/rates", json!({"from": "MILES", "kind": "closed", "starts_at": tomorrow})).await;
        again.refused(409, "starts_at_taken");

        m.beans.client.post("/v1/vendor/unit-values", json!({"unit_value": "0.05"})).await.created();
        assert_eq!(received(&m, "100").await.0, "20.00", "in force at once");
    });
}

#[test]
fn terms_changed_through_one_server_hold_in_another_at_once() {
    audit(async |house| {
        let m = market(house).await;
        let elsewhere = Client::new(&house.second_server().await);
        let alice = User { client: elsewhere.with(&m.alice.session), ..m.alice.clone() };
        let received = async || alice.convert("100", &m.miles, &m.beans).await.created()["receive"].clone();
        // Both servers have met the pair, and remember its terms.
        m.alice.convert("100", &m.miles, &m.beans).await.created();
        assert_eq!(received().await, "50.00");

        m.beans.client.post("/v1/vendor/rates", json!({"from": "MILES", "kind": "cross", "margin_bps": 1000})).await.created();
        assert_eq!(received().await, "45.00");
        m.beans.client.post("/v1/vendor/unit-values", json!({"unit_value": "0.05"})).await.created();
        assert_eq!(received().await, "18.00");
        m.miles.switch("convert_out", false).await;
        alice.convert("100", &m.miles, &m.beans).await.refused(422, "switched_off");
        m.miles.switch("convert_out", true).await;
        assert_eq!(received().await, "18.00");

        // A vendor that both know without a scheme joins one.
        let late = json!({"code": "LATE", "name": "Late", "scale": 2, "unit_value": "0.01"});
        let late = house.operator.vendor_with(late).await;
        alice.open(&late).await;
        alice.convert("1", &m.miles, &late).await.refused(422, "no_common_scheme");
        house.operator.client.post("/v1/schemes/EURO/members", json!({"vendor": "LATE"})).await;
        assert_eq!(alice.convert("1", &m.miles, &late).await.created()["receive"], "1.00");

        house.operator.suspend("BEANS").await;
        alice.convert("100", &m.miles, &m.beans).await.refused(422, "vendor_suspended");
    });
}

#[test]
fn terms_change_while_swaps_are_made_through_two_servers() {
    audit(async |house| {
        let m = market(house).await;
        let elsewhere = Client::new(&house.second_server().await);
        let alice = User { client: elsewhere.with(&m.alice.session), ..m.alice.clone() };
        let change = async || {
            for percent in 0..20 {
                let rate = json!({"from": "MILES", "kind": "cross", "margin_bps": percent * 100});
                m.beans.client.post("/v1/vendor/rates", rate).await.created();
                m.beans.client.post("/v1/vendor/unit-values", json!({"unit_value": "0.02"})).await.created();
                m.miles.switch("issue", percent % 2 == 0).await;
            }
        };
        let swap = async |alice: &User| {
            for _ in 0..40 {
                alice.convert("10", &m.miles, &m.beans).await.created();
            }
        };

        tokio::join!(change(), swap(&m.alice), swap(&alice));

        for alice in [&m.alice, &alice] {
            let last = alice.convert("100", &m.miles, &m.beans).await.created();
            assert_eq!(last["receive"], "40.50", "the last margin is 19 percent");
        }
    });
}

#[test]
fn a_rate_that_cannot_be_is_refused() {
    audit(async |house| {
        let m = market(house).await;
        for (body, status, code) in [
            (json!({"from": "BEANS", "kind": "cross"}), 422, "same_vendor"),
            (json!({"from": "NOBODY", "kind": "cross"}), 422, "vendor_not_found"),
            (json!({"from": "MILES", "kind": "cross", "margin_bps": 10000}), 422, "margin_out_of_range"),
            (json!({"from": "MILES", "kind": "cross", "margin_bps": -1}), 422, "margin_out_of_range"),
            (json!({"from": "MILES", "kind": "fixed", "send": "1"}), 422, "fixed_rate_incomplete"),
            (json!({"from": "MILES", "kind": "fixed", "send": "1", "receive": "0"}), 422, "amount_zero"),
            (json!({"from": "MILES", "kind": "cross", "send": "1", "receive": "1"}), 422, "fixed_rate_only"),
            (json!({"from": "MILES", "kind": "best"}), 400, "invalid_body"),
        ] {
            m.beans.client.post("/v1/vendor/rates", body).await.refused(status, code);
        }
        assert_eq!(received(&m, "100").await.0, "50.00");
    });
}

#[test]
fn a_margin_earns_the_destination_vendor_what_the_user_loses_and_no_round_trip_gains() {
    audit(async |house| {
        let m = market(house).await;
        m.beans.client.post("/v1/vendor/rates", json!({"from": "MILES", "kind": "cross", "margin_bps": 37})).await.created();
        for amount in ["0.03", "1", "7.77", "99.99", "123.45"] {
            let there = m.alice.convert(amount, &m.miles, &m.beans).await.created();
            let back = m.alice.convert(there["receive"].as_str().unwrap(), &m.beans, &m.miles).await;
            if back.status == 201 {
                let cents = |value: &Value| value.as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
                assert!(cents(&back.json()["receive"]) <= cents(&there["send"]), "{amount}");
            }
        }
    });
}
