//! journal.beancount and journal.hledger: the run as double entries, for whoever keeps books with beancount or hledger.
//!
//! Each vendor has five accounts, and every figure of its position is the balance of one of them or of two:
//!
//! ```text
//! Equity:Owed:V       -owed      its position posts: Due net, Owed -owed, Owes owes
//! Equity:Owes:V        owes
//! Assets:Transfers:V   settled   a transfer posts: Transfers -amount, Due amount of the payer; the opposite of the payee
//! Assets:Carried:V     carry     a carry posts: Due -carry, Carried carry
//! Assets:Due:V         0         what is neither transferred nor carried: nothing
//! ```
//!
//! The journal asserts these balances itself, so the tools find what does not tie out: [`Tool`] says each thing in either's words.

use super::shelf::{OpenFile, Shelf};
use super::store::{self, PositionLine};
use super::{JOURNAL_BEANCOUNT, JOURNAL_HLEDGER, Netted, TEXT};
use crate::files::amounts::exact;
use crate::ids::reference;
use jiff::civil::Date;
use ledger::Fault;
use netting::Strategy;
use scrip::Micro;
use scrip::code::HOUSE;
use std::fmt::{self, Display};
use std::io::Write;

/// Positions first, then transfers, then what each account comes to.
pub(super) async fn write_all(shelf: &mut Shelf<'_>, netted: &Netted<'_>) -> Result<(), Fault> {
    let mut journals = [Journal::begin(Tool::Beancount, netted)?, Journal::begin(Tool::Hledger, netted)?];
    push_positions(shelf, netted, &mut journals, Journal::push_position).await?;
    let rows = store::read_transfers(shelf.tx, shelf.run).await?;
    while let Some(transfers) = rows.next(shelf.tx, store::to_transfer_line).await? {
        for t in &transfers {
            let reference = reference(shelf.run, t.number);
            for journal in &mut journals {
                journal.push_transfer(&reference, &t.payer.code, &t.payee.code, t.amount);
            }
        }
        keep(shelf, &mut journals).await?;
    }
    push_positions(shelf, netted, &mut journals, Journal::push_end).await?;
    for mut journal in journals {
        journal.push_totals(netted.contents.gross());
        shelf.close(journal.file).await?;
    }
    Ok(())
}

/// Every vendor's, and with the hub the house's, which is owed nothing and owes nothing: it pays out all that it is paid.
async fn push_positions<'a>(
    shelf: &mut Shelf<'_>,
    netted: &Netted<'_>,
    journals: &mut [Journal<'a>],
    push: fn(&mut Journal<'a>, &PositionLine),
) -> Result<(), Fault> {
    if netted.scheme.strategy == Strategy::Hub {
        let [owed, owes, net, settled, carry] = [Micro::ZERO; 5];
        let house = PositionLine { vendor: HOUSE.to_owned(), owed, owes, net, settled, carry };
        journals.iter_mut().for_each(|journal| push(journal, &house));
    }
    let rows = store::read_positions(shelf.tx, shelf.run).await?;
    while let Some(positions) = rows.next(shelf.tx, store::to_position_line).await? {
        for line in &positions {
            journals.iter_mut().for_each(|journal| push(journal, line));
        }
        keep(shelf, journals).await?;
    }
    Ok(())
}

async fn keep(shelf: &mut Shelf<'_>, journals: &mut [Journal<'_>]) -> Result<(), Fault> {
    for journal in journals {
        shelf.keep(&mut journal.file).await?;
    }
    Ok(())
}

/// Who reads the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Beancount,
    Hledger,
}

/// What an account of a vendor's holds.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Due,
    Transfers,
    Carried,
    Owed,
    Owes,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Due, Self::Transfers, Self::Carried, Self::Owed, Self::Owes];

    const fn parent(self) -> &'static str {
        match self {
            Self::Due => "Assets:Due",
            Self::Transfers => "Assets:Transfers",
            Self::Carried => "Assets:Carried",
            Self::Owed => "Equity:Owed",
            Self::Owes => "Equity:Owes",
        }
    }
}

/// A vendor's account. Codes have `_`, accounts of beancount do not: it is written `u`, which is the only small letter there, so that the code can
/// be told from the account.
struct Account<'a> {
    kind: Kind,
    code: &'a str,
}

impl Display for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}:{}", self.kind.parent(), self.code.replace('_', "u")))
    }
}

/// A journal under way.
struct Journal<'a> {
    tool: Tool,
    file: OpenFile,
    currency: &'a str,
    /// The day of the run's instant, in UTC.
    on: Date,
    /// Beancount looks at balances when a day begins.
    checked_on: Date,
}

impl<'a> Journal<'a> {
    fn begin(tool: Tool, netted: &Netted<'a>) -> Result<Self, Fault> {
        let on = netted.day();
        let checked_on = on.tomorrow().map_err(|error| Fault::Unreadable(error.to_string()))?;
        let name = match tool {
            Tool::Beancount => JOURNAL_BEANCOUNT,
            Tool::Hledger => JOURNAL_HLEDGER,
        };
        let currency = netted.scheme.currency.as_str();
        let mut journal = Self { tool, file: OpenFile::new(name.to_owned(), None, TEXT), currency, on, checked_on };
        journal.line(format_args!("; Run {} of {}, at {}.", netted.run, netted.scheme.code, netted.at));
        match tool {
            Tool::Beancount => {
                journal.line(format_args!("option \"title\" \"Run {} of {}\"", netted.run, netted.scheme.code));
                journal.line(format_args!("option \"operating_currency\" \"{currency}\""));
            }
            Tool::Hledger => {
                journal.line(format_args!("decimal-mark ."));
                journal.line(format_args!("commodity 1.000000 {currency}"));
            }
        }
        for kind in Kind::ALL {
            journal.push_account(&kind.parent());
        }
        Ok(journal)
    }

    fn push_position(&mut self, line: &PositionLine) {
        let code = line.vendor.as_str();
        for kind in Kind::ALL {
            self.push_account(&Account { kind, code });
        }
        if line.owed > Micro::ZERO || line.owes > Micro::ZERO {
            let postings = [(Kind::Due, line.net), (Kind::Owed, opposite(line.owed)), (Kind::Owes, line.owes)];
            self.push_entry(None, format_args!("{code} is owed and owes"), postings.map(|(kind, amount)| (Account { kind, code }, amount)));
        }
    }

    fn push_transfer(&mut self, reference: &str, payer: &str, payee: &str, amount: Micro) {
        let postings = [
            (Account { kind: Kind::Transfers, code: payer }, opposite(amount)),
            (Account { kind: Kind::Due, code: payer }, amount),
            (Account { kind: Kind::Transfers, code: payee }, amount),
            (Account { kind: Kind::Due, code: payee }, opposite(amount)),
        ];
        self.push_entry(Some(reference), format_args!("{payer} pays {payee}"), postings);
    }

    /// What is carried, and what each account must come to.
    fn push_end(&mut self, line: &PositionLine) {
        let code = line.vendor.as_str();
        if line.carry != Micro::ZERO {
            let postings = [(Kind::Due, opposite(line.carry)), (Kind::Carried, line.carry)];
            self.push_entry(None, format_args!("{code} carries over"), postings.map(|(kind, amount)| (Account { kind, code }, amount)));
        }
        for kind in Kind::ALL {
            let balance = match kind {
                Kind::Due => Micro::ZERO,
                Kind::Transfers => line.settled,
                Kind::Carried => line.carry,
                Kind::Owed => opposite(line.owed),
                Kind::Owes => line.owes,
            };
            self.push_balance(&Account { kind, code }, "=", balance);
        }
    }

    /// What the accounts of all vendors must come to.
    fn push_totals(&mut self, gross: Micro) {
        for kind in Kind::ALL {
            let balance = match kind {
                Kind::Due | Kind::Transfers | Kind::Carried => Micro::ZERO,
                Kind::Owed => opposite(gross),
                Kind::Owes => gross,
            };
            self.push_balance(&kind.parent(), "=*", balance);
        }
    }

    fn push_account(&mut self, account: &impl Display) {
        let Self { on, currency, .. } = *self;
        match self.tool {
            Tool::Beancount => self.line(format_args!("{on} open {account} {currency}")),
            Tool::Hledger => self.line(format_args!("account {account}")),
        }
    }

    fn push_entry<const N: usize>(&mut self, reference: Option<&str>, what: fmt::Arguments<'_>, postings: [(Account<'_>, Micro); N]) {
        let Self { on, currency, .. } = *self;
        self.line(format_args!(""));
        match (self.tool, reference) {
            (Tool::Beancount, Some(reference)) => self.line(format_args!("{on} * \"{reference}\" \"{what}\"")),
            (Tool::Beancount, None) => self.line(format_args!("{on} * \"{what}\"")),
            (Tool::Hledger, Some(reference)) => self.line(format_args!("{on} * ({reference}) {what}")),
            (Tool::Hledger, None) => self.line(format_args!("{on} * {what}")),
        }
        for (account, amount) in postings {
            self.line(format_args!("  {account:<34}  {:>16} {currency}", exact(amount)));
        }
        if self.tool == Tool::Hledger {
            // An entry ends with an empty line; a directive of the next vendor may follow.
            self.line(format_args!(""));
        }
    }

    /// `which` is hledger's word for an account alone or with those below it; beancount always means both.
    fn push_balance(&mut self, account: &impl Display, which: &str, balance: Micro) {
        let Self { on, checked_on, currency, .. } = *self;
        let balance = exact(balance);
        match self.tool {
            // Without a tolerance of its own, beancount would let a millionth pass.
            Tool::Beancount => self.line(format_args!("{checked_on} balance {account}  {balance} ~ 0 {currency}")),
            Tool::Hledger => {
                self.line(format_args!("{on} * balance"));
                self.line(format_args!("  {account}  {} {currency} {which} {balance} {currency}", exact(Micro::ZERO)));
                self.line(format_args!(""));
            }
        }
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        writeln!(self.file.text, "{line}").expect("memory takes any text");
    }
}

/// Figures of positions are far from the ends of their range: their sums fit.
fn opposite(amount: Micro) -> Micro {
    Micro::new(amount.units().strict_neg())
}
