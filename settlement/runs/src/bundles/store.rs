//! The rows that a bundle is made of. The columns of a table's statement are those of its row, in their order.

use super::cells::{Cell, Text};
use super::records::{
    CarryRow, ConfirmationRow, DefaultDebtRow, DefaultDrawRow, DefaultRow, DrawCorrectionRow, FORMAT, HoldingRow, LeafRow, ObligationRow,
    Record, RunRecord, SealRecord, StepRecord, SwapRow, TransferRow, TransferStepRow, VendorRow, WindowRecord,
};
use crate::files::Rows;
use crate::seals::FIRST;
use ledger::{Fault, Tx};
use scrip::{RunId, WindowId};
use tokio_postgres::Row;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[
    FIND_RUN,
    LIST_WINDOWS,
    LIST_STEPS,
    VendorRow::STATEMENT,
    LeafRow::STATEMENT,
    ObligationRow::STATEMENT,
    SwapRow::STATEMENT,
    HoldingRow::STATEMENT,
    TransferRow::STATEMENT,
    CarryRow::STATEMENT,
    TransferStepRow::STATEMENT,
    ConfirmationRow::STATEMENT,
    DefaultRow::STATEMENT,
    DefaultDebtRow::STATEMENT,
    DefaultDrawRow::STATEMENT,
    DrawCorrectionRow::STATEMENT,
];

const FIND_RUN: &str = "
    SELECT r.id, r.scheme_id, s.code, r.number, r.slot, r.state, r.currency, r.digits, r.strategy, r.min_transfer_micro, r.algorithm_version,
           r.obligation_count, r.gross_micro, r.bilateral_micro, r.net_micro, r.remaining_micro, r.total_micro, r.transfer_count,
           r.input_hash, r.output_hash, r.computed_at, r.approval
    FROM runs r
    JOIN schemes s ON s.id = r.scheme_id
    WHERE r.id = $1";

const LIST_WINDOWS: &str = "
    SELECT w.id, w.number, w.opened_at, w.closed_at, w.slot, s.version, s.obligation_count, s.gross_micro, s.root, p.seal, s.seal
    FROM run_windows r
    JOIN windows w ON w.id = r.window_id
    JOIN seals s ON s.window_id = w.id
    LEFT JOIN seals p ON p.scheme_id = w.scheme_id AND p.number = w.number - 1
    WHERE r.run_id = $1
    ORDER BY w.number";

const LIST_STEPS: &str = "
    SELECT seq, from_state, to_state, actor, reason, output_hash, stepped_at
    FROM run_steps
    WHERE run_id = $1
    ORDER BY seq";

/// A table that the database has.
pub(super) trait Stored: Record {
    /// Its rows in its order: of the run $1, or of the window $1 that has the number $2.
    const STATEMENT: &'static str;
}

/// Whose rows a statement reads.
pub(super) enum Scope {
    Run(RunId),
    Window { id: WindowId, number: i64 },
}

pub(super) async fn read<R: Stored>(tx: &Tx<'_>, scope: &Scope) -> Result<Rows, Fault> {
    match scope {
        Scope::Run(run) => Rows::begin(tx, R::STATEMENT, &[&run.uuid()]).await,
        Scope::Window { id, number } => Rows::begin(tx, R::STATEMENT, &[&id.uuid(), number]).await,
    }
}

impl Stored for VendorRow {
    const STATEMENT: &'static str = "
    SELECT v.code, v.id
    FROM run_positions p
    JOIN vendors v ON v.id = p.vendor_id
    WHERE p.run_id = $1
    ORDER BY v.code";
}

impl Stored for LeafRow {
    const STATEMENT: &'static str = "
    SELECT $2::bigint, l.booked_at, l.writer, l.obligation_count, l.gross_micro, l.root
    FROM seals s
    JOIN window_leaves l ON l.window_id = s.window_id
    WHERE s.window_id = $1 AND s.version = 2
    ORDER BY l.booked_at, l.writer";
}

// In the order of the key, which the database has at hand: nothing is sorted, however many there are.
impl Stored for ObligationRow {
    const STATEMENT: &'static str = "
    SELECT $2::bigint, id, user_id, debtor_id, creditor_id, amount_micro, source, operation_id, booked_at, writer
    FROM obligations
    WHERE window_id = $1
    ORDER BY id, user_id";
}

impl Stored for SwapRow {
    const STATEMENT: &'static str = "
    SELECT $2::bigint, s.user_id, s.id, s.from_vendor_id, s.to_vendor_id, s.send_units, s.receive_units, s.from_unit_value, s.to_unit_value,
           s.value_micro, s.to_vendor_micro, s.house_fee_micro, s.source_margin_micro, s.rounding_micro
    FROM obligations o
    JOIN swaps s ON s.user_id = o.user_id AND s.id = o.operation_id
    WHERE o.window_id = $1 AND o.source = 'swap'
    ORDER BY o.id, o.user_id";
}

impl Stored for HoldingRow {
    const STATEMENT: &'static str = "
    SELECT debtor.code, creditor.code, h.amount_micro
    FROM run_holdings h
    JOIN vendors debtor ON debtor.id = h.debtor_id
    JOIN vendors creditor ON creditor.id = h.creditor_id
    WHERE h.run_id = $1
    ORDER BY debtor.code, creditor.code";
}

// No vendor is the house.
impl Stored for TransferRow {
    const STATEMENT: &'static str = "
    SELECT t.number, t.id, coalesce(payer.code, 'HOUSE'), coalesce(payee.code, 'HOUSE'), t.amount_micro, t.state,
           t.disputed_from, t.attempt, t.default_id
    FROM transfers t
    LEFT JOIN vendors payer ON payer.id = t.payer_id
    LEFT JOIN vendors payee ON payee.id = t.payee_id
    WHERE t.run_id = $1
    ORDER BY t.number";
}

impl Stored for CarryRow {
    const STATEMENT: &'static str = "
    SELECT c.number, debtor.code, creditor.code, c.amount_micro
    FROM run_carries c
    JOIN vendors debtor ON debtor.id = c.debtor_id
    JOIN vendors creditor ON creditor.id = c.creditor_id
    WHERE c.run_id = $1
    ORDER BY c.number";
}

impl Stored for TransferStepRow {
    const STATEMENT: &'static str = "
    SELECT number, seq, from_state, to_state, attempt, actor, bank_reference, booked_on, reason_code, reason, confirmation_id, stepped_at
    FROM transfer_steps
    WHERE run_id = $1
    ORDER BY number, seq";
}

// Of the amount of an entry that means several transfers, each has its own part.
impl Stored for ConfirmationRow {
    const STATEMENT: &'static str = "
    SELECT m.transfer_number, m.step_seq, m.confirmation_id, c.sha256, m.line, m.said, m.amount_micro, c.applied_by, c.applied_at
    FROM (SELECT transfer_number, step_seq, confirmation_id, line, said, amount_micro
          FROM confirmation_entries
          WHERE run_id = $1 AND step_seq IS NOT NULL
          UNION ALL
          SELECT a.transfer_number, a.step_seq, a.confirmation_id, e.line, e.said, t.amount_micro
          FROM confirmation_assignments a
          JOIN confirmation_entries e ON e.confirmation_id = a.confirmation_id AND e.number = a.number
          JOIN transfers t ON t.run_id = a.run_id AND t.number = a.transfer_number
          WHERE a.run_id = $1 AND a.step_seq IS NOT NULL) m
    JOIN confirmations c ON c.id = m.confirmation_id
    ORDER BY m.transfer_number, m.step_seq";
}

impl Stored for DefaultRow {
    const STATEMENT: &'static str = "
    SELECT d.id, v.code, d.rule, d.collateral_micro, d.reason, d.declared_by, d.declared_at
    FROM defaults d
    JOIN vendors v ON v.id = d.vendor_id
    WHERE d.run_id = $1
    ORDER BY v.code";
}

impl Stored for DefaultDebtRow {
    const STATEMENT: &'static str = "
    SELECT v.code, debtor.code, creditor.code, b.amount_micro
    FROM default_debts b
    JOIN defaults d ON d.id = b.default_id
    JOIN vendors v ON v.id = d.vendor_id
    JOIN vendors debtor ON debtor.id = b.debtor_id
    JOIN vendors creditor ON creditor.id = b.creditor_id
    WHERE d.run_id = $1
    ORDER BY v.code, debtor.code, creditor.code";
}

// The reference is no column; whoever verifies makes it again, as the house does.
impl Stored for DefaultDrawRow {
    const STATEMENT: &'static str = "
    SELECT v.code, w.number, payee.code, w.amount_micro, format('SH-%s-D%s', upper(left(replace(d.run_id::text, '-', ''), 12)), w.number),
           w.paid_at, w.paid_by, w.bank_reference, w.booked_on
    FROM default_draws w
    JOIN defaults d ON d.id = w.default_id
    JOIN vendors v ON v.id = d.vendor_id
    JOIN vendors payee ON payee.id = w.payee_id
    WHERE d.run_id = $1
    ORDER BY v.code, w.number";
}

impl Stored for DrawCorrectionRow {
    const STATEMENT: &'static str = "
    SELECT v.code, c.number, c.seq, c.bank_reference_before, c.booked_on_before, c.bank_reference, c.booked_on, c.reason, c.corrected_by,
           c.corrected_at
    FROM draw_corrections c
    JOIN defaults d ON d.id = c.default_id
    JOIN vendors v ON v.id = d.vendor_id
    WHERE d.run_id = $1
    ORDER BY v.code, c.number, c.seq";
}

pub(super) async fn find_run(tx: &Tx<'_>, run: RunId) -> Result<Option<RunRecord>, Fault> {
    tx.query_opt(FIND_RUN, &[&run.uuid()]).await?.map(|row| to_run(&row)).transpose()
}

fn to_run(row: &Row) -> Result<RunRecord, Fault> {
    Ok(RunRecord {
        format: FORMAT,
        id: text(row, 0)?,
        scheme_id: text(row, 1)?,
        scheme: text(row, 2)?,
        number: row.try_get(3)?,
        slot: row.try_get(4)?,
        state: text(row, 5)?,
        currency: text(row, 6)?,
        digits: row.try_get(7)?,
        strategy: text(row, 8)?,
        min_transfer: text(row, 9)?,
        approval: text(row, 21)?,
        algorithm_version: row.try_get(10)?,
        obligation_count: row.try_get(11)?,
        gross: text(row, 12)?,
        bilateral: text(row, 13)?,
        net: text(row, 14)?,
        remaining: text(row, 15)?,
        total: text(row, 16)?,
        transfer_count: row.try_get(17)?,
        input_hash: text(row, 18)?,
        output_hash: text(row, 19)?,
        computed_at: text(row, 20)?,
    })
}

pub(super) async fn list_windows(tx: &Tx<'_>, run: RunId) -> Result<Vec<WindowRecord>, Fault> {
    tx.query(LIST_WINDOWS, &[&run.uuid()]).await?.iter().map(to_window).collect()
}

fn to_window(row: &Row) -> Result<WindowRecord, Fault> {
    let previous = row.try_get::<_, Option<&[u8]>>(9)?.map(crate::seals::to_hash).transpose()?;
    Ok(WindowRecord {
        id: text(row, 0)?,
        number: row.try_get(1)?,
        opened_at: text(row, 2)?,
        closed_at: text(row, 3)?,
        slot: row.try_get(4)?,
        seal: SealRecord {
            version: row.try_get(5)?,
            obligation_count: row.try_get(6)?,
            gross: text(row, 7)?,
            root: text(row, 8)?,
            previous_seal: Text(previous.unwrap_or(FIRST)),
            seal: text(row, 10)?,
        },
    })
}

pub(super) async fn list_steps(tx: &Tx<'_>, run: RunId) -> Result<Vec<StepRecord>, Fault> {
    tx.query(LIST_STEPS, &[&run.uuid()]).await?.iter().map(to_step).collect()
}

fn to_step(row: &Row) -> Result<StepRecord, Fault> {
    Ok(StepRecord {
        seq: row.try_get(0)?,
        from: text(row, 1)?,
        to: text(row, 2)?,
        actor: text(row, 3)?,
        reason: row.try_get(4)?,
        output_hash: text(row, 5)?,
        stepped_at: text(row, 6)?,
    })
}

fn text<T: Cell>(row: &Row, index: usize) -> Result<Text<T>, Fault> {
    T::column(row, index).map(Text)
}
