//! What a decided batch leaves in the books, and what each caller is told.

use super::terms::WINDOW_MAX;
use super::{AccountKey, Terms, Trade, TradeState};
use crate::money::{Micro, Tokens, UnitValue};
use crate::swap::Figures;
use crate::{OperationId, UserId, VendorId, WindowId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Everything that a batch writes.
#[derive(Debug, Default)]
pub struct Journal {
    /// In the order in which they were decided.
    pub entries: Vec<Entry>,
    /// One for each granted swap.
    pub swaps: Vec<Swapped>,
    /// One for each granted swap.
    pub obligations: Vec<Obligation>,
    /// How many tokens vendors issued to users. (What swaps issue and retire stands in the obligations.)
    pub issuances: BTreeMap<VendorId, i128>,
    /// What the batch adds to each window.
    pub window_sums: BTreeMap<WindowId, i128>,
    /// Proposals and ends of trades, in order.
    pub trades: Vec<TradeStep>,
}

impl Journal {
    /// Whether the window takes another obligation, after what the batch has added to it already.
    pub(super) fn has_room(&self, terms: &Terms, window: WindowId, value: Micro) -> bool {
        let before = terms.window_totals.get(&window).map_or(0, |total| i128::from(total.units()));
        let added = self.window_sums.get(&window).copied().unwrap_or_default();
        let after = before.checked_add(added).and_then(|sum| sum.checked_add(i128::from(value.units())));
        after.is_some_and(|after| after <= i128::from(WINDOW_MAX.units()))
    }

    #[expect(clippy::arithmetic_side_effects, reason = "a batch has far fewer than 2^63 postings of at most 2^63 units each")]
    pub(super) fn issue(&mut self, vendor: VendorId, amount: Tokens) {
        *self.issuances.entry(vendor).or_default() += i128::from(amount.units());
    }

    pub(super) fn oblige(&mut self, obligation: Obligation) {
        let sum = self.window_sums.entry(obligation.window).or_default();
        *sum = sum.saturating_add(i128::from(obligation.amount.units()));
        self.obligations.push(obligation);
    }

    pub(super) fn step(&mut self, trade: &Trade, state: TradeState, booked_at: Timestamp) -> Receipt {
        let step = TradeStep { trade: *trade, state, booked_at };
        self.trades.push(step);
        Receipt::Traded(step)
    }
}

/// Why an account changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// The vendor issued tokens.
    Issue,
    /// Retired by the user's own swap.
    ConvertOut,
    /// Issued by the user's own swap.
    ConvertIn,
    /// Retired to pay somebody in another token.
    SendOut,
    /// Issued because somebody paid in another token.
    SendIn,
    /// Set aside for a proposed trade.
    TradeHold,
    /// No longer set aside.
    TradeRelease,
    /// Given in a trade.
    TradeOut,
    /// Taken in a trade.
    TradeIn,
}

impl EntryKind {
    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::ConvertOut => "convert_out",
            Self::ConvertIn => "convert_in",
            Self::SendOut => "send_out",
            Self::SendIn => "send_in",
            Self::TradeHold => "trade_hold",
            Self::TradeRelease => "trade_release",
            Self::TradeOut => "trade_out",
            Self::TradeIn => "trade_in",
        }
    }
}

/// The other half of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contra {
    /// Tokens came into being or ceased.
    Issuance,
    /// Another user's account.
    Account,
    /// The same account's hold.
    Hold,
}

impl Contra {
    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issuance => "issuance",
            Self::Account => "account",
            Self::Hold => "hold",
        }
    }
}

/// One line of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Whose line.
    pub account: AccountKey,
    /// Counts the account's entries from 1.
    pub seq: i64,
    /// Why.
    pub kind: EntryKind,
    /// Against what.
    pub contra: Contra,
    /// Change of the balance.
    pub amount: Tokens,
    /// Change of what is held.
    pub held_amount: Tokens,
    /// The balance from here on.
    pub balance_after: Tokens,
    /// What is held from here on.
    pub held_after: Tokens,
    /// What moved it.
    pub operation: OperationId,
    /// When, by the database.
    pub booked_at: Timestamp,
}

/// What a swap leaves between two vendors. It bears the swap's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Obligation {
    /// The swap's payer, by whom the row is found.
    pub payer: UserId,
    /// The swap.
    pub swap: OperationId,
    /// The window that will settle it.
    pub window: WindowId,
    /// Who owes.
    pub debtor: VendorId,
    /// Who is owed.
    pub creditor: VendorId,
    /// How much.
    pub amount: Micro,
    /// Units of the debtor's token that the swap retired.
    pub send: Tokens,
    /// Units of the creditor's token that it issued.
    pub receive: Tokens,
}

/// What the caller of a granted posting is told. Stored under its idempotency key, so that it can be told again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// Tokens were issued.
    Issued(Issued),
    /// A swap was made.
    Swapped(Box<Swapped>),
    /// A trade took a step.
    Traded(TradeStep),
}

/// Tokens were issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// What the entry names.
    pub operation: OperationId,
    /// Whose token.
    pub vendor: VendorId,
    /// To whom.
    pub user: UserId,
    /// How much.
    pub amount: Tokens,
    /// The account's balance right after.
    pub balance_after: Tokens,
    /// When.
    pub booked_at: Timestamp,
}

/// A swap as it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swapped {
    /// The swap's id.
    pub id: OperationId,
    /// Whose tokens were retired.
    pub payer: UserId,
    /// Who got the other token; the payer, in a convert.
    pub payee: UserId,
    /// The vendor whose tokens were retired.
    pub from: VendorId,
    /// The vendor whose tokens were issued.
    pub to: VendorId,
    /// Units retired.
    pub send: Tokens,
    /// Units issued.
    pub receive: Tokens,
    /// The first token's unit value then.
    pub from_unit_value: UnitValue,
    /// The second token's unit value then.
    pub to_unit_value: UnitValue,
    /// The configured rate's version; none where the unit values crossed.
    pub rate_id: Option<Uuid>,
    /// What it is worth and to whom.
    pub figures: Figures,
    /// The window that its obligation falls into.
    pub window: WindowId,
    /// When.
    pub booked_at: Timestamp,
}

impl Swapped {
    /// As stored and shown: `convert` within one user, `send` to another.
    pub fn kind(&self) -> &'static str {
        if self.payer == self.payee { "convert" } else { "send" }
    }
}

/// A trade was proposed or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeStep {
    /// Its terms.
    pub trade: Trade,
    /// Where it now stands.
    pub state: TradeState,
    /// When.
    pub booked_at: Timestamp,
}
