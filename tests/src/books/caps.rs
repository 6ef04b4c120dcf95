//! Caps under load, in several processes: what is left under a cap is given once.

use crate::support::{Client, House, User, Vendor, audit, micro};
use serde_json::json;
use tokio::task::JoinSet;

/// Vendors whose tokens are worth a cent each, in the scheme EURO, and users who hold a thousand of each.
async fn market(house: &House, codes: &[&str], users: usize) -> (Vec<Vendor>, Vec<User>) {
    house.operator.scheme("EURO").await;
    let (mut vendors, mut holders) = (Vec::new(), Vec::new());
    for code in codes {
        vendors.push(house.operator.vendor("EURO", code, "0.01").await);
    }
    for number in 0..users {
        let user = house.user(&format!("user{number}")).await;
        for vendor in &vendors {
            vendor.endow(&user, "1000").await;
        }
        holders.push(user);
    }
    (vendors, holders)
}

/// Through both servers in turn, so many converts of one token by so many users; how many were made, and the code of every other.
async fn race(users: &[User], second: &Client, pairs: &[(&Vendor, &Vendor)], count: usize) -> (usize, Vec<String>) {
    let mut swaps = JoinSet::new();
    for number in 0..count {
        let (user, (from, to)) = (&users[number % users.len()], pairs[number % pairs.len()]);
        let client = if (number / users.len()).is_multiple_of(2) { user.client.clone() } else { second.with(&user.session) };
        let body = json!({"from": from.code, "to": to.code, "send": "1"});
        swaps.spawn(async move { client.post_once("/v1/swaps", body).await });
    }
    let (mut made, mut refused) = (0, Vec::new());
    for answer in swaps.join_all().await {
        if answer.status == 201 { made += 1 } else { refused.push(answer.json()["code"].as_str().unwrap().to_owned()) }
    }
    (made, refused)
}

async fn net_debit(house: &House, vendor: &Vendor) -> i64 {
    micro(house.operator.headroom(vendor).await["net_debit"].as_str().unwrap())
}

#[test]
fn two_servers_never_both_give_the_last_headroom() {
    audit(async |house| {
        let (vendors, users) = market(house, &["AA", "BB", "CC"], 6).await;
        let [a, b, c] = [&vendors[0], &vendors[1], &vendors[2]];
        let second = Client::new(&house.second_server().await);
        house.operator.cap(a, Some("0.505")).await;
        c.accept(b, Some("0.305")).await;

        let (made, refused) = race(&users, &second, &[(a, b), (a, c)], 120).await;
        assert_eq!((made, refused), (50, vec!["debit_cap_exceeded".to_owned(); 70]));
        assert_eq!(net_debit(house, a).await, 500_000);

        let (made, refused) = race(&users, &second, &[(b, c)], 60).await;
        assert_eq!((made, refused), (30, vec!["bilateral_cap_exceeded".to_owned(); 30]));

        // The closed window counts, in both servers, until it is settled.
        let run = house.operator.settle("EURO").await;
        assert_eq!(race(&users, &second, &[(a, b)], 24).await.0, 0);
        house.db_settle_run(&run).await;
        assert_eq!(race(&users, &second, &[(a, b)], 120).await.0, 50);
    });
}

#[test]
fn capped_vendors_that_cross_each_other_in_two_servers_answer_everybody() {
    audit(async |house| {
        let (vendors, users) = market(house, &["AA", "BB", "CC"], 6).await;
        let second = Client::new(&house.second_server().await);
        let mut pairs = Vec::new();
        for debtor in &vendors {
            house.operator.cap(debtor, Some("0.05")).await;
            for creditor in vendors.iter().filter(|creditor| creditor.code != debtor.code) {
                creditor.accept(debtor, Some("0.03")).await;
                pairs.push((debtor, creditor));
            }
        }

        let (made, refused) = race(&users, &second, &pairs, 360).await;

        assert!(made >= 30 && refused.iter().all(|code| code.ends_with("_cap_exceeded")), "{made} made, {refused:?}");
        for vendor in &vendors {
            let headroom = house.operator.headroom(vendor).await;
            assert!(micro(headroom["net_debit"].as_str().unwrap()) <= 50_000, "{headroom}");
            for creditor in headroom["creditors"]["items"].as_array().unwrap() {
                assert!(micro(creditor["net_debit"].as_str().unwrap()) <= 30_000, "{creditor}");
            }
        }
    });
}

#[test]
fn no_swap_is_decided_on_a_cap_that_has_been_changed() {
    audit(async |house| {
        let (vendors, users) = market(house, &["AA", "BB"], 6).await;
        let (a, b) = (vendors[0].clone(), vendors[1].clone());
        let second = Client::new(&house.second_server().await);
        users[0].convert("1", &a, &b).await.created();

        // It is set while both servers swap without pause: from that instant on nothing more is owed.
        let pairs = [(&a, &b)];
        let (_, capped) = tokio::join!(race(&users, &second, &pairs, 300), house.operator.cap(&a, Some("0")));

        assert_eq!(capped["net_debit_cap"], "0.000000");
        let later = "SELECT count(*) FROM swaps WHERE booked_at > (SELECT changed_at FROM debit_caps)";
        assert_eq!(house.db_count(later).await, 0);
    });
}
