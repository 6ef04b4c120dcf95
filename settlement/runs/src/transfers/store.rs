//! The rows of transfers under settlement, of their steps, and of the requests that made these.

use super::reasons::{Reason, ReasonCode};
use super::states::{Standing, TransferState};
use super::{NewStep, Party, Step, TransferKey, UnderSettlement};
use crate::steps::{Actor, RunState};
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::{Claim, Fault, TermsChange, Tx};
use scrip::{Micro, RunId, Scale, SchemeId, VendorId};
use std::collections::HashMap;
use tokio_postgres::Row;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[CLAIM, FIND_CLAIM, FIND, LIST_STEPS, FIND_STEP, HAS_UNFINISHED, UPDATE_TRANSFERS, INSERT_STEPS, LIST_DUE];

const CLAIM: &str = "
    INSERT INTO idempotency (actor_id, key, request_hash, answer, created_at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (actor_id, key) DO NOTHING";

const FIND_CLAIM: &str = "
    SELECT request_hash, answer
    FROM idempotency
    WHERE actor_id = $1 AND key = $2";

const FIND: &str = "
    SELECT t.id, t.payer_id, payer.code, t.payee_id, payee.code, t.amount_micro, t.state, t.disputed_from, t.attempt,
           r.state, r.currency, r.digits, r.scheme_id
    FROM transfers t
    JOIN runs r ON r.id = t.run_id
    LEFT JOIN vendors payer ON payer.id = t.payer_id
    LEFT JOIN vendors payee ON payee.id = t.payee_id
    WHERE t.run_id = $1 AND t.number = $2";

const LIST_STEPS: &str = "
    SELECT seq, from_state, to_state, attempt, actor, bank_reference, booked_on, reason_code, reason, confirmation_id, stepped_at
    FROM transfer_steps
    WHERE run_id = $1 AND number = $2
    ORDER BY seq";

const FIND_STEP: &str = "
    SELECT seq, from_state, to_state, attempt, actor, bank_reference, booked_on, reason_code, reason, confirmation_id, stepped_at
    FROM transfer_steps
    WHERE run_id = $1 AND number = $2 AND seq = $3";

const HAS_UNFINISHED: &str = "
    SELECT EXISTS (SELECT FROM transfers WHERE run_id = $1 AND state NOT IN ('received', 'rolled', 'written_off'))";

const UPDATE_TRANSFERS: &str = "
    UPDATE transfers t
    SET state = u.to_state, attempt = u.attempt, disputed_from = CASE WHEN u.to_state = 'disputed' THEN u.from_state END
    FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::integer[]) AS u(run_id, number, from_state, to_state, attempt)
    WHERE t.run_id = u.run_id AND t.number = u.number AND t.state = u.from_state";

// A step follows the last one of its transfer, whose row is locked.
const INSERT_STEPS: &str = "
    INSERT INTO transfer_steps (run_id, number, seq, from_state, to_state, attempt, actor, bank_reference, booked_on, reason_code, reason,
                                confirmation_id, stepped_at)
    SELECT u.run_id, u.number, coalesce((SELECT max(s.seq) FROM transfer_steps s WHERE s.run_id = u.run_id AND s.number = u.number), 0) + 1,
           u.from_state, u.to_state, u.attempt, $10, u.bank_reference, u.booked_on, u.reason_code, u.reason, $11, $12
    FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::date[], $8::text[], $9::text[])
         AS u(run_id, number, from_state, to_state, attempt, bank_reference, booked_on, reason_code, reason)
    RETURNING run_id, number, seq";

const LIST_DUE: &str = "
    SELECT t.run_id, t.number
    FROM transfers t
    JOIN runs r ON r.id = t.run_id
    JOIN schemes s ON s.id = r.scheme_id
    WHERE t.state = 'failed' AND t.payer_id IS NOT NULL AND t.payee_id IS NOT NULL AND s.failure_rule = 'carry_over'
      AND (SELECT max(p.stepped_at) FROM transfer_steps p WHERE p.run_id = t.run_id AND p.number = t.number)
          + make_interval(hours => s.grace_hours) <= $1
    ORDER BY t.run_id, t.number
    LIMIT 100";

/// What the key was used for: the hash of the request, and its answer.
pub(super) async fn find_claim(tx: &Tx<'_>, claim: &Claim) -> Result<Option<(Vec<u8>, String)>, Fault> {
    let row = tx.query_opt(FIND_CLAIM, &[&claim.actor, &claim.key]).await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
}

/// Claims the key with its answer; false where somebody else has used it meanwhile.
pub(super) async fn claim(tx: &Tx<'_>, claim: &Claim, answer: &str, at: Timestamp) -> Result<bool, Fault> {
    let Claim { actor, key, request_hash } = claim;
    Ok(tx.execute(CLAIM, &[actor, key, &request_hash.as_slice(), &answer, &at]).await? == 1)
}

pub(super) async fn find(tx: &Tx<'_>, key: TransferKey) -> Result<Option<UnderSettlement>, Fault> {
    let Some(row) = tx.query_opt(FIND, &[&key.run.uuid(), &key.number]).await? else { return Ok(None) };
    let party = |id: usize, code: usize| {
        let found = row.try_get::<_, Option<Uuid>>(id)?.map(VendorId::new).zip(row.try_get::<_, Option<String>>(code)?);
        Ok::<_, Fault>(found.map(|(id, code)| Party { id, code }))
    };
    let (run_state, digits): (&str, i16) = (row.try_get(9)?, row.try_get(11)?);
    Ok(Some(UnderSettlement {
        key,
        id: row.try_get(0)?,
        payer: party(1, 2)?,
        payee: party(3, 4)?,
        amount: Micro::new(row.try_get(5)?),
        standing: to_standing(row.try_get(6)?, row.try_get(7)?, row.try_get(8)?)?,
        run_state: RunState::parse(run_state).ok_or_else(|| Fault::Unreadable(format!("run state {run_state}")))?,
        currency: row.try_get(10)?,
        digits: Scale::try_new(digits.into()).ok_or_else(|| Fault::Unreadable(format!("{digits} digits")))?,
        scheme: SchemeId::new(row.try_get(12)?),
    }))
}

/// Where a transfer stands, from its columns.
pub(crate) fn to_standing(state: &str, disputed_from: Option<&str>, attempt: i32) -> Result<Standing, Fault> {
    Ok(Standing { state: to_state(state)?, disputed_from: disputed_from.map(to_state).transpose()?, attempt })
}

pub(crate) fn to_state(name: &str) -> Result<TransferState, Fault> {
    TransferState::parse(name).ok_or_else(|| Fault::Unreadable(format!("transfer state {name}")))
}

pub(crate) fn to_reason(code: Option<&str>, text: Option<String>) -> Result<Reason, Fault> {
    let find = |code: &str| ReasonCode::find(code).ok_or_else(|| Fault::Unreadable(format!("reason code {code}")));
    Ok(Reason { code: code.map(find).transpose()?, text })
}

pub(super) async fn list_steps(tx: &Tx<'_>, key: TransferKey) -> Result<Vec<Step>, Fault> {
    tx.query(LIST_STEPS, &[&key.run.uuid(), &key.number]).await?.iter().map(to_step).collect()
}

pub(super) async fn get_step(tx: &Tx<'_>, key: TransferKey, seq: i32) -> Result<Step, Fault> {
    to_step(&tx.query_one(FIND_STEP, &[&key.run.uuid(), &key.number, &seq]).await?)
}

fn to_step(row: &Row) -> Result<Step, Fault> {
    let actor: &str = row.try_get(4)?;
    Ok(Step {
        seq: row.try_get(0)?,
        from: to_state(row.try_get(1)?)?,
        to: to_state(row.try_get(2)?)?,
        attempt: row.try_get(3)?,
        actor: actor.parse().map_err(|_| Fault::Unreadable(format!("actor {actor}")))?,
        bank_reference: row.try_get(5)?,
        booked_on: row.try_get(6)?,
        reason: to_reason(row.try_get(7)?, row.try_get(8)?)?,
        confirmation: row.try_get(9)?,
        stepped_at: row.try_get(10)?,
    })
}

/// Transfers that failed and whose time to be tried again is up; a hundred at a time.
pub(super) async fn list_due(tx: &Tx<'_>, now: Timestamp) -> Result<Vec<TransferKey>, Fault> {
    let rows = tx.query(LIST_DUE, &[&now]).await?;
    rows.iter().map(|row| Ok(TransferKey { run: RunId::new(row.try_get(0)?), number: row.try_get(1)? })).collect()
}

/// Whether a transfer of the run can still change.
pub(super) async fn has_unfinished(tx: &Tx<'_>, run: RunId) -> Result<bool, Fault> {
    Ok(tx.query_one(HAS_UNFINISHED, &[&run.uuid()]).await?.try_get(0)?)
}

/// Takes each transfer one step further and writes that down; answers with the number of each step. No transfer may be named twice, and
/// each must stand where its step begins. The caller has locked their runs. None is rolled like this.
pub(crate) async fn take_steps(
    tx: &Tx<'_>,
    steps: &[NewStep],
    actor: &Actor,
    confirmation: Option<Uuid>,
    stepped_at: Timestamp,
) -> Result<HashMap<TransferKey, i32>, Fault> {
    assert!(steps.iter().all(|step| step.next.state != TransferState::Rolled), "what is rolled counts elsewhere, which changes terms");
    write_steps(tx, steps, actor, confirmation, stepped_at).await
}

/// Rolls the transfers likewise: from the commit on they count no more.
pub(crate) async fn roll_steps(
    tx: &TermsChange<'_, '_>,
    steps: &[NewStep],
    actor: &Actor,
    stepped_at: Timestamp,
) -> Result<HashMap<TransferKey, i32>, Fault> {
    write_steps(tx, steps, actor, None, stepped_at).await
}

async fn write_steps(
    tx: &Tx<'_>,
    steps: &[NewStep],
    actor: &Actor,
    confirmation: Option<Uuid>,
    stepped_at: Timestamp,
) -> Result<HashMap<TransferKey, i32>, Fault> {
    let runs: Vec<Uuid> = steps.iter().map(|step| step.transfer.run.uuid()).collect();
    let numbers: Vec<i64> = steps.iter().map(|step| step.transfer.number).collect();
    let from: Vec<&str> = steps.iter().map(|step| step.from.as_str()).collect();
    let to: Vec<&str> = steps.iter().map(|step| step.next.state.as_str()).collect();
    let attempts: Vec<i32> = steps.iter().map(|step| step.next.attempt).collect();
    let taken = tx.execute(UPDATE_TRANSFERS, &[&runs, &numbers, &from, &to, &attempts]).await?;
    if usize::try_from(taken).ok() != Some(steps.len()) {
        return Err(Fault::Unreadable(format!("{taken} of {} transfers stood where they were said to", steps.len())));
    }

    let bank_references: Vec<Option<&str>> = steps.iter().map(|step| step.bank_reference.as_deref()).collect();
    let days: Vec<Option<Date>> = steps.iter().map(|step| step.booked_on).collect();
    let codes: Vec<Option<&str>> = steps.iter().map(|step| step.reason.code.map(|reason| reason.code)).collect();
    let texts: Vec<Option<&str>> = steps.iter().map(|step| step.reason.text.as_deref()).collect();
    let rows = tx
        .query(
            INSERT_STEPS,
            &[
                &runs,
                &numbers,
                &from,
                &to,
                &attempts,
                &bank_references,
                &days,
                &codes,
                &texts,
                &actor.to_string(),
                &confirmation,
                &stepped_at,
            ],
        )
        .await?;
    rows.iter().map(|row| Ok((TransferKey { run: RunId::new(row.try_get(0)?), number: row.try_get(1)? }, row.try_get(2)?))).collect()
}
