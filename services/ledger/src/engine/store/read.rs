//! What a batch reads: the accounts and trades it locks, the answers of used keys, the terms in force.

use super::super::Request;
use super::answers::{Answers, FIND_ANSWERS, find_answers_prepared};
use super::terms::{self, read_terms};
use crate::{Fault, Tx};
use jiff::Timestamp;
use scrip::posting::{Account, AccountKey, Book, Posting, Terms, TradeState};
use scrip::{Tokens, TradeId, UserId, VendorId};
use std::collections::BTreeSet;
use tokio_postgres::{Row, Statement};
use uuid::Uuid;

/// Every statement of this file.
pub(super) const STATEMENTS: &[&str] = &[LOCK_ACCOUNTS, LOCK_TRADES];

// Locks and reads at once; SELECT .. FOR UPDATE of many rows does not distribute. The generic plan walks the keys in their order.
const LOCK_ACCOUNTS: &str = "
    UPDATE accounts a
    SET balance = a.balance
    FROM unnest($1::uuid[], $2::uuid[]) AS k(user_id, vendor_id)
    WHERE a.user_id = k.user_id AND a.vendor_id = k.vendor_id
    RETURNING a.user_id, a.vendor_id, a.balance, a.held, a.entry_count";

const LOCK_TRADES: &str = "
    UPDATE trades t
    SET state = t.state
    FROM unnest($1::uuid[], $2::uuid[]) AS k(user_id, id)
    WHERE t.user_id = k.user_id AND t.id = k.id
    RETURNING t.id, t.state";

/// What a batch is decided on.
pub(in super::super) struct Found {
    pub(in super::super) book: Book,
    pub(in super::super) used: Answers,
    pub(in super::super) terms: Terms,
}

/// Locks the accounts and trades of the requests in key order and reads them, then the answers of used keys and the terms in force.
pub(in super::super) async fn read(tx: &Tx<'_>, writer: i16, requests: &[Request], now: Timestamp) -> Result<Found, Fault> {
    let postings = requests.iter().map(|request| &request.posting);
    let lock_accounts_statement = tx.prepare_cached(LOCK_ACCOUNTS).await?;
    let find_answers_statement = tx.prepare_cached(FIND_ANSWERS).await?;
    let terms_statements = terms::Prepared::new(tx).await?;
    let (accounts, used, terms) = tokio::try_join!(
        biased;
        lock_accounts(tx, &lock_accounts_statement, postings.clone()),
        find_answers_prepared(tx, &find_answers_statement, requests.iter().map(|request| &request.claim)),
        read_terms(tx, &terms_statements, writer, postings.clone(), now),
    )?;
    Ok(Found { book: Book::new(accounts, lock_trades(tx, postings).await?), used, terms })
}

async fn lock_accounts<'p>(
    tx: &Tx<'_>,
    statement: &Statement,
    postings: impl Iterator<Item = &'p Posting>,
) -> Result<Vec<(AccountKey, Account)>, Fault> {
    let keys: BTreeSet<AccountKey> = postings.flat_map(Posting::accounts).collect();
    let (users, vendors): (Vec<Uuid>, Vec<Uuid>) = keys.iter().map(|k| (k.user.uuid(), k.vendor.uuid())).unzip();
    tx.query(statement, &[&users, &vendors]).await?.iter().map(account).collect()
}

fn account(row: &Row) -> Result<(AccountKey, Account), Fault> {
    let key = AccountKey::new(UserId::new(row.try_get(0)?), VendorId::new(row.try_get(1)?));
    let account = Account { balance: Tokens::new(row.try_get(2)?), held: Tokens::new(row.try_get(3)?), entry_count: row.try_get(4)? };
    Ok((key, account))
}

async fn lock_trades<'p>(tx: &Tx<'_>, postings: impl Iterator<Item = &'p Posting>) -> Result<Vec<(TradeId, TradeState)>, Fault> {
    let keys: BTreeSet<(UserId, TradeId)> = postings.filter_map(Posting::trade).map(|t| (t.proposer, t.id)).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (users, ids): (Vec<Uuid>, Vec<Uuid>) = keys.iter().map(|(user, id)| (user.uuid(), id.uuid())).unzip();
    let rows = tx.query(LOCK_TRADES, &[&users, &ids]).await?;
    rows.iter().map(|row| Ok((TradeId::new(row.try_get(0)?), trade_state(row.try_get(1)?)?))).collect()
}

fn trade_state(text: &str) -> Result<TradeState, Fault> {
    TradeState::parse(text).ok_or_else(|| Fault::Unreadable(format!("trade state {text}")))
}
