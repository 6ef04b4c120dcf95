//! The rows of disputes and acknowledgements.

use super::{DisputableRun, Dispute, DisputeState, Disputed};
use crate::steps::{Actor, RunState};
use jiff::Timestamp;
use ledger::obligations::Source;
use ledger::{Fault, Tx};
use scrip::{Micro, RunId, SchemeId, VendorId, WindowId};
use tokio_postgres::Row;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[
    LOCK_RUN,
    HAS_ACKNOWLEDGED,
    INSERT_ACKNOWLEDGEMENT,
    FIND_OBLIGATION,
    FIND_BY_OBLIGATION,
    FIND,
    LIST,
    INSERT,
    LOCK,
    END,
    COUNT_OPEN,
    FIND_WAITING_UNTIL,
    LIST_OPEN,
];

macro_rules! select_dispute {
    ($rest:literal) => {
        concat!(
            "
    SELECT x.id, x.run_id, x.obligation_id, d.code, c.code, x.amount_micro,
           CASE x.raised_by WHEN x.debtor_id THEN d.code ELSE c.code END, x.reason, x.state, x.raised_at, x.ended_at, x.raised_by
    FROM disputes x
    JOIN vendors d ON d.id = x.debtor_id
    JOIN vendors c ON c.id = x.creditor_id
    ",
            $rest
        )
    };
}

const LOCK_RUN: &str = "
    SELECT r.scheme_id, r.state, r.disputable_until
    FROM runs r
    JOIN run_positions p ON p.run_id = r.id AND p.vendor_id = $2
    WHERE r.id = $1
    FOR NO KEY UPDATE OF r";

const HAS_ACKNOWLEDGED: &str = "SELECT EXISTS (SELECT FROM acknowledgements WHERE run_id = $1 AND vendor_id = $2)";

const INSERT_ACKNOWLEDGEMENT: &str = "
    INSERT INTO acknowledgements (run_id, vendor_id, acknowledged_at)
    VALUES ($1, $2, $3)";

const FIND_OBLIGATION: &str = "
    SELECT o.window_id, o.debtor_id, o.creditor_id, o.amount_micro, o.source
    FROM run_windows l
    JOIN obligations o ON o.window_id = l.window_id AND o.id = $3
    WHERE l.run_id = $1 AND $2 IN (o.debtor_id, o.creditor_id)";

const FIND_BY_OBLIGATION: &str = select_dispute!("WHERE x.window_id = $1 AND x.obligation_id = $2");
const FIND: &str = select_dispute!("WHERE x.id = $1");
const LIST: &str = select_dispute!(
    "WHERE x.window_id IN (SELECT window_id FROM run_windows WHERE run_id = $1) AND ($2::uuid IS NULL OR x.id > $2)
      AND ($4::uuid IS NULL OR $4 IN (x.debtor_id, x.creditor_id))
    ORDER BY x.id
    LIMIT $3"
);

const INSERT: &str = "
    INSERT INTO disputes (id, scheme_id, run_id, window_id, obligation_id, debtor_id, creditor_id, amount_micro, raised_by, reason, state, raised_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11)";

const LOCK: &str = "
    SELECT scheme_id, debtor_id, creditor_id, amount_micro, raised_by, state
    FROM disputes
    WHERE id = $1
    FOR NO KEY UPDATE";

const END: &str = "
    UPDATE disputes SET state = $2, ended_by = $3, ended_at = $4
    WHERE id = $1";

const COUNT_OPEN: &str = "SELECT count(*) FROM disputes WHERE run_id = $1 AND state = 'open'";

// None where nobody can dispute it, or where everybody with a position has acknowledged.
const FIND_WAITING_UNTIL: &str = "
    SELECT r.disputable_until
    FROM runs r
    WHERE r.id = $1 AND r.disputable_until IS NOT NULL
      AND EXISTS (SELECT FROM run_positions p
                  WHERE p.run_id = r.id AND NOT EXISTS (SELECT FROM acknowledgements a WHERE a.run_id = r.id AND a.vendor_id = p.vendor_id))";

// What is disputed of these windows, and what earlier runs have held back and carried into them (the carries are those of writer -2). A
// dispute that is still raised against the run that settles its window waits for that run to be voided.
const LIST_OPEN: &str = "
    WITH open AS (
        SELECT x.debtor_id, x.creditor_id, sum(x.amount_micro) FILTER (WHERE x.window_id = ANY ($2)) AS own,
               sum(x.amount_micro) FILTER (WHERE NOT x.window_id = ANY ($2)) AS earlier
        FROM disputes x
        JOIN windows w ON w.id = x.window_id
        WHERE x.scheme_id = $1 AND x.state = 'open' AND w.run_id IS DISTINCT FROM x.run_id
        GROUP BY x.debtor_id, x.creditor_id
    ), carried AS (
        SELECT debtor_id, creditor_id, sum(amount_micro) AS amount
        FROM positions
        WHERE window_id = ANY ($2::uuid[]) AND writer = -2
        GROUP BY debtor_id, creditor_id
    )
    SELECT o.debtor_id, o.creditor_id, (coalesce(o.own, 0) + least(coalesce(o.earlier, 0), coalesce(c.amount, 0)))::bigint
    FROM open o
    LEFT JOIN carried c USING (debtor_id, creditor_id)
    WHERE coalesce(o.own, 0) + least(coalesce(o.earlier, 0), coalesce(c.amount, 0)) > 0
    ORDER BY o.debtor_id, o.creditor_id";

pub(super) async fn lock_run(tx: &Tx<'_>, run: RunId, vendor: VendorId) -> Result<Option<DisputableRun>, Fault> {
    let Some(row) = tx.query_opt(LOCK_RUN, &[&run.uuid(), &vendor.uuid()]).await? else { return Ok(None) };
    let state: &str = row.try_get(1)?;
    Ok(Some(DisputableRun {
        scheme: SchemeId::new(row.try_get(0)?),
        state: RunState::parse(state).ok_or_else(|| Fault::Unreadable(format!("run state {state}")))?,
        until: row.try_get(2)?,
    }))
}

pub(super) async fn has_acknowledged(tx: &Tx<'_>, run: RunId, vendor: VendorId) -> Result<bool, Fault> {
    Ok(tx.query_one(HAS_ACKNOWLEDGED, &[&run.uuid(), &vendor.uuid()]).await?.try_get(0)?)
}

pub(super) async fn insert_acknowledgement(tx: &Tx<'_>, run: RunId, vendor: VendorId, at: Timestamp) -> Result<(), Fault> {
    tx.execute(INSERT_ACKNOWLEDGEMENT, &[&run.uuid(), &vendor.uuid(), &at]).await?;
    Ok(())
}

/// An obligation of the run that the vendor is a party to.
pub(super) async fn find_obligation(tx: &Tx<'_>, run: RunId, vendor: VendorId, obligation: Uuid) -> Result<Option<Disputed>, Fault> {
    let Some(row) = tx.query_opt(FIND_OBLIGATION, &[&run.uuid(), &vendor.uuid(), &obligation]).await? else { return Ok(None) };
    let source: &str = row.try_get(4)?;
    let source = Source::parse(source).ok_or_else(|| Fault::Unreadable(format!("obligation source {source}")))?;
    Ok(Some(Disputed {
        window: WindowId::new(row.try_get(0)?),
        debtor: VendorId::new(row.try_get(1)?),
        creditor: VendorId::new(row.try_get(2)?),
        amount: Micro::new(row.try_get(3)?),
        is_disputable: !matches!(source, Source::Carry | Source::Reversal | Source::Default),
    }))
}

/// The dispute about an obligation, and who raised it.
pub(super) async fn find_by_obligation(tx: &Tx<'_>, window: WindowId, obligation: Uuid) -> Result<Option<(Dispute, VendorId)>, Fault> {
    let row = tx.query_opt(FIND_BY_OBLIGATION, &[&window.uuid(), &obligation]).await?;
    row.map(|row| Ok((to_dispute(&row)?, VendorId::new(row.try_get(11)?)))).transpose()
}

pub(super) async fn find(tx: &Tx<'_>, id: Uuid) -> Result<Option<Dispute>, Fault> {
    tx.query_opt(FIND, &[&id]).await?.map(|row| to_dispute(&row)).transpose()
}

pub(super) async fn list(
    tx: &Tx<'_>,
    run: RunId,
    vendor: Option<VendorId>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Dispute>, Fault> {
    tx.query(LIST, &[&run.uuid(), &after, &limit, &vendor.map(VendorId::uuid)]).await?.iter().map(to_dispute).collect()
}

/// A dispute to be stored.
pub(super) struct NewDispute<'a> {
    pub(super) id: Uuid,
    pub(super) scheme: SchemeId,
    pub(super) run: RunId,
    pub(super) obligation: Uuid,
    pub(super) disputed: &'a Disputed,
    pub(super) raised_by: VendorId,
    pub(super) reason: &'a str,
    pub(super) at: Timestamp,
}

pub(super) async fn insert(tx: &Tx<'_>, new: &NewDispute<'_>) -> Result<(), Fault> {
    let NewDispute { id, scheme, run, obligation, disputed, raised_by, reason, at } = new;
    let Disputed { window, debtor, creditor, amount, is_disputable: _ } = disputed;
    tx.execute(
        INSERT,
        &[
            id,
            &scheme.uuid(),
            &run.uuid(),
            &window.uuid(),
            obligation,
            &debtor.uuid(),
            &creditor.uuid(),
            &amount.units(),
            &raised_by.uuid(),
            reason,
            at,
        ],
    )
    .await?;
    Ok(())
}

/// A dispute that is locked until the tx ends.
pub(super) struct LockedDispute {
    pub(super) scheme: SchemeId,
    pub(super) debtor: VendorId,
    pub(super) creditor: VendorId,
    pub(super) amount: Micro,
    pub(super) raised_by: VendorId,
    pub(super) state: DisputeState,
}

pub(super) async fn lock(tx: &Tx<'_>, id: Uuid) -> Result<Option<LockedDispute>, Fault> {
    let Some(row) = tx.query_opt(LOCK, &[&id]).await? else { return Ok(None) };
    Ok(Some(LockedDispute {
        scheme: SchemeId::new(row.try_get(0)?),
        debtor: VendorId::new(row.try_get(1)?),
        creditor: VendorId::new(row.try_get(2)?),
        amount: Micro::new(row.try_get(3)?),
        raised_by: VendorId::new(row.try_get(4)?),
        state: to_state(row.try_get(5)?)?,
    }))
}

pub(super) async fn end(tx: &Tx<'_>, id: Uuid, to: DisputeState, actor: &Actor, at: Timestamp) -> Result<(), Fault> {
    tx.execute(END, &[&id, &to.as_str(), &actor.to_string(), &at]).await?;
    Ok(())
}

pub(super) async fn count_open(tx: &Tx<'_>, run: RunId) -> Result<i64, Fault> {
    Ok(tx.query_one(COUNT_OPEN, &[&run.uuid()]).await?.try_get(0)?)
}

pub(super) async fn find_waiting_until(tx: &Tx<'_>, run: RunId) -> Result<Option<Timestamp>, Fault> {
    tx.query_opt(FIND_WAITING_UNTIL, &[&run.uuid()]).await?.map(|row| Ok(row.try_get(0)?)).transpose()
}

/// What a run over these windows holds back for disputes, by debtor and creditor.
pub(crate) async fn list_open(tx: &Tx<'_>, scheme: SchemeId, windows: &[Uuid]) -> Result<Vec<(VendorId, VendorId, Micro)>, Fault> {
    let rows = tx.query(LIST_OPEN, &[&scheme.uuid(), &windows]).await?;
    rows.iter().map(|row| Ok((VendorId::new(row.try_get(0)?), VendorId::new(row.try_get(1)?), Micro::new(row.try_get(2)?)))).collect()
}

fn to_dispute(row: &Row) -> Result<Dispute, Fault> {
    Ok(Dispute {
        id: row.try_get(0)?,
        run: RunId::new(row.try_get(1)?),
        obligation: row.try_get(2)?,
        debtor: row.try_get(3)?,
        creditor: row.try_get(4)?,
        amount: Micro::new(row.try_get(5)?),
        raised_by: row.try_get(6)?,
        reason: row.try_get(7)?,
        state: to_state(row.try_get(8)?)?,
        raised_at: row.try_get(9)?,
        ended_at: row.try_get(10)?,
    })
}

fn to_state(name: &str) -> Result<DisputeState, Fault> {
    DisputeState::parse(name).ok_or_else(|| Fault::Unreadable(format!("dispute state {name}")))
}
