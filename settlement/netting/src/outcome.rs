//! What a netting comes to for the parties: positions, transfers, carries; or why there is none.

use crate::network::Party;
use scrip::Micro;

/// What one party is owed and owes: `net = owed - owes = settled + carry`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Whose.
    pub party: Party,
    /// The sum of what others owe it.
    pub owed: Micro,
    /// The sum of what it owes others.
    pub owes: Micro,
    /// Positive: to be paid. Negative: to pay. The nets of a netting sum to zero.
    pub net: Micro,
    /// What the transfers settle of the net; sums to zero.
    pub settled: Micro,
    /// What the carries leave of the net; sums to zero.
    pub carry: Micro,
}

/// Money that one party pays another, or the house, or the house pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Who pays.
    pub payer: Party,
    /// Who is paid.
    pub payee: Party,
    /// More than zero, in whole minor units.
    pub amount: Micro,
}

/// What one party still owes another: by rounding, because the transfer would have been too small, or because it was held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carry {
    /// Who owes.
    pub debtor: Party,
    /// Who is owed.
    pub creditor: Party,
    /// More than zero.
    pub amount: Micro,
}

/// What becomes of one pair's debts where every debtor pays its own creditor: `amount = set_off + remaining`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetOff {
    /// Who owes.
    pub debtor: Party,
    /// Who is owed.
    pub creditor: Party,
    /// The sum of what the one owes the other.
    pub amount: Micro,
    /// What circles cancel of it, without money.
    pub set_off: Micro,
    /// What is paid of it, or carried.
    pub remaining: Micro,
}

/// Why a strategy refuses a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NettingError {
    /// The hub could not tell this party from the house.
    #[error("a party may not be named {} when the hub strategy is used", scrip::code::HOUSE)]
    HouseIsParty,
    /// What is held back is more than nothing and no more than what the one owes the other.
    #[error("{debtor} does not owe {creditor} as much as is to be held back")]
    HeldMoreThanOwed {
        /// Who owes.
        debtor: String,
        /// Who is owed.
        creditor: String,
    },
    /// The smallest transfer is an amount or nothing.
    #[error("the smallest transfer may not be less than zero")]
    MinTransferNegative,
}
