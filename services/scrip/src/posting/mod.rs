//! Posting: what may move, and what it leaves in the books.
//!
//! Shape: a [`Posting`] is a wish; [`decide`] takes a batch of them, one after another, over the [`Book`] of their accounts, the
//! [`Exposures`] of capped vendors and the [`Terms`] in force, and answers each with a [`Receipt`] or a [`Refusal`]. What was granted
//! stands in the [`Journal`], ready to be written. A refused posting leaves no trace in book or exposures, so it never spoils its neighbours.
//!
//! This is the only place that says no to a movement of tokens. It has no clock and no database.

mod book;
mod caps;
mod forecast;
mod journal;
mod refusal;
mod terms;

#[cfg(test)]
mod tests;

pub use book::{Account, AccountKey, Book};
pub use caps::{Caps, Exposure, ExposureKey, Exposures, Level, Levels};
pub use forecast::{Change, forecast};
pub use journal::{Contra, Entry, EntryKind, Issued, Journal, Obligation, Receipt, Swapped, TradeStep};
pub use refusal::{Refusal, Switch};
pub use terms::{Switches, Terms, VendorTerms, WINDOW_MAX};

use crate::money::Tokens;
use crate::rate;
use crate::swap::{self, Amounts, AmountsError, Side};
use crate::{OperationId, TradeId, UserId, VendorId};
use book::Move;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A wish to move tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posting {
    /// A vendor issues its tokens to a user.
    Issue(Issue),
    /// One token is retired and another issued, for the same user or for another.
    Swap(SwapOrder),
    /// The proposer's tokens are held for the other user to accept.
    ProposeTrade(Trade),
    /// Both legs move at once.
    AcceptTrade(Trade),
    /// What was held goes back.
    EndTrade(Trade, TradeEnd),
}

/// Tokens come into being in a user's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issue {
    /// What the entries will name.
    pub operation: OperationId,
    /// Whose token.
    pub vendor: VendorId,
    /// Whose account.
    pub user: UserId,
    /// How much.
    pub amount: Tokens,
}

/// A convert (payer is payee) or a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwapOrder {
    /// The swap's id, which its entries and its obligation name.
    pub operation: OperationId,
    /// Whose tokens are retired.
    pub payer: UserId,
    /// Who gets the other token.
    pub payee: UserId,
    /// The vendor whose tokens are retired.
    pub from: VendorId,
    /// The vendor whose tokens are issued.
    pub to: VendorId,
    /// The side that the payer fixed.
    pub side: Side,
    /// Refuse rather than give less than this.
    pub min_receive: Option<Tokens>,
    /// Refuse rather than take more than this.
    pub max_send: Option<Tokens>,
}

/// Exact amounts of two tokens between two users; once proposed, its terms never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// The trade's id, which all its entries name.
    pub id: TradeId,
    /// Who gives first and whose tokens are held.
    pub proposer: UserId,
    /// Who may accept.
    pub acceptor: UserId,
    /// What the proposer gives.
    pub give: Leg,
    /// What the proposer takes.
    pub take: Leg,
    /// From this instant on it can no longer be accepted.
    pub expires_at: Timestamp,
}

/// An amount of one vendor's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// Whose token.
    pub vendor: VendorId,
    /// How much.
    pub amount: Tokens,
}

/// How a trade ends without moving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TradeEnd {
    /// The acceptor said no.
    Declined,
    /// The proposer took it back.
    Cancelled,
    /// Nobody answered in time.
    Expired,
}

/// Where a trade stands; everything but `Proposed` is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeState {
    /// Waits for the acceptor; the proposer's tokens are held.
    Proposed,
    /// Both legs moved.
    Accepted,
    /// The acceptor said no.
    Declined,
    /// The proposer took it back.
    Cancelled,
    /// Nobody answered in time.
    Expired,
}

impl TradeState {
    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Reads what [`TradeState::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Proposed, Self::Accepted, Self::Declined, Self::Cancelled, Self::Expired].into_iter().find(|s| s.as_str() == text)
    }
}

impl From<TradeEnd> for TradeState {
    fn from(end: TradeEnd) -> Self {
        match end {
            TradeEnd::Declined => Self::Declined,
            TradeEnd::Cancelled => Self::Cancelled,
            TradeEnd::Expired => Self::Expired,
        }
    }
}

impl Posting {
    /// The accounts that it touches or needs; the engine locks them in key order.
    pub fn accounts(&self) -> Vec<AccountKey> {
        match self {
            Self::Issue(issue) => vec![AccountKey::new(issue.user, issue.vendor)],
            Self::Swap(order) => vec![AccountKey::new(order.payer, order.from), AccountKey::new(order.payee, order.to)],
            Self::ProposeTrade(trade) | Self::AcceptTrade(trade) => trade.accounts().to_vec(),
            Self::EndTrade(trade, _) => vec![AccountKey::new(trade.proposer, trade.give.vendor)],
        }
    }

    /// Whose wish it is: the payer, the proposer, or who receives what is issued.
    pub fn first_user(&self) -> UserId {
        match self {
            Self::Issue(issue) => issue.user,
            Self::Swap(order) => order.payer,
            Self::ProposeTrade(trade) | Self::AcceptTrade(trade) | Self::EndTrade(trade, _) => trade.proposer,
        }
    }

    /// The vendors whose terms it depends on.
    pub fn vendors(&self) -> Vec<VendorId> {
        match self {
            Self::Issue(issue) => vec![issue.vendor],
            Self::Swap(order) => vec![order.from, order.to],
            Self::ProposeTrade(_) | Self::AcceptTrade(_) | Self::EndTrade(..) => Vec::new(),
        }
    }

    /// The tokens that it exchanges through their vendors.
    pub fn pair(&self) -> Option<(VendorId, VendorId)> {
        match self {
            Self::Swap(order) => Some((order.from, order.to)),
            Self::Issue(_) | Self::ProposeTrade(_) | Self::AcceptTrade(_) | Self::EndTrade(..) => None,
        }
    }

    /// The trade whose state it depends on.
    pub fn trade(&self) -> Option<&Trade> {
        match self {
            Self::AcceptTrade(trade) | Self::EndTrade(trade, _) => Some(trade),
            Self::Issue(_) | Self::Swap(_) | Self::ProposeTrade(_) => None,
        }
    }
}

impl Trade {
    fn accounts(&self) -> [AccountKey; 4] {
        let (give, take) = (self.give.vendor, self.take.vendor);
        [
            AccountKey::new(self.proposer, give),
            AccountKey::new(self.acceptor, give),
            AccountKey::new(self.acceptor, take),
            AccountKey::new(self.proposer, take),
        ]
    }
}

/// A batch as it was decided.
#[derive(Debug)]
pub struct Decided {
    /// One answer for each posting, in their order.
    pub outcomes: Vec<Result<Receipt, Refusal>>,
    /// What is to be written.
    pub journal: Journal,
}

/// Decides the postings one after another; each sees what those before it left in the book and owed.
///
/// # Panics
/// Where a swap is held against a cap ([`Terms::caps_of`]) and the exposures lack it: that is a bug.
pub fn decide<'p>(postings: impl IntoIterator<Item = &'p Posting>, book: &mut Book, exposures: &mut Exposures, terms: &Terms) -> Decided {
    decide_all(postings, book, Some(exposures), terms)
}

/// Without exposures no cap is held against anything.
fn decide_all<'p>(
    postings: impl IntoIterator<Item = &'p Posting>,
    book: &mut Book,
    mut exposures: Option<&mut Exposures>,
    terms: &Terms,
) -> Decided {
    let mut journal = Journal::default();
    let decide = |posting| decide_one(posting, book, exposures.as_deref_mut(), terms, &mut journal);
    let outcomes = postings.into_iter().map(decide).collect();
    Decided { outcomes, journal }
}

fn decide_one(
    posting: &Posting,
    book: &mut Book,
    exposures: Option<&mut Exposures>,
    terms: &Terms,
    journal: &mut Journal,
) -> Result<Receipt, Refusal> {
    match posting {
        Posting::Issue(issue) => decide_issue(issue, book, terms, journal),
        Posting::Swap(order) => decide_swap(order, book, exposures, terms, journal),
        Posting::ProposeTrade(trade) => decide_proposal(trade, book, terms, journal),
        Posting::AcceptTrade(trade) => decide_acceptance(trade, book, terms, journal),
        Posting::EndTrade(trade, end) => decide_end(trade, *end, book, terms, journal),
    }
}

fn decide_issue(issue: &Issue, book: &mut Book, terms: &Terms, journal: &mut Journal) -> Result<Receipt, Refusal> {
    let Issue { operation, vendor, user, amount } = *issue;
    terms.allows(vendor, Switch::Issue)?;
    let credit = Move::new(AccountKey::new(user, vendor), EntryKind::Issue, Contra::Issuance).credit(amount);
    let entries = book.apply(&[credit], operation, terms.booked_at)?;

    // From here on nothing is refused.
    let balance_after = entries.first().map_or(Tokens::ZERO, |e| e.balance_after);
    journal.entries.extend(entries);
    journal.issue(vendor, amount);
    Ok(Receipt::Issued(Issued { operation, vendor, user, amount, balance_after, booked_at: terms.booked_at }))
}

/// Checks in this order: two vendors, accounts, switches, rate, scheme, amounts, the payer's limits, the books' limits, the caps, the balance.
fn decide_swap(
    order: &SwapOrder,
    book: &mut Book,
    exposures: Option<&mut Exposures>,
    terms: &Terms,
    journal: &mut Journal,
) -> Result<Receipt, Refusal> {
    let SwapOrder { operation, payer, payee, from, to, side, min_receive, max_send } = *order;
    if from == to {
        return Err(Refusal::SameVendor { vendor: from });
    }
    let (out_of, into) = (AccountKey::new(payer, from), AccountKey::new(payee, to));
    book.account(out_of)?;
    book.account(into)?;
    terms.allows(from, Switch::ConvertOut)?;
    terms.allows(to, Switch::ConvertIn)?;
    let no_rate = Refusal::NoRate { from, to };
    let (Some(from_unit_value), Some(to_unit_value)) = (terms.unit_value(from), terms.unit_value(to)) else { return Err(no_rate) };
    let version = terms.rates.get(&(from, to)).copied();
    let ratio = rate::ratio(from_unit_value, to_unit_value, version.map(|v| v.rate)).ok_or(no_rate)?;
    let window = terms.common_window(from, to)?;
    let Amounts { send, receive } = swap::amounts(side, ratio).map_err(|error| match error {
        AmountsError::TooSmall { min_send } => Refusal::AmountTooSmall { vendor: from, min_send },
        AmountsError::TooLarge => Refusal::AmountTooLarge,
    })?;
    if min_receive.is_some_and(|least| receive < least) {
        return Err(Refusal::BelowMinReceive { vendor: to, receive });
    }
    if max_send.is_some_and(|most| send > most) {
        return Err(Refusal::AboveMaxSend { vendor: from, send });
    }
    let figures = swap::figures(send, from_unit_value).ok_or(Refusal::AmountTooLarge)?;
    if !journal.has_room(terms, window, figures.to_vendor) {
        return Err(Refusal::WindowFull { from, to });
    }
    if let Some(exposures) = &exposures {
        exposures.check(&terms.caps, from, to, figures.to_vendor)?;
    }
    let (out_kind, in_kind) =
        if payer == payee { (EntryKind::ConvertOut, EntryKind::ConvertIn) } else { (EntryKind::SendOut, EntryKind::SendIn) };
    let moves = [Move::new(out_of, out_kind, Contra::Issuance).debit(send), Move::new(into, in_kind, Contra::Issuance).credit(receive)];
    let entries = book.apply(&moves, operation, terms.booked_at)?;

    // From here on nothing is refused.
    let swapped = Swapped {
        id: operation,
        payer,
        payee,
        from,
        to,
        send,
        receive,
        from_unit_value,
        to_unit_value,
        rate_id: version.map(|v| v.id),
        figures,
        window,
        booked_at: terms.booked_at,
    };
    if let Some(exposures) = exposures {
        exposures.oblige(from, to, figures.to_vendor);
    }
    journal.entries.extend(entries);
    journal.oblige(Obligation { payer, swap: operation, window, debtor: from, creditor: to, amount: figures.to_vendor, send, receive });
    journal.swaps.push(swapped.clone());
    Ok(Receipt::Swapped(Box::new(swapped)))
}

fn decide_proposal(trade: &Trade, book: &mut Book, terms: &Terms, journal: &mut Journal) -> Result<Receipt, Refusal> {
    if trade.proposer == trade.acceptor {
        return Err(Refusal::SameUser);
    }
    if trade.give.vendor == trade.take.vendor {
        return Err(Refusal::SameVendor { vendor: trade.give.vendor });
    }
    for account in trade.accounts() {
        book.account(account)?;
    }
    let [gives_from, ..] = trade.accounts();
    let hold = Move::new(gives_from, EntryKind::TradeHold, Contra::Hold).debit(trade.give.amount).hold(trade.give.amount);
    let entries = book.apply(&[hold], OperationId::new(trade.id.uuid()), terms.booked_at)?;

    // From here on nothing is refused.
    book.set_trade(trade.id, TradeState::Proposed);
    journal.entries.extend(entries);
    Ok(journal.step(trade, TradeState::Proposed, terms.booked_at))
}

fn decide_acceptance(trade: &Trade, book: &mut Book, terms: &Terms, journal: &mut Journal) -> Result<Receipt, Refusal> {
    book.proposed(trade)?;
    if terms.now >= trade.expires_at {
        return Err(Refusal::TradeExpired { expires_at: trade.expires_at });
    }
    let [gives_from, gives_to, takes_from, takes_to] = trade.accounts();
    let (give, take) = (trade.give.amount, trade.take.amount);
    let moves = [
        Move::new(gives_from, EntryKind::TradeOut, Contra::Account).unhold(give),
        Move::new(gives_to, EntryKind::TradeIn, Contra::Account).credit(give),
        Move::new(takes_from, EntryKind::TradeOut, Contra::Account).debit(take),
        Move::new(takes_to, EntryKind::TradeIn, Contra::Account).credit(take),
    ];
    let entries = book.apply(&moves, OperationId::new(trade.id.uuid()), terms.booked_at)?;

    // From here on nothing is refused.
    book.set_trade(trade.id, TradeState::Accepted);
    journal.entries.extend(entries);
    Ok(journal.step(trade, TradeState::Accepted, terms.booked_at))
}

fn decide_end(trade: &Trade, end: TradeEnd, book: &mut Book, terms: &Terms, journal: &mut Journal) -> Result<Receipt, Refusal> {
    book.proposed(trade)?;
    if end == TradeEnd::Expired && terms.now < trade.expires_at {
        return Err(Refusal::TradeNotExpired { expires_at: trade.expires_at });
    }
    let [gives_from, ..] = trade.accounts();
    let release = Move::new(gives_from, EntryKind::TradeRelease, Contra::Hold).credit(trade.give.amount).unhold(trade.give.amount);
    let entries = book.apply(&[release], OperationId::new(trade.id.uuid()), terms.booked_at)?;

    // From here on nothing is refused.
    book.set_trade(trade.id, end.into());
    journal.entries.extend(entries);
    Ok(journal.step(trade, end.into(), terms.booked_at))
}
