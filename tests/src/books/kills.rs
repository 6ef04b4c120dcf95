//! SIGKILL while swaps are posted: the server, then PostgreSQL. Every acknowledged swap is there once, none twice.

use crate::support::cluster::fresh_database;
use crate::support::program::{self, Served, run, succeeded};
use crate::support::{Client, micro};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

const SWAPPERS: usize = 6;
const ACKNOWLEDGED_BEFORE_KILL: usize = 120;

/// The users of the market, by their sessions, and every key that was sent, with the swap that was acknowledged for it.
#[derive(Default)]
struct Sent {
    keys: Mutex<BTreeMap<(usize, String), Option<Value>>>,
    acknowledged: AtomicUsize,
    enough: Notify,
    over: AtomicBool,
}

fn swap() -> Value {
    json!({"from": "MILES", "to": "BEANS", "send": "1"})
}

/// Two vendors and some users who hold plenty.
async fn furnish(base: &str, operator_key: &str) -> Vec<String> {
    let operator = Client::new(base).with(operator_key);
    operator.post("/v1/schemes", json!({"code": "EURO", "currency": "EUR", "strategy": "direct"})).await.created();
    let mut keys = Vec::new();
    for code in ["MILES", "BEANS"] {
        let body = json!({"code": code, "name": code, "scale": 2, "unit_value": "0.01", "scheme": "EURO"});
        keys.push(operator.post("/v1/vendors", body).await.created()["api_key"].as_str().unwrap().to_owned());
    }
    let mut sessions = Vec::new();
    for number in 0..SWAPPERS {
        let credentials = json!({"handle": format!("user{number}"), "password": "correct horse"});
        Client::new(base).post("/v1/users", credentials.clone()).await.created();
        let session = Client::new(base).post("/v1/sessions", credentials).await.created()["token"].as_str().unwrap().to_owned();
        let user = Client::new(base).with(&session);
        for code in ["MILES", "BEANS"] {
            user.post("/v1/accounts", json!({"vendor": code})).await.created();
        }
        let issue = json!({"user": format!("user{number}"), "amount": "1000000"});
        operator.with(&keys[0]).post_keyed("/v1/vendor/issues", &format!("endow-{number}"), issue).await.created();
        sessions.push(session);
    }
    // More than all that is swapped here: every batch reads what MILES owes, under lock.
    operator.put("/v1/vendors/MILES/cap", Some("*"), json!({"net_debit_cap": "1000000"})).await.ok();
    sessions
}

/// Swaps without pause until the server no longer answers with success, or it is over.
async fn swap_until_it_fails(client: Client, user: usize, swapper: usize, sent: Arc<Sent>) {
    for number in 0.. {
        if sent.over.load(Ordering::SeqCst) {
            return;
        }
        let key = format!("swap-{swapper}-{number}");
        sent.keys.lock().unwrap().insert((user, key.clone()), None);
        let request = client.request(reqwest::Method::POST, "/v1/swaps").header("Idempotency-Key", &key).json(&swap());
        let Ok(response) = request.send().await else { return };
        if response.status() != 201 {
            return;
        }
        let Ok(view) = response.json::<Value>().await else { return };
        sent.keys.lock().unwrap().insert((user, key), Some(view));
        if sent.acknowledged.fetch_add(1, Ordering::SeqCst) + 1 >= ACKNOWLEDGED_BEFORE_KILL {
            sent.enough.notify_one();
        }
    }
}

/// Sends every key again: what was acknowledged is there as it was, what was not is there once.
async fn reconcile(base: &str, operator_key: &str, sessions: &[String], sent: &Sent) {
    let keys = sent.keys.lock().unwrap().clone();
    let mut lost_answers = 0;
    for ((user, key), acknowledged) in &keys {
        let again = Client::new(base).with(&sessions[*user]).post_keyed("/v1/swaps", key, swap()).await;
        match acknowledged {
            Some(view) => {
                assert_eq!(again.header("idempotency-replayed"), "true", "{key} was acknowledged and is gone");
                assert_eq!(&again.created(), view);
            }
            None => {
                lost_answers += 1;
                again.created();
            }
        }
    }
    assert!(keys.len() - lost_answers >= ACKNOWLEDGED_BEFORE_KILL);
    let headroom = Client::new(base).with(operator_key).get("/v1/vendors/MILES/headroom").await.ok();
    assert_eq!(micro(headroom["owes"].as_str().unwrap()), 10_000 * i64::try_from(keys.len()).unwrap(), "each is worth a cent");
    let run = Client::new(base).with(operator_key).post_once("/v1/schemes/EURO/runs", json!({})).await.created();
    assert_eq!(run["obligation_count"].as_u64().unwrap(), u64::try_from(keys.len()).unwrap(), "each key swapped once");
}

fn verify(data_dir: &Path) {
    let verified = program::run(&["--data-dir", data_dir.to_str().unwrap(), "verify"]);
    assert!(verified.status.success(), "{}{}", String::from_utf8_lossy(&verified.stdout), String::from_utf8_lossy(&verified.stderr));
}

/// Each user swaps at each of the servers until they have swapped enough, `kill` has done its work, and either every server is gone or
/// those that are left have swapped as much again.
async fn swap_until<F: Future<Output = ()>>(bases: &[&str], sessions: &[String], kill: impl FnOnce() -> F) -> Arc<Sent> {
    let sent = Arc::new(Sent::default());
    let mut swappers = tokio::task::JoinSet::new();
    for (server, base) in bases.iter().enumerate() {
        for (user, session) in sessions.iter().enumerate() {
            let swapper = server * sessions.len() + user;
            swappers.spawn(swap_until_it_fails(Client::new(base).with(session), user, swapper, Arc::clone(&sent)));
        }
    }
    sent.enough.notified().await;
    kill().await;
    if bases.len() > 1 {
        sent.acknowledged.store(0, Ordering::SeqCst);
        sent.enough.notified().await;
        sent.enough.notified().await;
        sent.over.store(true, Ordering::SeqCst);
    }
    swappers.join_all().await;
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_and_doubles_nothing() {
    let dir = program::data_dir();
    let served = Served::start(dir.path());
    let (base, operator_key) = (served.base.clone(), served.operator_key());
    let sessions = furnish(&base, &operator_key).await;

    let sent = swap_until(&[&base], &sessions, || async { served.kill() }).await;

    let served = Served::start(dir.path());
    verify(dir.path());
    reconcile(&served.base, &operator_key, &sessions, &sent).await;
    verify(dir.path());
    served.stop();
    verify(dir.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_servers_at_one_database_one_is_killed_and_nothing_is_lost_or_doubled() {
    let database = fresh_database().await;
    let on_it = ["--database-url", &database.server_url];
    let (killed, other) = (Served::start_with(&on_it), Served::start_with(&on_it));
    let operator_key = killed.operator_key();
    let sessions = furnish(&killed.base, &operator_key).await;

    let (first, second) = (killed.base.clone(), other.base.clone());
    let sent = swap_until(&[&first, &second], &sessions, || async { killed.kill() }).await;

    succeeded(&run(&[&on_it[..], &["verify"]].concat()));
    reconcile(&second, &operator_key, &sessions, &sent).await;
    succeeded(&run(&[&on_it[..], &["verify"]].concat()));
    other.stop();
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_postgresql_loses_and_doubles_nothing() {
    let dir = program::data_dir();
    let served = Served::start(dir.path());
    let (base, operator_key) = (served.base.clone(), served.operator_key());
    let sessions = furnish(&base, &operator_key).await;

    let postmaster = dir.path().join("pgdata/postmaster.pid");
    let sent = swap_until(&[&base], &sessions, || async {
        let pid = std::fs::read_to_string(&postmaster).expect("PostgreSQL runs").lines().next().expect("its pid").to_owned();
        assert!(std::process::Command::new("kill").args(["-KILL", &pid]).status().expect("kill runs").success());
    })
    .await;

    // The server starts PostgreSQL again by itself; until it has recovered, requests are answered with 503 or time out.
    while Client::new(&base).with(&operator_key).get("/v1/schemes").await.status != 200 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    verify(dir.path());
    reconcile(&base, &operator_key, &sessions, &sent).await;
    verify(dir.path());
    served.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_keeps_its_data_and_leaves_no_postgresql_behind() {
    let dir = program::data_dir();
    let served = Served::start(dir.path());
    let (base, operator_key) = (served.base.clone(), served.operator_key());
    furnish(&base, &operator_key).await;
    served.stop();
    assert!(!dir.path().join("pgdata/postmaster.pid").exists(), "PostgreSQL has stopped");

    let served = Served::start(dir.path());
    assert!(served.said.iter().all(|line| !line.contains("sk_")), "the key is shown once");
    let vendors = Client::new(&served.base).with(&operator_key).get("/v1/vendors").await.ok();
    assert_eq!(vendors["items"].as_array().unwrap().len(), 2);
    let second = program::run(&["--data-dir", dir.path().to_str().unwrap(), "serve"]);
    assert_eq!(second.status.code(), Some(1), "one server per data directory");
    served.stop();
}
