//! Settlement files: what finance teams download adds up, and is the same for ever.

use crate::support::{Answer, House, User, Vendor, audit, micro};
use serde_json::Value;
use sha2::{Digest, Sha256};

const CSV: &str = "text/csv; charset=utf-8; header=present";

async fn settled(house: &House) -> (Value, Vec<Vendor>, User) {
    settled_by(house, "direct").await
}

async fn settled_by(house: &House, strategy: &str) -> (Value, Vec<Vendor>, User) {
    house.operator.scheme_with("EURO", strategy, 2).await;
    let alice = house.user("alice").await;
    let mut vendors = Vec::new();
    for (code, unit_value) in [("AA", "0.013"), ("BB", "0.027"), ("CC", "1.1")] {
        let body =
            serde_json::json!({"code": code, "name": code, "scale": 2, "unit_value": unit_value, "scheme": "EURO", "payout": payout(code)});
        let vendor = house.operator.vendor_with(body).await;
        vendor.endow(&alice, "1000").await;
        vendors.push(vendor);
    }
    for (send, from, to) in [("333.33", 0, 1), ("77.7", 1, 2), ("12.34", 2, 0), ("5", 2, 1), ("100", 0, 2)] {
        alice.convert(send, &vendors[from], &vendors[to]).await.created();
    }
    (house.operator.settle("EURO").await, vendors, alice)
}

/// All but BB gave bank details.
fn payout(code: &str) -> Option<Value> {
    (code != "BB").then(|| serde_json::json!({"account_holder": code, "iban": "DE89370400440532013000"}))
}

/// Rows as maps by header.
fn rows(text: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.expect("a well-formed row")).collect()
}

#[test]
fn every_column_is_explained() {
    audit(async |house| {
        let (run, _vendors, _alice) = settled_by(house, "conservative").await;
        let readme =
            std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../settlement/runs/README.md")).unwrap();
        let section = readme.split("\n## Columns\n").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("it explains columns");
        let run_path = format!("/v1/runs/{}", run["id"].as_str().unwrap());
        let files = house.operator.client.get(&format!("{run_path}/files")).await.ok();
        let names = files["items"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap());
        let names: Vec<&str> = names.filter(|name| name.ends_with(".csv") && !name.contains("excel")).collect();
        assert_eq!(names.len(), 8, "five of the run and a statement for each vendor: {names:?}");
        let mut headers = Vec::new();
        for name in names {
            headers.push(house.operator.file(&run, name).await.text());
        }
        let draws = house.operator.client.request(reqwest::Method::GET, &format!("{run_path}/defaults"));
        headers.push(Answer::of(draws.header("Accept", "text/csv")).await.text());
        for column in headers.iter().flat_map(|text| text.lines().next().unwrap().split(',')) {
            assert!(section.contains(&format!("`{column}`")), "{column} is not explained");
        }
    });
}

#[test]
fn a_statement_is_printed_line_by_line() {
    audit(async |house| {
        let (run, vendors, _alice) = settled(house).await;
        let path = |vendor: &str| format!("/v1/runs/{}/statements/{vendor}", run["id"].as_str().unwrap());
        let statement = house.operator.file(&run, "statement-AA.csv").await.text();

        let page = vendors[0].client.get(&path("AA")).await;

        assert_eq!((page.header("content-type"), page.header("x-content-type-options")), ("text/html; charset=utf-8", "nosniff"));
        assert_eq!(page.header("content-security-policy"), "default-src 'none'; style-src 'unsafe-inline'");
        let html = page.text();
        assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</tbody></table></body></html>\n"));
        assert!(html.contains("<h1>Statement of AA for run 1 of EURO</h1>"), "{html}");
        assert!(html.contains("which was computed when this page was made"));
        assert_eq!(html.matches("<tr").count(), statement.lines().count());
        for row in rows(&statement) {
            let amount = |name: &str| format!("<td class=\"amount\">{}</td>", row[name]);
            let (operation, amounts) = (format!("<td>{}</td>", row["operation"]), amount("owed") + &amount("owes"));
            assert!(html.lines().any(|line| line.contains(&operation) && line.contains(&amounts)), "{row:?}");
        }
        assert_eq!(house.operator.client.get(&path("AA")).await.text(), html);
        for (client, vendor) in [(&vendors[1].client, "AA"), (&house.operator.client, "NOBODY"), (&house.operator.client, "%00")] {
            client.get(&path(vendor)).await.refused(404, "not_found");
        }
    });
}

#[test]
fn transfers_and_positions_add_up() {
    audit(async |house| {
        let (run, ..) = settled(house).await;
        let transfers = rows(&house.operator.file(&run, "transfers.csv").await.text());
        let positions = rows(&house.operator.file(&run, "positions.csv").await.text());
        assert_eq!(positions.len(), 3);
        assert_eq!(positions.iter().map(|p| micro(&p["net"])).sum::<i64>(), 0);
        assert_eq!(positions.iter().map(|p| micro(&p["settled"])).sum::<i64>(), 0);
        for position in &positions {
            let code = &position["vendor"];
            let paid: i64 = transfers.iter().filter(|t| &t["payer"] == code).map(|t| micro(&t["amount"])).sum();
            let got: i64 = transfers.iter().filter(|t| &t["payee"] == code).map(|t| micro(&t["amount"])).sum();
            assert_eq!(got - paid, micro(&position["settled"]), "{code}");
            assert_eq!(micro(&position["net"]), micro(&position["owed"]) - micro(&position["owes"]), "{code}");
            assert_eq!(micro(&position["net"]), micro(&position["settled"]) + micro(&position["carry"]), "{code}");
        }
        let total: i64 = transfers.iter().map(|t| micro(&t["amount"])).sum();
        assert_eq!(total, micro(run["total"].as_str().unwrap()));
    });
}

#[test]
fn a_statement_ties_out() {
    audit(async |house| {
        let (run, vendors, _) = settled(house).await;
        let positions = rows(&house.operator.file(&run, "positions.csv").await.text());
        for vendor in &vendors {
            let path = format!("/v1/runs/{}/files/statement-{}.csv", run["id"].as_str().unwrap(), vendor.code);
            let own = vendor.client.get(&path).await;
            assert_eq!(own.bytes, house.operator.client.get(&path).await.bytes);
            let lines = rows(&own.text());
            let sum = |kind: &str, column: &str| lines.iter().filter(|l| l["kind"] == kind).map(|l| micro(&l[column])).sum::<i64>();
            let position = positions.iter().find(|p| p["vendor"] == vendor.code).unwrap();
            assert_eq!(sum("obligation", "owed") + sum("opening_carry", "owed"), micro(&position["owed"]));
            assert_eq!(sum("obligation", "owes") + sum("opening_carry", "owes"), micro(&position["owes"]));
            assert_eq!(sum("counterparty", "owed"), micro(&position["owed"]));
            assert_eq!(sum("counterparty", "owes"), micro(&position["owes"]));
            assert_eq!(sum("net", "owed") - sum("net", "owes"), micro(&position["net"]));
            assert_eq!(sum("transfer", "owed") - sum("transfer", "owes"), micro(&position["settled"]));
            assert_eq!(sum("closing_carry", "owed") - sum("closing_carry", "owes"), micro(&position["carry"]));
        }
    });
}

#[test]
fn what_stays_owed_is_a_file() {
    audit(async |house| {
        let (run, vendors, _) = settled(house).await;

        let carries = rows(&house.operator.file(&run, "carries.csv").await.text());

        let positions = rows(&house.operator.file(&run, "positions.csv").await.text());
        for vendor in &vendors {
            let sum = |side: &str| carries.iter().filter(|c| c[side] == vendor.code).map(|c| micro(&c["amount"])).sum::<i64>();
            let position = positions.iter().find(|p| p["vendor"] == vendor.code).unwrap();
            assert_eq!(sum("creditor") - sum("debtor"), micro(&position["carry"]), "{}", vendor.code);
        }
        assert!(vendors[0].client.get(&format!("/v1/runs/{}/files/carries.csv", run["id"].as_str().unwrap())).await.status == 404);

        house.operator.scheme("WHOLE").await;
        let nothing = house.operator.settle("WHOLE").await;
        house.operator.file(&nothing, "carries.csv").await.refused(404, "not_found");
    });
}

#[test]
fn what_circles_cancel_is_a_file_and_stands_in_the_statements() {
    audit(async |house| {
        let (run, vendors, _) = settled_by(house, "conservative").await;

        let set_offs = rows(&house.operator.file(&run, "setoffs.csv").await.text());

        let sum = |column: &str| set_offs.iter().map(|s| micro(&s[column])).sum::<i64>();
        assert_eq!(set_offs.len(), 5, "one row per debtor and creditor");
        assert_eq!(sum("amount"), micro(run["gross"].as_str().unwrap()));
        assert!(sum("set_off") > 0 && set_offs.iter().all(|s| micro(&s["amount"]) == micro(&s["set_off"]) + micro(&s["remaining"])));
        for vendor in &vendors {
            let lines = rows(&house.operator.file(&run, &format!("statement-{}.csv", vendor.code)).await.text());
            let sum = |kind: &str, with: &str, column: &str| {
                let lines = lines.iter().filter(|l| l["kind"] == kind && (with.is_empty() || l["counterparty"] == with));
                lines.map(|l| micro(&l[column])).sum::<i64>()
            };
            for other in vendors.iter().filter(|other| other.code != vendor.code) {
                for (column, own, others) in [("owed", "creditor", "debtor"), ("owes", "debtor", "creditor")] {
                    let [debts, set_off, transfer, carry] =
                        ["counterparty", "set_off", "transfer", "carry"].map(|kind| sum(kind, &other.code, column));
                    assert_eq!(debts, set_off + transfer + carry, "{} with {}: {column}", vendor.code, other.code);
                    let listed = set_offs.iter().filter(|s| s[own] == vendor.code && s[others] == other.code);
                    assert_eq!(set_off, listed.map(|s| micro(&s["set_off"])).sum::<i64>(), "{} with {}", vendor.code, other.code);
                }
            }
            assert_eq!(sum("set_off", "", "owed"), sum("set_off", "", "owes"), "circles cancel as much on either side");
            let net = |kind: &str| sum(kind, "", "owed") - sum(kind, "", "owes");
            assert_eq!(net("carry"), net("closing_carry"));
            assert!(vendor.client.get(&format!("/v1/runs/{}/files/setoffs.csv", run["id"].as_str().unwrap())).await.status == 404);
        }
    });
}

#[test]
fn where_no_circles_are_set_off_nothing_says_so() {
    audit(async |house| {
        let (run, ..) = settled(house).await;
        house.operator.file(&run, "setoffs.csv").await.refused(404, "not_found");
        let statement = house.operator.file(&run, "statement-AA.csv").await.text();
        assert!(!statement.contains("set_off") && !statement.contains("\r\ncarry,"), "{statement}");
    });
}

#[test]
fn a_file_is_the_same_for_ever_and_says_its_hash() {
    audit(async |house| {
        let (run, ..) = settled(house).await;
        house.export(&run).await;
        let files = house.operator.client.get(&format!("/v1/runs/{}/files", run["id"].as_str().unwrap())).await.ok();
        let names: Vec<&str> = files["items"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
        let expected = [
            ("carries.csv", CSV),
            ("journal.beancount", "text/plain; charset=utf-8"),
            ("journal.hledger", "text/plain; charset=utf-8"),
            ("manifest.json", "application/json"),
            ("pacs.009.001.08.xml", "application/xml"),
            ("pain.001.001.09.xml", "application/xml"),
            ("positions-excel.csv", CSV),
            ("positions.csv", CSV),
            ("settlement.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            ("statement-AA.csv", CSV),
            ("statement-BB.csv", CSV),
            ("statement-CC.csv", CSV),
            ("transfers-excel.csv", CSV),
            ("transfers-without-account.csv", CSV),
            ("transfers.csv", CSV),
        ];
        assert_eq!(names, expected.map(|(name, _)| name));
        let manifest: Value = house.operator.file(&run, "manifest.json").await.json();
        for (name, media_type) in expected {
            let (one, two) = (house.operator.file(&run, name).await, house.operator.file(&run, name).await);
            assert_eq!(one.bytes, two.bytes);
            let hash = hex::encode(Sha256::digest(&one.bytes));
            assert_eq!(one.header("content-type"), media_type, "{name}");
            assert!(one.header("etag").contains(&hash), "{name}: {}", one.header("etag"));
            assert!(one.header("content-digest").starts_with("sha-256=:"), "{name}");
            assert_eq!(one.header("content-length"), one.bytes.len().to_string());
            assert!(one.header("content-disposition").contains(name));
            if name.ends_with(".csv") {
                assert!(one.text().ends_with("\r\n"), "{name} ends its lines as RFC 4180 says");
            }
            if name != "manifest.json" {
                assert!(manifest.to_string().contains(&hash), "the manifest names the hash of {name}");
            }
        }
        house.operator.file(&run, "nothing.csv").await.refused(404, "not_found");
        house.operator.file(&run, "..%2Ftransfers.csv").await.refused(404, "not_found");
    });
}

/// The names and bytes of all files of a run.
async fn all_files(house: &House, run: &Value) -> Vec<(String, Vec<u8>)> {
    let list = house.operator.client.get(&format!("/v1/runs/{}/files", run["id"].as_str().unwrap())).await.ok();
    let mut files = Vec::new();
    for name in list["items"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()) {
        files.push((name.to_owned(), house.operator.file(run, name).await.bytes));
    }
    files
}

#[test]
fn a_run_that_is_computed_again_has_the_same_bytes() {
    audit(async |house| {
        house.operator.scheme_with("EURO", "conservative", 2).await;
        let alice = house.user("alice").await;
        let mut vendors = Vec::new();
        for code in ["AA", "BB", "CC"] {
            let body =
                serde_json::json!({"code": code, "name": code, "scale": 2, "unit_value": "1", "scheme": "EURO", "payout": payout(code)});
            let vendor = house.operator.vendor_with(body).await;
            vendor.endow(&alice, "1000").await;
            vendors.push(vendor);
        }
        for (send, from, to) in [("50", 0, 1), ("40", 1, 2), ("30", 2, 0), ("20", 0, 2)] {
            alice.convert(send, &vendors[from], &vendors[to]).await.created();
        }
        let run = house.operator.settle("EURO").await;
        house.export(&run).await;
        let first = all_files(house, &run).await;

        // As if the process had died before its commit.
        let forget =
            "DELETE FROM file_pieces; DELETE FROM files; DELETE FROM transfers; DELETE FROM run_positions; DELETE FROM run_windows; DELETE FROM run_steps;
                      UPDATE windows SET run_id = NULL; DELETE FROM runs; DELETE FROM seals";
        house.db_admin().await.batch_execute(forget).await.unwrap();
        assert_eq!(house.app.runs.resume().await.unwrap().len(), 1);
        house.export(&run).await;

        let again = all_files(house, &run).await;
        assert_eq!(first.len(), 15);
        for ((name, bytes), (name_again, bytes_again)) in first.iter().zip(&again) {
            assert_eq!(name, name_again);
            assert!(bytes == bytes_again, "{name} has other bytes");
        }
        assert_eq!(first.len(), again.len());
    });
}

#[test]
fn a_name_that_a_spreadsheet_would_run_is_neutralised() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let payout = serde_json::json!({"account_holder": "=HYPERLINK(\"http://x\")", "iban": "DE89370400440532013000"});
        let body = serde_json::json!({"code": "AA", "name": "A", "scale": 0, "unit_value": "1", "scheme": "EURO", "payout": payout});
        let aa = house.operator.vendor_with(body).await;
        let bb = house
            .operator
            .vendor_with(serde_json::json!({"code": "BB", "name": "B", "scale": 0, "unit_value": "1", "scheme": "EURO"}))
            .await;
        let alice = house.user("alice").await;
        bb.endow(&alice, "5").await;
        alice.open(&aa).await;
        alice.convert("5", &bb, &aa).await.created();
        let run = house.operator.settle("EURO").await;
        let text = house.operator.file(&run, "transfers.csv").await.text();
        assert!(text.contains("'=HYPERLINK"), "{text}");
    });
}

#[test]
fn a_tampered_file_or_obligation_is_found() {
    audit(async |house| {
        settled(house).await;
        let admin = house.db_admin().await;
        for (tamper, mend, expected) in [
            (
                "UPDATE file_pieces p SET bytes = p.bytes || 'x' FROM files f WHERE f.id = p.file_id AND f.name = 'transfers.csv'",
                "UPDATE file_pieces p SET bytes = substr(p.bytes, 1, length(p.bytes) - 1) FROM files f WHERE f.id = p.file_id AND f.name = 'transfers.csv'",
                "file",
            ),
            (
                "UPDATE obligations SET amount_micro = amount_micro + 1 WHERE id = (SELECT id FROM obligations ORDER BY id LIMIT 1)",
                "UPDATE obligations SET amount_micro = amount_micro - 1 WHERE id = (SELECT id FROM obligations ORDER BY id LIMIT 1)",
                "leaf",
            ),
            (
                "UPDATE accounts SET balance = balance + 1 WHERE ctid = (SELECT min(ctid) FROM accounts)",
                "UPDATE accounts SET balance = balance - 1 WHERE balance % 1 = 0 AND (user_id, vendor_id) IN (SELECT a.user_id, a.vendor_id FROM accounts a
                 JOIN (SELECT user_id, vendor_id, sum(amount) AS sum FROM entries GROUP BY 1, 2) e USING (user_id, vendor_id) WHERE a.balance <> e.sum)",
                "balance",
            ),
        ] {
            admin.batch_execute(tamper).await.unwrap();
            let violations = house.violations().await;
            assert!(violations.iter().any(|v| v.contains(expected)), "{expected}: {violations:?}");
            admin.batch_execute(mend).await.unwrap();
            assert_eq!(house.violations().await, Vec::<String>::new());
        }
    });
}
