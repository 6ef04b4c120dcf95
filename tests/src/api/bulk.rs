//! Many swaps in one request: each line by itself, for whom the caller may act, and no more at a time than the server takes.

use crate::support::{Answer, Client, House, Market, User, Vendor, audit, defaults};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

const NDJSON: &str = "application/x-ndjson";

/// Sends the text as a bulk request.
async fn post_text(client: &Client, key: &str, text: impl Into<String>) -> Answer {
    let request = client.request(Method::POST, "/v1/swaps/bulk").header("Idempotency-Key", key).header("Content-Type", NDJSON);
    Answer::of(request.body(text.into())).await
}

/// Sends the lines, and reads as many answers.
async fn post_lines(client: &Client, key: &str, lines: &[Value]) -> Vec<Value> {
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    let answers = read(post_text(client, key, text.join("\n")).await);
    assert_eq!(answers.len(), lines.len());
    answers
}

/// The answers of a request that was taken, which are numbered in their order.
#[track_caller]
fn read(answer: Answer) -> Vec<Value> {
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, NDJSON), "{}", answer.text());
    let answers: Vec<Value> = answer.text().lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    for (place, answer) in answers.iter().enumerate() {
        assert_eq!(answer["line"], place + 1, "{answer}");
        let problem = &answer["problem"];
        assert!(problem.is_null() || problem["status"] == answer["status"], "{answer}");
    }
    answers
}

/// `201` or the code of each line's problem.
fn codes(answers: &[Value]) -> Vec<&str> {
    answers.iter().map(|answer| answer["problem"]["code"].as_str().unwrap_or(if answer["status"] == 201 { "201" } else { "?" })).collect()
}

/// The lines that were made, by whether they had been made before.
fn replayed(answers: &[Value]) -> Vec<&Value> {
    answers.iter().map(|answer| &answer["replayed"]).collect()
}

async fn balances(user: &User, vendors: [&Vendor; 2]) -> [String; 2] {
    [user.balance(vendors[0]).await, user.balance(vendors[1]).await]
}

#[test]
fn each_line_is_answered_by_itself() {
    audit(async |house| {
        let Market { miles, beans, alice } = Market::open(house, "0.03", "10").await;
        let bob = house.user("bob").await;
        bob.open(&beans).await;
        let lines = [
            r#"{"from": "MILES", "to": "BEANS", "send": "3"}"#,
            r#"{"from": "MILES", "to": "BEANS", "send": "300"}"#,
            "",
            "not json",
            r#"{"from": "MILES", "to": "BEANS", "send": 3}"#,
            r#"{"from": "MILES", "to": "BEANS", "sent": "3"}"#,
            r#"["MILES", "BEANS", "3"]"#,
            r#"{"from": "MILES", "to": "NOBODY", "send": "3"}"#,
            r#"{"from": "MILES", "to": "BEANS", "receive": "1", "payee": "bob", "max_send": "3"}"#,
            r#"{"from": "MILES", "to": "BEANS", "receive": "1", "payee": "carol"}"#,
            r#"{"from": "MILES", "to": "BEANS"}"#,
            r#"{"from": "MILES", "to": "BEANS", "send": "3", "min_receive": "1.01"}"#,
        ];

        let answers = read(post_text(&alice.client, "mixed", lines.join("\n") + "\n").await);

        let expected = [
            "201",
            "insufficient_tokens",
            "invalid_body",
            "invalid_body",
            "invalid_body",
            "invalid_body",
            "invalid_body",
            "vendor_not_found",
            "201",
            "user_not_found",
            "one_side_fixed",
            "below_min_receive",
        ];
        assert_eq!(codes(&answers), expected);
        assert_eq!((&answers[4]["problem"]["field"], &answers[7]["problem"]["field"]), (&json!("send"), &json!("to")));
        assert_eq!((&answers[9]["problem"]["field"], &answers[1]["problem"]["available"]), (&json!("payee"), &json!("7.00")));
        let swap = &answers[0]["swap"];
        assert_eq!(
            (&swap["kind"], &swap["send"], &swap["receive"], &answers[0]["replayed"]),
            (&json!("convert"), &json!("3.00"), &json!("1.00"), &json!(false))
        );
        assert_eq!(*swap, alice.client.get(&format!("/v1/swaps/{}", swap["id"].as_str().unwrap())).await.ok());
        assert_eq!(balances(&alice, [&miles, &beans]).await, ["4.00", "1.00"]);
        assert_eq!(bob.balance(&beans).await, "1.00");
    });
}

#[test]
fn a_repeated_request_gives_first_answers_and_tries_refused_lines_again() {
    audit(async |house| {
        let Market { miles, beans, alice } = Market::open(house, "0.01", "5").await;
        let convert = |send: &str| json!({"from": "MILES", "to": "BEANS", "send": send});
        let lines = [convert("2"), convert("4"), json!({"nonsense": true}), convert("1")];
        let first = post_lines(&alice.client, "k", &lines).await;
        assert_eq!(codes(&first), ["201", "insufficient_tokens", "invalid_body", "201"]);
        miles.issue(&alice, "2").await.created();

        let text: Vec<String> = lines.iter().map(|line| format!("  {}  ", line.to_string().replace(':', " : "))).collect();
        let again = read(post_text(&alice.client, "k", text.join("\r\n")).await);

        assert_eq!(codes(&again), ["201", "201", "invalid_body", "201"]);
        assert_eq!(replayed(&again), [&json!(true), &json!(false), &json!(null), &json!(true)]);
        assert_eq!((&again[0]["swap"], &again[3]["swap"]), (&first[0]["swap"], &first[3]["swap"]));
        assert_eq!(balances(&alice, [&miles, &beans]).await, ["0.00", "7.00"]);
        let third = post_lines(&alice.client, "k", &lines).await;
        assert_eq!(replayed(&third), [&json!(true), &json!(true), &json!(null), &json!(true)]);
        let second_server = Client::new(&house.second_server().await).with(&alice.session);
        assert_eq!(post_lines(&second_server, "k", &lines).await, third);
    });
}

#[test]
fn a_line_that_says_something_else_is_refused_alone() {
    audit(async |house| {
        let Market { alice, beans, .. } = Market::open(house, "0.01", "50").await;
        let convert = |send: &str| json!({"from": "MILES", "to": "BEANS", "send": send});
        post_lines(&alice.client, "k", &[convert("1"), convert("2"), convert("3"), convert("4")]).await;

        let other = [convert("1"), convert("3"), json!({"nonsense": true}), json!({"from": "MILES", "to": "NOBODY", "send": "4"})];
        let answers = post_lines(&alice.client, "k", &other).await;

        let reused = "idempotency_key_reused";
        assert_eq!(codes(&answers), ["201", reused, reused, reused]);
        assert_eq!((&answers[1]["status"], &answers[0]["replayed"]), (&json!(422), &json!(true)));
        alice.client.post_keyed("/v1/swaps", "k#1", convert("1")).await.refused(422, reused);
        assert_eq!(alice.balance(&beans).await, "10.00");
    });
}

#[test]
fn lines_of_one_user_see_each_other() {
    audit(async |house| {
        let Market { miles, beans, alice } = Market::open(house, "0.01", "10").await;
        let to = json!({"from": "MILES", "to": "BEANS", "send": "4"});
        let back = json!({"from": "BEANS", "to": "MILES", "send": "1"});

        let answers =
            post_lines(&alice.client, "k", &[back.clone(), to.clone(), to.clone(), to.clone(), back.clone(), back.clone(), to]).await;

        let short = "insufficient_tokens";
        assert_eq!(codes(&answers), [short, "201", "201", short, "201", "201", "201"]);
        assert_eq!(balances(&alice, [&miles, &beans]).await, ["0.00", "10.00"]);
        assert_eq!(alice.entries(&beans).await.len(), 5);
    });
}

/// A key of the vendor with these scopes.
async fn key_with(vendor: &Vendor, scopes: &[&str]) -> Client {
    let made = vendor.client.post("/v1/vendor/keys", json!({"name": "till", "scopes": scopes})).await.created();
    vendor.client.with(made["api_key"].as_str().expect("the secret is shown once"))
}

#[test]
fn a_session_a_vendor_and_the_operator_each_swap_for_whom_they_may() {
    audit(async |house| {
        let Market { miles, beans, alice } = Market::open(house, "0.01", "100").await;
        let bob = house.user("bob").await;
        miles.endow(&bob, "100").await;
        bob.open(&beans).await;
        let alices_id = alice.client.get("/v1/user").await.ok()["id"].as_str().unwrap().to_owned();
        let line = |user: Option<&str>, from: &str, to: &str| json!({"user": user, "from": from, "to": to, "send": "1"});
        let lines = [
            line(None, "MILES", "BEANS"),
            line(Some("alice"), "MILES", "BEANS"),
            line(Some(&alices_id), "MILES", "BEANS"),
            line(Some("bob"), "MILES", "BEANS"),
            line(Some("bob"), "BEANS", "MILES"),
            line(Some("carol"), "MILES", "BEANS"),
            line(Some("00000000-0000-7000-8000-000000000000"), "MILES", "BEANS"),
            line(Some("No handle"), "MILES", "BEANS"),
        ];

        let own = post_lines(&alice.client, "k", &lines).await;
        let vendors = post_lines(&key_with(&miles, &["swaps"]).await, "k", &lines).await;
        let operators = post_lines(&house.operator.client, "k", &lines).await;

        let [unasked, missing, foreign, unknown] = ["user_not_expected", "user_required", "token_not_yours", "user_not_found"];
        assert_eq!(codes(&own), ["201", unasked, unasked, unasked, unasked, unasked, unasked, unasked]);
        assert_eq!(codes(&vendors), [missing, "201", "201", "201", foreign, unknown, unknown, unknown]);
        assert_eq!((&vendors[4]["status"], &vendors[4]["problem"]["vendor"]), (&json!(403), &json!("BEANS")));
        assert_eq!(codes(&operators), [missing, "201", "201", "201", "201", unknown, unknown, unknown]);
        assert_eq!(balances(&alice, [&miles, &beans]).await, ["95.00", "5.00"]);
        assert_eq!(balances(&bob, [&miles, &beans]).await, ["99.00", "1.00"]);
        let mine = alice.client.get("/v1/swaps").await.ok();
        assert_eq!(mine["items"].as_array().unwrap().len(), 5, "a user sees what others ordered for them");
    });
}

#[test]
fn a_vendor_moves_nobody_elses_tokens() {
    audit(async |house| {
        let Market { miles, beans, alice } = Market::open(house, "0.01", "100").await;
        let line = json!({"user": "alice", "from": "MILES", "to": "BEANS", "send": "1"});

        let answers = post_lines(&beans.client, "k", &[line.clone(), line.clone()]).await;
        let unscoped = key_with(&miles, &["issue", "rates", "keys", "settlement:read", "vendor"]).await;
        let refused = post_text(&unscoped, "k", line.to_string()).await;

        assert_eq!(codes(&answers), ["token_not_yours", "token_not_yours"]);
        assert_eq!(refused.refused(403, "missing_scope")["scope"], "swaps");
        house.nobody().post_keyed("/v1/swaps/bulk", "k", line).await.refused(401, "unauthenticated");
        assert_eq!(balances(&alice, [&miles, &beans]).await, ["100.00", "0.00"]);
    });
}

#[test]
fn callers_do_not_share_keys_but_operators_do() {
    audit(async |house| {
        let Market { miles, beans, alice } = Market::open(house, "0.01", "100").await;
        let line = json!({"user": "alice", "from": "MILES", "to": "BEANS", "send": "1"});
        let text = clearinghouse::access::create_operator_key(&house.db, &house.clock, "second").await.unwrap();
        let second_operator = house.nobody().with(&text);

        let mut repeats = Vec::new();
        for client in [&miles.client, &key_with(&miles, &["swaps"]).await, &house.operator.client, &second_operator] {
            repeats.push(post_lines(client, "same", std::slice::from_ref(&line)).await[0]["replayed"].clone());
        }

        assert_eq!(repeats, [false, true, false, true]);
        assert_eq!(balances(&alice, [&miles, &beans]).await, ["98.00", "2.00"]);
    });
}

#[test]
fn a_request_that_cannot_be_taken_whole_moves_nothing() {
    audit(async |house| {
        let Market { miles, alice, .. } = Market::open(house, "0.01", "100").await;
        let mut settings = defaults();
        (settings.server.bulk_lines_max, settings.server.bulk_bytes_max) = (3, 1000);
        let small = Client::new(&house.second_server_with(&settings).await).with(&alice.session);
        let line = json!({"from": "MILES", "to": "BEANS", "send": "1"}).to_string();
        let lines = |count: usize| vec![line.clone(); count].join("\n");

        assert_eq!(post_text(&small, "k", lines(4)).await.refused(413, "too_many_lines")["max"], 3);
        post_text(&small, "k", " ".repeat(1001)).await.refused(413, "body_too_large");
        post_text(&small, "k", "").await.refused(400, "invalid_body");
        post_text(&small, "k", "\n").await.refused(400, "invalid_body");
        post_text(&small, &"k".repeat(201), lines(1)).await.refused(400, "idempotency_key_malformed");
        small.post("/v1/swaps/bulk", json!({})).await.refused(400, "idempotency_key_required");
        small.post_keyed("/v1/swaps/bulk", "k", json!({})).await.refused(415, "unsupported_media_type");
        assert_eq!(alice.balance(&miles).await, "100.00");

        assert_eq!(codes(&read(post_text(&small, &"k".repeat(200), lines(3) + "\n").await)), ["201", "201", "201"]);
        assert_eq!(alice.balance(&miles).await, "97.00");
    });
}

#[test]
fn a_full_sized_request_is_answered_whole() {
    audit(async |house| {
        let Market { miles, beans, alice } = Market::open(house, "0.01", "5000").await;
        let line = json!({"user": "alice", "from": "MILES", "to": "BEANS", "send": "1"});
        let lines = vec![line; 5000];

        let made = post_lines(&miles.client, "k", &lines).await;
        let again = post_lines(&miles.client, "k", &lines).await;

        assert!(made.iter().all(|answer| answer["status"] == 201 && answer["replayed"] == false));
        assert!(made.iter().zip(&again).all(|(first, second)| first["swap"] == second["swap"] && second["replayed"] == true));
        assert_eq!(balances(&alice, [&miles, &beans]).await, ["0.00", "5000.00"]);
    });
}

/// Holds all accounts, so that nothing can be booked until the client commits.
async fn db_hold_accounts(house: &House) -> tokio_postgres::Client {
    let admin = house.db_admin().await;
    admin.batch_execute("BEGIN; SELECT FROM accounts FOR UPDATE").await.unwrap();
    admin
}

#[test]
fn a_server_takes_so_many_bulk_requests_at_a_time() {
    audit(async |house| {
        let Market { miles, beans, alice } = Market::open(house, "0.01", "100").await;
        let mut settings = defaults();
        settings.server.bulk_requests_max = 1;
        let busy = Client::new(&house.second_server_with(&settings).await).with(&alice.session);
        let line = json!({"from": "MILES", "to": "BEANS", "send": "1"}).to_string();
        let holder = db_hold_accounts(house).await;

        let mut requests = JoinSet::new();
        for key in ["first", "second"] {
            let (busy, line) = (busy.clone(), line.clone());
            requests.spawn(async move { (key, post_text(&busy, key, line).await) });
        }
        // One of them waits for the accounts, so the other is answered before.
        let (refused_key, refused) = requests.join_next().await.unwrap().unwrap();
        assert_eq!(refused.header("retry-after"), "1");
        assert_eq!(refused.refused(503, "overloaded")["retryable"], true);
        holder.batch_execute("COMMIT").await.unwrap();
        assert_eq!(codes(&read(requests.join_next().await.unwrap().unwrap().1)), ["201"]);

        assert_eq!(codes(&read(post_text(&busy, refused_key, line).await)), ["201"]);
        assert_eq!(balances(&alice, [&miles, &beans]).await, ["98.00", "2.00"]);
    });
}

#[test]
fn lines_that_find_no_room_in_the_queue_are_not_posted() {
    audit(async |house| {
        let Market { miles, beans, alice } = Market::open(house, "0.01", "100").await;
        let mut settings = defaults();
        settings.engine.queue_max = 2;
        let small = Client::new(&house.second_server_with(&settings).await).with(&alice.session);
        let line = json!({"from": "MILES", "to": "BEANS", "send": "1"});

        let answers = post_lines(&small, "k", &vec![line.clone(); 50]).await;

        let made = codes(&answers).iter().filter(|code| **code == "201").count();
        assert!(answers.iter().filter(|answer| answer["status"] != 201).all(|answer| answer["problem"]["code"] == "overloaded"));
        assert!(made < 50, "the queue has room for two");
        assert_eq!(balances(&alice, [&miles, &beans]).await, [format!("{}.00", 100 - made), format!("{made}.00")]);
        let rest = post_lines(&alice.client, "k", &vec![line; 50]).await;
        assert!(rest.iter().all(|answer| answer["status"] == 201));
        assert_eq!(alice.balance(&beans).await, "50.00");
    });
}
