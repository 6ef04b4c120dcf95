//! SQL of schemes and their members.

use super::{Change, Member, NewScheme, Scheme};
use jiff::Timestamp;
use ledger::{Fault, TermsChange, Tx};
use netting::Strategy;
use netting::clearing::Rule;
use runs::Approval;
use scrip::{Code, Micro, Scale, SchemeId, VendorId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// One row per scheme, with its open window and the first of its members.
macro_rules! select_scheme {
    ($rest:literal) => {
        concat!(
            "
    SELECT s.id, s.code, s.currency, s.digits, s.strategy, s.created_at, w.number, w.opened_at,
           (SELECT count(*) FROM scheme_members m WHERE m.scheme_id = s.id),
           ARRAY(SELECT v.code FROM scheme_members m JOIN vendors v ON v.id = m.vendor_id WHERE m.scheme_id = s.id ORDER BY v.code LIMIT 200),
           s.approval, s.version, s.min_transfer_micro, s.dispute_hours, s.failure_rule, s.settle_threshold_micro, s.grace_hours
    FROM schemes s
    JOIN windows w ON w.scheme_id = s.id AND w.state = 'open'",
            $rest
        )
    };
}

const FIND_SCHEME_ID: &str = "SELECT id FROM schemes WHERE code = $1";
const FIND_SCHEME_OF: &str = "SELECT scheme_id FROM scheme_members WHERE vendor_id = $1";
const FIND_SCHEME: &str = select_scheme!(" WHERE s.code = $1");
const LIST_SCHEMES: &str = select_scheme!(" WHERE $1::text IS NULL OR s.code > $1 ORDER BY s.code LIMIT $2");
const INSERT_SCHEME: &str = "
    INSERT INTO schemes (id, code, currency, digits, strategy, created_at, approval, min_transfer_micro, dispute_hours, failure_rule,
                         settle_threshold_micro, grace_hours)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT (code) DO NOTHING";
const INSERT_MEMBERS: &str = "
    INSERT INTO scheme_members (vendor_id, scheme_id, joined_at)
    SELECT id, $2, $3
    FROM unnest($1::uuid[]) AS new (id)
    ON CONFLICT (vendor_id) DO NOTHING
    RETURNING vendor_id";

const LIST_MEMBERS: &str = "
    SELECT v.code, m.collateral_micro, m.collateral_version, m.joined_at
    FROM scheme_members m
    JOIN vendors v ON v.id = m.vendor_id
    WHERE m.scheme_id = $1 AND v.code > $2
    ORDER BY v.code
    LIMIT $3";
const LOCK_COLLATERAL: &str = "
    SELECT m.collateral_version
    FROM scheme_members m
    JOIN vendors v ON v.id = m.vendor_id
    WHERE m.scheme_id = $1 AND v.code = $2
    FOR NO KEY UPDATE OF m";
const UPDATE_COLLATERAL: &str = "
    UPDATE scheme_members m
    SET collateral_micro = $3, collateral_version = collateral_version + 1
    FROM vendors v
    WHERE v.id = m.vendor_id AND m.scheme_id = $1 AND v.code = $2
    RETURNING v.code, m.collateral_micro, m.collateral_version, m.joined_at";

// Not FOR UPDATE: every new row that refers to the scheme would wait for it, and its id never changes.
const LOCK_VERSION: &str = "
    SELECT version
    FROM schemes
    WHERE id = $1
    FOR NO KEY UPDATE";
const UPDATE_SCHEME: &str = "
    UPDATE schemes
    SET strategy = COALESCE($2, strategy),
        approval = COALESCE($3, approval),
        min_transfer_micro = COALESCE($4, min_transfer_micro),
        dispute_hours = COALESCE($5, dispute_hours),
        failure_rule = COALESCE($6, failure_rule),
        settle_threshold_micro = CASE WHEN $7 THEN $8 ELSE settle_threshold_micro END,
        grace_hours = CASE WHEN $9 THEN $10 ELSE grace_hours END,
        version = version + 1
    WHERE id = $1";

/// Every statement of this file, so that one test prepares them all.
pub const STATEMENTS: &[&str] = &[
    FIND_SCHEME_ID,
    FIND_SCHEME_OF,
    FIND_SCHEME,
    LIST_SCHEMES,
    INSERT_SCHEME,
    INSERT_MEMBERS,
    LIST_MEMBERS,
    LOCK_COLLATERAL,
    UPDATE_COLLATERAL,
    LOCK_VERSION,
    UPDATE_SCHEME,
];

/// How many members a scheme's view names.
pub(super) const MEMBERS_SHOWN_MAX: usize = 200;

pub(super) async fn find_scheme_id(tx: &Tx<'_>, code: &Code) -> Result<Option<SchemeId>, Fault> {
    Ok(tx.query_opt(FIND_SCHEME_ID, &[&code.as_str()]).await?.map(|row| SchemeId::new(row.get(0))))
}

pub(super) async fn find_scheme_of(tx: &Tx<'_>, vendor: VendorId) -> Result<Option<SchemeId>, Fault> {
    tx.query_opt(FIND_SCHEME_OF, &[&vendor.uuid()]).await?.map(|row| Ok(SchemeId::new(row.try_get(0)?))).transpose()
}

pub(super) async fn find_scheme(tx: &Tx<'_>, code: &Code) -> Result<Option<Scheme>, Fault> {
    tx.query_opt(FIND_SCHEME, &[&code.as_str()]).await?.as_ref().map(read_scheme).transpose()
}

/// In the order of the codes' bytes.
pub(super) async fn list_schemes(tx: &Tx<'_>, after: Option<&str>, limit: i64) -> Result<Vec<Scheme>, Fault> {
    tx.query(LIST_SCHEMES, &[&after, &limit]).await?.iter().map(read_scheme).collect()
}

/// Whether the code was free.
pub(super) async fn insert_scheme(tx: &Tx<'_>, id: SchemeId, scheme: &NewScheme, at: Timestamp) -> Result<bool, Fault> {
    let NewScheme {
        code,
        currency,
        digits,
        strategy,
        min_transfer,
        approval,
        dispute_hours,
        grace_hours,
        settle_threshold,
        failure_rule,
        members: _,
    } = scheme;
    let digits = i16::from(digits.decimals());
    let (strategy, approval, min_transfer) = (strategy.name(), approval.as_str(), min_transfer.units());
    let (rule, threshold) = (failure_rule.name(), settle_threshold.map(Micro::units));
    let row: [&(dyn ToSql + Sync); 12] = [
        &id.uuid(),
        &code.as_str(),
        currency,
        &digits,
        &strategy,
        &at,
        &approval,
        &min_transfer,
        dispute_hours,
        &rule,
        &threshold,
        grace_hours,
    ];
    Ok(tx.execute(INSERT_SCHEME, &row).await? == 1)
}

/// The scheme's version; it cannot change until the tx ends.
pub(super) async fn lock_version(tx: &Tx<'_>, id: SchemeId) -> Result<Option<i64>, Fault> {
    tx.query_opt(LOCK_VERSION, &[&id.uuid()]).await?.map(|row| Ok(row.try_get(0)?)).transpose()
}

pub(super) async fn update_scheme(tx: &Tx<'_>, id: SchemeId, change: &Change) -> Result<(), Fault> {
    let Change { strategy, min_transfer, approval, dispute_hours, grace_hours, settle_threshold, failure_rule } = change;
    let (strategy, approval) = (strategy.map(Strategy::name), approval.map(Approval::as_str));
    let (min_transfer, rule) = (min_transfer.map(Micro::units), failure_rule.map(Rule::name));
    let (changes, threshold) = (settle_threshold.is_some(), settle_threshold.flatten().map(Micro::units));
    let (changes_grace, grace_hours) = (grace_hours.is_some(), grace_hours.flatten());
    let row: [&(dyn ToSql + Sync); 10] =
        [&id.uuid(), &strategy, &approval, &min_transfer, dispute_hours, &rule, &changes, &threshold, &changes_grace, &grace_hours];
    tx.execute(UPDATE_SCHEME, &row).await?;
    Ok(())
}

/// Those that were in no scheme, and now are in this one.
pub(super) async fn insert_members(
    tx: &TermsChange<'_, '_>,
    scheme: SchemeId,
    vendors: &[VendorId],
    at: Timestamp,
) -> Result<Vec<VendorId>, Fault> {
    let vendors: Vec<Uuid> = vendors.iter().map(|vendor| vendor.uuid()).collect();
    let rows = tx.query(INSERT_MEMBERS, &[&vendors, &scheme.uuid(), &at]).await?;
    Ok(rows.iter().map(|row| VendorId::new(row.get(0))).collect())
}

/// In the order of the codes' bytes.
pub(super) async fn list_members(tx: &Tx<'_>, scheme: SchemeId, after: &str, limit: i64) -> Result<Vec<Member>, Fault> {
    tx.query(LIST_MEMBERS, &[&scheme.uuid(), &after, &limit]).await?.iter().map(read_member).collect()
}

/// The version of a member's collateral, which nobody else changes until the tx ends; none where the vendor is no member.
pub(super) async fn lock_collateral(tx: &Tx<'_>, scheme: SchemeId, vendor: &Code) -> Result<Option<i64>, Fault> {
    tx.query_opt(LOCK_COLLATERAL, &[&scheme.uuid(), &vendor.as_str()]).await?.map(|row| Ok(row.try_get(0)?)).transpose()
}

/// The member as it is now.
pub(super) async fn update_collateral(tx: &Tx<'_>, scheme: SchemeId, vendor: &Code, amount: Micro) -> Result<Member, Fault> {
    read_member(&tx.query_one(UPDATE_COLLATERAL, &[&scheme.uuid(), &vendor.as_str(), &amount.units()]).await?)
}

fn read_member(row: &Row) -> Result<Member, Fault> {
    Ok(Member { vendor: row.try_get(0)?, collateral: Micro::new(row.try_get(1)?), version: row.try_get(2)?, joined_at: row.try_get(3)? })
}

fn read_scheme(row: &Row) -> Result<Scheme, Fault> {
    let unreadable = |what: &str| Fault::Unreadable(format!("a scheme's {what}"));
    Ok(Scheme {
        id: SchemeId::new(row.get(0)),
        code: Code::parse(row.get(1)).map_err(|_| unreadable("code"))?,
        currency: row.get(2),
        digits: Scale::try_new(row.get::<_, i16>(3).into()).ok_or_else(|| unreadable("digits"))?,
        strategy: row.get::<_, &str>(4).parse::<Strategy>().map_err(|_| unreadable("strategy"))?,
        approval: Approval::parse(row.get(10)).ok_or_else(|| unreadable("approval"))?,
        version: row.get(11),
        min_transfer: Micro::new(row.get(12)),
        dispute_hours: row.get(13),
        settle_threshold: row.get::<_, Option<i64>>(15).map(Micro::new),
        grace_hours: row.get(16),
        failure_rule: row.get::<_, &str>(14).parse().map_err(|_| unreadable("failure rule"))?,
        created_at: row.get(5),
        window_number: row.get(6),
        window_opened_at: row.get(7),
        member_count: row.get(8),
        members: row.get(9),
    })
}
