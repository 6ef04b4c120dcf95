//! Every route, with every kind of credential: what the API's description says is what happens.

use crate::support::{Answer, Client, House, audit};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::task::JoinSet;

/// A caller, and the security scheme of the description that lets it in.
struct Caller {
    name: &'static str,
    scheme: Option<&'static str>,
    client: Client,
}

async fn callers(house: &House) -> Vec<Caller> {
    house.operator.scheme("EURO").await;
    let vendor = house.operator.vendor("EURO", "MILES", "0.01").await;
    let user = house.user("alice").await;
    let mut wrong_secret = vendor.key.clone();
    let last = if wrong_secret.pop() == Some('0') { '1' } else { '0' };
    wrong_secret.push(last);
    let nobody = house.nobody();
    vec![
        Caller { name: "the operator", scheme: Some("operator_key"), client: house.operator.client.clone() },
        Caller { name: "a vendor", scheme: Some("vendor_key"), client: vendor.client.clone() },
        Caller { name: "a user", scheme: Some("user_session"), client: user.client.clone() },
        Caller { name: "nobody", scheme: None, client: nobody.clone() },
        Caller { name: "a wrong secret", scheme: None, client: nobody.with(&wrong_secret) },
        Caller { name: "a session's secret as a key", scheme: None, client: nobody.with(&user.session.replace("us_", "sk_")) },
        Caller { name: "an unknown key", scheme: None, client: nobody.with(&format!("sk_{}_{}", "0".repeat(32), "0".repeat(64))) },
        Caller { name: "nonsense", scheme: None, client: nobody.with("sk_x' OR 1=1 --") },
    ]
}

#[test]
fn every_route_lets_in_whom_its_description_names_and_nobody_else() {
    audit(async |house| {
        let callers = callers(house).await;
        let description = house.nobody().get("/openapi.json").await.ok();
        let mut walked = 0;
        for (path, methods) in description["paths"].as_object().expect("there are paths") {
            for (method, operation) in methods.as_object().expect("a path has methods") {
                let allowed = schemes(operation).unwrap_or_else(|| panic!("{method} {path} does not say who may call it"));
                for caller in &callers {
                    // Signing out would end the walk for the user; it has a test of its own.
                    if path == "/v1/session" && caller.scheme == Some("user_session") {
                        continue;
                    }
                    let public = allowed.is_empty();
                    let let_in = public || caller.scheme.is_some_and(|scheme| allowed.contains(scheme));
                    let answer = knock(&caller.client, method, path).await;
                    let turned_away = matches!(answer.status.as_u16(), 401 | 403);
                    let sentence = format!("{} at {method} {path}: {} {}", caller.name, answer.status, answer.text());
                    assert_eq!(turned_away, !let_in, "{sentence}");
                    assert!(answer.status.as_u16() < 500, "{sentence}");
                    if !let_in {
                        let code = if caller.scheme.is_none() { "unauthenticated" } else { "forbidden" };
                        assert_eq!(answer.json()["code"], code, "{sentence}");
                    }
                    walked += 1;
                }
            }
        }
        assert!(walked > 300, "only {walked} knocks: the description lost its routes");
    });
}

/// Nobody's ids, and a body that no route takes: enough to find out who is let in, and nothing happens.
async fn knock(client: &Client, method: &str, path: &str) -> Answer {
    let path = path
        .replace("{scheme}", "NOBODY")
        .replace("{vendor}", "NOBODY")
        .replace("{debtor}", "NOBODY")
        .replace("{payee}", "NOBODY")
        .replace("{code}", "NOBODY")
        .replace("{name}", "transfers.csv")
        .replace("{number}", "1")
        .replace("{id}", "00000000-0000-7000-8000-000000000000");
    assert!(!path.contains('{'), "a path parameter that the walk does not know: {path}");
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
    let request = client.request(method.clone(), &path).header("Idempotency-Key", "knock").header("If-Match", "\"1\"");
    let request = if method == Method::GET || method == Method::DELETE { request } else { request.json(&json!({"knock": true})) };
    Answer::of(request).await
}

/// The security schemes of an operation; empty for a public one; none if it says nothing.
fn schemes(operation: &Value) -> Option<BTreeSet<&str>> {
    let security = operation["security"].as_array()?;
    Some(security.iter().filter_map(Value::as_object).flat_map(|s| s.keys().map(String::as_str)).collect())
}

#[test]
fn expired_and_revoked_credentials_are_nobodys() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let alice = house.user("alice").await;
        let expires_at = house.clock.now().checked_add(SignedDuration::from_hours(1)).unwrap();
        let made = miles.client.post("/v1/vendor/keys", json!({"name": "short", "expires_at": expires_at.to_string()})).await.created();
        let short = miles.client.with(made["api_key"].as_str().expect("the secret is shown once"));
        short.get("/v1/vendor").await.ok();

        house.clock.advance(SignedDuration::from_hours(2));
        short.get("/v1/vendor").await.refused(401, "unauthenticated");
        alice.client.get("/v1/user").await.ok();
        house.clock.advance(SignedDuration::from_hours(11));
        alice.client.get("/v1/user").await.refused(401, "unauthenticated");

        let spare = miles.client.post("/v1/vendor/keys", json!({"name": "spare"})).await.created();
        let spare_client = miles.client.with(spare["api_key"].as_str().unwrap());
        spare_client.get("/v1/vendor").await.ok();
        let id = spare["key"]["id"].as_str().expect("a key has an id");
        assert_eq!(miles.client.delete(&format!("/v1/vendor/keys/{id}")).await.status, 204);
        spare_client.get("/v1/vendor").await.refused(401, "unauthenticated");
        miles.client.get("/v1/vendor").await.ok();
    });
}

#[test]
fn a_user_who_signs_out_is_nobody() {
    audit(async |house| {
        let alice = house.user("alice").await;
        assert_eq!(alice.client.delete("/v1/session").await.status, 204);
        alice.client.get("/v1/user").await.refused(401, "unauthenticated");
    });
}

#[test]
fn what_one_server_ends_opens_nothing_on_another() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let alice = house.user("alice").await;
        let elsewhere = Client::new(&house.second_server().await);
        for round in 0..10 {
            let spare = miles.client.post("/v1/vendor/keys", json!({"name": format!("spare {round}")})).await.created();
            let (spare, id) = (elsewhere.with(spare["api_key"].as_str().unwrap()), spare["key"]["id"].as_str().unwrap());
            spare.get("/v1/vendor").await.ok();
            assert_eq!(miles.client.delete(&format!("/v1/vendor/keys/{id}")).await.status, 204);
            spare.get("/v1/vendor").await.refused(401, "unauthenticated");
        }
        elsewhere.with(&alice.session).get("/v1/user").await.ok();
        assert_eq!(alice.client.delete("/v1/session").await.status, 204);
        elsewhere.with(&alice.session).get("/v1/user").await.refused(401, "unauthenticated");
    });
}

#[test]
fn many_callers_at_once_are_each_taken_for_themselves() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let users = [house.user("alice").await, house.user("bob").await, house.user("carol").await];
        let mut asked = JoinSet::new();
        for number in 0..300 {
            let user = users[number % 3].clone();
            let (vendor, stranger) = (miles.client.clone(), user.client.with(&user.session.replace("us_", "sk_")));
            asked.spawn(async move {
                match number % 4 {
                    0 => assert_eq!(vendor.get("/v1/vendor").await.ok()["code"], "MILES"),
                    1 => drop(stranger.get("/v1/user").await.refused(401, "unauthenticated")),
                    _ => assert_eq!(user.client.get("/v1/user").await.ok()["handle"], user.handle),
                }
            });
        }
        asked.join_all().await;
    });
}

#[test]
fn a_key_does_only_what_its_scopes_say() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let alice = house.user("alice").await;
        alice.open(&miles).await;
        let made = miles.client.post("/v1/vendor/keys", json!({"name": "rates only", "scopes": ["rates"]})).await.created();
        let rates_only = miles.client.with(made["api_key"].as_str().unwrap());

        let issue = rates_only.post_once("/v1/vendor/issues", json!({"user": "alice", "amount": "1"})).await;
        assert_eq!(issue.refused(403, "missing_scope")["scope"], "issue");
        rates_only.get("/v1/vendor/keys").await.refused(403, "missing_scope");
        rates_only.patch("/v1/vendor", "\"1\"", json!({"name": "Mine"})).await.refused(403, "missing_scope");
        rates_only.get("/v1/runs").await.refused(403, "missing_scope");
        rates_only.post("/v1/vendor/unit-values", json!({"unit_value": "0.02"})).await.created();
    });
}

#[test]
fn a_key_makes_no_stronger_key_and_ends_none() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let first = miles.client.get("/v1/vendor/keys").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
        let hour = house.clock.now().checked_add(SignedDuration::from_hours(1)).unwrap().to_string();
        let weak = json!({"name": "weak", "scopes": ["keys"], "expires_at": hour});
        let weak = miles.client.post("/v1/vendor/keys", weak).await.created();
        let weak = miles.client.with(weak["api_key"].as_str().unwrap());

        weak.post("/v1/vendor/keys", json!({"name": "x", "scopes": ["issue"]})).await.refused(403, "scope_not_held");
        let later = house.clock.now().checked_add(SignedDuration::from_hours(2)).unwrap().to_string();
        weak.post("/v1/vendor/keys", json!({"name": "x", "expires_at": later})).await.refused(422, "outlives_its_maker");
        let child = weak.post("/v1/vendor/keys", json!({"name": "x"})).await.created();
        assert!(child["key"]["expires_at"].is_string(), "it ends with its maker");
        weak.delete(&format!("/v1/vendor/keys/{first}")).await.refused(403, "scope_not_held");
        miles.client.get("/v1/vendor").await.ok();
    });
}

#[test]
fn a_wrong_password_and_an_unknown_handle_look_the_same() {
    audit(async |house| {
        let alice = house.user("alice").await;
        let wrong = house.nobody().post("/v1/sessions", json!({"handle": alice.handle, "password": "not this one"})).await;
        let unknown = house.nobody().post("/v1/sessions", json!({"handle": "mallory", "password": "not this one"})).await;
        let (wrong, unknown) = (wrong.refused(401, "wrong_handle_or_password"), unknown.refused(401, "wrong_handle_or_password"));
        assert_eq!(wrong, unknown);
        house.nobody().post("/v1/users", json!({"handle": "alice", "password": "another one"})).await.refused(409, "handle_taken");
        house.nobody().post("/v1/users", json!({"handle": "Alice!", "password": "another one"})).await.refused(422, "handle_malformed");
        house.nobody().post("/v1/users", json!({"handle": "carol", "password": "short"})).await.refused(422, "password_too_short");
    });
}

#[test]
fn secrets_are_stored_only_as_hashes() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let alice = house.user("alice").await;
        let admin = house.db_admin().await;
        for table in ["api_keys", "sessions", "users"] {
            let rows = admin.query(&format!("SELECT to_jsonb(t)::text FROM {table} t"), &[]).await.unwrap();
            assert!(!rows.is_empty());
            for row in rows {
                let text: String = row.get(0);
                for credential in [&miles.key, &alice.session] {
                    let secret = credential.rsplit('_').next().unwrap();
                    assert!(!text.contains(secret), "{table} holds a secret");
                }
                assert!(!text.contains("correct horse"), "{table} holds a password");
            }
        }
    });
}
