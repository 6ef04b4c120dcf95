//! What a batch writes: the journal, the new balances, the running sums, and the answers under their keys.
//!
//! Rows come as one array per column, and the n-th of each is taken by its place. (`unnest` of many arrays makes a table of each first: a
//! third of what it costs to insert a swap.) Texts have no fixed length, and where there may be nulls they take no room, so a place in such an
//! array is far to find: those are unnested.

use super::answers::insert_answers;
use super::read::Accounts;
use crate::issuances::store as issuances;
use crate::obligations::{Source, store as obligations};
use crate::pipeline::{Pipeline, Step, column, step};
use crate::{Claim, Fault};
use jiff::Timestamp;
use scrip::posting::{Book, Entry, ExposureKey, Journal, Obligation, Receipt, Swapped, Terms, TradeState, TradeStep};

/// Every statement of this file.
pub(super) const STATEMENTS: &[&str] = &[INSERT_ENTRIES, INSERT_SWAPS, INSERT_TRADES, END_TRADES, UPDATE_ACCOUNTS];

const INSERT_ENTRIES: &str = "
    INSERT INTO entries (user_id, vendor_id, seq, kind, contra, amount, held_amount, balance_after, held_after, operation_id, booked_at)
    SELECT ($2::uuid[])[n], ($3::uuid[])[n], ($4::bigint[])[n], kind, contra, ($7::bigint[])[n], ($8::bigint[])[n], ($9::bigint[])[n],
           ($10::bigint[])[n], ($11::uuid[])[n], $1
    FROM unnest($5::text[], $6::text[]) WITH ORDINALITY AS u(kind, contra, n)";

const INSERT_SWAPS: &str = "
    INSERT INTO swaps (user_id, id, kind, payee_id, from_vendor_id, to_vendor_id, send_units, receive_units, from_unit_value, to_unit_value,
                       rate_id, value_micro, to_vendor_micro, house_fee_micro, source_margin_micro, rounding_micro, window_id, booked_at)
    SELECT ($2::uuid[])[n], ($3::uuid[])[n], kind, ($5::uuid[])[n], ($6::uuid[])[n], ($7::uuid[])[n], ($8::bigint[])[n], ($9::bigint[])[n],
           ($10::bigint[])[n], ($11::bigint[])[n], rate_id, ($13::bigint[])[n], ($14::bigint[])[n], ($15::bigint[])[n],
           ($16::bigint[])[n], ($17::bigint[])[n], ($18::uuid[])[n], $1
    FROM unnest($4::text[], $12::uuid[]) WITH ORDINALITY AS u(kind, rate_id, n)";

const INSERT_TRADES: &str = "
    INSERT INTO trades (user_id, id, acceptor_id, give_vendor_id, give_units, take_vendor_id, take_units, state, proposed_at, expires_at)
    SELECT user_id, id, acceptor_id, give_vendor_id, give_units, take_vendor_id, take_units, state, $1, expires_at
    FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::bigint[], $7::uuid[], $8::bigint[], $9::text[], $10::timestamptz[])
         AS u(user_id, id, acceptor_id, give_vendor_id, give_units, take_vendor_id, take_units, state, expires_at)";

const END_TRADES: &str = "
    UPDATE trades t
    SET state = e.state, ended_at = $1
    FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS e(user_id, id, state)
    WHERE t.user_id = e.user_id AND t.id = e.id";

const UPDATE_ACCOUNTS: &str = "
    UPDATE accounts a
    SET balance = n.balance, held = n.held, entry_count = n.entry_count
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[]) AS n(user_id, vendor_id, balance, held, entry_count)
    WHERE a.user_id = n.user_id AND a.vendor_id = n.vendor_id";

/// Writes everything that the batch decided, and commits; all of it is sent at once. `stored` is what the accounts hold since the forecast
/// was applied.
pub(in super::super) async fn write<'a>(
    tx: Pipeline<'_>,
    writer: i16,
    journal: &Journal,
    book: &Book,
    stored: &Accounts,
    granted: impl Iterator<Item = (&'a Claim, &'a Receipt)>,
    terms: &Terms,
) -> Result<(), Fault> {
    let booked_at = terms.booked_at;
    if journal.entries.is_empty() {
        return Ok(());
    }
    correct_accounts(&tx, book, stored).await?;
    let (proposed, ended): (Vec<&TradeStep>, Vec<&TradeStep>) = journal.trades.iter().partition(|step| step.state == TradeState::Proposed);
    // In the order of their indexes: a walk through an index takes less than as many leaps.
    let mut granted: Vec<_> = granted.collect();
    granted.sort_unstable_by_key(|(claim, _)| (claim.actor, claim.key.as_str()));
    let entries = sorted(&journal.entries, |entry| (entry.account, entry.seq));
    let swaps = sorted(&journal.swaps, |swap| (swap.payer, swap.id));
    // The keys first, which may be used, and the sums last, which other writers may wait for.
    let mut steps = vec![insert_answers(granted.into_iter(), booked_at)?, insert_entries(&entries, booked_at)];
    if !proposed.is_empty() {
        steps.push(insert_trades(&proposed, booked_at));
    }
    if !journal.issuances.is_empty() {
        steps.push(issuances::add_issued(writer, &journal.issuances));
    }
    if !journal.swaps.is_empty() {
        steps.push(insert_swaps(&swaps, booked_at));
        let rows: Vec<_> = journal.obligations.iter().map(obligation).collect();
        let origin = obligations::Origin { writer, source: Source::Swap, booked_at };
        for step in obligations::insert_obligations(origin, &rows, |vendor| terms.caps.contains_key(&ExposureKey::of(vendor)))? {
            steps.push(step);
        }
    }
    let mut groups = vec![steps];
    if !ended.is_empty() {
        // By itself, so that it would find a trade that was proposed in the same batch.
        groups.push(vec![end_trades(&ended, booked_at)]);
    }
    tx.commit_after(&groups).await
}

fn sorted<R, K: Ord>(rows: &[R], key: impl Fn(&R) -> K) -> Vec<&R> {
    let mut sorted: Vec<&R> = rows.iter().collect();
    sorted.sort_unstable_by_key(|row| key(row));
    sorted
}

/// Only the accounts that did not come out as forecast.
async fn correct_accounts(tx: &Pipeline<'_>, book: &Book, stored: &Accounts) -> Result<(), Fault> {
    let (mut users, mut vendors, mut balances, mut helds, mut counts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (key, account) in book.accounts().filter(|(key, account)| stored.get(key) != Some(account)) {
        users.push(key.user.uuid());
        vendors.push(key.vendor.uuid());
        balances.push(account.balance.units());
        helds.push(account.held.units());
        counts.push(account.entry_count);
    }
    if users.is_empty() {
        return Ok(());
    }
    let statement = tx.prepare_cached(UPDATE_ACCOUNTS).await?;
    let corrected = tx.execute(&statement, &[&users, &vendors, &balances, &helds, &counts]).await?;
    if u64::try_from(users.len()) == Ok(corrected) { Ok(()) } else { Err(Fault::Unreadable("an account has gone".to_owned())) }
}

fn insert_entries(entries: &[&Entry], booked_at: Timestamp) -> Step<'static> {
    step!(
        INSERT_ENTRIES,
        booked_at,
        column(entries, |entry| entry.account.user.uuid()),
        column(entries, |entry| entry.account.vendor.uuid()),
        column(entries, |entry| entry.seq),
        column(entries, |entry| entry.kind.as_str()),
        column(entries, |entry| entry.contra.as_str()),
        column(entries, |entry| entry.amount.units()),
        column(entries, |entry| entry.held_amount.units()),
        column(entries, |entry| entry.balance_after.units()),
        column(entries, |entry| entry.held_after.units()),
        column(entries, |entry| entry.operation.uuid()),
    )
}

fn insert_swaps(swaps: &[&Swapped], booked_at: Timestamp) -> Step<'static> {
    step!(
        INSERT_SWAPS,
        booked_at,
        column(swaps, |swap| swap.payer.uuid()),
        column(swaps, |swap| swap.id.uuid()),
        column(swaps, |swap| swap.kind()),
        column(swaps, |swap| swap.payee.uuid()),
        column(swaps, |swap| swap.from.uuid()),
        column(swaps, |swap| swap.to.uuid()),
        column(swaps, |swap| swap.send.units()),
        column(swaps, |swap| swap.receive.units()),
        column(swaps, |swap| swap.from_unit_value.micro()),
        column(swaps, |swap| swap.to_unit_value.micro()),
        column(swaps, |swap| swap.rate_id),
        column(swaps, |swap| swap.figures.value.units()),
        column(swaps, |swap| swap.figures.to_vendor.units()),
        column(swaps, |swap| swap.figures.house_fee.units()),
        column(swaps, |swap| swap.figures.source_margin.units()),
        column(swaps, |swap| swap.figures.rounding.units()),
        column(swaps, |swap| swap.window.uuid()),
    )
}

fn obligation(obliged: &Obligation) -> obligations::Row {
    let Obligation { payer, swap, window, debtor, creditor, amount, send, receive } = *obliged;
    obligations::Row { user: payer.uuid(), id: swap.uuid(), window, debtor, creditor, amount, send, receive, operation: swap }
}

fn insert_trades(steps: &[&TradeStep], booked_at: Timestamp) -> Step<'static> {
    step!(
        INSERT_TRADES,
        booked_at,
        column(steps, |step| step.trade.proposer.uuid()),
        column(steps, |step| step.trade.id.uuid()),
        column(steps, |step| step.trade.acceptor.uuid()),
        column(steps, |step| step.trade.give.vendor.uuid()),
        column(steps, |step| step.trade.give.amount.units()),
        column(steps, |step| step.trade.take.vendor.uuid()),
        column(steps, |step| step.trade.take.amount.units()),
        column(steps, |step| step.state.as_str()),
        column(steps, |step| step.trade.expires_at),
    )
}

fn end_trades(steps: &[&TradeStep], booked_at: Timestamp) -> Step<'static> {
    step!(
        END_TRADES,
        booked_at,
        column(steps, |step| step.trade.proposer.uuid()),
        column(steps, |step| step.trade.id.uuid()),
        column(steps, |step| step.state.as_str()),
    )
}
