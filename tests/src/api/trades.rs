//! Trades between two users: exact amounts, both legs at once, nothing issued or owed.

use crate::support::{House, Market, User, Vendor, audit};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Alice and bob, who may want what the other has.
struct Pair {
    miles: Vendor,
    beans: Vendor,
    alice: User,
    bob: User,
}

/// Alice has 10 MILES, bob 5 BEANS; both have accounts with both.
async fn pair(house: &House) -> Pair {
    let Market { miles, beans, alice } = Market::open(house, "0.03", "10").await;
    let bob = house.user("bob").await;
    beans.endow(&bob, "5").await;
    bob.open(&miles).await;
    Pair { miles, beans, alice, bob }
}

async fn holds(user: &User, vendor: &Vendor) -> (String, String) {
    let account = user.account(vendor).await;
    let text = |name: &str| account[name].as_str().unwrap().to_owned();
    (text("balance"), text("held"))
}

async fn proposed(pair: &Pair) -> Value {
    pair.alice.propose(&pair.bob, (&pair.miles, "4"), (&pair.beans, "2.5")).await.created()
}

#[test]
fn an_accepted_trade_moves_both_legs_and_leaves_no_obligation() {
    audit(async |house| {
        let m = pair(house).await;
        let trade = proposed(&m).await;
        assert_eq!(trade["state"], "proposed");
        assert_eq!(holds(&m.alice, &m.miles).await, ("6.00".into(), "4.00".into()));

        let accepted = m.bob.reply(&trade, "accept").await.ok();

        assert_eq!(accepted["state"], "accepted");
        assert_eq!(holds(&m.alice, &m.miles).await, ("6.00".into(), "0.00".into()));
        assert_eq!((m.alice.balance(&m.beans).await.as_str(), m.bob.balance(&m.miles).await.as_str()), ("2.50", "4.00"));
        assert_eq!(m.bob.balance(&m.beans).await, "2.50");
        assert_eq!(house.db_count("SELECT count(*) FROM obligations").await, 0);
        assert_eq!(m.miles.supply().await["outstanding"], "10.00");
        m.bob.reply(&trade, "accept").await.refused(409, "trade_ended");
        m.alice.reply(&trade, "cancel").await.refused(409, "trade_ended");
    });
}

#[test]
fn a_declined_or_cancelled_trade_gives_back_what_was_held() {
    audit(async |house| {
        let m = pair(house).await;
        for (who, reply, state) in [(&m.bob, "decline", "declined"), (&m.alice, "cancel", "cancelled")] {
            let trade = proposed(&m).await;
            let ended = who.reply(&trade, reply).await.ok();
            assert_eq!(ended["state"], state);
            assert_eq!(holds(&m.alice, &m.miles).await, ("10.00".into(), "0.00".into()));
            m.bob.reply(&trade, "accept").await.refused(409, "trade_ended");
        }
    });
}

#[test]
fn only_the_right_user_replies() {
    audit(async |house| {
        let m = pair(house).await;
        let carol = house.user("carol").await;
        let trade = proposed(&m).await;
        m.alice.reply(&trade, "accept").await.refused(403, "trade_not_yours");
        m.bob.reply(&trade, "cancel").await.refused(403, "trade_not_yours");
        carol.reply(&trade, "accept").await.refused(404, "not_found");
        let id = trade["id"].as_str().unwrap();
        carol.client.get(&format!("/v1/trades/{id}")).await.refused(404, "not_found");
        assert_eq!(m.bob.client.get(&format!("/v1/trades/{id}")).await.ok(), trade);
        assert_eq!(m.bob.client.get("/v1/trades").await.ok()["items"], json!([trade]));
    });
}

#[test]
fn a_trade_expires_by_itself() {
    audit(async |house| {
        let m = pair(house).await;
        let trade = proposed(&m).await;
        assert_eq!(house.app.trades.expire().await.unwrap(), 0, "not yet");
        house.clock.advance(SignedDuration::from_hours(24 * 8));
        let (alice, bob) = (sign_in(house, "alice").await, sign_in(house, "bob").await);
        bob.post_once(&format!("/v1/trades/{}/accept", trade["id"].as_str().unwrap()), json!({})).await.refused(409, "trade_expired");

        assert_eq!(house.app.trades.expire().await.unwrap(), 1);

        let account = alice.get("/v1/accounts/MILES").await.ok();
        assert_eq!((&account["balance"], &account["held"]), (&json!("10.00"), &json!("0.00")));
        assert_eq!(alice.get(&format!("/v1/trades/{}", trade["id"].as_str().unwrap())).await.ok()["state"], "expired");
        assert_eq!(house.app.trades.expire().await.unwrap(), 0);
    });
}

#[test]
fn a_suspended_vendors_tokens_are_still_traded_between_users() {
    audit(async |house| {
        let m = pair(house).await;
        for code in ["MILES", "BEANS"] {
            house.operator.suspend(code).await;
        }
        m.miles.issue(&m.alice, "1").await.refused(422, "vendor_suspended");
        m.alice.convert("3", &m.miles, &m.beans).await.refused(422, "vendor_suspended");
        let (miles, beans) = (m.miles.supply().await, m.beans.supply().await);

        let trade = proposed(&m).await;
        m.bob.reply(&trade, "accept").await.ok();

        // A trade issues and retires nothing, so it asks nothing of a vendor.
        assert_eq!((m.alice.balance(&m.beans).await.as_str(), m.bob.balance(&m.miles).await.as_str()), ("2.50", "4.00"));
        assert_eq!((m.miles.supply().await, m.beans.supply().await), (miles, beans));
    });
}

/// Eight days later the first session is over.
async fn sign_in(house: &House, handle: &str) -> crate::support::Client {
    let body = json!({"handle": handle, "password": format!("correct horse {handle}")});
    let session = house.nobody().post("/v1/sessions", body).await.created();
    house.nobody().with(session["token"].as_str().unwrap())
}

#[test]
fn a_trade_that_cannot_be_is_refused_and_holds_nothing() {
    audit(async |house| {
        let m = pair(house).await;
        let carol = house.user("carol").await;
        m.alice.propose(&m.bob, (&m.miles, "10.01"), (&m.beans, "1")).await.refused(422, "insufficient_tokens");
        m.alice.propose(&m.alice, (&m.miles, "1"), (&m.beans, "1")).await.refused(422, "same_user");
        m.alice.propose(&m.bob, (&m.miles, "1"), (&m.miles, "1")).await.refused(422, "same_vendor");
        m.alice.propose(&carol, (&m.miles, "1"), (&m.beans, "1")).await.refused(422, "account_not_found");
        let forever = json!({"with": "bob", "give": {"vendor": "MILES", "amount": "1"}, "take": {"vendor": "BEANS", "amount": "1"},
            "expires_in_seconds": 2_592_001});
        m.alice.client.post_once("/v1/trades", forever).await.refused(422, "expiry_out_of_range");
        assert_eq!(holds(&m.alice, &m.miles).await, ("10.00".into(), "0.00".into()));
        let trade = m.alice.propose(&m.bob, (&m.miles, "1"), (&m.beans, "5.01")).await.created();
        m.bob.reply(&trade, "accept").await.refused(422, "insufficient_tokens");
        assert_eq!(holds(&m.alice, &m.miles).await, ("9.00".into(), "1.00".into()), "the proposal still stands");
    });
}
