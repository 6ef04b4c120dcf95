//! Schedules: claimed once, however many processes run and however often the clock beats.

use crate::support::{House, audit, defaults};
use clearinghouse::app::App;
use jiff::{SignedDuration, Timestamp};
use ledger::Db;
use scrip::SchemeId;
use serde_json::{Value, json};

async fn scheduled(house: &House, cron: &str, zone: &str, misfire: &str) -> Value {
    house.operator.scheme("EURO").await;
    let body = json!({"cron": cron, "zone": zone, "misfire": misfire});
    house.operator.client.post("/v1/schemes/EURO/schedules", body).await.created()
}

fn next(schedule: &Value) -> Timestamp {
    schedule["next"][0].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_slot_is_run_once_however_often_it_beats() {
    audit(async |house| {
        let schedule = scheduled(house, "0 18 * * *", "Europe/Berlin", "run_once").await;
        assert_eq!(schedule["next"].as_array().unwrap().len(), 5);
        let slot = next(&schedule);
        let early = slot.checked_sub(SignedDuration::from_secs(1)).unwrap();
        assert!(house.app.runs.beat(early).await.unwrap().is_empty());

        let (one, two, three) = tokio::join!(house.app.runs.beat(slot), house.app.runs.beat(slot), house.app.runs.beat(slot));

        let made: usize = [one, two, three].into_iter().map(|runs| runs.unwrap().len()).sum();
        assert_eq!(made, 1);
        assert!(house.app.runs.beat(slot).await.unwrap().is_empty());
        let runs = house.operator.client.get("/v1/schemes/EURO/runs").await.ok();
        assert_eq!(runs["items"].as_array().unwrap().len(), 1);
        assert_eq!(runs["items"][0]["slot"], slot.to_string());
    });
}

#[test]
fn a_slot_is_claimed_once_by_two_processes_that_beat_at_the_same_instant() {
    audit(async |house| {
        let schedule = scheduled(house, "0 * * * *", "UTC", "run_once").await;
        let second = house.second_app(&defaults()).await;
        for number in 0..12 {
            let slot = next(&schedule).checked_add(SignedDuration::from_hours(number)).unwrap();
            let beat = |app: &App| {
                let app = app.clone();
                tokio::spawn(async move { app.runs.beat(slot).await.unwrap().len() })
            };

            let (one, two) = tokio::join!(beat(&house.app), beat(&second));

            assert_eq!(one.unwrap() + two.unwrap(), 1, "slot {slot}");
        }
        assert_eq!(house.db_count("SELECT count(*) FROM runs").await, 12);
        assert_eq!(house.db_count("SELECT count(*) FROM windows WHERE state = 'closed'").await, 12);
    });
}

#[test]
fn missed_slots_follow_the_policy() {
    for (misfire, expected) in [("run_once", 1), ("skip", 0), ("run_all", 3)] {
        audit(async |house| {
            let schedule = scheduled(house, "0 * * * *", "UTC", misfire).await;
            // Nobody was awake for two slots and a half hour into the third.
            let late = next(&schedule).checked_add(SignedDuration::from_mins(150)).unwrap();

            let runs = house.app.runs.beat(late).await.unwrap();

            assert_eq!(runs.len(), expected, "{misfire}");
            let in_time = next(&schedule).checked_add(SignedDuration::from_hours(3)).unwrap();
            assert_eq!(house.app.runs.beat(in_time).await.unwrap().len(), 1, "{misfire}: the next slot is run as planned");
        });
    }
}

#[test]
fn a_schedule_keeps_its_hour_when_the_clocks_change() {
    audit(async |house| {
        let schedule = scheduled(house, "30 17 24 3,11 *", "Europe/Berlin", "run_once").await;
        let hours: Vec<String> = schedule["next"].as_array().unwrap().iter().map(|at| at.as_str().unwrap()[11..16].to_owned()).collect();
        // Half past five in Berlin is 16:30 UTC in November, and in March until the change, which comes on the 25th at the earliest.
        assert!(hours.iter().all(|hour| hour == "16:30"), "{hours:?}");
        let summer = house
            .operator
            .client
            .post("/v1/schemes/EURO/schedules", json!({"cron": "30 17 1 7 *", "zone": "Europe/Berlin"}))
            .await
            .created();
        assert_eq!(&summer["next"][0].as_str().unwrap()[11..16], "15:30");
    });
}

#[test]
fn a_schedule_that_cannot_be_is_refused() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        for (body, code) in [
            (json!({"cron": "every day", "zone": "UTC"}), "cron_malformed"),
            (json!({"cron": "61 * * * *", "zone": "UTC"}), "cron_malformed"),
            (json!({"cron": "0 0 * * *", "zone": "Mars/Olympus"}), "zone_unknown"),
            (json!({"cron": "0 0 30 2 *", "zone": "UTC"}), "schedule_never_fires"),
            (json!({"cron": "0 0 * * *", "zone": "UTC", "misfire": "panic"}), "misfire_unknown"),
        ] {
            house.operator.client.post("/v1/schemes/EURO/schedules", body).await.refused(422, code);
        }
        house
            .operator
            .client
            .post("/v1/schemes/NOBODY/schedules", json!({"cron": "0 0 * * *", "zone": "UTC"}))
            .await
            .refused(404, "scheme_not_found");
        assert_eq!(house.operator.client.get("/v1/schemes/EURO/schedules").await.ok()["items"], json!([]));
    });
}

#[test]
fn a_disabled_schedule_runs_nothing() {
    audit(async |house| {
        let schedule = scheduled(house, "0 * * * *", "UTC", "run_once").await;
        let path = format!("/v1/schedules/{}", schedule["id"].as_str().unwrap());
        let request = house.operator.client.request(reqwest::Method::PATCH, &path).json(&json!({"enabled": false}));
        crate::support::Answer::of(request).await.ok();
        assert!(house.app.runs.beat(next(&schedule)).await.unwrap().is_empty());
    });
}

#[test]
fn a_crash_between_closing_and_netting_is_made_good() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "1").await;
        let beans = house.operator.vendor("EURO", "BEANS", "1").await;
        let alice = house.user("alice").await;
        miles.endow(&alice, "5").await;
        alice.open(&beans).await;
        alice.convert("5", &miles, &beans).await.created();
        // What a process leaves that dies after the first step: a closed window, the next one open, and no run.
        let db = Db::connect(&house.database.server_url, 1).await.unwrap();
        let mut connection = db.connection().await.unwrap();
        let tx = connection.begin_house().await.unwrap();
        let scheme = SchemeId::new(tx.query_one("SELECT id FROM schemes", &[]).await.unwrap().get(0));
        runs::windows::close(&tx, scheme, "crashed", runs::windows::Closing::Run).await.unwrap();
        tx.commit().await.unwrap();

        let resumed = house.app.runs.resume().await.unwrap();

        assert_eq!(resumed.len(), 1);
        let runs = house.operator.client.get("/v1/schemes/EURO/runs").await.ok();
        assert_eq!((&runs["items"][0]["slot"], &runs["items"][0]["net"]), (&json!("crashed"), &json!("5.00")));
        assert!(house.app.runs.resume().await.unwrap().is_empty());
    });
}
