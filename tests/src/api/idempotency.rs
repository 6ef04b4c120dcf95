//! A request that is repeated happens once.

use crate::support::{Client, Market, audit};
use reqwest::{Method, StatusCode};
use serde_json::json;
use std::collections::BTreeSet;
use tokio::task::JoinSet;

#[test]
fn the_same_key_and_body_gives_the_first_answer_again() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let beans = house.operator.vendor("EURO", "BEANS", "0.01").await;
        let alice = house.user("alice").await;
        miles.endow(&alice, "100").await;
        alice.open(&beans).await;
        let body = json!({"from": "MILES", "to": "BEANS", "send": "60"});
        let first = alice.client.post_keyed("/v1/swaps", "order-1", body.clone()).await;

        let second = alice.client.post_keyed("/v1/swaps", "order-1", body).await;

        assert_eq!((first.header("idempotency-replayed"), second.header("idempotency-replayed")), ("", "true"));
        assert_eq!((second.status, &second.bytes), (first.status, &first.bytes));
        assert_eq!(alice.balance(&miles).await, "40.00");
    });
}

#[test]
fn what_was_granted_is_answered_again_though_the_database_could_not_take_it_twice() {
    audit(async |house| {
        let Market { miles, beans, alice } = Market::open(house, "0.01", "100").await;
        let body = json!({"from": "MILES", "to": "BEANS", "send": "10"});
        let first = alice.client.post_keyed("/v1/swaps", "order-1", body.clone()).await;
        // So far up that one more swap of this pair does not fit; twice is back again.
        let admin = house.db_admin().await;
        let fill = "UPDATE positions SET amount_micro = 9223372036854775807 - (amount_micro - 1)";
        admin.batch_execute(fill).await.unwrap();

        let again = alice.client.post_keyed("/v1/swaps", "order-1", body.clone()).await;
        let another = alice.client.post_keyed("/v1/swaps", "order-2", body).await;

        admin.batch_execute(fill).await.unwrap();
        assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
        another.refused(422, "amount_too_large");
        assert_eq!((alice.balance(&miles).await.as_str(), alice.balance(&beans).await.as_str()), ("90.00", "10.00"));
    });
}

#[test]
fn a_body_that_says_the_same_in_other_words_is_the_same() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let alice = house.user("alice").await;
        alice.open(&miles).await;
        let send = async |body: &'static str| {
            let request = miles.client.request(Method::POST, "/v1/vendor/issues").header("Idempotency-Key", "k");
            crate::support::Answer::of(request.header("Content-Type", "application/json").body(body)).await
        };
        let first = send(r#"{"user": "alice", "amount": "5"}"#).await;
        let second = send("{\n  \"amount\":\"5\",\"user\":\"alice\"}").await;
        assert_eq!((first.status, second.header("idempotency-replayed")), (StatusCode::CREATED, "true"));
        assert_eq!(alice.balance(&miles).await, "5.00");
    });
}

#[test]
fn the_same_key_with_another_body_is_refused_before_the_body_is_judged() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let alice = house.user("alice").await;
        alice.open(&miles).await;
        let issue = json!({"user": "alice", "amount": "5"});
        miles.client.post_keyed("/v1/vendor/issues", "k", issue).await.created();

        for other in [json!({"user": "alice", "amount": "6"}), json!({"user": "alice", "amount": "1e3"}), json!({"nonsense": true})] {
            miles.client.post_keyed("/v1/vendor/issues", "k", other).await.refused(422, "idempotency_key_reused");
        }

        assert_eq!(alice.balance(&miles).await, "5.00");
    });
}

#[test]
fn a_refusal_moves_nothing_and_does_not_bind_the_key() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let beans = house.operator.vendor("EURO", "BEANS", "0.01").await;
        let alice = house.user("alice").await;
        miles.endow(&alice, "1").await;
        alice.open(&beans).await;
        let body = json!({"from": "MILES", "to": "BEANS", "send": "2"});
        alice.client.post_keyed("/v1/swaps", "k", body.clone()).await.refused(422, "insufficient_tokens");
        miles.issue(&alice, "1").await.created();

        alice.client.post_keyed("/v1/swaps", "k", body).await.created();

        assert_eq!(alice.balance(&beans).await, "2.00");
    });
}

#[test]
fn two_users_may_use_the_same_key() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let beans = house.operator.vendor("EURO", "BEANS", "0.01").await;
        let (alice, bob) = (house.user("alice").await, house.user("bob").await);
        for user in [&alice, &bob] {
            miles.endow(user, "5").await;
            user.open(&beans).await;
        }
        let body = json!({"from": "MILES", "to": "BEANS", "send": "5"});

        let alices = alice.client.post_keyed("/v1/swaps", "same", body.clone()).await.created();
        let bobs = bob.client.post_keyed("/v1/swaps", "same", body).await.created();

        assert_ne!(alices["id"], bobs["id"]);
    });
}

#[test]
fn one_request_sent_many_times_at_once_happens_once() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let alice = house.user("alice").await;
        alice.open(&miles).await;
        let other_server = miles.client.clone();
        let second = Client::new(&house.second_server().await).with(&miles.key);
        let body = json!({"user": "alice", "amount": "7"});

        let mut answers = JoinSet::new();
        for number in 0..40 {
            let client = if number % 2 == 0 { other_server.clone() } else { second.clone() };
            let body = body.clone();
            answers.spawn(async move { client.post_keyed("/v1/vendor/issues", "once", body).await });
        }
        let answers = answers.join_all().await;

        let mut first_answers = 0;
        for answer in answers {
            if answer.status == StatusCode::CREATED {
                first_answers += usize::from(answer.header("idempotency-replayed").is_empty());
            } else {
                answer.refused(409, "idempotency_key_in_use");
            }
        }
        assert_eq!(first_answers, 1);
        assert_eq!(alice.balance(&miles).await, "7.00");
    });
}

#[test]
fn a_key_that_is_repeated_through_another_server_at_once_is_never_judged_twice() {
    audit(async |house| {
        let Market { miles, beans, alice } = Market::open(house, "0.01", "7").await;
        let second = Client::new(&house.second_server().await).with(&alice.session);
        for round in 0..50 {
            // All that she has: judged again, it would not be there.
            let (from, to) = if round % 2 == 0 { (&miles, &beans) } else { (&beans, &miles) };
            let body = json!({"from": from.code, "to": to.code, "send": "7"});
            let key = format!("round-{round}");
            let mut answers = JoinSet::new();
            for client in [&alice.client, &second, &alice.client, &second] {
                let (client, key, body) = (client.clone(), key.clone(), body.clone());
                answers.spawn(async move { client.post_keyed("/v1/swaps", &key, body).await });
            }

            let mut swaps = BTreeSet::new();
            for answer in answers.join_all().await {
                if answer.status == StatusCode::CREATED {
                    swaps.insert(answer.json()["id"].as_str().expect("a swap has an id").to_owned());
                } else {
                    answer.refused(409, "idempotency_key_in_use");
                }
            }

            assert_eq!(swaps.len(), 1, "round {round}");
            assert_eq!((alice.balance(from).await.as_str(), alice.balance(to).await.as_str()), ("0.00", "7.00"));
        }
    });
}

#[test]
fn a_missing_or_malformed_key_is_refused() {
    audit(async |house| {
        let alice = house.user("alice").await;
        let body = json!({"from": "MILES", "to": "BEANS", "send": "5"});
        alice.client.post("/v1/swaps", body.clone()).await.refused(400, "idempotency_key_required");
        for key in ["with space", "", &"k".repeat(256), "ключ"] {
            let request = alice.client.request(Method::POST, "/v1/swaps").json(&body);
            let header = reqwest::header::HeaderValue::from_bytes(key.as_bytes()).unwrap();
            let answer = crate::support::Answer::of(request.header("Idempotency-Key", header)).await;
            answer.refused(400, "idempotency_key_malformed");
        }
    });
}
