//! A run that is stopped in any of its steps leaves nothing of itself, and continues to the same bytes.

use crate::support::cluster::TestDatabase;
use crate::support::{House, audit};
use ledger::{Clock, Db};
use runs::imports::{Options, import};
use runs::{Runs, Step};
use scrip::SchemeId;
use std::fmt::Write;
use std::mem::discriminant;

/// Each step, as a run comes to it.
const STEPS: [Step; 7] = [Step::Prove, Step::Seal, Step::Net, Step::Record, Step::Write { obligations: 0, of: 0 }, Step::Carry, Step::Done];

/// A closed window of so many obligations that writing them has a middle, as a crash right after closing leaves it.
async fn crashed(house: &House) -> SchemeId {
    let body = serde_json::json!({"code": "EURO", "currency": "EUR", "strategy": "conservative", "approval": "auto"});
    house.operator.client.post("/v1/schemes", body).await.created();
    let scheme = SchemeId::new(house.db_admin().await.query_one("SELECT id FROM schemes", &[]).await.unwrap().get(0));
    let mut file = "debtor,creditor,amount\n".to_owned();
    for number in 0..2_500_u32 {
        let (debtor, creditor) = (number % 7, (number * 3 + 1) % 7);
        if debtor != creditor {
            writeln!(file, "V{debtor},V{creditor},{}.{:03}", number % 90 + 1, number % 1_000).unwrap();
        }
    }
    let options = Options { create_vendors: true, code_prefix: String::new() };
    import(&house.db, &house.clock, scheme, file.as_bytes(), &options, |_step| ()).await.unwrap();
    stop_at(&house.db, scheme, Step::Close).await;
    assert_eq!(house.db_count("SELECT count(*) FROM windows").await, 1, "closing was stopped before it began");
    stop_at(&house.db, scheme, Step::Prove).await;
    assert_eq!(house.db_count("SELECT count(*) FROM windows WHERE state = 'closed'").await, 1);
    scheme
}

/// Settles until the run comes to a step, where whoever computes it dies.
async fn stop_at(db: &Db, scheme: SchemeId, step: Step) {
    let service = Runs::new(db.clone(), Clock::system());
    let dying = tokio::spawn(async move {
        let die = |reached: Step| assert!(discriminant(&reached) != discriminant(&step), "stopped at {reached:?}, as the test wants it");
        service.settle(scheme, "month-end", die).await.map(drop)
    });
    assert!(dying.await.expect_err("it was stopped").is_panic());
}

/// Everything that follows from a run's window, and nothing that the moment of computing it has a part in.
const BYTES: &str = "
    SELECT r.id::text || r.state || encode(r.input_hash || r.output_hash, 'hex') FROM runs r
    UNION ALL SELECT t.id::text || t.number || t.amount_micro || t.state FROM transfers t
    UNION ALL SELECT p.vendor_id::text || p.settled_micro || '/' || p.carry_micro FROM run_positions p
    UNION ALL SELECT c.number || c.debtor_id::text || c.creditor_id || c.amount_micro FROM run_carries c
    UNION ALL SELECT o.debtor_id::text || o.creditor_id || o.amount_micro FROM obligations o WHERE o.source = 'carry'
    UNION ALL SELECT f.name || encode(f.sha256, 'hex') || f.size_bytes FROM files f
    UNION ALL SELECT encode(s.seal, 'hex') FROM seals s
    ORDER BY 1";

async fn bytes(database: &TestDatabase) -> Vec<String> {
    database.db_admin().await.query(BYTES, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[test]
fn a_run_that_is_stopped_at_any_step_continues_to_the_same_bytes() {
    audit(async |house| {
        let scheme = crashed(house).await;
        let after_the_crash = house.database.copy().await;
        let mut expected = Vec::new();
        for step in [None].into_iter().chain(STEPS.map(Some)) {
            let database = after_the_crash.copy().await;
            let db = Db::connect(&database.server_url, 4).await.unwrap();
            if let Some(step) = step {
                stop_at(&db, scheme, step).await;
                let kept = usize::from(discriminant(&step) == discriminant(&Step::Done));
                assert_eq!(bytes(&database).await.is_empty(), kept == 0, "{step:?}: a run is there whole or not at all");
            }

            Runs::new(db.clone(), Clock::system()).settle(scheme, "month-end", |_step| ()).await.unwrap();

            let proofs = clearinghouse::verify::verify(&db).await.unwrap().proofs;
            assert!(proofs.iter().all(ledger::proofs::Proof::holds), "{step:?}: {proofs:?}");
            let found = bytes(&database).await;
            match step {
                None => expected = found,
                Some(step) => assert_eq!(found, expected, "stopped at {step:?}"),
            }
            drop(db);
            database.drop().await;
        }
        assert!(expected.len() > 20, "{expected:?}");
        after_the_crash.drop().await;
    });
}
