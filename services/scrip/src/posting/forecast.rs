//! What a batch would change if nothing stood in its way: a guess, made before the accounts are known.
//!
//! Most batches come out as forecast. So their changes can be applied while the accounts are locked and read, in one step instead of
//! two; what [`super::decide`] then says is the truth, and wherever the forecast was wrong the difference is written too.

use super::{Account, AccountKey, Book, Posting, Terms, TradeState, decide_all};
use crate::money::Tokens;
use std::collections::{BTreeMap, BTreeSet};

/// What a batch adds to one account; negative: takes from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// To the balance.
    pub balance: Tokens,
    /// To what is held.
    pub held: Tokens,
    /// How many entries.
    pub entries: i64,
}

/// More than a batch takes from an account, and little enough that what it adds still fits.
const PLENTY: Account = Account { balance: Tokens::new(1 << 61), held: Tokens::new(1 << 61), entry_count: 0 };

/// The change of every account of the postings, were all of them there with plenty of tokens, these terms still in force and no cap in
/// the way. An account
/// that would not change is there too, with no change.
pub fn forecast<'p>(postings: impl Iterator<Item = &'p Posting> + Clone, terms: &Terms) -> BTreeMap<AccountKey, Change> {
    let keys: BTreeSet<AccountKey> = postings.clone().flat_map(Posting::accounts).collect();
    let trades = postings.clone().filter_map(Posting::trade).map(|trade| (trade.id, TradeState::Proposed));
    let mut book = Book::new(keys.iter().map(|key| (*key, PLENTY)), trades);
    decide_all(postings, &mut book, None, terms);
    book.accounts().map(|(key, account)| (*key, Change::between(&PLENTY, account).unwrap_or_default())).collect()
}

impl Change {
    fn between(before: &Account, after: &Account) -> Option<Self> {
        Some(Self {
            balance: after.balance.checked_sub(before.balance)?,
            held: after.held.checked_sub(before.held)?,
            entries: after.entry_count.checked_sub(before.entry_count)?,
        })
    }

    /// The account as it was before this change made it `after`.
    pub fn undo(self, after: &Account) -> Option<Account> {
        Some(Account {
            balance: after.balance.checked_sub(self.balance)?,
            held: after.held.checked_sub(self.held)?,
            entry_count: after.entry_count.checked_sub(self.entries)?,
        })
    }
}
