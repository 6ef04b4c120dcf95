//! The rows of seals, the leaves that they are made from, and the obligations that those cover.

use super::{BatchLeaf, Hash, Leaf, Seal, Version};
use jiff::Timestamp;
use ledger::obligations::Source;
use ledger::{Fault, Tx};
use scrip::{Micro, OperationId, SchemeId, VendorId, WindowId};
use tokio_postgres::{Portal, Row};

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] =
    &[READ_BATCHES_OF_WINDOW, READ_ALL_BATCHES, READ_OBLIGATIONS_OF_WINDOW, READ_ALL_OBLIGATIONS, INSERT, FIND, FIND_PREVIOUS];

const READ_BATCHES_OF_WINDOW: &str = "
    SELECT window_id, booked_at, writer, obligation_count, gross_micro, root
    FROM window_leaves
    WHERE window_id = $1
    ORDER BY booked_at, writer";

const READ_ALL_BATCHES: &str = "
    SELECT window_id, booked_at, writer, obligation_count, gross_micro, root
    FROM window_leaves
    ORDER BY window_id, booked_at, writer";

const READ_OBLIGATIONS_OF_WINDOW: &str = "
    SELECT window_id, writer, user_id, id, debtor_id, creditor_id, amount_micro, source, operation_id, booked_at
    FROM obligations
    WHERE window_id = $1
    ORDER BY id, user_id";

// Batch by batch, in the order of the leaves.
const READ_ALL_OBLIGATIONS: &str = "
    SELECT window_id, writer, user_id, id, debtor_id, creditor_id, amount_micro, source, operation_id, booked_at
    FROM obligations
    ORDER BY window_id, booked_at, writer, id, user_id";

const INSERT: &str = "
    INSERT INTO seals (window_id, scheme_id, number, version, obligation_count, gross_micro, root, seal, sealed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const FIND: &str = "
    SELECT version, obligation_count, gross_micro, root, seal
    FROM seals
    WHERE window_id = $1";

const FIND_PREVIOUS: &str = "
    SELECT seal
    FROM seals
    WHERE scheme_id = $1 AND number = $2::bigint - 1";

const ROWS_PER_FETCH: i32 = 10_000;

/// The leaves that batches left, on their way, some thousands at a time.
pub(crate) struct Batches {
    portal: Portal,
}

impl Batches {
    /// Those of one window, in order of their keys.
    pub(crate) async fn of_window(tx: &Tx<'_>, window: WindowId) -> Result<Self, Fault> {
        let statement = tx.prepare_cached(READ_BATCHES_OF_WINDOW).await?;
        Ok(Self { portal: tx.bind(&statement, &[&window.uuid()]).await? })
    }

    /// All, in order of their keys.
    pub(crate) async fn all(tx: &Tx<'_>) -> Result<Self, Fault> {
        let statement = tx.prepare_cached(READ_ALL_BATCHES).await?;
        Ok(Self { portal: tx.bind(&statement, &[]).await? })
    }

    /// The next leaves, each with its window; none after the last.
    pub(crate) async fn next(&self, tx: &Tx<'_>) -> Result<Option<Vec<(WindowId, BatchLeaf)>>, Fault> {
        let rows = tx.query_portal(&self.portal, ROWS_PER_FETCH).await?;
        if rows.is_empty() { Ok(None) } else { rows.iter().map(to_batch).collect::<Result<_, _>>().map(Some) }
    }
}

fn to_batch(row: &Row) -> Result<(WindowId, BatchLeaf), Fault> {
    let leaf = BatchLeaf {
        booked_at: row.try_get(1)?,
        writer: row.try_get(2)?,
        obligation_count: row.try_get(3)?,
        gross: Micro::new(row.try_get(4)?),
        root: to_hash(row.try_get(5)?)?,
    };
    Ok((WindowId::new(row.try_get(0)?), leaf))
}

/// An obligation, and the batch that wrote it.
#[derive(Debug)]
pub(crate) struct Obligation {
    pub(crate) window: WindowId,
    pub(crate) writer: i16,
    pub(crate) leaf: Leaf,
}

/// Obligations on their way, some thousands at a time.
pub(crate) struct Obligations {
    portal: Portal,
}

impl Obligations {
    /// Those of one window, in order of their ids.
    pub(crate) async fn of_window(tx: &Tx<'_>, window: WindowId) -> Result<Self, Fault> {
        let statement = tx.prepare_cached(READ_OBLIGATIONS_OF_WINDOW).await?;
        Ok(Self { portal: tx.bind(&statement, &[&window.uuid()]).await? })
    }

    /// All, batch by batch in order of the leaves' keys, and in order of their ids.
    pub(crate) async fn all(tx: &Tx<'_>) -> Result<Self, Fault> {
        let statement = tx.prepare_cached(READ_ALL_OBLIGATIONS).await?;
        Ok(Self { portal: tx.bind(&statement, &[]).await? })
    }

    /// The next obligations; none after the last.
    pub(crate) async fn next(&self, tx: &Tx<'_>) -> Result<Option<Vec<Obligation>>, Fault> {
        let rows = tx.query_portal(&self.portal, ROWS_PER_FETCH).await?;
        if rows.is_empty() { Ok(None) } else { rows.iter().map(to_obligation).collect::<Result<_, _>>().map(Some) }
    }
}

fn to_obligation(row: &Row) -> Result<Obligation, Fault> {
    let source: &str = row.try_get(7)?;
    let leaf = Leaf {
        user: row.try_get(2)?,
        id: row.try_get(3)?,
        debtor: VendorId::new(row.try_get(4)?),
        creditor: VendorId::new(row.try_get(5)?),
        amount: Micro::new(row.try_get(6)?),
        source: Source::parse(source).ok_or_else(|| Fault::Unreadable(format!("obligation source {source}")))?,
        operation: OperationId::new(row.try_get(8)?),
        booked_at: row.try_get(9)?,
    };
    Ok(Obligation { window: WindowId::new(row.try_get(0)?), writer: row.try_get(1)?, leaf })
}

pub(crate) async fn insert(tx: &Tx<'_>, scheme: SchemeId, window: WindowId, number: i64, seal: &Seal, at: Timestamp) -> Result<(), Fault> {
    let Seal { version, obligation_count, gross, root, seal } = seal;
    tx.execute(
        INSERT,
        &[
            &window.uuid(),
            &scheme.uuid(),
            &number,
            &version.number(),
            obligation_count,
            &gross.units(),
            &root.as_slice(),
            &seal.as_slice(),
            &at,
        ],
    )
    .await?;
    Ok(())
}

pub(crate) async fn find(tx: &Tx<'_>, window: WindowId) -> Result<Option<Seal>, Fault> {
    tx.query_opt(FIND, &[&window.uuid()]).await?.map(|row| to_seal(&row, 0)).transpose()
}

/// A seal from the columns version, number of obligations, gross, root and seal, the first of them being `first`.
pub(crate) fn to_seal(row: &Row, first: usize) -> Result<Seal, Fault> {
    let column = |offset| first.strict_add(offset);
    let version = row.try_get(column(0))?;
    Ok(Seal {
        version: Version::parse(version).ok_or_else(|| Fault::Unreadable(format!("seal version {version}")))?,
        obligation_count: row.try_get(column(1))?,
        gross: Micro::new(row.try_get(column(2))?),
        root: to_hash(row.try_get(column(3))?)?,
        seal: to_hash(row.try_get(column(4))?)?,
    })
}

/// The seal of the window before.
pub(crate) async fn find_previous(tx: &Tx<'_>, scheme: SchemeId, number: i64) -> Result<Option<Hash>, Fault> {
    let row = tx.query_opt(FIND_PREVIOUS, &[&scheme.uuid(), &number]).await?;
    row.map(|row| to_hash(row.try_get(0)?)).transpose()
}

pub(crate) fn to_hash(bytes: &[u8]) -> Result<Hash, Fault> {
    bytes.try_into().map_err(|_| Fault::Unreadable("a hash that is not 32 bytes".to_owned()))
}
