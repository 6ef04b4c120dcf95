//! The rows of confirmations and of their entries, and the transfers that these may mean.

use super::matching::{Candidate, Matched, Means, Place};
use super::{Confirmation, ConfirmationId, Entry, Format, JudgedEntry, Outcome, Said, Seqs, Stated};
use crate::ids::Referred;
use crate::steps::Actor;
use crate::transfers::{TransferKey, to_reason, to_standing, to_state};
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::copy::CopyIn;
use ledger::{Fault, Tx};
use scrip::{Micro, RunId, Scale, SchemeId};
use std::collections::{BTreeMap, HashMap};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] =
    &[INSERT, FIND, FIND_BY_HASH, LIST, LOCK, SET_APPLIED, FIND_CANDIDATES, COPY_ENTRIES, LIST_ENTRIES, UPDATE_ENTRIES];

macro_rules! select_confirmations {
    ($rest:literal) => {
        concat!(
            "
    SELECT c.id, s.code, c.sha256, c.size_bytes, c.format, c.entry_count, c.uploaded_by, c.uploaded_at, c.applied_by, c.applied_at,
           (SELECT array_agg(e.outcome ORDER BY e.outcome)
            FROM (SELECT DISTINCT outcome FROM confirmation_entries WHERE confirmation_id = c.id) e),
           (SELECT array_agg(e.count ORDER BY e.outcome)
            FROM (SELECT outcome, count(*) AS count FROM confirmation_entries WHERE confirmation_id = c.id GROUP BY outcome) e),
           s.digits
    FROM confirmations c
    JOIN schemes s ON s.id = c.scheme_id
    WHERE ",
            $rest
        )
    };
}

const INSERT: &str = "
    INSERT INTO confirmations (id, scheme_id, sha256, size_bytes, format, state, entry_count, uploaded_by, uploaded_at)
    VALUES ($1, $2, $3, $4, $5, 'proposed', $6, $7, $8)
    ON CONFLICT (scheme_id, sha256) DO NOTHING";

const FIND: &str = select_confirmations!("c.id = $1");
const FIND_BY_HASH: &str = select_confirmations!("c.scheme_id = $1 AND c.sha256 = $2");
const LIST: &str = select_confirmations!(
    "c.scheme_id = $1 AND c.id < $2
    ORDER BY c.id DESC
    LIMIT $3"
);

const LOCK: &str = "
    SELECT scheme_id, state = 'applied'
    FROM confirmations
    WHERE id = $1
    FOR UPDATE";

const SET_APPLIED: &str = "
    UPDATE confirmations
    SET state = 'applied', applied_by = $2, applied_at = $3
    WHERE id = $1";

// Two runs whose ids begin alike are one in 2^48; the scheme's own comes last, and so is the one that counts.
const FIND_CANDIDATES: &str = "
    SELECT u.reference, t.run_id, t.number, t.amount_micro, t.state, t.disputed_from, t.attempt, r.currency, r.state, r.scheme_id = $1, s.code,
           h.states, h.bank_references, CASE WHEN t.payer_id IS NULL THEN house.iban ELSE payer.iban END,
           CASE WHEN t.payee_id IS NULL THEN house.iban ELSE payee.iban END
    FROM unnest($2::text[], $3::uuid[], $4::uuid[], $5::bigint[]) AS u(reference, first_run, last_run, number)
    JOIN runs r ON r.id BETWEEN u.first_run AND u.last_run
    JOIN transfers t ON t.run_id = r.id AND t.number = u.number
    JOIN schemes s ON s.id = r.scheme_id
    JOIN house_account house ON house.single
    LEFT JOIN payouts payer ON payer.vendor_id = t.payer_id
    LEFT JOIN payouts payee ON payee.vendor_id = t.payee_id
    LEFT JOIN LATERAL (SELECT array_agg(p.to_state ORDER BY p.seq) AS states, array_agg(p.bank_reference ORDER BY p.seq) AS bank_references
                       FROM transfer_steps p
                       WHERE p.run_id = t.run_id AND p.number = t.number AND p.bank_reference IS NOT NULL) h ON true
    ORDER BY u.reference, r.scheme_id = $1, r.id";

const COPY_ENTRIES: &str = "
    COPY confirmation_entries (confirmation_id, number, line, reference, amount_micro, amount_unreadable, currency, said, reason_code, reason,
                               bank_reference, booked_on, account_iban, outcome, hint, run_id, transfer_number)
    FROM STDIN BINARY";

const LIST_ENTRIES: &str = "
    SELECT number, line, reference, amount_micro, amount_unreadable, currency, said, reason_code, reason, bank_reference, booked_on, outcome,
           hint, run_id, transfer_number, step_seq, account_iban
    FROM confirmation_entries
    WHERE confirmation_id = $1 AND ($2::text IS NULL OR outcome = $2) AND number > $3
    ORDER BY number
    LIMIT $4";

const UPDATE_ENTRIES: &str = "
    UPDATE confirmation_entries e
    SET outcome = u.outcome, hint = u.hint, run_id = u.run_id, transfer_number = u.transfer_number, step_seq = u.step_seq
    FROM unnest($2::text[], $3::text[], $4::uuid[], $5::bigint[], $6::integer[])
         WITH ORDINALITY AS u(outcome, hint, run_id, transfer_number, step_seq, number)
    WHERE e.confirmation_id = $1 AND e.number = u.number
      AND (e.outcome, e.hint, e.run_id, e.transfer_number, e.step_seq)
          IS DISTINCT FROM (u.outcome, u.hint, u.run_id, u.transfer_number, u.step_seq)";

/// A confirmation to be kept.
pub(super) struct NewConfirmation {
    pub(super) id: ConfirmationId,
    pub(super) scheme: SchemeId,
    pub(super) sha256: [u8; 32],
    pub(super) size_bytes: i64,
    pub(super) format: Format,
    pub(super) entry_count: usize,
}

/// False where the scheme has a confirmation of the same bytes. Waits for an upload of them that is under way.
pub(super) async fn insert(tx: &Tx<'_>, new: &NewConfirmation, actor: &Actor, at: Timestamp) -> Result<bool, Fault> {
    let NewConfirmation { id, scheme, sha256, size_bytes, format, entry_count } = new;
    let count = to_count(*entry_count)?;
    let (hash, by) = (sha256.as_slice(), actor.to_string());
    Ok(tx.execute(INSERT, &[&id.0, &scheme.uuid(), &hash, size_bytes, &format.as_str(), &count, &by, &at]).await? == 1)
}

pub(super) async fn find(tx: &Tx<'_>, id: ConfirmationId) -> Result<Option<Confirmation>, Fault> {
    tx.query_opt(FIND, &[&id.0]).await?.as_ref().map(to_confirmation).transpose()
}

pub(super) async fn get_by_hash(tx: &Tx<'_>, scheme: SchemeId, sha256: &[u8; 32]) -> Result<Confirmation, Fault> {
    to_confirmation(&tx.query_one(FIND_BY_HASH, &[&scheme.uuid(), &sha256.as_slice()]).await?)
}

pub(super) async fn list(tx: &Tx<'_>, scheme: SchemeId, after: Option<Uuid>, limit: i64) -> Result<Vec<Confirmation>, Fault> {
    tx.query(LIST, &[&scheme.uuid(), &after.unwrap_or(Uuid::max()), &limit]).await?.iter().map(to_confirmation).collect()
}

/// The confirmation's scheme, and whether it is applied, which nobody else changes until the tx ends.
pub(super) async fn lock(tx: &Tx<'_>, id: ConfirmationId) -> Result<Option<(SchemeId, bool)>, Fault> {
    tx.query_opt(LOCK, &[&id.0]).await?.map(|row| Ok((SchemeId::new(row.try_get(0)?), row.try_get(1)?))).transpose()
}

pub(super) async fn set_applied(tx: &Tx<'_>, id: ConfirmationId, actor: &Actor, at: Timestamp) -> Result<(), Fault> {
    tx.execute(SET_APPLIED, &[&id.0, &actor.to_string(), &at]).await?;
    Ok(())
}

/// The transfers that these references name, of whichever scheme.
pub(super) async fn find_candidates(
    tx: &Tx<'_>,
    scheme: SchemeId,
    referred: &[(&str, Referred)],
) -> Result<HashMap<String, Candidate>, Fault> {
    let references: Vec<&str> = referred.iter().map(|(text, _)| *text).collect();
    let first: Vec<Uuid> = referred.iter().map(|(_, referred)| referred.first_run).collect();
    let last: Vec<Uuid> = referred.iter().map(|(_, referred)| referred.last_run).collect();
    let numbers: Vec<i64> = referred.iter().map(|(_, referred)| referred.number).collect();
    let rows = tx.query(FIND_CANDIDATES, &[&scheme.uuid(), &references, &first, &last, &numbers]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, to_candidate(row)?))).collect()
}

fn to_candidate(row: &Row) -> Result<Candidate, Fault> {
    let run_state: String = row.try_get(8)?;
    let place = match (row.try_get(9)?, run_state.as_str()) {
        (true, "exported" | "settling") => Place::Here,
        (true, "settled") => Place::Settled,
        (true, _) => Place::NotExported(run_state),
        (false, _) => Place::Elsewhere(row.try_get(10)?),
    };
    let states: Vec<String> = row.try_get::<_, Option<_>>(11)?.unwrap_or_default();
    let bank_references: Vec<String> = row.try_get::<_, Option<_>>(12)?.unwrap_or_default();
    let heard = states.iter().zip(bank_references).map(|(state, reference)| Ok((to_state(state)?, reference)));
    Ok(Candidate {
        key: TransferKey { run: RunId::new(row.try_get(1)?), number: row.try_get(2)? },
        amount: Micro::new(row.try_get(3)?),
        currency: row.try_get(7)?,
        standing: to_standing(row.try_get(4)?, row.try_get(5)?, row.try_get(6)?)?,
        place,
        heard: heard.collect::<Result<_, Fault>>()?,
        payer_account: row.try_get(13)?,
        payee_account: row.try_get(14)?,
    })
}

pub(super) async fn insert_entries(tx: &Tx<'_>, id: ConfirmationId, entries: &[Entry], matched: &[Matched]) -> Result<(), Fault> {
    let types = &[
        Type::UUID,
        Type::INT4,
        Type::INT8,
        Type::TEXT,
        Type::INT8,
        Type::BOOL,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::DATE,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::UUID,
        Type::INT8,
    ];
    let mut copy = CopyIn::begin(tx, COPY_ENTRIES, types).await?;
    for (number, (entry, matched)) in (1_i32..).zip(entries.iter().zip(matched)) {
        let Entry { line, reference, amount, currency, said, reason, bank_reference, booked_on, account } = entry;
        let Matched { outcome, means, hint, step: _, takers: _ } = matched;
        let line = i64::try_from(*line).map_err(|e| Fault::Unreadable(e.to_string()))?;
        let micro = match amount {
            Stated::Amount(amount) => Some(amount.units()),
            Stated::Nothing | Stated::Unreadable => None,
        };
        let unreadable = *amount == Stated::Unreadable;
        let code = reason.as_ref().and_then(|reason| reason.code).map(|reason| reason.code);
        let text = reason.as_ref().and_then(|reason| reason.text.as_deref());
        let (run, transfer_number) = named(means);
        copy.row(&[
            &id.0,
            &number,
            &line,
            reference,
            &micro,
            &unreadable,
            currency,
            &said.as_str(),
            &code,
            &text,
            bank_reference,
            booked_on,
            account,
            &outcome.as_str(),
            hint,
            &run,
            &transfer_number,
        ])
        .await?;
    }
    copy.finish().await
}

pub(super) async fn list_entries(
    tx: &Tx<'_>,
    id: ConfirmationId,
    outcome: Option<Outcome>,
    after: i32,
    limit: i64,
) -> Result<Vec<JudgedEntry>, Fault> {
    tx.query(LIST_ENTRIES, &[&id.0, &outcome.map(Outcome::as_str), &after, &limit]).await?.iter().map(to_judged_entry).collect()
}

/// What the entries come to, in their order, and the steps that they made of what they name.
pub(super) async fn update_entries(tx: &Tx<'_>, id: ConfirmationId, matched: &[Matched], seqs: &Seqs) -> Result<(), Fault> {
    let outcomes: Vec<&str> = matched.iter().map(|matched| matched.outcome.as_str()).collect();
    let hints: Vec<Option<&str>> = matched.iter().map(|matched| matched.hint.as_deref()).collect();
    let (runs, numbers): (Vec<Option<Uuid>>, Vec<Option<i64>>) = matched.iter().map(|matched| named(&matched.means)).unzip();
    let seq = |(number, matched): (i32, &Matched)| seqs.get(&(number, matched.means.named()?)).copied();
    let seqs: Vec<Option<i32>> = (1..).zip(matched).map(seq).collect();
    tx.execute(UPDATE_ENTRIES, &[&id.0, &outcomes, &hints, &runs, &numbers, &seqs]).await?;
    Ok(())
}

fn named(means: &Means) -> (Option<Uuid>, Option<i64>) {
    means.named().map(|TransferKey { run, number }| (run.uuid(), number)).unzip()
}

fn to_confirmation(row: &Row) -> Result<Confirmation, Fault> {
    let (format, digits): (&str, i16) = (row.try_get(4)?, row.try_get(12)?);
    let applied = row.try_get::<_, Option<String>>(8)?.zip(row.try_get::<_, Option<Timestamp>>(9)?);
    let outcomes: Vec<String> = row.try_get::<_, Option<_>>(10)?.unwrap_or_default();
    let counts: Vec<i64> = row.try_get::<_, Option<_>>(11)?.unwrap_or_default();
    Ok(Confirmation {
        id: ConfirmationId(row.try_get(0)?),
        scheme: row.try_get(1)?,
        digits: Scale::try_new(digits.into()).ok_or_else(|| Fault::Unreadable(format!("{digits} digits")))?,
        sha256: crate::seals::to_hash(row.try_get(2)?)?,
        size_bytes: row.try_get(3)?,
        format: Format::parse(format).ok_or_else(|| Fault::Unreadable(format!("format {format}")))?,
        entry_count: row.try_get(5)?,
        uploaded_by: row.try_get(6)?,
        uploaded_at: row.try_get(7)?,
        applied,
        counts: outcomes
            .iter()
            .zip(counts)
            .map(|(outcome, count)| Ok((to_outcome(outcome)?, count)))
            .collect::<Result<BTreeMap<_, _>, Fault>>()?,
    })
}

fn to_judged_entry(row: &Row) -> Result<JudgedEntry, Fault> {
    let (line, said): (i64, &str) = (row.try_get(1)?, row.try_get(6)?);
    let said = Said::parse(said).ok_or_else(|| Fault::Unreadable(format!("an entry that says {said}")))?;
    let amount = match (row.try_get::<_, Option<i64>>(3)?, row.try_get(4)?) {
        (Some(micro), _) => Stated::Amount(Micro::new(micro)),
        (None, true) => Stated::Unreadable,
        (None, false) => Stated::Nothing,
    };
    let entry = Entry {
        line: u64::try_from(line).map_err(|e| Fault::Unreadable(e.to_string()))?,
        reference: row.try_get(2)?,
        amount,
        currency: row.try_get(5)?,
        said,
        reason: if said == Said::Failed { Some(to_reason(row.try_get(7)?, row.try_get(8)?)?) } else { None },
        bank_reference: row.try_get(9)?,
        booked_on: row.try_get::<_, Option<Date>>(10)?,
        account: row.try_get(16)?,
    };
    let transfer = row.try_get::<_, Option<Uuid>>(13)?.zip(row.try_get::<_, Option<i64>>(14)?);
    Ok(JudgedEntry {
        number: row.try_get(0)?,
        entry,
        outcome: to_outcome(row.try_get(11)?)?,
        transfer: transfer.map(|(run, number)| TransferKey { run: RunId::new(run), number }),
        step_seq: row.try_get(15)?,
        hint: row.try_get(12)?,
    })
}

fn to_outcome(name: &str) -> Result<Outcome, Fault> {
    Outcome::parse(name).ok_or_else(|| Fault::Unreadable(format!("outcome {name}")))
}

fn to_count(count: usize) -> Result<i32, Fault> {
    i32::try_from(count).map_err(|e| Fault::Unreadable(e.to_string()))
}
