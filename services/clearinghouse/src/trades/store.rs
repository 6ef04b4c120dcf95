//! Reading trades.

use jiff::Timestamp;
use ledger::{Fault, Tx};
use scrip::posting::{Leg, Trade, TradeState, TradeStep};
use scrip::{Tokens, TradeId, UserId, VendorId};
use tokio_postgres::Row;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[FIND_TRADE, LIST_TRADES, LIST_EXPIRED];

const FIND_TRADE: &str = "
    SELECT id, user_id, acceptor_id, give_vendor_id, give_units, take_vendor_id, take_units, expires_at, state, coalesce(ended_at, proposed_at)
    FROM trades
    WHERE (user_id = $1 OR acceptor_id = $1) AND id = $2";

const LIST_TRADES: &str = "
    SELECT id, user_id, acceptor_id, give_vendor_id, give_units, take_vendor_id, take_units, expires_at, state, coalesce(ended_at, proposed_at)
    FROM trades
    WHERE (user_id = $1 OR acceptor_id = $1) AND ($2::uuid IS NULL OR id < $2)
    ORDER BY id DESC
    LIMIT $3";

const LIST_EXPIRED: &str = "
    SELECT id, user_id, acceptor_id, give_vendor_id, give_units, take_vendor_id, take_units, expires_at, state, coalesce(ended_at, proposed_at)
    FROM trades
    WHERE state = 'proposed' AND expires_at <= $1
    ORDER BY expires_at, id
    LIMIT $2";

pub(super) async fn find_trade(tx: &Tx<'_>, user: UserId, id: Uuid) -> Result<Option<TradeStep>, Fault> {
    tx.query_opt(FIND_TRADE, &[&user.uuid(), &id]).await?.as_ref().map(trade_step).transpose()
}

/// Newest first, older than `before`.
pub(super) async fn list_trades(tx: &Tx<'_>, user: UserId, before: Option<Uuid>, limit: i64) -> Result<Vec<TradeStep>, Fault> {
    tx.query(LIST_TRADES, &[&user.uuid(), &before, &limit]).await?.iter().map(trade_step).collect()
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
