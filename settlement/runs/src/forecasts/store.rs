//! What a forecast is made from.

use jiff::Timestamp;
use ledger::{Fault, Tx};
use scrip::posting::Exposure;
use scrip::{Micro, SchemeId, VendorId, WindowId};
use tokio_postgres::Row;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[FIND_OPEN, LIST_VENDORS];

const FIND_OPEN: &str = "
    SELECT w.id, w.number, w.opened_at, s.currency, (SELECT min(c.next_at) FROM schedules c WHERE c.scheme_id = s.id AND c.enabled)
    FROM windows w
    JOIN schemes s ON s.id = w.scheme_id
    WHERE w.scheme_id = $1 AND w.state = 'open'";

// Writers below zero record what comes at once: imports, carries, what failed. Only what is swapped has a pace.
const LIST_VENDORS: &str = "
    SELECT v.id, v.code, c.cap_micro,
           coalesce(owes.amount, 0)::bigint, coalesce(owed.amount, 0)::bigint, coalesce(owes.swapped, 0)::bigint, coalesce(owed.swapped, 0)::bigint
    FROM scheme_members m
    JOIN vendors v ON v.id = m.vendor_id
    LEFT JOIN debit_caps c ON c.vendor_id = v.id
    CROSS JOIN LATERAL (SELECT sum(p.amount_micro) AS amount, sum(p.amount_micro) FILTER (WHERE p.writer >= 0) AS swapped
                        FROM positions p WHERE p.window_id = $2 AND p.debtor_id = v.id) owes
    CROSS JOIN LATERAL (SELECT sum(p.amount_micro) AS amount, sum(p.amount_micro) FILTER (WHERE p.writer >= 0) AS swapped
                        FROM positions p WHERE p.window_id = $2 AND p.creditor_id = v.id) owed
    WHERE m.scheme_id = $1 AND ($3::uuid IS NULL OR v.id = $3) AND v.code > $4
    ORDER BY v.code
    LIMIT $5";

/// The window that is watched.
pub(super) struct Open {
    pub(super) id: WindowId,
    pub(super) number: i64,
    pub(super) opened_at: Timestamp,
    pub(super) currency: String,
    pub(super) closes_at: Option<Timestamp>,
}

pub(super) async fn find_open(tx: &Tx<'_>, scheme: SchemeId) -> Result<Option<Open>, Fault> {
    let Some(row) = tx.query_opt(FIND_OPEN, &[&scheme.uuid()]).await? else { return Ok(None) };
    Ok(Some(Open {
        id: WindowId::new(row.try_get(0)?),
        number: row.try_get(1)?,
        opened_at: row.try_get(2)?,
        currency: row.try_get(3)?,
        closes_at: row.try_get(4)?,
    }))
}

/// A vendor, and what has come about in the window.
pub(super) struct Watched {
    pub(super) id: VendorId,
    pub(super) code: String,
    pub(super) cap: Option<Micro>,
    pub(super) so_far: Exposure,
    pub(super) swapped: Exposure,
}

pub(super) async fn list_vendors(
    tx: &Tx<'_>,
    scheme: SchemeId,
    window: WindowId,
    only: Option<VendorId>,
    after: &str,
    limit: i64,
) -> Result<Vec<Watched>, Fault> {
    let only: Option<Uuid> = only.map(VendorId::uuid);
    let rows = tx.query(LIST_VENDORS, &[&scheme.uuid(), &window.uuid(), &only, &after, &limit]).await?;
    rows.iter().map(watched).collect()
}

fn watched(row: &Row) -> Result<Watched, Fault> {
    let exposure = |owes: usize, owed: usize| {
        Ok::<_, Fault>(Exposure { owes: i128::from(row.try_get::<_, i64>(owes)?), owed: i128::from(row.try_get::<_, i64>(owed)?) })
    };
    Ok(Watched {
        id: VendorId::new(row.try_get(0)?),
        code: row.try_get(1)?,
        cap: row.try_get::<_, Option<i64>>(2)?.map(Micro::new),
        so_far: exposure(3, 4)?,
        swapped: exposure(5, 6)?,
    })
}
