//! SQL of the bench: seeding, and the plain statements that the house is compared with. It works as the administrator, on databases that
//! exist for the bench alone.

use crate::BenchError;
use crate::market::Market;
use futures_util::StreamExt;
use scrip::SchemeId;
use std::pin::pin;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// One naive swap, for pgbench.
pub(crate) const NAIVE_SCRIPT: &str = include_str!("naive.sql");

/// Every statement of this file, so that one test prepares them all.
pub const STATEMENTS: &[&str] =
    &[FIND_POSTMASTER, LIST_SETTINGS, INSERT_USERS, INSERT_SESSIONS, OPEN_ACCOUNTS, OPEN_HOT_ACCOUNTS, LIST_VENDORS, COUNT_SWAPS];

const FIND_POSTMASTER: &str = "
    SELECT pg_backend_pid()";

const LIST_SETTINGS: &str = "
    SELECT name, current_setting(name)
    FROM pg_settings
    WHERE name IN ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'wal_compression', 'wal_level',
                   'shared_buffers', 'max_wal_size', 'checkpoint_timeout', 'wal_buffers', 'commit_delay', 'max_parallel_workers_per_gather')
    ORDER BY name";

const INSERT_USERS: &str = "
    INSERT INTO users (id, handle, password_hash, created_at)
    SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'user' || n, 'nobody signs in', now()
    FROM generate_series(0, $1::int - 1) AS n";

const INSERT_SESSIONS: &str = "
    INSERT INTO sessions (id, user_id, secret_hash, created_at, expires_at)
    SELECT id, id, sha256(sha256(convert_to(substr(handle, 5), 'UTF8'))), now(), now() + interval '7 days'
    FROM users
    WHERE password_hash = 'nobody signs in'";

const OPEN_ACCOUNTS: &str = "
    INSERT INTO accounts (user_id, vendor_id, balance, held, entry_count, opened_at)
    SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, v.id, 0, 0, 0, now()
    FROM generate_series(0, $1::int - 1) AS n
    CROSS JOIN generate_series(0, 9) AS k
    JOIN vendors v ON v.code = 'V' || lpad(((n + k * k) % 200)::text, 3, '0')
    ORDER BY n, v.id";

const OPEN_HOT_ACCOUNTS: &str = "
    INSERT INTO accounts (user_id, vendor_id, balance, held, entry_count, opened_at)
    SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, v.id, 0, 0, 0, now()
    FROM generate_series($1::int, $2::int - 1) AS n
    JOIN vendors v ON v.code IN ('V000', 'V001')
    ORDER BY n, v.id";

const LIST_VENDORS: &str = "
    SELECT id
    FROM vendors
    WHERE code ~ '^V[0-9]{3}$'
    ORDER BY code";

const COUNT_SWAPS: &str = "
    SELECT count(*)
    FROM swaps";

const FIND_OPEN_WINDOW: &str = "
    SELECT s.id, w.id
    FROM schemes s
    JOIN windows w ON w.scheme_id = s.id AND w.state = 'open'
    WHERE s.code = $1";

const SUM_BY_PAIR: &str = "
    SELECT debtor_id, creditor_id, sum(amount_micro)
    FROM obligations
    WHERE window_id = $1
    GROUP BY debtor_id, creditor_id";

/// One connection; it lives as long as its client.
pub(crate) async fn connect(url: &str) -> Result<Client, BenchError> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

/// The process that serves this connection.
pub(crate) async fn backend(client: &Client) -> Result<Option<u32>, BenchError> {
    let pid: i32 = client.query_one(FIND_POSTMASTER, &[]).await?.get(0);
    Ok(u32::try_from(pid).ok())
}

/// The settings that a figure depends on.
pub(crate) async fn list_settings(client: &Client) -> Result<Vec<(String, String)>, BenchError> {
    let rows = client.query(LIST_SETTINGS, &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// A database with everything that the other has; nobody may be connected to that one.
pub(crate) async fn create_database(client: &Client, name: &str, template: &str) -> Result<(), BenchError> {
    // The files are copied and synced rather than written through the log: it is faster, and leaves the log to what is measured.
    Ok(client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")).await?)
}

/// Users, their sessions and their accounts, empty.
pub(crate) async fn insert_people(client: &Client, market: Market) -> Result<(), BenchError> {
    let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let (users, all) = (number(market.users), number(market.all_users()));
    client.execute(INSERT_USERS, &[&all]).await?;
    client.execute(INSERT_SESSIONS, &[]).await?;
    client.execute(OPEN_ACCOUNTS, &[&users]).await?;
    client.execute(OPEN_HOT_ACCOUNTS, &[&users, &all]).await?;
    Ok(())
}

/// The vendors' ids, by their numbers.
pub(crate) async fn list_vendors(client: &Client) -> Result<Vec<Uuid>, BenchError> {
    Ok(client.query(LIST_VENDORS, &[]).await?.iter().map(|row| row.get(0)).collect())
}

/// How many swaps are stored.
pub(crate) async fn count_swaps(client: &Client) -> Result<u64, BenchError> {
    let count: i64 = client.query_one(COUNT_SWAPS, &[]).await?.get(0);
    Ok(u64::try_from(count).unwrap_or_default())
}

/// Where obligations fall now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenWindow {
    pub(crate) scheme: SchemeId,
    pub(crate) window: Uuid,
}

pub(crate) async fn find_open_window(client: &Client, scheme: &str) -> Result<OpenWindow, BenchError> {
    let row = client.query_one(FIND_OPEN_WINDOW, &[&scheme]).await?;
    Ok(OpenWindow { scheme: SchemeId::new(row.get(0)), window: row.get(1) })
}

/// What a plain program would do to net a window; answers how many pairs there are.
pub(crate) async fn sum_by_pair(client: &Client, window: Uuid) -> Result<usize, BenchError> {
    Ok(client.query(SUM_BY_PAIR, &[&window]).await?.len())
}

/// The lines of a vendor's statement as PostgreSQL itself writes them, in whatever order; answers how many there are.
pub(crate) async fn copy_statement(client: &Client, window: Uuid, vendor: Uuid) -> Result<u64, BenchError> {
    // COPY takes no parameters; both are ids.
    let statement = format!(
        "
        COPY (
            SELECT 'obligation', v.code, o.id, o.source, o.operation_id, o.booked_at,
                   CASE WHEN o.creditor_id = '{vendor}' THEN o.amount_micro ELSE 0 END,
                   CASE WHEN o.debtor_id = '{vendor}' THEN o.amount_micro ELSE 0 END, 'EUR'
            FROM obligations o
            JOIN vendors v ON v.id = CASE WHEN o.debtor_id = '{vendor}' THEN o.creditor_id ELSE o.debtor_id END
            WHERE o.window_id = '{window}' AND (o.debtor_id = '{vendor}' OR o.creditor_id = '{vendor}')
        ) TO STDOUT (FORMAT csv)"
    );
    let mut rows = pin!(client.copy_out(&statement).await?);
    let mut lines = 0;
    while let Some(row) = rows.next().await {
        row?;
        lines += 1;
    }
    Ok(lines)
}

/// Statistics and the visibility map as they are in a house that has been running, and a log that begins anew: what was done before
/// shall not be paid for by what is measured first.
pub(crate) async fn settle_down(client: &Client) -> Result<(), BenchError> {
    client.batch_execute("VACUUM ANALYZE").await?;
    Ok(client.batch_execute("CHECKPOINT").await?)
}
