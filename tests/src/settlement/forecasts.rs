//! What a window is on the way to.

use crate::support::{Debts, FIVE_DEBTS, House, audit, micro};
use serde_json::{Value, json};

/// Has the first window been open for so long.
async fn opened_ago(house: &House, interval: &str) {
    let opened = format!("UPDATE windows SET opened_at = clock_timestamp() - interval '{interval}' WHERE number = 1");
    house.db_admin().await.batch_execute(&opened).await.unwrap();
}

/// Within a thousandth: the time that the request takes is part of the time watched.
fn is_about(shown: &Value, expected: i64) -> bool {
    let shown = micro(shown.as_str().unwrap().trim_start_matches('-'));
    (shown - expected.abs()).abs() * 1_000 <= expected.abs()
}

#[test]
fn a_position_goes_on_as_it_has_until_the_window_closes() {
    audit(async |house| {
        let debts = Debts::open(house, "direct", "1", &FIVE_DEBTS).await;
        house.operator.cap(&debts.vendors["AA"], Some("100")).await;
        house.operator.cap(&debts.vendors["CC"], Some("100")).await;
        let path = "/v1/schemes/EURO/forecast";

        let early = house.operator.client.get(path).await.ok();
        let [aa, bb] = [&early["vendors"]["items"][0], &early["vendors"]["items"][1]];
        assert_eq!(
            (&aa["vendor"], &aa["owed"], &aa["owes"], &aa["net"]),
            (&json!("AA"), &json!("20.000000"), &json!("100.000000"), &json!("-80.000000"))
        );
        assert!(aa["pace_per_day"].is_null() && aa["net_at_close"].is_null() && aa["cap_reached_at"].is_null(), "a minute says nothing");
        assert!(bb["cap"].is_null() && early["closes_at"].is_null());

        opened_ago(house, "12 hours").await;
        let day = json!({"cron": "0 0 * * *", "zone": "UTC"});
        house.operator.client.post("/v1/schemes/EURO/schedules", day).await.created();
        let seen = house.operator.client.get(path).await.ok();
        let [aa, _, cc, dd] = [0, 1, 2, 3].map(|n| seen["vendors"]["items"][n].clone());
        assert!(is_about(&aa["pace_per_day"], -160_000_000) && aa["pace_per_day"].as_str().unwrap().starts_with('-'), "{aa}");
        assert!(is_about(&dd["pace_per_day"], 60_000_000), "{dd}");
        let instant = |text: &Value| text.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let hours = instant(&seen["closes_at"]).duration_since(instant(&seen["as_of"])).as_secs_f64() / 3_600.0;
        assert!((0.0..=24.0).contains(&hours));
        let expected = -80.0 * (12.0 + hours) / 12.0;
        assert!((aa["net_at_close"].as_str().unwrap().parse::<f64>().unwrap() / expected - 1.0).abs() < 0.001, "{aa} {expected}");
        // It owes 80 on balance after twelve hours, so 100 after three more; CC is owed.
        let reached = instant(&aa["cap_reached_at"]).duration_since(instant(&seen["as_of"])).as_secs_f64() / 3_600.0;
        assert!((reached - 3.0).abs() < 0.01 && cc["cap_reached_at"].is_null(), "{reached} {cc}");

        let own = debts.vendors["AA"].client.get("/v1/vendor/forecast").await.ok();
        assert_eq!(
            (&own["vendor"], &own["net"], &own["window"], &own["closes_at"]),
            (&aa["vendor"], &aa["net"], &seen["window"], &seen["closes_at"])
        );
        assert!(own.get("vendors").is_none(), "of the others nothing: {own}");
        let first = house.operator.client.get(&format!("{path}?limit=1")).await.ok();
        let rest = house.operator.client.get(&format!("{path}?after={}", first["vendors"]["next"].as_str().unwrap())).await.ok();
        assert_eq!((first["vendors"]["items"].as_array().unwrap().len(), rest["vendors"]["items"].as_array().unwrap().len()), (1, 3));
    });
}

#[test]
fn what_was_carried_counts_and_has_no_pace() {
    audit(async |house| {
        let debts = Debts::open(house, "direct", "1", &FIVE_DEBTS).await;
        house.operator.client.patch("/v1/schemes/EURO", "*", json!({"min_transfer": "70"})).await.ok();
        house.operator.settle("EURO").await;
        let moved = "UPDATE windows SET opened_at = opened_at - interval '1 hour' WHERE number = 1;
                     UPDATE windows SET closed_at = closed_at - interval '1 hour' WHERE number = 1;
                     UPDATE windows SET opened_at = opened_at - interval '1 hour' WHERE number = 2";
        house.db_admin().await.batch_execute(moved).await.unwrap();

        let own = debts.vendors["AA"].client.get("/v1/vendor/forecast").await.ok();

        assert_eq!((&own["net"], &own["pace_per_day"], &own["net_at_close"]), (&json!("-80.000000"), &json!("0.000000"), &Value::Null));
    });
}

#[test]
fn windows_that_the_next_run_nets_as_well_count() {
    audit(async |house| {
        let debts = Debts::open(house, "direct", "1", &FIVE_DEBTS).await;
        house.operator.client.post_once("/v1/schemes/EURO/windows", json!({})).await.created();
        let net = async || debts.vendors["AA"].client.get("/v1/vendor/forecast").await.ok()["net"].clone();
        assert_eq!(net().await, "-80.000000", "held");
        let run = house.operator.settle("EURO").await;
        assert_eq!(net().await, "0.000000", "a run settles them");
        house.operator.step(&run, "void", json!({"reason": "once more"})).await.ok();
        assert_eq!(net().await, "-80.000000");
    });
}

#[test]
fn a_forecast_is_of_a_scheme() {
    audit(async |house| {
        house.operator.client.get("/v1/schemes/NOBODY/forecast").await.refused(404, "scheme_not_found");
        let loner = house.operator.vendor_with(json!({"code": "LONER", "name": "Loner", "scale": 0, "unit_value": "1"})).await;
        loner.client.get("/v1/vendor/forecast").await.refused(404, "no_scheme");
        loner.client.get("/v1/schemes/NOBODY/forecast").await.refused(403, "forbidden");
        house.operator.client.get("/v1/vendor/forecast").await.refused(403, "forbidden");
    });
}
