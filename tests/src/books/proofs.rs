//! Every proof of `scriphouse verify` can fail: a proof that holds whatever happens proves nothing.

use crate::support::cluster::TestDatabase;
use crate::support::{Answer, House, audit};
use ledger::Db;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A proof, and what somebody with all rights did that breaks this rule and no other.
const TAMPERINGS: &[(&str, &str)] = &[
    (
        "every balance and hold equals the sum of its entries",
        "UPDATE accounts SET entry_count = entry_count + 1 WHERE (user_id, vendor_id) = (SELECT user_id, vendor_id FROM accounts LIMIT 1)",
    ),
    (
        "the entries of an account are a chain without gaps",
        "UPDATE entries SET balance_after = balance_after + 1
         WHERE (user_id, vendor_id, seq) = (SELECT user_id, vendor_id, seq FROM entries WHERE seq = 2 LIMIT 1)",
    ),
    (
        "the balances and holds of a token sum to what was issued less what was retired",
        "WITH account AS (SELECT user_id, vendor_id FROM accounts LIMIT 1),
              credited AS (UPDATE accounts a SET balance = balance + 1, entry_count = entry_count + 1 FROM account c
                           WHERE (a.user_id, a.vendor_id) = (c.user_id, c.vendor_id) RETURNING a.*)
         INSERT INTO entries (user_id, vendor_id, seq, kind, contra, amount, held_amount, balance_after, held_after, operation_id, booked_at)
         SELECT user_id, vendor_id, entry_count, 'issue', 'house', 1, 0, balance, held, gen_random_uuid(), now() FROM credited",
    ),
    ("issued and retired equal the entries against issuance", "UPDATE issuances SET issued = issued + 1, retired = retired + 1"),
    (
        "entries between accounts and holds balance within their operation",
        "UPDATE entries SET operation_id = gen_random_uuid()
         WHERE (user_id, vendor_id, seq) = (SELECT user_id, vendor_id, seq FROM entries WHERE kind = 'trade_in' LIMIT 1)",
    ),
    (
        "every swap has exactly its two entries",
        "UPDATE entries SET operation_id = gen_random_uuid()
         WHERE (user_id, vendor_id, seq) = (SELECT user_id, vendor_id, seq FROM entries WHERE kind = 'convert_in' LIMIT 1)",
    ),
    (
        "every swap leaves one obligation of its value, and every such obligation has its swap",
        "UPDATE swaps SET to_vendor_micro = to_vendor_micro - 1, house_fee_micro = house_fee_micro + 1 WHERE id = (SELECT id FROM swaps LIMIT 1)",
    ),
    ("the positions of a window equal its obligations", "UPDATE positions SET obligation_count = obligation_count + 1"),
    ("the total of a window equals its obligations", "UPDATE window_totals SET gross_micro = gross_micro + 1"),
    (
        "the tokens of a position equal its swaps",
        "UPDATE positions p SET send_units = send_units + 1 FROM windows w WHERE w.id = p.window_id AND w.state = 'closed' AND p.send_units > 0",
    ),
    (
        "what capped vendors owe and are owed equals their positions in the windows that are not settled",
        "UPDATE exposures SET owed_micro = owed_micro + 1 WHERE writer = -4",
    ),
    ("what is held equals what proposed trades give", "UPDATE trades SET give_units = give_units + 1 WHERE state = 'proposed'"),
    (
        "whatever the books name is there: accounts, users, vendors, windows",
        "INSERT INTO entries (user_id, vendor_id, seq, kind, contra, amount, held_amount, balance_after, held_after, operation_id, booked_at)
         SELECT '00000000-0000-0000-0000-00000000dead'::uuid, id, 1, 'trade_in', 'account', 1, 0, 1, 0, id, now() FROM vendors
         UNION ALL
         SELECT '00000000-0000-0000-0000-00000000dead'::uuid, id, 2, 'trade_out', 'account', -1, 0, 0, 0, id, now() FROM vendors",
    ),
    (
        "the windows of a scheme follow one another without gaps, the last one open",
        "UPDATE windows SET opened_at = opened_at - interval '1 second' WHERE number = 2",
    ),
    (
        "every run nets closed and sealed windows of its scheme, the last of its slot, and numbers without gaps",
        "UPDATE runs SET obligation_count = obligation_count + 1 WHERE id = (SELECT id FROM runs LIMIT 1)",
    ),
    (
        "every window is settled by the one run that netted it and is not voided, or by none",
        "UPDATE windows SET run_id = NULL WHERE number = 1",
    ),
    (
        "the state of every run is the end of its history, which is legal and approved by whom it must be",
        "ALTER TABLE runs DISABLE TRIGGER runs_step; UPDATE runs SET state = 'exported' WHERE number = 1",
    ),
    (
        "the positions of a run equal the obligations of its windows",
        "UPDATE run_positions SET owed_micro = owed_micro + 1, owes_micro = owes_micro + 1
         WHERE (run_id, vendor_id) = (SELECT run_id, vendor_id FROM run_positions LIMIT 1)",
    ),
    (
        "the positions of a run sum to zero, settled and carried alike",
        "ALTER TABLE run_positions DROP CONSTRAINT run_positions_net_of_both, DROP CONSTRAINT run_positions_net_is_settled_or_carried;
         UPDATE run_positions SET net_micro = net_micro + 1
         WHERE (run_id, vendor_id) = (SELECT run_id, vendor_id FROM run_positions LIMIT 1)",
    ),
    (
        "the transfers of a run give every vendor its settled position and the house nothing",
        "UPDATE transfers SET payer_id = payee_id, payee_id = payer_id WHERE id = (SELECT id FROM transfers LIMIT 1)",
    ),
    (
        "the transfers of a run are as many and as much as it says",
        "UPDATE runs SET total_micro = total_micro + 1 WHERE id = (SELECT id FROM runs LIMIT 1)",
    ),
    (
        "what a run carries stands as obligations in a later window of its scheme",
        // Into the window of another scheme, with all that was summed up over it, and nobody is capped.
        "INSERT INTO schemes (id, code, currency, digits, strategy, created_at, approval, min_transfer_micro)
         SELECT gen_random_uuid(), 'OTHER', currency, digits, strategy, created_at, approval, min_transfer_micro FROM schemes;
         INSERT INTO windows (id, scheme_id, number, state, opened_at) SELECT gen_random_uuid(), id, 1, 'open', created_at FROM schemes WHERE code = 'OTHER';
         CREATE TEMP TABLE move AS SELECT w.id AS from_window, o.id AS to_window FROM windows w, windows o, schemes s
         WHERE w.state = 'open' AND w.number > 1 AND o.scheme_id = s.id AND s.code = 'OTHER';
         UPDATE obligations SET window_id = to_window FROM move WHERE window_id = from_window AND writer = -2;
         UPDATE window_leaves SET window_id = to_window FROM move WHERE window_id = from_window AND writer = -2;
         UPDATE positions SET window_id = to_window FROM move WHERE window_id = from_window AND writer = -2;
         UPDATE window_totals SET window_id = to_window FROM move WHERE window_id = from_window AND writer = -2;
         UPDATE debit_caps SET cap_micro = NULL; DELETE FROM exposures;",
    ),
    (
        "what a run carries is what it lists",
        "UPDATE run_carries SET amount_micro = amount_micro + 1 WHERE run_id = (SELECT id FROM runs WHERE number = 2)",
    ),
    (
        "what a voided run carried and what was rightly disputed is owed back in a later window",
        // Voided in every other respect.
        "INSERT INTO run_steps SELECT id, 1, 'computed', 'voided', 'house', 'forged', output_hash, now() FROM runs WHERE number = 1;
         UPDATE runs SET state = 'voided' WHERE number = 1;
         UPDATE windows SET run_id = NULL WHERE number = 1",
    ),
    (
        "every position has its statement, and every statement its position",
        "WITH hidden AS (UPDATE files SET vendor_id = NULL WHERE id = (SELECT id FROM files WHERE vendor_id IS NOT NULL LIMIT 1) RETURNING id)
         UPDATE file_pieces p SET vendor_id = NULL FROM hidden WHERE p.file_id = hidden.id",
    ),
    (
        "the state of every transfer is the end of its history, whose steps are legal and without gaps",
        "UPDATE transfer_steps SET attempt = 7 WHERE to_state = 'rolled'",
    ),
    (
        "a run is settling from the first step of its transfers until the last of them has ended, and then settled",
        // Its last transfer ends as it should, and the run does not notice.
        "INSERT INTO transfer_steps (run_id, number, seq, from_state, to_state, attempt, actor, stepped_at)
         SELECT run_id, number, seq + 1, 'sent', 'received', attempt, actor, now() FROM transfer_steps WHERE to_state = 'sent';
         UPDATE transfers SET state = 'received' WHERE state = 'sent'",
    ),
    (
        "every rolled transfer is owed again in its scheme, and nothing else is owed as rolled",
        "UPDATE transfers SET id = gen_random_uuid() WHERE state = 'rolled'",
    ),
    (
        "what took the place of failed transfers is owed in their scheme, and nothing else is owed so",
        // As above: into the window of another scheme.
        "INSERT INTO schemes (id, code, currency, digits, strategy, created_at, approval, min_transfer_micro)
         SELECT gen_random_uuid(), 'OTHER', currency, digits, strategy, created_at, approval, min_transfer_micro FROM schemes;
         INSERT INTO windows (id, scheme_id, number, state, opened_at) SELECT gen_random_uuid(), id, 1, 'open', created_at FROM schemes WHERE code = 'OTHER';
         CREATE TEMP TABLE move AS SELECT w.id AS from_window, o.id AS to_window FROM windows w, windows o, schemes s
         WHERE w.state = 'open' AND w.number > 1 AND o.scheme_id = s.id AND s.code = 'OTHER';
         UPDATE obligations SET window_id = to_window FROM move WHERE window_id = from_window AND writer = -7;
         UPDATE window_leaves SET window_id = to_window FROM move WHERE window_id = from_window AND writer = -7;
         UPDATE positions SET window_id = to_window FROM move WHERE window_id = from_window AND writer = -7;
         UPDATE window_totals SET window_id = to_window FROM move WHERE window_id = from_window AND writer = -7;
         UPDATE debit_caps SET cap_micro = NULL; DELETE FROM exposures;",
    ),
    (
        "what took the place of failed transfers moves what they would have moved, for every vendor",
        // A default that takes the place of nothing.
        "INSERT INTO defaults (id, run_id, vendor_id, rule, collateral_micro, reason, declared_by, declared_at)
         SELECT gen_random_uuid(), r.id, p.vendor_id, 'carry_over', 0, 'forged', 'house', now()
         FROM runs r JOIN run_positions p ON p.run_id = r.id WHERE r.number = 1 LIMIT 1",
    ),
    (
        "what took the place of failed transfers is what the rule says",
        "UPDATE defaults SET collateral_micro = collateral_micro - 1000000",
    ),
    (
        "what is said of a draw's payment is the end of its corrections, each of which follows the one before it",
        "UPDATE default_draws SET bank_reference = 'B19' WHERE paid_at IS NOT NULL",
    ),
    (
        "what an applied confirmation confirms or rejects is the steps that name it",
        "UPDATE confirmation_entries SET step_seq = step_seq + 1 WHERE step_seq IS NOT NULL",
    ),
    (
        "what an applied confirmation confirms or rejects is the steps that name it",
        "ALTER TABLE confirmation_assignments DISABLE TRIGGER USER; DELETE FROM confirmation_assignments",
    ),
    (
        "what an applied confirmation confirms or rejects is the steps that name it",
        // As if another transfer of just that amount had been meant.
        "ALTER TABLE confirmation_assignments DISABLE TRIGGER USER;
         CREATE TEMP TABLE other AS SELECT t.run_id, t.number FROM confirmation_assignments a
         JOIN transfers s ON (s.run_id, s.number) = (a.run_id, a.transfer_number)
         JOIN transfers t ON t.amount_micro = s.amount_micro AND t.run_id <> s.run_id;
         UPDATE confirmation_assignments SET run_id = other.run_id, transfer_number = other.number FROM other",
    ),
    (
        "what an entry is said to mean is transfers of its scheme that sum to its amount, and names none by itself",
        "UPDATE confirmation_entries SET amount_micro = amount_micro + 1 WHERE run_id IS NULL",
    ),
    (
        "a window counts in what its vendors owe until its run is settled, and no longer",
        "UPDATE windows SET settled_at = now() WHERE state = 'closed' AND number = 1;
         DELETE FROM exposures e USING windows w WHERE w.id = e.window_id AND w.settled_at IS NOT NULL",
    ),
    (
        "every batch of obligations has its leaf, and every leaf its batch",
        "UPDATE obligations SET booked_at = booked_at - interval '1 day'
         WHERE id = (SELECT o.id FROM obligations o JOIN windows w ON w.id = o.window_id WHERE w.state = 'closed' LIMIT 1)",
    ),
    (
        // A forger who knows how leaves are made: the leaf fits its obligations again, but no longer the seal.
        "the seal of every window is that of its leaves, chained to the seal before",
        "WITH batch AS (SELECT l.window_id, l.booked_at, l.writer FROM window_leaves l JOIN windows w ON w.id = l.window_id
                        WHERE w.state = 'closed' LIMIT 1),
              forged AS (UPDATE window_leaves l SET writer = 99 FROM batch b
                         WHERE (l.window_id, l.booked_at, l.writer) = (b.window_id, b.booked_at, b.writer))
         UPDATE obligations o SET writer = 99 FROM batch b WHERE (o.window_id, o.booked_at, o.writer) = (b.window_id, b.booked_at, b.writer)",
    ),
    ("netting the obligations of a run again gives the same transfers", "UPDATE runs SET strategy = 'gross'"),
    (
        "the bytes of every file have its size and SHA-256",
        "UPDATE file_pieces p SET bytes = p.bytes || 'x' FROM files f WHERE f.id = p.file_id AND f.name = 'transfers.csv'",
    ),
    (
        "every manifest lists the files and seals of its run and is chained to the manifest before",
        "INSERT INTO files (id, run_id, name, media_type, size_bytes, sha256, created_at)
         SELECT gen_random_uuid(), id, 'slipped-in.csv', 'text/csv', 0, sha256(''), now() FROM runs",
    ),
];

/// Three netted windows and an open one, a run in which a vendor has defaulted, one under settlement with a transfer that was rolled and one that a
/// bank confirmed, an accepted trade and a proposed one, cents that were carried: something for every proof.
async fn furnish(house: &House) {
    house.operator.scheme("EURO").await;
    let (alice, bob) = (house.user("alice").await, house.user("bob").await);
    let mut vendors = Vec::new();
    for (code, unit_value) in [("AA", "0.013"), ("BB", "0.027"), ("CC", "1.1")] {
        let vendor = house.operator.vendor("EURO", code, unit_value).await;
        for user in [&alice, &bob] {
            vendor.endow(user, "1000").await;
        }
        vendors.push(vendor);
    }
    house.operator.cap(&vendors[0], Some("1000")).await;
    let mut runs = Vec::new();
    for _ in 0..3 {
        for (send, from, to) in [("133.33", 0, 1), ("37.7", 1, 2), ("12.34", 2, 0)] {
            alice.convert(send, &vendors[from], &vendors[to]).await.created();
        }
        runs.push(house.operator.settle("EURO").await);
    }
    default_in(house, &runs[1], "CC").await;
    settle_in_part(house, &runs[2]).await;
    bob.convert("5", &vendors[1], &vendors[0]).await.created();
    house.operator.cap(&vendors[1], Some("1000")).await;
    for accepted in [true, false] {
        let trade = alice.propose(&bob, (&vendors[0], "4"), (&vendors[1], "2.5")).await.created();
        if accepted {
            bob.reply(&trade, "accept").await.ok();
        }
    }
    let carried = "SELECT count(*) FROM obligations o JOIN windows w ON w.id = o.window_id WHERE o.source = 'carry' AND w.state = 'open'";
    assert!(house.db_count(carried).await > 0, "the last run carries something");
}

/// The vendor pays nothing in the run; of its collateral others get something.
async fn default_in(house: &House, run: &Value, vendor: &str) {
    house.export(run).await;
    house.operator.client.patch("/v1/schemes/EURO", "*", json!({"failure_rule": "collateral_then_loss_share"})).await.ok();
    house.operator.hold(vendor, "5").await.ok();
    let run = run["id"].as_str().unwrap();
    let transfers = house.operator.client.get(&format!("/v1/runs/{run}/transfers")).await.ok();
    for transfer in transfers["items"].as_array().unwrap().iter().filter(|transfer| transfer["payer"] == vendor) {
        let steps = format!("/v1/runs/{run}/transfers/{}/steps", transfer["number"]);
        let failed = json!({"to": "failed", "reason_code": "AC04", "reason": "the bank says so"});
        house.operator.client.post_once(&steps, failed).await.created();
    }
    let declared = house.operator.client.request(reqwest::Method::PUT, &format!("/v1/runs/{run}/defaults/{vendor}"));
    let declared = Answer::of(declared.json(&json!({"reason": "insolvent"}))).await.ok();
    assert!(!declared["draws"].as_array().unwrap().is_empty() && !declared["debts"].as_array().unwrap().is_empty(), "{declared}");
    let draw = format!("/v1/runs/{run}/defaults/{vendor}/draws/{}", declared["draws"][0]["payee"].as_str().unwrap());
    for said in [json!({"bank_reference": "B71"}), json!({"bank_reference": "B17", "reason": "two digits were swapped"})] {
        house.operator.client.put(&draw, None, said).await.ok();
    }
}

/// Rolls the run's first transfer, and has a bank reject the second and, without its reference, confirm that it was sent after all.
async fn settle_in_part(house: &House, run: &Value) {
    house.export(run).await;
    house.operator.mark(run, 1, json!({"to": "failed", "reason_code": "AC04", "reason": "the bank says so"})).await.created();
    house.operator.mark(run, 1, json!({"to": "rolled", "reason": "next time"})).await.created();
    let transfers = house.operator.client.get(&format!("/v1/runs/{}/transfers", run["id"].as_str().unwrap())).await.ok();
    let second = &transfers["items"][1];
    let (reference, amount) = (second["reference"].as_str().unwrap(), second["amount"].as_str().unwrap());
    let confirm = async |row: String| {
        let document = format!("reference,amount,currency,result,reason,bank_reference,booked_on\n{row}\n");
        house.operator.confirm("EURO", &document).await.created()
    };
    let rejected = confirm(format!("{reference},{amount},EUR,failed,AC04,B1,2026-11-25")).await;
    assert_eq!(house.operator.apply(&rejected).await.ok()["outcomes"], json!({"rejected": 1}));
    house.operator.mark(run, 2, json!({"to": "retried", "reason": "a new account"})).await.created();
    let sent = confirm(format!("INVOICE 7,{amount},EUR,sent,,B2,2026-11-26")).await;
    let transfers = format!("/v1/confirmations/{}/entries/1/transfers", sent["id"].as_str().unwrap());
    house.operator.client.put(&transfers, None, json!({"references": [reference]})).await.ok();
    assert_eq!(house.operator.apply(&sent).await.ok()["outcomes"], json!({"confirmed": 1}));
}

/// The proofs that fail on this database; all proofs.
async fn prove(database: &TestDatabase) -> (Vec<&'static str>, BTreeSet<&'static str>) {
    let db = Db::connect(&database.server_url, 1).await.expect("the copy is fit to work on");
    let proofs = clearinghouse::verify::verify(&db).await.expect("the proofs run").proofs;
    (proofs.iter().filter(|p| !p.holds()).map(|p| p.name).collect(), proofs.iter().map(|p| p.name).collect())
}

#[test]
fn every_proof_fails_when_its_rule_is_broken_and_only_then() {
    audit(async |house| {
        furnish(house).await;
        let intact = house.database.copy().await;
        let (broken, all) = prove(&intact).await;
        assert_eq!(broken, Vec::<&str>::new());
        assert_eq!(all, TAMPERINGS.iter().map(|(proof, _)| *proof).collect(), "every proof has its tampering");

        for (proof, tampering) in TAMPERINGS {
            let copy = intact.copy().await;
            copy.db_admin().await.batch_execute(tampering).await.unwrap_or_else(|error| panic!("{proof}: {error:?}"));

            assert_eq!(prove(&copy).await.0, [*proof]);

            copy.drop().await;
        }
        intact.drop().await;
    });
}

#[test]
fn a_leaf_is_proven_whatever_is_wrong_with_it() {
    audit(async |house| {
        furnish(house).await;
        let intact = house.database.copy().await;
        let open = "(window_id, booked_at, writer) = (SELECT l.window_id, l.booked_at, l.writer FROM window_leaves l
                    JOIN windows w ON w.id = l.window_id WHERE w.state = 'open' ORDER BY l.booked_at LIMIT 1)";
        for (tampering, violation) in [
            (format!("DELETE FROM window_leaves WHERE {open}"), "has obligations and no leaf"),
            (format!("UPDATE window_leaves SET root = sha256('x') WHERE {open}"), "has another leaf than its obligations make"),
            (
                format!("UPDATE window_leaves SET obligation_count = obligation_count + 1 WHERE {open}"),
                "has another leaf than its obligations make",
            ),
            (format!("UPDATE window_leaves SET gross_micro = gross_micro + 1 WHERE {open}"), "has another leaf than its obligations make"),
            (
                format!("INSERT INTO window_leaves SELECT window_id, booked_at, 99, 1, 1, root FROM window_leaves WHERE {open}"),
                "of writer 99",
            ),
            (
                "INSERT INTO window_leaves SELECT id, now(), 99, 1, 1, sha256('') FROM windows WHERE state = 'open'".to_owned(),
                "has a leaf and no obligations",
            ),
        ] {
            let copy = intact.copy().await;
            copy.db_admin().await.batch_execute(&tampering).await.unwrap_or_else(|error| panic!("{tampering}: {error:?}"));

            let db = Db::connect(&copy.server_url, 1).await.expect("the copy is fit to work on");
            let proofs = clearinghouse::verify::verify(&db).await.expect("the proofs run").proofs;

            let violations: Vec<&String> = proofs.iter().flat_map(|p| &p.violations).collect();
            assert!(violations.len() == 1 && violations[0].contains(violation), "{tampering}: {violations:?}");
            drop(db);
            copy.drop().await;
        }
        intact.drop().await;
    });
}
