//! The rows of issuances.

use crate::pipeline::{Step, step};
use crate::{Fault, Tx};
use scrip::{VendorId, WindowId};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub(crate) const STATEMENTS: &[&str] = &[ADD_ISSUED, ADD_WINDOW];

/// The writer number of closed windows, and of all that was issued before positions knew tokens. (Those of the posting engines are 0 and
/// above, those of obligations without a swap -1 to -3.)
const CLOSED_WINDOWS: i16 = -4;

const ADD_ISSUED: &str = "
    INSERT INTO issuances (vendor_id, writer, issued, retired)
    SELECT vendor_id, $1, issued::numeric, 0
    FROM unnest($2::uuid[], $3::text[]) AS u(vendor_id, issued)
    ON CONFLICT (vendor_id, writer) DO UPDATE
    SET issued = issuances.issued + excluded.issued";

// In the order of the vendors, so that two schemes that close at once cannot wait for each other in a circle.
const ADD_WINDOW: &str = "
    INSERT INTO issuances (vendor_id, writer, issued, retired)
    SELECT vendor_id, $2, sum(issued), sum(retired)
    FROM (SELECT debtor_id AS vendor_id, 0 AS issued, send_units AS retired FROM positions WHERE window_id = $1
          UNION ALL
          SELECT creditor_id, receive_units, 0 FROM positions WHERE window_id = $1) p
    GROUP BY vendor_id
    HAVING sum(issued) + sum(retired) > 0
    ORDER BY vendor_id
    ON CONFLICT (vendor_id, writer) DO UPDATE
    SET issued = issuances.issued + excluded.issued, retired = issuances.retired + excluded.retired";

/// Adds what was issued to users.
pub(crate) fn add_issued(writer: i16, sums: &BTreeMap<VendorId, i128>) -> Step<'static> {
    let vendors: Vec<Uuid> = sums.keys().map(|v| v.uuid()).collect();
    let issued: Vec<String> = sums.values().map(ToString::to_string).collect();
    step!(ADD_ISSUED, writer, vendors, issued)
}

pub(super) async fn add_window(tx: &Tx<'_>, window: WindowId) -> Result<(), Fault> {
    tx.execute(ADD_WINDOW, &[&window.uuid(), &CLOSED_WINDOWS]).await?;
    Ok(())
}
