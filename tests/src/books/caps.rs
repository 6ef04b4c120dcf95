//! Caps under load, in several processes: what is left under a cap is given once.

use crate::support::{Client, House, User, Vendor, audit, micro};
use runs::imports::Options;
use scrip::SchemeId;
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

/// So many converts by all users, half of whom ask the second server, so that no account keeps the servers apart; how many were made, and
/// the code of every other.
async fn race(users: &[User], second: &Client, pairs: &[(&Vendor, &Vendor)], count: usize) -> (usize, Vec<String>) {
    let mut swaps = JoinSet::new();
    for number in 0..count {
        let (turn, of_user) = (number / users.len(), number % users.len());
        let (user, (from, to)) = (&users[of_user], pairs[turn % pairs.len()]);
        let client = if of_user.is_multiple_of(2) { user.client.clone() } else { second.with(&user.session) };
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
        house.pay(&run).await;
        assert_eq!(race(&users, &second, &[(a, b)], 120).await.0, 50);
    });
}

/// No batch can write its swaps until the client commits: whatever has been decided is not there yet for anybody else.
async fn db_hold_swaps(house: &House) -> tokio_postgres::Client {
    let admin = house.db_admin().await;
    admin.batch_execute("BEGIN; LOCK TABLE swaps IN SHARE MODE").await.unwrap();
    admin
}

/// Until so many wait for a lock.
async fn db_until_waiting(house: &House, count: i64) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while house.db_count(waiting).await < count {}
}

#[test]
fn a_cap_waits_for_batches_that_know_nothing_of_it() {
    audit(async |house| {
        let (vendors, users) = market(house, &["AA", "BB"], 2).await;
        let (operator, second) = (house.operator.client.clone(), Client::new(&house.second_server().await).with(&users[1].session));
        let swap = json!({"from": vendors[0].code, "to": vendors[1].code, "send": "60"});
        let holder = db_hold_swaps(house).await;
        let (client, body) = (users[0].client.clone(), swap.clone());
        let uncapped = tokio::spawn(async move { client.post_once("/v1/swaps", body).await });
        db_until_waiting(house, 1).await;

        let capped = tokio::spawn(async move {
            operator.put("/v1/vendors/AA/cap", Some("*"), json!({"net_debit_cap": "1"})).await.ok();
            second.post_once("/v1/swaps", swap).await
        });
        db_until_waiting(house, 2).await;
        holder.batch_execute("COMMIT").await.unwrap();

        uncapped.await.unwrap().created();
        assert_eq!(capped.await.unwrap().refused(422, "debit_cap_exceeded")["headroom"], "0.400000");
    });
}

#[test]
fn a_batch_waits_for_another_that_adds_to_what_the_same_vendor_owes() {
    audit(async |house| {
        let (vendors, users) = market(house, &["AA", "BB"], 2).await;
        let (a, b) = (&vendors[0], &vendors[1]);
        let second = Client::new(&house.second_server().await);
        for (debtor, creditor) in [(a, b), (b, a)] {
            match debtor.code.as_str() {
                "AA" => drop(house.operator.cap(debtor, Some("1")).await),
                _ => drop(creditor.accept(debtor, Some("0.5")).await),
            }
            let holder = db_hold_swaps(house).await;
            let mut swaps = JoinSet::new();
            for client in [users[0].client.clone(), second.with(&users[1].session)] {
                let body = json!({"from": debtor.code, "to": creditor.code, "send": "60"});
                swaps.spawn(async move { client.post_once("/v1/swaps", body).await });
            }
            db_until_waiting(house, 2).await;
            holder.batch_execute("COMMIT").await.unwrap();

            let mut statuses: Vec<u16> = swaps.join_all().await.iter().map(|answer| answer.status.as_u16()).collect();
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 422], "there is room for one of them: {} {}", debtor.code, creditor.code);
        }
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

#[test]
fn obligations_that_no_swap_left_count_and_are_never_refused() {
    audit(async |house| {
        let (vendors, users) = market(house, &["AA", "BB", "CC"], 1).await;
        let [a, b, c] = [&vendors[0], &vendors[1], &vendors[2]];
        house.operator.cap(a, Some("5")).await;
        let scheme = house.db_admin().await.query_one("SELECT id FROM schemes", &[]).await.unwrap().get(0);
        let import = async |file: &str| {
            let (scheme, options) = (SchemeId::new(scheme), Options::default());
            runs::imports::import(&house.db, &house.clock, scheme, file.as_bytes(), &options, |_| ()).await.expect("it is imported");
        };

        import("debtor,creditor,amount\nAA,BB,4.000001\nBB,CC,7\n").await;
        users[0].convert("99.99", a, c).await.created();
        users[0].convert("0.01", a, c).await.refused(422, "debit_cap_exceeded");
        // A cap that comes later knows what is owed already; and an import goes over it.
        house.operator.cap(b, Some("2.9999")).await;
        users[0].convert("0.01", b, a).await.refused(422, "debit_cap_exceeded");
        import("debtor,creditor,amount\nAA,BB,1\nBB,AA,3\n").await;

        assert_eq!((net_debit(house, a).await, net_debit(house, b).await), (2_999_901, 4_999_999));
        assert_eq!(house.operator.headroom(b).await["level"], "full");
        users[0].convert("0.01", b, a).await.refused(422, "debit_cap_exceeded");
        users[0].convert("200", a, b).await.created();
        users[0].convert("0.01", b, a).await.refused(422, "debit_cap_exceeded");
    });
}
