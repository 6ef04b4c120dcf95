//! Windows and runs: what was owed is what is paid, once.

use crate::support::{House, User, Vendor, audit};
use serde_json::{Value, json};

async fn market(house: &House, strategy: &str, digits: u8) -> (Vec<Vendor>, User) {
    house.operator.scheme_with("EURO", strategy, digits).await;
    let alice = house.user("alice").await;
    let mut vendors = Vec::new();
    for code in ["AA", "BB", "CC"] {
        let vendor = house.operator.vendor("EURO", code, "1").await;
        vendor.endow(&alice, "1000").await;
        vendors.push(vendor);
    }
    (vendors, alice)
}

/// AA owes BB 50, BB owes AA 20, BB owes CC 40, CC owes AA 10.
async fn debts(vendors: &[Vendor], alice: &User) {
    let [a, b, c] = vendors else { panic!("three vendors") };
    for (send, from, to) in [("50", a, b), ("20", b, a), ("40", b, c), ("10", c, a)] {
        alice.convert(send, from, to).await.created();
    }
}

async fn transfers(house: &House, run: &Value) -> Vec<String> {
    let page = house.operator.client.get(&format!("/v1/runs/{}/transfers", run["id"].as_str().unwrap())).await.ok();
    let text = |t: &Value, name: &str| t[name].as_str().unwrap().to_owned();
    let items = page["items"].as_array().unwrap().iter();
    items.map(|t| format!("{}>{} {}", text(t, "payer"), text(t, "payee"), text(t, "amount"))).collect()
}

#[test]
fn each_strategy_pays_every_vendor_its_position() {
    for (strategy, expected) in [
        ("gross", vec!["AA>BB 50.00", "BB>AA 20.00", "BB>CC 40.00", "CC>AA 10.00"]),
        ("bilateral", vec!["AA>BB 30.00", "BB>CC 40.00", "CC>AA 10.00"]),
        ("conservative", vec!["AA>BB 20.00", "BB>CC 30.00"]),
        ("direct", vec!["AA>CC 20.00", "BB>CC 10.00"]),
        ("fewest", vec!["AA>CC 20.00", "BB>CC 10.00"]),
        ("hub", vec!["AA>HOUSE 20.00", "BB>HOUSE 10.00", "HOUSE>CC 30.00"]),
    ] {
        audit(async |house| {
            let (vendors, alice) = market(house, strategy, 2).await;
            debts(&vendors, &alice).await;

            let run = house.operator.settle("EURO").await;

            assert_eq!(transfers(house, &run).await, expected, "{strategy}");
            assert_eq!((&run["gross"], &run["net"], &run["state"]), (&json!("120.00"), &json!("30.00"), &json!("computed")));
            let positions = house.operator.client.get(&format!("/v1/runs/{}/positions", run["id"].as_str().unwrap())).await.ok();
            let nets: Vec<&str> = positions["items"].as_array().unwrap().iter().map(|p| p["net"].as_str().unwrap()).collect();
            assert_eq!(nets, ["-20.00", "-10.00", "30.00"]);
        });
    }
}

#[test]
fn a_swap_after_the_close_falls_into_the_next_window() {
    audit(async |house| {
        let (vendors, alice) = market(house, "direct", 2).await;
        alice.convert("10", &vendors[0], &vendors[1]).await.created();
        let first = house.operator.settle("EURO").await;
        alice.convert("7", &vendors[0], &vendors[1]).await.created();
        let second = house.operator.settle("EURO").await;
        assert_eq!((&first["net"], &second["net"]), (&json!("10.00"), &json!("7.00")));
        let windows = house.operator.client.get("/v1/schemes/EURO/windows").await.ok();
        let states: Vec<(i64, &str)> =
            windows["items"].as_array().unwrap().iter().map(|w| (w["number"].as_i64().unwrap(), w["state"].as_str().unwrap())).collect();
        assert_eq!(states, [(3, "open"), (2, "closed"), (1, "closed")]);
    });
}

#[test]
fn an_empty_window_is_a_nil_return() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let run = house.operator.settle("EURO").await;
        assert_eq!((&run["gross"], &run["transfer_count"]), (&json!("0.00"), &json!(0)));
        let file = house.operator.file(&run, "transfers.csv").await;
        assert_eq!(file.status, 200);
        assert_eq!(file.text().lines().count(), 1, "only the header");
    });
}

#[test]
fn what_is_rounded_away_is_carried_into_the_next_window() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        // A token worth 0.005: half a cent cannot be paid.
        let aa = house.operator.vendor_with(json!({"code": "AA", "name": "A", "scale": 0, "unit_value": "0.005", "scheme": "EURO"})).await;
        let bb = house.operator.vendor_with(json!({"code": "BB", "name": "B", "scale": 0, "unit_value": "0.005", "scheme": "EURO"})).await;
        let alice = house.user("alice").await;
        aa.endow(&alice, "10").await;
        alice.open(&bb).await;
        alice.convert("3", &aa, &bb).await.created();

        let first = house.operator.settle("EURO").await;
        let second = house.operator.settle("EURO").await;

        // 0.015 is owed: whole cents are paid, and what is left or was paid too much is owed in the next window.
        let paid = transfers(house, &first).await;
        let carried = house.db_count("SELECT count(*) FROM obligations WHERE source = 'carry'").await;
        assert_eq!((paid.len(), carried >= 1), (1, true), "{paid:?}");
        assert_eq!(second["obligation_count"], 1);
        alice.convert("1", &aa, &bb).await.created();
        let third = house.operator.settle("EURO").await;
        let total: i64 = [&first, &second, &third].iter().map(|r| cents(&r["total"])).sum();
        assert_eq!(total, 2, "four tokens of half a cent are two cents, however they were cut");
    });
}

fn cents(value: &Value) -> i64 {
    value.as_str().unwrap().replace('.', "").parse().unwrap()
}

#[test]
fn a_run_that_is_asked_for_twice_is_one_run() {
    audit(async |house| {
        let (vendors, alice) = market(house, "direct", 2).await;
        debts(&vendors, &alice).await;
        let path = "/v1/schemes/EURO/runs";
        let second_server = crate::support::Client::new(&house.second_server().await);
        let second_server = second_server.with(&operator_key(house).await);

        let (one, two) = tokio::join!(
            house.operator.client.post_keyed(path, "month-end", json!({})),
            second_server.post_keyed(path, "month-end", json!({})),
        );
        let again = house.operator.client.post_keyed(path, "month-end", json!({})).await.created();

        assert_eq!((one.created()["id"].clone(), two.created()["id"].clone()), (again["id"].clone(), again["id"].clone()));
        assert_eq!(house.db_count("SELECT count(*) FROM runs").await, 1);
        assert_eq!(house.db_count("SELECT count(*) FROM windows WHERE state = 'closed'").await, 1);
    });
}

async fn operator_key(house: &House) -> String {
    clearinghouse::access::create_operator_key(&house.db, &house.clock, "second").await.unwrap()
}

#[test]
fn swaps_go_on_while_windows_close() {
    audit(async |house| {
        let (vendors, alice) = market(house, "direct", 2).await;
        let swapping = async {
            for round in 0..60 {
                let (from, to) = (&vendors[round % 3], &vendors[(round + 1) % 3]);
                alice.convert("1", from, to).await.created();
            }
        };
        let settling = async {
            for _ in 0..6 {
                house.operator.settle("EURO").await;
            }
        };
        tokio::join!(swapping, settling);
        house.operator.settle("EURO").await;
        assert_eq!(house.db_count("SELECT sum(obligation_count)::bigint FROM runs").await, 60);
    });
}

#[test]
fn runs_that_wait_for_each_other_hold_up_no_swap() {
    audit(async |house| {
        let (vendors, alice) = market(house, "direct", 2).await;
        // A run that takes its time: its lock is held, as another process would hold it.
        let admin = house.db_admin().await;
        admin
            .batch_execute(
                "BEGIN; SELECT pg_advisory_xact_lock(2, ('x' || right(replace(id::text, '-', ''), 8))::bit(32)::int) FROM schemes",
            )
            .await
            .unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        for number in 0..20 {
            let operator = house.operator.client.clone();
            waiting.spawn(async move { operator.post_keyed("/v1/schemes/EURO/runs", &format!("k{number}"), json!({})).await });
        }
        while house.db_count("SELECT count(*) FROM windows WHERE state = 'closed'").await == 0 {}

        alice.convert("10", &vendors[0], &vendors[1]).await.created();

        admin.batch_execute("ROLLBACK").await.unwrap();
        for settled in waiting.join_all().await {
            settled.created();
        }
    });
}
