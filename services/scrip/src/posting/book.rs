//! The accounts of one batch, in memory, while it is decided.

use super::journal::{Contra, Entry, EntryKind};
use super::{Refusal, Trade, TradeState};
use crate::money::Tokens;
use crate::{OperationId, TradeId, UserId, VendorId};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Names an account; ordered by user, then vendor: the order in which rows are locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey {
    /// Whose.
    pub user: UserId,
    /// With which vendor.
    pub vendor: VendorId,
}

impl AccountKey {
    /// The account of a user with a vendor.
    pub const fn new(user: UserId, vendor: VendorId) -> Self {
        Self { user, vendor }
    }
}

/// What an account holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    /// What the user may spend; never negative.
    pub balance: Tokens,
    /// What is set aside for proposed trades; never negative.
    pub held: Tokens,
    /// How many entries it has; the next one bears this plus one.
    pub entry_count: i64,
}

/// The accounts and trades that a batch may touch, as they stand.
#[derive(Debug, Default)]
pub struct Book {
    accounts: BTreeMap<AccountKey, Account>,
    trades: BTreeMap<TradeId, TradeState>,
}

/// A change of one account: the entry to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Move {
    account: AccountKey,
    kind: EntryKind,
    contra: Contra,
    credit: Tokens,
    debit: Tokens,
    hold: Tokens,
    unhold: Tokens,
}

impl Move {
    pub(super) fn new(account: AccountKey, kind: EntryKind, contra: Contra) -> Self {
        Self { account, kind, contra, credit: Tokens::ZERO, debit: Tokens::ZERO, hold: Tokens::ZERO, unhold: Tokens::ZERO }
    }

    pub(super) fn credit(self, credit: Tokens) -> Self {
        Self { credit, ..self }
    }

    pub(super) fn debit(self, debit: Tokens) -> Self {
        Self { debit, ..self }
    }

    pub(super) fn hold(self, hold: Tokens) -> Self {
        Self { hold, ..self }
    }

    pub(super) fn unhold(self, unhold: Tokens) -> Self {
        Self { unhold, ..self }
    }
}

impl Book {
    /// A book of these accounts and trades.
    pub fn new(accounts: impl IntoIterator<Item = (AccountKey, Account)>, trades: impl IntoIterator<Item = (TradeId, TradeState)>) -> Self {
        Self { accounts: accounts.into_iter().collect(), trades: trades.into_iter().collect() }
    }

    /// The accounts, in key order.
    pub fn accounts(&self) -> impl Iterator<Item = (&AccountKey, &Account)> {
        self.accounts.iter()
    }

    pub(super) fn account(&self, key: AccountKey) -> Result<Account, Refusal> {
        self.accounts.get(&key).copied().ok_or(Refusal::AccountNotFound { user: key.user, vendor: key.vendor })
    }

    pub(super) fn proposed(&self, trade: &Trade) -> Result<(), Refusal> {
        match self.trades.get(&trade.id) {
            Some(TradeState::Proposed) => Ok(()),
            Some(state @ (TradeState::Accepted | TradeState::Declined | TradeState::Cancelled | TradeState::Expired)) => {
                Err(Refusal::TradeEnded { state: *state })
            }
            None => Err(Refusal::TradeNotFound),
        }
    }

    pub(super) fn set_trade(&mut self, trade: TradeId, state: TradeState) {
        self.trades.insert(trade, state);
    }

    /// Makes all the moves or none; each account appears at most once.
    pub(super) fn apply(&mut self, moves: &[Move], operation: OperationId, booked_at: Timestamp) -> Result<Vec<Entry>, Refusal> {
        let entries = moves.iter().map(|m| self.entry(m, operation, booked_at)).collect::<Result<Vec<_>, _>>()?;

        // From here on nothing is refused.
        for entry in &entries {
            let after = Account { balance: entry.balance_after, held: entry.held_after, entry_count: entry.seq };
            self.accounts.insert(entry.account, after);
        }
        Ok(entries)
    }

    fn entry(&self, change: &Move, operation: OperationId, booked_at: Timestamp) -> Result<Entry, Refusal> {
        let Move { account: key, kind, contra, credit, debit, hold, unhold } = *change;
        let before = self.account(key)?;
        if before.balance < debit {
            return Err(Refusal::InsufficientTokens { vendor: key.vendor, available: before.balance, needed: debit });
        }
        let amount = credit.checked_sub(debit).ok_or(Refusal::AmountTooLarge)?;
        let held_amount = hold.checked_sub(unhold).ok_or(Refusal::AmountTooLarge)?;
        let balance_after = before.balance.checked_add(amount).ok_or(Refusal::AmountTooLarge)?;
        let held_after = before.held.checked_add(held_amount).ok_or(Refusal::AmountTooLarge)?;
        assert!(held_after >= Tokens::ZERO, "a proposed trade holds what it gives");
        let seq = before.entry_count.checked_add(1).ok_or(Refusal::AmountTooLarge)?;
        Ok(Entry { account: key, seq, kind, contra, amount, held_amount, balance_after, held_after, operation, booked_at })
    }
}
