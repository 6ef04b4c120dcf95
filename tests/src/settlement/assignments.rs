//! Assignments: what a bank says without our reference, people match, with suggestions of what it may be.

use super::bundles::{broken, download};
use super::confirmations::{HEADER, entries, reference, states};
use crate::support::archive::Unpacked;
use crate::support::{Answer, Debts, House, Operator, audit};
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// An exported run of the scheme EURO, with a transfer for each debt, in order of their codes; and the day of its export.
async fn exported(house: &House, debts: &[(&'static str, &'static str, &'static str)]) -> (Value, Date) {
    Debts::open(house, "gross", "1", debts).await;
    let run = house.export(&house.operator.settle("EURO").await).await;
    let steps = house.operator.client.get(&format!("/v1/runs/{}/steps", run["id"].as_str().unwrap())).await.ok();
    let exported = steps["items"].as_array().unwrap().iter().find(|step| step["to"] == "exported");
    let day = exported.unwrap()["stepped_at"].as_str().unwrap()[..10].parse().unwrap();
    (run, day)
}

/// A statement of what was booked that day as one sum each, `-` off the account or `+` onto it, without any details.
fn sums(day: Date, sums: &[&str]) -> String {
    let entry = |sum: &&str| {
        let (sign, amount) = sum.split_at(1);
        let direction = if sign == "+" { "CRDT" } else { "DBIT" };
        format!(
            "<Ntry><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt>\
             <AcctSvcrRef>{direction}-{amount}</AcctSvcrRef></Ntry>"
        )
    };
    let entries: String = sums.iter().map(entry).collect();
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><Stmt>{entries}</Stmt></BkToCstmrStmt></Document>"
    )
}

fn path(confirmation: &Value, entry: i32) -> String {
    format!("/v1/confirmations/{}/entries/{entry}/transfers", confirmation["id"].as_str().unwrap())
}

async fn assign(operator: &Operator, confirmation: &Value, entry: i32, references: &[String]) -> Answer {
    operator.client.put(&path(confirmation, entry), None, json!({"references": references})).await
}

/// What the entries may mean: each suggestion as its basis, who pays whom, and the numbers of the transfers.
async fn suggestions(house: &House, confirmation: &Value) -> Vec<Vec<String>> {
    let path = format!("/v1/confirmations/{}/entries", confirmation["id"].as_str().unwrap());
    let page = house.operator.client.get(&path).await.ok();
    let show = |suggestion: &Value| {
        let party = |name: &str| suggestion[name].as_str().unwrap_or("*").to_owned();
        let references = suggestion["references"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().rsplit('-').next().unwrap());
        let numbers = references.collect::<Vec<_>>().join(",");
        format!("{} {}>{} {numbers}", suggestion["basis"].as_str().unwrap(), party("payer"), party("payee"))
    };
    page["items"].as_array().unwrap().iter().map(|entry| entry["suggestions"].as_array().unwrap().iter().map(show).collect()).collect()
}

#[test]
fn a_block_that_is_booked_as_one_sum_is_suggested_assigned_and_applied() {
    audit(async |house| {
        let (run, day) = exported(house, &[("AA", "BB", "20"), ("AA", "CC", "10"), ("BB", "CC", "7")]).await;
        let references = [1, 2, 3].map(|number| reference(&run, number));
        let proposed = house.operator.confirm("EURO", &sums(day, &["-30.00", "+17.00", "+20.00"])).await.created();
        assert_eq!(proposed["outcomes"], json!({"unmatched": 3}));
        let expected = [vec!["payer_total AA>* 1,2"], vec!["payee_total *>CC 2,3"], vec!["amount AA>BB 1"]];
        assert_eq!(suggestions(house, &proposed).await, expected);

        let assigned = assign(&house.operator, &proposed, 1, &references[..2]).await.ok();
        assert_eq!((&assigned["outcome"], &assigned["hint"], &assigned["suggestions"]), (&json!("confirmed"), &json!(null), &json!([])));
        assert_eq!(assigned["assignment"]["transfers"][1]["reference"], references[1]);
        assign(&house.operator, &proposed, 2, &references[1..]).await.ok();
        assign(&house.operator, &proposed, 3, &references[..1]).await.ok();
        assert_eq!(suggestions(house, &proposed).await, [[""; 0]; 3]);
        let found = house.operator.client.get(&format!("/v1/confirmations/{}", proposed["id"].as_str().unwrap())).await.ok();
        assert_eq!((&found["outcomes"], &found["errors"]), (&json!({"confirmed": 3}), &json!(0)));
        assert_eq!(states(house, &run).await, ["instructed", "instructed", "instructed", "exported"], "nothing moves yet");

        let (one, two) = tokio::join!(house.operator.apply(&proposed), house.operator.apply(&proposed));
        assert_eq!(one.ok(), two.ok());
        assert_eq!(states(house, &run).await, ["received", "received", "received", "settled"]);
        let transfer = house.operator.client.get(&format!("/v1/runs/{}/transfers/2", run["id"].as_str().unwrap())).await.ok();
        let said: Vec<_> = transfer["steps"].as_array().unwrap().iter().map(|step| (&step["to"], &step["bank_reference"])).collect();
        assert_eq!(said, [(&json!("sent"), &json!("DBIT-30.00")), (&json!("received"), &json!("CRDT-17.00"))]);
        let again = assign(&house.operator, &proposed, 2, &references[1..]).await.ok();
        let steps: Vec<_> = again["assignment"]["transfers"].as_array().unwrap().iter().map(|transfer| &transfer["step"]).collect();
        assert_eq!(steps, [2, 1]);

        let bundle = download(&house.operator, &run).await.bytes;
        assert_eq!(broken(&bundle), []);
        let confirmations = Unpacked::of(&bundle).text("confirmations-000001.csv").to_owned();
        assert_eq!(confirmations.lines().count(), 6, "{confirmations}");
        assert!(confirmations.contains(",received,7.000000,"), "each row has its part of the amount: {confirmations}");
    });
}

#[test]
fn what_may_be_several_is_suggested_until_it_is_assigned() {
    audit(async |house| {
        let debts = [("AA", "BB", "5"), ("CC", "DD", "5"), ("EE", "FF", "5"), ("GG", "HH", "8")];
        let (run, day) = exported(house, &debts).await;
        let old = day.checked_sub(31.days()).unwrap();
        let rows = [
            format!("INVOICE 7,5.00,EUR,sent,,,{day}"),
            "INVOICE 8,5.00,EUR,sent,,,".to_owned(),
            format!("INVOICE 9,8.00,EUR,sent,,,{old}"),
            "INVOICE 10,8.00,USD,sent,,,".to_owned(),
            format!("{},8.00,EUR,sent,,,", reference(&run, 4)),
            "INVOICE 11,8.00,EUR,sent,,,".to_owned(),
            "INVOICE 11,8.00,EUR,received,,,".to_owned(),
        ];
        let proposed = house.operator.confirm("EURO", &format!("{HEADER}{}\n", rows.join("\n"))).await.created();
        let three = vec!["amount AA>BB 1", "amount CC>DD 2", "amount EE>FF 3"];
        // Transfer 4 is named by one that says `sent`; that it is received, nobody has said.
        let later = [vec![], vec![], vec![], vec![], vec!["amount GG>HH 4"]];
        assert_eq!(suggestions(house, &proposed).await, [vec![three.clone(), three.clone()], later.to_vec()].concat());

        assign(&house.operator, &proposed, 1, &[reference(&run, 2)]).await.ok();

        let two = vec!["amount AA>BB 1", "amount EE>FF 3"];
        assert_eq!(suggestions(house, &proposed).await, [vec![vec![], two], later.to_vec()].concat());
        house.operator.apply(&proposed).await.ok();
        assert_eq!(suggestions(house, &proposed).await, [[""; 0]; 7], "what is applied stays as it is");
        assert_eq!(states(house, &run).await, ["instructed", "sent", "instructed", "sent", "settling"]);
    });
}

#[test]
fn an_assignment_is_replaced_and_taken_back_while_the_confirmation_is_proposed() {
    audit(async |house| {
        let (run, day) = exported(house, &[("AA", "BB", "5"), ("CC", "DD", "5")]).await;
        let proposed = house.operator.confirm("EURO", &sums(day, &["-5.00"])).await.created();
        let [first, second] = [1, 2].map(|number| [reference(&run, number)]);

        let assigned = assign(&house.operator, &proposed, 1, &first).await.ok();
        let colleague = house.second_operator().await;
        assert_eq!(assign(&colleague, &proposed, 1, &first).await.ok(), assigned, "the same again stays as it is");
        let replaced = assign(&colleague, &proposed, 1, &second).await.ok();
        assert_ne!(replaced["assignment"]["assigned_by"], assigned["assignment"]["assigned_by"]);
        assert_eq!(house.db_count("SELECT count(*) FROM confirmation_assignments").await, 1);
        assert_eq!(house.operator.client.delete(&path(&proposed, 1)).await.status, 204);
        assert_eq!(entries(house, &proposed, "").await, ["1 unmatched: it names no transfer"]);
        house.operator.client.delete(&path(&proposed, 1)).await.refused(404, "entry_not_assigned");
        assign(&house.operator, &proposed, 1, &second).await.ok();
        house.operator.apply(&proposed).await.ok();

        house.operator.client.delete(&path(&proposed, 1)).await.refused(409, "confirmation_applied");
        assign(&house.operator, &proposed, 1, &first).await.refused(409, "confirmation_applied");
        assert_eq!(states(house, &run).await, ["instructed", "sent", "settling"]);
    });
}

#[test]
fn what_an_entry_cannot_mean_is_refused_and_moves_nothing() {
    audit(async |house| {
        let (run, _) = exported(house, &[("AA", "BB", "20"), ("AA", "CC", "10")]).await;
        let bob = house.user("bob").await;
        house.operator.scheme("OTHER").await;
        let (xx, yy) = (house.operator.vendor("OTHER", "XX", "1").await, house.operator.vendor("OTHER", "YY", "1").await);
        xx.endow(&bob, "30").await;
        bob.open(&yy).await;
        bob.convert("30", &xx, &yy).await.created();
        let other = house.export(&house.operator.settle("OTHER").await).await;
        let rows = [
            "INVOICE 7,30.00,EUR,sent,,,".to_owned(),
            "INVOICE 8,20.00,EUR,sent,,,".to_owned(),
            "INVOICE 9,30.00,USD,sent,,,".to_owned(),
            format!("{},20.00,EUR,pending,,,", reference(&run, 1)),
            format!("{},30.00,EUR,sent,,,", reference(&other, 1)),
        ];
        let proposed = house.operator.confirm("EURO", &format!("{HEADER}{}\n", rows.join("\n"))).await.created();
        let report = "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt><GrpHdr><MsgId>M</MsgId></GrpHdr>\
                      <OrgnlPmtInfAndSts><TxInfAndSts><TxSts>ACSC</TxSts></TxInfAndSts></OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>";
        let nameless = house.operator.confirm("EURO", report).await.created();
        let both = [reference(&run, 1), reference(&run, 2)];
        assign(&house.operator, &proposed, 2, &both[..1]).await.ok();
        let before = entries(house, &proposed, "").await;

        let twice = [both[0].clone(), both[0].clone()];
        let many: Vec<String> = (1..=1_001).map(|number| reference(&run, number)).collect();
        for (confirmation, entry, references, status, code) in [
            (&proposed, 1, &[][..], 422, "references_out_of_range"),
            (&proposed, 1, &many, 422, "references_out_of_range"),
            (&proposed, 1, &twice, 422, "reference_named_twice"),
            (&proposed, 1, &["INVOICE 7".to_owned()], 422, "transfer_not_found"),
            (&proposed, 1, &[reference(&run, 3)], 422, "transfer_not_found"),
            (&proposed, 1, &[reference(&other, 1)], 422, "transfer_of_other_scheme"),
            (&proposed, 1, &both[..1], 422, "sum_differs"),
            (&proposed, 1, &both, 409, "transfer_assigned"),
            (&proposed, 3, &both, 422, "currency_differs"),
            (&proposed, 4, &both[..1], 409, "entry_names_transfer"),
            (&proposed, 5, &both, 409, "entry_names_transfer"),
            (&proposed, 6, &both, 404, "entry_not_found"),
            (&proposed, 0, &both, 404, "entry_not_found"),
            (&nameless, 1, &both, 409, "entry_without_amount"),
            (&json!({"id": "00000000-0000-7000-8000-000000000000"}), 1, &both, 404, "not_found"),
        ] {
            let problem = assign(&house.operator, confirmation, entry, references).await.refused(status, code);
            let facts = ["reference", "field", "amount"].map(|fact| problem.get(fact).is_some());
            assert!(facts.contains(&true) || code == "entry_without_amount" || status == 404, "{problem}");
        }
        let problem = assign(&house.operator, &proposed, 1, &both[..1]).await.refused(422, "sum_differs");
        assert_eq!((&problem["amount"], &problem["sum"]), (&json!("30.000000"), &json!("20.000000")));
        house.operator.client.put(&path(&proposed, 1), None, json!({"references": [1]})).await.refused(400, "invalid_body");

        assert_eq!(entries(house, &proposed, "").await, before);
        assert_eq!(house.db_count("SELECT count(*) FROM confirmation_assignments").await, 1);
        assert_eq!(states(house, &run).await, ["instructed", "instructed", "exported"]);
    });
}

#[test]
fn only_transfers_of_a_run_under_settlement_are_assigned() {
    audit(async |house| {
        let (settled, day) = exported(house, &[("AA", "BB", "20")]).await;
        let received = json!({"to": "received", "reason": "seen on the account"});
        house.operator.mark(&settled, 1, received).await.created();
        let proposed = house.operator.confirm("EURO", &sums(day, &["-20.00"])).await.created();
        assert_eq!(suggestions(house, &proposed).await, [[""; 0]]);

        let problem = assign(&house.operator, &proposed, 1, &[reference(&settled, 1)]).await.refused(409, "run_not_under_settlement");

        assert_eq!((&problem["state"], &problem["reference"]), (&json!("settled"), &json!(reference(&settled, 1))));
    });
}

#[test]
fn what_is_not_exported_yet_is_neither_suggested_nor_assigned() {
    audit(async |house| {
        Debts::open(house, "gross", "1", &[("AA", "BB", "20")]).await;
        let run = house.operator.settle("EURO").await;
        let proposed = house.operator.confirm("EURO", &format!("{HEADER}INVOICE 7,20.00,EUR,sent,,,\n")).await.created();
        assert_eq!(suggestions(house, &proposed).await, [[""; 0]]);
        let problem = assign(&house.operator, &proposed, 1, &[reference(&run, 1)]).await.refused(409, "run_not_under_settlement");
        assert_eq!(problem["state"], "computed");

        house.export(&run).await;
        assert_eq!(suggestions(house, &proposed).await, [["amount AA>BB 1"]]);
        assign(&house.operator, &proposed, 1, &[reference(&run, 1)]).await.ok();

        // Its instructions are recalled, and nothing is left to confirm.
        house.operator.step(&run, "void", json!({"reason": "not sent", "instructions_recalled": true})).await.ok();
        let applied = house.operator.apply(&proposed).await.ok();
        assert_eq!(applied["outcomes"], json!({"unmatched": 1}));
        let hint = format!("1 unmatched: it is of run {}, which is voided and not exported", run["id"].as_str().unwrap());
        assert_eq!(entries(house, &applied, "").await, [hint]);
        assert_eq!(house.db_count("SELECT count(*) FROM transfer_steps").await, 0);
    });
}

#[test]
fn an_entry_that_means_several_is_applied_whole_or_not_at_all() {
    audit(async |house| {
        let (run, day) = exported(house, &[("AA", "BB", "20"), ("AA", "CC", "10"), ("BB", "CC", "7")]).await;
        let proposed = house.operator.confirm("EURO", &sums(day, &["-30.00", "-7.00"])).await.created();
        let references = [1, 2, 3].map(|number| reference(&run, number));
        assign(&house.operator, &proposed, 1, &references[..2]).await.ok();
        assign(&house.operator, &proposed, 2, &references[2..]).await.ok();
        house.operator.mark(&run, 2, json!({"to": "disputed", "reason": "they disagree"})).await.created();

        let applied = house.operator.apply(&proposed).await.ok();

        assert_eq!(applied["outcomes"], json!({"confirmed": 1, "conflicting": 1}));
        let hint = format!("1 conflicting: {} is disputed", references[1]);
        assert_eq!(entries(house, &applied, "").await, [hint, "2 confirmed".to_owned()]);
        assert_eq!(states(house, &run).await, ["instructed", "disputed", "sent", "settling"]);
    });
}

#[test]
fn of_an_entry_that_means_several_those_that_were_said_before_stay_as_they_are() {
    audit(async |house| {
        let (run, day) = exported(house, &[("AA", "BB", "20"), ("AA", "CC", "10")]).await;
        house.operator.mark(&run, 2, json!({"to": "sent", "reason": "the payer said so"})).await.created();
        let proposed = house.operator.confirm("EURO", &sums(day, &["-30.00", "+20.00"])).await.created();
        let references = [1, 2].map(|number| reference(&run, number));
        assign(&house.operator, &proposed, 1, &references).await.ok();
        assign(&house.operator, &proposed, 2, &references[..1]).await.ok();

        let applied = house.operator.apply(&proposed).await.ok();

        assert_eq!(applied["outcomes"], json!({"confirmed": 2}));
        assert_eq!(entries(house, &applied, "").await, [format!("1 confirmed: {} is sent", references[1]), "2 confirmed".to_owned()]);
        assert_eq!(states(house, &run).await, ["received", "sent", "settling"]);
        assert_eq!(house.db_count("SELECT count(*) FROM transfer_steps WHERE number = 2").await, 1);
        assert_eq!(broken(&download(&house.operator, &run).await.bytes), []);
    });
}

#[test]
fn assigning_and_applying_wait_for_each_other() {
    audit(async |house| {
        let debts = [("AA", "BB", "1"), ("CC", "DD", "2"), ("EE", "FF", "3"), ("GG", "HH", "4")];
        let (run, day) = exported(house, &debts).await;
        for (number, sum) in (1..).zip(["-1", "-2", "-3", "-4"]) {
            let proposed = house.operator.confirm("EURO", &sums(day, &[sum])).await.created();
            let references = [reference(&run, number)];
            let (assigned, applied) = tokio::join!(assign(&house.operator, &proposed, 1, &references), house.operator.apply(&proposed));
            let applied = applied.ok();
            if assigned.status == 200 {
                assert_eq!(applied["outcomes"], json!({"confirmed": 1}));
            } else {
                assigned.refused(409, "confirmation_applied");
                assert_eq!(applied["outcomes"], json!({"unmatched": 1}));
            }
        }
    });
}

#[test]
fn a_run_that_is_voided_while_entries_are_assigned_refuses_the_rest() {
    audit(async |house| {
        let (run, day) = exported(house, &[("AA", "BB", "20")]).await;
        let void = json!({"reason": "not sent", "instructions_recalled": true});
        let mut run = run;
        for round in 0..4 {
            let mut assigning = JoinSet::new();
            for line in 0..6 {
                // Each another document.
                let proposed = house.operator.confirm("EURO", &sums(day, &vec!["-20.00"; 1 + 6 * round + line])).await.created();
                let (operator, references) = (house.operator.clone(), [reference(&run, 1)]);
                assigning.spawn(async move { assign(&operator, &proposed, 1, &references).await });
            }
            house.operator.step(&run, "void", void.clone()).await.ok();
            for answer in assigning.join_all().await {
                if answer.status != 200 {
                    assert_eq!(answer.refused(409, "run_not_under_settlement")["state"], "voided");
                }
            }
            run = house.export(&house.operator.settle("EURO").await).await;
        }
    });
}

#[test]
fn of_two_entries_that_say_the_same_one_is_assigned_a_transfer() {
    audit(async |house| {
        let (run, day) = exported(house, &[("AA", "BB", "4")]).await;
        let proposed = house.operator.confirm("EURO", &sums(day, &["-4", "-4", "+4"])).await.created();
        let references = [reference(&run, 1)];

        let (one, two) =
            tokio::join!(assign(&house.operator, &proposed, 1, &references), assign(&house.operator, &proposed, 2, &references));

        assert_eq!(one.status.as_u16().min(two.status.as_u16()), 200);
        let (refused, entry) = if one.status == 200 { (two, 1) } else { (one, 2) };
        assert_eq!(refused.refused(409, "transfer_assigned")["entry"], entry);
        assign(&house.operator, &proposed, 3, &references).await.ok();
        assert_eq!(house.operator.apply(&proposed).await.ok()["outcomes"], json!({"confirmed": 2, "unmatched": 1}));
    });
}

#[test]
fn the_database_keeps_an_entry_from_meaning_what_it_cannot() {
    audit(async |house| {
        let (run, day) = exported(house, &[("AA", "BB", "20"), ("AA", "CC", "10")]).await;
        let proposed = house.operator.confirm("EURO", &sums(day, &["-20.00", "-20.00"])).await.created();
        assign(&house.operator, &proposed, 1, &[reference(&run, 1)]).await.ok();
        let applied = house.operator.confirm("EURO", &sums(day, &["-10.00"])).await.created();
        house.operator.apply(&applied).await.ok();
        let admin = house.db_admin().await;
        for (confirmation, entry, number, constraint) in [
            (&proposed, 2, 2, "confirmation_assignments_fit_entry"),
            (&proposed, 2, 1, "confirmation_assignments_said_once"),
            (&applied, 1, 2, "confirmation_assignments_while_proposed"),
        ] {
            let (confirmation, run) = (confirmation["id"].as_str().unwrap(), run["id"].as_str().unwrap());
            let sql = format!(
                "INSERT INTO confirmation_assignments (confirmation_id, number, run_id, transfer_number, assigned_by, assigned_at)
                 SELECT '{confirmation}', {entry}, '{run}', {number}, uploaded_by, uploaded_at FROM confirmations LIMIT 1"
            );
            let refused = admin.batch_execute(&sql).await.expect_err(constraint);
            assert_eq!(refused.as_db_error().and_then(|error| error.constraint()), Some(constraint));
        }
    });
}
