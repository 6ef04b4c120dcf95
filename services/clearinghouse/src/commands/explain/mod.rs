//! `scriphouse explain FILE.csv --strategy S`: what is behind each transfer and each position of a file of obligations, without a database.
//!
//! Shape: read the whole file or refuse it, net it, and tell the loops (`loops`) or, with `--party`, what became of one party's obligations
//! (`shares`): for people, as CSV, or as JSON, an object a line. Obligations are named by the lines that they stand in. Loops are printed as they are found,
//! so that however many there are, only the obligations are in memory.

mod loops;
mod shares;
#[cfg(test)]
mod tests;

use super::debts_file::{Debt, DebtsFile};
use super::net::{of_whom, parse_minimum};
use super::{CommandError, printed};
use clap::Args;
use netting::explain::{Explanation, Obligation, Payment};
use netting::{Netting, Strategy, Terms};
use scrip::{Micro, Scale};
use std::io::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  scriphouse explain debts.csv --strategy direct                  what is behind every transfer, and what is set off in circles
  scriphouse explain debts.csv --strategy direct --transfer 1     only what is behind the first transfer of the netting
  scriphouse explain debts.csv --strategy direct --party ACME     what of each debt of ACME's is paid, carried and set off

With the file
  debtor,creditor,amount
  A,B,5
  B,C,5
the first prints
  5  path: A owes B (line 2), B owes C (line 3); A pays C (transfer 1)";

/// Says which obligations of a CSV file are behind each transfer, without a database.
///
/// Each loop is an amount that leads along debts and back by what is paid for them: a path has one chain of debts, an exchange several, whose
/// payers pay each other's payees, and a circle is set off without money. The loops of a transfer sum to it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExplainArgs {
    /// CSV with the header `debtor,creditor,amount`; more columns are ignored.
    file: PathBuf,
    /// `gross`, `bilateral`, `conservative`, `direct`, `fewest` or `hub`.
    #[arg(long)]
    strategy: Strategy,
    /// The currency's decimals, 0 to 6, to which transfers are rounded. Without it, the most decimals that stand in the file.
    #[arg(long, value_parser = clap::value_parser!(i64).range(0..=6))]
    digits: Option<i64>,
    /// The smallest transfer that is made. Without it, every transfer is made.
    #[arg(long, value_name = "AMOUNT", value_parser = parse_minimum)]
    min_transfer: Option<Micro>,
    /// Tells only what is behind this transfer, counted from 1 as `scriphouse net --out` writes them.
    #[arg(long, value_name = "NUMBER", conflicts_with = "party")]
    transfer: Option<usize>,
    /// Tells only what became of the obligations that this party owes or is owed.
    #[arg(long, value_name = "NAME")]
    party: Option<String>,
    /// Prints JSON, an object a line.
    #[arg(long)]
    json: bool,
    /// Prints CSV. Of loops: loop, kind, step, type (owed, transfer or carry), from, to, reference (the line, or the number of the transfer or carry), amount.
    /// Of a party: line, debtor, creditor, amount, paid, carried, set_off.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// How it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Words,
    Json,
    Csv,
}

/// A file that was netted, and its explanation; an obligation's reference is its place in the file.
struct Explained {
    file: DebtsFile,
    netting: Netting,
    explanation: Explanation,
    /// Every figure is shown in full with so many decimals.
    shown_with: Scale,
}

impl Explained {
    fn debt(&self, reference: u64) -> Debt<'_> {
        self.file.at(usize::try_from(reference).expect("a reference is a place in the file"))
    }

    fn shown(&self, amount: Micro) -> String {
        amount.display_at_least(self.shown_with)
    }
}

/// Phases: read, net, explain while printing.
pub(super) fn run(args: &ExplainArgs, out: &mut impl Write) -> Result<(), CommandError> {
    let form = match args {
        ExplainArgs { json: true, .. } => Form::Json,
        ExplainArgs { csv: true, .. } => Form::Csv,
        ExplainArgs { .. } => Form::Words,
    };
    let explained = explain(args)?;
    let title = |out: &mut _| title(&explained, form, out);
    let (explanation, path) = (&explained.explanation, args.file.display());
    match (&args.party, args.transfer) {
        (Some(party), _) => {
            let place = explained.netting.positions.binary_search_by(|position| position.party.as_str().cmp(party));
            let place = place.map_err(|_| CommandError::input(format!("{path}: {party} neither owes nor is owed anything")))?;
            printed(title(out).and_then(|()| shares::print(&explained, place, form, out)))
        }
        (None, Some(number)) => {
            let loops = number.checked_sub(1).and_then(|place| explanation.of_payment(Payment::Transfer(place)));
            let there = explained.netting.transfers.len();
            let loops = loops.ok_or_else(|| CommandError::input(format!("there is no transfer {number}: {path} comes to {there}")))?;
            printed(title(out).and_then(|()| loops::print(&explained, loops, form, out)))
        }
        (None, None) => printed(title(out).and_then(|()| loops::print(&explained, explanation.loops(), form, out))),
    }
}

fn explain(args: &ExplainArgs) -> Result<Explained, CommandError> {
    let file = DebtsFile::read(&args.file)?;
    let refused = |error: &dyn std::fmt::Display| CommandError::input(format!("{}: {error}", args.file.display()));
    let digits = args.digits.and_then(Scale::try_new).unwrap_or(file.decimals);
    let terms = Terms { strategy: args.strategy, digits, min_transfer: args.min_transfer.unwrap_or_default() };
    let netting = Netting::compute(&file.network, terms).map_err(|error| refused(&error))?;
    let obligations = (0_u64..).zip(file.debts()).map(|(reference, debt)| {
        let Debt { line: _, debtor, creditor, amount } = debt;
        Obligation { reference, debtor, creditor, amount }
    });
    let explanation = Explanation::try_new(obligations, &netting).map_err(|error| refused(&error))?;
    Ok(Explained { shown_with: digits.max(file.decimals), file, netting, explanation })
}

fn title(explained: &Explained, form: Form, out: &mut impl Write) -> std::io::Result<()> {
    let Netting { strategy, obligations, parties, transfers, .. } = &explained.netting;
    match form {
        Form::Words => writeln!(out, "{}, netted by {strategy}: {} transfers", of_whom(*obligations, *parties), transfers.len()),
        Form::Json | Form::Csv => Ok(()),
    }
}
