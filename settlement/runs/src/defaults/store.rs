//! The rows of defaults, and what they are decided on.

use super::{Case, Default, Draw, Replaced, Standing, Terms, draws_store};
use crate::steps::{Actor, RunState};
use crate::transfers::{NewStep, TransferKey, to_standing};
use jiff::Timestamp;
use ledger::obligations::NewObligation;
use ledger::{Fault, Tx};
use netting::clearing::{Payment, Replacement, Rule};
use scrip::code::HOUSE;
use scrip::{Micro, RunId, Scale, SchemeId, VendorId};
use std::collections::HashMap;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[
    FIND_PAYER,
    LIST_EARLIER,
    LIST_TRANSFERS,
    FIND_TERMS,
    LOCK_COLLATERAL,
    TAKE_COLLATERAL,
    LIST_IDS,
    INSERT,
    INSERT_DEBTS,
    NAME_DEFAULT,
    LIST_DUE,
    LIST,
    LIST_DECLARED,
    LIST_REPLACED,
    LIST_FAILED,
    LIST_DEBTS,
];

const FIND_PAYER: &str = "
    SELECT v.id
    FROM vendors v
    WHERE v.code = $2 AND EXISTS (SELECT FROM transfers t WHERE t.run_id = $1 AND t.payer_id = v.id)";

const LIST_EARLIER: &str = "
    SELECT vendor_id
    FROM defaults
    WHERE run_id = $1";

const LIST_TRANSFERS: &str = "
    SELECT t.number, t.state, t.disputed_from, t.attempt, payee.code, t.amount_micro
    FROM transfers t
    LEFT JOIN vendors payee ON payee.id = t.payee_id
    WHERE t.run_id = $1 AND t.payer_id = $2
    ORDER BY t.number";

const FIND_TERMS: &str = "
    SELECT r.state, r.scheme_id, r.digits, s.failure_rule
    FROM runs r
    JOIN schemes s ON s.id = r.scheme_id
    WHERE r.id = $1";

const LOCK_COLLATERAL: &str = "
    SELECT collateral_micro
    FROM scheme_members
    WHERE scheme_id = $1 AND vendor_id = $2
    FOR NO KEY UPDATE";

const TAKE_COLLATERAL: &str = "
    UPDATE scheme_members
    SET collateral_micro = collateral_micro - $3, collateral_version = collateral_version + 1
    WHERE scheme_id = $1 AND vendor_id = $2 AND $3::bigint > 0";

const LIST_IDS: &str = "
    SELECT code, id
    FROM vendors
    WHERE code = ANY ($1::text[])";

const INSERT: &str = "
    INSERT INTO defaults (id, run_id, vendor_id, rule, collateral_micro, reason, declared_by, declared_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

const INSERT_DEBTS: &str = "
    INSERT INTO default_debts (default_id, debtor_id, creditor_id, amount_micro)
    SELECT $1, debtor_id, creditor_id, amount_micro
    FROM unnest($2::uuid[], $3::uuid[], $4::bigint[]) AS u(debtor_id, creditor_id, amount_micro)";

const NAME_DEFAULT: &str = "
    UPDATE transfers
    SET default_id = $3
    WHERE run_id = $1 AND number = ANY ($2::bigint[])";

// Failed transfers are few, and have an index of their own.
const LIST_DUE: &str = "
    WITH failed AS (
        SELECT t.run_id, t.payer_id, t.payee_id, r.scheme_id,
               (SELECT max(p.stepped_at) FROM transfer_steps p WHERE p.run_id = t.run_id AND p.number = t.number) AS failed_at
        FROM transfers t
        JOIN runs r ON r.id = t.run_id
        WHERE t.state = 'failed' AND ($2::uuid IS NULL OR t.run_id = $2)
    )
    SELECT f.run_id, v.code
    FROM failed f
    JOIN schemes s ON s.id = f.scheme_id AND s.failure_rule <> 'carry_over'
    JOIN vendors v ON v.id = f.payer_id
    WHERE NOT EXISTS (SELECT FROM transfers u
                      WHERE u.run_id = f.run_id AND u.payer_id = f.payer_id AND u.state IN ('instructed', 'sent', 'retried', 'disputed'))
          AND ($3::text IS NULL OR v.code = $3)
    GROUP BY f.run_id, v.code, s.grace_hours
    HAVING bool_and(f.payee_id IS NOT NULL) AND max(f.failed_at) + make_interval(hours => s.grace_hours) <= $1
    ORDER BY f.run_id, v.code
    LIMIT 100";

const LIST: &str = "
    SELECT d.id, v.code, d.rule, d.declared_at,
           coalesce((SELECT sum(t.amount_micro) FROM transfers t WHERE t.default_id = d.id), 0)::bigint
    FROM defaults d
    JOIN vendors v ON v.id = d.vendor_id
    WHERE d.run_id = $1 AND v.code > $2
    ORDER BY v.code
    LIMIT $3";

const LIST_DECLARED: &str = "
    SELECT id, declared_by, reason
    FROM defaults
    WHERE id = ANY ($1::uuid[])";

const LIST_REPLACED: &str = "
    SELECT d.id, d.run_id, r.digits, v.code, d.rule, d.collateral_micro
    FROM defaults d
    JOIN runs r ON r.id = d.run_id
    JOIN vendors v ON v.id = d.vendor_id
    ORDER BY d.run_id, d.id";

const LIST_FAILED: &str = "
    SELECT t.default_id, payee.code, t.amount_micro
    FROM transfers t
    JOIN vendors payee ON payee.id = t.payee_id
    WHERE t.default_id = ANY ($1::uuid[])
    ORDER BY t.run_id, t.number";

const LIST_DEBTS: &str = "
    SELECT b.default_id, d.code, c.code, b.amount_micro
    FROM default_debts b
    JOIN vendors d ON d.id = b.debtor_id
    JOIN vendors c ON c.id = b.creditor_id
    WHERE b.default_id = ANY ($1::uuid[])
    ORDER BY b.default_id, d.code, c.code";

/// The vendor of that code, if a transfer of the run is its to make.
pub(super) async fn find_payer(tx: &Tx<'_>, run: RunId, code: &str) -> Result<Option<VendorId>, Fault> {
    // PostgreSQL takes no NUL, and no code has one.
    if code.contains('\0') {
        return Ok(None);
    }
    tx.query_opt(FIND_PAYER, &[&run.uuid(), &code]).await?.map(|row| Ok(VendorId::new(row.try_get(0)?))).transpose()
}

/// Those who have defaulted in the run.
pub(super) async fn list_earlier(tx: &Tx<'_>, run: RunId) -> Result<Vec<VendorId>, Fault> {
    tx.query(LIST_EARLIER, &[&run.uuid()]).await?.iter().map(|row| Ok(VendorId::new(row.try_get(0)?))).collect()
}

/// The transfers of the run that the vendor was to make.
pub(super) async fn list_transfers(tx: &Tx<'_>, run: RunId, vendor: VendorId) -> Result<Vec<Standing>, Fault> {
    let rows = tx.query(LIST_TRANSFERS, &[&run.uuid(), &vendor.uuid()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Standing {
                key: TransferKey { run, number: row.try_get(0)? },
                standing: to_standing(row.try_get(1)?, row.try_get(2)?, row.try_get(3)?)?,
                payee: row.try_get::<_, Option<&str>>(4)?.unwrap_or(HOUSE).to_owned(),
                amount: Micro::new(row.try_get(5)?),
            })
        })
        .collect()
}

/// The run's state, and what its scheme says.
pub(super) async fn find_terms(tx: &Tx<'_>, run: RunId) -> Result<Option<Terms>, Fault> {
    let Some(row) = tx.query_opt(FIND_TERMS, &[&run.uuid()]).await? else { return Ok(None) };
    let state: &str = row.try_get(0)?;
    Ok(Some(Terms {
        state: RunState::parse(state).ok_or_else(|| Fault::Unreadable(format!("run state {state}")))?,
        scheme: SchemeId::new(row.try_get(1)?),
        digits: to_digits(row.try_get(2)?)?,
        rule: to_rule(row.try_get(3)?)?,
    }))
}

fn to_digits(digits: i16) -> Result<Scale, Fault> {
    Scale::try_new(digits.into()).ok_or_else(|| Fault::Unreadable(format!("{digits} digits")))
}

fn to_rule(name: &str) -> Result<Rule, Fault> {
    name.parse().map_err(|_unknown| Fault::Unreadable(format!("failure rule {name}")))
}

/// What the house holds of the vendor's, which nobody else changes until the tx ends.
pub(super) async fn lock_collateral(tx: &Tx<'_>, case: &Case) -> Result<Micro, Fault> {
    let row = tx.query_opt(LOCK_COLLATERAL, &[&case.scheme.uuid(), &case.vendor.0.uuid()]).await?;
    row.map_or(Ok(Micro::ZERO), |row| Ok(Micro::new(row.try_get(0)?)))
}

pub(super) async fn take_collateral(tx: &Tx<'_>, case: &Case, draws: &[Payment]) -> Result<(), Fault> {
    let too_much = || Fault::Unreadable("more drawn than there is".to_owned());
    let drawn = draws.iter().try_fold(Micro::ZERO, |sum, draw| sum.checked_add(draw.amount)).ok_or_else(too_much)?;
    tx.execute(TAKE_COLLATERAL, &[&case.scheme.uuid(), &case.vendor.0.uuid(), &drawn.units()]).await?;
    Ok(())
}

/// The ids of everybody whom the replacement names.
pub(super) async fn list_ids(tx: &Tx<'_>, replacement: &Replacement) -> Result<HashMap<String, VendorId>, Fault> {
    let parties = replacement.owed.iter().flat_map(|owed| [owed.debtor.as_str(), owed.creditor.as_str()]);
    let codes: Vec<&str> = parties.chain(replacement.draws.iter().map(|draw| draw.payee.as_str())).collect();
    let rows = tx.query(LIST_IDS, &[&codes]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, VendorId::new(row.try_get(1)?)))).collect()
}

pub(super) fn id_of(ids: &HashMap<String, VendorId>, code: &str) -> Result<VendorId, Fault> {
    ids.get(code).copied().ok_or_else(|| Fault::Unreadable(format!("vendor {code} is gone")))
}

/// What is owed since, between ids.
pub(super) fn to_obligations(replacement: &Replacement, ids: &HashMap<String, VendorId>) -> Result<Vec<NewObligation>, Fault> {
    let obligation = |owed: &netting::Carry| {
        let (debtor, creditor) = (id_of(ids, owed.debtor.as_str())?, id_of(ids, owed.creditor.as_str())?);
        Ok(NewObligation { debtor, creditor, amount: owed.amount })
    };
    replacement.owed.iter().map(obligation).collect()
}

pub(super) async fn insert(
    tx: &Tx<'_>,
    id: Uuid,
    case: &Case,
    collateral: Micro,
    reason: &str,
    actor: &Actor,
    at: Timestamp,
) -> Result<(), Fault> {
    let (run, vendor, rule) = (case.run.uuid(), case.vendor.0.uuid(), case.rule.name());
    tx.execute(INSERT, &[&id, &run, &vendor, &rule, &collateral.units(), &reason, &actor.to_string(), &at]).await?;
    Ok(())
}

pub(super) async fn insert_debts(tx: &Tx<'_>, id: Uuid, debts: &[NewObligation]) -> Result<(), Fault> {
    let debtors: Vec<Uuid> = debts.iter().map(|debt| debt.debtor.uuid()).collect();
    let creditors: Vec<Uuid> = debts.iter().map(|debt| debt.creditor.uuid()).collect();
    let amounts: Vec<i64> = debts.iter().map(|debt| debt.amount.units()).collect();
    tx.execute(INSERT_DEBTS, &[&id, &debtors, &creditors, &amounts]).await?;
    Ok(())
}

/// Says of the transfers what their end follows from.
pub(super) async fn name_default(tx: &Tx<'_>, run: RunId, steps: &[NewStep], id: Uuid) -> Result<(), Fault> {
    let numbers: Vec<i64> = steps.iter().map(|step| step.transfer.number).collect();
    tx.execute(NAME_DEFAULT, &[&run.uuid(), &numbers, &id]).await?;
    Ok(())
}

/// Run and vendor of the defaults whose time has come, or this one alone if it has; a hundred at a time.
pub(super) async fn list_due(tx: &Tx<'_>, now: Timestamp, only: Option<(RunId, &str)>) -> Result<Vec<(RunId, String)>, Fault> {
    let rows = tx.query(LIST_DUE, &[&now, &only.map(|(run, _)| run.uuid()), &only.map(|(_, vendor)| vendor)]).await?;
    rows.iter().map(|row| Ok((RunId::new(row.try_get(0)?), row.try_get(1)?))).collect()
}

/// The run's defaults of vendors with a code above `after`, as far as the tx may see them: of what is paid and owed, a vendor its own part.
pub async fn list(tx: &Tx<'_>, run: RunId, after: &str, limit: i64) -> Result<Vec<Default>, Fault> {
    let rows = tx.query(LIST, &[&run.uuid(), &after, &limit]).await?;
    let mut defaults: Vec<Default> = Vec::with_capacity(rows.len());
    for row in &rows {
        defaults.push(Default {
            id: row.try_get(0)?,
            vendor: row.try_get(1)?,
            rule: to_rule(row.try_get(2)?)?,
            declared: None,
            declared_at: row.try_get(3)?,
            failed: Micro::new(row.try_get(4)?),
            draws: Vec::new(),
            debts: Vec::new(),
        });
    }
    let ids: Vec<Uuid> = defaults.iter().map(|default| default.id).collect();
    let (mut draws, mut debts) = (draws_store::list(tx, &ids).await?, list_debts(tx, &ids).await?);
    for default in &mut defaults {
        default.draws = draws.remove(&default.id).unwrap_or_default();
        default.debts = debts.remove(&default.id).unwrap_or_default();
    }
    Ok(defaults)
}

/// Adds what only the house may see: who declared the defaults, and why, and how what was said of their draws was put right.
pub async fn tell_house(tx: &Tx<'_>, defaults: &mut [Default]) -> Result<(), Fault> {
    let ids: Vec<Uuid> = defaults.iter().map(|default| default.id).collect();
    let mut declared = list_declared(tx, &ids).await?;
    let mut corrections = draws_store::list_corrections(tx, &ids).await?;
    for default in defaults {
        default.declared = declared.remove(&default.id);
        for draw in &mut default.draws {
            draw.corrections = Some(corrections.remove(&(default.id, draw.number)).unwrap_or_default());
        }
    }
    Ok(())
}

async fn list_declared(tx: &Tx<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, (Actor, String)>, Fault> {
    let rows = tx.query(LIST_DECLARED, &[&ids]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, (to_actor(row.try_get(1)?)?, row.try_get(2)?)))).collect()
}

pub(super) fn to_actor(text: &str) -> Result<Actor, Fault> {
    text.parse().map_err(|_unknown| Fault::Unreadable(format!("actor {text}")))
}

/// Every default with what it was decided on, run by run, for whoever decides it again.
pub(crate) async fn list_replaced(tx: &Tx<'_>) -> Result<Vec<Replaced>, Fault> {
    let rows = tx.query(LIST_REPLACED, &[]).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let mut failed = list_failed(tx, &ids).await?;
    let (mut draws, mut debts) = (draws_store::list(tx, &ids).await?, list_debts(tx, &ids).await?);
    rows.iter()
        .map(|row| {
            let id: Uuid = row.try_get(0)?;
            Ok(Replaced {
                id,
                run: RunId::new(row.try_get(1)?),
                digits: to_digits(row.try_get(2)?)?,
                vendor: row.try_get(3)?,
                rule: to_rule(row.try_get(4)?)?,
                collateral: Micro::new(row.try_get(5)?),
                failed: failed.remove(&id).unwrap_or_default(),
                draws: draws.remove(&id).unwrap_or_default().into_iter().map(to_payment).collect(),
                debts: debts.remove(&id).unwrap_or_default(),
            })
        })
        .collect()
}

fn to_payment(Draw { payee, amount, .. }: Draw) -> Payment {
    Payment { payee, amount }
}

/// By default: payee and amount.
async fn list_failed(tx: &Tx<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<Payment>>, Fault> {
    let mut payments: HashMap<Uuid, Vec<Payment>> = HashMap::new();
    for row in tx.query(LIST_FAILED, &[&ids]).await? {
        let payment = Payment { payee: row.try_get(1)?, amount: Micro::new(row.try_get(2)?) };
        payments.entry(row.try_get(0)?).or_default().push(payment);
    }
    Ok(payments)
}

/// By default: debtor, creditor and amount.
async fn list_debts(tx: &Tx<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<(String, String, Micro)>>, Fault> {
    let mut debts: HashMap<Uuid, Vec<(String, String, Micro)>> = HashMap::new();
    for row in tx.query(LIST_DEBTS, &[&ids]).await? {
        debts.entry(row.try_get(0)?).or_default().push((row.try_get(1)?, row.try_get(2)?, Micro::new(row.try_get(3)?)));
    }
    Ok(debts)
}
