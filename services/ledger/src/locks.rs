//! The advisory locks of a scheme, all held to the end of the tx.
//!
//! A batch takes the window lock shared, *then* reads the open window; the closer takes it exclusively. So no obligation can
//! fall into a window that has been closed, without any delay to tune. The run lock is another one: computing a run does not
//! stop swaps.

use crate::{Fault, Tx};
use scrip::SchemeId;

const WINDOW: i32 = 1;
const RUN: i32 = 2;

/// Every statement of this file, for the test that prepares them all.
pub(crate) const STATEMENTS: &[&str] = &[LOCK_SHARED, LOCK_EXCLUSIVE];

const LOCK_SHARED: &str = "SELECT pg_advisory_xact_lock_shared($1, k) FROM unnest($2::int4[]) AS u(k) ORDER BY k";
const LOCK_EXCLUSIVE: &str = "SELECT pg_advisory_xact_lock($1, $2)";

/// Keeps the schemes' windows open until the tx ends; any number of batches may do so at once.
pub(crate) async fn lock_schemes_shared(tx: &Tx<'_>, schemes: impl IntoIterator<Item = SchemeId>) -> Result<(), Fault> {
    let mut keys: Vec<i32> = schemes.into_iter().map(lock_key).collect();
    keys.sort_unstable();
    keys.dedup();
    let statement = tx.prepare_cached(LOCK_SHARED).await?;
    tx.query(&statement, &[&WINDOW, &keys]).await?;
    Ok(())
}

/// Keeps one scheme's window open until the tx ends.
pub async fn lock_scheme_shared(tx: &Tx<'_>, scheme: SchemeId) -> Result<(), Fault> {
    lock_schemes_shared(tx, [scheme]).await
}

/// Waits until nobody posts into the scheme's window, and keeps everybody out until the tx ends.
pub async fn lock_scheme_exclusive(tx: &Tx<'_>, scheme: SchemeId) -> Result<(), Fault> {
    tx.query_one(LOCK_EXCLUSIVE, &[&WINDOW, &lock_key(scheme)]).await?;
    Ok(())
}

/// One run of a scheme is computed at a time; posting goes on.
pub async fn lock_scheme_runs(tx: &Tx<'_>, scheme: SchemeId) -> Result<(), Fault> {
    tx.query_one(LOCK_EXCLUSIVE, &[&RUN, &lock_key(scheme)]).await?;
    Ok(())
}

/// The random tail of the id. Two schemes with one key merely wait for each other.
fn lock_key(scheme: SchemeId) -> i32 {
    let [.., a, b, c, d] = *scheme.uuid().as_bytes();
    i32::from_be_bytes([a, b, c, d])
}
