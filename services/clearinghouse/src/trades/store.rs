//! Reading trades.

use crate::columns::of_two_users;
use jiff::Timestamp;
use ledger::{Fault, Tx};
use scrip::posting::{Leg, Trade, TradeState, TradeStep};
use scrip::{Tokens, TradeId, UserId, VendorId};
use tokio_postgres::Row;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[FIND_TRADE, LIST_TRADES, LIST_EXPIRED];

macro_rules! select_trades {
    ($($rest:expr),+) => {
        concat!(
            "
    SELECT t.id, t.user_id, t.acceptor_id, t.give_vendor_id, t.give_units, t.take_vendor_id, t.take_units, t.expires_at, t.state,
           coalesce(t.ended_at, t.proposed_at)
    FROM",
            $($rest),+
        )
    };
}

macro_rules! select_trades_of_user {
    ($which:literal, $limit:literal) => {
        select_trades!(
            of_two_users!("trades", "acceptor_id = $1", $which, $limit),
            "
    JOIN trades t ON t.user_id = mine.user_id AND t.id = mine.id
    ORDER BY t.id DESC
    LIMIT ",
            $limit
        )
    };
}

const FIND_TRADE: &str = select_trades_of_user!("id = $2", "1");
const LIST_TRADES: &str = select_trades_of_user!("id < $2", "$3");
const LIST_EXPIRED: &str = select_trades!(
    " trades t
    WHERE t.state = 'proposed' AND t.expires_at <= $1
    ORDER BY t.expires_at, t.id
    LIMIT $2"
);

pub(super) async fn find_trade(tx: &Tx<'_>, user: UserId, id: Uuid) -> Result<Option<TradeStep>, Fault> {
    tx.query_opt(FIND_TRADE, &[&user.uuid(), &id]).await?.as_ref().map(trade_step).transpose()
}

/// Newest first, older than `before`.
pub(super) async fn list_trades(tx: &Tx<'_>, user: UserId, before: Option<Uuid>, limit: i64) -> Result<Vec<TradeStep>, Fault> {
    tx.query(LIST_TRADES, &[&user.uuid(), &before.unwrap_or(Uuid::max()), &limit]).await?.iter().map(trade_step).collect()
}

/// Proposals whose time is up, longest first.
pub(super) async fn list_expired(tx: &Tx<'_>, now: Timestamp, limit: i64) -> Result<Vec<Trade>, Fault> {
    let rows = tx.query(LIST_EXPIRED, &[&now, &limit]).await?;
    rows.iter().map(|row| Ok(trade_step(row)?.trade)).collect()
}

fn trade_step(row: &Row) -> Result<TradeStep, Fault> {
    let leg = |vendor: Uuid, units: i64| Leg { vendor: VendorId::new(vendor), amount: Tokens::new(units) };
    let state: &str = row.try_get(8)?;
    let trade = Trade {
        id: TradeId::new(row.try_get(0)?),
        proposer: UserId::new(row.try_get(1)?),
        acceptor: UserId::new(row.try_get(2)?),
        give: leg(row.try_get(3)?, row.try_get(4)?),
        take: leg(row.try_get(5)?, row.try_get(6)?),
        expires_at: row.try_get(7)?,
    };
    let state = TradeState::parse(state).ok_or_else(|| Fault::Unreadable(format!("trade state {state}")))?;
    Ok(TradeStep { trade, state, booked_at: row.try_get(9)? })
}
