//! What a run was netted from, as it is stored.

use futures_util::TryStreamExt;
use ledger::{Fault, Tx};
use netting::Holding;
use scrip::{Micro, RunId};
use std::pin::pin;

/// Every statement of this file, for the test that prepares them all.
pub(crate) const STATEMENTS: &[&str] = &[LIST_DEBTS, LIST_HOLDINGS];

const LIST_DEBTS: &str = "
    SELECT d.code, c.code, p.amount_micro
    FROM (SELECT o.debtor_id, o.creditor_id, sum(o.amount_micro)::bigint AS amount_micro
          FROM run_windows r JOIN obligations o USING (window_id)
          WHERE r.run_id = $1
          GROUP BY o.debtor_id, o.creditor_id) p
    JOIN vendors d ON d.id = p.debtor_id
    JOIN vendors c ON c.id = p.creditor_id";

const LIST_HOLDINGS: &str = "
    SELECT d.code, c.code, h.amount_micro
    FROM run_holdings h
    JOIN vendors d ON d.id = h.debtor_id
    JOIN vendors c ON c.id = h.creditor_id
    WHERE h.run_id = $1
    ORDER BY d.code, c.code";

/// Row by row: there may be hundreds of thousands of pairs, and a row takes more room than what it says.
pub(super) async fn list_debts(tx: &Tx<'_>, run: RunId) -> Result<Vec<(String, String, Micro)>, Fault> {
    let mut rows = pin!(tx.query_raw(LIST_DEBTS, [run.uuid()]).await?);
    let mut debts = Vec::new();
    while let Some(row) = rows.try_next().await? {
        debts.push((row.try_get(0)?, row.try_get(1)?, Micro::new(row.try_get(2)?)));
    }
    Ok(debts)
}

/// What the run held back.
pub(super) async fn list_holdings(tx: &Tx<'_>, run: RunId) -> Result<Vec<Holding>, Fault> {
    let rows = tx.query(LIST_HOLDINGS, &[&run.uuid()]).await?;
    rows.iter().map(|row| Ok(Holding { debtor: row.try_get(0)?, creditor: row.try_get(1)?, amount: Micro::new(row.try_get(2)?) })).collect()
}
