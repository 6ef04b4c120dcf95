//! The rows of what entries are said to mean, and the transfers that they may mean.

use super::assignments::Assignment;
use super::matching::{Matched, Means};
use super::suggestions::{Collected, UNFINISHED_MAX, Unfinished};
use super::{ConfirmationId, Said, Seqs};
use crate::steps::Actor;
use crate::transfers::{TransferKey, to_standing};
use jiff::Timestamp;
use ledger::{Fault, Tx};
use scrip::{Micro, RunId};
use std::collections::BTreeMap;
use tokio_postgres::Row;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[LIST, FIND_SAID, INSERT, DELETE, SET_STEPS, LIST_UNFINISHED];

const LIST: &str = "
    SELECT number, run_id, transfer_number, step_seq, assigned_by, assigned_at
    FROM confirmation_assignments
    WHERE confirmation_id = $1 AND ($2::integer[] IS NULL OR number = ANY ($2))
    ORDER BY number, run_id, transfer_number";

// One of these transfers that another entry is said to mean, which says the same.
const FIND_SAID: &str = "
    SELECT a.run_id, a.transfer_number, a.number
    FROM confirmation_assignments a
    JOIN confirmation_entries e ON e.confirmation_id = a.confirmation_id AND e.number = a.number
    JOIN unnest($4::uuid[], $5::bigint[]) AS u(run_id, transfer_number) ON u.run_id = a.run_id AND u.transfer_number = a.transfer_number
    WHERE a.confirmation_id = $1 AND a.number <> $2 AND e.said = $3
    ORDER BY a.run_id, a.transfer_number
    LIMIT 1";

const INSERT: &str = "
    INSERT INTO confirmation_assignments (confirmation_id, number, run_id, transfer_number, assigned_by, assigned_at)
    SELECT $1, $2, u.run_id, u.transfer_number, $5, $6
    FROM unnest($3::uuid[], $4::bigint[]) AS u(run_id, transfer_number)";

const DELETE: &str = "DELETE FROM confirmation_assignments WHERE confirmation_id = $1 AND number = $2";

const SET_STEPS: &str = "
    UPDATE confirmation_assignments a
    SET step_seq = u.step_seq
    FROM unnest($2::integer[], $3::uuid[], $4::bigint[], $5::integer[]) AS u(number, run_id, transfer_number, step_seq)
    WHERE a.confirmation_id = $1 AND a.number = u.number AND a.run_id = u.run_id AND a.transfer_number = u.transfer_number";

// Those of the confirmation's scheme; none once it is applied. No vendor is the house.
const LIST_UNFINISHED: &str = "
    WITH said AS (
        SELECT m.run_id, m.transfer_number, array_agg(m.said) AS said
        FROM (SELECT run_id, transfer_number, said
              FROM confirmation_entries
              WHERE confirmation_id = $1 AND outcome IN ('confirmed', 'rejected') AND run_id IS NOT NULL
              UNION ALL
              SELECT a.run_id, a.transfer_number, e.said
              FROM confirmation_assignments a
              JOIN confirmation_entries e ON e.confirmation_id = a.confirmation_id AND e.number = a.number
              WHERE a.confirmation_id = $1) m
        GROUP BY m.run_id, m.transfer_number
    )
    SELECT t.run_id, t.number, r.number, (x.stepped_at AT TIME ZONE 'UTC')::date, coalesce(payer.code, 'HOUSE'), coalesce(payee.code, 'HOUSE'),
           t.amount_micro, r.currency, t.state, t.disputed_from, t.attempt, s.said
    FROM confirmations c
    JOIN runs r ON r.scheme_id = c.scheme_id AND r.state IN ('exported', 'settling')
    JOIN run_steps x ON x.run_id = r.id AND x.to_state = 'exported'
    JOIN transfers t ON t.run_id = r.id AND t.state NOT IN ('received', 'rolled', 'written_off')
    LEFT JOIN vendors payer ON payer.id = t.payer_id
    LEFT JOIN vendors payee ON payee.id = t.payee_id
    LEFT JOIN said s ON s.run_id = t.run_id AND s.transfer_number = t.number
    WHERE c.id = $1 AND c.state = 'proposed'
    ORDER BY r.number DESC, t.number
    LIMIT $2";

/// What all entries are said to mean, by their numbers.
pub(super) async fn list(tx: &Tx<'_>, id: ConfirmationId) -> Result<BTreeMap<i32, Assignment>, Fault> {
    list_some(tx, id, None).await
}

/// What the entries with these numbers are said to mean.
pub(super) async fn list_of(tx: &Tx<'_>, id: ConfirmationId, numbers: &[i32]) -> Result<BTreeMap<i32, Assignment>, Fault> {
    list_some(tx, id, Some(numbers)).await
}

async fn list_some(tx: &Tx<'_>, id: ConfirmationId, numbers: Option<&[i32]>) -> Result<BTreeMap<i32, Assignment>, Fault> {
    let mut assignments: BTreeMap<i32, Assignment> = BTreeMap::new();
    for row in tx.query(LIST, &[&id.0, &numbers]).await? {
        let transfer = TransferKey { run: RunId::new(row.try_get(1)?), number: row.try_get(2)? };
        let (assigned_by, assigned_at) = (row.try_get(4)?, row.try_get(5)?);
        let begin = || Assignment { assigned_by, assigned_at, transfers: Vec::new() };
        assignments.entry(row.try_get(0)?).or_insert_with(begin).transfers.push((transfer, row.try_get(3)?));
    }
    Ok(assignments)
}

/// One of these transfers, and the other entry that says the same of it by what it was assigned.
pub(super) async fn find_said(
    tx: &Tx<'_>,
    id: ConfirmationId,
    number: i32,
    said: Said,
    transfers: &[TransferKey],
) -> Result<Option<(TransferKey, i32)>, Fault> {
    let (runs, numbers) = to_columns(transfers);
    let row = tx.query_opt(FIND_SAID, &[&id.0, &number, &said.as_str(), &runs, &numbers]).await?;
    row.map(|row| Ok((TransferKey { run: RunId::new(row.try_get(0)?), number: row.try_get(1)? }, row.try_get(2)?))).transpose()
}

pub(super) async fn insert(
    tx: &Tx<'_>,
    id: ConfirmationId,
    number: i32,
    transfers: &[TransferKey],
    actor: &Actor,
    at: Timestamp,
) -> Result<(), Fault> {
    let (runs, numbers) = to_columns(transfers);
    tx.execute(INSERT, &[&id.0, &number, &runs, &numbers, &actor.to_string(), &at]).await?;
    Ok(())
}

/// False where the entry was assigned nothing.
pub(super) async fn delete(tx: &Tx<'_>, id: ConfirmationId, number: i32) -> Result<bool, Fault> {
    Ok(tx.execute(DELETE, &[&id.0, &number]).await? > 0)
}

/// The steps that the entries, in their order, made of what they were assigned.
pub(super) async fn set_steps(tx: &Tx<'_>, id: ConfirmationId, matched: &[Matched], seqs: &Seqs) -> Result<(), Fault> {
    let (mut entries, mut transfers, mut steps) = (Vec::new(), Vec::new(), Vec::new());
    for (number, matched) in (1_i32..).zip(matched) {
        let Means::Assigned(assigned) = &matched.means else { continue };
        for (key, seq) in assigned.iter().filter_map(|key| Some((*key, *seqs.get(&(number, *key))?))) {
            entries.push(number);
            transfers.push(key);
            steps.push(seq);
        }
    }
    let (runs, numbers) = to_columns(&transfers);
    tx.execute(SET_STEPS, &[&id.0, &entries, &runs, &numbers, &steps]).await?;
    Ok(())
}

/// The transfers of the confirmation's scheme that have not ended, the newest runs first and as many as are looked at.
pub(super) async fn list_unfinished(tx: &Tx<'_>, id: ConfirmationId) -> Result<Collected, Fault> {
    let limit = i64::try_from(UNFINISHED_MAX).unwrap_or(i64::MAX).saturating_add(1);
    let rows = tx.query(LIST_UNFINISHED, &[&id.0, &limit]).await?;
    let mut transfers = rows.iter().map(to_unfinished).collect::<Result<Vec<_>, Fault>>()?;
    let cut = transfers.get(UNFINISHED_MAX).map(|first_left_out| first_left_out.key.run);
    transfers.truncate(UNFINISHED_MAX);
    Ok(Collected { transfers, cut })
}

fn to_unfinished(row: &Row) -> Result<Unfinished, Fault> {
    let said: Vec<String> = row.try_get::<_, Option<_>>(11)?.unwrap_or_default();
    let to_said = |name: &String| Said::parse(name).ok_or_else(|| Fault::Unreadable(format!("an entry that says {name}")));
    Ok(Unfinished {
        key: TransferKey { run: RunId::new(row.try_get(0)?), number: row.try_get(1)? },
        run_number: row.try_get(2)?,
        exported_on: row.try_get(3)?,
        payer: row.try_get(4)?,
        payee: row.try_get(5)?,
        amount: Micro::new(row.try_get(6)?),
        currency: row.try_get(7)?,
        standing: to_standing(row.try_get(8)?, row.try_get(9)?, row.try_get(10)?)?,
        said: said.iter().map(to_said).collect::<Result<_, _>>()?,
    })
}

fn to_columns(transfers: &[TransferKey]) -> (Vec<Uuid>, Vec<i64>) {
    transfers.iter().map(|key| (key.run.uuid(), key.number)).unzip()
}
