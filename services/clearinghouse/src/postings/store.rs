//! Which keys have an answer already. The answers themselves are the ledger's to read.

use ledger::{Fault, Tx};
use std::collections::HashSet;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub(crate) const STATEMENTS: &[&str] = &[FIND_USED_KEYS];

const FIND_USED_KEYS: &str = "
    SELECT key
    FROM idempotency
    WHERE actor_id = $1 AND key = ANY($2)";

pub(super) async fn find_used_keys(tx: &Tx<'_>, actor: Uuid, keys: &[&str]) -> Result<HashSet<String>, Fault> {
    Ok(tx.query(FIND_USED_KEYS, &[&actor, &keys]).await?.iter().map(|row| row.get(0)).collect())
}
