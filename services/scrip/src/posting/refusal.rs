//! Why a posting moves nothing.

use super::TradeState;
use crate::money::{Micro, Tokens};
use crate::{UserId, VendorId};
use jiff::Timestamp;

/// One of the directions in which a vendor can be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// Issuing its tokens.
    Issue,
    /// Taking its tokens for another vendor's.
    ConvertOut,
    /// Giving its tokens for another vendor's.
    ConvertIn,
}

impl Switch {
    /// As shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::ConvertOut => "convert_out",
            Self::ConvertIn => "convert_in",
        }
    }
}

/// The rules say no. Nothing moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The user has no account with the vendor.
    #[error("the user has no account with this vendor")]
    AccountNotFound {
        /// Who.
        user: UserId,
        /// With whom.
        vendor: VendorId,
    },
    /// A token cannot be exchanged for itself.
    #[error("a token cannot be exchanged for itself")]
    SameVendor {
        /// The vendor that stands on both sides.
        vendor: VendorId,
    },
    /// Nobody trades with themselves.
    #[error("nobody can trade with themselves")]
    SameUser,
    /// The balance is too small.
    #[error("the balance is too small")]
    InsufficientTokens {
        /// Whose token.
        vendor: VendorId,
        /// What could be spent.
        available: Tokens,
        /// What it takes.
        needed: Tokens,
    },
    /// The vendor does not do this at present.
    #[error("the vendor has switched this direction off")]
    SwitchedOff {
        /// Which vendor.
        vendor: VendorId,
        /// Which direction.
        switch: Switch,
    },
    /// The operator has suspended the vendor.
    #[error("the vendor is suspended")]
    VendorSuspended {
        /// Which vendor.
        vendor: VendorId,
    },
    /// The pair is closed, or a vendor has no unit value yet.
    #[error("there is no rate between these tokens now")]
    NoRate {
        /// The token to retire.
        from: VendorId,
        /// The token to issue.
        to: VendorId,
    },
    /// Nothing would settle the debt between the two vendors.
    #[error("the two vendors have no settlement scheme in common")]
    NoCommonScheme {
        /// The token to retire.
        from: VendorId,
        /// The token to issue.
        to: VendorId,
    },
    /// It would receive nothing.
    #[error("the amount is too small to receive anything")]
    AmountTooSmall {
        /// Whose token is sent.
        vendor: VendorId,
        /// The smallest workable amount.
        min_send: Tokens,
    },
    /// An amount, a value or a balance would not fit in 64 bits.
    #[error("the amount is too large")]
    AmountTooLarge,
    /// The scheme's open window holds as much as a run can net; it takes no more before it is closed.
    #[error("the settlement window is full; it takes no more before it is closed")]
    WindowFull {
        /// The token to retire.
        from: VendorId,
        /// The token to issue.
        to: VendorId,
    },
    /// What the first vendor owes less what it is owed, and this swap, come to more than its net debit cap.
    #[error("the vendor would owe more than its cap allows")]
    DebitCapExceeded {
        /// Whose cap.
        vendor: VendorId,
        /// The most that it may owe on balance.
        cap: Micro,
        /// How much more it may owe now.
        headroom: Micro,
        /// What this swap would make it owe.
        needed: Micro,
    },
    /// What the first vendor owes the second, net, and this swap, come to more than the second accepts.
    #[error("the vendor would owe the other more than that one accepts")]
    BilateralCapExceeded {
        /// Who would owe.
        from: VendorId,
        /// Who accepts no more.
        to: VendorId,
        /// The most that it may owe the other on balance.
        cap: Micro,
        /// How much more it may owe the other now.
        headroom: Micro,
        /// What this swap would make it owe.
        needed: Micro,
    },
    /// The payer's own lower limit.
    #[error("the swap would receive less than min_receive")]
    BelowMinReceive {
        /// Whose token is received.
        vendor: VendorId,
        /// What it would receive.
        receive: Tokens,
    },
    /// The payer's own upper limit.
    #[error("the swap would take more than max_send")]
    AboveMaxSend {
        /// Whose token is sent.
        vendor: VendorId,
        /// What it would take.
        send: Tokens,
    },
    /// There is no such trade.
    #[error("there is no such trade")]
    TradeNotFound,
    /// It was accepted, declined, cancelled or expired before.
    #[error("the trade has ended")]
    TradeEnded {
        /// How.
        state: TradeState,
    },
    /// Its time is up.
    #[error("the trade has expired")]
    TradeExpired {
        /// When.
        expires_at: Timestamp,
    },
    /// It can still be accepted.
    #[error("the trade has not expired yet")]
    TradeNotExpired {
        /// When it will.
        expires_at: Timestamp,
    },
}
