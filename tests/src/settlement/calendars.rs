//! Calendars: the days on which no slot falls, and schedules that go by them.

use crate::support::{Answer, House, audit};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const SCHEDULES: &str = "/v1/schemes/EURO/schedules";

/// The calendar BANKS, which closes these dates and no weekend.
async fn banks(house: &House, dates: &[&str]) -> Value {
    house.operator.client.put("/v1/calendars/BANKS", None, closing(dates)).await.created()
}

fn closing(dates: &[&str]) -> Value {
    json!({"closed_on": dates, "weekends": false})
}

async fn replace(house: &House, dates: &[&str]) -> Answer {
    house.operator.client.put("/v1/calendars/BANKS", Some("*"), closing(dates)).await
}

async fn observing(house: &House, cron: &str, on_closed: &str) -> Value {
    let body = json!({"cron": cron, "zone": "UTC", "calendar": "BANKS", "on_closed": on_closed});
    house.operator.client.post(SCHEDULES, body).await.created()
}

/// The only schedule as it is now.
async fn schedule(house: &House) -> Value {
    house.operator.client.get(SCHEDULES).await.ok()["items"][0].clone()
}

async fn switch(house: &House, schedule: &Value, enabled: bool) -> Answer {
    let path = format!("/v1/schedules/{}", schedule["id"].as_str().unwrap());
    Answer::of(house.operator.client.request(reqwest::Method::PATCH, &path).json(&json!({"enabled": enabled}))).await
}

fn next(schedule: &Value) -> Vec<Timestamp> {
    schedule["next"].as_array().unwrap().iter().map(|at| at.as_str().unwrap().parse().unwrap()).collect()
}

fn date(at: Timestamp) -> String {
    at.to_string()[..10].to_owned()
}

/// Moves the house's clock there.
fn wait_until(house: &House, at: Timestamp) {
    house.clock.advance(at.duration_since(house.clock.now()));
}

#[test]
fn a_slot_on_a_closed_day_is_moved_or_left_out() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let daily = house.operator.client.post(SCHEDULES, json!({"cron": "0 18 * * *", "zone": "UTC"})).await.created();
        assert_eq!((&daily["calendar"], &daily["on_closed"]), (&json!(null), &json!(null)));
        switch(house, &daily, false).await.ok();
        let days = next(&daily);
        banks(house, &[&date(days[1])]).await;
        let cron = format!("0 18 {} {} *", &date(days[1])[8..], &date(days[1])[5..7]);

        let skipping = observing(house, &cron, "skip").await;
        let moved = house.operator.client.post(SCHEDULES, json!({"cron": cron, "zone": "UTC", "calendar": "BANKS"})).await.created();

        assert_eq!((&skipping["calendar"], &skipping["on_closed"]), (&json!("BANKS"), &json!("skip")));
        assert_eq!((&moved["calendar"], &moved["on_closed"]), (&json!("BANKS"), &json!("following")));
        assert!(next(&skipping)[0] > days[4], "a year later");
        assert_eq!((next(&moved).len(), next(&moved)[0]), (5, days[2]));
        assert!(house.app.runs.beat(days[1]).await.unwrap().is_empty());
        assert_eq!(house.app.runs.beat(days[2]).await.unwrap().len(), 1);
        assert_eq!(house.operator.client.get("/v1/schemes/EURO/runs").await.ok()["items"][0]["slot"], days[2].to_string());
    });
}

#[test]
fn replacing_a_calendar_plans_its_schedules_anew() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        banks(house, &[]).await;
        let days = next(&observing(house, "0 18 * * *", "following").await);

        let replaced = replace(house, &[&date(days[0]), &date(days[1])]).await;

        assert_eq!(replaced.header("etag"), "\"2\"");
        replaced.ok();
        assert_eq!(next(&schedule(house).await)[..3], days[2..5]);
        assert!(house.app.runs.beat(days[1]).await.unwrap().is_empty());
        wait_until(house, days[2]);
        assert_eq!(house.app.runs.beat(days[2]).await.unwrap().len(), 1);
        // The slot that was run is run whatever the calendar says of it now.
        replace(house, &[&date(days[2])]).await.ok();
        replace(house, &[]).await.ok();
        assert_eq!(next(&schedule(house).await)[0], days[3]);
        assert!(house.app.runs.beat(days[2]).await.unwrap().is_empty());
        assert_eq!(house.db_count("SELECT count(*) FROM runs").await, 1);
    });
}

#[test]
fn a_slot_that_is_due_stays_due_when_its_day_is_closed() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        banks(house, &[]).await;
        let days = next(&observing(house, "0 18 * * *", "skip").await);
        let late = days[0].checked_add(SignedDuration::from_secs(10)).unwrap();
        wait_until(house, late);

        replace(house, &[&date(days[0])]).await.ok();

        assert_eq!(house.app.runs.beat(late).await.unwrap().len(), 1);
        assert_eq!(house.operator.client.get("/v1/schemes/EURO/runs").await.ok()["items"][0]["slot"], days[0].to_string());
        assert_eq!(next(&schedule(house).await)[0], days[1]);
    });
}

#[test]
fn a_calendar_that_leaves_a_schedule_no_day_is_refused() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        banks(house, &[]).await;
        let once = observing(house, "0 0 9 25 12 * 2099", "skip").await;

        let problem = replace(house, &["2099-12-25"]).await.refused(409, "calendar_stops_schedule");

        assert_eq!((&problem["schedule"], &problem["cron"]), (&once["id"], &json!("0 0 9 25 12 * 2099")));
        assert_eq!(house.operator.client.get("/v1/calendars/BANKS").await.ok()["closed_on"], json!([]));
        assert_eq!(next(&schedule(house).await), next(&once));
        // What is off does not hold the calendar up, and does not come on again.
        switch(house, &once, false).await.ok();
        replace(house, &["2099-12-25"]).await.ok();
        switch(house, &once, true).await.refused(422, "schedule_never_fires");
        replace(house, &[]).await.ok();
        switch(house, &once, true).await.ok();
        let weekends = json!({"closed_on": [], "weekends": true});
        house.operator.client.put("/v1/calendars/WEEKDAYS", None, weekends).await.created();
        let saturdays = json!({"cron": "0 9 * * SAT", "zone": "UTC", "calendar": "WEEKDAYS", "on_closed": "skip"});
        house.operator.client.post(SCHEDULES, saturdays).await.refused(422, "schedule_never_fires");
    });
}

#[test]
fn a_calendar_is_replaced_by_whoever_read_it_last() {
    audit(async |house| {
        let operator = &house.operator.client;
        operator.get("/v1/calendars/BANKS").await.refused(404, "calendar_not_found");
        operator.put("/v1/calendars/BANKS", Some("*"), closing(&[])).await.refused(404, "calendar_not_found");
        let made = operator.put("/v1/calendars/BANKS", None, closing(&["2026-12-26", "2026-12-25", "2026-12-26"])).await;
        assert_eq!(made.header("etag"), "\"1\"");
        let made = made.created();
        assert_eq!(made["closed_on"], json!(["2026-12-25", "2026-12-26"]));

        operator.put("/v1/calendars/BANKS", None, closing(&[])).await.refused(428, "if_match_required");
        let old = operator.put("/v1/calendars/BANKS", Some("\"2\""), closing(&[])).await.refused(412, "version_mismatch");
        assert_eq!(old["version"], 1);
        let read = operator.get("/v1/calendars/BANKS").await;
        let tag = read.header("etag").to_owned();
        assert_eq!(read.ok(), made);
        let two = json!({"closed_on": ["2027-01-01"], "weekends": true});
        assert_eq!(operator.put("/v1/calendars/BANKS", Some(&tag), two).await.ok()["version"], 2);

        operator.put("/v1/calendars/ALWAYS", None, closing(&[])).await.created();
        let first = operator.get("/v1/calendars?limit=1").await.ok();
        let nothing = json!({"code": "ALWAYS", "weekends": false, "date_count": 0, "first_on": null, "last_on": null, "version": 1});
        assert_eq!(first["items"], json!([nothing]));
        let second = operator.get(&format!("/v1/calendars?after={}", first["next"].as_str().unwrap())).await.ok();
        let one =
            json!({"code": "BANKS", "weekends": true, "date_count": 1, "first_on": "2027-01-01", "last_on": "2027-01-01", "version": 2});
        assert_eq!((&second["items"], &second["next"]), (&json!([one]), &json!(null)));
    });
}

#[test]
fn a_calendar_that_cannot_be_is_refused() {
    audit(async |house| {
        let operator = &house.operator.client;
        for date in ["2026-02-30", "2026-12-25T00:00:00Z", "20261225", "25.12.2026", "1999-12-31", "2200-01-01", "", "infinity", "\u{0}"] {
            let problem =
                operator.put("/v1/calendars/BANKS", None, closing(&["2026-12-25", date])).await.refused(422, "calendar_malformed");
            assert_eq!((&problem["field"], &problem["date"]), (&json!("closed_on"), &json!(date)));
        }
        let many = vec!["2026-12-25"; 4_001];
        let problem = operator.put("/v1/calendars/BANKS", None, closing(&many)).await.refused(422, "calendar_malformed");
        assert_eq!(problem["max"], 4_000);
        for body in [json!({"closed_on": []}), json!({"closed_on": [20261225], "weekends": true}), json!({"weekends": true}), json!({})] {
            operator.put("/v1/calendars/BANKS", None, body).await.refused(400, "invalid_body");
        }
        for code in ["banks", "B", "HOUSE", "%00", "BANK%20S"] {
            operator.put(&format!("/v1/calendars/{code}"), None, closing(&[])).await.refused(422, "code_malformed");
            operator.get(&format!("/v1/calendars/{code}")).await.refused(404, "calendar_not_found");
        }
        assert_eq!(operator.get("/v1/calendars").await.ok()["items"], json!([]));
    });
}

#[test]
fn a_schedule_that_names_no_calendar_of_the_house_is_refused() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        banks(house, &[]).await;
        let schedule = |more: Value| {
            let mut body = json!({"cron": "0 18 * * *", "zone": "UTC"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for (more, code, field) in [
            (json!({"calendar": "NOBODY"}), "calendar_not_found", "calendar"),
            (json!({"calendar": "no code\u{0}"}), "calendar_not_found", "calendar"),
            (json!({"calendar": "BANKS", "on_closed": "preceding"}), "on_closed_unknown", "on_closed"),
            (json!({"on_closed": "skip"}), "calendar_required", "calendar"),
        ] {
            let problem = house.operator.client.post(SCHEDULES, schedule(more)).await.refused(422, code);
            assert_eq!(problem["field"], field, "{code}");
        }
        assert_eq!(house.operator.client.get(SCHEDULES).await.ok()["items"], json!([]));
    });
}

#[test]
fn the_largest_calendar_is_kept_and_gone_by() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let first: jiff::civil::Date = date(house.clock.now()).parse().unwrap();
        let days = std::iter::successors(Some(first), |day| day.tomorrow().ok()).map(|day| day.to_string());
        let days: Vec<String> = days.take(4_001).collect();
        let closed: Vec<&str> = days[..4_000].iter().map(String::as_str).collect();
        banks(house, &closed).await;
        for on_closed in ["skip", "following"] {
            let schedule = observing(house, "0 18 * * *", on_closed).await;
            assert_eq!(date(next(&schedule)[0]), days[4_000], "{on_closed}");
        }
    });
}

#[test]
fn a_damaged_calendar_stops_its_own_schedules_only() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        banks(house, &[]).await;
        let broken = observing(house, "0 18 * * *", "following").await;
        house.operator.scheme("OTHER").await;
        let other = json!({"cron": "0 18 * * *", "zone": "UTC"});
        house.operator.client.post("/v1/schemes/OTHER/schedules", other).await.created();
        let damage = "ALTER TABLE calendars DROP CONSTRAINT calendars_closed_on_range; UPDATE calendars SET closed_on = '{infinity}'";
        house.db_admin().await.batch_execute(damage).await.unwrap();

        let runs = house.app.runs.beat(next(&broken)[0]).await.unwrap();

        assert_eq!(runs.len(), 1);
        assert_eq!(house.operator.client.get("/v1/schemes/OTHER/runs").await.ok()["items"][0]["id"], runs[0].to_string());
        replace(house, &[]).await.ok();
        let found = schedule(house).await;
        assert_eq!(found["enabled"], false);
        assert_eq!(next(&switch(house, &found, true).await.ok()), next(&broken));
    });
}

#[test]
fn no_schedule_goes_by_what_a_calendar_was() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        banks(house, &[]).await;
        let first = observing(house, "0 18 * * *", "skip").await;
        let day = date(next(&first)[0]);

        let replacing = async {
            for _ in 0..8 {
                replace(house, &[]).await.ok();
                replace(house, &[&day]).await.ok();
            }
        };
        let creating = async {
            for _ in 0..16 {
                observing(house, "0 18 * * *", "skip").await;
            }
        };
        let switching = async {
            for round in 0..33 {
                switch(house, &first, round % 2 == 0).await.ok();
            }
        };
        tokio::join!(replacing, creating, switching);

        let expected = observing(house, "0 18 * * *", "skip").await["next"].clone();
        let schedules = house.operator.client.get(SCHEDULES).await.ok();
        for schedule in schedules["items"].as_array().unwrap() {
            assert_eq!((&schedule["enabled"], &schedule["next"]), (&json!(true), &expected));
        }
    });
}
