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

// What the next run nets: the open window, and those before it that no run settles. Writers below zero record what comes at once: imports, carries,
// what failed. Only what is swapped has a pace, in the open window.
const LIST_VENDORS: &str = "
    SELECT v.id, v.code, c.cap_micro,
           coalesce(owes.amount, 0)::text, coalesce(owed.amount, 0)::text, coalesce(owes.swapped, 0)::text, coalesce(owed.swapped, 0)::text
    FROM scheme_members m
    JOIN vendors v ON v.id = m.vendor_id
    LEFT JOIN debit_caps c ON c.vendor_id = v.id
    CROSS JOIN LATERAL (SELECT sum(p.amount_micro) AS amount, sum(p.amount_micro) FILTER (WHERE p.writer >= 0 AND w.id = $2) AS swapped
                        FROM windows w JOIN positions p ON p.window_id = w.id AND p.debtor_id = v.id
                        WHERE w.scheme_id = $1 AND w.run_id IS NULL) owes
    CROSS JOIN LATERAL (SELECT sum(p.amount_micro) AS amount, sum(p.amount_micro) FILTER (WHERE p.writer >= 0 AND w.id = $2) AS swapped
                        FROM windows w JOIN positions p ON p.window_id = w.id AND p.creditor_id = v.id
                        WHERE w.scheme_id = $1 AND w.run_id IS NULL) owed
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

/// A vendor, and what has come about so far.
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
    let sum = |column: usize| {
        let text: &str = row.try_get(column)?;
        text.parse().map_err(|_| Fault::Unreadable(format!("a sum of positions: {text}")))
    };
    let exposure = |owes: usize, owed: usize| Ok::<_, Fault>(Exposure { owes: sum(owes)?, owed: sum(owed)? });
    Ok(Watched {
        id: VendorId::new(row.try_get(0)?),
        code: row.try_get(1)?,
        cap: row.try_get::<_, Option<i64>>(2)?.map(Micro::new),
        so_far: exposure(3, 4)?,
        swapped: exposure(5, 6)?,
    })
}
