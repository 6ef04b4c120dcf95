//! SQL of users. The password's hash is read by the sign-in alone.

use jiff::Timestamp;
use ledger::{Fault, Tx};
use scrip::UserId;
use uuid::Uuid;

const INSERT_USER: &str = "
    INSERT INTO users (id, handle, password_hash, created_at)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (handle) DO NOTHING";
const FIND_BY_HANDLE: &str = "SELECT id FROM users WHERE handle = $1";
const FIND_BY_ID: &str = "SELECT id FROM users WHERE id = $1";
const FIND_MANY: &str = "
    SELECT id, NULL
    FROM users
    WHERE id = ANY($1)
    UNION ALL
    SELECT id, handle
    FROM users
    WHERE handle = ANY($2)";
const FIND_PASSWORD_HASH: &str = "
    SELECT id, password_hash
    FROM users
    WHERE handle = $1";
const GET_HANDLE: &str = "SELECT handle FROM users WHERE id = $1";

/// Every statement of this file, so that one test prepares them all.
pub const STATEMENTS: &[&str] = &[INSERT_USER, FIND_BY_HANDLE, FIND_BY_ID, FIND_MANY, FIND_PASSWORD_HASH, GET_HANDLE];

/// Whether the handle was free.
pub(super) async fn insert_user(tx: &Tx<'_>, id: UserId, handle: &str, password_hash: &str, at: Timestamp) -> Result<bool, Fault> {
    Ok(tx.execute(INSERT_USER, &[&id.uuid(), &handle, &password_hash, &at]).await? == 1)
}

pub(super) async fn find_by_handle(tx: &Tx<'_>, handle: &str) -> Result<Option<UserId>, Fault> {
    Ok(tx.query_opt(FIND_BY_HANDLE, &[&handle]).await?.map(|row| UserId::new(row.get(0))))
}

pub(super) async fn find_by_id(tx: &Tx<'_>, id: UserId) -> Result<Option<UserId>, Fault> {
    Ok(tx.query_opt(FIND_BY_ID, &[&id.uuid()]).await?.map(|row| UserId::new(row.get(0))))
}

/// Those with one of the ids, without a handle; and those with one of the handles, with it.
pub(super) async fn find_many(tx: &Tx<'_>, ids: &[Uuid], handles: &[&str]) -> Result<Vec<(UserId, Option<String>)>, Fault> {
    let rows = tx.query(&tx.prepare_cached(FIND_MANY).await?, &[&ids, &handles]).await?;
    Ok(rows.iter().map(|row| (UserId::new(row.get(0)), row.get(1))).collect())
}

pub(super) async fn find_password_hash(tx: &Tx<'_>, handle: &str) -> Result<Option<(UserId, String)>, Fault> {
    Ok(tx.query_opt(FIND_PASSWORD_HASH, &[&handle]).await?.map(|row| (UserId::new(row.get(0)), row.get(1))))
}

pub(super) async fn get_handle(tx: &Tx<'_>, id: UserId) -> Result<String, Fault> {
    Ok(tx.query_one(GET_HANDLE, &[&id.uuid()]).await?.get(0))
}
