//! The rows of obligations, of the leaves over them, and of positions.

use super::Source;
use super::leaves::{Hash, Leaf, Tree};
use crate::{Fault, Tx, copy::CopyIn};
use jiff::Timestamp;
use scrip::{Micro, OperationId, VendorId, WindowId};
use std::collections::BTreeMap;
use tokio_postgres::Statement;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[COPY_OBLIGATIONS, INSERT_LEAVES, ADD_POSITIONS, ADD_TOTALS];

const COPY_OBLIGATIONS: &str = "
    COPY obligations (user_id, id, window_id, debtor_id, creditor_id, amount_micro, source, operation_id, booked_at, writer)
    FROM STDIN BINARY";

const INSERT_LEAVES: &str = "
    INSERT INTO window_leaves (window_id, booked_at, writer, obligation_count, gross_micro, root)
    SELECT window_id, booked_at, $1, obligation_count, gross_micro, root
    FROM unnest($2::uuid[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::bytea[])
         AS u(window_id, booked_at, obligation_count, gross_micro, root)";

const ADD_POSITIONS: &str = "
    INSERT INTO positions (window_id, writer, debtor_id, creditor_id, amount_micro, obligation_count)
    SELECT window_id, $1, debtor_id, creditor_id, amount_micro, obligation_count
    FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[])
         AS u(window_id, debtor_id, creditor_id, amount_micro, obligation_count)
    ON CONFLICT (window_id, writer, debtor_id, creditor_id) DO UPDATE
    SET amount_micro = positions.amount_micro + excluded.amount_micro,
        obligation_count = positions.obligation_count + excluded.obligation_count";

const ADD_TOTALS: &str = "
    INSERT INTO window_totals (window_id, writer, gross_micro)
    SELECT window_id, $1, gross_micro
    FROM unnest($2::uuid[], $3::bigint[]) AS u(window_id, gross_micro)
    ON CONFLICT (window_id, writer) DO UPDATE
    SET gross_micro = window_totals.gross_micro + excluded.gross_micro";

const OBLIGATION_TYPES: &[Type] =
    &[Type::UUID, Type::UUID, Type::UUID, Type::UUID, Type::UUID, Type::INT8, Type::TEXT, Type::UUID, Type::TIMESTAMPTZ, Type::INT2];

/// One obligation as it is stored.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) user: Uuid,
    pub(crate) id: Uuid,
    pub(crate) window: WindowId,
    pub(crate) debtor: VendorId,
    pub(crate) creditor: VendorId,
    pub(crate) amount: Micro,
    pub(crate) source: Source,
    pub(crate) operation: OperationId,
    pub(crate) booked_at: Timestamp,
}

/// What one batch adds to the position of one ordered pair.
#[derive(Debug, Default, Clone, Copy)]
struct PairSum {
    amount: i128,
    count: i64,
}

impl PairSum {
    #[expect(clippy::arithmetic_side_effects, reason = "fewer than 2^63 obligations of at most 2^63 each fit in 128 bits")]
    fn add(&mut self, amount: Micro) {
        self.amount += i128::from(amount.units());
        self.count += 1;
    }
}

impl Row {
    fn leaf(&self) -> Leaf {
        let Self { user, id, window: _, debtor, creditor, amount, source, operation, booked_at } = *self;
        Leaf { user, id, debtor, creditor, amount, source, operation, booked_at }
    }
}

/// Writes the rows of one batch, the leaf that they leave in each window, and what they add to the running sums. Once in a tx: a batch
/// is known by the writer, the window and the instant.
pub(crate) async fn insert_obligations(tx: &Tx<'_>, writer: i16, rows: impl Iterator<Item = Row>) -> Result<(), Fault> {
    let prepared = Prepared::new(tx).await?;
    let mut batches: BTreeMap<(WindowId, Timestamp), Batch> = BTreeMap::new();
    let mut pairs = PairSums::new();
    let mut copy = CopyIn::begin_prepared(tx, &prepared.obligations, OBLIGATION_TYPES).await?;
    for row in rows {
        batches.entry((row.window, row.booked_at)).or_default().add(&row);
        pairs.entry((row.window, row.debtor, row.creditor)).or_default().add(row.amount);
        copy.row(&[
            &row.user,
            &row.id,
            &row.window.uuid(),
            &row.debtor.uuid(),
            &row.creditor.uuid(),
            &row.amount.units(),
            &row.source.as_str(),
            &row.operation.uuid(),
            &row.booked_at,
            &writer,
        ])
        .await?;
    }
    tokio::try_join!(
        biased;
        copy.finish(),
        insert_leaves(tx, &prepared.leaves, writer, batches),
        add_positions(tx, &prepared.positions, writer, &pairs),
        add_totals(tx, &prepared.totals, writer, &pairs),
    )?;
    Ok(())
}

type PairSums = BTreeMap<(WindowId, VendorId, VendorId), PairSum>;

/// The statements, prepared.
struct Prepared {
    obligations: Statement,
    leaves: Statement,
    positions: Statement,
    totals: Statement,
}

impl Prepared {
    async fn new(tx: &Tx<'_>) -> Result<Self, Fault> {
        Ok(Self {
            obligations: tx.prepare_cached(COPY_OBLIGATIONS).await?,
            leaves: tx.prepare_cached(INSERT_LEAVES).await?,
            positions: tx.prepare_cached(ADD_POSITIONS).await?,
            totals: tx.prepare_cached(ADD_TOTALS).await?,
        })
    }
}

/// What a batch writes into one window, while it is hashed.
#[derive(Debug, Default)]
struct Batch {
    sum: PairSum,
    hashes: Vec<(Uuid, Uuid, Hash)>,
}

impl Batch {
    fn add(&mut self, row: &Row) {
        self.sum.add(row.amount);
        self.hashes.push((row.id, row.user, row.leaf().hash()));
    }

    /// Over the leaves in order of their ids, which is not quite the order in which a batch decides.
    fn root(mut self) -> Hash {
        self.hashes.sort_unstable_by_key(|(id, user, _)| (*id, *user));
        let mut tree = Tree::default();
        self.hashes.iter().for_each(|(.., hash)| tree.push(*hash));
        tree.root()
    }
}

async fn insert_leaves(
    tx: &Tx<'_>,
    statement: &Statement,
    writer: i16,
    batches: BTreeMap<(WindowId, Timestamp), Batch>,
) -> Result<(), Fault> {
    let (mut windows, mut instants, mut counts, mut sums, mut roots) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((window, booked_at), batch) in batches {
        windows.push(window.uuid());
        instants.push(booked_at);
        counts.push(batch.sum.count);
        sums.push(i64::try_from(batch.sum.amount).map_err(|_| Fault::PositionTooLarge)?);
        roots.push(batch.root().to_vec());
    }
    tx.execute(statement, &[&writer, &windows, &instants, &counts, &sums, &roots]).await?;
    Ok(())
}

/// Adds to the running sums of pairs, in key order, so that two writers cannot wait for each other in a circle.
async fn add_positions(tx: &Tx<'_>, statement: &Statement, writer: i16, sums: &PairSums) -> Result<(), Fault> {
    let (mut windows, mut debtors, mut creditors, mut amounts, mut counts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((window, debtor, creditor), sum) in sums {
        windows.push(window.uuid());
        debtors.push(debtor.uuid());
        creditors.push(creditor.uuid());
        amounts.push(i64::try_from(sum.amount).map_err(|_| Fault::PositionTooLarge)?);
        counts.push(sum.count);
    }
    tx.execute(statement, &[&writer, &windows, &debtors, &creditors, &amounts, &counts]).await?;
    Ok(())
}

async fn add_totals(tx: &Tx<'_>, statement: &Statement, writer: i16, sums: &PairSums) -> Result<(), Fault> {
    let mut totals: BTreeMap<WindowId, i128> = BTreeMap::new();
    for ((window, ..), sum) in sums {
        let total = totals.entry(*window).or_default();
        *total = total.saturating_add(sum.amount);
    }
    let windows: Vec<Uuid> = totals.keys().map(|w| w.uuid()).collect();
    let amounts = totals.values().map(|t| i64::try_from(*t).map_err(|_| Fault::PositionTooLarge)).collect::<Result<Vec<_>, _>>()?;
    tx.execute(statement, &[&writer, &windows, &amounts]).await?;
    Ok(())
}
