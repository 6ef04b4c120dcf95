//! Leaves and sums: what is kept while posting is what the obligations come to, or nothing is settled.

use super::bundles::broken;
use crate::support::cluster::unmigrated_database;
use crate::support::{House, audit};
use ledger::Db;
use refinery::{Runner, Target, load_sql_migrations};
use runs::bundles::Bundles;
use scrip::RunId;
use serde_json::json;
use std::path::Path;

async fn market(house: &House) {
    house.operator.scheme("EURO").await;
    let alice = house.user("alice").await;
    let (aa, bb) = (house.operator.vendor("EURO", "AA", "1").await, house.operator.vendor("EURO", "BB", "1").await);
    aa.endow(&alice, "1000").await;
    alice.open(&bb).await;
    for send in ["10", "20", "30"] {
        alice.convert(send, &aa, &bb).await.created();
    }
}

#[test]
fn nothing_is_settled_on_sums_that_are_not_the_obligations() {
    audit(async |house| {
        market(house).await;
        let admin = house.db_admin().await;
        for (table, figure) in [
            ("positions", "amount_micro"),
            ("positions", "obligation_count"),
            ("window_totals", "gross_micro"),
            ("window_leaves", "gross_micro"),
            ("window_leaves", "obligation_count"),
        ] {
            admin.batch_execute(&format!("UPDATE {table} SET {figure} = {figure} + 1")).await.unwrap();

            let answer = house.operator.client.post_keyed("/v1/schemes/EURO/runs", "month-end", json!({})).await;

            assert_eq!(answer.status, 500, "{table}.{figure}");
            assert_eq!(house.db_count("SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM seals)").await, 0, "{table}.{figure}");
            admin.batch_execute(&format!("UPDATE {table} SET {figure} = {figure} - 1")).await.unwrap();
        }
        house.operator.client.post_keyed("/v1/schemes/EURO/runs", "month-end", json!({})).await.created();
    });
}

#[test]
fn every_batch_leaves_one_leaf() {
    audit(async |house| {
        market(house).await;
        let of_batches = "SELECT count(*) FROM (SELECT DISTINCT window_id, booked_at, writer FROM obligations) b";
        let leaves = house.db_count("SELECT count(*) FROM window_leaves").await;
        assert_eq!((leaves, house.db_count(of_batches).await), (3, 3));
        assert_eq!(house.db_count("SELECT sum(gross_micro)::bigint FROM window_leaves").await, 60_000_000);
    });
}

/// One window sealed by the first release, one closed by it, one open: two obligations and three, and one.
const FIRST_RELEASE: &str = r"
    INSERT INTO schemes (id, code, currency, digits, strategy, created_at)
    VALUES ('00000000-0000-4000-8000-000000000001', 'EURO', 'EUR', 2, 'direct', '2026-01-01Z');
    INSERT INTO vendors (id, code, name, scale, created_at)
    SELECT ('00000000-0000-4000-8000-00000000001' || n)::uuid, 'V' || n, 'Vendor', 2, '2026-01-01Z' FROM generate_series(1, 3) n;
    INSERT INTO scheme_members (vendor_id, scheme_id, joined_at) SELECT id, '00000000-0000-4000-8000-000000000001', '2026-01-01Z' FROM vendors;
    INSERT INTO windows (id, scheme_id, number, state, opened_at, closed_at, slot)
    VALUES ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000001', 1, 'closed', '2026-01-01Z', '2026-01-02Z', 'a'),
           ('00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-000000000001', 2, 'closed', '2026-01-02Z', '2026-01-03Z', 'b'),
           ('00000000-0000-4000-8000-0000000000a3', '00000000-0000-4000-8000-000000000001', 3, 'open', '2026-01-03Z', NULL, NULL);
    INSERT INTO obligations (user_id, id, window_id, debtor_id, creditor_id, amount_micro, source, operation_id, booked_at)
    SELECT '00000000-0000-0000-0000-000000000000', ('00000000-0000-7000-8000-00000000b0' || id)::uuid,
           ('00000000-0000-4000-8000-0000000000a' || w)::uuid, ('00000000-0000-4000-8000-00000000001' || debtor)::uuid,
           ('00000000-0000-4000-8000-00000000001' || creditor)::uuid, amount, 'import', '00000000-0000-7000-8000-0000000000c1', booked_at::timestamptz
    FROM (VALUES ('01', 1, 1, 2, 1000001, '2026-01-01 12:00:00.000001Z'), ('02', 1, 2, 3, 2500000, '2026-01-01 12:00:00.000001Z'),
                 ('03', 2, 1, 3, 7000000, '2026-01-02 12:00:00.123456Z'), ('04', 2, 2, 1, 8000000, '2026-01-02 12:00:00.123456Z'),
                 ('05', 2, 3, 1, 9000000, '2026-01-02 12:00:00.123456Z'), ('06', 2, 3, 2, 4000000, '2026-01-02 13:00:00Z'),
                 ('07', 3, 3, 2, 5000000, '2026-01-03 13:00:00Z')) AS o(id, w, debtor, creditor, amount, booked_at);
    INSERT INTO positions (window_id, writer, debtor_id, creditor_id, amount_micro, obligation_count)
    SELECT window_id, -1, debtor_id, creditor_id, sum(amount_micro), count(*) FROM obligations GROUP BY 1, 3, 4;
    INSERT INTO window_totals (window_id, writer, gross_micro) SELECT window_id, -1, sum(amount_micro) FROM obligations GROUP BY 1;
    WITH leaves AS (
        SELECT id, sha256('\x00'::bytea || uuid_send(id) || uuid_send(user_id) || uuid_send(debtor_id) || uuid_send(creditor_id)
                          || int8send(amount_micro) || '\x05'::bytea || uuid_send(operation_id)
                          || int8send((extract(epoch FROM booked_at) * 1000000)::bigint)) AS leaf
        FROM obligations WHERE window_id = '00000000-0000-4000-8000-0000000000a1'
    ), root AS (
        SELECT sha256('\x01'::bytea || string_agg(leaf, ''::bytea ORDER BY id)) AS root FROM leaves
    )
    INSERT INTO seals (window_id, scheme_id, number, obligation_count, gross_micro, root, seal, sealed_at)
    SELECT w.id, w.scheme_id, 1, 2, 3500001, root,
           sha256(decode(repeat('00', 32), 'hex') || uuid_send(w.id) || int8send(1) || int8send(2) || int8send(3500001) || root), w.closed_at
    FROM root, windows w WHERE w.number = 1;
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_first_release_wrote_keeps_its_seals_and_gets_leaves() {
    let database = unmigrated_database().await;
    let mut admin = database.db_admin().await;
    admin.batch_execute(schema::ROLES_SQL).await.unwrap();
    admin.batch_execute("GRANT CREATE, USAGE ON SCHEMA public TO scriphouse_owner; SET ROLE scriphouse_owner").await.unwrap();
    let migrations = load_sql_migrations(Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/migrations")).unwrap();
    Runner::new(&migrations).set_target(Target::Version(4)).run_async(&mut admin).await.unwrap();
    admin.batch_execute("RESET ROLE").await.unwrap();
    admin.batch_execute(FIRST_RELEASE).await.unwrap();

    schema::migrate(&mut admin).await.unwrap();

    let db = Db::connect(&database.server_url, 4).await.unwrap();
    assert_eq!(violations(&db).await, Vec::<String>::new());
    let service = runs::Runs::new(db.clone(), ledger::Clock::system());
    assert_eq!(service.resume().await.unwrap().len(), 2, "the windows that were closed are netted");
    assert_eq!(violations(&db).await, Vec::<String>::new());
    let versions = admin.query("SELECT version FROM seals ORDER BY number", &[]).await.unwrap();
    assert_eq!(versions.iter().map(|row| row.get::<_, i16>(0)).collect::<Vec<_>>(), [1, 2]);
    // An auditor proves either kind.
    for row in admin.query("SELECT id FROM runs", &[]).await.unwrap() {
        let mut bundle = Bundles::new(&db, 1).open(RunId::new(row.get(0))).await.unwrap();
        let mut bytes = Vec::new();
        while let Some(chunk) = bundle.next().await.unwrap() {
            bytes.extend_from_slice(&chunk);
        }
        assert_eq!(broken(&bytes), []);
    }
    // The old seal still tells an obligation that was changed, even by somebody who makes its leaf fit again.
    admin
        .batch_execute("UPDATE obligations SET writer = 7, id = gen_random_uuid() WHERE id = '00000000-0000-7000-8000-00000000b001'")
        .await
        .unwrap();
    admin.batch_execute("UPDATE seals SET root = sha256('x') WHERE version = 2").await.unwrap();
    let wrong = violations(&db).await;
    for named in ["window 1 of scheme", "window 2 of scheme", "has obligations and no leaf", "has another leaf"] {
        assert!(wrong.iter().any(|violation| violation.contains(named)), "{named}: {wrong:?}");
    }
    drop((db, service, admin));
    database.drop().await;
}

async fn violations(db: &Db) -> Vec<String> {
    let proofs = clearinghouse::verify::verify(db).await.unwrap().proofs;
    proofs.into_iter().flat_map(|proof| proof.violations).collect()
}
