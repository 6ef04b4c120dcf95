//! Runs, positions, transfers and windows as they are stored and listed.

use crate::scheme::Approval;
use crate::seals::{Hash, Seal};
use crate::steps::RunState;
use crate::windows::Window;
use jiff::Timestamp;
use netting::Strategy;
use scrip::{Micro, RunId, Scale};
use uuid::Uuid;

/// The netting of one slot of a scheme: of the window that the slot closed, and of those before it that no other run settles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Follows from scheme and slot.
    pub id: RunId,
    /// Counts the scheme's runs from 1.
    pub number: i64,
    /// The scheme's code.
    pub scheme: String,
    /// What closed the window: a scheduled instant, or `manual:` and somebody's key.
    pub slot: String,
    /// `computed`, and what becomes of it.
    pub state: RunState,
    /// The currency of every figure.
    pub currency: String,
    /// The decimals that transfers have.
    pub digits: Scale,
    /// How it was netted.
    pub strategy: Strategy,
    /// No transfer is smaller; zero: every one is made.
    pub min_transfer: Micro,
    /// Which version of that.
    pub algorithm_version: i32,
    /// How many obligations went in.
    pub obligation_count: i64,
    /// Their sum.
    pub gross: Micro,
    /// What two by two set-off would leave to pay.
    pub bilateral: Micro,
    /// The least money that could settle everything.
    pub net: Micro,
    /// What the strategy leaves to be paid of the debts, before rounding.
    pub remaining: Micro,
    /// What the transfers move.
    pub total: Micro,
    /// How many transfers there are.
    pub transfer_count: i64,
    /// Over the window's debts by debtor and creditor.
    pub input_hash: Hash,
    /// Over transfers and carries.
    pub output_hash: Hash,
    /// Who has to agree to it before it is paid: what its scheme said when it was computed.
    pub approval: Approval,
    /// Until then vendors may dispute it; none where they cannot.
    pub disputable_until: Option<Timestamp>,
    /// The cut-off that it is computed as of: the end of its window.
    pub computed_at: Timestamp,
}

impl Run {
    /// What set-off cancels, so that nobody has to pay it. What rounding carries into the next window is not saved, only late.
    pub fn saved(&self) -> Micro {
        Micro::new(self.gross.units().saturating_sub(self.remaining.units()))
    }
}

/// A window as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowSummary {
    /// The window.
    pub window: Window,
    /// The run that settles it; none while it is open, waits for a run, or is free again because its run was voided.
    pub run: Option<RunId>,
    /// What it held, once that is sealed.
    pub seal: Option<Seal>,
}

/// A vendor in a run: `net = owed - owes = settled + carry`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The vendor's code.
    pub vendor: String,
    /// What others owe it.
    pub owed: Micro,
    /// What it owes others.
    pub owes: Micro,
    /// Positive: to be paid; negative: to pay.
    pub net: Micro,
    /// What the transfers settle of it.
    pub settled: Micro,
    /// What is carried into the next window.
    pub carry: Micro,
}

/// Money that one party pays another because of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its id.
    pub id: Uuid,
    /// Counts the run's transfers from 1.
    pub number: i64,
    /// What payer, payee and their banks call it.
    pub reference: String,
    /// A vendor's code, or `HOUSE`.
    pub payer: String,
    /// A vendor's code, or `HOUSE`.
    pub payee: String,
    /// In whole minor units of the currency.
    pub amount: Micro,
    /// `instructed`, and what becomes of it.
    pub state: String,
}
