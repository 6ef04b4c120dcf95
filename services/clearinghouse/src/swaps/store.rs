//! Reading swaps.

use super::Swap;
use crate::columns::of_two_users;
use crate::directory::read_facts;
use ledger::{Fault, Tx};
use scrip::posting::Swapped;
use scrip::swap::Figures;
use scrip::{Micro, OperationId, Tokens, UnitValue, UserId, WindowId};
use tokio_postgres::Row;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[LIST_SWAPS, FIND_SWAP];

macro_rules! select_swaps {
    ($which:literal, $limit:literal) => {
        concat!(
            "
    SELECT s.id, s.user_id, s.payee_id, s.send_units, s.receive_units, s.from_unit_value, s.to_unit_value, s.rate_id,
           s.value_micro, s.to_vendor_micro, s.house_fee_micro, s.source_margin_micro, s.rounding_micro, s.window_id, s.booked_at,
           f.id, f.code, f.scale, t.id, t.code, t.scale
    FROM",
            of_two_users!("swaps", "payee_id = $1 AND kind = 'send'", $which, $limit),
            "
    JOIN swaps s ON s.user_id = mine.user_id AND s.id = mine.id
    JOIN vendors f ON f.id = s.from_vendor_id
    JOIN vendors t ON t.id = s.to_vendor_id
    ORDER BY s.id DESC
    LIMIT ",
            $limit
        )
    };
}

const LIST_SWAPS: &str = select_swaps!("id < $2", "$3");
const FIND_SWAP: &str = select_swaps!("id = $2", "1");

/// Newest first, older than `before`.
pub(super) async fn list_swaps(tx: &Tx<'_>, user: UserId, before: Option<Uuid>, limit: i64) -> Result<Vec<Swap>, Fault> {
    tx.query(LIST_SWAPS, &[&user.uuid(), &before.unwrap_or(Uuid::max()), &limit]).await?.iter().map(swap_row).collect()
}

pub(super) async fn find_swap(tx: &Tx<'_>, user: UserId, id: Uuid) -> Result<Option<Swap>, Fault> {
    tx.query_opt(FIND_SWAP, &[&user.uuid(), &id]).await?.as_ref().map(swap_row).transpose()
}

fn swap_row(row: &Row) -> Result<Swap, Fault> {
    let micro = |column| row.try_get(column).map(Micro::new);
    let unit_value =
        |column: usize| UnitValue::try_new(row.try_get(column)?).ok_or_else(|| Fault::Unreadable("a swap's unit value".to_owned()));
    let (from, to) = (read_facts(row, 15)?, read_facts(row, 18)?);
    let swapped = Swapped {
        id: OperationId::new(row.try_get(0)?),
        payer: UserId::new(row.try_get(1)?),
        payee: UserId::new(row.try_get(2)?),
        from: from.id,
        to: to.id,
        send: Tokens::new(row.try_get(3)?),
        receive: Tokens::new(row.try_get(4)?),
        from_unit_value: unit_value(5)?,
        to_unit_value: unit_value(6)?,
        rate_id: row.try_get(7)?,
        figures: Figures { value: micro(8)?, to_vendor: micro(9)?, house_fee: micro(10)?, source_margin: micro(11)?, rounding: micro(12)? },
        window: WindowId::new(row.try_get(13)?),
        booked_at: row.try_get(14)?,
    };
    Ok(Swap { swapped, from, to })
}
