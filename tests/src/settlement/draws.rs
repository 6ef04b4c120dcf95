//! What is paid out of the collateral of a vendor that does not pay: as it was said before, with a name for the bank, and put right where it was
//! mistyped.

use super::failures::{declare, defaults, exported, exported_at, fail, prove_bundle, put};
use crate::support::{House, audit};
use serde_json::{Value, json};

/// A run in which AA and BB have defaulted, of whose two draws one is paid and twice put right.
pub(super) async fn defaulted_run(house: &House) -> Value {
    let (_debts, run) = exported(house, "collateral_then_loss_share", "50").await;
    for number in 1..=3 {
        fail(house, &run, number).await;
    }
    for vendor in ["AA", "BB"] {
        declare(house, &run, vendor).await.ok();
    }
    let draw = format!("{}/AA/draws/CC", defaults(&run));
    put(house, &draw, json!({"bank_reference": "B17", "booked_on": house.day(0)})).await.ok();
    for day in [-1, -2] {
        put(house, &draw, json!({"bank_reference": "B71", "booked_on": house.day(day), "reason": "mistyped, as it was"})).await.ok();
    }
    run
}

#[test]
fn what_is_said_before_a_failure_is_what_comes_of_it() {
    for (rule, draws) in [("collateral_then_loss_share", "CC 8.80, DD 0.69"), ("pro_rata", "CC 2.07, DD 7.42")] {
        audit(async |house| {
            // A millionth less than 9.50 is held, of which CC would have 8.806666 and DD the rest.
            let (_debts, run) = exported_at(house, "direct", rule, "9.499999", "0.371").await;
            let path = format!("/v1/runs/{}/what-if-default?vendor=AA", run["id"].as_str().unwrap());
            let before = house.operator.client.get(&path).await.ok();
            fail(house, &run, 1).await;
            fail(house, &run, 2).await;

            let after = declare(house, &run, "AA").await.ok();

            let defaulter = &before["defaulters"][0];
            let of_draws = |list: &Value| {
                let told = |draw: &Value| format!("{} {}", draw["payee"].as_str().unwrap(), draw["amount"].as_str().unwrap());
                list.as_array().unwrap().iter().map(told).collect::<Vec<_>>().join(", ")
            };
            assert_eq!((of_draws(&defaulter["draws"]), of_draws(&after["draws"])), (draws.to_owned(), draws.to_owned()), "{rule}");
            for vendor in before["vendors"].as_array().unwrap() {
                let debts = after["debts"].as_array().unwrap();
                let owed = debts.iter().find(|debt| debt["debtor"] == "AA" && debt["creditor"] == vendor["vendor"]);
                let owed = owed.map_or("0.00", |debt| debt["amount"].as_str().unwrap());
                assert_eq!(vendor["short"], owed, "{rule}: {before} {after}");
            }
        });
    }
}

#[test]
fn what_is_paid_out_of_collateral_is_said_to_be_paid() {
    audit(async |house| {
        let (debts, run) = exported(house, "collateral_then_loss_share", "50").await;
        let bank = json!({"account_holder": "=Coffee Ltd", "iban": "DE89370400440532013000"});
        debts.vendors["CC"].client.patch("/v1/vendor", "*", json!({"payout": bank})).await.ok();
        fail(house, &run, 1).await;
        fail(house, &run, 2).await;
        let declared = declare(house, &run, "AA").await.ok();
        let [to_cc, to_dd] = [&declared["draws"][0], &declared["draws"][1]];
        let reference = to_cc["reference"].as_str().unwrap().to_owned();
        assert!(reference.starts_with("SH-") && reference.ends_with("-D1") && to_dd["reference"] == reference.replace("-D1", "-D2"));
        let own = debts.vendors["CC"].client.get(&defaults(&run)).await.ok();
        let mut seen = to_cc.clone();
        seen["corrections"] = Value::Null;
        assert_eq!(own["items"][0]["draws"], json!([seen]), "it is to be paid to its own account");
        assert!(debts.vendors["AA"].client.get(&defaults(&run)).await.ok()["items"][0]["draws"][0]["account"].is_null());
        assert_eq!((&to_cc["account"]["iban"], &to_dd["account"]), (&json!("DE89370400440532013000"), &Value::Null));
        let csv = |rest: &str| {
            let head = "vendor,payee,amount,currency,reference,account_holder,iban,bic,paid_at,bank_reference,booked_on";
            let dd = format!("AA,DD,10.00,EUR,{},,,,,,", reference.replace("-D1", "-D2"));
            format!("{head}\r\nAA,CC,40.00,EUR,{reference},{rest}\r\n{dd}\r\n")
        };
        assert_eq!(house.operator.client.get_csv(&defaults(&run)).await.text(), csv("'=Coffee Ltd,DE89370400440532013000,,,,"));

        let draw = |payee: &str| format!("{}/AA/draws/{payee}", defaults(&run));
        let today = house.day(0);
        let paid = json!({"bank_reference": "B17", "booked_on": today});
        for (body, code) in [
            (json!({"bank_reference": "x".repeat(36)}), "bank_reference_malformed"),
            (json!({"booked_on": "yesterday"}), "booked_on_malformed"),
            (json!({"booked_on": house.day(2)}), "booked_on_in_future"),
        ] {
            put(house, &draw("CC"), body).await.refused(422, code);
        }
        put(house, &draw("BB"), paid.clone()).await.refused(404, "draw_not_found");
        let nowhere = "/v1/runs/00000000-0000-7000-8000-000000000000/defaults/AA/draws/CC";
        put(house, nowhere, paid.clone()).await.refused(404, "not_found");
        put(house, &draw("%00"), paid.clone()).await.refused(404, "draw_not_found");
        debts.vendors["CC"].client.put(&draw("CC"), None, paid.clone()).await.refused(403, "forbidden");
        let to_cc = draw("CC");
        let (one, two) = tokio::join!(put(house, &to_cc, paid.clone()), put(house, &to_cc, paid));
        let told = one.ok();
        assert_eq!(two.ok(), told);
        let refused = put(house, &draw("CC"), json!({"bank_reference": "B18"})).await.refused(409, "draw_paid");
        assert!(refused["detail"].as_str().unwrap().contains("give a reason"), "{refused}");

        let at = told["draws"][0]["paid_at"].as_str().unwrap();
        assert_eq!((&told["draws"][0]["bank_reference"], &told["draws"][1]["paid_at"]), (&json!("B17"), &Value::Null));
        assert_eq!(house.operator.client.get_csv(&defaults(&run)).await.text(), csv(&format!(",,,{at},B17,{today}")));
        let mut seen = told["draws"][0].clone();
        assert_eq!(seen["corrections"].take(), json!([]), "it was said once");
        for vendor in ["CC", "AA"] {
            assert_eq!(debts.vendors[vendor].client.get(&defaults(&run)).await.ok()["items"][0]["draws"][0], seen, "{vendor}");
        }
        assert!(seen["account"].is_null(), "where it is paid now says nothing of where it was");
    });
}

#[test]
fn what_was_said_of_a_paid_draw_is_put_right_and_kept() {
    audit(async |house| {
        let (debts, run) = exported(house, "collateral_then_loss_share", "50").await;
        fail(house, &run, 1).await;
        fail(house, &run, 2).await;
        let declared = declare(house, &run, "AA").await.ok();
        let draw = format!("{}/AA/draws/CC", defaults(&run));
        let (yesterday, today) = (house.day(-1), house.day(0));
        let right = json!({"bank_reference": "B71", "booked_on": yesterday, "reason": "two digits were swapped"});
        put(house, &draw, right.clone()).await.refused(409, "draw_not_paid");
        let paid = put(house, &draw, json!({"bank_reference": "B17", "booked_on": today})).await.ok();
        for (body, code) in [
            (json!({"reason": ""}), "reason_malformed"),
            (json!({"reason": "x".repeat(501)}), "reason_malformed"),
            (json!({"booked_on": house.day(2), "reason": "tomorrow, then"}), "booked_on_in_future"),
        ] {
            put(house, &draw, body).await.refused(422, code);
        }

        let (one, two) = tokio::join!(put(house, &draw, right.clone()), put(house, &draw, right));
        let told = one.ok();
        let last = put(house, &draw, json!({"bank_reference": "B71", "reason": "the bank has not booked it yet"})).await.ok();

        assert_eq!(two.ok(), told, "it is put right once");
        let corrected = &told["draws"][0];
        assert_eq!((&corrected["bank_reference"], &corrected["booked_on"]), (&json!("B71"), &json!(yesterday)));
        assert_eq!(corrected["paid_at"], paid["draws"][0]["paid_at"], "that it is paid was said before");
        let mut corrections = last["draws"][0]["corrections"].clone();
        for correction in corrections.as_array_mut().unwrap() {
            let [by, at] = ["corrected_by", "corrected_at"].map(|name| correction.as_object_mut().unwrap().remove(name).unwrap());
            assert!(by.as_str().unwrap().starts_with("operator:") && at.is_string(), "{by} {at}");
        }
        let said = |reference: &str, day: Option<&str>| json!({"bank_reference": reference, "booked_on": day});
        let (first, second, third) = (said("B17", Some(&today)), said("B71", Some(&yesterday)), said("B71", None));
        assert_eq!(
            corrections,
            json!([
                {"before": first, "after": second, "reason": "two digits were swapped"},
                {"before": second, "after": third, "reason": "the bank has not booked it yet"},
            ])
        );
        let reference = declared["draws"][0]["reference"].as_str().unwrap();
        let line = format!("AA,CC,40.00,EUR,{reference},,,,{},B71,\r\n", corrected["paid_at"].as_str().unwrap());
        let csv = house.operator.client.get_csv(&defaults(&run)).await.text();
        assert!(csv.contains(&line), "{csv}");
        let own = debts.vendors["CC"].client.get(&defaults(&run)).await.ok()["items"][0]["draws"][0].clone();
        assert_eq!((&own["bank_reference"], &own["corrections"]), (&json!("B71"), &Value::Null), "who put it right is the operator's");
        assert_eq!(house.db_count("SELECT count(*) FROM draw_corrections").await, 2);
        prove_bundle(house, &run).await;
    });
}
