//! SQL of keys and sessions. Only hashes of secrets are kept, and only the identifying statements read them.

use super::scope::Scope;
use super::{Key, NewKey};
use jiff::Timestamp;
use ledger::{Connection, Fault, Tx};
use scrip::{UserId, VendorId};
use std::collections::HashMap;
use tokio_postgres::Row;
use uuid::Uuid;

const FIND_KEYS: &str = "
    SELECT id, vendor_id, secret_hash, scopes, expires_at, revoked_at
    FROM api_keys
    WHERE id = ANY($1)";
const FIND_SESSIONS: &str = "
    SELECT id, user_id, secret_hash, expires_at, revoked_at
    FROM sessions
    WHERE id = ANY($1)";
const INSERT_KEY: &str = "
    INSERT INTO api_keys (id, vendor_id, name, secret_hash, scopes, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    RETURNING id, name, scopes, created_at, expires_at, revoked_at";
const LIST_VENDOR_KEYS: &str = "
    SELECT id, name, scopes, created_at, expires_at, revoked_at
    FROM api_keys
    WHERE vendor_id = $1 AND ($2::uuid IS NULL OR id > $2)
    ORDER BY id
    LIMIT $3";
const REVOKE_VENDOR_KEY: &str = "
    UPDATE api_keys
    SET revoked_at = COALESCE(revoked_at, $3)
    WHERE id = $1 AND vendor_id = $2";
const HAS_OPERATOR_KEY: &str = "
    SELECT EXISTS (
        SELECT FROM api_keys
        WHERE vendor_id IS NULL AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1))";
const INSERT_SESSION: &str = "
    INSERT INTO sessions (id, user_id, secret_hash, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5)
    RETURNING expires_at";
const REVOKE_SESSION: &str = "
    UPDATE sessions
    SET revoked_at = COALESCE(revoked_at, $2)
    WHERE id = $1";

/// Every statement of this file, so that one test prepares them all.
pub const STATEMENTS: &[&str] =
    &[FIND_KEYS, FIND_SESSIONS, INSERT_KEY, LIST_VENDOR_KEYS, REVOKE_VENDOR_KEY, HAS_OPERATOR_KEY, INSERT_SESSION, REVOKE_SESSION];

/// What decides whether a credential is good, and whose it is.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) owner: Owner,
    pub(super) secret_hash: Vec<u8>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) revoked_at: Option<Timestamp>,
}

/// Whose credential it is.
#[derive(Debug, Clone)]
pub(super) enum Owner {
    Operator,
    Vendor(VendorId, Vec<Scope>),
    User(UserId),
}

/// Those of the keys that are there, by id.
pub(super) async fn look_up_keys(connection: &mut Connection, ids: &[Uuid]) -> Result<HashMap<Uuid, Kept>, Fault> {
    Ok(connection.ask_as_house(FIND_KEYS, &[&ids]).await?.iter().map(kept_key).collect())
}

/// Those of the sessions that are there, by id.
pub(super) async fn look_up_sessions(connection: &mut Connection, ids: &[Uuid]) -> Result<HashMap<Uuid, Kept>, Fault> {
    Ok(connection.ask_as_house(FIND_SESSIONS, &[&ids]).await?.iter().map(kept_session).collect())
}

/// The key, if whoever the tx is for may see it.
pub(super) async fn find_key(tx: &Tx<'_>, id: Uuid) -> Result<Option<Kept>, Fault> {
    let row = tx.query_opt(FIND_KEYS, &[&[id].as_slice()]).await?;
    Ok(row.map(|row| kept_key(&row).1))
}

fn kept_key(row: &Row) -> (Uuid, Kept) {
    let owner = match row.get::<_, Option<Uuid>>(1) {
        Some(vendor) => Owner::Vendor(VendorId::new(vendor), read_scopes(row, 3)),
        None => Owner::Operator,
    };
    (row.get(0), Kept { owner, secret_hash: row.get(2), expires_at: row.get(4), revoked_at: row.get(5) })
}

fn kept_session(row: &Row) -> (Uuid, Kept) {
    let owner = Owner::User(UserId::new(row.get(1)));
    (row.get(0), Kept { owner, secret_hash: row.get(2), expires_at: Some(row.get(3)), revoked_at: row.get(4) })
}

/// `vendor` is null for an operator's key.
pub(super) async fn insert_key(
    tx: &Tx<'_>,
    id: Uuid,
    vendor: Option<VendorId>,
    secret_hash: [u8; 32],
    key: &NewKey,
    created_at: Timestamp,
) -> Result<Key, Fault> {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    let vendor = vendor.map(VendorId::uuid);
    let row = tx.query_one(INSERT_KEY, &[&id, &vendor, &key.name, &secret_hash.as_slice(), &scopes, &created_at, &key.expires_at]).await?;
    Ok(read_key(&row))
}

pub(super) async fn list_vendor_keys(tx: &Tx<'_>, vendor: VendorId, after: Option<Uuid>, limit: i64) -> Result<Vec<Key>, Fault> {
    let rows = tx.query(LIST_VENDOR_KEYS, &[&vendor.uuid(), &after, &limit]).await?;
    Ok(rows.iter().map(read_key).collect())
}

/// Whether the vendor has such a key. A key that was revoked before keeps its instant.
pub(super) async fn revoke_vendor_key(tx: &Tx<'_>, vendor: VendorId, id: Uuid, at: Timestamp) -> Result<bool, Fault> {
    Ok(tx.execute(REVOKE_VENDOR_KEY, &[&id, &vendor.uuid(), &at]).await? == 1)
}

pub(super) async fn has_operator_key(tx: &Tx<'_>, now: Timestamp) -> Result<bool, Fault> {
    Ok(tx.query_one(HAS_OPERATOR_KEY, &[&now]).await?.get(0))
}

/// When it ends, as stored: to the microsecond.
pub(super) async fn insert_session(
    tx: &Tx<'_>,
    id: Uuid,
    user: UserId,
    secret_hash: [u8; 32],
    created_at: Timestamp,
    expires_at: Timestamp,
) -> Result<Timestamp, Fault> {
    Ok(tx.query_one(INSERT_SESSION, &[&id, &user.uuid(), &secret_hash.as_slice(), &created_at, &expires_at]).await?.get(0))
}

pub(super) async fn revoke_session(tx: &Tx<'_>, id: Uuid, at: Timestamp) -> Result<(), Fault> {
    tx.execute(REVOKE_SESSION, &[&id, &at]).await?;
    Ok(())
}

fn read_key(row: &Row) -> Key {
    Key {
        id: row.get(0),
        name: row.get(1),
        scopes: read_scopes(row, 2),
        created_at: row.get(3),
        expires_at: row.get(4),
        revoked_at: row.get(5),
    }
}

fn read_scopes(row: &Row, column: usize) -> Vec<Scope> {
    row.get::<_, Vec<&str>>(column).into_iter().filter_map(Scope::find).collect()
}
