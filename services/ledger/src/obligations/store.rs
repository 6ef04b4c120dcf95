//! The rows of obligations, of the leaves over them, and of positions.

use super::Source;
use super::leaves::{Hash, Leaf, Tree};
use crate::Fault;
use crate::exposures::store as exposures;
use crate::pipeline::{Step, column, step};
use jiff::Timestamp;
use scrip::posting::Exposure;
use scrip::{Micro, OperationId, Tokens, VendorId, WindowId};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[INSERT_OBLIGATIONS, INSERT_LEAVES, ADD_POSITIONS, ADD_TOTALS];

const INSERT_OBLIGATIONS: &str = "
    INSERT INTO obligations (user_id, id, window_id, debtor_id, creditor_id, amount_micro, source, operation_id, booked_at, writer)
    SELECT user_id, ($5::uuid[])[n], ($6::uuid[])[n], ($7::uuid[])[n], ($8::uuid[])[n], ($9::bigint[])[n], $1, ($10::uuid[])[n], $2, $3
    FROM unnest($4::uuid[]) WITH ORDINALITY AS u(user_id, n)";

const INSERT_LEAVES: &str = "
    INSERT INTO window_leaves (window_id, booked_at, writer, obligation_count, gross_micro, root)
    SELECT window_id, $2, $1, obligation_count, gross_micro, root
    FROM unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::bytea[]) AS u(window_id, obligation_count, gross_micro, root)";

const ADD_POSITIONS: &str = "
    INSERT INTO positions (window_id, writer, debtor_id, creditor_id, amount_micro, obligation_count, send_units, receive_units)
    SELECT ($2::uuid[])[n], $1, ($3::uuid[])[n], ($4::uuid[])[n], ($5::bigint[])[n], ($6::bigint[])[n], sent::numeric, received::numeric
    FROM unnest($7::text[], $8::text[]) WITH ORDINALITY AS u(sent, received, n)
    ON CONFLICT (window_id, writer, debtor_id, creditor_id) DO UPDATE
    SET amount_micro = positions.amount_micro + excluded.amount_micro,
        obligation_count = positions.obligation_count + excluded.obligation_count,
        send_units = positions.send_units + excluded.send_units,
        receive_units = positions.receive_units + excluded.receive_units";

const ADD_TOTALS: &str = "
    INSERT INTO window_totals (window_id, writer, gross_micro)
    SELECT window_id, $1, gross_micro
    FROM unnest($2::uuid[], $3::bigint[]) AS u(window_id, gross_micro)
    ON CONFLICT (window_id, writer) DO UPDATE
    SET gross_micro = window_totals.gross_micro + excluded.gross_micro";

/// More rows than these are several statements, so that none of an import is larger than a megabyte or so.
const ROWS_PER_STATEMENT: usize = 10_000;

/// What all obligations of one batch have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) writer: i16,
    pub(crate) source: Source,
    pub(crate) booked_at: Timestamp,
}

/// The rest of an obligation as it is stored.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) user: Uuid,
    pub(crate) id: Uuid,
    pub(crate) window: WindowId,
    pub(crate) debtor: VendorId,
    pub(crate) creditor: VendorId,
    pub(crate) amount: Micro,
    /// What the swap retired of the debtor's token; none without a swap.
    pub(crate) send: Tokens,
    /// What it issued of the creditor's.
    pub(crate) receive: Tokens,
    pub(crate) operation: OperationId,
}

/// What one batch adds to the position of one ordered pair.
#[derive(Debug, Default, Clone, Copy)]
struct PairSum {
    amount: i128,
    count: i64,
    send: i128,
    receive: i128,
}

impl PairSum {
    #[expect(clippy::arithmetic_side_effects, reason = "fewer than 2^63 obligations of at most 2^63 each fit in 128 bits")]
    fn add(&mut self, row: &Row) {
        self.amount += i128::from(row.amount.units());
        self.count += 1;
        self.send += i128::from(row.send.units());
        self.receive += i128::from(row.receive.units());
    }
}

impl Row {
    fn leaf(&self, origin: Origin) -> Leaf {
        let Self { user, id, window: _, debtor, creditor, amount, send: _, receive: _, operation } = *self;
        let Origin { writer: _, source, booked_at } = origin;
        Leaf { user, id, debtor, creditor, amount, source, operation, booked_at }
    }
}

/// The rows of one batch, the leaf that they leave in each window, and what they add to the running sums, those of vendors that may be
/// capped among them. Once in a tx: a batch is known by the writer, the window and the instant.
pub(crate) fn insert_obligations(
    origin: Origin,
    rows: &[Row],
    may_be_capped: impl Fn(VendorId) -> bool,
) -> Result<impl Iterator<Item = Step<'static>>, Fault> {
    let mut windows: BTreeMap<WindowId, Batch> = BTreeMap::new();
    let mut pairs = PairSums::new();
    for row in rows {
        windows.entry(row.window).or_default().add(row, origin);
        pairs.entry((row.window, row.debtor, row.creditor)).or_default().add(row);
    }
    let exposures = sum_exposures(&pairs, may_be_capped);
    let exposures = if exposures.is_empty() { None } else { Some(exposures::add(origin.writer, &exposures)?) };
    let sums = [insert_leaves(origin, windows)?, add_positions(origin, &pairs)?, add_totals(origin, &pairs)?];
    let sums = sums.into_iter().chain(exposures);
    // The columns of a statement are made when it is its turn.
    Ok(rows.chunks(ROWS_PER_STATEMENT).map(move |rows| insert_rows(origin, rows)).chain(sums))
}

fn insert_rows(origin: Origin, rows: &[Row]) -> Step<'static> {
    step!(
        INSERT_OBLIGATIONS,
        origin.source.as_str(),
        origin.booked_at,
        origin.writer,
        column(rows, |row| row.user),
        column(rows, |row| row.id),
        column(rows, |row| row.window.uuid()),
        column(rows, |row| row.debtor.uuid()),
        column(rows, |row| row.creditor.uuid()),
        column(rows, |row| row.amount.units()),
        column(rows, |row| row.operation.uuid()),
    )
}

type PairSums = BTreeMap<(WindowId, VendorId, VendorId), PairSum>;

/// What a batch writes into one window, while it is hashed.
#[derive(Debug, Default)]
struct Batch {
    sum: PairSum,
    hashes: Vec<(Uuid, Uuid, Hash)>,
}

impl Batch {
    fn add(&mut self, row: &Row, origin: Origin) {
        self.sum.add(row);
        self.hashes.push((row.id, row.user, row.leaf(origin).hash()));
    }

    /// Over the leaves in order of their ids, which is not quite the order in which a batch decides.
    fn root(mut self) -> Hash {
        self.hashes.sort_unstable_by_key(|(id, user, _)| (*id, *user));
        let mut tree = Tree::default();
        self.hashes.iter().for_each(|(.., hash)| tree.push(*hash));
        tree.root()
    }
}

fn insert_leaves(origin: Origin, batches: BTreeMap<WindowId, Batch>) -> Result<Step<'static>, Fault> {
    let (mut windows, mut counts, mut sums, mut roots) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (window, batch) in batches {
        windows.push(window.uuid());
        counts.push(batch.sum.count);
        sums.push(fit(batch.sum.amount)?);
        roots.push(batch.root().to_vec());
    }
    Ok(step!(INSERT_LEAVES, origin.writer, origin.booked_at, windows, counts, sums, roots))
}

/// Adds to the running sums of pairs, in key order, so that two writers cannot wait for each other in a circle.
fn add_positions(origin: Origin, sums: &PairSums) -> Result<Step<'static>, Fault> {
    let (mut windows, mut debtors, mut creditors, mut amounts, mut counts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    for ((window, debtor, creditor), sum) in sums {
        windows.push(window.uuid());
        debtors.push(debtor.uuid());
        creditors.push(creditor.uuid());
        amounts.push(fit(sum.amount)?);
        counts.push(sum.count);
        sent.push(sum.send.to_string());
        received.push(sum.receive.to_string());
    }
    Ok(step!(ADD_POSITIONS, origin.writer, windows, debtors, creditors, amounts, counts, sent, received))
}

fn sum_exposures(sums: &PairSums, may_be_capped: impl Fn(VendorId) -> bool) -> exposures::Sums {
    let mut exposures = exposures::Sums::new();
    for ((window, debtor, creditor), sum) in sums {
        for (vendor, owes, owed) in [(debtor, sum.amount, 0), (creditor, 0, sum.amount)] {
            if may_be_capped(*vendor) {
                let exposure = exposures.entry((*window, *vendor)).or_default();
                *exposure = exposure.plus(Exposure { owes, owed });
            }
        }
    }
    exposures
}

fn add_totals(origin: Origin, sums: &PairSums) -> Result<Step<'static>, Fault> {
    let mut totals: BTreeMap<WindowId, i128> = BTreeMap::new();
    for ((window, ..), sum) in sums {
        let total = totals.entry(*window).or_default();
        *total = total.saturating_add(sum.amount);
    }
    let windows: Vec<Uuid> = totals.keys().map(|w| w.uuid()).collect();
    let amounts = totals.values().map(|total| fit(*total)).collect::<Result<Vec<_>, _>>()?;
    Ok(step!(ADD_TOTALS, origin.writer, windows, amounts))
}

fn fit(sum: i128) -> Result<i64, Fault> {
    i64::try_from(sum).map_err(|_| Fault::PositionTooLarge)
}
