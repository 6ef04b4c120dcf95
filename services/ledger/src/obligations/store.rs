//! The rows of obligations and positions.

use crate::{Fault, Tx, copy::CopyIn};
use jiff::Timestamp;
use scrip::{Micro, OperationId, VendorId, WindowId};
use std::collections::BTreeMap;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[COPY_OBLIGATIONS, ADD_POSITIONS, ADD_TOTALS];

const COPY_OBLIGATIONS: &str = "
    COPY obligations (user_id, id, window_id, debtor_id, creditor_id, amount_micro, source, operation_id, booked_at)
    FROM STDIN BINARY";

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
    &[Type::UUID, Type::UUID, Type::UUID, Type::UUID, Type::UUID, Type::INT8, Type::TEXT, Type::UUID, Type::TIMESTAMPTZ];

/// One obligation as it is stored.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) user: Uuid,
    pub(crate) id: Uuid,
    pub(crate) window: WindowId,
    pub(crate) debtor: VendorId,
    pub(crate) creditor: VendorId,
    pub(crate) amount: Micro,
    pub(crate) source: &'static str,
    pub(crate) operation: OperationId,
    pub(crate) booked_at: Timestamp,
}

/// What one batch adds to the position of one ordered pair.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct PairSum {
    amount: i128,
    count: i64,
}

impl PairSum {
    #[expect(clippy::arithmetic_side_effects, reason = "fewer than 2^63 obligations of at most 2^63 each fit in 128 bits")]
    pub(crate) fn add(&mut self, amount: Micro) {
        self.amount += i128::from(amount.units());
        self.count += 1;
    }
}

pub(crate) async fn insert_obligations(tx: &Tx<'_>, rows: impl Iterator<Item = Row>) -> Result<(), Fault> {
    let mut copy = CopyIn::begin(tx, COPY_OBLIGATIONS, OBLIGATION_TYPES).await?;
    for row in rows {
        copy.row(&[
            &row.user,
            &row.id,
            &row.window.uuid(),
            &row.debtor.uuid(),
            &row.creditor.uuid(),
            &row.amount.units(),
            &row.source,
            &row.operation.uuid(),
            &row.booked_at,
        ])
        .await?;
    }
    copy.finish().await
}

/// Adds to the running sums of pairs and windows, in key order, so that two writers cannot wait for each other in a circle.
pub(crate) async fn add_positions(tx: &Tx<'_>, writer: i16, sums: &BTreeMap<(WindowId, VendorId, VendorId), PairSum>) -> Result<(), Fault> {
    let (mut windows, mut debtors, mut creditors, mut amounts, mut counts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((window, debtor, creditor), sum) in sums {
        windows.push(window.uuid());
        debtors.push(debtor.uuid());
        creditors.push(creditor.uuid());
        amounts.push(i64::try_from(sum.amount).map_err(|_| Fault::PositionTooLarge)?);
        counts.push(sum.count);
    }
    let statement = tx.prepare_cached(ADD_POSITIONS).await?;
    tx.execute(&statement, &[&writer, &windows, &debtors, &creditors, &amounts, &counts]).await?;
    add_totals(tx, writer, sums).await
}

async fn add_totals(tx: &Tx<'_>, writer: i16, sums: &BTreeMap<(WindowId, VendorId, VendorId), PairSum>) -> Result<(), Fault> {
    let mut totals: BTreeMap<WindowId, i128> = BTreeMap::new();
    for ((window, ..), sum) in sums {
        let total = totals.entry(*window).or_default();
        *total = total.saturating_add(sum.amount);
    }
    let windows: Vec<Uuid> = totals.keys().map(|w| w.uuid()).collect();
    let amounts = totals.values().map(|t| i64::try_from(*t).map_err(|_| Fault::PositionTooLarge)).collect::<Result<Vec<_>, _>>()?;
    let statement = tx.prepare_cached(ADD_TOTALS).await?;
    tx.execute(&statement, &[&writer, &windows, &amounts]).await?;
    Ok(())
}
