//! What one server takes on: more is refused at once and can be repeated, and the books know nothing of it.

use crate::support::{Client, House, Market, audit, defaults};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Holds alice's account, so that nothing can be booked on it until the client is dropped or commits.
async fn db_hold_alices_account(house: &House) -> tokio_postgres::Client {
    let admin = house.db_admin().await;
    admin.batch_execute("BEGIN; SELECT FROM accounts FOR UPDATE").await.unwrap();
    admin
}

fn issue() -> Value {
    json!({"user": "alice", "amount": "1"})
}

#[test]
fn a_server_with_a_full_queue_says_so_and_when_to_come_back() {
    audit(async |house| {
        let Market { miles, alice, .. } = Market::open(house, "0.01", "10").await;
        let mut settings = defaults();
        settings.engine.queue_max = 1;
        let small = Client::new(&house.second_server_with(&settings).await).with(&miles.key);
        let holder = db_hold_alices_account(house).await;

        let mut issues = JoinSet::new();
        for number in 0..20 {
            let client = small.clone();
            issues.spawn(async move { (number, client.post_keyed("/v1/vendor/issues", &format!("issue-{number}"), issue()).await) });
        }
        // One is being booked and one waits for it, at the most; the others are answered before the account is let go.
        let mut refused = Vec::new();
        while let Some(answered) = issues.join_next().await {
            let (number, answer) = answered.unwrap();
            if answer.status == 201 {
                continue;
            }
            assert_eq!(answer.header("retry-after"), "1");
            assert_eq!(answer.refused(503, "overloaded")["retryable"], true);
            refused.push(number);
            if refused.len() == 18 {
                holder.batch_execute("COMMIT").await.unwrap();
            }
        }
        assert!((18..20).contains(&refused.len()), "{refused:?}");
        assert_eq!(alice.balance(&miles).await, format!("{}.00", 10 + 20 - refused.len()));

        for number in refused {
            small.post_keyed("/v1/vendor/issues", &format!("issue-{number}"), issue()).await.created();
        }
        assert_eq!(alice.balance(&miles).await, "30.00");
    });
}

#[test]
fn a_server_with_as_many_requests_as_it_takes_refuses_more_at_once() {
    audit(async |house| {
        let Market { miles, alice, .. } = Market::open(house, "0.01", "10").await;
        let mut settings = defaults();
        settings.server.requests_max = 3;
        let small = Client::new(&house.second_server_with(&settings).await).with(&miles.key);
        let holder = db_hold_alices_account(house).await;

        let mut issues = JoinSet::new();
        for number in 0..20 {
            let client = small.clone();
            issues.spawn(async move { (number, client.post_keyed("/v1/vendor/issues", &format!("issue-{number}"), issue()).await) });
        }
        // Three wait for the account; the others are answered meanwhile.
        let mut refused = Vec::new();
        while refused.len() < 17 {
            let (number, answer) = issues.join_next().await.expect("it is answered").unwrap();
            assert_eq!(answer.header("retry-after"), "1");
            assert!(!answer.header("x-request-id").is_empty());
            assert_eq!(answer.refused(503, "overloaded")["retryable"], true);
            refused.push(number);
        }
        assert_eq!(small.get("/v1/health").await.ok()["status"], "ok");
        holder.batch_execute("COMMIT").await.unwrap();
        for (_, answer) in issues.join_all().await {
            answer.created();
        }
        assert_eq!(alice.balance(&miles).await, "13.00");

        for number in refused {
            small.post_keyed("/v1/vendor/issues", &format!("issue-{number}"), issue()).await.created();
        }
        assert_eq!(alice.balance(&miles).await, "30.00");
    });
}

#[test]
fn a_server_that_cannot_look_up_more_callers_says_so() {
    audit(async |house| {
        let alice = house.user("alice").await;
        let mut settings = defaults();
        settings.access.look_ups_max = 1;
        let small = Client::new(&house.second_server_with(&settings).await).with(&alice.session);
        let holder = house.db_admin().await;
        holder.batch_execute("BEGIN; LOCK TABLE sessions").await.unwrap();

        let mut requests = JoinSet::new();
        for _ in 0..20 {
            let client = small.clone();
            requests.spawn(async move { client.get("/v1/user").await });
        }
        // Two look-ups are under way and one waits, at the most.
        for _ in 0..17 {
            let answer = requests.join_next().await.expect("it is answered").unwrap();
            assert_eq!(answer.header("retry-after"), "1");
            answer.refused(503, "overloaded");
        }
        holder.batch_execute("COMMIT").await.unwrap();
        while let Some(answer) = requests.join_next().await {
            let answer = answer.unwrap();
            assert!(answer.status == 200 || answer.status == 503, "{}", answer.text());
        }
        assert_eq!(small.get("/v1/user").await.ok()["handle"], "alice");
    });
}

#[test]
fn a_request_that_takes_too_long_is_answered_and_its_key_tells_what_became_of_it() {
    audit(async |house| {
        let Market { miles, alice, .. } = Market::open(house, "0.01", "10").await;
        let mut settings = defaults();
        settings.server.request_timeout_ms = 1;
        let hasty = Client::new(&house.second_server_with(&settings).await).with(&miles.key);
        let holder = db_hold_alices_account(house).await;

        let answer = hasty.post_keyed("/v1/vendor/issues", "slow", issue()).await;

        assert_eq!(answer.refused(504, "timed_out")["retryable"], true);
        holder.batch_execute("COMMIT").await.unwrap();
        miles.client.post_keyed("/v1/vendor/issues", "slow", issue()).await.created();
        assert_eq!(alice.balance(&miles).await, "11.00");
    });
}
