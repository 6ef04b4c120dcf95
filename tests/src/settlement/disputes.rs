//! What vendors say of a run before money moves, and whom runs leave out.

use crate::support::{Answer, House, User, Vendor, audit};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// MILES owes BEANS 10.00 in one swap and 4.00 in another, in a scheme whose runs may be disputed for a day.
struct Market {
    miles: Vendor,
    beans: Vendor,
    alice: User,
}

impl Market {
    async fn open(house: &House, approval: &str) -> Self {
        let body = json!({"code": "EURO", "currency": "EUR", "strategy": "direct", "approval": approval, "dispute_hours": 24});
        house.operator.client.post("/v1/schemes", body).await.created();
        let miles = house.operator.vendor("EURO", "MILES", "1").await;
        let beans = house.operator.vendor("EURO", "BEANS", "1").await;
        let alice = house.user("alice").await;
        miles.endow(&alice, "100").await;
        alice.open(&beans).await;
        for send in ["10", "4"] {
            alice.convert(send, &miles, &beans).await.created();
        }
        Self { miles, beans, alice }
    }
}

fn path(run: &Value, rest: &str) -> String {
    format!("/v1/runs/{}/{rest}", run["id"].as_str().unwrap())
}

/// The obligation of this amount, as the vendor reads it in its statement.
async fn obligation(house: &House, run: &Value, amount: &str) -> String {
    let statement = house.operator.file(run, "statement-MILES.csv").await.text();
    let line = statement.lines().find(|line| line.starts_with("obligation,") && line.contains(amount)).expect("it is listed");
    line.split(',').nth(2).expect("a reference").to_owned()
}

async fn dispute(vendor: &Vendor, run: &Value, obligation: &str) -> Answer {
    vendor.client.post(&path(run, "disputes"), json!({"obligation": obligation, "reason": "never happened"})).await
}

async fn carried(house: &House) -> i64 {
    house.db_count("SELECT coalesce(sum(amount_micro), 0)::bigint FROM run_carries").await
}

#[test]
fn what_is_disputed_is_held_back_until_the_dispute_ends() {
    audit(async |house| {
        let market = Market::open(house, "second_person").await;
        let second = house.second_operator().await;
        let first = house.operator.settle("EURO").await;
        let disputed = obligation(house, &first, "10.000000").await;
        let raised = dispute(&market.miles, &first, &disputed).await.created();
        assert_eq!((&raised["amount"], &raised["raised_by"], &raised["state"]), (&json!("10.000000"), &json!("MILES"), &json!("open")));
        assert_eq!(dispute(&market.miles, &first, &disputed).await.created()["id"], raised["id"], "said twice, raised once");
        dispute(&market.beans, &first, &disputed).await.refused(409, "disputed_before");

        house.operator.step(&first, "propose", json!({})).await.ok();
        assert_eq!(second.approve(&first).await.refused(409, "run_disputed")["disputes"], 1);
        house.operator.step(&first, "void", json!({"reason": "MILES disputes a swap"})).await.ok();
        let preview = house.operator.client.get("/v1/schemes/EURO/preview").await.ok();
        let again = house.operator.settle("EURO").await;
        assert_eq!((&again["gross"], &again["total"], &again["output_hash"]), (&json!("14.00"), &json!("4.00"), &preview["output_hash"]));
        assert_eq!(carried(house).await, 10_000_000);

        // Still open: held back again. Withdrawn: paid with the next.
        let third = house.operator.settle("EURO").await;
        assert_eq!((&third["gross"], &third["total"]), (&json!("10.00"), &json!("0.00")));
        let id = raised["id"].as_str().unwrap();
        market.beans.client.post(&format!("/v1/disputes/{id}/withdraw"), json!({})).await.refused(404, "not_found");
        let ended = market.miles.client.post(&format!("/v1/disputes/{id}/withdraw"), json!({})).await.ok();
        assert_eq!(ended["state"], "withdrawn");
        house.operator.client.post(&format!("/v1/disputes/{id}/uphold"), json!({})).await.refused(409, "dispute_ended");
        let fourth = house.operator.settle("EURO").await;
        assert_eq!((&fourth["gross"], &fourth["total"]), (&json!("10.00"), &json!("10.00")));
    });
}

#[test]
fn what_was_rightly_disputed_is_owed_back() {
    audit(async |house| {
        let market = Market::open(house, "second_person").await;
        let first = house.operator.settle("EURO").await;
        let raised = dispute(&market.beans, &first, &obligation(house, &first, "4.000000").await).await.created();
        house.operator.step(&first, "void", json!({"reason": "BEANS disputes a swap"})).await.ok();
        let held = house.operator.settle("EURO").await;
        assert_eq!(held["total"], "10.00");

        let path = format!("/v1/disputes/{}/uphold", raised["id"].as_str().unwrap());
        market.miles.client.post(&path, json!({})).await.refused(403, "forbidden");
        for _ in 0..2 {
            assert_eq!(house.operator.client.post(&path, json!({})).await.ok()["state"], "upheld");
        }

        let last = house.operator.settle("EURO").await;
        assert_eq!((&last["gross"], &last["net"], &last["transfer_count"]), (&json!("8.00"), &json!("0.00"), &json!(0)));
    });
}

#[test]
fn a_run_waits_for_vendors_until_its_time_is_up_or_all_have_acknowledged() {
    audit(async |house| {
        let market = Market::open(house, "second_person").await;
        let second = house.second_operator().await;
        let first = house.operator.settle("EURO").await;
        house.operator.step(&first, "propose", json!({})).await.ok();
        second.approve(&first).await.refused(409, "run_may_be_disputed");
        for _ in 0..2 {
            assert_eq!(market.miles.client.post(&path(&first, "acknowledge"), json!({})).await.status, 204);
        }
        second.approve(&first).await.refused(409, "run_may_be_disputed");
        assert_eq!(market.beans.client.post(&path(&first, "acknowledge"), json!({})).await.status, 204);
        second.approve(&first).await.ok();
        dispute(&market.miles, &first, &obligation(house, &first, "10.000000").await).await.refused(409, "dispute_period_over");

        market.alice.convert("1", &market.miles, &market.beans).await.created();
        let next = house.operator.settle("EURO").await;
        house.operator.step(&next, "propose", json!({})).await.ok();
        house.clock.advance(SignedDuration::from_hours(25));
        market.miles.client.post(&path(&next, "acknowledge"), json!({})).await.refused(409, "dispute_period_over");
        second.approve(&next).await.ok();
    });
}

#[test]
fn a_scheme_that_approves_by_itself_waits_as_well() {
    audit(async |house| {
        Market::open(house, "auto").await;
        let run = house.operator.settle("EURO").await;
        assert_eq!(run["state"], "proposed");
        assert_eq!(house.app.runs.approve_due(house.clock.now()).await.unwrap(), 0);
        house.clock.advance(SignedDuration::from_hours(25));

        assert_eq!(house.app.runs.approve_due(house.clock.now()).await.unwrap(), 1);

        let run = house.operator.client.get(&format!("/v1/runs/{}", run["id"].as_str().unwrap())).await.ok();
        assert_eq!(run["state"], "approved");
    });
}

#[test]
fn only_the_parties_of_an_obligation_dispute_it() {
    audit(async |house| {
        let market = Market::open(house, "second_person").await;
        let other = house.operator.vendor("EURO", "OTHER", "1").await;
        market.alice.open(&other).await;
        market.alice.convert("1", &market.miles, &other).await.created();
        let run = house.operator.settle("EURO").await;
        let between = obligation(house, &run, "10.000000").await;
        let raised = dispute(&market.miles, &run, &between).await.created();

        dispute(&other, &run, &between).await.refused(422, "obligation_not_found");
        dispute(&other, &run, "00000000-0000-7000-8000-000000000000").await.refused(422, "obligation_not_found");
        other.client.post(&format!("/v1/disputes/{}/withdraw", raised["id"].as_str().unwrap()), json!({})).await.refused(404, "not_found");
        let seen = |page: Value| page["items"].as_array().unwrap().len();
        let mut counts = Vec::new();
        for client in [&house.operator.client, &market.beans.client, &other.client] {
            counts.push(seen(client.get(&path(&run, "disputes")).await.ok()));
        }
        assert_eq!(counts, [1, 1, 0]);
        let stranger = house.operator.vendor("EURO", "STRANGER", "1").await;
        dispute(&stranger, &run, &between).await.refused(404, "not_found");
        stranger.client.get(&path(&run, "disputes")).await.refused(404, "not_found");
        let bad = json!({"obligation": between, "reason": "a\nb"});
        market.beans.client.post(&path(&run, "disputes"), bad).await.refused(422, "reason_malformed");
        let read_only =
            market.beans.client.post("/v1/vendor/keys", json!({"name": "reader", "scopes": ["settlement:read"]})).await.created();
        let reader = market.beans.client.with(read_only["api_key"].as_str().unwrap());
        reader.post(&path(&run, "acknowledge"), json!({})).await.refused(403, "missing_scope");
    });
}

#[test]
fn a_vendor_that_is_left_out_neither_pays_nor_is_paid_and_goes_on_owing() {
    audit(async |house| {
        let market = Market::open(house, "second_person").await;
        let other = house.operator.vendor("EURO", "OTHER", "1").await;
        market.alice.open(&other).await;
        market.alice.convert("6", &market.beans, &other).await.created();
        let exclusion = "/v1/schemes/EURO/exclusions/MILES";
        let put = |path: &str, body: Value| Answer::of(house.operator.client.request(reqwest::Method::PUT, path).json(&body));
        assert_eq!(put(exclusion, json!({"reason": "does not pay"})).await.status, 204);
        put("/v1/schemes/EURO/exclusions/NOBODY", json!({"reason": "x"})).await.refused(404, "not_member");
        put(exclusion, json!({"reason": ""})).await.refused(422, "reason_malformed");
        let listed = house.operator.client.get("/v1/schemes/EURO/exclusions").await.ok();
        assert_eq!((&listed["items"][0]["vendor"], &listed["items"][0]["reason"]), (&json!("MILES"), &json!("does not pay")));

        let first = house.operator.settle("EURO").await;
        assert_eq!((&first["gross"], &first["total"], carried(house).await), (&json!("20.00"), &json!("6.00"), 14_000_000));
        assert_eq!(house.operator.client.delete(exclusion).await.status, 204);
        house.operator.client.delete(exclusion).await.refused(404, "not_excluded");
        let second = house.operator.settle("EURO").await;

        assert_eq!((&second["gross"], &second["total"]), (&json!("14.00"), &json!("14.00")));
    });
}
