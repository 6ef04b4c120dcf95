//! Each proof in SQL is one statement that answers with what breaks the rule, as text; no row means that it holds.

use crate::seals::{Hash, to_hash};
use ledger::proofs::VIOLATIONS_MAX;
use ledger::{Fault, Tx};
use netting::Strategy;
use scrip::{Micro, RunId, Scale, SchemeId, WindowId};
use std::collections::VecDeque;
use std::str::FromStr;
use tokio_postgres::{Portal, Row};
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[
    WINDOWS_ARE_A_CHAIN,
    RUNS_NET_SEALED_WINDOWS,
    WINDOWS_ARE_SETTLED_ONCE,
    STATES_END_HISTORIES,
    POSITIONS_EQUAL_OBLIGATIONS,
    POSITIONS_SUM_TO_ZERO,
    TRANSFERS_GIVE_POSITIONS,
    TOTALS_EQUAL_TRANSFERS,
    CARRIES_ARE_OBLIGATIONS,
    CARRIES_ARE_LISTED,
    VOIDED_CARRIES_ARE_TAKEN_BACK,
    STATEMENTS_ARE_THERE,
    WINDOWS_ARE_SETTLED_WITH_THEIR_RUN,
    LIST_SEALED,
    LIST_RUNS,
    READ_FILES,
    READ_PIECES,
    READ_MANIFEST,
    LIST_SEALS,
    LIST_FILES,
];

/// The rules and their statements.
pub(super) const PROOFS: &[(&str, &str)] = &[
    ("the windows of a scheme follow one another without gaps, the last one open", WINDOWS_ARE_A_CHAIN),
    ("every run nets closed and sealed windows of its scheme, the last of its slot, and numbers without gaps", RUNS_NET_SEALED_WINDOWS),
    ("every window is settled by the one run that netted it and is not voided, or by none", WINDOWS_ARE_SETTLED_ONCE),
    ("the state of every run is the end of its history, which is legal and approved by whom it must be", STATES_END_HISTORIES),
    ("the positions of a run equal the obligations of its windows", POSITIONS_EQUAL_OBLIGATIONS),
    ("the positions of a run sum to zero, settled and carried alike", POSITIONS_SUM_TO_ZERO),
    ("the transfers of a run give every vendor its settled position and the house nothing", TRANSFERS_GIVE_POSITIONS),
    ("the transfers of a run are as many and as much as it says", TOTALS_EQUAL_TRANSFERS),
    ("what a run carries stands as obligations in a later window of its scheme", CARRIES_ARE_OBLIGATIONS),
    ("what a run carries is what it lists", CARRIES_ARE_LISTED),
    ("what a voided run carried and what was rightly disputed is owed back in a later window", VOIDED_CARRIES_ARE_TAKEN_BACK),
    ("every position has its statement, and every statement its position", STATEMENTS_ARE_THERE),
    ("a window counts in what its vendors owe until its run is settled, and no longer", WINDOWS_ARE_SETTLED_WITH_THEIR_RUN),
];

const WINDOWS_ARE_A_CHAIN: &str = "
    SELECT format('window %s of scheme %s does not follow the one before it', number, scheme_id)
    FROM (SELECT scheme_id, number, state, opened_at, closed_at,
                 row_number() OVER chain AS expected, lag(closed_at) OVER chain AS closed_before, lead(number) OVER chain AS next_number
          FROM windows WINDOW chain AS (PARTITION BY scheme_id ORDER BY number)) w
    WHERE number <> expected OR opened_at IS DISTINCT FROM coalesce(closed_before, opened_at) OR closed_at < opened_at
       OR (state = 'open') <> (next_number IS NULL)
    LIMIT $1";

const RUNS_NET_SEALED_WINDOWS: &str = "
    WITH netted AS (
        SELECT l.run_id, count(*) AS listed, count(w.id) AS closed, count(s.window_id) AS sealed,
               sum(s.obligation_count) AS obligation_count, sum(s.gross_micro) AS gross_micro,
               (array_agg(w.slot ORDER BY w.number DESC))[1] AS slot
        FROM run_windows l
        JOIN runs r ON r.id = l.run_id
        LEFT JOIN windows w ON w.id = l.window_id AND w.scheme_id = r.scheme_id AND w.state = 'closed'
        LEFT JOIN seals s ON s.window_id = w.id AND s.number = w.number
        GROUP BY l.run_id
    )
    SELECT format('run %s, number %s of its scheme, of slot %s: %s windows, %s of its scheme and closed, %s of them sealed, the last of slot %s, with %s obligations of %s',
                  r.id, r.number, r.slot, coalesce(n.listed, 0), coalesce(n.closed, 0), coalesce(n.sealed, 0), n.slot, n.obligation_count, n.gross_micro)
    FROM (SELECT *, row_number() OVER (PARTITION BY scheme_id ORDER BY number) AS expected FROM runs) r
    LEFT JOIN netted n ON n.run_id = r.id
    WHERE n.listed IS DISTINCT FROM n.sealed OR n.listed IS DISTINCT FROM n.closed OR n.slot IS DISTINCT FROM r.slot OR r.number <> r.expected
       OR n.obligation_count IS DISTINCT FROM r.obligation_count OR n.gross_micro IS DISTINCT FROM r.gross_micro
    LIMIT $1";

const WINDOWS_ARE_SETTLED_ONCE: &str = "
    SELECT format('window %s of scheme %s is settled by run %s; it was netted by %s of its runs that are not voided', w.number, w.scheme_id, w.run_id, count(r.id))
    FROM windows w
    LEFT JOIN run_windows l ON l.window_id = w.id
    LEFT JOIN runs r ON r.id = l.run_id AND r.state <> 'voided'
    GROUP BY w.id
    HAVING count(r.id) <> CASE WHEN w.run_id IS NULL THEN 0 ELSE 1 END OR count(r.id) <> count(r.id) FILTER (WHERE r.id = w.run_id)
    LIMIT $1";

const STATES_END_HISTORIES: &str = "
    WITH chained AS (
        SELECT s.*, lag(s.to_state, 1, 'computed') OVER steps AS expected_state, row_number() OVER steps AS expected_seq,
               lag(s.stepped_at) OVER steps AS stepped_before, lead(s.seq) OVER steps AS next_seq, lag(s.actor) OVER steps AS actor_before
        FROM run_steps s
        WINDOW steps AS (PARTITION BY s.run_id ORDER BY s.seq)
    )
    SELECT format('run %s is %s: step %s from %s to %s by %s', r.id, r.state, c.seq, c.from_state, c.to_state, c.actor)
    FROM runs r
    LEFT JOIN chained c ON c.run_id = r.id
    WHERE c.run_id IS NULL AND r.state <> 'computed'
       OR c.from_state <> c.expected_state OR c.seq <> c.expected_seq OR c.stepped_at < c.stepped_before OR c.output_hash <> r.output_hash
       OR c.next_seq IS NULL AND c.to_state <> r.state
       OR c.to_state = 'approved' AND c.actor = c.actor_before AND c.actor <> 'house'
       OR c.to_state IN ('proposed', 'approved') AND c.actor = 'house' AND r.approval <> 'auto'
    LIMIT $1";

const POSITIONS_EQUAL_OBLIGATIONS: &str = "
    WITH sides AS (
        SELECT r.run_id, o.creditor_id AS vendor_id, o.amount_micro AS owed, 0::bigint AS owes
        FROM run_windows r JOIN obligations o USING (window_id)
        UNION ALL
        SELECT r.run_id, o.debtor_id, 0, o.amount_micro
        FROM run_windows r JOIN obligations o USING (window_id)
    )
    SELECT format('run %s: vendor %s is owed %s and owes %s, its position says %s and %s', run_id, vendor_id,
                  coalesce(s.owed, 0), coalesce(s.owes, 0), coalesce(p.owed_micro, 0), coalesce(p.owes_micro, 0))
    FROM (SELECT run_id, vendor_id, sum(owed) AS owed, sum(owes) AS owes FROM sides GROUP BY run_id, vendor_id) s
    FULL JOIN run_positions p USING (run_id, vendor_id)
    WHERE s.owed IS DISTINCT FROM p.owed_micro OR s.owes IS DISTINCT FROM p.owes_micro
    LIMIT $1";

const POSITIONS_SUM_TO_ZERO: &str = "
    SELECT format('run %s: nets sum to %s, settled to %s, carried to %s', run_id, sum(net_micro), sum(settled_micro), sum(carry_micro))
    FROM run_positions
    GROUP BY run_id
    HAVING sum(net_micro) <> 0 OR sum(settled_micro) <> 0 OR sum(carry_micro) <> 0
        OR count(*) FILTER (WHERE net_micro <> owed_micro - owes_micro OR net_micro <> settled_micro + carry_micro) <> 0
    LIMIT $1";

// The house is the nil uuid here; it has no position and must be left with nothing.
const TRANSFERS_GIVE_POSITIONS: &str = "
    WITH sides AS (
        SELECT run_id, coalesce(payee_id, '00000000-0000-0000-0000-000000000000') AS vendor_id, amount_micro AS amount FROM transfers
        UNION ALL
        SELECT run_id, coalesce(payer_id, '00000000-0000-0000-0000-000000000000'), -amount_micro FROM transfers
    )
    SELECT format('run %s: the transfers give vendor %s %s, its position says %s', run_id, vendor_id, coalesce(s.amount, 0), coalesce(p.settled_micro, 0))
    FROM (SELECT run_id, vendor_id, sum(amount) AS amount FROM sides GROUP BY run_id, vendor_id) s
    FULL JOIN run_positions p USING (run_id, vendor_id)
    WHERE coalesce(s.amount, 0) <> coalesce(p.settled_micro, 0)
    LIMIT $1";

const TOTALS_EQUAL_TRANSFERS: &str = "
    SELECT format('run %s: %s transfers of %s, it says %s of %s', r.id, coalesce(t.count, 0), coalesce(t.total, 0), r.transfer_count, r.total_micro)
    FROM runs r
    LEFT JOIN (SELECT run_id, count(*) AS count, sum(amount_micro) AS total, max(number) AS last FROM transfers GROUP BY run_id) t ON t.run_id = r.id
    WHERE coalesce(t.count, 0) <> r.transfer_count OR coalesce(t.total, 0) <> r.total_micro OR coalesce(t.last, 0) <> r.transfer_count
    LIMIT $1";

const CARRIES_ARE_OBLIGATIONS: &str = "
    WITH carried AS (
        SELECT o.operation_id AS run_id, o.creditor_id AS vendor_id, o.amount_micro AS amount, o.window_id FROM obligations o WHERE o.source = 'carry'
        UNION ALL
        SELECT o.operation_id, o.debtor_id, -o.amount_micro, o.window_id FROM obligations o WHERE o.source = 'carry'
    ), placed AS (
        SELECT c.run_id, c.vendor_id, sum(c.amount) AS amount, bool_and(coalesce(later.scheme_id = own.scheme_id AND later.number > own.number, false)) AS later
        FROM carried c
        LEFT JOIN (SELECT l.run_id, w.scheme_id, max(w.number) AS number FROM run_windows l JOIN windows w ON w.id = l.window_id
                   GROUP BY l.run_id, w.scheme_id) own ON own.run_id = c.run_id
        LEFT JOIN windows later ON later.id = c.window_id
        GROUP BY c.run_id, c.vendor_id
    )
    SELECT format('run %s: vendor %s: %s carried, its position says %s%s', run_id, vendor_id, coalesce(c.amount, 0), coalesce(p.carry_micro, 0),
                  CASE WHEN c.later THEN '' ELSE ', not into a later window' END)
    FROM placed c
    FULL JOIN run_positions p USING (run_id, vendor_id)
    WHERE coalesce(c.amount, 0) <> coalesce(p.carry_micro, 0) OR NOT coalesce(c.later, true)
    LIMIT $1";

const CARRIES_ARE_LISTED: &str = "
    SELECT format('run %s: vendor %s owes vendor %s %s as carried, it lists %s', run_id, debtor_id, creditor_id, coalesce(o.amount, 0), coalesce(c.amount, 0))
    FROM (SELECT operation_id AS run_id, debtor_id, creditor_id, sum(amount_micro) AS amount FROM obligations WHERE source = 'carry'
          GROUP BY operation_id, debtor_id, creditor_id) o
    FULL JOIN (SELECT run_id, debtor_id, creditor_id, sum(amount_micro) AS amount FROM run_carries GROUP BY run_id, debtor_id, creditor_id) c
         USING (run_id, debtor_id, creditor_id)
    WHERE o.amount IS DISTINCT FROM c.amount
    LIMIT $1";

const VOIDED_CARRIES_ARE_TAKEN_BACK: &str = "
    WITH taken_back AS (
        SELECT o.operation_id AS run_id, o.debtor_id, o.creditor_id, sum(o.amount_micro) AS amount
        FROM obligations o
        WHERE o.source = 'reversal'
        GROUP BY o.operation_id, o.debtor_id, o.creditor_id
    ), carried AS (
        SELECT c.run_id, c.creditor_id AS debtor_id, c.debtor_id AS creditor_id, sum(c.amount_micro) AS amount
        FROM run_carries c
        JOIN runs r ON r.id = c.run_id AND r.state = 'voided'
        GROUP BY c.run_id, c.debtor_id, c.creditor_id
        UNION ALL
        SELECT x.id, x.creditor_id, x.debtor_id, x.amount_micro
        FROM disputes x
        WHERE x.state = 'upheld'
    )
    SELECT format('run or dispute %s: %s of vendor %s to vendor %s are taken back, not %s', run_id, coalesce(t.amount, 0), debtor_id, creditor_id, coalesce(c.amount, 0))
    FROM taken_back t
    FULL JOIN carried c USING (run_id, debtor_id, creditor_id)
    WHERE t.amount IS DISTINCT FROM c.amount
    LIMIT $1";

const STATEMENTS_ARE_THERE: &str = "
    SELECT format('run %s, vendor %s: position %s, statement %s', run_id, vendor_id, p.vendor_id IS NOT NULL, coalesce(f.name, 'missing'))
    FROM run_positions p
    FULL JOIN (SELECT run_id, vendor_id, name FROM files WHERE vendor_id IS NOT NULL) f USING (run_id, vendor_id)
    LEFT JOIN vendors v ON v.id = vendor_id
    WHERE p.run_id IS NULL OR f.name IS DISTINCT FROM 'statement-' || v.code || '.csv'
    LIMIT $1";

const WINDOWS_ARE_SETTLED_WITH_THEIR_RUN: &str = "
    SELECT format('window %s of scheme %s %s', w.number, w.scheme_id,
                  CASE WHEN w.settled_at IS NULL THEN 'still counts, and its run is settled' ELSE 'counts no more, and has no run that is settled' END)
    FROM windows w
    WHERE (w.settled_at IS NOT NULL)
       <> EXISTS (SELECT FROM run_windows l JOIN runs r ON r.id = l.run_id WHERE l.window_id = w.id AND r.state = 'settled')
    LIMIT $1";

const LIST_SEALED: &str = "
    SELECT window_id, scheme_id, number
    FROM seals
    ORDER BY scheme_id, number";

const LIST_RUNS: &str = "
    SELECT r.id, r.scheme_id, r.slot, r.digits, r.strategy, r.algorithm_version, r.input_hash, r.output_hash, r.min_transfer_micro
    FROM runs r
    ORDER BY r.scheme_id, r.number";

const READ_FILES: &str = "
    SELECT id, run_id, name, vendor_id, size_bytes, sha256
    FROM files
    ORDER BY id";

const READ_PIECES: &str = "
    SELECT file_id, seq, vendor_id, bytes
    FROM file_pieces
    ORDER BY file_id, seq";

const READ_MANIFEST: &str = "
    SELECT p.bytes
    FROM files f
    JOIN file_pieces p ON p.file_id = f.id
    WHERE f.run_id = $1 AND f.name = 'manifest.json'
    ORDER BY p.seq";

const LIST_SEALS: &str = "
    SELECT s.number, s.seal
    FROM run_windows r
    JOIN seals s ON s.window_id = r.window_id
    WHERE r.run_id = $1
    ORDER BY s.number";

const LIST_FILES: &str = "
    SELECT name, size_bytes, sha256
    FROM files
    WHERE run_id = $1 AND name <> 'manifest.json'
    ORDER BY name";

/// Files are small for the most part, pieces are not.
const FILES_PER_FETCH: i32 = 1_000;
const PIECES_PER_FETCH: i32 = 200;

pub(super) async fn list_violations(tx: &Tx<'_>, statement: &str) -> Result<Vec<String>, Fault> {
    tx.query(statement, &[&VIOLATIONS_MAX]).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// A window that has a seal.
pub(super) struct SealedWindow {
    pub(super) id: WindowId,
    pub(super) scheme: SchemeId,
    pub(super) number: i64,
}

pub(super) async fn list_sealed(tx: &Tx<'_>) -> Result<Vec<SealedWindow>, Fault> {
    let rows = tx.query(LIST_SEALED, &[]).await?;
    rows.iter()
        .map(|row| Ok(SealedWindow { id: WindowId::new(row.try_get(0)?), scheme: SchemeId::new(row.try_get(1)?), number: row.try_get(2)? }))
        .collect()
}

/// A run as it is proven.
pub(super) struct ProvenRun {
    pub(super) id: RunId,
    pub(super) scheme: SchemeId,
    pub(super) slot: String,
    pub(super) digits: Scale,
    pub(super) strategy: Strategy,
    pub(super) min_transfer: Micro,
    pub(super) algorithm_version: i32,
    pub(super) input_hash: Hash,
    pub(super) output_hash: Hash,
}

pub(super) async fn list_runs(tx: &Tx<'_>) -> Result<Vec<ProvenRun>, Fault> {
    tx.query(LIST_RUNS, &[]).await?.iter().map(to_proven_run).collect()
}

fn to_proven_run(row: &Row) -> Result<ProvenRun, Fault> {
    let (digits, strategy): (i16, String) = (row.try_get(3)?, row.try_get(4)?);
    Ok(ProvenRun {
        id: RunId::new(row.try_get(0)?),
        scheme: SchemeId::new(row.try_get(1)?),
        slot: row.try_get(2)?,
        digits: Scale::try_new(digits.into()).ok_or_else(|| Fault::Unreadable(format!("{digits} digits")))?,
        strategy: Strategy::from_str(&strategy).map_err(|e| Fault::Unreadable(e.to_string()))?,
        min_transfer: Micro::new(row.try_get(8)?),
        algorithm_version: row.try_get(5)?,
        input_hash: to_hash(row.try_get(6)?)?,
        output_hash: to_hash(row.try_get(7)?)?,
    })
}

/// A file as it is proven.
pub(super) struct ProvenFile {
    pub(super) id: Uuid,
    pub(super) run: Uuid,
    pub(super) name: String,
    pub(super) vendor: Option<Uuid>,
    pub(super) size_bytes: i64,
    pub(super) sha256: Hash,
}

/// All files on their way, by id.
pub(super) struct Files {
    portal: Portal,
}

pub(super) async fn read_files(tx: &Tx<'_>) -> Result<Files, Fault> {
    let statement = tx.prepare_cached(READ_FILES).await?;
    Ok(Files { portal: tx.bind(&statement, &[]).await? })
}

impl Files {
    pub(super) async fn next(&self, tx: &Tx<'_>) -> Result<Option<Vec<ProvenFile>>, Fault> {
        let rows = tx.query_portal(&self.portal, FILES_PER_FETCH).await?;
        let to_file = |row: &Row| {
            Ok(ProvenFile {
                id: row.try_get(0)?,
                run: row.try_get(1)?,
                name: row.try_get(2)?,
                vendor: row.try_get(3)?,
                size_bytes: row.try_get(4)?,
                sha256: to_hash(row.try_get(5)?)?,
            })
        };
        if rows.is_empty() { Ok(None) } else { rows.iter().map(to_file).collect::<Result<_, _>>().map(Some) }
    }
}

/// Some of a file's bytes.
pub(super) struct ProvenPiece {
    pub(super) file: Uuid,
    pub(super) seq: i32,
    pub(super) vendor: Option<Uuid>,
    pub(super) bytes: Vec<u8>,
}

/// All pieces on their way, by file and number.
pub(super) struct Pieces {
    portal: Portal,
    waiting: VecDeque<ProvenPiece>,
}

pub(super) async fn read_pieces(tx: &Tx<'_>) -> Result<Pieces, Fault> {
    let statement = tx.prepare_cached(READ_PIECES).await?;
    Ok(Pieces { portal: tx.bind(&statement, &[]).await?, waiting: VecDeque::new() })
}

impl Pieces {
    pub(super) async fn next(&mut self, tx: &Tx<'_>) -> Result<Option<ProvenPiece>, Fault> {
        if self.waiting.is_empty() {
            for row in tx.query_portal(&self.portal, PIECES_PER_FETCH).await? {
                let piece = ProvenPiece { file: row.try_get(0)?, seq: row.try_get(1)?, vendor: row.try_get(2)?, bytes: row.try_get(3)? };
                self.waiting.push_back(piece);
            }
        }
        Ok(self.waiting.pop_front())
    }
}

/// A run's manifest, whole: it grows with the number of files, some hundred bytes each.
pub(super) async fn read_manifest(tx: &Tx<'_>, run: RunId) -> Result<Option<Vec<u8>>, Fault> {
    let rows = tx.query(READ_MANIFEST, &[&run.uuid()]).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    for row in rows {
        bytes.extend_from_slice(row.try_get(0)?);
    }
    Ok(Some(bytes))
}

pub(super) async fn list_seals(tx: &Tx<'_>, run: RunId) -> Result<Vec<(i64, String)>, Fault> {
    let rows = tx.query(LIST_SEALS, &[&run.uuid()]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, hex::encode(row.try_get::<_, &[u8]>(1)?)))).collect()
}

pub(super) async fn list_files(tx: &Tx<'_>, run: RunId) -> Result<Vec<(String, i64, String)>, Fault> {
    let rows = tx.query(LIST_FILES, &[&run.uuid()]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, hex::encode(row.try_get::<_, &[u8]>(2)?)))).collect()
}
