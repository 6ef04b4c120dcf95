//! What vendors may owe: the operator's caps and the creditors', what is left under them, and what is refused.

use crate::support::{Answer, Client, Debts, FIVE_DEBTS, House, Market, Vendor, audit};
use reqwest::Method;
use serde_json::{Value, json};

/// MILES and BEANS are worth a cent each; alice holds a thousand MILES, so that converting 100 of them makes MILES owe BEANS a euro.
async fn market(house: &House) -> Market {
    Market::open(house, "0.01", "1000").await
}

async fn own_headroom(vendor: &Vendor) -> Value {
    vendor.client.get("/v1/vendor/headroom").await.ok()
}

/// Some of a view's members.
fn pick(view: &Value, names: &[&str]) -> Value {
    names.iter().map(|name| view[*name].clone()).collect()
}

#[test]
fn a_vendor_owes_up_to_its_cap_and_not_a_millionth_more() {
    audit(async |house| {
        let Market { miles, beans, alice } = market(house).await;
        house.operator.cap(&miles, Some("1.000099")).await;
        alice.convert("100", &miles, &beans).await.created();

        let refused = alice.convert("0.01", &miles, &beans).await.refused(422, "debit_cap_exceeded");

        let facts = pick(&refused, &["vendor", "cap", "headroom", "needed", "retryable"]);
        assert_eq!(facts, json!(["MILES", "1.000099", "0.000099", "0.000100", true]));
        house.operator.cap(&miles, Some("1.0001")).await;
        alice.convert("0.01", &miles, &beans).await.created();
        alice.convert("0.01", &miles, &beans).await.refused(422, "debit_cap_exceeded");
        house.operator.cap(&miles, None).await;
        alice.convert("100", &miles, &beans).await.created();
    });
}

#[test]
fn what_makes_a_vendor_owe_less_is_allowed_above_its_cap_and_makes_room_below_it() {
    audit(async |house| {
        let Market { miles, beans, alice } = market(house).await;
        alice.convert("300", &miles, &beans).await.created();
        house.operator.cap(&miles, Some("1")).await;
        miles.accept(&beans, Some("0")).await;
        beans.accept(&miles, Some("1")).await;

        alice.convert("0.01", &miles, &beans).await.refused(422, "debit_cap_exceeded");
        alice.convert("150", &beans, &miles).await.created();
        alice.convert("0.01", &miles, &beans).await.refused(422, "debit_cap_exceeded");
        alice.convert("100", &beans, &miles).await.created();
        alice.convert("50", &miles, &beans).await.created();

        assert_eq!(pick(&own_headroom(&miles).await, &["owes", "owed", "net_debit"]), json!(["3.500000", "2.500000", "1.000000"]));
        let refused = alice.convert("150", &beans, &miles).await.refused(422, "bilateral_cap_exceeded");
        let facts = pick(&refused, &["from", "to", "cap", "headroom", "needed", "retryable"]);
        assert_eq!(facts, json!(["BEANS", "MILES", "0.000000", "1.000000", "1.500000", true]));
    });
}

#[test]
fn a_refused_swap_moves_nothing_and_binds_no_key_and_a_granted_one_is_told_again() {
    audit(async |house| {
        let Market { miles, beans, alice } = market(house).await;
        let swap = json!({"from": "MILES", "to": "BEANS", "send": "100"});
        house.operator.cap(&miles, Some("0.5")).await;
        alice.client.post_keyed("/v1/swaps", "one", swap.clone()).await.refused(422, "debit_cap_exceeded");
        assert_eq!((alice.balance(&miles).await, alice.balance(&beans).await), ("1000.00".to_owned(), "0.00".to_owned()));

        house.operator.cap(&miles, Some("1")).await;
        let made = alice.client.post_keyed("/v1/swaps", "one", swap.clone()).await.created();
        house.operator.cap(&miles, Some("0")).await;
        let again = alice.client.post_keyed("/v1/swaps", "one", swap).await;

        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.created(), made);
    });
}

#[test]
fn lines_of_a_bulk_request_are_refused_one_by_one() {
    audit(async |house| {
        let Market { miles, beans, alice } = market(house).await;
        house.operator.cap(&miles, Some("1.5")).await;
        let line = |from: &Vendor, to: &Vendor, send: &str| json!({"from": from.code, "to": to.code, "send": send}).to_string();
        let lines = [
            line(&miles, &beans, "100"),
            line(&miles, &beans, "60"),
            line(&miles, &beans, "50"),
            line(&beans, &miles, "30"),
            line(&miles, &beans, "31"),
            line(&miles, &beans, "30"),
        ];
        let request = alice.client.request(Method::POST, "/v1/swaps/bulk").header("Idempotency-Key", "bulk");
        let answer = Answer::of(request.header("Content-Type", "application/x-ndjson").body(lines.join("\n"))).await;

        let answers: Vec<Value> = answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let codes: Vec<&str> = answers.iter().map(|answer| answer["problem"]["code"].as_str().unwrap_or("made")).collect();
        assert_eq!(codes, ["made", "debit_cap_exceeded", "made", "made", "debit_cap_exceeded", "made"]);
        assert_eq!(answers[1]["problem"]["headroom"], "0.500000");
        assert_eq!(own_headroom(&miles).await["headroom"], "0.000000");
    });
}

#[test]
fn what_is_left_can_be_read_before_anything_is_refused() {
    audit(async |house| {
        let Market { miles, beans, alice } = market(house).await;
        let figures = ["cap", "owes", "owed", "net_debit", "headroom", "used_per_mille", "level"];
        let uncapped = own_headroom(&miles).await;
        assert_eq!(pick(&uncapped, &figures), json!([null, "0.000000", "0.000000", "0.000000", null, null, "none"]));

        house.operator.cap(&miles, Some("10")).await;
        beans.accept(&miles, Some("8")).await;
        for (send, used, level, bilateral) in
            [("699.99", 699, "ok", "warning_70"), ("0.01", 700, "warning_70", "warning_70"), ("100", 800, "warning_70", "full")]
        {
            alice.convert(send, &miles, &beans).await.created();
            let headroom = own_headroom(&miles).await;
            assert_eq!((&headroom["used_per_mille"], &headroom["level"]), (&json!(used), &json!(level)), "{headroom}");
            assert_eq!(headroom["creditors"]["items"][0]["level"], bilateral, "{headroom}");
        }

        let headroom = own_headroom(&miles).await;
        assert_eq!(pick(&headroom, &["vendor", "currency"]), json!(["MILES", "EUR"]));
        assert_eq!(pick(&headroom, &figures), json!(["10.000000", "8.000000", "0.000000", "8.000000", "2.000000", 800, "warning_70"]));
        let creditor = &headroom["creditors"]["items"][0];
        assert_eq!(pick(creditor, &["debtor", "creditor"]), json!(["MILES", "BEANS"]));
        assert_eq!(pick(creditor, &figures), json!(["8.000000", "8.000000", "0.000000", "8.000000", "0.000000", 1000, "full"]));
        assert_eq!(house.operator.headroom(&miles).await, headroom);
        let debtors = beans.client.get("/v1/vendor/caps").await.ok();
        assert_eq!(debtors["items"], headroom["creditors"]["items"]);
        assert_eq!(house.operator.client.get("/v1/vendors/BEANS/caps").await.ok(), debtors);
        let owed = own_headroom(&beans).await;
        assert_eq!(pick(&owed, &["owes", "owed", "net_debit", "level"]), json!(["0.000000", "8.000000", "-8.000000", "none"]));
    });
}

#[test]
fn a_window_counts_until_its_run_is_settled() {
    audit(async |house| {
        let Market { miles, beans, alice } = market(house).await;
        house.operator.cap(&miles, Some("1")).await;
        beans.accept(&miles, Some("1")).await;
        alice.convert("100", &miles, &beans).await.created();
        let first = house.operator.settle("EURO").await;

        alice.convert("1", &miles, &beans).await.refused(422, "debit_cap_exceeded");
        assert_eq!(own_headroom(&miles).await["level"], "full");
        house.pay(&first).await;

        assert_eq!(own_headroom(&miles).await["owes"], "0.000000");
        alice.convert("60", &miles, &beans).await.created();
        let second = house.operator.settle("EURO").await;
        alice.convert("40", &miles, &beans).await.created();
        alice.convert("0.01", &miles, &beans).await.refused(422, "debit_cap_exceeded");
        assert_eq!(own_headroom(&miles).await["owes"], "1.000000", "the closed window and the open one");
        house.pay(&second).await;
        alice.convert("60", &miles, &beans).await.created();
        alice.convert("0.01", &miles, &beans).await.refused(422, "debit_cap_exceeded");
        assert_eq!(own_headroom(&miles).await["creditors"]["items"][0]["level"], "full");
    });
}

#[test]
fn a_debt_that_a_run_carries_counts_once() {
    audit(async |house| {
        let Market { miles, beans, alice } = market(house).await;
        house.operator.client.patch("/v1/schemes/EURO", "*", json!({"min_transfer": "5"})).await.ok();
        house.operator.cap(&miles, Some("1")).await;
        house.operator.cap(&beans, Some("0")).await;
        beans.accept(&miles, Some("1")).await;
        let debt = async |vendor: &Vendor| own_headroom(vendor).await["net_debit"].clone();
        alice.convert("60", &miles, &beans).await.created();

        let first = house.operator.settle("EURO").await;
        assert_eq!(debt(&miles).await, "0.600000", "in the open window, and no more in the closed one");
        let second = house.operator.settle("EURO").await;
        assert_eq!(debt(&miles).await, "0.600000", "however often it is carried");
        alice.convert("60", &beans, &miles).await.created();
        alice.convert("0.01", &beans, &miles).await.refused(422, "debit_cap_exceeded");
        alice.convert("100", &miles, &beans).await.created();
        alice.convert("0.01", &miles, &beans).await.refused(422, "debit_cap_exceeded");
        assert_eq!(own_headroom(&miles).await["creditors"]["items"][0]["net_debit"], "1.000000");

        house.operator.step(&second, "void", json!({"reason": "not before the first"})).await.ok();
        assert_eq!(debt(&miles).await, "1.000000", "owed back, and so in the closed window again");
        house.operator.step(&first, "void", json!({"reason": "the wrong rates"})).await.ok();
        assert_eq!(debt(&miles).await, "1.000000");
        // Nothing is to be transferred, so it is settled at once.
        house.export(&house.operator.settle("EURO").await).await;
        assert_eq!((debt(&miles).await, debt(&beans).await), (json!("1.000000"), json!("-1.000000")));
    });
}

/// What the debtor owes the creditor on balance, as the creditor sees it.
async fn pair(creditor: &Vendor, debtor: &Vendor) -> Value {
    creditor.client.get(&format!("/v1/vendor/caps/{}", debtor.code)).await.ok()["net_debit"].clone()
}

#[test]
fn two_vendors_owe_each_other_what_is_to_be_paid_once_their_run_is_exported() {
    audit(async |house| {
        let debts = Debts::open(house, "direct", "1", &FIVE_DEBTS).await;
        let [aa, bb, cc, dd] = ["AA", "BB", "CC", "DD"].map(|code| &debts.vendors[code]);
        let alice = &debts.alice;
        house.operator.cap(aa, Some("81")).await;
        cc.accept(aa, Some("60")).await;
        dd.accept(aa, Some("20")).await;
        let owed = async || [pair(cc, aa).await, pair(dd, aa).await, pair(cc, bb).await, own_headroom(aa).await["net_debit"].clone()];
        let (netted, to_be_paid) =
            (["40.000000", "-20.000000", "70.000000", "80.000000"], ["60.000000", "20.000000", "0.000000", "80.000000"]);
        assert_eq!(owed().await, netted);

        // A to C 60, A to D 20, B to D 10.
        let first = house.export(&house.operator.settle("EURO").await).await;
        assert_eq!(owed().await, to_be_paid);
        alice.convert("1", aa, cc).await.refused(422, "bilateral_cap_exceeded");
        alice.convert("1", aa, dd).await.refused(422, "bilateral_cap_exceeded");
        house.operator.step(&first, "void", json!({"reason": "the wrong rates", "instructions_recalled": true})).await.ok();
        assert_eq!(owed().await, netted);
        alice.convert("1", aa, cc).await.created();
        alice.convert("1", cc, aa).await.created();

        let second = house.export(&house.operator.settle("EURO").await).await;
        assert_eq!(owed().await, to_be_paid);
        house.operator.mark(&second, 1, json!({"to": "failed", "reason_code": "AC04", "reason": "the bank says so"})).await.created();
        house.operator.mark(&second, 1, json!({"to": "rolled", "reason": "next time"})).await.created();
        house.operator.mark(&second, 3, json!({"to": "received", "reason": "seen on the account"})).await.created();
        assert_eq!(owed().await, to_be_paid, "one is owed again, and what was paid counts until all of it is");
        alice.convert("1", aa, cc).await.refused(422, "bilateral_cap_exceeded");
        house.operator.mark(&second, 2, json!({"to": "received", "reason": "seen on the account"})).await.created();
        assert_eq!(owed().await, ["60.000000", "0.000000", "0.000000", "60.000000"]);
    });
}

#[test]
fn vendors_that_settle_with_the_house_owe_each_other_nothing_once_their_run_is_exported() {
    audit(async |house| {
        let debts = Debts::open(house, "hub", "1", &FIVE_DEBTS).await;
        let [aa, cc] = ["AA", "CC"].map(|code| &debts.vendors[code]);
        cc.accept(aa, Some("40")).await;
        house.operator.cap(aa, Some("80")).await;
        let alice = &debts.alice;
        alice.convert("1", aa, cc).await.refused(422, "debit_cap_exceeded");

        let run = house.export(&house.operator.settle("EURO").await).await;

        assert_eq!((pair(cc, aa).await, own_headroom(aa).await["net_debit"].clone()), (json!("0.000000"), json!("80.000000")));
        alice.convert("1", aa, cc).await.refused(422, "debit_cap_exceeded");
        for number in 1..=run["transfer_count"].as_i64().unwrap() {
            house.operator.mark(&run, number, json!({"to": "received", "reason": "seen on the account"})).await.created();
        }
        alice.convert("40", aa, cc).await.created();
        alice.convert("1", aa, cc).await.refused(422, "bilateral_cap_exceeded");
    });
}

#[test]
fn caps_are_listed_in_pages() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let debtor = house.operator.vendor("EURO", "DEBTOR", "0.01").await;
        for code in ["AA", "BB", "CC", "DD", "EE"] {
            house.operator.vendor("EURO", code, "0.01").await.accept(&debtor, Some("5")).await;
        }
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = debtor.client.get(&format!("/v1/vendor/headroom?limit=2{after}")).await.ok()["creditors"].clone();
            seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["creditor"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(seen, ["AA", "BB", "CC", "DD", "EE"]);
    });
}

#[test]
fn a_cap_is_changed_at_the_version_that_was_read() {
    audit(async |house| {
        let Market { beans, .. } = market(house).await;
        let rows: [(&Client, &str, &str); 2] =
            [(&house.operator.client, "/v1/vendors/MILES/cap", "net_debit_cap"), (&beans.client, "/v1/vendor/caps/MILES", "cap")];
        for (client, path, field) in rows {
            let read = client.get(path).await;
            let first = read.header("etag").to_owned();
            assert_eq!((first.as_str(), &read.ok()[field]), ("\"1\"", &Value::Null));

            let set = client.put(path, Some(&first), json!({field: "5"})).await;
            let second = set.header("etag").to_owned();
            assert_eq!(pick(&set.ok(), &[field, "version"]), json!(["5.000000", 2]));
            assert_eq!(client.put(path, Some(&first), json!({field: "6"})).await.refused(412, "version_mismatch")["version"], 2);
            let unversioned = client.request(Method::PUT, path).json(&json!({field: "6"}));
            Answer::of(unversioned).await.refused(428, "if_match_required");

            let away = client.put(path, Some(&second), json!({field: null})).await;
            assert_eq!(away.header("etag"), "\"3\"");
            assert_eq!(away.ok()[field], Value::Null);
            assert_eq!(client.get(path).await.ok()["version"], 3, "a cap that was taken away keeps its version");
        }
        assert_eq!(beans.client.get("/v1/vendor/caps").await.ok()["items"], json!([]), "and is not listed");
    });
}

#[test]
fn a_cap_that_cannot_be_is_refused() {
    audit(async |house| {
        let Market { beans, .. } = market(house).await;
        house.operator.vendor_with(json!({"code": "APART", "name": "Apart", "scale": 0})).await;
        house.operator.scheme("OTHER").await;
        house.operator.vendor("OTHER", "STRANGER", "1").await;
        let operator = &house.operator.client;
        let rows = [
            (operator, "/v1/vendors/NOBODY/cap", json!({"net_debit_cap": "1"}), 404, "vendor_not_found"),
            (operator, "/v1/vendors/miles/cap", json!({"net_debit_cap": "1"}), 404, "vendor_not_found"),
            (operator, "/v1/vendors/APART/cap", json!({"net_debit_cap": "1"}), 422, "no_scheme"),
            (operator, "/v1/vendors/MILES/cap", json!({"net_debit_cap": "-1"}), 422, "amount_malformed"),
            (operator, "/v1/vendors/MILES/cap", json!({"net_debit_cap": "1e3"}), 422, "amount_malformed"),
            (operator, "/v1/vendors/MILES/cap", json!({"net_debit_cap": ""}), 422, "amount_malformed"),
            (operator, "/v1/vendors/MILES/cap", json!({"net_debit_cap": "0.0000001"}), 422, "amount_too_many_decimals"),
            (operator, "/v1/vendors/MILES/cap", json!({"net_debit_cap": "999999999999999999"}), 422, "amount_too_large"),
            (operator, "/v1/vendors/MILES/cap", json!({"net_debit_cap": 1}), 400, "invalid_body"),
            (operator, "/v1/vendors/MILES/cap", json!({}), 400, "invalid_body"),
            (operator, "/v1/vendors/MILES/cap", json!({"net_debit_cap": "1", "cap": "1"}), 400, "invalid_body"),
            (&beans.client, "/v1/vendor/caps/NOBODY", json!({"cap": "1"}), 404, "vendor_not_found"),
            (&beans.client, "/v1/vendor/caps/BEANS", json!({"cap": "1"}), 422, "same_vendor"),
            (&beans.client, "/v1/vendor/caps/STRANGER", json!({"cap": "1"}), 422, "no_common_scheme"),
            (&beans.client, "/v1/vendor/caps/APART", json!({"cap": "1"}), 422, "no_common_scheme"),
            (&beans.client, "/v1/vendor/caps/MILES", json!({"cap": "1,5"}), 422, "amount_malformed"),
            (&beans.client, "/v1/vendor/caps/MILES", json!({}), 400, "invalid_body"),
        ];
        for (client, path, body, status, code) in rows {
            client.put(path, Some("*"), body).await.refused(status, code);
        }
        for cap in ["0", "0.000001", "9223372036854.775807"] {
            operator.put("/v1/vendors/MILES/cap", Some("*"), json!({"net_debit_cap": cap})).await.ok();
        }
        assert_eq!(house.db_count("SELECT count(*) FROM bilateral_caps").await, 0);
    });
}

#[test]
fn a_vendor_sets_only_what_it_accepts_itself_and_sees_only_its_own() {
    audit(async |house| {
        let Market { miles, beans, alice } = market(house).await;
        let apart = house.operator.vendor("EURO", "APART", "0.01").await;
        house.operator.cap(&miles, Some("7")).await;
        beans.accept(&miles, Some("6")).await;
        alice.convert("100", &miles, &beans).await.created();

        miles.client.put("/v1/vendors/MILES/cap", Some("*"), json!({"net_debit_cap": "100"})).await.refused(403, "forbidden");
        miles.client.get("/v1/vendors/BEANS/headroom").await.refused(403, "forbidden");
        let stranger = own_headroom(&apart).await;
        assert_eq!(pick(&stranger, &["owes", "owed", "level"]), json!(["0.000000", "0.000000", "none"]));
        assert_eq!(stranger["creditors"]["items"], json!([]));
        assert_eq!(apart.client.get("/v1/vendor/caps").await.ok()["items"], json!([]));
        assert_eq!(miles.client.get("/v1/vendor/caps").await.ok()["items"], json!([]), "what it is granted is not what it grants");
        let own = apart.client.get("/v1/vendor/caps/MILES").await.ok();
        assert_eq!(pick(&own, &["cap", "owes", "version"]), json!([null, "0.000000", 1]));

        let key = beans.client.post("/v1/vendor/keys", json!({"name": "till", "scopes": ["swaps"]})).await.created();
        let till = beans.client.with(key["api_key"].as_str().unwrap());
        till.put("/v1/vendor/caps/MILES", Some("*"), json!({"cap": null})).await.refused(403, "missing_scope");
        till.get("/v1/vendor/headroom").await.refused(403, "missing_scope");
        assert_eq!(beans.client.get("/v1/vendor/caps/MILES").await.ok()["cap"], "6.000000");
    });
}
