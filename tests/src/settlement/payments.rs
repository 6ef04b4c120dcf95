//! What is to be paid, as the CSV that some bank takes.

use super::bank_files::market;
use crate::support::{Answer, House, Vendor, audit};
use serde_json::{Value, json};

const TEMPLATE: &str = "/v1/bank-templates/SPARKASSE";

fn template() -> Value {
    json!({"separator": ";", "decimal_sign": ",", "day_format": "DD.MM.YYYY", "header": true, "latin": true, "columns": [
        {"header": "Nr", "field": "number"}, {"header": "Von", "field": "payer_iban"}, {"header": "Empfänger", "field": "payee_account_holder"},
        {"header": "IBAN", "field": "payee_iban"}, {"header": "Betrag", "field": "amount"}, {"header": "Art", "text": "SEPA"},
        {"header": "am", "field": "pay_on"}]})
}

/// The same without accounts.
fn plain() -> Value {
    let columns: Vec<Value> = ["number", "payer", "payee", "amount"].map(|field| json!({"header": field, "field": field})).to_vec();
    json!({"separator": ",", "decimal_sign": ".", "day_format": "YYYY-MM-DD", "header": false, "latin": false, "columns": columns})
}

/// AA owes BB 50 and CC 7.50, BB owes AA 20, CC owes AA 5, and each of these is to be paid; CC gave no account. Both templates are there.
async fn exported(house: &House) -> (Vec<Vendor>, Value) {
    let (vendors, alice) = market(house, "gross", 2, ["Müller & Söhne", "=Beans"]).await;
    for (send, from, to) in [("50", 0, 1), ("7.5", 0, 2), ("20", 1, 0), ("5", 2, 0)] {
        alice.convert(send, &vendors[from], &vendors[to]).await.created();
    }
    house.operator.client.put(TEMPLATE, None, template()).await.created();
    house.operator.client.put("/v1/bank-templates/PLAIN", None, plain()).await.created();
    let run = house.operator.settle("EURO_1").await;
    house.export(&run).await;
    (vendors, run)
}

fn payments(run: &Value, query: &str) -> String {
    format!("/v1/runs/{}/payments?{query}", run["id"].as_str().unwrap())
}

async fn get(house: &House, run: &Value, query: &str) -> Answer {
    house.operator.client.get(&payments(run, query)).await
}

/// The file's lines, which all end in CRLF.
fn lines(answer: &Answer) -> Vec<String> {
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/csv; charset=utf-8"), "{}", answer.text());
    let text = answer.text();
    assert!(text.is_empty() || text.ends_with("\r\n"), "{text}");
    text.split_terminator("\r\n").map(str::to_owned).collect()
}

#[test]
fn payments_are_written_as_the_bank_wants_them() {
    audit(async |house| {
        let (_, run) = exported(house).await;

        let refused = get(house, &run, "template=SPARKASSE").await.refused(409, "accounts_missing");
        let written = get(house, &run, "template=SPARKASSE&pay_on=2026-11-27&incomplete=leave_out").await;

        assert_eq!(refused["vendors"], json!(["CC"]));
        assert_eq!(written.header("content-disposition"), "attachment; filename=\"payments-SPARKASSE.csv\"");
        let [header, to_bb, to_aa] = <[String; 3]>::try_from(lines(&written)).expect("CC is left out");
        assert_eq!(header, "Nr;Von;Empfänger;IBAN;Betrag;Art;am");
        assert_eq!(to_bb, "1;DE89370400440532013000;.Beans;FR1420041010050500013M02606;50,00;SEPA;27.11.2026");
        assert_eq!(to_aa, "3;FR1420041010050500013M02606;Muller + Sohne;DE89370400440532013000;20,00;SEPA;27.11.2026");
        let plain = lines(&get(house, &run, "template=PLAIN").await);
        assert_eq!(plain, ["1,AA,BB,50.00", "2,AA,CC,7.50", "3,BB,AA,20.00", "4,CC,AA,5.00"]);
    });
}

#[test]
fn what_was_sent_is_no_longer_to_be_paid_and_what_is_tried_again_is() {
    audit(async |house| {
        let (_, run) = exported(house).await;
        let waiting = async || lines(&get(house, &run, "template=PLAIN&payer=AA").await);
        house.operator.mark(&run, 1, json!({"to": "sent", "reason": "seen"})).await.created();
        assert_eq!(waiting().await, ["2,AA,CC,7.50"]);
        house.operator.mark(&run, 1, json!({"to": "failed", "reason_code": "AC04", "reason": "the bank says so"})).await.created();
        assert_eq!(waiting().await, ["2,AA,CC,7.50"]);
        house.operator.mark(&run, 1, json!({"to": "retried", "reason": "another account"})).await.created();
        assert_eq!(waiting().await, ["1,AA,BB,50.00", "2,AA,CC,7.50"]);

        for number in 1..=4 {
            house.operator.mark(&run, number, json!({"to": "received", "reason": "seen"})).await.created();
        }

        let refused = get(house, &run, "template=PLAIN").await.refused(409, "run_not_under_settlement");
        assert_eq!(refused["state"], "settled");
    });
}

#[test]
fn a_vendor_gets_what_it_pays_itself() {
    audit(async |house| {
        let (vendors, run) = exported(house).await;
        for (vendor, query, expected) in [
            (&vendors[0], "template=PLAIN", vec!["1,AA,BB,50.00", "2,AA,CC,7.50"]),
            (&vendors[1], "template=PLAIN", vec!["3,BB,AA,20.00"]),
            (&vendors[1], "template=PLAIN&payer=BB", vec!["3,BB,AA,20.00"]),
        ] {
            assert_eq!(lines(&vendor.client.get(&payments(&run, query)).await), expected, "{} {query}", vendor.code);
        }
        let own = vendors[1].client.get(&payments(&run, "template=SPARKASSE")).await;
        assert!(lines(&own)[1].contains("DE89370400440532013000"), "a payer has to know where to pay");
        assert_eq!(vendors[1].client.get(TEMPLATE).await.ok()["columns"][0]["field"], "number");
        vendors[1].client.put(TEMPLATE, Some("*"), template()).await.refused(403, "forbidden");
        let apart = house.operator.vendor_with(json!({"code": "APART", "name": "Apart", "scale": 0})).await;
        apart.client.get(&payments(&run, "template=PLAIN")).await.refused(404, "not_found");
    });
}

#[test]
fn the_house_pays_from_its_own_account() {
    audit(async |house| {
        let (vendors, alice) = market(house, "hub", 2, ["Miles", "Beans"]).await;
        alice.convert("50", &vendors[0], &vendors[1]).await.created();
        house.operator.client.put(TEMPLATE, None, template()).await.created();
        let run = house.operator.settle("EURO_1").await;
        house.export(&run).await;
        let query = "template=SPARKASSE&pay_on=2026-11-27&payer=HOUSE";
        assert_eq!(get(house, &run, query).await.refused(409, "accounts_missing")["vendors"], json!(["HOUSE"]));

        let account = json!({"account_holder": "The House", "iban": "NL91ABNA0417164300"});
        house.operator.client.put("/v1/house/account", Some("*"), account).await.ok();

        let expected = ";NL91ABNA0417164300;Beans;FR1420041010050500013M02606;50,00;SEPA;27.11.2026";
        let written = lines(&get(house, &run, query).await);
        assert!(written.len() == 2 && written[1].ends_with(expected), "{written:?}");
    });
}

#[test]
fn a_template_is_changed_at_the_version_that_was_read() {
    audit(async |house| {
        let operator = &house.operator.client;
        operator.get(TEMPLATE).await.refused(404, "template_not_found");
        operator.put(TEMPLATE, Some("*"), template()).await.refused(404, "template_not_found");
        let made = operator.put(TEMPLATE, None, template()).await;
        assert_eq!(made.header("etag"), "\"1\"");
        let made = made.created();
        assert_eq!((&made["code"], &made["version"], &made["columns"]), (&json!("SPARKASSE"), &json!(1), &template()["columns"]));
        operator.put(TEMPLATE, None, template()).await.refused(428, "if_match_required");
        assert_eq!(operator.put(TEMPLATE, Some("\"2\""), template()).await.refused(412, "version_mismatch")["version"], 1);

        let changed = operator.put(TEMPLATE, Some("\"1\""), plain()).await.ok();

        assert_eq!(operator.get(TEMPLATE).await.ok(), changed);
        operator.put("/v1/bank-templates/OTHER", None, template()).await.created();
        let page = operator.get("/v1/bank-templates?limit=1").await.ok();
        assert_eq!(page["items"][0]["code"], "OTHER");
        let rest = operator.get(&format!("/v1/bank-templates?limit=1&after={}", page["next"].as_str().unwrap())).await.ok();
        assert_eq!((&rest["items"][0], &rest["next"]), (&changed, &Value::Null));
    });
}

#[test]
fn a_template_that_no_file_can_be_written_by_is_refused() {
    audit(async |house| {
        let operator = &house.operator.client;
        let with = |key: &str, value: Value| {
            let mut changed = template();
            changed[key] = value;
            changed
        };
        let column = |column: Value| with("columns", json!([column]));
        for (body, field) in [
            (with("separator", json!("|")), "separator"),
            (with("decimal_sign", json!("")), "decimal_sign"),
            (with("day_format", json!("%Y")), "day_format"),
            (with("columns", json!([])), "columns"),
            (column(json!({"header": "x"})), "columns[0].field"),
            (column(json!({"header": "x", "field": "amount", "text": "y"})), "columns[0].field"),
            (column(json!({"header": "x", "field": "iban"})), "columns[0].field"),
            (column(json!({"header": "a\nb", "field": "amount"})), "columns[0].header"),
            (column(json!({"header": "x", "text": "a\u{0}b"})), "columns[0].text"),
        ] {
            assert_eq!(operator.put(TEMPLATE, None, body).await.refused(422, "template_malformed")["field"], field);
        }
        operator.put(TEMPLATE, None, with("quote", json!("'"))).await.refused(400, "invalid_body");
        operator.put("/v1/bank-templates/sparkasse", None, template()).await.refused(422, "code_malformed");
        assert_eq!(house.db_count("SELECT count(*) FROM bank_templates").await, 0);
    });
}

#[test]
fn payments_that_cannot_be_asked_for_are_refused() {
    audit(async |house| {
        let (vendors, run) = exported(house).await;
        for (query, status, code) in [
            ("", 400, "invalid_query"),
            ("template=PLAIN&to=BB", 400, "invalid_query"),
            ("template=NOBODY", 404, "template_not_found"),
            ("template=pl%00ain", 404, "template_not_found"),
            ("template=PLAIN&pay_on=27.11.2026", 422, "pay_on_malformed"),
            ("template=PLAIN&incomplete=maybe", 422, "incomplete_unknown"),
            ("template=PLAIN&payer=%00", 404, "vendor_not_payer"),
            ("template=PLAIN&payer=NOBODY", 404, "vendor_not_payer"),
            ("template=PLAIN&payer=HOUSE", 404, "vendor_not_payer"),
        ] {
            get(house, &run, query).await.refused(status, code);
        }
        vendors[1].client.get(&payments(&run, "template=PLAIN&payer=AA")).await.refused(404, "vendor_not_payer");
        let carol = house.user("carol").await;
        vendors[0].endow(&carol, "10").await;
        carol.open(&vendors[1]).await;
        carol.convert("10", &vendors[0], &vendors[1]).await.created();
        let computed = house.operator.settle("EURO_1").await;
        get(house, &computed, "template=PLAIN").await.refused(409, "run_not_under_settlement");
    });
}
