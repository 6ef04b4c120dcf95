//! What is in force while a batch is decided. Everything is read for one instant, which the batch fixes once its windows stay open.

use super::super::memory::Wanted;
use crate::pipeline::Pipeline;
use crate::{Fault, locks};
use jiff::Timestamp;
use scrip::posting::{Caps, ExposureKey, Switches, VendorTerms};
use scrip::rate::{PairRate, RateVersion, StoredRate};
use scrip::{Micro, SchemeId, UnitValue, VendorId, WindowId};
use std::collections::BTreeMap;
use tokio_postgres::{Row, Statement};
use uuid::Uuid;

/// Every statement of this file.
pub(super) const STATEMENTS: &[&str] = &[READ_WINDOWS, READ_VENDORS, READ_PAIRS];

// The version is read before what it is the version of: something newer may then bear an old number and is read again, but nothing old a
// new one.
const READ_WINDOWS: &str = "
    SELECT v.version, w.scheme_id, w.id, t.gross_micro
    FROM terms_version v
    LEFT JOIN windows w
           ON w.state = 'open'
              AND w.scheme_id = ANY ($2::uuid[] || ARRAY(SELECT m.scheme_id FROM scheme_members m WHERE m.vendor_id = ANY($3::uuid[])))
    LEFT JOIN window_totals t ON t.window_id = w.id AND t.writer = $1
    WHERE v.single";

const READ_VENDORS: &str = "
    SELECT v.id, v.status = 'active', v.can_issue, v.can_convert_out, v.can_convert_in, m.scheme_id, u.value_micro, n.starts_at,
           c.cap_micro
    FROM vendors v
    LEFT JOIN scheme_members m ON m.vendor_id = v.id
    LEFT JOIN debit_caps c ON c.vendor_id = v.id
    LEFT JOIN LATERAL (SELECT value_micro FROM unit_values
                       WHERE vendor_id = v.id AND starts_at <= current_setting('scriphouse.booked_at')::timestamptz
                       ORDER BY starts_at DESC LIMIT 1) u ON true
    LEFT JOIN LATERAL (SELECT starts_at FROM unit_values
                       WHERE vendor_id = v.id AND starts_at > current_setting('scriphouse.booked_at')::timestamptz
                       ORDER BY starts_at LIMIT 1) n ON true
    WHERE v.id = ANY($1::uuid[])";

const READ_PAIRS: &str = "
    SELECT p.from_vendor_id, p.to_vendor_id, r.id, r.kind, r.send_units, r.receive_units, r.margin_bps, n.starts_at, c.cap_micro
    FROM unnest($1::uuid[], $2::uuid[]) AS p(from_vendor_id, to_vendor_id)
    LEFT JOIN bilateral_caps c ON c.creditor_id = p.to_vendor_id AND c.debtor_id = p.from_vendor_id
    LEFT JOIN LATERAL (SELECT id, kind, send_units, receive_units, margin_bps FROM rates
                       WHERE from_vendor_id = p.from_vendor_id AND to_vendor_id = p.to_vendor_id
                             AND starts_at <= current_setting('scriphouse.booked_at')::timestamptz
                       ORDER BY starts_at DESC LIMIT 1) r ON true
    LEFT JOIN LATERAL (SELECT starts_at FROM rates
                       WHERE from_vendor_id = p.from_vendor_id AND to_vendor_id = p.to_vendor_id
                             AND starts_at > current_setting('scriphouse.booked_at')::timestamptz
                       ORDER BY starts_at LIMIT 1) n ON true";

/// The terms as a batch has read them: the instant, the open windows, and of vendors and rates what was wanted.
#[derive(Debug)]
pub(in super::super) struct TermsRead {
    pub(in super::super) booked_at: Timestamp,
    /// Grows with every change of terms.
    pub(in super::super) version: i64,
    /// What it was when the schemes were found whose windows stay open. Another one: somebody may have joined a scheme since.
    pub(in super::super) version_at_lock: i64,
    pub(in super::super) windows: BTreeMap<SchemeId, WindowId>,
    pub(in super::super) window_totals: BTreeMap<WindowId, Micro>,
    pub(in super::super) vendors: Vec<VendorRead>,
    pub(in super::super) pairs: Vec<PairRead>,
    /// Of the wanted vendors and pairs, those that have one.
    pub(in super::super) caps: Caps,
}

/// With the instant at which the next unit value begins.
type VendorRead = (VendorId, VendorTerms, Option<Timestamp>);
/// The pair's rate, with the instant at which the next version begins.
type PairRead = ((VendorId, VendorId), Option<RateVersion>, Option<Timestamp>);

/// The statements, prepared.
pub(super) struct Prepared {
    fix_instant: Statement,
    windows: Statement,
    vendors: Statement,
    pairs: Statement,
}

impl Prepared {
    pub(super) async fn new(tx: &Pipeline<'_>) -> Result<Self, Fault> {
        Ok(Self {
            fix_instant: tx.prepare_cached(locks::FIX_INSTANT).await?,
            windows: tx.prepare_cached(READ_WINDOWS).await?,
            vendors: tx.prepare_cached(READ_VENDORS).await?,
            pairs: tx.prepare_cached(READ_PAIRS).await?,
        })
    }
}

/// Keeps the windows open, fixes the instant, and reads the windows, and the vendors and pairs that are wanted: rates in force then, and caps.
pub(super) async fn read_terms(tx: &Pipeline<'_>, prepared: &Prepared, writer: i16, wanted: &Wanted) -> Result<TermsRead, Fault> {
    let ids: Vec<Uuid> = wanted.vendors.iter().map(|v| v.uuid()).collect();
    let ((booked_at, version_at_lock), (version, windows, window_totals), (vendors, mut caps), (pairs, bilateral)) = tokio::try_join!(
        biased;
        locks::fix_instant(tx, &prepared.fix_instant, &wanted.schemes, &ids),
        read_windows(tx, &prepared.windows, writer, wanted, &ids),
        read_vendors(tx, &prepared.vendors, &ids),
        read_pairs(tx, &prepared.pairs, &wanted.pairs),
    )?;
    caps.extend(bilateral);
    Ok(TermsRead { booked_at, version, version_at_lock, windows, window_totals, vendors, pairs, caps })
}

/// The same for one look in a snapshot, which locks nothing. How full a window is, is what its fullest writer has put into it.
pub(super) async fn look_at_terms(tx: &Pipeline<'_>, wanted: &Wanted) -> Result<TermsRead, Fault> {
    let ids: Vec<Uuid> = wanted.vendors.iter().map(|v| v.uuid()).collect();
    let look = tx.prepare_cached(locks::LOOK_AT_INSTANT).await?;
    let statements = Prepared::new(tx).await?;
    let row = tx.query_one(&look, &[&ids]).await?;
    let ((version, windows, window_totals), (vendors, mut caps), (pairs, bilateral)) = tokio::try_join!(
        biased;
        read_windows(tx, &statements.windows, row.try_get(2)?, wanted, &ids),
        read_vendors(tx, &statements.vendors, &ids),
        read_pairs(tx, &statements.pairs, &wanted.pairs),
    )?;
    caps.extend(bilateral);
    Ok(TermsRead { booked_at: row.try_get(0)?, version, version_at_lock: row.try_get(1)?, windows, window_totals, vendors, pairs, caps })
}

type OpenWindows = (i64, BTreeMap<SchemeId, WindowId>, BTreeMap<WindowId, Micro>);

async fn read_windows(
    tx: &Pipeline<'_>,
    statement: &Statement,
    writer: i16,
    wanted: &Wanted,
    vendors: &[Uuid],
) -> Result<OpenWindows, Fault> {
    let schemes: Vec<Uuid> = wanted.schemes.iter().map(|scheme| scheme.uuid()).collect();
    let (mut version, mut windows, mut totals) = (None, BTreeMap::new(), BTreeMap::new());
    for row in tx.query(statement, &[&writer, &schemes, &vendors]).await? {
        version = Some(row.try_get(0)?);
        let (Some(scheme), Some(window)) = (row.try_get::<_, Option<Uuid>>(1)?, row.try_get::<_, Option<Uuid>>(2)?) else { continue };
        let window = WindowId::new(window);
        windows.insert(SchemeId::new(scheme), window);
        totals.extend(row.try_get::<_, Option<i64>>(3)?.map(|gross| (window, Micro::new(gross))));
    }
    let version = version.ok_or_else(|| Fault::Unreadable("the version of the terms is missing".to_owned()))?;
    Ok((version, windows, totals))
}

async fn read_vendors(tx: &Pipeline<'_>, statement: &Statement, vendors: &[Uuid]) -> Result<(Vec<VendorRead>, Caps), Fault> {
    let (mut read, mut caps) = (Vec::with_capacity(vendors.len()), Caps::new());
    if vendors.is_empty() {
        return Ok((read, caps));
    }
    for row in tx.query(statement, &[&vendors]).await? {
        let vendor = VendorId::new(row.try_get(0)?);
        let terms = VendorTerms {
            active: row.try_get(1)?,
            switches: Switches { issue: row.try_get(2)?, convert_out: row.try_get(3)?, convert_in: row.try_get(4)? },
            scheme: row.try_get::<_, Option<Uuid>>(5)?.map(SchemeId::new),
            unit_value: row.try_get::<_, Option<i64>>(6)?.and_then(UnitValue::try_new),
        };
        read.push((vendor, terms, row.try_get(7)?));
        caps.extend(cap(&row, 8)?.map(|cap| (ExposureKey::of(vendor), cap)));
    }
    Ok((read, caps))
}

async fn read_pairs(tx: &Pipeline<'_>, statement: &Statement, pairs: &[(VendorId, VendorId)]) -> Result<(Vec<PairRead>, Caps), Fault> {
    let (mut read, mut caps) = (Vec::with_capacity(pairs.len()), Caps::new());
    if pairs.is_empty() {
        return Ok((read, caps));
    }
    let (from, to): (Vec<Uuid>, Vec<Uuid>) = pairs.iter().map(|(from, to)| (from.uuid(), to.uuid())).unzip();
    for row in tx.query(statement, &[&from, &to]).await? {
        let (from, to) = (VendorId::new(row.try_get(0)?), VendorId::new(row.try_get(1)?));
        let id: Option<Uuid> = row.try_get(2)?;
        let version = id.map(|id| Ok::<_, Fault>(RateVersion { id, rate: pair_rate(&row)? })).transpose()?;
        read.push(((from, to), version, row.try_get(7)?));
        caps.extend(cap(&row, 8)?.map(|cap| (ExposureKey::towards(from, to), cap)));
    }
    Ok((read, caps))
}

fn cap(row: &Row, column: usize) -> Result<Option<Micro>, Fault> {
    Ok(row.try_get::<_, Option<i64>>(column)?.map(Micro::new))
}

fn pair_rate(row: &Row) -> Result<PairRate, Fault> {
    let stored =
        StoredRate { kind: row.try_get(3)?, send_units: row.try_get(4)?, receive_units: row.try_get(5)?, margin_bps: row.try_get(6)? };
    stored.read().ok_or_else(|| Fault::Unreadable(format!("a pair rate: {stored:?}")))
}
