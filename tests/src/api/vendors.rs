//! Onboarding, and a vendor's own things.

use crate::support::audit;
use serde_json::json;

#[test]
fn a_vendor_is_onboarded_with_its_first_key_shown_once() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let body = json!({"code": "MILES", "name": "Air Miles", "scale": 2, "unit_value": "0.01", "scheme": "EURO"});
        let made = house.operator.client.post("/v1/vendors", body.clone()).await.created();
        assert!(made["api_key"].as_str().unwrap().starts_with("sk_"));
        assert_eq!((&made["vendor"]["code"], &made["vendor"]["unit_value"]), (&json!("MILES"), &json!("0.01")));
        let public = house.operator.client.get("/v1/vendors/MILES").await;
        assert!(!public.text().contains("sk_"));
        house.operator.client.post("/v1/vendors", body).await.refused(409, "vendor_code_taken");
    });
}

#[test]
fn a_vendor_that_cannot_be_is_refused_and_leaves_nothing() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let good = json!({"code": "MILES", "name": "Air Miles", "scale": 2, "unit_value": "0.01", "scheme": "EURO"});
        let rows = [
            (json!({"code": "miles"}), 422, "code_malformed"),
            (json!({"code": "HOUSE"}), 422, "code_malformed"),
            (json!({"name": ""}), 422, "name_malformed"),
            (json!({"name": "two\nlines"}), 422, "name_malformed"),
            (json!({"scale": 7}), 422, "scale_out_of_range"),
            (json!({"scale": -1}), 422, "scale_out_of_range"),
            (json!({"scheme": "NOBODY"}), 422, "scheme_not_found"),
            (json!({"unit_value": "0.00000001"}), 422, "amount_too_many_decimals"),
            (json!({"unit_value": "0.000001"}), 422, "unit_value_not_whole"),
            (json!({"unit_value": "1e3"}), 422, "amount_malformed"),
            (json!({"unit_value": 0.01}), 400, "invalid_body"),
            (json!({"payout": {"account_holder": "A", "iban": "DE00370400440532013000"}}), 422, "iban_invalid"),
            (json!({"payout": {"account_holder": "A", "iban": "DE89370400440532013000", "bic": "x"}}), 422, "bic_invalid"),
        ];
        for (change, status, code) in rows {
            let mut body = good.clone();
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
            house.operator.client.post("/v1/vendors", body).await.refused(status, code);
        }
        assert_eq!(house.db_count("SELECT count(*) FROM vendors").await, 0);
        house.operator.client.post("/v1/vendors", good).await.created();
    });
}

#[test]
fn a_vendor_changes_its_own_things_and_loses_no_update() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let version = miles.client.get("/v1/vendor").await.header("etag").to_owned();

        let changed = miles.client.patch("/v1/vendor", &version, json!({"name": "Miles & More", "switches": {"spend": false}})).await;

        let newer = changed.header("etag").to_owned();
        let view = changed.ok();
        assert_eq!(
            (&view["name"], &view["switches"]["spend"], &view["switches"]["issue"]),
            (&json!("Miles & More"), &json!(false), &json!(true))
        );
        assert_ne!(newer, version);
        miles.client.patch("/v1/vendor", &version, json!({"name": "Late"})).await.refused(412, "version_mismatch");
        let unversioned = miles.client.request(reqwest::Method::PATCH, "/v1/vendor").json(&json!({"name": "Late"}));
        crate::support::Answer::of(unversioned).await.refused(428, "if_match_required");
        assert_eq!(miles.client.get("/v1/vendor").await.ok()["name"], "Miles & More");
    });
}

#[test]
fn vendors_are_listed_in_pages() {
    audit(async |house| {
        for code in ["AA", "BB", "CC", "DD", "EE"] {
            house.operator.vendor_with(json!({"code": code, "name": code, "scale": 0})).await;
        }
        let client = &house.operator.client;
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = client.get(&format!("/v1/vendors?limit=2{after}")).await.ok();
            seen.extend(page["items"].as_array().unwrap().iter().map(|v| v["code"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(seen, ["AA", "BB", "CC", "DD", "EE"]);
    });
}

#[test]
fn a_scheme_is_created_with_members_and_a_vendor_settles_in_one() {
    audit(async |house| {
        let client = &house.operator.client;
        for code in ["AA", "BB", "CC"] {
            house.operator.vendor_with(json!({"code": code, "name": code, "scale": 0})).await;
        }
        let body = json!({"code": "EURO", "currency": "EUR", "strategy": "direct", "members": ["AA", "BB"]});
        let scheme = client.post("/v1/schemes", body.clone()).await.created();
        assert_eq!((&scheme["members"], &scheme["digits"], &scheme["window"]["number"]), (&json!(["AA", "BB"]), &json!(2), &json!(1)));
        client.post("/v1/schemes", body).await.refused(409, "scheme_code_taken");
        client.post("/v1/schemes/EURO/members", json!({"vendor": "CC"})).await.created();
        client.post("/v1/schemes", json!({"code": "OTHER", "currency": "EUR", "strategy": "direct"})).await.created();
        client.post("/v1/schemes/OTHER/members", json!({"vendor": "CC"})).await.refused(409, "already_member");
        for (change, code) in [
            (json!({"strategy": "magic"}), "strategy_unknown"),
            (json!({"currency": "euro"}), "currency_malformed"),
            (json!({"digits": 7}), "digits_out_of_range"),
            (json!({"code": "x"}), "code_malformed"),
            (json!({"members": ["NOBODY"]}), "vendor_not_found"),
        ] {
            let mut body = json!({"code": "NEW", "currency": "EUR", "strategy": "direct"});
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
            client.post("/v1/schemes", body).await.refused(422, code);
        }
        client.get("/v1/schemes/NEW").await.refused(404, "scheme_not_found");
    });
}
