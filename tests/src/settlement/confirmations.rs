//! Confirmations: what banks say of many transfers is looked at first and applied then, whole and once.

use super::bank_files::market;
use crate::support::{Answer, House, User, Vendor, audit};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(super) const HEADER: &str = "reference,amount,currency,result,reason,bank_reference,booked_on\n";

/// A run with transfers 1: AA>CC 20.00 and 2: BB>CC 10.00, as `what_is_netted_by_direct` leaves them, exported or not yet.
async fn computed(house: &House) -> (Value, Vec<Vendor>, User) {
    house.operator.scheme("EURO").await;
    let alice = house.user("alice").await;
    let mut vendors = Vec::new();
    for code in ["AA", "BB", "CC"] {
        let vendor = house.operator.vendor("EURO", code, "1").await;
        vendor.endow(&alice, "1000").await;
        vendors.push(vendor);
    }
    for (send, from, to) in [("20", 0, 2), ("10", 1, 2)] {
        alice.convert(send, &vendors[from], &vendors[to]).await.created();
    }
    (house.operator.settle("EURO").await, vendors, alice)
}

async fn exported(house: &House) -> (Value, Vec<Vendor>, User) {
    let (run, vendors, alice) = computed(house).await;
    (house.export(&run).await, vendors, alice)
}

/// What payer, payee and banks call the run's transfer.
pub(super) fn reference(run: &Value, number: i64) -> String {
    let digits: String = run["id"].as_str().unwrap().replace('-', "").to_uppercase().chars().take(12).collect();
    format!("SH-{digits}-{number}")
}

pub(super) async fn states(house: &House, run: &Value) -> Vec<String> {
    let id = run["id"].as_str().unwrap();
    let transfers = house.operator.client.get(&format!("/v1/runs/{id}/transfers")).await.ok();
    let run = house.operator.client.get(&format!("/v1/runs/{id}")).await.ok();
    let states = transfers["items"].as_array().unwrap().iter().map(|transfer| transfer["state"].clone());
    states.chain([run["state"].clone()]).map(|state| state.as_str().unwrap().to_owned()).collect()
}

/// Each entry as `number outcome`, with its hint.
pub(super) async fn entries(house: &House, confirmation: &Value, query: &str) -> Vec<String> {
    let path = format!("/v1/confirmations/{}/entries{query}", confirmation["id"].as_str().unwrap());
    let page = house.operator.client.get(&path).await.ok();
    let shown = |entry: &Value| {
        let hint = entry["hint"].as_str().map(|hint| format!(": {hint}")).unwrap_or_default();
        format!("{} {}{hint}", entry["number"], entry["outcome"].as_str().unwrap())
    };
    page["items"].as_array().unwrap().iter().map(shown).collect()
}

fn pain(transactions: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>\
         <GrpHdr><MsgId>M</MsgId></GrpHdr><OrgnlPmtInfAndSts>{transactions}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    )
}

/// A statement with these entries: reference, amount, and whether it was credited.
fn statement(entries: &[(String, &str, bool)]) -> String {
    let entries: String = entries
        .iter()
        .map(|(reference, amount, is_credit)| {
            let direction = if *is_credit { "CRDT" } else { "DBIT" };
            format!(
                "<Ntry><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-25</Dt></BookgDt>\
                 <AcctSvcrRef>{direction}-{amount}</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>"
            )
        })
        .collect();
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><Stmt>{entries}</Stmt></BkToCstmrStmt></Document>"
    )
}

#[test]
fn money_that_comes_back_to_the_payer_has_not_been_received() {
    audit(async |house| {
        let (vendors, alice) = market(house, "gross", 2, ["Miles", "Beans"]).await;
        alice.convert("50", &vendors[0], &vendors[1]).await.created();
        let run = house.export(&house.operator.settle("EURO_1").await).await;
        let of = |iban: &str, entries: &[(String, &str, bool)]| {
            statement(entries).replace("<Stmt>", &format!("<Stmt><Acct><Id><IBAN>{iban}</IBAN></Id></Acct>"))
        };
        let (sent, came) = ((reference(&run, 1), "50", false), (reference(&run, 1), "50", true));
        let [payers, payees] = ["DE89370400440532013000", "FR1420041010050500013M02606"];

        let there_and_back = house.operator.confirm("EURO_1", &of(payers, &[sent.clone(), came.clone()])).await.created();

        let hint = "it is a credit to the payer's account: the money may have come back";
        assert_eq!(entries(house, &there_and_back, "").await, ["1 confirmed".to_owned(), format!("2 conflicting: {hint}")]);
        let path = format!("/v1/confirmations/{}/entries", there_and_back["id"].as_str().unwrap());
        assert_eq!(house.operator.client.get(&path).await.ok()["items"][1]["account"], payers);
        house.operator.apply(&there_and_back).await.ok();
        assert_eq!(states(house, &run).await, ["sent", "settling"]);
        let wrong = house.operator.confirm("EURO_1", &of(payees, &[sent])).await.created();
        assert_eq!(entries(house, &wrong, "").await, ["1 conflicting: it is a debit of the payee's account"]);
        let arrived = house.operator.confirm("EURO_1", &of(payees, &[came])).await.created();
        house.operator.apply(&arrived).await.ok();
        assert_eq!(states(house, &run).await, ["received", "settled"]);
    });
}

#[test]
fn nothing_moves_until_a_confirmation_is_applied_and_then_once() {
    audit(async |house| {
        let (run, ..) = exported(house).await;
        let csv =
            format!("{HEADER}{},20.00,EUR,received,,B1,2026-11-25\n{},10.00,EUR,received,,B2,\n", reference(&run, 1), reference(&run, 2));

        let proposed = house.operator.confirm("EURO", &csv).await.created();
        assert_eq!(
            (&proposed["state"], &proposed["format"], &proposed["outcomes"]),
            (&json!("proposed"), &json!("csv"), &json!({"confirmed": 2}))
        );
        assert_eq!(states(house, &run).await, ["instructed", "instructed", "exported"]);
        let again = house.operator.confirm("EURO", &csv).await;
        assert_eq!((again.header("idempotency-replayed"), &again.json()["id"]), ("true", &proposed["id"]));

        let (one, two) = tokio::join!(house.operator.apply(&proposed), house.operator.apply(&proposed));
        let (one, two) = (one.ok(), two.ok());
        assert_eq!((&one["state"], &one), (&json!("applied"), &two));
        assert_eq!(states(house, &run).await, ["received", "received", "settled"]);
        assert_eq!(house.operator.apply(&proposed).await.ok(), one);
        assert_eq!(house.operator.confirm("EURO", &csv).await.created()["state"], "applied");
        assert_eq!(house.db_count("SELECT count(*) FROM transfer_steps").await, 2);

        // The next day's document says it again in other bytes.
        let repeated = house.operator.confirm("EURO", &csv.replace("B2,", "B2,2026-11-26")).await.created();
        assert_eq!((&repeated["outcomes"], &repeated["errors"]), (&json!({"already": 2}), &json!(0)));

        let transfer = house.operator.client.get(&format!("/v1/runs/{}/transfers/1", run["id"].as_str().unwrap())).await.ok();
        let step = &transfer["steps"][0];
        assert_eq!((&step["bank_reference"], &step["booked_on"], &step["confirmation"]), (&json!("B1"), &json!("2026-11-25"), &one["id"]));
        let entry =
            &house.operator.client.get(&format!("/v1/confirmations/{}/entries", one["id"].as_str().unwrap())).await.ok()["items"][0];
        assert_eq!((&entry["run"], &entry["transfer"], &entry["step"]), (&run["id"], &json!(1), &json!(1)));
        assert_eq!(house.operator.client.get("/v1/schemes/EURO/confirmations").await.ok()["items"], json!([repeated, one]));
    });
}

#[test]
fn what_a_bank_books_ahead_is_taken_as_it_is() {
    audit(async |house| {
        let (run, ..) = exported(house).await;
        let ahead = house.day(2);
        let csv = format!("{HEADER}{},20.00,EUR,received,,B1,{ahead}\n", reference(&run, 1));

        house.operator.apply(&house.operator.confirm("EURO", &csv).await.created()).await.ok();

        let transfer = house.operator.client.get(&format!("/v1/runs/{}/transfers/1", run["id"].as_str().unwrap())).await.ok();
        assert_eq!((&transfer["state"], &transfer["steps"][0]["booked_on"]), (&json!("received"), &json!(ahead)));
    });
}

#[test]
fn a_status_report_and_a_statement_settle_a_run() {
    audit(async |house| {
        let (run, ..) = exported(house).await;
        let report = pain(&format!(
            "<TxInfAndSts><OrgnlEndToEndId>{}</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>\
             <TxInfAndSts><OrgnlEndToEndId>{}</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf></TxInfAndSts>",
            reference(&run, 1),
            reference(&run, 2)
        ));
        let reported = house.operator.confirm("EURO", &report).await.created();
        assert_eq!((&reported["format"], &reported["outcomes"]), (&json!("pain.002.001.10"), &json!({"confirmed": 1, "rejected": 1})));
        house.operator.apply(&reported).await.ok();
        assert_eq!(states(house, &run).await, ["sent", "failed", "settling"]);
        let failed = house.operator.client.get(&format!("/v1/runs/{}/transfers/2", run["id"].as_str().unwrap())).await.ok();
        assert_eq!(failed["steps"][0]["reason_code"], "AC04");
        house.operator.mark(&run, 2, json!({"to": "retried", "reason": "a new account"})).await.created();

        // Money leaves one account and comes to the other; the bank's own fee has no reference.
        let booked = statement(&[
            (reference(&run, 1), "20", true),
            (reference(&run, 2), "10", false),
            (reference(&run, 2), "10", true),
            ("NOTPROVIDED".to_owned(), "1.50", false),
        ]);
        let stated = house.operator.confirm("EURO", &booked).await.created();
        assert_eq!((&stated["errors"], &stated["warnings"]), (&json!(1), &json!(0)));
        house.operator.apply(&stated).await.ok();

        assert_eq!(states(house, &run).await, ["received", "received", "settled"]);
        assert_eq!(entries(house, &stated, "").await, ["1 confirmed", "2 confirmed", "3 confirmed", "4 unmatched: it names no transfer"]);
        let retried = house.operator.client.get(&format!("/v1/runs/{}/transfers/2", run["id"].as_str().unwrap())).await.ok();
        let way: Vec<&str> = retried["steps"].as_array().unwrap().iter().map(|step| step["to"].as_str().unwrap()).collect();
        assert_eq!((way, &retried["attempt"]), (vec!["failed", "retried", "sent", "received"], &json!(2)));
    });
}

#[test]
fn what_does_not_fit_is_a_work_list_and_moves_nothing() {
    audit(async |house| {
        let (run, vendors, alice) = exported(house).await;
        alice.convert("5", &vendors[0], &vendors[1]).await.created();
        let later = house.operator.settle("EURO").await;
        house.operator.scheme("OTHER").await;
        let (xx, yy) = (house.operator.vendor("OTHER", "XX", "1").await, house.operator.vendor("OTHER", "YY", "1").await);
        xx.endow(&alice, "3").await;
        alice.open(&yy).await;
        alice.convert("3", &xx, &yy).await.created();
        let other = house.operator.settle("OTHER").await;
        let rows = [
            format!("{},20.00,EUR,sent,,,", reference(&run, 1)),
            format!("{},20.00,EUR,sent,,,", reference(&run, 1)),
            format!("{},10.01,EUR,sent,,,", reference(&run, 2)),
            format!("{},10.00,USD,sent,,,", reference(&run, 2)),
            format!("{},10.00,EUR,pending,,,", reference(&run, 2)),
            format!("{},10.00,EUR,sent,,,", reference(&run, 3)),
            "OUR-OWN-REFERENCE,10.00,EUR,sent,,,".to_owned(),
            format!("{},5.00,EUR,sent,,,", reference(&later, 1)),
            format!("{},3.00,EUR,sent,,,", reference(&other, 1)),
        ];

        let proposed = house.operator.confirm("EURO", &format!("{HEADER}{}\n", rows.join("\n"))).await.created();

        let expected = [
            "1 confirmed".to_owned(),
            "2 duplicate".to_owned(),
            "3 wrong_amount: the transfer is of 10.000000".to_owned(),
            "4 wrong_currency: the transfer is in EUR".to_owned(),
            "5 pending".to_owned(),
            "6 unmatched: no transfer has this reference".to_owned(),
            "7 unmatched: no transfer has this reference".to_owned(),
            format!("8 unmatched: it is of run {}, which is computed and not exported", later["id"].as_str().unwrap()),
            format!("9 unmatched: it is of run {} of scheme OTHER", other["id"].as_str().unwrap()),
        ];
        assert_eq!(entries(house, &proposed, "").await, expected);
        assert_eq!(entries(house, &proposed, "?outcome=unmatched").await, expected[5..]);
        let page = house.operator.client.get(&format!("/v1/confirmations/{}/entries?limit=4", proposed["id"].as_str().unwrap())).await.ok();
        let next = format!("?limit=200&after={}", page["next"].as_str().unwrap());
        assert_eq!(entries(house, &proposed, &next).await, expected[4..]);
        assert_eq!((&proposed["errors"], &proposed["warnings"], &proposed["entry_count"]), (&json!(6), &json!(2), &json!(9)));
        let path = format!("/v1/confirmations/{}/entries?outcome=lost", proposed["id"].as_str().unwrap());
        house.operator.client.get(&path).await.refused(422, "outcome_unknown");

        house.operator.apply(&proposed).await.ok();
        assert_eq!(states(house, &run).await, ["sent", "instructed", "settling"]);
        assert_eq!(
            (states(house, &later).await.pop(), states(house, &other).await.pop()),
            (Some("computed".to_owned()), Some("computed".to_owned()))
        );
    });
}

#[test]
fn an_entry_is_judged_again_when_it_is_applied() {
    audit(async |house| {
        let (run, vendors, _) = exported(house).await;
        let csv = format!("{HEADER}{},20.00,EUR,received,,,\n{},10.00,EUR,failed,AC04,,\n", reference(&run, 1), reference(&run, 2));
        let proposed = house.operator.confirm("EURO", &csv).await.created();
        assert_eq!(proposed["outcomes"], json!({"confirmed": 1, "rejected": 1}));
        vendors[0].mark(&run, 1, json!({"to": "disputed"})).await.created();
        vendors[2].mark(&run, 2, json!({"to": "received"})).await.created();

        let applied = house.operator.apply(&proposed).await.ok();

        assert_eq!((&applied["outcomes"], &applied["errors"]), (&json!({"conflicting": 2}), &json!(2)));
        assert_eq!(
            entries(house, &applied, "").await,
            ["1 conflicting: the transfer is disputed", "2 conflicting: the transfer is received"]
        );
        assert_eq!(states(house, &run).await, ["disputed", "received", "settling"]);
    });
}

#[test]
fn an_upload_before_the_export_is_judged_as_of_its_application() {
    audit(async |house| {
        let (run, ..) = computed(house).await;
        let csv = format!("{HEADER}{},20.00,EUR,sent,,,\n", reference(&run, 1));
        let proposed = house.operator.confirm("EURO", &csv).await.created();
        assert_eq!(proposed["outcomes"], json!({"unmatched": 1}));
        house.export(&run).await;

        assert_eq!(house.operator.apply(&proposed).await.ok()["outcomes"], json!({"confirmed": 1}));
    });
}

#[test]
fn what_is_no_confirmation_is_refused_and_not_kept() {
    audit(async |house| {
        let (run, ..) = exported(house).await;
        let body = statement(&[(reference(&run, 1), "20", true)]);
        let doctype = |inner: &str| format!("<!DOCTYPE Document {inner}>{body}");
        for (document, status, code) in [
            (String::new(), 400, "confirmation_empty"),
            ("{\"knock\": true}".to_owned(), 422, "confirmation_format_unknown"),
            (body.replace("camt.053", "camt.052"), 422, "confirmation_format_unknown"),
            (doctype(""), 400, "confirmation_has_doctype"),
            (doctype("SYSTEM \"http://127.0.0.1/x.dtd\""), 400, "confirmation_has_doctype"),
            (doctype("[<!ENTITY f SYSTEM \"file:///etc/hostname\">]"), 400, "confirmation_has_doctype"),
            (body.replace("<Ntry>", "&f;<Ntry>"), 400, "confirmation_not_xml"),
            (body[..body.len() - 9].to_owned(), 400, "confirmation_not_xml"),
            (body.replace("<Ntry>", &"<A>".repeat(100)), 400, "confirmation_too_deep"),
            (body.replace("DBIT", "BOTH").replace("CRDT</CdtDbtInd>", "BOTH</CdtDbtInd>"), 422, "confirmation_value_malformed"),
            (body.replace("<EndToEndId>", "<EndToEndId>&#7;"), 400, "confirmation_not_text"),
            (format!("{HEADER}{},1e3,EUR,sent,,,\n", reference(&run, 1)), 422, "confirmation_value_malformed"),
            (format!("{HEADER}{}", "A,1,EUR,sent,,,\n".repeat(50_001)), 413, "too_many_entries"),
            ("<A>".repeat(6 << 20), 413, "body_too_large"),
        ] {
            let problem = house.operator.confirm("EURO", &document).await.refused(status, code);
            if status != 413 && code != "confirmation_empty" {
                assert!(problem["line"].as_u64().is_some_and(|line| line >= 1), "{problem}");
            }
        }
        let bytes = house.operator.client.request(reqwest::Method::POST, "/v1/schemes/EURO/confirmations").body(vec![b'<', 0xFF]);
        assert_eq!(Answer::of(bytes).await.refused(400, "confirmation_not_text")["line"], 1);
        house.operator.confirm("NOBODY", &body).await.refused(404, "scheme_not_found");
        house
            .operator
            .client
            .post("/v1/confirmations/00000000-0000-7000-8000-000000000000/apply", json!({}))
            .await
            .refused(404, "not_found");
        assert_eq!(house.db_count("SELECT count(*) FROM confirmations").await, 0);
        assert_eq!(states(house, &run).await, ["instructed", "instructed", "exported"]);
    });
}

/// Sends a head, and as much of the body as is given.
async fn begin_upload(house: &House, path: &str, length: usize, body: &str) -> TcpStream {
    let address = house.base.strip_prefix("http://").unwrap();
    let key = house.operator.client.bearer();
    let media_type = if path.ends_with("/bulk") { "application/x-ndjson" } else { "application/json" };
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nIdempotency-Key: key\r\n\
         Content-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n"
    );
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    stream
}

async fn first_line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(stream.read_u8().await.expect("the server answers"));
    }
    String::from_utf8(line).unwrap()
}

#[test]
fn a_huge_body_is_refused_before_it_is_sent() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        for path in ["/v1/schemes/EURO/confirmations", "/v1/schemes", "/v1/schemes/EURO/runs", "/v1/swaps/bulk"] {
            let mut stream = begin_upload(house, path, 200 << 20, "<A><A>").await;
            assert_eq!(first_line(&mut stream).await, "HTTP/1.1 413 Payload Too Large\r\n", "{path}");
        }
    });
}

#[test]
fn more_uploads_than_the_server_reads_at_once_are_refused() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let held: Vec<_> = std::iter::from_fn(|| house.app.settlement.take_upload_place().ok()).collect();
        assert_eq!(held.len(), 2);

        let refused = house.operator.confirm("EURO", HEADER).await;

        assert_eq!(refused.header("retry-after"), "1");
        refused.refused(503, "overloaded");
        drop(held);
        house.operator.confirm("EURO", HEADER).await.created();
    });
}
