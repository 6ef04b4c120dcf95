//! What is in force while a batch is decided. Everything is read for one instant, which the batch fixes once its windows stay open.

use crate::{Fault, Tx, locks};
use jiff::Timestamp;
use scrip::posting::{Posting, Switches, Terms, VendorTerms};
use scrip::rate::{PairRate, RateVersion, StoredRate};
use scrip::{Micro, SchemeId, UnitValue, VendorId, WindowId};
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::{Row, Statement};
use uuid::Uuid;

/// Every statement of this file.
pub(super) const STATEMENTS: &[&str] = &[READ_WINDOWS, READ_VENDORS, READ_RATES];

const READ_WINDOWS: &str = "
    SELECT w.scheme_id, w.id, t.gross_micro
    FROM windows w
    LEFT JOIN window_totals t ON t.window_id = w.id AND t.writer = $2
    WHERE w.state = 'open' AND w.scheme_id = ANY (ARRAY(SELECT m.scheme_id FROM scheme_members m WHERE m.vendor_id = ANY($1::uuid[])))";

const READ_VENDORS: &str = "
    SELECT v.id, v.status = 'active', v.can_issue, v.can_convert_out, v.can_convert_in, m.scheme_id, u.value_micro
    FROM vendors v
    LEFT JOIN scheme_members m ON m.vendor_id = v.id
    LEFT JOIN LATERAL (SELECT value_micro FROM unit_values
                       WHERE vendor_id = v.id AND starts_at <= current_setting('scriphouse.booked_at')::timestamptz
                       ORDER BY starts_at DESC LIMIT 1) u ON true
    WHERE v.id = ANY($1::uuid[])";

const READ_RATES: &str = "
    SELECT p.from_vendor_id, p.to_vendor_id, r.id, r.kind, r.send_units, r.receive_units, r.margin_bps
    FROM unnest($1::uuid[], $2::uuid[]) AS p(from_vendor_id, to_vendor_id)
    JOIN LATERAL (SELECT id, kind, send_units, receive_units, margin_bps FROM rates
                  WHERE from_vendor_id = p.from_vendor_id AND to_vendor_id = p.to_vendor_id
                        AND starts_at <= current_setting('scriphouse.booked_at')::timestamptz
                  ORDER BY starts_at DESC LIMIT 1) r ON true";

/// The statements, prepared.
pub(super) struct Prepared {
    fix_instant: Statement,
    windows: Statement,
    vendors: Statement,
    rates: Statement,
}

impl Prepared {
    pub(super) async fn new(tx: &Tx<'_>) -> Result<Self, Fault> {
        Ok(Self {
            fix_instant: tx.prepare_cached(locks::FIX_INSTANT).await?,
            windows: tx.prepare_cached(READ_WINDOWS).await?,
            vendors: tx.prepare_cached(READ_VENDORS).await?,
            rates: tx.prepare_cached(READ_RATES).await?,
        })
    }
}

/// Keeps the windows open, fixes the instant, and reads the windows, vendors and rates in force then.
pub(super) async fn read_terms<'p>(
    tx: &Tx<'_>,
    prepared: &Prepared,
    writer: i16,
    postings: impl Iterator<Item = &'p Posting> + Clone,
    now: Timestamp,
) -> Result<Terms, Fault> {
    let vendors: BTreeSet<VendorId> = postings.clone().flat_map(Posting::vendors).collect();
    let vendors: Vec<Uuid> = vendors.iter().map(|v| v.uuid()).collect();
    let pairs: BTreeSet<(VendorId, VendorId)> = postings.filter_map(Posting::pair).collect();
    let (from, to): (Vec<Uuid>, Vec<Uuid>) = pairs.iter().map(|(from, to)| (from.uuid(), to.uuid())).unzip();
    let (booked_at, (windows, window_totals), vendors, rates) = tokio::try_join!(
        biased;
        locks::fix_instant(tx, &prepared.fix_instant, &vendors),
        read_windows(tx, &prepared.windows, &vendors, writer),
        read_vendors(tx, &prepared.vendors, &vendors),
        read_rates(tx, &prepared.rates, &from, &to),
    )?;
    Ok(Terms { booked_at, now, vendors, rates, windows, window_totals })
}

type OpenWindows = (BTreeMap<SchemeId, WindowId>, BTreeMap<WindowId, Micro>);

async fn read_windows(tx: &Tx<'_>, statement: &Statement, vendors: &[Uuid], writer: i16) -> Result<OpenWindows, Fault> {
    let (mut windows, mut totals) = (BTreeMap::new(), BTreeMap::new());
    for row in tx.query(statement, &[&vendors, &writer]).await? {
        let window = WindowId::new(row.try_get(1)?);
        windows.insert(SchemeId::new(row.try_get(0)?), window);
        totals.extend(row.try_get::<_, Option<i64>>(2)?.map(|gross| (window, Micro::new(gross))));
    }
    Ok((windows, totals))
}

async fn read_vendors(tx: &Tx<'_>, statement: &Statement, vendors: &[Uuid]) -> Result<BTreeMap<VendorId, VendorTerms>, Fault> {
    let rows = tx.query(statement, &[&vendors]).await?;
    rows.iter()
        .map(|row| {
            let terms = VendorTerms {
                active: row.try_get(1)?,
                switches: Switches { issue: row.try_get(2)?, convert_out: row.try_get(3)?, convert_in: row.try_get(4)? },
                scheme: row.try_get::<_, Option<Uuid>>(5)?.map(SchemeId::new),
                unit_value: row.try_get::<_, Option<i64>>(6)?.and_then(UnitValue::try_new),
            };
            Ok((VendorId::new(row.try_get(0)?), terms))
        })
        .collect()
}

type Rates = BTreeMap<(VendorId, VendorId), RateVersion>;

async fn read_rates(tx: &Tx<'_>, statement: &Statement, from: &[Uuid], to: &[Uuid]) -> Result<Rates, Fault> {
    let rows = tx.query(statement, &[&from, &to]).await?;
    rows.iter()
        .map(|row| {
            let pair = (VendorId::new(row.try_get(0)?), VendorId::new(row.try_get(1)?));
            Ok((pair, RateVersion { id: row.try_get(2)?, rate: pair_rate(row)? }))
        })
        .collect()
}

fn pair_rate(row: &Row) -> Result<PairRate, Fault> {
    let stored =
        StoredRate { kind: row.try_get(3)?, send_units: row.try_get(4)?, receive_units: row.try_get(5)?, margin_bps: row.try_get(6)? };
    stored.read().ok_or_else(|| Fault::Unreadable(format!("a pair rate: {stored:?}")))
}
