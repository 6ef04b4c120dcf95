//! Many at once, through two server processes: nothing is spent twice, nothing deadlocks for good.

use crate::support::{Client, audit};
use serde_json::json;
use tokio::task::JoinSet;

#[test]
fn two_servers_never_spend_a_balance_twice() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let beans = house.operator.vendor("EURO", "BEANS", "0.01").await;
        let alice = house.user("alice").await;
        miles.endow(&alice, "50").await;
        alice.open(&beans).await;
        let second = Client::new(&house.second_server().await).with(&alice.session);

        let mut swaps = JoinSet::new();
        for number in 0..100 {
            let client = if number % 2 == 0 { alice.client.clone() } else { second.clone() };
            swaps.spawn(async move { client.post_once("/v1/swaps", json!({"from": "MILES", "to": "BEANS", "send": "1"})).await });
        }
        let mut made = 0;
        for answer in swaps.join_all().await {
            if answer.status == 201 {
                made += 1;
            } else {
                answer.refused(422, "insufficient_tokens");
            }
        }

        assert_eq!(made, 50);
        assert_eq!((alice.balance(&miles).await.as_str(), alice.balance(&beans).await.as_str()), ("0.00", "50.00"));
    });
}

#[test]
fn two_servers_that_cross_each_other_answer_everybody() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let (mut vendors, mut users) = (Vec::new(), Vec::new());
        for code in ["AA", "BB", "CC"] {
            vendors.push(house.operator.vendor("EURO", code, "0.01").await);
        }
        for handle in ["alice", "bob", "carol"] {
            let user = house.user(handle).await;
            for vendor in &vendors {
                vendor.endow(&user, "1000").await;
            }
            users.push(user);
        }
        let second = Client::new(&house.second_server().await);

        let mut swaps = JoinSet::new();
        for number in 0..240 {
            let (payer, payee) = (users[number % 3].clone(), users[(number / 3) % 3].handle.clone());
            let (from, to) = (vendors[number % 3].code.clone(), vendors[(number + 1 + number % 2) % 3].code.clone());
            let client = if number % 2 == 0 { payer.client.clone() } else { second.with(&payer.session) };
            swaps.spawn(async move { client.post_once("/v1/swaps", json!({"from": from, "to": to, "send": "1", "payee": payee})).await });
        }
        for answer in swaps.join_all().await {
            answer.created();
        }
        let run = house.operator.settle("EURO").await;
        assert_eq!(run["obligation_count"], 240);
    });
}

#[test]
fn one_refused_posting_spoils_nobody_elses() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let (alice, bob) = (house.user("alice").await, house.user("bob").await);
        alice.open(&miles).await;
        let mut issues = JoinSet::new();
        for number in 0..60 {
            // Bob has no account: every third issue is refused.
            let handle = if number % 3 == 0 { bob.handle.clone() } else { alice.handle.clone() };
            let client = miles.client.clone();
            issues
                .spawn(async move { client.post_once("/v1/vendor/issues", json!({"user": handle, "amount": "1"})).await.status.as_u16() });
        }
        let mut statuses = issues.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![201; 40], vec![422; 20]].concat());
        assert_eq!(alice.balance(&miles).await, "40.00");
    });
}
