//! Claim 1: tokens are issued, exchanged for another vendor's, and the first vendor compensates the second.

use crate::support::audit;
use serde_json::json;

#[test]
fn a_user_opens_an_account_with_a_vendor_1a() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let alice = house.user("alice").await;

        let account = alice.open(&miles).await;

        assert_eq!((&account["vendor"], &account["balance"], &account["held"]), (&json!("MILES"), &json!("0.00"), &json!("0.00")));
        assert_eq!(alice.account(&miles).await, account);
        assert!(alice.entries(&miles).await.is_empty());
        alice.client.post("/v1/accounts", json!({"vendor": "MILES"})).await.refused(409, "account_already_open");
    });
}

#[test]
fn a_vendor_issues_tokens_to_a_user_1b() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let alice = house.user("alice").await;
        alice.open(&miles).await;

        let issue = miles.issue(&alice, "100.5").await.created();

        assert_eq!((&issue["amount"], &issue["balance_after"], &issue["vendor"]), (&json!("100.50"), &json!("100.50"), &json!("MILES")));
        assert_eq!(alice.balance(&miles).await, "100.50");
        let entries = alice.entries(&miles).await;
        let entry = &entries[0];
        assert_eq!((&entry["seq"], &entry["kind"], &entry["contra"]), (&json!(1), &json!("issue"), &json!("issuance")));
        assert_eq!((&entry["amount"], &entry["balance_after"], &entry["operation"]), (&json!("100.50"), &json!("100.50"), &issue["id"]));
        assert_eq!(miles.supply().await, json!({"issued": "100.50", "retired": "0.00", "outstanding": "100.50"}));
        let holdings = miles.client.get("/v1/vendor/accounts").await.ok();
        assert_eq!(holdings["items"][0]["balance"], "100.50");
    });
}

#[test]
fn a_user_exchanges_one_vendors_tokens_for_anothers_1f() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let beans = house.operator.vendor("EURO", "BEANS", "0.03").await;
        let alice = house.user("alice").await;
        miles.endow(&alice, "100").await;
        alice.open(&beans).await;

        let swap = alice.convert("100", &miles, &beans).await.created();

        // A bean is worth three miles: 33.33 beans cost 99.99 miles, and the hundredth that is not used stays.
        assert_eq!((&swap["kind"], &swap["send"], &swap["receive"]), (&json!("convert"), &json!("99.99"), &json!("33.33")));
        assert_eq!((&swap["value"], &swap["to_vendor"]), (&json!("0.999900"), &json!("0.999900")));
        assert_eq!((alice.balance(&miles).await.as_str(), alice.balance(&beans).await.as_str()), ("0.01", "33.33"));
        assert_eq!(miles.supply().await["retired"], "99.99");
        assert_eq!(beans.supply().await["issued"], "33.33");
        let id = swap["id"].as_str().unwrap();
        assert_eq!(alice.client.get(&format!("/v1/swaps/{id}")).await.ok(), swap);
        assert_eq!(alice.client.get("/v1/swaps").await.ok()["items"], json!([swap]));
    });
}

#[test]
fn a_user_sends_tokens_that_another_user_receives_as_another_vendors() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.02").await;
        let beans = house.operator.vendor("EURO", "BEANS", "0.03").await;
        let (alice, bob) = (house.user("alice").await, house.user("bob").await);
        miles.endow(&alice, "20").await;
        bob.open(&beans).await;

        let swap = alice.send(&bob, "10", &miles, &beans).await.created();

        assert_eq!((&swap["kind"], &swap["send"], &swap["receive"]), (&json!("send"), &json!("15.00"), &json!("10.00")));
        assert_eq!((alice.balance(&miles).await.as_str(), bob.balance(&beans).await.as_str()), ("5.00", "10.00"));
        let id = swap["id"].as_str().unwrap();
        assert_eq!(bob.client.get(&format!("/v1/swaps/{id}")).await.ok(), swap, "the payee sees it too");
        let carol = house.user("carol").await;
        carol.client.get(&format!("/v1/swaps/{id}")).await.refused(404, "not_found");
    });
}

#[test]
fn the_first_vendor_compensates_the_second_1h() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let beans = house.operator.vendor("EURO", "BEANS", "0.05").await;
        let alice = house.user("alice").await;
        miles.endow(&alice, "1000").await;
        beans.endow(&alice, "100").await;
        alice.convert("1000", &miles, &beans).await.created();
        alice.convert("40", &beans, &miles).await.created();

        let run = house.operator.settle("EURO").await;

        // 1000 miles are worth 10.00, 40 beans 2.00: after netting, MILES owes BEANS 8.00.
        assert_eq!((&run["gross"], &run["net"], &run["transfer_count"]), (&json!("12.00"), &json!("8.00"), &json!(1)));
        let transfers = house.operator.client.get(&format!("/v1/runs/{}/transfers", run["id"].as_str().unwrap())).await.ok();
        let transfer = &transfers["items"][0];
        assert_eq!((&transfer["payer"], &transfer["payee"], &transfer["amount"]), (&json!("MILES"), &json!("BEANS"), &json!("8.00")));
        let file = house.operator.file(&run, "transfers.csv").await.text();
        assert!(file.contains(",MILES,BEANS,8.00,EUR"), "{file}");
    });
}
