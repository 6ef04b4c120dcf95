//! What is behind a run: each transfer and each position, followed down to the swaps.

use crate::support::{Answer, Client, Debts, FIVE_DEBTS, House, audit, micro};
use reqwest::Method;
use runs::explanations::{Explanations, Level, Slice};
use scrip::RunId;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::task::JoinSet;

fn path(run: &Value, rest: &str) -> String {
    format!("/v1/runs/{}/{rest}/explain", run["id"].as_str().unwrap())
}

async fn explain(house: &House, run: &Value, rest: &str) -> Value {
    house.operator.client.get(&path(run, rest)).await.ok()
}

/// The rows of an answer in CSV, by column.
fn rows(answer: &Answer) -> Vec<BTreeMap<String, String>> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8; header=present");
    let text = answer.text();
    let mut lines = text.split_terminator("\r\n").map(|line| line.split(',').map(str::to_owned));
    let header: Vec<String> = lines.next().expect("there is a header").collect();
    lines.map(|cells| header.iter().cloned().zip(cells).collect()).collect()
}

/// `20.00 path: AA>BB BB>CC [AA>CC]`.
fn told(told: &Value) -> String {
    let steps = told["steps"].as_array().unwrap().iter().map(|step| {
        let text = |name: &str| step[name].as_str().unwrap_or_else(|| panic!("{name}: {step}")).to_owned();
        match text("type").as_str() {
            "owed" => format!(" {}>{}", text("debtor"), text("creditor")),
            "transfer" => format!(" [{}>{}]", text("payer"), text("payee")),
            _carry => format!(" {{{}>{}}}", text("debtor"), text("creditor")),
        }
    });
    format!("{} {}:{}", told["amount"].as_str().unwrap(), told["kind"].as_str().unwrap(), steps.collect::<String>())
}

fn loops(explained: &Value) -> Vec<String> {
    explained["loops"].as_array().unwrap().iter().map(told).collect()
}

#[test]
fn a_transfer_is_explained_down_to_the_swaps() {
    audit(async |house| {
        let debts = Debts::open(house, "direct", "1", &FIVE_DEBTS).await;
        let run = house.operator.settle("EURO").await;

        let first = explain(house, &run, "transfers/1").await;

        assert_eq!(
            (&first["payer"], &first["payee"], &first["amount"], &first["level"], &first["loop_count"], &first["next"]),
            (&json!("AA"), &json!("CC"), &json!("60.00"), &json!("obligations"), &json!(2), &Value::Null)
        );
        assert_eq!(loops(&first), ["40.00 path: AA>CC [AA>CC]", "20.00 path: AA>BB BB>CC [AA>CC]"]);
        let steps = &first["loops"][1]["steps"];
        let part =
            |step: usize| (&steps[step]["parts"][0]["operation"], &steps[step]["parts"][0]["source"], &steps[step]["parts"][0]["amount"]);
        assert_eq!(part(0), (&json!(debts.swaps[0]), &json!("swap"), &json!("20.00")));
        assert_eq!(part(1), (&json!(debts.swaps[2]), &json!("swap"), &json!("20.00")));
        assert_eq!((&steps[2]["number"], &steps[2]["reference"]), (&json!(1), &first["reference"]));
        assert_eq!(loops(&explain(house, &run, "transfers/2").await), ["20.00 path: AA>BB BB>CC CC>DD [AA>DD]"]);
        assert_eq!(loops(&explain(house, &run, "transfers/3").await), ["10.00 path: BB>CC CC>DD [BB>DD]"]);

        let page = house.operator.client.get(&format!("{}?limit=1", path(&run, "transfers/1"))).await.ok();
        let rest = format!("{}?limit=1&after={}", path(&run, "transfers/1"), page["next"].as_str().unwrap());
        let rest = house.operator.client.get(&rest).await.ok();
        assert_eq!([loops(&page), loops(&rest)].concat(), loops(&first));
        assert_eq!((&rest["loops"][0]["number"], &rest["next"]), (&json!(2), &Value::Null));
        for number in ["0", "4", "-1", "99999999999", "first"] {
            house.operator.client.get(&path(&run, &format!("transfers/{number}"))).await.refused(404, "not_found");
        }
        house.operator.client.get(&format!("{}?after=zz", path(&run, "transfers/1"))).await.refused(400, "invalid_query");
        let none = json!({"id": "00000000-0000-7000-8000-000000000000"});
        house.operator.client.get(&path(&none, "transfers/1")).await.refused(404, "not_found");
        house.operator.client.get_csv(&path(&none, "transfers/1")).await.refused(404, "not_found");
    });
}

#[test]
fn a_vendor_learns_what_became_of_its_own_obligations_and_of_nobody_elses() {
    audit(async |house| {
        let debts = Debts::open(house, "direct", "1", &FIVE_DEBTS).await;
        let run = house.operator.settle("EURO").await;
        let (miles, other) = (&debts.vendors["AA"].client, &debts.vendors["BB"].client);

        let own = miles.get(&path(&run, "positions/AA")).await.ok();

        let sums = |amount: &str, paid: &str, set_off: &str| json!({"amount": amount, "paid": paid, "carried": "0.00", "set_off": set_off});
        assert_eq!((&own["owed"], &own["owes"]), (&sums("20.00", "0.00", "20.00"), &sums("100.00", "80.00", "20.00")));
        let items: Vec<String> = own["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| {
                let text = |name: &str| item[name].as_str().unwrap();
                format!(
                    "{}>{} {} = {} + {} + {}",
                    text("debtor"),
                    text("creditor"),
                    text("amount"),
                    text("paid"),
                    text("carried"),
                    text("set_off")
                )
            })
            .collect();
        assert_eq!(items, ["AA>BB 60.00 = 40.00 + 0.00 + 20.00", "AA>CC 40.00 = 40.00 + 0.00 + 0.00", "DD>AA 20.00 = 0.00 + 0.00 + 20.00"]);
        assert_eq!(own["items"][2]["operation"], json!(debts.swaps[4]));
        assert_eq!(own, house.operator.client.get(&path(&run, "positions/AA")).await.ok());
        let statement = house.operator.file(&run, "statement-AA.csv").await.text();
        assert!(statement.contains(own["items"][0]["obligation"].as_str().unwrap()), "the statement names it alike");

        let page = miles.get(&format!("{}?limit=2", path(&run, "positions/AA"))).await.ok();
        let rest = format!("{}?limit=2&after={}", path(&run, "positions/AA"), page["next"].as_str().unwrap());
        assert_eq!(miles.get(&rest).await.ok()["items"][0], own["items"][2]);
        let csv = miles.get_csv(&path(&run, "positions/AA")).await;
        assert_eq!(rows(&csv).iter().map(|row| &*row["amount"]).collect::<Vec<_>>(), ["60.000000", "40.000000", "20.000000"]);

        for vendor in ["BB", "NOBODY", "nobody", "HOUSE", "%00"] {
            miles.get(&path(&run, &format!("positions/{vendor}"))).await.refused(404, "not_found");
            miles.get_csv(&path(&run, &format!("positions/{vendor}"))).await.refused(404, "not_found");
        }
        for client in [miles, other] {
            client.get(&path(&run, "transfers/1")).await.refused(403, "forbidden");
        }
        let weak = miles.post("/v1/vendor/keys", json!({"name": "rates", "scopes": ["rates"]})).await.created();
        let weak = miles.with(weak["api_key"].as_str().unwrap());
        weak.get(&path(&run, "positions/AA")).await.refused(403, "missing_scope");
    });
}

/// Debts with circles, strangers, several swaps of one pair, and amounts finer than a cent.
const ALL_KINDS: [(&str, &str, &str); 14] = [
    ("AA", "BB", "6000.50"),
    ("AA", "BB", "0.01"),
    ("BB", "AA", "1234.56"),
    ("BB", "CC", "70.07"),
    ("CC", "DD", "5000"),
    ("DD", "AA", "2000.33"),
    ("EE", "FF", "900.45"),
    ("FF", "GG", "33.33"),
    ("GG", "EE", "33.32"),
    ("AA", "GG", "17.77"),
    ("FF", "BB", "250.25"),
    ("CC", "EE", "100.01"),
    ("CC", "DD", "0.02"),
    ("GG", "CC", "3"),
];

#[test]
fn whatever_the_strategy_every_unit_is_explained() {
    audit(async |house| {
        let debts = Debts::open(house, "gross", "0.01", &ALL_KINDS).await;
        let mut kinds = BTreeMap::new();
        for strategy in ["gross", "bilateral", "conservative", "direct", "fewest", "hub"] {
            house.operator.client.patch("/v1/schemes/EURO", "*", json!({"strategy": strategy})).await.ok();
            let run = house.operator.settle("EURO").await;
            let client = &house.operator.client;
            let transfers = client.get(&format!("/v1/runs/{}/transfers", run["id"].as_str().unwrap())).await.ok();
            for transfer in transfers["items"].as_array().unwrap() {
                let rest = format!("transfers/{}", transfer["number"]);
                let lines = rows(&client.get_csv(&path(&run, &rest)).await);
                check_loops(transfer, &lines, &debts.swaps, &mut kinds);
                let explained = client.get(&path(&run, &rest)).await.ok();
                let parts =
                    |told: &Value| told["steps"].as_array().unwrap().iter().map(|s| s["part_count"].as_u64().unwrap_or(1)).sum::<u64>();
                let count: u64 = explained["loops"].as_array().unwrap().iter().map(parts).sum();
                assert_eq!(count, u64::try_from(lines.len()).unwrap(), "{strategy}: both tell the same");
            }
            let positions = client.get(&format!("/v1/runs/{}/positions", run["id"].as_str().unwrap())).await.ok();
            assert_eq!(positions["items"].as_array().unwrap().len(), 7);
            for position in positions["items"].as_array().unwrap() {
                check_position(client, &run, position).await;
            }
            house.operator.step(&run, "void", json!({"reason": "the next strategy"})).await.ok();
        }
        assert!(kinds.contains_key("path") && kinds.contains_key("exchange"), "{kinds:?}");
    });
}

/// The loops sum to the transfer, each goes around, and each part of one is of a swap or of what an earlier run carried.
fn check_loops(transfer: &Value, lines: &[BTreeMap<String, String>], swaps: &[String], kinds: &mut BTreeMap<String, usize>) {
    let mut loops: BTreeMap<u64, Vec<&BTreeMap<String, String>>> = BTreeMap::new();
    for line in lines {
        loops.entry(line["loop"].parse().unwrap()).or_default().push(line);
    }
    let mut sum = 0;
    for lines in loops.values() {
        *kinds.entry(lines[0]["kind"].clone()).or_default() += 1;
        let mut steps: BTreeMap<u64, (String, String, i64)> = BTreeMap::new();
        for line in lines {
            let is_debt = line["type"] == "owed";
            let (from, to) = if is_debt { (&line["from"], &line["to"]) } else { (&line["to"], &line["from"]) };
            let step = steps.entry(line["step"].parse().unwrap()).or_insert_with(|| (from.clone(), to.clone(), 0));
            assert_eq!((&step.0, &step.1), (from, to));
            step.2 += micro(&line["amount"]);
            if is_debt {
                assert!(swaps.contains(&line["operation"]) || !line["reference"].is_empty(), "{line:?}");
            }
        }
        let steps: Vec<_> = steps.into_values().collect();
        for (place, (_, to, amount)) in steps.iter().enumerate() {
            let next = &steps[(place + 1) % steps.len()];
            assert_eq!((to, amount), (&next.0, &next.2), "the loop goes around: {steps:?}");
        }
        assert!(lines.iter().any(|line| line["reference"] == transfer["reference"].as_str().unwrap()));
        sum += steps[0].2;
    }
    assert_eq!(sum, micro(transfer["amount"].as_str().unwrap()), "{transfer}");
}

/// Each obligation is explained to the unit, and they come to the position.
async fn check_position(client: &Client, run: &Value, position: &Value) {
    let vendor = position["vendor"].as_str().unwrap();
    let explained = client.get(&path(run, &format!("positions/{vendor}"))).await.ok();
    let (mut owed, mut owes, mut carried) = (0, 0, 0);
    let lines = rows(&client.get_csv(&path(run, &format!("positions/{vendor}"))).await);
    assert_eq!(explained["item_count"], lines.len());
    for line in lines {
        let amount = micro(&line["amount"]);
        assert_eq!(amount, ["paid", "carried", "set_off"].iter().map(|column| micro(&line[*column])).sum::<i64>(), "{line:?}");
        let is_creditor = line["creditor"] == vendor;
        assert!(is_creditor || line["debtor"] == vendor, "{line:?}");
        *(if is_creditor { &mut owed } else { &mut owes }) += amount;
        carried += micro(&line["carried"]);
    }
    let figure = |name: &str| micro(position[name].as_str().unwrap());
    assert_eq!((owed, owes), (figure("owed"), figure("owes")), "{vendor}");
    let sum = |side: &str, of: &str| micro(explained[side][of].as_str().unwrap());
    assert_eq!((sum("owed", "amount"), sum("owes", "amount")), (owed, owes));
    assert_eq!(sum("owed", "carried") + sum("owes", "carried"), carried);
}

#[test]
fn what_rounding_shifts_is_told_as_a_carry() {
    audit(async |house| {
        Debts::open(house, "direct", "0.01", &[("AA", "DD", "1000.50"), ("BB", "DD", "1000.50"), ("CC", "DD", "1000.50")]).await;
        let run = house.operator.settle("EURO").await;
        let first = explain(house, &run, "transfers/1").await;
        assert_eq!(loops(&first), ["10.005 path: AA>DD [AA>DD]", "0.005 path: {BB>AA} BB>DD [AA>DD]"]);
        let csv = rows(&house.operator.client.get_csv(&path(&run, "transfers/1")).await);
        let carry = csv.iter().find(|row| row["type"] == "carry").expect("rounding shifts half a cent");
        assert_eq!((&*carry["from"], &*carry["to"], &*carry["operation"]), ("BB", "AA", run["id"].as_str().unwrap()));
    });
}

#[test]
fn what_is_held_back_is_explained_as_carried() {
    audit(async |house| {
        Debts::open(house, "direct", "1", &FIVE_DEBTS).await;
        let exclusion = house.operator.client.request(Method::PUT, "/v1/schemes/EURO/exclusions/AA");
        assert_eq!(Answer::of(exclusion.json(&json!({"reason": "does not pay"}))).await.status, 204);
        let run = house.operator.settle("EURO").await;

        let held = explain(house, &run, "positions/AA").await;
        let other = explain(house, &run, "positions/CC").await;

        assert_eq!((&held["owed"]["carried"], &held["owes"]["carried"]), (&json!("20.00"), &json!("100.00")));
        assert_eq!(
            (&other["owed"]["amount"], &other["owed"]["paid"], &other["owed"]["carried"]),
            (&json!("110.00"), &json!("70.00"), &json!("40.00"))
        );
    });
}

#[test]
fn more_explanations_than_the_house_makes_at_once_are_refused() {
    audit(async |house| {
        Debts::open(house, "direct", "1", &FIVE_DEBTS).await;
        let run = house.operator.settle("EURO").await;
        let holder = house.db_admin().await;
        holder.batch_execute("BEGIN; LOCK TABLE obligations").await.unwrap();

        let mut asked = JoinSet::new();
        for rest in ["transfers/1", "positions/AA", "transfers/2"] {
            let (client, path) = (house.operator.client.clone(), path(&run, rest));
            asked.spawn(async move { client.get(&path).await });
        }
        let answer = asked.join_next().await.expect("it is answered").unwrap();
        assert_eq!(answer.header("retry-after"), "1");
        assert_eq!(answer.refused(503, "overloaded")["retryable"], true);
        holder.batch_execute("COMMIT").await.unwrap();
        for answer in asked.join_all().await {
            answer.ok();
        }
        explain(house, &run, "transfers/1").await;
    });
}

#[test]
fn vendors_that_ask_for_much_do_not_keep_the_operator_waiting() {
    audit(async |house| {
        let debts = Debts::open(house, "direct", "1", &FIVE_DEBTS).await;
        let run = house.operator.settle("EURO").await;
        let holder = house.db_admin().await;
        holder.batch_execute("BEGIN; LOCK TABLE obligations").await.unwrap();

        let mut asked = JoinSet::new();
        for vendor in ["AA", "BB", "CC"] {
            let (client, path) = (debts.vendors[vendor].client.clone(), path(&run, &format!("positions/{vendor}")));
            asked.spawn(async move { client.get(&path).await });
        }
        asked.join_next().await.expect("it is answered").unwrap().refused(503, "overloaded");
        let operator = tokio::spawn({
            let (client, path) = (house.operator.client.clone(), path(&run, "positions/AA"));
            async move { client.get(&path).await }
        });
        // It is answered at once if it is refused, and otherwise waits for the obligations.
        house.operator.client.get("/v1/runs").await.ok();
        assert!(!operator.is_finished());
        holder.batch_execute("COMMIT").await.unwrap();
        operator.await.unwrap().ok();
        for answer in asked.join_all().await {
            answer.ok();
        }
    });
}

#[test]
fn a_run_of_another_algorithm_is_not_explained() {
    audit(async |house| {
        Debts::open(house, "direct", "1", &FIVE_DEBTS).await;
        let run = house.operator.settle("EURO").await;
        let admin = house.db_admin().await;
        admin.batch_execute("UPDATE runs SET algorithm_version = 2").await.unwrap();
        for rest in ["transfers/1", "positions/AA"] {
            let refused = house.operator.client.get(&path(&run, rest)).await.refused(409, "algorithm_version_differs");
            assert_eq!(refused["algorithm_version"], 2);
        }
        admin.batch_execute("UPDATE runs SET algorithm_version = 1").await.unwrap();
        explain(house, &run, "transfers/1").await;
    });
}

#[test]
fn a_run_with_too_many_obligations_is_explained_by_the_sums_of_its_pairs() {
    audit(async |house| {
        Debts::open(house, "direct", "1", &[("AA", "BB", "5"), ("AA", "BB", "3"), ("BB", "CC", "6")]).await;
        let run = house.operator.settle("EURO").await;
        let id = RunId::new(run["id"].as_str().unwrap().parse().unwrap());
        let (few, slice) = (Explanations::new(&house.db, 1, 2), Slice { after: 0, limit: 10 });

        let position = few.explain_position(id, "AA", slice).await.expect("it is explained");
        let transfer = few.explain_transfer(id, 1, slice).await.expect("it is explained");

        let [item] = &position.items[..] else { panic!("one pair: {:?}", position.items) };
        assert_eq!((position.level, item.origin, item.sums.amount.units()), (Level::Pairs, None, 8_000_000));
        assert_eq!((transfer.level, transfer.loop_count, transfer.transfer.amount.units()), (Level::Pairs, 1, 6_000_000));
        let mut csv = Vec::new();
        let mut pieces = few.write_position(id, "AA").await.expect("it is written");
        while let Some(piece) = pieces.next().await.expect("it is whole") {
            csv.extend_from_slice(&piece);
        }
        let expected = "obligation,source,operation,debtor,creditor,amount,paid,carried,set_off,currency\r\n,,,AA,BB,8.000000,8.000000,0.000000,0.000000,EUR\r\n";
        assert_eq!(String::from_utf8(csv).unwrap(), expected);
        let whole = explain(house, &run, "positions/AA").await;
        assert_eq!((&whole["level"], &whole["item_count"]), (&json!("obligations"), &json!(2)));
    });
}
