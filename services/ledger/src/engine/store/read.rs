//! What a batch reads: the accounts and trades it locks, the terms in force, and what capped vendors owe.

use super::super::Request;
use super::super::memory::{Known, Memory};
use super::terms::{self, look_at_terms, read_terms};
use crate::exposures::store as exposures;
use crate::pipeline::Pipeline;
use crate::{Fault, locks};
use jiff::Timestamp;
use scrip::posting::{Account, AccountKey, Book, Change, ExposureKey, Exposures, Posting, Terms, TradeState};
use scrip::{Tokens, TradeId, UserId, VendorId};
use std::collections::{BTreeMap, BTreeSet};
use std::future;
use tokio_postgres::{Row, Statement};
use uuid::Uuid;

/// Every statement of this file.
pub(super) const STATEMENTS: &[&str] = &[CHANGE_ACCOUNTS, LOCK_ACCOUNTS, READ_ACCOUNTS, LOCK_TRADES];

// Locks, changes and reads at once. The generic plan walks the keys in their order.
const CHANGE_ACCOUNTS: &str = "
    UPDATE accounts a
    SET balance = a.balance + ($3::bigint[])[n], held = a.held + ($4::bigint[])[n], entry_count = a.entry_count + ($5::bigint[])[n]
    FROM unnest($1::uuid[]) WITH ORDINALITY AS c(user_id, n)
    WHERE a.user_id = c.user_id AND a.vendor_id = ($2::uuid[])[n]
          AND a.balance + ($3::bigint[])[n] >= 0 AND a.held + ($4::bigint[])[n] >= 0
    RETURNING a.user_id, a.vendor_id, a.balance, a.held, a.entry_count";

// SELECT .. FOR UPDATE of many rows does not distribute.
const LOCK_ACCOUNTS: &str = "
    UPDATE accounts a
    SET balance = a.balance
    FROM unnest($1::uuid[], $2::uuid[]) AS k(user_id, vendor_id)
    WHERE a.user_id = k.user_id AND a.vendor_id = k.vendor_id
    RETURNING a.user_id, a.vendor_id, a.balance, a.held, a.entry_count";

const READ_ACCOUNTS: &str = "
    SELECT a.user_id, a.vendor_id, a.balance, a.held, a.entry_count
    FROM unnest($1::uuid[], $2::uuid[]) AS k(user_id, vendor_id)
    JOIN accounts a ON a.user_id = k.user_id AND a.vendor_id = k.vendor_id";

const LOCK_TRADES: &str = "
    UPDATE trades t
    SET state = t.state
    FROM unnest($1::uuid[], $2::uuid[]) AS k(user_id, id)
    WHERE t.user_id = k.user_id AND t.id = k.id
    RETURNING t.id, t.state";

/// Terms that change while they are read are read again this often.
const READS_MAX: u32 = 100;

/// What a batch is decided on.
pub(in super::super) struct Found<'m> {
    /// The accounts as they were before the forecast was applied, and the trades.
    pub(in super::super) book: Book,
    /// The accounts as they are stored now.
    pub(in super::super) stored: Accounts,
    /// What the vendors and pairs owe whose caps the batch is held against.
    pub(in super::super) exposures: Exposures,
    pub(in super::super) terms: &'m Terms,
}

pub(in super::super) type Accounts = BTreeMap<AccountKey, Account>;
pub(in super::super) type Forecast = BTreeMap<AccountKey, Change>;

/// Applies the forecast to its accounts, in key order, which locks them, and reads them; then the trades and the terms in force, as far as
/// they are not remembered; last what the capped vendors owe. An account that lacks what the forecast takes from it is locked and left as it is.
pub(in super::super) async fn read<'m>(
    tx: &Pipeline<'_>,
    writer: i16,
    requests: &[Request],
    forecast: &Forecast,
    memory: &'m mut Memory,
    now: Timestamp,
) -> Result<Found<'m>, Fault> {
    let change_accounts_statement = tx.prepare_cached(CHANGE_ACCOUNTS).await?;
    let terms_statements = terms::Prepared::new(tx).await?;
    let postings = requests.iter().map(|request| &request.posting);
    let wanted = memory.wanted(postings.clone());
    let (mut stored, mut terms_read) = tokio::try_join!(
        biased;
        change_accounts(tx, &change_accounts_statement, forecast),
        read_terms(tx, &terms_statements, writer, &wanted),
    )?;
    let mut reads_left = READS_MAX;
    while !memory.still_holds(&terms_read) {
        reads_left = reads_left.checked_sub(1).ok_or_else(|| Fault::Unreadable("terms that change without pause".to_owned()))?;
        memory.forget();
        terms_read = read_terms(tx, &terms_statements, writer, &memory.wanted(postings.clone())).await?;
    }
    let mut before: Accounts =
        stored.iter().map(|(key, account)| Ok((*key, undo(forecast, key, account)?))).collect::<Result<_, Fault>>()?;
    let unchanged = lock_accounts(tx, forecast.keys().filter(|key| !stored.contains_key(key))).await?;
    before.extend(&unchanged);
    stored.extend(unchanged);
    let book = Book::new(before, lock_trades(tx, postings.clone()).await?);
    let known = memory.learn(terms_read, now);
    let exposures = read_exposures(tx, postings, known).await?;
    Ok(Found { book, stored, exposures, terms: &known.terms })
}

/// What one posting would be decided on in this snapshot. Nothing is locked, so another one may come first.
pub(in super::super) async fn look<'m>(
    tx: &Pipeline<'_>,
    posting: &Posting,
    memory: &'m mut Memory,
    now: Timestamp,
) -> Result<(Book, Exposures, &'m Terms), Fault> {
    let postings = std::iter::once(posting);
    let terms_read = look_at_terms(tx, &memory.wanted(postings.clone())).await?;
    let (users, vendors): (Vec<Uuid>, Vec<Uuid>) = posting.accounts().iter().map(|k| (k.user.uuid(), k.vendor.uuid())).unzip();
    let statement = tx.prepare_cached(READ_ACCOUNTS).await?;
    let accounts: Accounts = tx.query(&statement, &[&users, &vendors]).await?.iter().map(account).collect::<Result<_, Fault>>()?;
    let known = memory.learn(terms_read, now);
    let keys = known.terms.caps_of(postings);
    let exposures = if keys.is_empty() { Exposures::default() } else { add_up_exposures(tx, &keys, known, future::ready(Ok(()))).await? };
    Ok((Book::new(accounts, Vec::new()), exposures, &known.terms))
}

/// What the caps limit that the batch is held against: of closed windows as it is remembered, of the open one as it stands once nobody
/// else can add to it. Where nobody is capped nothing is asked.
async fn read_exposures<'p>(tx: &Pipeline<'_>, postings: impl Iterator<Item = &'p Posting>, known: &mut Known) -> Result<Exposures, Fault> {
    let keys = known.terms.caps_of(postings);
    if keys.is_empty() {
        return Ok(Exposures::default());
    }
    let lock = tx.prepare_cached(locks::LOCK_DEBTORS).await?;
    add_up_exposures(tx, &keys, known, locks::lock_debtors(tx, &lock, keys.iter().map(|key| key.debtor))).await
}

/// Once they are locked, if they are to be.
async fn add_up_exposures(
    tx: &Pipeline<'_>,
    keys: &BTreeSet<ExposureKey>,
    known: &mut Known,
    locking: impl Future<Output = Result<(), Fault>>,
) -> Result<Exposures, Fault> {
    let (read_open, read_closed) = (tx.prepare_cached(exposures::READ_OPEN).await?, tx.prepare_cached(exposures::READ_CLOSED).await?);
    let unknown: Vec<_> = keys.iter().copied().filter(|key| !known.closed.contains_key(key)).collect();
    let ((), open, closed) = tokio::try_join!(
        biased;
        locking,
        exposures::read_part(tx, &read_open, keys.iter().copied()),
        exposures::read_part(tx, &read_closed, unknown.iter().copied()),
    )?;
    known.closed.extend(unknown.into_iter().map(|key| (key, closed.get(key))));
    let closed = |key| known.closed.get(key).copied().unwrap_or_default();
    Ok(keys.iter().map(|key| (*key, open.get(*key).plus(closed(key)))).collect())
}

fn undo(forecast: &Forecast, key: &AccountKey, after: &Account) -> Result<Account, Fault> {
    let change = forecast.get(key).copied().unwrap_or_default();
    change.undo(after).ok_or_else(|| Fault::Unreadable("an account that was not so before".to_owned()))
}

async fn change_accounts(tx: &Pipeline<'_>, statement: &Statement, forecast: &Forecast) -> Result<Accounts, Fault> {
    let (mut users, mut vendors, mut balances, mut helds, mut entries) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (key, change) in forecast {
        users.push(key.user.uuid());
        vendors.push(key.vendor.uuid());
        balances.push(change.balance.units());
        helds.push(change.held.units());
        entries.push(change.entries);
    }
    tx.query(statement, &[&users, &vendors, &balances, &helds, &entries]).await?.iter().map(account).collect()
}

/// What the forecast has not found as it thought: mostly nothing.
async fn lock_accounts(tx: &Pipeline<'_>, keys: impl Iterator<Item = &AccountKey>) -> Result<Accounts, Fault> {
    let (users, vendors): (Vec<Uuid>, Vec<Uuid>) = keys.map(|k| (k.user.uuid(), k.vendor.uuid())).unzip();
    if users.is_empty() {
        return Ok(Accounts::new());
    }
    let statement = tx.prepare_cached(LOCK_ACCOUNTS).await?;
    tx.query(&statement, &[&users, &vendors]).await?.iter().map(account).collect()
}

fn account(row: &Row) -> Result<(AccountKey, Account), Fault> {
    let key = AccountKey::new(UserId::new(row.try_get(0)?), VendorId::new(row.try_get(1)?));
    let account = Account { balance: Tokens::new(row.try_get(2)?), held: Tokens::new(row.try_get(3)?), entry_count: row.try_get(4)? };
    Ok((key, account))
}

async fn lock_trades<'p>(tx: &Pipeline<'_>, postings: impl Iterator<Item = &'p Posting>) -> Result<Vec<(TradeId, TradeState)>, Fault> {
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
