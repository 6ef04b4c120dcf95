//! What a batch reads: the answers of used keys, the accounts and trades it locks, the terms in force.

use crate::{Claim, Fault, Tx, locks};
use jiff::Timestamp;
use scrip::posting::{Account, AccountKey, Book, Posting, Receipt, Switches, Terms, TradeState, VendorTerms};
use scrip::rate::{PairRate, RateVersion, StoredRate};
use scrip::{Micro, SchemeId, Tokens, TradeId, UnitValue, UserId, VendorId, WindowId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tokio_postgres::Row;
use uuid::Uuid;

/// Every statement of this file.
pub(super) const STATEMENTS: &[&str] = &[FIND_ANSWERS, LOCK_ACCOUNTS, LOCK_TRADES, READ_SCHEMES, READ_WINDOWS, READ_VENDORS, READ_RATES];

const FIND_ANSWERS: &str = "
    SELECT i.actor_id, i.key, i.request_hash, i.answer
    FROM unnest($1::uuid[], $2::text[]) AS k(actor_id, key)
    JOIN idempotency i ON i.actor_id = k.actor_id AND i.key = k.key";

// Locks and reads at once; SELECT .. FOR UPDATE of many rows does not distribute.
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

const READ_SCHEMES: &str = "SELECT DISTINCT scheme_id FROM scheme_members WHERE vendor_id = ANY($1::uuid[])";

// now() would be the start of the tx, before the lock: too early to say which window is open.
const READ_WINDOWS: &str = "
    SELECT t.booked_at, w.scheme_id, w.id, s.gross_micro
    FROM (SELECT clock_timestamp() AS booked_at) t
    LEFT JOIN windows w ON w.scheme_id = ANY($1::uuid[]) AND w.state = 'open'
    LEFT JOIN window_totals s ON s.window_id = w.id AND s.writer = $2";

const READ_VENDORS: &str = "
    SELECT v.id, v.status = 'active', v.can_issue, v.can_convert_out, v.can_convert_in, m.scheme_id, u.value_micro
    FROM vendors v
    LEFT JOIN scheme_members m ON m.vendor_id = v.id
    LEFT JOIN LATERAL (SELECT value_micro FROM unit_values
                       WHERE vendor_id = v.id AND starts_at <= $2 ORDER BY starts_at DESC LIMIT 1) u ON true
    WHERE v.id = ANY($1::uuid[])";

const READ_RATES: &str = "
    SELECT p.from_vendor_id, p.to_vendor_id, r.id, r.kind, r.send_units, r.receive_units, r.margin_bps
    FROM unnest($1::uuid[], $2::uuid[]) AS p(from_vendor_id, to_vendor_id)
    JOIN LATERAL (SELECT id, kind, send_units, receive_units, margin_bps FROM rates
                  WHERE from_vendor_id = p.from_vendor_id AND to_vendor_id = p.to_vendor_id AND starts_at <= $3
                  ORDER BY starts_at DESC LIMIT 1) r ON true";

/// The answer that a used key has.
#[derive(Debug)]
pub(in super::super) struct StoredAnswer {
    pub(in super::super) request_hash: Vec<u8>,
    pub(in super::super) receipt: Receipt,
}

pub(in super::super) type Answers = HashMap<(Uuid, String), StoredAnswer>;

pub(in super::super) async fn find_answers(tx: &Tx<'_>, claims: &[&Claim]) -> Result<Answers, Fault> {
    let actors: Vec<Uuid> = claims.iter().map(|c| c.actor).collect();
    let keys: Vec<&str> = claims.iter().map(|c| c.key.as_str()).collect();
    let statement = tx.prepare_cached(FIND_ANSWERS).await?;
    let rows = tx.query(&statement, &[&actors, &keys]).await?;
    rows.iter()
        .map(|row| {
            let text: &str = row.try_get(3)?;
            let receipt = serde_json::from_str(text).map_err(|e| Fault::Unreadable(format!("an idempotent answer: {e}")))?;
            Ok(((row.try_get(0)?, row.try_get(1)?), StoredAnswer { request_hash: row.try_get(2)?, receipt }))
        })
        .collect()
}

/// Locks the accounts and trades of the postings, in key order, and reads them.
pub(in super::super) async fn lock_book<'p>(tx: &Tx<'_>, postings: impl Iterator<Item = &'p Posting> + Clone) -> Result<Book, Fault> {
    let keys: BTreeSet<AccountKey> = postings.clone().flat_map(Posting::accounts).collect();
    let users: Vec<Uuid> = keys.iter().map(|k| k.user.uuid()).collect();
    let vendors: Vec<Uuid> = keys.iter().map(|k| k.vendor.uuid()).collect();
    let statement = tx.prepare_cached(LOCK_ACCOUNTS).await?;
    let rows = tx.query(&statement, &[&users, &vendors]).await?;
    let accounts = rows.iter().map(account).collect::<Result<Vec<_>, Fault>>()?;
    Ok(Book::new(accounts, lock_trades(tx, postings).await?))
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
    let users: Vec<Uuid> = keys.iter().map(|(user, _)| user.uuid()).collect();
    let ids: Vec<Uuid> = keys.iter().map(|(_, id)| id.uuid()).collect();
    let rows = tx.query(LOCK_TRADES, &[&users, &ids]).await?;
    rows.iter().map(|row| Ok((TradeId::new(row.try_get(0)?), trade_state(row.try_get(1)?)?))).collect()
}

fn trade_state(text: &str) -> Result<TradeState, Fault> {
    TradeState::parse(text).ok_or_else(|| Fault::Unreadable(format!("trade state {text}")))
}

/// Keeps the windows open, then reads the time, the windows, the vendors and the rates in force.
pub(in super::super) async fn read_terms(tx: &Tx<'_>, writer: i16, postings: &[Posting], now: Timestamp) -> Result<Terms, Fault> {
    let vendors: Vec<Uuid> = postings.iter().flat_map(Posting::vendors).collect::<BTreeSet<_>>().iter().map(|v| v.uuid()).collect();
    let statement = tx.prepare_cached(READ_SCHEMES).await?;
    let schemes: Vec<Uuid> = tx.query(&statement, &[&vendors]).await?.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    locks::lock_schemes_shared(tx, schemes.iter().map(|s| SchemeId::new(*s))).await?;
    let OpenWindows { booked_at, windows, totals } = read_windows(tx, writer, &schemes).await?;
    let vendors = read_vendors(tx, &vendors, booked_at).await?;
    Ok(Terms { booked_at, now, vendors, rates: read_rates(tx, postings, booked_at).await?, windows, window_totals: totals })
}

/// The time, and what is open then.
struct OpenWindows {
    booked_at: Timestamp,
    windows: BTreeMap<SchemeId, WindowId>,
    totals: BTreeMap<WindowId, Micro>,
}

async fn read_windows(tx: &Tx<'_>, writer: i16, schemes: &[Uuid]) -> Result<OpenWindows, Fault> {
    let statement = tx.prepare_cached(READ_WINDOWS).await?;
    let rows = tx.query(&statement, &[&schemes, &writer]).await?;
    let booked_at = rows.first().ok_or_else(|| Fault::Unreadable("the database's time".to_owned()))?.try_get(0)?;
    let (mut windows, mut totals) = (BTreeMap::new(), BTreeMap::new());
    for row in &rows {
        if let (Some(scheme), Some(window)) = (row.try_get(1)?, row.try_get(2)?) {
            windows.insert(SchemeId::new(scheme), WindowId::new(window));
            totals.extend(row.try_get::<_, Option<i64>>(3)?.map(|gross| (WindowId::new(window), Micro::new(gross))));
        }
    }
    Ok(OpenWindows { booked_at, windows, totals })
}

async fn read_vendors(tx: &Tx<'_>, vendors: &[Uuid], booked_at: Timestamp) -> Result<BTreeMap<VendorId, VendorTerms>, Fault> {
    let statement = tx.prepare_cached(READ_VENDORS).await?;
    let rows = tx.query(&statement, &[&vendors, &booked_at]).await?;
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

async fn read_rates(tx: &Tx<'_>, postings: &[Posting], booked_at: Timestamp) -> Result<BTreeMap<(VendorId, VendorId), RateVersion>, Fault> {
    let pairs: BTreeSet<(VendorId, VendorId)> = postings.iter().filter_map(Posting::pair).collect();
    let from: Vec<Uuid> = pairs.iter().map(|(from, _)| from.uuid()).collect();
    let to: Vec<Uuid> = pairs.iter().map(|(_, to)| to.uuid()).collect();
    let statement = tx.prepare_cached(READ_RATES).await?;
    let rows = tx.query(&statement, &[&from, &to, &booked_at]).await?;
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
