//! Bad input gets a clear, coded error, and nothing moves. One row per kind.

use crate::support::{House, Market, audit};
use serde_json::{Value, json};

/// Alice has 10.00 MILES; three of them are worth one of the BEANS.
async fn market(house: &House) -> Market {
    Market::open(house, "0.03", "10").await
}

/// Everything that a movement would change.
async fn db_books(house: &House) -> Vec<i64> {
    let mut counts = Vec::new();
    for sql in [
        "SELECT count(*) FROM entries",
        "SELECT count(*) FROM swaps",
        "SELECT count(*) FROM trades",
        "SELECT count(*) FROM obligations",
        "SELECT count(*) FROM idempotency",
        "SELECT coalesce(sum(balance), 0)::bigint FROM accounts",
        "SELECT coalesce(sum(held), 0)::bigint FROM accounts",
        "SELECT coalesce(sum(issued + retired), 0)::bigint FROM token_totals",
        "SELECT coalesce(sum(amount_micro + obligation_count), 0)::bigint FROM positions",
    ] {
        counts.push(house.db_count(sql).await);
    }
    counts
}

/// What is wrong with an amount, and what it is called.
const AMOUNTS: &[(&str, &str)] = &[
    ("1e3", "amount_malformed"),
    ("-5", "amount_malformed"),
    ("0", "amount_zero"),
    ("0.00", "amount_zero"),
    ("1,5", "amount_malformed"),
    ("+1", "amount_malformed"),
    ("1_000", "amount_malformed"),
    ("NaN", "amount_malformed"),
    ("", "amount_malformed"),
    (" 1", "amount_malformed"),
    (".5", "amount_malformed"),
    ("01", "amount_malformed"),
    ("0.001", "amount_too_many_decimals"),
    ("1234567890123456789012345678901234567890", "amount_too_large"),
    ("999999999999999999", "amount_too_large"),
];

#[test]
fn an_amount_is_a_plain_decimal_string() {
    audit(async |house| {
        let Market { miles, alice, .. } = market(house).await;
        house.user("bob").await;
        let before = db_books(house).await;
        for (amount, code) in AMOUNTS {
            let problem = miles.issue(&alice, amount).await.refused(422, code);
            assert_eq!(problem["field"], "amount", "{amount}");
            for side in ["send", "receive"] {
                let problem = alice.swap(json!({"from": "MILES", "to": "BEANS", side: amount})).await.refused(422, code);
                assert_eq!(problem["field"], side, "{amount}");
            }
            let give = json!({"vendor": "MILES", "amount": amount});
            let take = json!({"vendor": "BEANS", "amount": "1"});
            let trade = alice.client.post_once("/v1/trades", json!({"with": "bob", "give": give, "take": take})).await;
            trade.refused(422, code);
        }
        assert_eq!(db_books(house).await, before);
    });
}

#[test]
fn a_json_number_is_no_amount() {
    audit(async |house| {
        let Market { miles, alice, .. } = market(house).await;
        let before = db_books(house).await;
        for amount in [json!(5), json!(5.5), json!(null), json!(["5"]), json!({"units": 5})] {
            let issue = miles.client.post_once("/v1/vendor/issues", json!({"user": "alice", "amount": amount})).await;
            assert_eq!(issue.refused(400, "invalid_body")["field"], "amount");
        }
        let swap = alice.swap(json!({"from": "MILES", "to": "BEANS", "send": 5})).await;
        assert_eq!(swap.refused(400, "invalid_body")["field"], "send");
        assert_eq!(db_books(house).await, before);
    });
}

#[test]
fn a_swap_that_the_rules_refuse_moves_nothing() {
    audit(async |house| {
        let Market { miles, beans, alice } = market(house).await;
        let apart = house.operator.vendor_with(json!({"code": "APART", "name": "Apart", "scale": 2})).await;
        alice.open(&apart).await;
        house.operator.scheme("ELSEWHERE").await;
        let roubles = house.operator.vendor("ELSEWHERE", "ROUBLES", "0.01").await;
        alice.open(&roubles).await;
        let bob = house.user("bob").await;
        let before = db_books(house).await;
        let rows: &[(Value, u16, &str)] = &[
            (json!({"from": "MILES", "to": "MILES", "send": "1"}), 422, "same_vendor"),
            (json!({"from": "NOBODY", "to": "BEANS", "send": "1"}), 422, "vendor_not_found"),
            (json!({"from": "MILES", "to": "lower case", "send": "1"}), 422, "vendor_not_found"),
            (json!({"from": "MILES", "to": "BEANS", "send": "10.02"}), 422, "insufficient_tokens"),
            (json!({"from": "MILES", "to": "BEANS", "receive": "100"}), 422, "insufficient_tokens"),
            (json!({"from": "MILES", "to": "BEANS", "send": "0.02"}), 422, "amount_too_small"),
            (json!({"from": "MILES", "to": "APART", "send": "1"}), 422, "no_rate"),
            (json!({"from": "MILES", "to": "ROUBLES", "send": "1"}), 422, "no_common_scheme"),
            (json!({"from": "MILES", "to": "BEANS", "send": "1", "payee": "bob"}), 422, "account_not_found"),
            (json!({"from": "MILES", "to": "BEANS", "send": "1", "payee": "nobody"}), 422, "user_not_found"),
            (json!({"from": "MILES", "to": "BEANS", "send": "3", "min_receive": "1.01"}), 422, "below_min_receive"),
            (json!({"from": "MILES", "to": "BEANS", "receive": "1", "max_send": "2.99"}), 422, "above_max_send"),
            (json!({"from": "MILES", "to": "BEANS", "send": "1", "receive": "1"}), 422, "one_side_fixed"),
            (json!({"from": "MILES", "to": "BEANS"}), 422, "one_side_fixed"),
            (json!({"from": "MILES", "to": "BEANS", "receive": "90000000000000000"}), 422, "amount_too_large"),
            (json!({"from": "MILES", "send": "1"}), 400, "invalid_body"),
            (json!({"from": "MILES", "to": "BEANS", "send": "1", "extra": 1}), 400, "invalid_body"),
            (json!([]), 400, "invalid_body"),
        ];
        for (body, status, code) in rows {
            alice.swap(body.clone()).await.refused(*status, code);
        }
        // Bob has no account at all.
        bob.swap(json!({"from": "MILES", "to": "BEANS", "send": "1"})).await.refused(422, "account_not_found");
        miles.issue(&bob, "1").await.refused(422, "account_not_found");
        let missing = miles.client.post_once("/v1/vendor/issues", json!({"user": "nobody", "amount": "1"})).await;
        missing.refused(422, "user_not_found");
        alice.client.get("/v1/accounts/NOBODY").await.refused(404, "account_not_found");
        assert_eq!(db_books(house).await, before);
        assert_eq!((alice.balance(&miles).await.as_str(), alice.balance(&beans).await.as_str()), ("10.00", "0.00"));
    });
}

#[test]
fn a_refusal_says_what_would_do() {
    audit(async |house| {
        let Market { miles, alice, .. } = market(house).await;
        let short = alice.swap(json!({"from": "MILES", "to": "BEANS", "send": "11"})).await.refused(422, "insufficient_tokens");
        assert_eq!((&short["available"], &short["needed"], &short["vendor"]), (&json!("10.00"), &json!("10.98"), &json!("MILES")));
        house.operator.scheme("ELSEWHERE").await;
        let roubles = house.operator.vendor("ELSEWHERE", "ROUBLES", "0.01").await;
        alice.open(&roubles).await;
        let apart = alice.convert("1", &miles, &roubles).await.refused(422, "no_common_scheme");
        assert_eq!((&apart["from"], &apart["to"]), (&json!("MILES"), &json!("ROUBLES")));
        let small = alice.swap(json!({"from": "MILES", "to": "BEANS", "send": "0.02"})).await.refused(422, "amount_too_small");
        let least = small["min_send"].as_str().unwrap();
        assert_eq!(least, "0.03");
        alice.swap(json!({"from": "MILES", "to": "BEANS", "send": least})).await.created();
    });
}

#[test]
fn a_switched_off_direction_moves_nothing_until_it_is_on_again() {
    audit(async |house| {
        let Market { miles, beans, alice } = market(house).await;
        let before = db_books(house).await;

        miles.switch("convert_out", false).await;
        let refused = alice.convert("3", &miles, &beans).await.refused(422, "switched_off");
        assert_eq!((&refused["vendor"], &refused["switch"]), (&json!("MILES"), &json!("convert_out")));
        miles.switch("convert_out", true).await;
        beans.switch("convert_in", false).await;
        alice.convert("3", &miles, &beans).await.refused(422, "switched_off");
        miles.switch("issue", false).await;
        miles.issue(&alice, "1").await.refused(422, "switched_off");
        assert_eq!(db_books(house).await, before);

        beans.switch("convert_in", true).await;
        alice.convert("3", &miles, &beans).await.created();
    });
}

#[test]
fn a_suspended_vendor_neither_issues_nor_swaps() {
    audit(async |house| {
        let Market { miles, beans, alice } = market(house).await;
        house.operator.suspend("MILES").await;
        alice.convert("3", &miles, &beans).await.refused(422, "vendor_suspended");
        miles.issue(&alice, "3").await.refused(422, "vendor_suspended");
    });
}

#[test]
fn figures_that_do_not_fit_the_books_are_refused_alone() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        // A swap is worth at most a thousand million.
        let body = json!({"code": "RICH", "name": "Rich", "scale": 0, "unit_value": "1000", "scheme": "EURO"});
        let rich = house.operator.vendor_with(body).await;
        let beans = house.operator.vendor("EURO", "BEANS", "1000").await;
        let (alice, bob) = (house.user("alice").await, house.user("bob").await);
        for user in [&alice, &bob] {
            rich.endow(user, "10000000000").await;
            user.open(&beans).await;
        }
        bob.convert("10000000000", &rich, &beans).await.refused(422, "amount_too_large");
        bob.convert("1000001", &rich, &beans).await.refused(422, "amount_too_large");
        alice.convert("1000000", &rich, &beans).await.created();
    });
}

#[test]
fn an_issue_that_would_burst_an_account_is_refused_alone() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor_with(json!({"code": "MILES", "name": "M", "scale": 0, "scheme": "EURO"})).await;
        let (alice, bob) = (house.user("alice").await, house.user("bob").await);
        alice.open(&miles).await;
        bob.open(&miles).await;
        for _ in 0..9 {
            miles.issue(&alice, "999999999999999999").await.created();
        }
        let (too_much, fine) = tokio::join!(miles.issue(&alice, "999999999999999999"), miles.issue(&bob, "999999999999999999"));
        too_much.refused(422, "amount_too_large");
        fine.created();
        assert_eq!(miles.supply().await["issued"], "9999999999999999990", "more than 64 bits hold");
    });
}

#[test]
fn what_swaps_issue_is_not_bounded_to_what_64_bits_hold() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let vendor = |code| json!({"code": code, "name": code, "scale": 0, "unit_value": "1", "scheme": "EURO"});
        let (miles, beans) = (house.operator.vendor_with(vendor("MILES")).await, house.operator.vendor_with(vendor("BEANS")).await);
        let rate = json!({"from": "MILES", "kind": "fixed", "send": "1", "receive": "999999999999999999"});
        beans.client.post("/v1/vendor/rates", rate).await.created();
        for handle in ["alice", "bob"] {
            let user = house.user(handle).await;
            miles.endow(&user, "6").await;
            user.open(&beans).await;
            for _ in 0..6 {
                user.convert("1", &miles, &beans).await.created();
            }
        }
        assert_eq!(beans.supply().await["issued"], "11999999999999999988", "while the window is open");
        house.operator.settle("EURO").await;
        assert_eq!(beans.supply().await["issued"], "11999999999999999988", "and when it is closed");
    });
}

#[test]
fn bodies_and_paths_that_cannot_be_read_are_problems() {
    audit(async |house| {
        let alice = house.user("alice").await;
        alice.client.get("/v1/nothing").await.refused(404, "not_found");
        alice.client.get("/v1/swaps/not-an-id").await.refused(404, "not_found");
        alice.client.get("/v1/accounts/%00").await.refused(404, "account_not_found");
        alice.client.get("/v1/accounts/%00/entries").await.refused(404, "account_not_found");
        alice.client.delete("/v1/swaps").await.refused(405, "method_not_allowed");
        alice.client.get("/v1/swaps?limit=0").await.refused(400, "invalid_query");
        alice.client.get("/v1/swaps?limit=201").await.refused(400, "invalid_query");
        alice.client.get("/v1/swaps?after=zz").await.refused(400, "invalid_query");
        alice.client.get("/v1/swaps?offset=5").await.refused(400, "invalid_query");
        let large = json!({"handle": "x".repeat(400_000), "password": "long enough"});
        house.nobody().post("/v1/users", large).await.refused(413, "body_too_large");
        let text = house.nobody().request(reqwest::Method::POST, "/v1/users").body("handle=alice");
        crate::support::Answer::of(text).await.refused(415, "unsupported_media_type");
        let deep =
            house.nobody().request(reqwest::Method::POST, "/v1/users").header("content-type", "application/json").body("[".repeat(9_000));
        crate::support::Answer::of(deep).await.refused(400, "invalid_body");
    });
}
