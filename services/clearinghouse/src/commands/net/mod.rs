//! `scriphouse net FILE.csv --strategy S`: nets a file of obligations offline, without a database; `--what-if` tries every strategy.
//!
//! Shape: read the whole file or refuse it, net, write the files (`files`), print the summary (`summary`) or the strategies side by side
//! (`what_if`). Nothing is written before everything is known. Transfers are in whole minor units of a currency with `--digits` decimals and
//! no smaller than `--min-transfer`; what that leaves owed goes to `carries.csv`. Without `--digits` the decimals are those of the file, and
//! nothing is rounded.

mod files;
mod summary;
#[cfg(test)]
mod tests;
mod what_if;

use super::debts_file::{self, FileError};
use clap::Args;
use netting::{Netting, NettingError, Network, NetworkBuilder, Strategy, Terms, WhatIf};
use scrip::{Micro, Scale, money::AmountError};
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};
use summary::Summary;
pub(super) use summary::of_whom;
use what_if::Comparison;

/// Nets a CSV file of obligations, without a database.
#[derive(Debug, Args)]
pub(crate) struct NetArgs {
    /// CSV with the header `debtor,creditor,amount`; more columns are ignored.
    file: PathBuf,
    /// `gross`, `bilateral`, `conservative`, `direct`, `fewest` or `hub`.
    #[arg(long, required_unless_present = "what_if")]
    strategy: Option<Strategy>,
    /// Nets by every strategy and shows side by side what each comes to. Writes nothing.
    #[arg(long, conflicts_with_all = ["strategy", "out"])]
    what_if: bool,
    /// The currency's decimals, 0 to 6, to which transfers are rounded. Without it, the most decimals that stand in the file.
    #[arg(long, value_parser = clap::value_parser!(i64).range(0..=6))]
    digits: Option<i64>,
    /// The smallest transfer that is made; what a smaller one would have moved stays owed. Without it, every transfer is made.
    #[arg(long, value_name = "AMOUNT", value_parser = parse_minimum, allow_negative_numbers = true)]
    min_transfer: Option<Micro>,
    /// The folder, made if it is missing, for `transfers.csv`, `positions.csv` and `manifest.json`, for `setoffs.csv` if the strategy
    /// is `conservative`, and for `carries.csv` if rounding or the smallest transfer leaves something owed. Without it nothing is written.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Prints one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

pub(super) fn parse_minimum(text: &str) -> Result<Micro, AmountError> {
    match Micro::parse(text) {
        // As if nothing had been said.
        Err(AmountError::Zero) => Ok(Micro::ZERO),
        parsed => parsed,
    }
}

/// Why a file was not netted, in one sentence.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetError {
    /// The files would have to be put into something that is no folder.
    #[error("{} is no folder; choose another for --out", path.display())]
    NotAFolder { path: PathBuf },
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The strategy refuses the obligations.
    #[error("{}: {error}", path.display())]
    Unnetted { path: PathBuf, error: NettingError },
    /// What would be read and what would be written are one file.
    #[error("{} is the file that is read; choose another folder for --out", path.display())]
    WouldOverwrite { path: PathBuf },
    /// A result could not be written.
    #[error("{} could not be written: {error}", path.display())]
    Unwritten { path: PathBuf, error: io::Error },
}

/// Phases: read, net, write the files, print.
pub(crate) fn run(args: &NetArgs, out: &mut impl Write) -> Result<(), NetError> {
    let NetArgs { file, strategy, what_if, digits, min_transfer, out: folder, json } = args;
    if let Some(folder) = folder {
        files::check_folder(folder)?;
    }
    let (network, decimals) = read(file)?;
    let unnetted = |error| NetError::Unnetted { path: file.clone(), error };
    let digits = digits.and_then(Scale::try_new).unwrap_or(decimals);
    let min_transfer = min_transfer.unwrap_or_default();
    // Every sum and difference of the file's amounts is shown in full with so many decimals.
    let shown_with = digits.max(decimals);

    let printed = if *what_if {
        let compared = WhatIf::compute(&network, digits, min_transfer).map_err(unnetted)?;
        let comparison = Comparison::of(&compared, shown_with);
        if *json { comparison.print_json(out) } else { comparison.print_table(out) }
    } else {
        let strategy = strategy.expect("the words of the command line name a strategy or ask for all");
        let netting = Netting::compute(&network, Terms { strategy, digits, min_transfer }).map_err(unnetted)?;
        let summary = Summary::of(&netting, shown_with);
        if let Some(folder) = folder {
            files::spare_input(file, folder)?;
            files::write(folder, &netting, &summary, shown_with)?;
        }
        if *json { summary.print_json(out) } else { summary.print_table(out, folder.as_deref()) }
    };
    match printed {
        // Whoever reads only the first lines has had enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed.map_err(|error| NetError::Unwritten { path: PathBuf::from("the summary"), error }),
    }
}

/// The obligations, and the most decimals that one was written with.
fn read(path: &Path) -> Result<(Network, Scale), FileError> {
    let mut builder = NetworkBuilder::default();
    let decimals = debts_file::read(path, |row| builder.add(row.debtor, row.creditor, row.amount))?;
    Ok((builder.build(), decimals))
}
