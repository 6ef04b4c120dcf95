//! `scriphouse gridlock QUEUE.csv --funds FUNDS.csv`: which obligations of a queue settle all at once, without a database.

use super::debts_file::{Debt, DebtsFile};
use super::{CommandError, printed};
use clap::Args;
use netting::gridlock::{Balance, Funds, Queued, Resolution, resolve};
use runs::funds_csv::FundsCsv;
use scrip::{Micro, Scale};
use serde::Serialize;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Example: nobody can pay alone, but together all can.
  queue.csv                 funds.csv
    debtor,creditor,amount    party,balance,floor
    A,B,10                    A,1,0
    B,C,10                    B,-5,-5
    C,A,10
  scriphouse gridlock queue.csv --funds funds.csv";

/// Says which obligations that wait in a queue can settle all at once, without a database.
///
/// Each debtor's obligations settle in the order of the file, and paying takes nobody below its floor. What settles is the largest such set.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GridlockArgs {
    /// CSV with the header `debtor,creditor,amount`, in the order in which each debtor pays; more columns are ignored.
    queue: PathBuf,
    /// CSV with the header `party,balance,floor`; both may be below zero. Who is not named has nothing, and a floor of zero.
    #[arg(long, value_name = "FUNDS.csv")]
    funds: PathBuf,
    /// Prints one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// What one party has, as it was read.
struct Owned {
    party: String,
    balance: Micro,
    floor: Micro,
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    settled: String,
    /// Lines of the file.
    settles: Vec<u64>,
    waits: Vec<u64>,
    balances: Vec<ToldBalance<'a>>,
}

#[derive(Debug, Serialize)]
struct ToldBalance<'a> {
    party: &'a str,
    before: String,
    after: String,
    floor: String,
}

pub(super) fn run(args: &GridlockArgs, out: &mut impl Write) -> Result<(), CommandError> {
    let GridlockArgs { queue, funds, json } = args;
    let file = DebtsFile::read(queue)?;
    let owned = read_funds(funds)?;
    let funds = owned.iter().map(|Owned { party, balance, floor }| Funds { party, balance: *balance, floor: *floor });
    let queued = file.debts().map(|Debt { line: _, debtor, creditor, amount }| Queued { debtor, creditor, amount });
    let resolution = resolve(funds, queued).map_err(|error| CommandError::input(error.to_string()))?;
    let told = tell(&file, &resolution);
    printed(if *json {
        serde_json::to_writer(&mut *out, &told).map_err(io::Error::from).and_then(|()| writeln!(out))
    } else {
        print_table(&file, &resolution, &told, out)
    })
}

fn read_funds(path: &Path) -> Result<Vec<Owned>, CommandError> {
    let refused = |error: &dyn std::fmt::Display| CommandError::input(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(|error| CommandError::input(format!("{} could not be opened: {error}", path.display())))?;
    let mut csv = FundsCsv::open(file).map_err(|error| refused(&error))?;
    let mut owned = Vec::new();
    while let Some(row) = csv.next_row().map_err(|error| refused(&error))? {
        owned.push(Owned { party: row.party.to_owned(), balance: row.balance, floor: row.floor });
    }
    Ok(owned)
}

fn tell<'a>(file: &DebtsFile, resolution: &'a Resolution) -> Told<'a> {
    let Resolution { settles, waits, settled, balances } = resolution;
    let lines = |places: &[usize]| places.iter().map(|place| file.at(*place).line).collect();
    let balance = |Balance { party, before, after, floor }: &'a Balance| {
        let [before, after, floor] = [before, after, floor].map(|amount| shown(file.decimals, *amount));
        ToldBalance { party: party.as_str(), before, after, floor }
    };
    let balances = balances.iter().map(balance).collect();
    Told { settled: shown(file.decimals, *settled), settles: lines(settles), waits: lines(waits), balances }
}

fn shown(decimals: Scale, amount: Micro) -> String {
    amount.display_at_least(decimals)
}

fn print_table(file: &DebtsFile, resolution: &Resolution, told: &Told<'_>, out: &mut impl Write) -> io::Result<()> {
    let count = file.debts().len();
    writeln!(out, "{} of {count} obligations settle at once, {} in all; {} wait", told.settles.len(), told.settled, told.waits.len())?;
    for place in &resolution.waits {
        let Debt { line, debtor, creditor, amount } = file.at(*place);
        writeln!(out, "  waits: line {line}, {debtor} owes {creditor} {}", shown(file.decimals, amount))?;
    }
    let rows = told.balances.iter().map(|b| [b.party, &*b.before, &*b.after, &*b.floor]);
    let rows: Vec<[&str; 4]> = std::iter::once(["party", "before", "after", "floor"]).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let [party, before, after, floor] = [0, 1, 2, 3].map(width);
    for row in &rows {
        writeln!(out, "  {:party$}  {:>before$}  {:>after$}  {:>floor$}", row[0], row[1], row[2], row[3])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: GridlockArgs,
    }

    const QUEUE: &str = "debtor,creditor,amount\nA,B,10\nB,C,10.00\nC,A,10\nC,D,3\nC,D,1\n";

    fn gridlock(queue: &str, funds: &str, more: &[&str]) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let [queue_file, funds_file] = ["queue.csv", "funds.csv"].map(|name| folder.path().join(name));
        std::fs::write(&queue_file, queue).unwrap();
        std::fs::write(&funds_file, funds).unwrap();
        let words = ["gridlock", queue_file.to_str().unwrap(), "--funds", funds_file.to_str().unwrap()];
        let command = Command::try_parse_from(words.iter().chain(more)).map_err(|e| e.to_string())?;
        let mut out = Vec::new();
        run(&command.args, &mut out).map_err(|e| e.to_string().replace(&format!("{}/", folder.path().display()), ""))?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn who_cannot_pay_alone_pays_together() {
        let expected = "\
3 of 5 obligations settle at once, 30.00 in all; 2 wait
  waits: line 5, C owes D 3.00
  waits: line 6, C owes D 1.00
  party  before  after  floor
  A        1.00   1.00   0.00
  B       -5.00  -5.00  -5.00
  C        0.00   0.00   0.00
  D        0.00   0.00   0.00
";
        assert_eq!(gridlock(QUEUE, "party,balance,floor\nA,1,0\nB,-5,-5\n", &[]).unwrap(), expected);
        let json = gridlock(QUEUE, "party,balance,floor\nC,0,-3.5\n", &["--json"]).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["settled"], &json["settles"], &json["waits"]), (&"33.00".into(), &vec![2, 3, 4, 5].into(), &vec![6].into()));
        let c = serde_json::json!({"party": "C", "before": "0.00", "after": "-3.00", "floor": "-3.50"});
        assert_eq!(json["balances"][2], c);
    }

    #[test]
    fn bad_input_is_refused_in_one_sentence() {
        let header = "party,balance,floor\n";
        for (queue, funds, sentence) in [
            (QUEUE, "party,balance\n", "funds.csv: line 1: the header must"),
            (QUEUE, &format!("{header}A,1e3,0\n"), "funds.csv: line 2, column balance: "),
            (QUEUE, &format!("{header}A,1,0\nA,1,0\n"), "the funds of A are given twice"),
            (QUEUE, &format!("{header}A,9000000000000,0\n"), "the balance or the floor of A is too large"),
            ("debtor,creditor,amount\nA,A,1\n", header, "queue.csv: line 2, column creditor: A cannot owe itself"),
            ("debtor,creditor,amount\nA,B,-1\n", header, "queue.csv: line 2, column amount: "),
        ] {
            let refusal = gridlock(queue, funds, &[]).unwrap_err();
            assert!(refusal.starts_with(sentence) && !refusal.contains('\n'), "{refusal}");
        }
        assert_eq!(
            gridlock("debtor,creditor,amount\n", header, &[]).unwrap().lines().next(),
            Some("0 of 0 obligations settle at once, 0 in all; 0 wait")
        );
    }
}
