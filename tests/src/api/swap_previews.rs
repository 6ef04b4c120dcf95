//! What a swap would come to, before it is made.

use crate::support::{Answer, Market, User, audit};
use serde_json::{Value, json};

async fn preview(user: &User, swap: &Value) -> Answer {
    user.client.post("/v1/swaps/preview", swap.clone()).await
}

#[test]
fn a_swap_comes_to_what_its_preview_said() {
    audit(async |house| {
        let Market { miles, beans, alice } = Market::open(house, "0.03", "100").await;
        let bob = house.user("bob").await;
        bob.open(&beans).await;
        for swap in [
            json!({"from": "MILES", "to": "BEANS", "send": "10"}),
            json!({"from": "MILES", "to": "BEANS", "receive": "1.01", "payee": "bob"}),
            json!({"from": "MILES", "to": "BEANS", "send": "0.05", "min_receive": "0.01", "max_send": "1"}),
        ] {
            let before = (alice.balance(&miles).await, alice.balance(&beans).await);
            let said = preview(&alice, &swap).await.ok();
            assert_eq!((alice.balance(&miles).await, alice.balance(&beans).await), before, "nothing has moved");

            let mut made = alice.swap(swap).await.created();

            for only in ["id", "window", "booked_at"] {
                made.as_object_mut().unwrap().remove(only).expect("a swap that was made has it");
            }
            assert_eq!(said, made);
        }
        assert_eq!(house.db_count("SELECT count(*) FROM swaps").await, 3);
    });
}

#[test]
fn what_would_be_refused_is_refused_in_the_same_words() {
    audit(async |house| {
        let Market { miles, beans, alice } = Market::open(house, "0.01", "100").await;
        house.operator.cap(&miles, Some("0.5")).await;
        let nobody = house.user("nobody").await;
        for (user, swap, code) in [
            (&alice, json!({"from": "BEANS", "to": "MILES", "send": "1"}), "insufficient_tokens"),
            (&alice, json!({"from": "MILES", "to": "BEANS", "send": "51"}), "debit_cap_exceeded"),
            (&alice, json!({"from": "MILES", "to": "BEANS", "send": "1", "min_receive": "1.01"}), "below_min_receive"),
            (&alice, json!({"from": "MILES", "to": "MILES", "send": "1"}), "same_vendor"),
            (&alice, json!({"from": "MILES", "to": "BEANS", "send": "1", "receive": "1"}), "one_side_fixed"),
            (&alice, json!({"from": "MILES", "to": "BEANS", "send": "0.001"}), "amount_too_many_decimals"),
            (&alice, json!({"from": "MILES", "to": "NOBODY", "send": "1"}), "vendor_not_found"),
            (&nobody, json!({"from": "MILES", "to": "BEANS", "send": "1"}), "account_not_found"),
        ] {
            let said = preview(user, &swap).await;
            let refused = user.swap(swap).await;
            assert_eq!((said.status, said.json()), (refused.status, refused.json()));
            assert_eq!(said.json()["code"], code);
        }
        preview(&alice, &json!({"from": "MILES", "to": "BEANS", "send": "1", "dry": true})).await.refused(400, "invalid_body");
        beans.switch("convert_in", false).await;
        preview(&alice, &json!({"from": "MILES", "to": "BEANS", "send": "1"})).await.refused(422, "switched_off");
        house.nobody().post("/v1/swaps/preview", json!({})).await.refused(401, "unauthenticated");
        assert_eq!(house.db_count("SELECT count(*) FROM swaps").await, 0);
    });
}
