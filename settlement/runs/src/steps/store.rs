//! The rows of steps, and of runs as far as steps change them.

use super::{Actor, LockedRun, RunState, Step};
use crate::seals::to_hash;
use jiff::Timestamp;
use ledger::obligations::NewObligation;
use ledger::{Fault, TermsChange, Tx};
use scrip::{Micro, RunId, SchemeId, VendorId, WindowId};
use tokio_postgres::Row;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] =
    &[FIND_SCHEME, LOCK, FIND_LAST, COUNT_TRANSFERS, INSERT, UPDATE_STATE, FREE_WINDOWS, LIST_WINDOWS, LIST_CARRIES, LIST, LOCK_DUE];

const FIND_SCHEME: &str = "SELECT scheme_id FROM runs WHERE id = $1";

const LOCK: &str = "
    SELECT state, output_hash
    FROM runs
    WHERE id = $1
    FOR NO KEY UPDATE";

const FIND_LAST: &str = "
    SELECT seq, from_state, to_state, actor, reason, stepped_at
    FROM run_steps
    WHERE run_id = $1 AND to_state = $2";

const COUNT_TRANSFERS: &str = "SELECT transfer_count FROM runs WHERE id = $1";

// The run is locked, so nobody else takes the next number.
const INSERT: &str = "
    INSERT INTO run_steps (run_id, seq, from_state, to_state, actor, reason, output_hash, stepped_at)
    SELECT $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5, $6, $7
    FROM run_steps
    WHERE run_id = $1";

const UPDATE_STATE: &str = "UPDATE runs SET state = $2 WHERE id = $1";

const FREE_WINDOWS: &str = "UPDATE windows SET run_id = NULL WHERE run_id = $1";

const LIST_WINDOWS: &str = "SELECT id FROM windows WHERE run_id = $1 ORDER BY number";

const LIST_CARRIES: &str = "
    SELECT debtor_id, creditor_id, amount_micro
    FROM run_carries
    WHERE run_id = $1
    ORDER BY number";

const LIST: &str = "
    SELECT seq, from_state, to_state, actor, reason, stepped_at
    FROM run_steps
    WHERE run_id = $1
    ORDER BY seq";

// Whoever is being looked at by another process is left to it.
const LOCK_DUE: &str = "
    SELECT r.id
    FROM runs r
    JOIN run_steps s ON s.run_id = r.id AND s.to_state = 'proposed' AND s.actor = 'house'
    WHERE r.state = 'proposed' AND r.approval = 'auto' AND NOT EXISTS (SELECT FROM disputes d WHERE d.run_id = r.id AND d.state = 'open')
      AND (r.disputable_until <= $1
           OR NOT EXISTS (SELECT FROM run_positions p
                          WHERE p.run_id = r.id AND NOT EXISTS (SELECT FROM acknowledgements a WHERE a.run_id = r.id AND a.vendor_id = p.vendor_id)))
    ORDER BY r.id
    LIMIT 100
    FOR NO KEY UPDATE OF r SKIP LOCKED";

pub(crate) async fn find_scheme(tx: &Tx<'_>, run: RunId) -> Result<Option<SchemeId>, Fault> {
    tx.query_opt(FIND_SCHEME, &[&run.uuid()]).await?.map(|row| Ok(SchemeId::new(row.try_get(0)?))).transpose()
}

pub(super) async fn lock(tx: &Tx<'_>, run: RunId) -> Result<Option<LockedRun>, Fault> {
    let Some(row) = tx.query_opt(LOCK, &[&run.uuid()]).await? else { return Ok(None) };
    Ok(Some(LockedRun { id: run, state: to_state(row.try_get(0)?)?, output_hash: to_hash(row.try_get(1)?)? }))
}

/// The step that led to a state; a run comes to each of them at most once.
pub(super) async fn find_last(tx: &Tx<'_>, run: RunId, to: RunState) -> Result<Option<Step>, Fault> {
    tx.query_opt(FIND_LAST, &[&run.uuid(), &to.as_str()]).await?.map(|row| to_step(&row)).transpose()
}

pub(super) async fn count_transfers(tx: &Tx<'_>, run: RunId) -> Result<i64, Fault> {
    Ok(tx.query_one(COUNT_TRANSFERS, &[&run.uuid()]).await?.try_get(0)?)
}

pub(super) async fn insert(
    tx: &Tx<'_>,
    locked: &LockedRun,
    to: RunState,
    actor: &Actor,
    reason: Option<&str>,
    at: Timestamp,
) -> Result<(), Fault> {
    let LockedRun { id, state, output_hash } = locked;
    let (from, to, actor) = (state.as_str(), to.as_str(), actor.to_string());
    tx.execute(INSERT, &[&id.uuid(), &from, &to, &actor, &reason, &output_hash.as_slice(), &at]).await?;
    Ok(())
}

/// Under caps two vendors owe each other the run's transfers from the commit on.
pub(super) async fn export(tx: &TermsChange<'_, '_>, run: RunId) -> Result<(), Fault> {
    update_state(tx, run, RunState::Exported).await
}

pub(super) async fn update_state(tx: &Tx<'_>, run: RunId, to: RunState) -> Result<(), Fault> {
    tx.execute(UPDATE_STATE, &[&run.uuid(), &to.as_str()]).await?;
    Ok(())
}

pub(super) async fn free_windows(tx: &TermsChange<'_, '_>, run: RunId) -> Result<(), Fault> {
    tx.execute(FREE_WINDOWS, &[&run.uuid()]).await?;
    Ok(())
}

/// The windows that the run settles.
pub(super) async fn list_windows(tx: &Tx<'_>, run: RunId) -> Result<Vec<WindowId>, Fault> {
    tx.query(LIST_WINDOWS, &[&run.uuid()]).await?.iter().map(|row| Ok(WindowId::new(row.try_get(0)?))).collect()
}

/// What the run carried into a later window.
pub(super) async fn list_carries(tx: &Tx<'_>, run: RunId) -> Result<Vec<NewObligation>, Fault> {
    let rows = tx.query(LIST_CARRIES, &[&run.uuid()]).await?;
    rows.iter()
        .map(|row| {
            Ok(NewObligation {
                debtor: VendorId::new(row.try_get(0)?),
                creditor: VendorId::new(row.try_get(1)?),
                amount: Micro::new(row.try_get(2)?),
            })
        })
        .collect()
}

/// Runs of schemes that approve by themselves, whose vendors agree by now, locked until the tx ends; a hundred at a time.
pub(super) async fn lock_due(tx: &Tx<'_>, now: Timestamp) -> Result<Vec<RunId>, Fault> {
    tx.query(LOCK_DUE, &[&now]).await?.iter().map(|row| Ok(RunId::new(row.try_get(0)?))).collect()
}

pub(super) async fn list(tx: &Tx<'_>, run: RunId) -> Result<Vec<Step>, Fault> {
    tx.query(LIST, &[&run.uuid()]).await?.iter().map(to_step).collect()
}

fn to_step(row: &Row) -> Result<Step, Fault> {
    let actor: &str = row.try_get(3)?;
    Ok(Step {
        seq: row.try_get(0)?,
        from: to_state(row.try_get(1)?)?,
        to: to_state(row.try_get(2)?)?,
        actor: actor.parse().map_err(|e: super::state::UnknownActor| Fault::Unreadable(e.to_string()))?,
        reason: row.try_get(4)?,
        stepped_at: row.try_get(5)?,
    })
}

fn to_state(name: &str) -> Result<RunState, Fault> {
    RunState::parse(name).ok_or_else(|| Fault::Unreadable(format!("run state {name}")))
}
