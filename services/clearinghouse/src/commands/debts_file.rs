//! A CSV file of obligations, as the commands that need no database read it: whole, or not at all.

use indicatif::{ProgressBar, ProgressStyle};
use netting::{Network, NetworkBuilder, NetworkError};
use runs::obligations_csv::{ObligationsCsv, ObligationsCsvError, Row};
use scrip::{Micro, Scale};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Why a file is not read, in one sentence.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// The file could not be opened.
    #[error("{} could not be opened: {error}", path.display())]
    Unopened { path: PathBuf, error: io::Error },
    /// The file is no file of obligations.
    #[error("{}: {error}", path.display())]
    Refused { path: PathBuf, error: ObligationsCsvError },
    /// A row cannot join the rows before it.
    #[error("{}: line {line}: {error}", path.display())]
    TooMuch { path: PathBuf, line: u64, error: NetworkError },
}

/// Reads row by row; answers with the most decimals that an amount was written with.
pub(super) fn read(path: &Path, mut take: impl FnMut(Row<'_>) -> Result<(), NetworkError>) -> Result<Scale, FileError> {
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (bytes, file) = opened.map_err(|error| FileError::Unopened { path: path.to_owned(), error })?;
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes}").expect("the template is fixed");
    // Draws to standard error, and only if that is a terminal.
    let progress = ProgressBar::new(bytes).with_style(style).with_message("reading");

    let refused = |error| FileError::Refused { path: path.to_owned(), error };
    let mut csv = ObligationsCsv::open(progress.wrap_read(file)).map_err(refused)?;
    while let Some(row) = csv.next_row().map_err(refused)? {
        let line = row.line;
        take(row).map_err(|error| FileError::TooMuch { path: path.to_owned(), line, error })?;
    }
    progress.finish_and_clear();
    Ok(csv.decimals_seen())
}

/// The obligations of a file, each with the line that it stands in.
#[derive(Debug)]
pub(super) struct DebtsFile {
    pub(super) network: Network,
    /// The most decimals that an amount was written with.
    pub(super) decimals: Scale,
    /// In the order of first sight.
    names: Vec<String>,
    /// In the order of the file.
    debts: Vec<Numbered>,
}

/// An obligation with its parties by number.
#[derive(Debug)]
struct Numbered {
    line: u64,
    debtor: usize,
    creditor: usize,
    amount: Micro,
}

/// An obligation in its line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Debt<'a> {
    pub(super) line: u64,
    pub(super) debtor: &'a str,
    pub(super) creditor: &'a str,
    pub(super) amount: Micro,
}

impl DebtsFile {
    pub(super) fn read(path: &Path) -> Result<Self, FileError> {
        let (mut builder, mut numbers, mut debts) = (NetworkBuilder::default(), HashMap::new(), Vec::new());
        let mut names = Vec::new();
        let mut number = |name: &str| match numbers.get(name) {
            Some(number) => *number,
            None => {
                let number = names.len();
                numbers.insert(name.to_owned(), number);
                names.push(name.to_owned());
                number
            }
        };
        let decimals = read(path, |Row { line, debtor, creditor, amount }| {
            builder.add(debtor, creditor, amount)?;
            debts.push(Numbered { line, debtor: number(debtor), creditor: number(creditor), amount });
            Ok(())
        })?;
        Ok(Self { network: builder.build(), decimals, names, debts })
    }

    pub(super) fn debts(&self) -> impl ExactSizeIterator<Item = Debt<'_>> {
        self.debts.iter().map(|debt| self.named(debt))
    }

    /// The obligation at this place, counted from 0 in the order of the file.
    pub(super) fn at(&self, place: usize) -> Debt<'_> {
        self.named(&self.debts[place])
    }

    fn named(&self, Numbered { line, debtor, creditor, amount }: &Numbered) -> Debt<'_> {
        Debt { line: *line, debtor: &self.names[*debtor], creditor: &self.names[*creditor], amount: *amount }
    }
}
