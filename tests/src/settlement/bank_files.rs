//! Files that banks read: valid against the schemas of ISO 20022, and the same transfers as transfers.csv.

use crate::support::{House, User, Vendor, audit, micro};
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const PAIN: &str = "pain.001.001.09";
const PACS: &str = "pacs.009.001.08";

/// AA with all bank details, BB without a BIC, CC with none at all.
pub(super) async fn market(house: &House, strategy: &str, digits: u8, names: [&str; 2]) -> (Vec<Vendor>, User) {
    house.operator.scheme_with("EURO_1", strategy, digits).await;
    let alice = house.user("alice").await;
    let payouts = [
        json!({"account_holder": names[0], "iban": "DE89370400440532013000", "bic": "COBADEFFXXX"}),
        json!({"account_holder": names[1], "iban": "FR1420041010050500013M02606"}),
        Value::Null,
    ];
    let mut vendors = Vec::new();
    for (code, payout) in ["AA", "BB", "CC"].into_iter().zip(payouts) {
        let body = json!({"code": code, "name": code, "scale": 2, "unit_value": "1", "scheme": "EURO_1", "payout": payout});
        let vendor = house.operator.vendor_with(body).await;
        vendor.endow(&alice, "1000").await;
        vendors.push(vendor);
    }
    (vendors, alice)
}

/// AA owes BB 50 and CC 7.50, BB owes AA 20, CC owes AA 5.
async fn settled(house: &House, strategy: &str, digits: u8, names: [&str; 2]) -> Value {
    let (vendors, alice) = market(house, strategy, digits, names).await;
    for (send, from, to) in [("50", 0, 1), ("7.5", 0, 2), ("20", 1, 0), ("5", 2, 0)] {
        alice.convert(send, &vendors[from], &vendors[to]).await.created();
    }
    let run = house.operator.settle("EURO_1").await;
    house.export(&run).await;
    run
}

async fn file(house: &House, run: &Value, message: &str) -> String {
    let answer = house.operator.file(run, &format!("{message}.xml")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text()
}

/// Validates against the schema of ISO 20022, where that and `xmllint` are at hand; reads it as XML in any case.
fn assert_valid(message: &str, text: &str) {
    assert!(texts(text, "EndToEndId").iter().all(|id| id.len() <= 35));
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../shared/xsd/{message}.xsd"));
    if !schema.exists() || Command::new("xmllint").arg("--version").output().is_err() {
        println!("{message} is not held against its schema: ../shared/xsd or xmllint is missing");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("message.xml");
    std::fs::write(&file, text).unwrap();
    let checked = Command::new("xmllint").args(["--noout", "--schema"]).args([&schema, &file]).output().unwrap();
    assert!(checked.status.success(), "{}\n{text}", String::from_utf8_lossy(&checked.stderr));
}

/// The texts of all elements of this name, in their order. What is not well-formed fails.
fn texts(xml: &str, element: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let (mut found, mut inside) = (Vec::new(), false);
    loop {
        match reader.read_event().expect("it is well-formed") {
            Event::Start(start) if start.name().as_ref() == element.as_bytes() => {
                inside = true;
                found.push(String::new());
            }
            Event::End(_) => inside = false,
            Event::Text(text) if inside => found.last_mut().unwrap().push_str(&text.decode().unwrap()),
            // Of SEPA's letters only the apostrophe is written as something else.
            Event::GeneralRef(name) => assert_eq!(&*name.decode().unwrap(), "apos"),
            Event::Eof => return found,
            _ => {}
        }
    }
}

#[test]
fn a_run_has_these_very_bank_files() {
    audit(async |house| {
        let run = settled(house, "gross", 2, ["Müller & Söhne", "Bean Counter <Ltd>"]).await;

        let [pain, pacs] = [file(house, &run, PAIN).await, file(house, &run, PACS).await];

        let id = run["id"].as_str().unwrap().replace('-', "")[..12].to_uppercase();
        let at: jiff::Timestamp = run["computed_at"].as_str().unwrap().parse().unwrap();
        let fill = |text: &str| {
            let text = text.replace("RUN", &format!("SH-{id}")).replace("AT", &at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
            text.replace("DAY", &at.strftime("%Y-%m-%d").to_string())
        };
        assert_eq!(pain, fill(include_str!("golden/pain.001.001.09.xml")));
        assert_eq!(pacs, fill(include_str!("golden/pacs.009.001.08.xml")));
        let without = house.operator.file(&run, "transfers-without-account.csv").await.text();
        let expected =
            "number,reference,payer,payee,amount,currency,missing\r\n2,RUN-2,AA,CC,7.50,EUR,payee\r\n4,RUN-4,CC,AA,5.00,EUR,payer\r\n";
        assert_eq!(without, expected.replace("RUN", &format!("SH-{id}")));
        let manifest = house.operator.file(&run, "manifest.json").await.json();
        assert_eq!((&manifest["without_account_count"], &manifest["without_account_sum"]), (&json!(2), &json!("12.500000")));
        assert_valid(PAIN, &pain);
        assert_valid(PACS, &pacs);
    });
}

#[test]
fn every_transfer_is_in_a_bank_file_once() {
    for (strategy, digits) in [("gross", 2), ("bilateral", 0), ("conservative", 5), ("direct", 3), ("hub", 2)] {
        audit(async |house| {
            let run = settled(house, strategy, digits, ["\"A\" 株式会社 & Co", "Ünïted 'Bêans' <x/>"]).await;

            let transfers = house.operator.file(&run, "transfers.csv").await.text();
            let all: Vec<(String, i64)> = csv::Reader::from_reader(transfers.as_bytes())
                .records()
                .map(|row| row.map(|row| (row[1].to_owned(), micro(&row[4]))).unwrap())
                .collect();
            let pacs = file(house, &run, PACS).await;
            assert_valid(PACS, &pacs);
            assert_eq!(listed(&pacs, "IntrBkSttlmAmt"), all, "{strategy}");
            let sum: i64 = all.iter().map(|(_, amount)| amount).sum();
            assert_eq!((&texts(&pacs, "NbOfTxs")[..], micro(&texts(&pacs, "CtrlSum")[0])), (&[all.len().to_string()][..], sum));

            let pain = house.operator.file(&run, &format!("{PAIN}.xml")).await;
            let without = house.operator.file(&run, "transfers-without-account.csv").await;
            let mut split = if pain.status == 200 { listed(&pain.text(), "InstdAmt") } else { Vec::new() };
            if pain.status == 200 {
                assert_valid(PAIN, &pain.text());
                let (counts, sums) = (texts(&pain.text(), "NbOfTxs"), texts(&pain.text(), "CtrlSum"));
                assert_eq!(counts[0], split.len().to_string());
                assert_eq!(counts[1..].iter().map(|n| n.parse::<usize>().unwrap()).sum::<usize>(), split.len());
                assert_eq!(micro(&sums[0]), split.iter().map(|(_, amount)| amount).sum::<i64>());
                assert_eq!(micro(&sums[0]), sums[1..].iter().map(|sum| micro(sum)).sum::<i64>());
            }
            if without.status == 200 {
                let text = without.text();
                let rows = csv::Reader::from_reader(text.as_bytes()).into_records();
                split.extend(rows.map(|row| row.map(|row| (row[1].to_owned(), micro(&row[4]))).unwrap()));
            }
            split.sort();
            let mut all = all;
            all.sort();
            assert_eq!(split, all, "{strategy}");
        });
    }
}

/// The references of a message's transfers, and what they move.
fn listed(xml: &str, amount: &str) -> Vec<(String, i64)> {
    let amounts = texts(xml, amount);
    texts(xml, "EndToEndId").into_iter().zip(amounts.iter().map(|amount| micro(amount))).collect()
}

#[test]
fn a_run_without_transfers_has_no_bank_files() {
    audit(async |house| {
        market(house, "direct", 2, ["A", "B"]).await;
        let run = house.operator.settle("EURO_1").await;
        for name in ["pain.001.001.09.xml", "pacs.009.001.08.xml", "transfers-without-account.csv"] {
            house.operator.file(&run, name).await.refused(404, "not_found");
        }
        let manifest = house.operator.file(&run, "manifest.json").await.json();
        assert_eq!((&manifest["without_account_count"], &manifest["without_account_sum"]), (&json!(0), &json!("0.000000")));
    });
}

#[test]
fn amounts_finer_than_a_bank_takes_have_no_bank_files() {
    audit(async |house| {
        let run = settled(house, "gross", 6, ["A", "B"]).await;
        for name in ["pain.001.001.09.xml", "pacs.009.001.08.xml"] {
            house.operator.file(&run, name).await.refused(404, "not_found");
        }
        assert_eq!(house.operator.file(&run, "transfers.csv").await.text().lines().count(), 5);
    });
}

#[test]
fn a_vendor_reads_no_bank_file() {
    audit(async |house| {
        let (vendors, alice) = market(house, "gross", 2, ["A", "B"]).await;
        alice.convert("50", &vendors[0], &vendors[1]).await.created();
        alice.convert("50", &vendors[0], &vendors[2]).await.created();
        let run = house.operator.settle("EURO_1").await;
        for name in ["pain.001.001.09.xml", "pacs.009.001.08.xml"] {
            assert_eq!(house.operator.file(&run, name).await.refused(409, "run_not_exported")["state"], "computed");
        }
        house.export(&run).await;
        for name in ["pain.001.001.09.xml", "pacs.009.001.08.xml", "transfers-without-account.csv"] {
            assert_eq!(house.operator.file(&run, name).await.status, 200, "{name}");
            let path = format!("/v1/runs/{}/files/{name}", run["id"].as_str().unwrap());
            vendors[0].client.get(&path).await.refused(404, "not_found");
        }
    });
}

#[test]
fn the_house_pays_and_is_paid_through_its_account() {
    audit(async |house| {
        let (vendors, alice) = market(house, "hub", 2, ["Alpha", "Beta"]).await;
        let client = &house.operator.client;
        let account = json!({"account_holder": "The House", "iban": "NL91ABNA0417164300", "bic": "ABNANL2A"});
        let read = client.get("/v1/house/account").await;
        assert_eq!((read.header("etag"), read.json()), ("\"1\"", json!({"account": null, "version": 1})));
        client.put("/v1/house/account", None, account.clone()).await.refused(428, "if_match_required");
        let wrong = json!({"account_holder": "The House", "iban": "NL92ABNA0417164300"});
        client.put("/v1/house/account", Some("\"1\""), wrong).await.refused(422, "iban_invalid");
        let set = client.put("/v1/house/account", Some("\"1\""), account.clone()).await;
        assert_eq!((set.header("etag"), set.json()), ("\"2\"", json!({"account": account, "version": 2})));
        client.put("/v1/house/account", Some("\"1\""), account.clone()).await.refused(412, "version_mismatch");
        vendors[0].client.get("/v1/house/account").await.refused(403, "forbidden");

        for (send, from, to) in [("50", 0, 1), ("7.5", 0, 2), ("20", 1, 0), ("5", 2, 0)] {
            alice.convert(send, &vendors[from], &vendors[to]).await.created();
        }
        let run = house.operator.settle("EURO_1").await;
        house.export(&run).await;

        let pain = file(house, &run, PAIN).await;
        assert_valid(PAIN, &pain);
        assert_eq!(texts(&pain, "InstdAmt"), ["32.50", "30.00"], "AA pays the house, and the house pays BB");
        assert_eq!(
            texts(&pain, "IBAN"),
            ["DE89370400440532013000", "NL91ABNA0417164300", "NL91ABNA0417164300", "FR1420041010050500013M02606"]
        );
        assert_eq!(texts(&pain, "NbOfTxs"), ["2", "1", "1"]);
        assert_valid(PACS, &file(house, &run, PACS).await);
        let without = house.operator.file(&run, "transfers-without-account.csv").await.text();
        assert_eq!(without.lines().count(), 2);
        assert!(without.lines().nth(1).unwrap().ends_with(",HOUSE,CC,2.50,EUR,payee"), "{without}");
        assert!(house.operator.file(&run, "transfers.csv").await.text().contains("NL91ABNA0417164300"));
        let bundle = client.get(&format!("/v1/runs/{}/bundle", run["id"].as_str().unwrap())).await;
        let verified = runs::bundles::verify(bundle.bytes.as_slice()).unwrap();
        assert!(verified.proofs.iter().all(ledger::proofs::Proof::holds), "{:?}", verified.proofs);
    });
}
