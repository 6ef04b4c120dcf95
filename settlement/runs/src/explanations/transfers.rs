//! The loops behind one transfer, with the obligations in each of their steps.

use super::case::Explained;
use super::pieces::{Broken, Sink};
use super::{Answer, ExplanationRefusal, Level, Origin, Slice, TELL_TIME_MAX};
use crate::files::exact;
use crate::ids::reference;
use crate::runs::Run;
use ledger::Failure;
use netting::explain::{Kind, Loop, Loops, Part, Payment, Step};
use netting::{Party, Transfer};
use scrip::Micro;
use std::time::Instant;

/// The most parts of obligations in one answer: a page ends with the loop in which there would be more, and a step says how many it has.
pub const LINES_SHOWN_MAX: usize = 10_000;

/// One row for each part of an obligation and for each payment in a loop.
///
/// `loop` and `step` count from 1. `type` is `owed` (`from` owes `to`, `reference` is the obligation and `operation` what made it; both empty where
/// the sums of pairs are explained), `transfer` (`from` pays `to`, under `reference`) or `carry` (`from` goes on owing `to`; `operation` is this run, as
/// in the statement of the next). Amounts have six decimals.
pub const TRANSFER_COLUMNS: [&str; 10] = ["loop", "kind", "step", "type", "from", "to", "reference", "operation", "amount", "currency"];

/// What is behind a transfer: loops whose amounts sum to it.
#[derive(Debug, Clone)]
pub struct ExplainedTransfer {
    /// The run.
    pub run: Run,
    /// Whether the parts are of obligations or of sums.
    pub level: Level,
    /// Counts the run's transfers from 1.
    pub number: i64,
    /// What payer, payee and their banks call it.
    pub reference: String,
    /// Payer, payee and amount.
    pub transfer: Transfer,
    /// How many loops there are in all.
    pub loop_count: usize,
    /// Those that were asked for, as far as an answer takes them.
    pub loops: Vec<ExplainedLoop>,
}

/// An amount that goes once around; see [`netting::explain`].
#[derive(Debug, Clone)]
pub struct ExplainedLoop {
    /// Counts the transfer's loops from 1.
    pub number: usize,
    /// Of each step.
    pub amount: Micro,
    /// What it tells.
    pub kind: Kind,
    /// Each leads to the party at which the next begins.
    pub steps: Vec<ExplainedStep>,
}

/// One step of a loop.
#[derive(Debug, Clone)]
pub enum ExplainedStep {
    /// From a debtor to its creditor.
    Owed {
        /// Who owes.
        debtor: Party,
        /// Who is owed.
        creditor: Party,
        /// How many obligations have a part in it.
        part_count: usize,
        /// The first of them, as far as an answer takes them.
        parts: Vec<ExplainedPart>,
    },
    /// From a payee back to its payer.
    Transfer {
        /// Who pays.
        payer: Party,
        /// Who is paid.
        payee: Party,
        /// Counts the run's transfers from 1.
        number: i64,
        /// What payer, payee and their banks call it.
        reference: String,
    },
    /// From who stays owed back to who stays in debt.
    Carry {
        /// Who goes on owing.
        debtor: Party,
        /// Who goes on being owed.
        creditor: Party,
    },
}

/// So much of one obligation.
#[derive(Debug, Clone, Copy)]
pub struct ExplainedPart {
    /// None where the sums of pairs are explained.
    pub origin: Option<Origin>,
    /// How much.
    pub amount: Micro,
}

pub(super) fn tell(explained: &Explained, number: i64, slice: Slice) -> Answer<ExplainedTransfer> {
    let begun = Instant::now();
    let (transfer, told) = transfer(explained, number);
    let (mut loops, mut loop_count, mut lines, mut sum) = (Vec::new(), 0_usize, 0_usize, 0_i128);
    for told in told {
        sum = sum.strict_add(i128::from(told.amount.units()));
        if loop_count >= slice.after && loops.len() < slice.limit && lines < LINES_SHOWN_MAX {
            let (shown, parts) = show(explained, loop_count.strict_add(1), told, LINES_SHOWN_MAX.strict_sub(lines));
            lines = lines.strict_add(parts);
            loops.push(shown);
        }
        loop_count = loop_count.strict_add(1);
        if begun.elapsed() > TELL_TIME_MAX {
            return Err(Failure::Refused(ExplanationRefusal::TakesTooLong));
        }
    }
    assert!(sum == i128::from(transfer.amount.units()), "the loops of a transfer sum to it");
    let (run, level, transfer) = (explained.run.clone(), explained.level, transfer.clone());
    Ok(ExplainedTransfer { reference: reference(run.id, number), run, level, number, transfer, loop_count, loops })
}

/// # Panics
/// When the run has no such transfer: the caller has looked.
fn transfer(explained: &Explained, number: i64) -> (&Transfer, Loops<'_>) {
    let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1)).expect("transfers are numbered from 1");
    let loops = explained.explanation.of_payment(Payment::Transfer(place)).expect("the run has this transfer");
    (&explained.netting.transfers[place], loops)
}

/// The loop with at most so many parts in all, and how many those are.
fn show(explained: &Explained, number: usize, told: Loop, lines_max: usize) -> (ExplainedLoop, usize) {
    let (kind, amount, mut lines) = (told.kind(), told.amount, 0_usize);
    let step = |step| match step {
        Step::Owed { debtor, creditor, parts } => {
            let part_count = parts.len();
            let parts: Vec<_> = parts.iter().take(lines_max.strict_sub(lines)).map(|part| show_part(explained, part)).collect();
            lines = lines.strict_add(parts.len());
            ExplainedStep::Owed { debtor, creditor, part_count, parts }
        }
        Step::Paid { payer, payee, payment: Payment::Transfer(place) } => {
            let number = number_of(place);
            ExplainedStep::Transfer { payer, payee, number, reference: reference(explained.run.id, number) }
        }
        Step::Paid { payer, payee, payment: Payment::Carry(_) } => ExplainedStep::Carry { debtor: payer, creditor: payee },
    };
    let steps = told.steps.into_iter().map(step).collect();
    (ExplainedLoop { number, amount, kind, steps }, lines)
}

fn show_part(explained: &Explained, part: &Part) -> ExplainedPart {
    ExplainedPart { origin: explained.item(part.reference).origin, amount: part.amount }
}

fn number_of(place: usize) -> i64 {
    i64::try_from(place).ok().and_then(|place| place.checked_add(1)).expect("a run's transfers can be numbered")
}

pub(super) fn write(explained: &Explained, number: i64, sink: &mut Sink) -> Result<(), Broken> {
    sink.row(TRANSFER_COLUMNS)?;
    let run = explained.run.id;
    let (_, loops) = transfer(explained, number);
    for (place, told) in (1_u64..).zip(loops) {
        let (place, kind, whole) = (place.to_string(), told.kind().name(), exact(told.amount));
        for (step, told) in (1_u64..).zip(&told.steps) {
            let step = step.to_string();
            let mut row = |kind_of_step, from: &Party, to: &Party, reference: &str, operation: &str, amount: &str| {
                let (from, to) = (from.as_str(), to.as_str());
                sink.row([&place, kind, &step, kind_of_step, from, to, reference, operation, amount, &explained.run.currency])
            };
            match told {
                Step::Owed { debtor, creditor, parts } => {
                    for part in parts {
                        let origin = explained.item(part.reference).origin;
                        let (obligation, operation) = origin.map(Origin::ids).unwrap_or_default();
                        row("owed", debtor, creditor, &obligation, &operation, &exact(part.amount))?;
                    }
                }
                Step::Paid { payer, payee, payment: Payment::Transfer(place) } => {
                    row("transfer", payer, payee, &reference(run, number_of(*place)), "", &whole)?;
                }
                Step::Paid { payer, payee, payment: Payment::Carry(_) } => row("carry", payer, payee, "", &run.to_string(), &whole)?,
            }
        }
    }
    Ok(())
}
