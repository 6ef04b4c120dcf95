//! The rows that files are made of, and the rows that files become.

use super::FileHead;
use super::bank::Total;
use super::rows::{Head, NewHead, NewPiece, SealedWindow};
use crate::scheme::Scheme;
use crate::seals::{FIRST, Hash, to_hash};
use futures_util::TryStreamExt;
use jiff::Timestamp;
use ledger::copy::CopyIn;
use ledger::obligations::Source;
use ledger::{Fault, Tx};
use scrip::code::HOUSE;
use scrip::{Micro, RunId, VendorId, WindowId};
use std::pin::Pin;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Portal, Row, RowStream};
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[
    READ_TRANSFERS,
    READ_POSITIONS,
    LIST_STATEMENTS,
    READ_OBLIGATIONS,
    READ_ENDS,
    READ_HEADS,
    READ_RUN,
    LIST_WINDOWS,
    FIND_PREVIOUS_MANIFEST,
    LIST_SUPERSEDED,
    COPY_FILES,
    COPY_PIECES,
    FIND,
    LIST,
    READ_PIECES,
    READ_ALL,
];

const READ_TRANSFERS: &str = "
    SELECT t.number, t.amount_micro, t.payer_id, payer.code, t.payee_id, payee.code
    FROM transfers t
    LEFT JOIN vendors payer ON payer.id = t.payer_id
    LEFT JOIN vendors payee ON payee.id = t.payee_id
    WHERE t.run_id = $1
    ORDER BY t.number";

const READ_POSITIONS: &str = "
    SELECT v.code, p.owed_micro, p.owes_micro, p.net_micro, p.settled_micro, p.carry_micro
    FROM run_positions p
    JOIN vendors v ON v.id = p.vendor_id
    WHERE p.run_id = $1
    ORDER BY v.code";

const LIST_STATEMENTS: &str = "
    WITH opening AS (
        SELECT side.vendor_id, sum(side.owed) AS owed, sum(side.owes) AS owes
        FROM obligations o
        CROSS JOIN LATERAL (VALUES (o.creditor_id, o.amount_micro, 0::bigint), (o.debtor_id, 0, o.amount_micro)) AS side(vendor_id, owed, owes)
        WHERE o.window_id = ANY ($2::uuid[]) AND o.source = 'carry'
        GROUP BY side.vendor_id
    )
    SELECT p.vendor_id, v.code, coalesce(o.owed, 0)::bigint, coalesce(o.owes, 0)::bigint
    FROM run_positions p
    JOIN vendors v ON v.id = p.vendor_id
    LEFT JOIN opening o ON o.vendor_id = p.vendor_id
    WHERE p.run_id = $1
    ORDER BY v.code";

// In the order of the key, which the database has at hand: nothing is sorted, however many there are.
const READ_OBLIGATIONS: &str = "
    SELECT id, debtor_id, creditor_id, amount_micro, source, operation_id, booked_at
    FROM obligations
    WHERE window_id = $1
    ORDER BY id, user_id";

// Each pair and each transfer stands in two statements, seen from either side. The lines of a statement follow their number, then the
// transfer, the counterparty's code: an order that leaves the database no choice.
const READ_ENDS: &str = "
    WITH held AS (
        SELECT side.vendor_id, side.counterparty_id, sum(side.owed) AS owed, sum(side.owes) AS owes
        FROM run_holdings h
        CROSS JOIN LATERAL (VALUES (h.creditor_id, h.debtor_id, h.amount_micro, 0::bigint), (h.debtor_id, h.creditor_id, 0, h.amount_micro))
             AS side(vendor_id, counterparty_id, owed, owes)
        WHERE h.run_id = $1
        GROUP BY side.vendor_id, side.counterparty_id
    ), lines AS (
        SELECT side.vendor_id, 3 AS line, side.counterparty_id, NULL::bigint AS transfer, sum(side.owed) AS owed, sum(side.owes) AS owes
        FROM positions p
        CROSS JOIN LATERAL (VALUES (p.creditor_id, p.debtor_id, p.amount_micro, 0::bigint), (p.debtor_id, p.creditor_id, 0, p.amount_micro))
             AS side(vendor_id, counterparty_id, owed, owes)
        WHERE p.window_id = ANY ($2::uuid[])
        GROUP BY side.vendor_id, side.counterparty_id
        UNION ALL
        SELECT vendor_id, 4, NULL, NULL, greatest(net_micro, 0), greatest(-net_micro, 0) FROM run_positions WHERE run_id = $1
        UNION ALL
        SELECT vendor_id, 5, counterparty_id, NULL, owed, owes FROM held
        UNION ALL
        SELECT p.vendor_id, 6, NULL, NULL, greatest(h.net - p.carry_micro, 0), greatest(p.carry_micro - h.net, 0)
        FROM run_positions p
        CROSS JOIN LATERAL (SELECT coalesce(sum(owed - owes), 0) AS net FROM held WHERE held.vendor_id = p.vendor_id) h
        WHERE p.run_id = $1
        UNION ALL
        SELECT payee_id, 7, payer_id, number, amount_micro, 0 FROM transfers WHERE run_id = $1 AND payee_id IS NOT NULL
        UNION ALL
        SELECT payer_id, 7, payee_id, number, 0, amount_micro FROM transfers WHERE run_id = $1 AND payer_id IS NOT NULL
        UNION ALL
        SELECT vendor_id, 8, NULL, NULL, greatest(carry_micro, 0), greatest(-carry_micro, 0) FROM run_positions WHERE run_id = $1
    )
    SELECT l.vendor_id, l.line, c.code, l.transfer, l.owed::bigint, l.owes::bigint
    FROM lines l
    JOIN vendors v ON v.id = l.vendor_id
    LEFT JOIN vendors c ON c.id = l.counterparty_id
    ORDER BY v.code, l.line, l.transfer, c.code";

const READ_HEADS: &str = "
    SELECT id, name, media_type, size_bytes, sha256
    FROM files
    WHERE run_id = $1
    ORDER BY name";

const READ_RUN: &str = "
    SELECT slot, obligation_count, gross_micro, bilateral_micro, net_micro, total_micro, transfer_count, algorithm_version, input_hash, output_hash, number
    FROM runs
    WHERE id = $1";

const LIST_WINDOWS: &str = "
    SELECT w.id, w.number, w.opened_at, w.closed_at, s.obligation_count, s.gross_micro, s.root, p.seal, s.seal
    FROM run_windows r
    JOIN windows w ON w.id = r.window_id
    JOIN seals s ON s.window_id = w.id
    LEFT JOIN seals p ON p.scheme_id = w.scheme_id AND p.number = w.number - 1
    WHERE r.run_id = $1
    ORDER BY w.number";

const FIND_PREVIOUS_MANIFEST: &str = "
    SELECT f.sha256
    FROM runs r
    JOIN runs before ON before.scheme_id = r.scheme_id AND before.number = r.number - 1
    JOIN files f ON f.run_id = before.id AND f.name = 'manifest.json'
    WHERE r.id = $1";

// Voided runs that netted one of its windows before it.
const LIST_SUPERSEDED: &str = "
    SELECT DISTINCT before.number, before.id
    FROM run_windows own
    JOIN run_windows other ON other.window_id = own.window_id AND other.run_id <> own.run_id
    JOIN runs before ON before.id = other.run_id
    JOIN runs r ON r.id = own.run_id AND before.number < r.number
    WHERE own.run_id = $1
    ORDER BY before.number";

const COPY_FILES: &str = "
    COPY files (id, run_id, name, vendor_id, media_type, size_bytes, sha256, created_at)
    FROM STDIN BINARY";

const COPY_PIECES: &str = "
    COPY file_pieces (file_id, seq, vendor_id, bytes)
    FROM STDIN BINARY";

const FIND: &str = "
    SELECT id, name, media_type, size_bytes, sha256
    FROM files
    WHERE run_id = $1 AND name = $2";

const LIST: &str = "
    SELECT id, name, media_type, size_bytes, sha256
    FROM files
    WHERE run_id = $1 AND name > $2
    ORDER BY name
    LIMIT $3";

// Four long pieces or many short ones: the length of bytes is known without reading them.
const READ_PIECES: &str = "
    SELECT bytes
    FROM (SELECT seq, bytes, sum(octet_length(bytes)) OVER (ORDER BY seq) AS bytes_up_to
          FROM file_pieces
          WHERE file_id = $1 AND seq > $2 AND seq <= $2 + 64) p
    WHERE bytes_up_to <= 262144
    ORDER BY seq";

const READ_ALL: &str = "
    SELECT f.name, p.bytes
    FROM files f
    LEFT JOIN file_pieces p ON p.file_id = f.id
    WHERE f.run_id = $1
    ORDER BY f.name, p.seq";

const ROWS_PER_FETCH: i32 = 5_000;
/// At most some megabytes.
const PIECES_PER_FETCH: i32 = 64;

/// Rows on their way from the database, some thousands at a time.
pub(crate) struct Rows {
    portal: Portal,
}

impl Rows {
    pub(crate) async fn begin(tx: &Tx<'_>, statement: &str, keys: &[&(dyn ToSql + Sync)]) -> Result<Self, Fault> {
        let statement = tx.prepare_cached(statement).await?;
        Ok(Self { portal: tx.bind(&statement, keys).await? })
    }

    /// The next rows, read as what they mean; none after the last.
    pub(crate) async fn next<T>(&self, tx: &Tx<'_>, read: fn(&Row) -> Result<T, Fault>) -> Result<Option<Vec<T>>, Fault> {
        let rows = tx.query_portal(&self.portal, ROWS_PER_FETCH).await?;
        if rows.is_empty() { Ok(None) } else { rows.iter().map(read).collect::<Result<_, _>>().map(Some) }
    }
}

/// A transfer as files list it.
pub(super) struct TransferLine {
    pub(super) number: i64,
    pub(super) payer: Party,
    pub(super) payee: Party,
    pub(super) amount: Micro,
}

/// Who pays or is paid.
pub(super) struct Party {
    /// None is the house.
    pub(super) vendor: Option<VendorId>,
    pub(super) code: String,
}

/// By number.
pub(super) async fn read_transfers(tx: &Tx<'_>, run: RunId) -> Result<Rows, Fault> {
    Rows::begin(tx, READ_TRANSFERS, &[&run.uuid()]).await
}

pub(super) fn to_transfer_line(row: &Row) -> Result<TransferLine, Fault> {
    Ok(TransferLine { number: row.try_get(0)?, amount: Micro::new(row.try_get(1)?), payer: to_party(row, 2)?, payee: to_party(row, 4)? })
}

/// Id and code, from this column on.
fn to_party(row: &Row, column: usize) -> Result<Party, Fault> {
    let vendor = row.try_get::<_, Option<Uuid>>(column)?.map(VendorId::new);
    let code: Option<String> = row.try_get(column.strict_add(1))?;
    Ok(Party { vendor, code: code.unwrap_or_else(|| HOUSE.to_owned()) })
}

/// A row of positions.csv.
pub(super) struct PositionLine {
    pub(super) vendor: String,
    pub(super) owed: Micro,
    pub(super) owes: Micro,
    pub(super) net: Micro,
    pub(super) settled: Micro,
    pub(super) carry: Micro,
}

pub(super) async fn read_positions(tx: &Tx<'_>, run: RunId) -> Result<Rows, Fault> {
    Rows::begin(tx, READ_POSITIONS, &[&run.uuid()]).await
}

pub(super) fn to_position_line(row: &Row) -> Result<PositionLine, Fault> {
    let figure = |column| Ok::<_, Fault>(Micro::new(row.try_get(column)?));
    Ok(PositionLine {
        vendor: row.try_get(0)?,
        owed: figure(1)?,
        owes: figure(2)?,
        net: figure(3)?,
        settled: figure(4)?,
        carry: figure(5)?,
    })
}

/// A statement to be written, with what earlier runs carried over.
pub(super) struct Opening {
    pub(super) vendor: VendorId,
    pub(super) code: String,
    pub(super) owed: Micro,
    pub(super) owes: Micro,
}

/// One for each vendor with a position, by code.
pub(super) async fn list_statements(tx: &Tx<'_>, run: RunId, windows: &[Uuid]) -> Result<Vec<Opening>, Fault> {
    let rows = tx.query(LIST_STATEMENTS, &[&run.uuid(), &windows]).await?;
    rows.iter()
        .map(|row| {
            Ok(Opening {
                vendor: VendorId::new(row.try_get(0)?),
                code: row.try_get(1)?,
                owed: Micro::new(row.try_get(2)?),
                owes: Micro::new(row.try_get(3)?),
            })
        })
        .collect()
}

/// An obligation as statements list it.
pub(crate) struct Obligation {
    pub(crate) id: Uuid,
    pub(crate) debtor: VendorId,
    pub(crate) creditor: VendorId,
    pub(crate) amount: Micro,
    pub(crate) source: Source,
    pub(crate) operation: Uuid,
    pub(crate) booked_at: Timestamp,
}

/// The obligations of a window on their way, in order of their ids. They come as fast as they are taken, and no faster.
pub(crate) struct Obligations {
    rows: Pin<Box<RowStream>>,
}

pub(crate) async fn read_obligations(tx: &Tx<'_>, window: WindowId) -> Result<Obligations, Fault> {
    let statement = tx.prepare_cached(READ_OBLIGATIONS).await?;
    Ok(Obligations { rows: Box::pin(tx.query_raw(&statement, [window.uuid()]).await?) })
}

impl Obligations {
    pub(crate) async fn next(&mut self) -> Result<Option<Obligation>, Fault> {
        let Some(row) = self.rows.try_next().await? else { return Ok(None) };
        let source: &str = row.try_get(4)?;
        Ok(Some(Obligation {
            id: row.try_get(0)?,
            debtor: VendorId::new(row.try_get(1)?),
            creditor: VendorId::new(row.try_get(2)?),
            amount: Micro::new(row.try_get(3)?),
            source: Source::parse(source).ok_or_else(|| Fault::Unreadable(format!("obligation source {source}")))?,
            operation: row.try_get(5)?,
            booked_at: row.try_get(6)?,
        }))
    }
}

/// A line of a statement that follows its obligations.
pub(crate) struct EndLine {
    pub(crate) vendor: VendorId,
    pub(crate) kind: &'static str,
    pub(crate) counterparty: String,
    pub(crate) transfer: Option<i64>,
    pub(crate) owed: Micro,
    pub(crate) owes: Micro,
}

/// Vendor by vendor, by code.
pub(super) async fn read_ends(tx: &Tx<'_>, run: RunId, windows: &[Uuid]) -> Result<Rows, Fault> {
    Rows::begin(tx, READ_ENDS, &[&run.uuid(), &windows]).await
}

pub(super) fn to_end_line(row: &Row) -> Result<EndLine, Fault> {
    let (counterparty, transfer): (Option<String>, Option<i64>) = (row.try_get(2)?, row.try_get(3)?);
    let kind = match row.try_get::<_, i32>(1)? {
        3 => "counterparty",
        4 => "net",
        5 => "held_back",
        6 => "rounding",
        7 => "transfer",
        8 => "closing_carry",
        other => return Err(Fault::Unreadable(format!("statement line {other}"))),
    };
    Ok(EndLine {
        vendor: VendorId::new(row.try_get(0)?),
        kind,
        // A transfer without a vendor on the other side is with the house.
        counterparty: counterparty.or_else(|| transfer.map(|_| HOUSE.to_owned())).unwrap_or_default(),
        transfer,
        owed: Micro::new(row.try_get(4)?),
        owes: Micro::new(row.try_get(5)?),
    })
}

pub(super) async fn read_heads(tx: &Tx<'_>, run: RunId) -> Result<Rows, Fault> {
    Rows::begin(tx, READ_HEADS, &[&run.uuid()]).await
}

pub(super) async fn read_manifest_head(tx: &Tx<'_>, run: RunId, scheme: &Scheme, without_account: Total) -> Result<Head, Fault> {
    let row = tx.query_one(READ_RUN, &[&run.uuid()]).await?;
    let previous = tx.query_opt(FIND_PREVIOUS_MANIFEST, &[&run.uuid()]).await?;
    let previous: Option<Hash> = previous.map(|row| to_hash(row.try_get(0)?)).transpose()?;
    let windows = tx.query(LIST_WINDOWS, &[&run.uuid()]).await?;
    let superseded = tx.query(LIST_SUPERSEDED, &[&run.uuid()]).await?;
    Ok(Head {
        run: run.to_string(),
        number: row.try_get(10)?,
        supersedes: superseded.iter().map(|row| Ok(row.try_get::<_, Uuid>(1)?.to_string())).collect::<Result<_, Fault>>()?,
        scheme: scheme.code.clone(),
        slot: row.try_get(0)?,
        currency: scheme.currency.clone(),
        digits: scheme.digits.decimals(),
        strategy: scheme.strategy.name().to_owned(),
        min_transfer: super::amounts::exact(scheme.min_transfer),
        algorithm_version: row.try_get(7)?,
        windows: windows.iter().map(to_sealed_window).collect::<Result<_, _>>()?,
        obligation_count: row.try_get(1)?,
        gross: to_decimal(&row, 2)?,
        bilateral: to_decimal(&row, 3)?,
        net: to_decimal(&row, 4)?,
        transfer_count: row.try_get(6)?,
        control_sum: to_decimal(&row, 5)?,
        without_account_count: without_account.count,
        without_account_sum: super::amounts::exact(without_account.sum),
        input_hash: hex::encode(row.try_get::<_, &[u8]>(8)?),
        output_hash: hex::encode(row.try_get::<_, &[u8]>(9)?),
        previous_manifest_sha256: previous.map(hex::encode),
    })
}

fn to_sealed_window(row: &Row) -> Result<SealedWindow, Fault> {
    Ok(SealedWindow {
        id: row.try_get::<_, Uuid>(0)?.to_string(),
        number: row.try_get(1)?,
        opened_at: row.try_get::<_, Timestamp>(2)?.to_string(),
        closed_at: row.try_get::<_, Timestamp>(3)?.to_string(),
        obligation_count: row.try_get(4)?,
        gross: to_decimal(row, 5)?,
        root: hex::encode(row.try_get::<_, &[u8]>(6)?),
        previous_seal: hex::encode(row.try_get::<_, Option<&[u8]>>(7)?.unwrap_or(&FIRST)),
        seal: hex::encode(row.try_get::<_, &[u8]>(8)?),
    })
}

fn to_decimal(row: &Row, column: usize) -> Result<String, Fault> {
    Ok(super::amounts::exact(Micro::new(row.try_get(column)?)))
}

pub(super) async fn insert_heads(tx: &Tx<'_>, run: RunId, at: Timestamp, heads: &[NewHead]) -> Result<(), Fault> {
    let types = &[Type::UUID, Type::UUID, Type::TEXT, Type::UUID, Type::TEXT, Type::INT8, Type::BYTEA, Type::TIMESTAMPTZ];
    let mut copy = CopyIn::begin(tx, COPY_FILES, types).await?;
    for NewHead { id, name, vendor, media_type, size_bytes, sha256 } in heads {
        copy.row(&[id, &run.uuid(), name, &vendor.map(VendorId::uuid), media_type, size_bytes, &sha256.as_slice(), &at]).await?;
    }
    copy.finish().await
}

pub(super) async fn insert_pieces(tx: &Tx<'_>, pieces: &[NewPiece]) -> Result<(), Fault> {
    let mut copy = PiecesIn::begin(tx).await?;
    for piece in pieces {
        copy.add(piece).await?;
    }
    copy.finish().await
}

/// Pieces on their way into the database, as many as there are. Until it is finished the tx can do nothing else.
pub(super) struct PiecesIn {
    copy: CopyIn,
}

impl PiecesIn {
    pub(super) async fn begin(tx: &Tx<'_>) -> Result<Self, Fault> {
        Ok(Self { copy: CopyIn::begin(tx, COPY_PIECES, &[Type::UUID, Type::INT4, Type::UUID, Type::BYTEA]).await? })
    }

    pub(super) async fn add(&mut self, NewPiece { file, seq, vendor, bytes }: &NewPiece) -> Result<(), Fault> {
        self.copy.row(&[file, seq, &vendor.map(VendorId::uuid), bytes]).await
    }

    pub(super) async fn finish(self) -> Result<(), Fault> {
        self.copy.finish().await
    }
}

pub(super) async fn find(tx: &Tx<'_>, run: RunId, name: &str) -> Result<Option<FileHead>, Fault> {
    tx.query_opt(FIND, &[&run.uuid(), &name]).await?.map(|row| to_head(&row)).transpose()
}

pub(super) async fn list(tx: &Tx<'_>, run: RunId, after: &str, limit: i64) -> Result<Vec<FileHead>, Fault> {
    tx.query(LIST, &[&run.uuid(), &after, &limit]).await?.iter().map(to_head).collect()
}

/// The pieces of all files of a run on their way, some dozens at a time; a file without bytes has one that is empty.
pub struct Pieces {
    portal: Portal,
}

impl Pieces {
    /// The next pieces, each with its file's name; none after the last.
    pub async fn next(&mut self, tx: &Tx<'_>) -> Result<Option<Vec<(String, Vec<u8>)>>, Fault> {
        let rows = tx.query_portal(&self.portal, PIECES_PER_FETCH).await?;
        let to_piece = |row: &Row| Ok((row.try_get(0)?, row.try_get::<_, Option<Vec<u8>>>(1)?.unwrap_or_default()));
        if rows.is_empty() { Ok(None) } else { rows.iter().map(to_piece).collect::<Result<_, _>>().map(Some) }
    }
}

impl std::fmt::Debug for Pieces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pieces").finish_non_exhaustive()
    }
}

pub(super) async fn read_all(tx: &Tx<'_>, run: RunId) -> Result<Pieces, Fault> {
    let statement = tx.prepare_cached(READ_ALL).await?;
    Ok(Pieces { portal: tx.bind(&statement, &[&run.uuid()]).await? })
}

pub(super) async fn read_pieces(tx: &Tx<'_>, file: Uuid, after: i32) -> Result<Vec<Vec<u8>>, Fault> {
    let statement = tx.prepare_cached(READ_PIECES).await?;
    tx.query(&statement, &[&file, &after]).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

pub(super) fn to_head(row: &Row) -> Result<FileHead, Fault> {
    Ok(FileHead {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        media_type: row.try_get(2)?,
        size_bytes: row.try_get(3)?,
        sha256: to_hash(row.try_get(4)?)?,
    })
}
