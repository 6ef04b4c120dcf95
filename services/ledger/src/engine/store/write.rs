//! What a batch writes: the journal, the new balances, the running sums, and the answers under their keys.

use super::answers::{INSERT_ANSWERS, insert_answers};
use super::read::Accounts;
use crate::copy::CopyIn;
use crate::obligations::{Source, store as obligations};
use crate::{Claim, Fault, Tx};
use jiff::Timestamp;
use scrip::VendorId;
use scrip::posting::{Book, Entry, Issuance, Journal, Obligation, Receipt, Swapped, TradeState, TradeStep};
use std::collections::BTreeMap;
use tokio_postgres::Statement;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// Every statement of this file.
pub(super) const STATEMENTS: &[&str] = &[COPY_ENTRIES, COPY_SWAPS, COPY_TRADES, END_TRADES, UPDATE_ACCOUNTS, ADD_ISSUANCES];

const COPY_ENTRIES: &str = "
    COPY entries (user_id, vendor_id, seq, kind, contra, amount, held_amount, balance_after, held_after, operation_id, booked_at)
    FROM STDIN BINARY";

const COPY_SWAPS: &str = "
    COPY swaps (user_id, id, kind, payee_id, from_vendor_id, to_vendor_id, send_units, receive_units, from_unit_value, to_unit_value,
                rate_id, value_micro, to_vendor_micro, house_fee_micro, source_margin_micro, rounding_micro, window_id, booked_at)
    FROM STDIN BINARY";

const COPY_TRADES: &str = "
    COPY trades (user_id, id, acceptor_id, give_vendor_id, give_units, take_vendor_id, take_units, state, proposed_at, expires_at)
    FROM STDIN BINARY";

const END_TRADES: &str = "
    UPDATE trades t
    SET state = e.state, ended_at = $4
    FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS e(user_id, id, state)
    WHERE t.user_id = e.user_id AND t.id = e.id";

const UPDATE_ACCOUNTS: &str = "
    UPDATE accounts a
    SET balance = n.balance, held = n.held, entry_count = n.entry_count
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[]) AS n(user_id, vendor_id, balance, held, entry_count)
    WHERE a.user_id = n.user_id AND a.vendor_id = n.vendor_id";

const ADD_ISSUANCES: &str = "
    INSERT INTO issuances (vendor_id, writer, issued, retired)
    SELECT vendor_id, $1, issued, retired
    FROM unnest($2::uuid[], $3::bigint[], $4::bigint[]) AS u(vendor_id, issued, retired)
    ON CONFLICT (vendor_id, writer) DO UPDATE
    SET issued = issuances.issued + excluded.issued, retired = issuances.retired + excluded.retired";

/// Writes everything that the batch decided, and commits. `stored` is what the accounts hold since the forecast was applied.
///
/// Each table's rows begin while those of the table before are still being taken in, and the commit follows the last at once.
pub(in super::super) async fn write<'a>(
    tx: Tx<'_>,
    writer: i16,
    journal: &Journal,
    book: &Book,
    stored: &Accounts,
    granted: impl Iterator<Item = (&'a Claim, &'a Receipt)>,
    booked_at: Timestamp,
) -> Result<(), Fault> {
    if journal.entries.is_empty() {
        return Ok(());
    }
    let prepared = Prepared::new(&tx).await?;
    let ((), (), (), mut entries) = tokio::try_join!(
        biased;
        correct_accounts(&tx, &prepared.accounts, book, stored),
        add_issuances(&tx, &prepared.issuances, writer, &journal.issuances),
        insert_answers(&tx, &prepared.answers, granted, booked_at),
        CopyIn::begin_prepared(&tx, &prepared.entries, ENTRY_TYPES),
    )?;
    copy_entries(&mut entries, &journal.entries).await?;
    if journal.swaps.is_empty() {
        entries.finish().await?;
    } else {
        let ((), mut swaps) = tokio::try_join!(biased; entries.finish(), CopyIn::begin_prepared(&tx, &prepared.swaps, SWAP_TYPES))?;
        copy_swaps(&mut swaps, &journal.swaps).await?;
        let rows = journal.obligations.iter().map(|obliged| obligation(obliged, booked_at));
        tokio::try_join!(biased; swaps.finish(), obligations::insert_obligations(&tx, writer, rows))?;
    }
    write_trades(&tx, &journal.trades, booked_at).await?;
    tx.commit().await
}

/// The statements, prepared.
struct Prepared {
    accounts: Statement,
    issuances: Statement,
    entries: Statement,
    answers: Statement,
    swaps: Statement,
}

impl Prepared {
    async fn new(tx: &Tx<'_>) -> Result<Self, Fault> {
        Ok(Self {
            accounts: tx.prepare_cached(UPDATE_ACCOUNTS).await?,
            issuances: tx.prepare_cached(ADD_ISSUANCES).await?,
            entries: tx.prepare_cached(COPY_ENTRIES).await?,
            answers: tx.prepare_cached(INSERT_ANSWERS).await?,
            swaps: tx.prepare_cached(COPY_SWAPS).await?,
        })
    }
}

/// Only the accounts that did not come out as forecast.
async fn correct_accounts(tx: &Tx<'_>, statement: &Statement, book: &Book, stored: &Accounts) -> Result<(), Fault> {
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
    let corrected = tx.execute(statement, &[&users, &vendors, &balances, &helds, &counts]).await?;
    if u64::try_from(users.len()) == Ok(corrected) { Ok(()) } else { Err(Fault::Unreadable("an account has gone".to_owned())) }
}

const ENTRY_TYPES: &[Type] = &[
    Type::UUID,
    Type::UUID,
    Type::INT8,
    Type::TEXT,
    Type::TEXT,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::UUID,
    Type::TIMESTAMPTZ,
];

async fn copy_entries(copy: &mut CopyIn, entries: &[Entry]) -> Result<(), Fault> {
    for entry in entries {
        let Entry { account, seq, kind, contra, amount, held_amount, balance_after, held_after, operation, booked_at } = entry;
        copy.row(&[
            &account.user.uuid(),
            &account.vendor.uuid(),
            seq,
            &kind.as_str(),
            &contra.as_str(),
            &amount.units(),
            &held_amount.units(),
            &balance_after.units(),
            &held_after.units(),
            &operation.uuid(),
            booked_at,
        ])
        .await?;
    }
    Ok(())
}

const SWAP_TYPES: &[Type] = &[
    Type::UUID,
    Type::UUID,
    Type::TEXT,
    Type::UUID,
    Type::UUID,
    Type::UUID,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::UUID,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::UUID,
    Type::TIMESTAMPTZ,
];

async fn copy_swaps(copy: &mut CopyIn, swaps: &[Swapped]) -> Result<(), Fault> {
    for swap in swaps {
        let figures = &swap.figures;
        copy.row(&[
            &swap.payer.uuid(),
            &swap.id.uuid(),
            &swap.kind(),
            &swap.payee.uuid(),
            &swap.from.uuid(),
            &swap.to.uuid(),
            &swap.send.units(),
            &swap.receive.units(),
            &swap.from_unit_value.micro(),
            &swap.to_unit_value.micro(),
            &swap.rate_id,
            &figures.value.units(),
            &figures.to_vendor.units(),
            &figures.house_fee.units(),
            &figures.source_margin.units(),
            &figures.rounding.units(),
            &swap.window.uuid(),
            &swap.booked_at,
        ])
        .await?;
    }
    Ok(())
}

fn obligation(obliged: &Obligation, booked_at: Timestamp) -> obligations::Row {
    let Obligation { payer, swap, window, debtor, creditor, amount } = *obliged;
    let (user, id) = (payer.uuid(), swap.uuid());
    obligations::Row { user, id, window, debtor, creditor, amount, source: Source::Swap, operation: swap, booked_at }
}

const TRADE_TYPES: &[Type] =
    &[Type::UUID, Type::UUID, Type::UUID, Type::UUID, Type::INT8, Type::UUID, Type::INT8, Type::TEXT, Type::TIMESTAMPTZ, Type::TIMESTAMPTZ];

async fn write_trades(tx: &Tx<'_>, steps: &[TradeStep], booked_at: Timestamp) -> Result<(), Fault> {
    let (proposed, ended): (Vec<&TradeStep>, Vec<&TradeStep>) = steps.iter().partition(|step| step.state == TradeState::Proposed);
    if !proposed.is_empty() {
        let mut copy = CopyIn::begin(tx, COPY_TRADES, TRADE_TYPES).await?;
        for TradeStep { trade, state, booked_at } in proposed {
            copy.row(&[
                &trade.proposer.uuid(),
                &trade.id.uuid(),
                &trade.acceptor.uuid(),
                &trade.give.vendor.uuid(),
                &trade.give.amount.units(),
                &trade.take.vendor.uuid(),
                &trade.take.amount.units(),
                &state.as_str(),
                booked_at,
                &trade.expires_at,
            ])
            .await?;
        }
        copy.finish().await?;
    }
    if !ended.is_empty() {
        let users: Vec<Uuid> = ended.iter().map(|s| s.trade.proposer.uuid()).collect();
        let ids: Vec<Uuid> = ended.iter().map(|s| s.trade.id.uuid()).collect();
        let states: Vec<&str> = ended.iter().map(|s| s.state.as_str()).collect();
        tx.execute(END_TRADES, &[&users, &ids, &states, &booked_at]).await?;
    }
    Ok(())
}

async fn add_issuances(tx: &Tx<'_>, statement: &Statement, writer: i16, sums: &BTreeMap<VendorId, Issuance>) -> Result<(), Fault> {
    if sums.is_empty() {
        return Ok(());
    }
    let fit = |sum: i128| i64::try_from(sum).map_err(|_| Fault::PositionTooLarge);
    let vendors: Vec<Uuid> = sums.keys().map(|v| v.uuid()).collect();
    let issued: Vec<i64> = sums.values().map(|s| fit(s.issued)).collect::<Result<_, _>>()?;
    let retired: Vec<i64> = sums.values().map(|s| fit(s.retired)).collect::<Result<_, _>>()?;
    tx.execute(statement, &[&writer, &vendors, &issued, &retired]).await?;
    Ok(())
}
