//! The rows of runs, their positions and transfers, and what they are computed from.

use super::{NettedWindow, PendingWindow, Position, Run, Transfer, WindowSummary};
use crate::ids::reference;
use crate::scheme::{Approval, Scheme};
use crate::seals::{self, to_hash};
use crate::steps::RunState;
use crate::windows::{Cut, Window};
use jiff::Timestamp;
use ledger::copy::CopyIn;
use ledger::obligations::NewObligation;
use ledger::{Fault, Tx};
use netting::{ALGORITHM_VERSION, Netting, Strategy};
use scrip::code::HOUSE;
use scrip::{Micro, RunId, Scale, SchemeId, VendorId, WindowId};
use std::str::FromStr;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[
    WIDEN,
    FIND_SCHEME,
    LIST_PENDING,
    FIND_PENDING,
    LIST_NOT_NETTED,
    LIST_PAIRS,
    READ_TOTAL,
    INSERT_RUN,
    INSERT_RUN_WINDOWS,
    SETTLE_WINDOWS,
    COPY_POSITIONS,
    COPY_TRANSFERS,
    COPY_CARRIES,
    INSERT_HOLDING,
    FIND,
    LIST,
    LIST_TRANSFERS,
    LIST_POSITIONS,
    FIND_POSITION,
    LIST_WINDOWS,
];

// A run reads millions of rows: it may use other processors and more memory than the short statements that the settings are for. What it
// stores of files is compressed with lz4 where the database knows it: the usual way takes longer than all the rest of a run.
const WIDEN: &str = "
    SELECT set_config('work_mem', '64MB', true), set_config('max_parallel_workers_per_gather', '2', true),
           (SELECT set_config(name, 'lz4', true) FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals))";

const FIND_SCHEME: &str = "
    SELECT code, currency, digits, strategy, approval, min_transfer_micro, dispute_hours
    FROM schemes
    WHERE id = $1";

// Few windows are settled by no run: the open ones, those that are held, those of voided runs, which have had a run, and what is looked for.
const LIST_PENDING: &str = "
    SELECT DISTINCT w.scheme_id
    FROM windows w
    WHERE w.run_id IS NULL AND w.state = 'closed' AND NOT w.held AND NOT EXISTS (SELECT FROM run_windows r WHERE r.window_id = w.id)
    ORDER BY w.scheme_id";

const FIND_PENDING: &str = "
    SELECT w.number, w.slot, w.closed_at
    FROM windows w
    WHERE w.scheme_id = $1 AND w.number <= $2 AND w.run_id IS NULL AND w.state = 'closed' AND NOT w.held
      AND NOT EXISTS (SELECT FROM run_windows r WHERE r.window_id = w.id)
    ORDER BY w.number
    LIMIT 1";

const LIST_NOT_NETTED: &str = "
    SELECT id, number
    FROM windows
    WHERE scheme_id = $1 AND number <= $2 AND run_id IS NULL
    ORDER BY number";

// One pass over the window's obligations, in which every processor may help: grouped first, joined then.
const LIST_PAIRS: &str = "
    SELECT debtor_id, d.code, creditor_id, c.code, coalesce(o.amount, 0)::bigint, coalesce(o.count, 0),
           coalesce(p.amount, 0)::bigint, coalesce(p.count, 0)::bigint
    FROM (SELECT debtor_id, creditor_id, sum(amount_micro) AS amount, count(*) AS count
          FROM obligations WHERE window_id = $1 GROUP BY debtor_id, creditor_id) o
    FULL JOIN (SELECT debtor_id, creditor_id, sum(amount_micro) AS amount, sum(obligation_count) AS count
               FROM positions WHERE window_id = $1 GROUP BY debtor_id, creditor_id) p USING (debtor_id, creditor_id)
    JOIN vendors d ON d.id = debtor_id
    JOIN vendors c ON c.id = creditor_id";

const READ_TOTAL: &str = "
    SELECT coalesce(sum(gross_micro), 0)::bigint
    FROM window_totals
    WHERE window_id = $1";

// The caller holds the scheme's run lock, so nobody else takes the next number.
const INSERT_RUN: &str = "
    INSERT INTO runs (id, scheme_id, number, slot, state, currency, digits, strategy, min_transfer_micro, algorithm_version, obligation_count,
                      gross_micro, bilateral_micro, net_micro, total_micro, transfer_count, input_hash, output_hash, computed_at, remaining_micro,
                      disputable_until, approval)
    SELECT $1, $2, coalesce(max(number), 0) + 1, $3, 'computed', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
           CASE WHEN $19::integer > 0 THEN $17::timestamptz + make_interval(hours => $19) END, $20
    FROM runs
    WHERE scheme_id = $2";

const INSERT_RUN_WINDOWS: &str = "
    INSERT INTO run_windows (run_id, window_id)
    SELECT $1, unnest($2::uuid[])";

const SETTLE_WINDOWS: &str = "
    UPDATE windows SET run_id = $1
    WHERE id = ANY ($2::uuid[]) AND run_id IS NULL";

const COPY_POSITIONS: &str = "
    COPY run_positions (run_id, vendor_id, owed_micro, owes_micro, net_micro, settled_micro, carry_micro)
    FROM STDIN BINARY";

const COPY_TRANSFERS: &str = "
    COPY transfers (run_id, number, id, payer_id, payee_id, amount_micro, state)
    FROM STDIN BINARY";

const INSERT_HOLDING: &str = "
    INSERT INTO run_holdings (run_id, debtor_id, creditor_id, amount_micro)
    VALUES ($1, $2, $3, $4)";

const COPY_CARRIES: &str = "
    COPY run_carries (run_id, number, debtor_id, creditor_id, amount_micro)
    FROM STDIN BINARY";

const FIND: &str = "
    SELECT r.id, s.code, r.slot, r.state, r.currency, r.digits, r.strategy, r.algorithm_version, r.obligation_count,
           r.gross_micro, r.bilateral_micro, r.net_micro, r.total_micro, r.transfer_count, r.input_hash, r.output_hash, r.computed_at,
           r.remaining_micro, r.number, r.min_transfer_micro, r.disputable_until, r.approval
    FROM runs r
    JOIN schemes s ON s.id = r.scheme_id
    WHERE r.id = $1";

const LIST: &str = "
    SELECT r.id, s.code, r.slot, r.state, r.currency, r.digits, r.strategy, r.algorithm_version, r.obligation_count,
           r.gross_micro, r.bilateral_micro, r.net_micro, r.total_micro, r.transfer_count, r.input_hash, r.output_hash, r.computed_at,
           r.remaining_micro, r.number, r.min_transfer_micro, r.disputable_until, r.approval
    FROM runs r
    JOIN schemes s ON s.id = r.scheme_id
    WHERE ($1::uuid IS NULL OR r.scheme_id = $1)
      AND ($2::uuid IS NULL OR (r.computed_at, r.id) < (SELECT a.computed_at, a.id FROM runs a WHERE a.id = $2))
    ORDER BY r.computed_at DESC, r.id DESC
    LIMIT $3";

const LIST_TRANSFERS: &str = "
    SELECT t.id, t.number, payer.code, payee.code, t.amount_micro, t.state
    FROM transfers t
    LEFT JOIN vendors payer ON payer.id = t.payer_id
    LEFT JOIN vendors payee ON payee.id = t.payee_id
    WHERE t.run_id = $1 AND t.number > $2
    ORDER BY t.number
    LIMIT $3";

const LIST_POSITIONS: &str = "
    SELECT v.code, p.owed_micro, p.owes_micro, p.net_micro, p.settled_micro, p.carry_micro
    FROM run_positions p
    JOIN vendors v ON v.id = p.vendor_id
    WHERE p.run_id = $1 AND v.code > $2
    ORDER BY v.code
    LIMIT $3";

const FIND_POSITION: &str = "
    SELECT v.code, p.owed_micro, p.owes_micro, p.net_micro, p.settled_micro, p.carry_micro
    FROM run_positions p
    JOIN vendors v ON v.id = p.vendor_id
    WHERE p.run_id = $1 AND v.code = $2";

const LIST_WINDOWS: &str = "
    SELECT w.id, w.number, w.opened_at, w.closed_at, w.slot, w.held, w.run_id, s.version, s.obligation_count, s.gross_micro, s.root, s.seal
    FROM windows w
    LEFT JOIN seals s ON s.window_id = w.id
    WHERE w.scheme_id = $1 AND w.number < $2
    ORDER BY w.number DESC
    LIMIT $3";

/// What one vendor owes another in a window.
pub(super) struct Pair {
    pub(super) debtor_id: VendorId,
    pub(super) debtor: String,
    pub(super) creditor_id: VendorId,
    pub(super) creditor: String,
    /// Summed from the obligations.
    pub(super) amount: Micro,
    pub(super) count: i64,
    /// Summed while posting.
    pub(super) position_amount: Micro,
    pub(super) position_count: i64,
}

/// A transfer to be stored; no vendor is the house.
pub(super) struct NewTransfer {
    pub(super) number: i64,
    pub(super) id: Uuid,
    pub(super) payer: Option<VendorId>,
    pub(super) payee: Option<VendorId>,
    pub(super) amount: Micro,
}

pub(crate) async fn widen(tx: &Tx<'_>) -> Result<(), Fault> {
    tx.query_one(WIDEN, &[]).await?;
    Ok(())
}

pub(crate) async fn find_scheme(tx: &Tx<'_>, id: SchemeId) -> Result<Option<Scheme>, Fault> {
    let Some(row) = tx.query_opt(FIND_SCHEME, &[&id.uuid()]).await? else { return Ok(None) };
    let (digits, strategy, approval): (i16, String, String) = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
    Ok(Some(Scheme {
        id,
        code: row.try_get(0)?,
        currency: row.try_get(1)?,
        digits: to_scale(digits)?,
        strategy: to_strategy(&strategy)?,
        min_transfer: Micro::new(row.try_get(5)?),
        dispute_hours: row.try_get(6)?,
        approval: to_approval(&approval)?,
    }))
}

pub(super) async fn list_pending(tx: &Tx<'_>) -> Result<Vec<SchemeId>, Fault> {
    tx.query(LIST_PENDING, &[]).await?.iter().map(|row| Ok(SchemeId::new(row.try_get(0)?))).collect()
}

/// The oldest closed window that asks for a run and has had none, with a number up to `until`.
pub(super) async fn find_pending(tx: &Tx<'_>, scheme: SchemeId, until: i64) -> Result<Option<PendingWindow>, Fault> {
    let row = tx.query_opt(FIND_PENDING, &[&scheme.uuid(), &until]).await?;
    row.map(|row| Ok(PendingWindow { number: row.try_get(0)?, slot: row.try_get(1)?, closed_at: row.try_get(2)? })).transpose()
}

/// The windows with a number up to `until` that no run settles, the oldest first.
pub(crate) async fn list_not_netted(tx: &Tx<'_>, scheme: SchemeId, until: i64) -> Result<Vec<NettedWindow>, Fault> {
    let rows = tx.query(LIST_NOT_NETTED, &[&scheme.uuid(), &until]).await?;
    rows.iter().map(|row| Ok(NettedWindow { id: WindowId::new(row.try_get(0)?), number: row.try_get(1)? })).collect()
}

pub(super) async fn list_pairs(tx: &Tx<'_>, window: WindowId) -> Result<Vec<Pair>, Fault> {
    let rows = tx.query(LIST_PAIRS, &[&window.uuid()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Pair {
                debtor_id: VendorId::new(row.try_get(0)?),
                debtor: row.try_get(1)?,
                creditor_id: VendorId::new(row.try_get(2)?),
                creditor: row.try_get(3)?,
                amount: Micro::new(row.try_get(4)?),
                count: row.try_get(5)?,
                position_amount: Micro::new(row.try_get(6)?),
                position_count: row.try_get(7)?,
            })
        })
        .collect()
}

/// What the window's obligations sum to, as it was kept while posting.
pub(super) async fn read_total(tx: &Tx<'_>, window: WindowId) -> Result<Micro, Fault> {
    Ok(Micro::new(tx.query_one(READ_TOTAL, &[&window.uuid()]).await?.try_get(0)?))
}

pub(super) async fn insert_run(
    tx: &Tx<'_>,
    run: RunId,
    scheme: &Scheme,
    slot: &str,
    obligation_count: i64,
    netting: &Netting,
    at: Timestamp,
) -> Result<(), Fault> {
    let transfer_count = i64::try_from(netting.transfers.len()).map_err(|e| Fault::Unreadable(e.to_string()))?;
    tx.execute(
        INSERT_RUN,
        &[
            &run.uuid(),
            &scheme.id.uuid(),
            &slot,
            &scheme.currency,
            &i16::from(scheme.digits.decimals()),
            &scheme.strategy.name(),
            &netting.min_transfer.units(),
            &ALGORITHM_VERSION,
            &obligation_count,
            &netting.gross.units(),
            &netting.bilateral.units(),
            &netting.net.units(),
            &netting.total.units(),
            &transfer_count,
            &netting.input_hash.bytes().as_slice(),
            &netting.output_hash.bytes().as_slice(),
            &at,
            &netting.remaining.units(),
            &scheme.dispute_hours,
            &scheme.approval.as_str(),
        ],
    )
    .await?;
    Ok(())
}

/// Lets the run settle the windows, none of which another run settles.
pub(super) async fn insert_windows(tx: &Tx<'_>, run: RunId, windows: &[NettedWindow]) -> Result<(), Fault> {
    let ids: Vec<Uuid> = windows.iter().map(|window| window.id.uuid()).collect();
    tx.execute(INSERT_RUN_WINDOWS, &[&run.uuid(), &ids]).await?;
    let settled = tx.execute(SETTLE_WINDOWS, &[&run.uuid(), &ids]).await?;
    if usize::try_from(settled) == Ok(ids.len()) {
        Ok(())
    } else {
        Err(Fault::Unreadable(format!("run {run}: a window is settled already")))
    }
}

pub(super) async fn insert_holding(tx: &Tx<'_>, run: RunId, debtor: VendorId, creditor: VendorId, amount: Micro) -> Result<(), Fault> {
    tx.execute(INSERT_HOLDING, &[&run.uuid(), &debtor.uuid(), &creditor.uuid(), &amount.units()]).await?;
    Ok(())
}

/// What the run leaves owed, in the order of its result.
pub(super) async fn insert_carries(tx: &Tx<'_>, run: RunId, carries: &[NewObligation]) -> Result<(), Fault> {
    let types = &[Type::UUID, Type::INT8, Type::UUID, Type::UUID, Type::INT8];
    let mut copy = CopyIn::begin(tx, COPY_CARRIES, types).await?;
    for (number, NewObligation { debtor, creditor, amount }) in (1_i64..).zip(carries) {
        copy.row(&[&run.uuid(), &number, &debtor.uuid(), &creditor.uuid(), &amount.units()]).await?;
    }
    copy.finish().await
}

pub(super) async fn insert_positions(tx: &Tx<'_>, run: RunId, positions: &[(VendorId, &netting::Position)]) -> Result<(), Fault> {
    let types = &[Type::UUID, Type::UUID, Type::INT8, Type::INT8, Type::INT8, Type::INT8, Type::INT8];
    let mut copy = CopyIn::begin(tx, COPY_POSITIONS, types).await?;
    for (vendor, netting::Position { party: _, owed, owes, net, settled, carry }) in positions {
        copy.row(&[&run.uuid(), &vendor.uuid(), &owed.units(), &owes.units(), &net.units(), &settled.units(), &carry.units()]).await?;
    }
    copy.finish().await
}

pub(super) async fn insert_transfers(tx: &Tx<'_>, run: RunId, transfers: impl Iterator<Item = NewTransfer>) -> Result<(), Fault> {
    let types = &[Type::UUID, Type::INT8, Type::UUID, Type::UUID, Type::UUID, Type::INT8, Type::TEXT];
    let mut copy = CopyIn::begin(tx, COPY_TRANSFERS, types).await?;
    for NewTransfer { number, id, payer, payee, amount } in transfers {
        let (payer, payee) = (payer.map(VendorId::uuid), payee.map(VendorId::uuid));
        copy.row(&[&run.uuid(), &number, &id, &payer, &payee, &amount.units(), &"instructed"]).await?;
    }
    copy.finish().await
}

pub(super) async fn find(tx: &Tx<'_>, run: RunId) -> Result<Option<Run>, Fault> {
    tx.query_opt(FIND, &[&run.uuid()]).await?.map(|row| to_run(&row)).transpose()
}

pub(super) async fn list(tx: &Tx<'_>, scheme: Option<SchemeId>, after: Option<RunId>, limit: i64) -> Result<Vec<Run>, Fault> {
    let rows = tx.query(LIST, &[&scheme.map(SchemeId::uuid), &after.map(RunId::uuid), &limit]).await?;
    rows.iter().map(to_run).collect()
}

pub(super) async fn list_transfers(tx: &Tx<'_>, run: RunId, after: i64, limit: i64) -> Result<Vec<Transfer>, Fault> {
    let rows = tx.query(LIST_TRANSFERS, &[&run.uuid(), &after, &limit]).await?;
    rows.iter()
        .map(|row| {
            let number = row.try_get(1)?;
            let party = |column| Ok::<_, Fault>(row.try_get::<_, Option<String>>(column)?.unwrap_or_else(|| HOUSE.to_owned()));
            Ok(Transfer {
                id: row.try_get(0)?,
                number,
                reference: reference(run, number),
                payer: party(2)?,
                payee: party(3)?,
                amount: Micro::new(row.try_get(4)?),
                state: row.try_get(5)?,
            })
        })
        .collect()
}

pub(super) async fn list_positions(tx: &Tx<'_>, run: RunId, after: &str, limit: i64) -> Result<Vec<Position>, Fault> {
    tx.query(LIST_POSITIONS, &[&run.uuid(), &after, &limit]).await?.iter().map(to_position).collect()
}

pub(super) async fn find_position(tx: &Tx<'_>, run: RunId, vendor: &str) -> Result<Option<Position>, Fault> {
    tx.query_opt(FIND_POSITION, &[&run.uuid(), &vendor]).await?.as_ref().map(to_position).transpose()
}

fn to_position(row: &Row) -> Result<Position, Fault> {
    let figure = |column| Ok::<_, Fault>(Micro::new(row.try_get(column)?));
    Ok(Position { vendor: row.try_get(0)?, owed: figure(1)?, owes: figure(2)?, net: figure(3)?, settled: figure(4)?, carry: figure(5)? })
}

pub(super) async fn list_windows(tx: &Tx<'_>, scheme: SchemeId, before: i64, limit: i64) -> Result<Vec<WindowSummary>, Fault> {
    tx.query(LIST_WINDOWS, &[&scheme.uuid(), &before, &limit]).await?.iter().map(to_window_summary).collect()
}

fn to_window_summary(row: &Row) -> Result<WindowSummary, Fault> {
    let closed = row.try_get::<_, Option<Timestamp>>(3)?.zip(row.try_get::<_, Option<String>>(4)?);
    let held = row.try_get(5)?;
    let window = Window {
        id: WindowId::new(row.try_get(0)?),
        number: row.try_get(1)?,
        opened_at: row.try_get(2)?,
        closed: closed.map(|(closed_at, slot)| Cut { closed_at, slot, held }),
    };
    let seal = row.try_get::<_, Option<i16>>(7)?.map(|_sealed| seals::to_seal(row, 7)).transpose()?;
    Ok(WindowSummary { window, run: row.try_get::<_, Option<Uuid>>(6)?.map(RunId::new), seal })
}

fn to_run(row: &Row) -> Result<Run, Fault> {
    let strategy: String = row.try_get(6)?;
    Ok(Run {
        id: RunId::new(row.try_get(0)?),
        number: row.try_get(18)?,
        scheme: row.try_get(1)?,
        slot: row.try_get(2)?,
        state: RunState::parse(row.try_get(3)?).ok_or_else(|| Fault::Unreadable("a run's state".to_owned()))?,
        currency: row.try_get(4)?,
        digits: to_scale(row.try_get(5)?)?,
        strategy: to_strategy(&strategy)?,
        min_transfer: Micro::new(row.try_get(19)?),
        approval: to_approval(row.try_get(21)?)?,
        disputable_until: row.try_get(20)?,
        algorithm_version: row.try_get(7)?,
        obligation_count: row.try_get(8)?,
        gross: Micro::new(row.try_get(9)?),
        bilateral: Micro::new(row.try_get(10)?),
        net: Micro::new(row.try_get(11)?),
        remaining: Micro::new(row.try_get(17)?),
        total: Micro::new(row.try_get(12)?),
        transfer_count: row.try_get(13)?,
        input_hash: to_hash(row.try_get(14)?)?,
        output_hash: to_hash(row.try_get(15)?)?,
        computed_at: row.try_get(16)?,
    })
}

fn to_scale(digits: i16) -> Result<Scale, Fault> {
    Scale::try_new(digits.into()).ok_or_else(|| Fault::Unreadable(format!("{digits} digits")))
}

fn to_approval(name: &str) -> Result<Approval, Fault> {
    Approval::parse(name).ok_or_else(|| Fault::Unreadable(format!("approval {name}")))
}

fn to_strategy(name: &str) -> Result<Strategy, Fault> {
    Strategy::from_str(name).map_err(|e| Fault::Unreadable(e.to_string()))
}
