//! The rows of seals, and the obligations that they cover.

use super::{Hash, Leaf, LeafSource, Seal};
use jiff::Timestamp;
use ledger::{Fault, Tx};
use scrip::{Micro, OperationId, SchemeId, VendorId, WindowId};
use tokio_postgres::{Portal, Row};

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[READ_LEAVES, INSERT, FIND, FIND_PREVIOUS];

const READ_LEAVES: &str = "
    SELECT user_id, id, debtor_id, creditor_id, amount_micro, source, operation_id, booked_at
    FROM obligations
    WHERE window_id = $1
    ORDER BY id, user_id";

const INSERT: &str = "
    INSERT INTO seals (window_id, scheme_id, number, obligation_count, gross_micro, root, seal, sealed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

const FIND: &str = "
    SELECT obligation_count, gross_micro, root, seal
    FROM seals
    WHERE window_id = $1";

const FIND_PREVIOUS: &str = "
    SELECT seal
    FROM seals
    WHERE scheme_id = $1 AND number = $2::bigint - 1";

const ROWS_PER_FETCH: i32 = 10_000;

/// The obligations of a window on their way, a batch at a time.
pub(super) struct Leaves {
    portal: Portal,
}

impl Leaves {
    /// The next batch; none after the last.
    pub(super) async fn next(&mut self, tx: &Tx<'_>) -> Result<Option<Vec<Leaf>>, Fault> {
        let rows = tx.query_portal(&self.portal, ROWS_PER_FETCH).await?;
        if rows.is_empty() { Ok(None) } else { rows.iter().map(to_leaf).collect::<Result<_, _>>().map(Some) }
    }
}

pub(super) async fn read_leaves(tx: &Tx<'_>, window: WindowId) -> Result<Leaves, Fault> {
    let statement = tx.prepare_cached(READ_LEAVES).await?;
    Ok(Leaves { portal: tx.bind(&statement, &[&window.uuid()]).await? })
}

fn to_leaf(row: &Row) -> Result<Leaf, Fault> {
    let source: &str = row.try_get(5)?;
    Ok(Leaf {
        user: row.try_get(0)?,
        id: row.try_get(1)?,
        debtor: VendorId::new(row.try_get(2)?),
        creditor: VendorId::new(row.try_get(3)?),
        amount: Micro::new(row.try_get(4)?),
        source: LeafSource::parse(source).ok_or_else(|| Fault::Unreadable(format!("obligation source {source}")))?,
        operation: OperationId::new(row.try_get(6)?),
        booked_at: row.try_get(7)?,
    })
}

pub(crate) async fn insert(tx: &Tx<'_>, scheme: SchemeId, window: WindowId, number: i64, seal: &Seal, at: Timestamp) -> Result<(), Fault> {
    let Seal { obligation_count, gross, root, seal } = seal;
    tx.execute(
        INSERT,
        &[&window.uuid(), &scheme.uuid(), &number, obligation_count, &gross.units(), &root.as_slice(), &seal.as_slice(), &at],
    )
    .await?;
    Ok(())
}

pub(crate) async fn find(tx: &Tx<'_>, window: WindowId) -> Result<Option<Seal>, Fault> {
    let Some(row) = tx.query_opt(FIND, &[&window.uuid()]).await? else { return Ok(None) };
    Ok(Some(Seal {
        obligation_count: row.try_get(0)?,
        gross: Micro::new(row.try_get(1)?),
        root: to_hash(row.try_get(2)?)?,
        seal: to_hash(row.try_get(3)?)?,
    }))
}

/// The seal of the window before.
pub(crate) async fn find_previous(tx: &Tx<'_>, scheme: SchemeId, number: i64) -> Result<Option<Hash>, Fault> {
    let row = tx.query_opt(FIND_PREVIOUS, &[&scheme.uuid(), &number]).await?;
    row.map(|row| to_hash(row.try_get(0)?)).transpose()
}

pub(crate) fn to_hash(bytes: &[u8]) -> Result<Hash, Fault> {
    bytes.try_into().map_err(|_| Fault::Unreadable("a hash that is not 32 bytes".to_owned()))
}
