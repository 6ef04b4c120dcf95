//! `scriphouse what-if-default FILE.csv --strategy S --defaulter NAME --rule R`: what a failure to pay would come to, without a database.

use super::debts_file::DebtsFile;
use super::net::of_whom;
use super::{CommandError, printed};
use clap::Args;
use netting::clearing::{self, Defaulter, Draw, Effect, Rule, WhatIf};
use netting::{Netting, Strategy, Terms};
use scrip::{Micro, Scale, money::AmountError};
use serde::Serialize;
use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;

const EXAMPLES: &str = "\
Examples:
  scriphouse what-if-default debts.csv --strategy direct --defaulter ACME --rule exclude_and_renet
  scriphouse what-if-default debts.csv --strategy direct --defaulter ACME=50.00 --rule collateral_then_loss_share

Rules:
  exclude_and_renet           whatever a defaulter owes or is owed is taken out, and the rest is netted again
  collateral_then_loss_share  its collateral pays first; what is missing is shared by those who were to be paid
  pro_rata                    all that it owes is paid at one rate, from its collateral and what it receives
  carry_over                  what it does not transfer stays owed, and is a debt of the next window";

/// Says what everybody's position would come to if some did not pay, without a database.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WhatIfDefaultArgs {
    /// CSV with the header `debtor,creditor,amount`; more columns are ignored.
    file: PathBuf,
    /// `gross`, `bilateral`, `conservative`, `direct`, `fewest` or `hub`.
    #[arg(long)]
    strategy: Strategy,
    /// Who does not pay, and the collateral that there is instead; may be said several times. A name with `=` in it needs its collateral, be it `=0`.
    #[arg(long, value_name = "NAME[=COLLATERAL]", required = true)]
    defaulter: Vec<Failing>,
    /// Who bears it: `exclude_and_renet`, `collateral_then_loss_share`, `pro_rata` or `carry_over`.
    #[arg(long)]
    rule: Rule,
    /// The currency's decimals, 0 to 6: transfers are rounded to them, and collateral pays nothing finer. Without it, the most decimals that stand in the file.
    #[arg(long, value_parser = clap::value_parser!(i64).range(0..=6))]
    digits: Option<i64>,
    /// Prints one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// A party that does not pay.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Failing {
    party: String,
    collateral: Micro,
}

impl FromStr for Failing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((party, collateral)) = text.rsplit_once('=') else {
            return Ok(Self { party: text.to_owned(), collateral: Micro::ZERO });
        };
        let collateral = match Micro::parse(collateral) {
            Err(AmountError::Zero) => Micro::ZERO,
            parsed => parsed.map_err(|error| format!("the collateral {collateral}: {error}"))?,
        };
        Ok(Self { party: party.to_owned(), collateral })
    }
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    strategy: Strategy,
    rule: Rule,
    shortfall: String,
    defaulters: Vec<ToldDefaulter<'a>>,
    parties: Vec<ToldEffect<'a>>,
}

#[derive(Debug, Serialize)]
struct ToldDefaulter<'a> {
    party: &'a str,
    collateral: String,
    draws: Vec<ToldDraw<'a>>,
}

/// What is paid at once out of collateral.
#[derive(Debug, Serialize)]
struct ToldDraw<'a> {
    payee: &'a str,
    amount: String,
}

/// As [`Effect`], shown.
#[derive(Debug, Serialize)]
struct ToldEffect<'a> {
    party: &'a str,
    defaults: bool,
    expected: String,
    outcome: String,
    short: String,
}

pub(super) fn run(args: &WhatIfDefaultArgs, out: &mut impl Write) -> Result<(), CommandError> {
    let WhatIfDefaultArgs { file, strategy, defaulter, rule, digits, json } = args;
    let DebtsFile { network, decimals, .. } = DebtsFile::read(file)?;
    let refused = |error: &dyn std::fmt::Display| CommandError::input(format!("{}: {error}", file.display()));
    let digits = digits.and_then(Scale::try_new).unwrap_or(decimals);
    let terms = Terms { strategy: *strategy, digits, min_transfer: Micro::ZERO };
    let netting = Netting::compute(&network, terms).map_err(|error| refused(&error))?;
    let failing: Vec<Defaulter<'_>> = defaulter.iter().map(|f| Defaulter { party: &f.party, collateral: f.collateral }).collect();
    let what_if = clearing::what_if_default(&network, &netting.transfers, &failing, *rule, digits).map_err(|error| refused(&error))?;

    // Collateral may be finer than the file, and what is shared out always is.
    let told = tell(&what_if, *strategy, defaulter, digits.max(decimals));
    printed(if *json {
        serde_json::to_writer(&mut *out, &told).map_err(io::Error::from).and_then(|()| writeln!(out))
    } else {
        writeln!(out, "{}, netted by {strategy}; who does not pay: {}", of_whom(netting.obligations, netting.parties), names(defaulter))
            .and_then(|()| print_table(&told, out))
    })
}

fn names(failing: &[Failing]) -> String {
    failing.iter().map(|failing| failing.party.as_str()).collect::<Vec<_>>().join(", ")
}

fn tell<'a>(what_if: &'a WhatIf, strategy: Strategy, failing: &'a [Failing], shown_with: Scale) -> Told<'a> {
    let shown = |amount: Micro| amount.display_at_least(shown_with);
    let WhatIf { rule, effects, draws, shortfall } = what_if;
    let effect = |Effect { party, defaults, expected, outcome, short }: &'a Effect| ToldEffect {
        party: party.as_str(),
        defaults: *defaults,
        expected: shown(*expected),
        outcome: shown(*outcome),
        short: shown(*short),
    };
    let draw = |Draw { payee, amount, .. }: &'a Draw| ToldDraw { payee: payee.as_str(), amount: shown(*amount) };
    let defaulter = |Failing { party, collateral }: &'a Failing| ToldDefaulter {
        party,
        collateral: shown(*collateral),
        draws: draws.iter().filter(|draw| draw.party.as_str() == party).map(draw).collect(),
    };
    Told {
        strategy,
        rule: *rule,
        shortfall: shown(*shortfall),
        defaulters: failing.iter().map(defaulter).collect(),
        parties: effects.iter().map(effect).collect(),
    }
}

fn print_table(told: &Told<'_>, out: &mut impl Write) -> io::Result<()> {
    let rows = told.parties.iter().map(|p| [p.party, &*p.expected, &*p.outcome, &*p.short]);
    let rows: Vec<[&str; 4]> = std::iter::once(["party", "expected", "outcome", "short"]).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let [party, expected, outcome, short] = [0, 1, 2, 3].map(width);
    for row in &rows {
        writeln!(out, "  {:party$}  {:>expected$}  {:>outcome$}  {:>short$}", row[0], row[1], row[2], row[3])?;
    }
    for ToldDefaulter { party, collateral, draws } in told.defaulters.iter().filter(|defaulter| !defaulter.draws.is_empty()) {
        let draws: Vec<String> = draws.iter().map(|draw| format!("{} {}", draw.payee, draw.amount)).collect();
        writeln!(out, "Of the {collateral} of {party}, paid at once: {}", draws.join(", "))?;
    }
    writeln!(out, "By the rule {}, those who pay are short by {} in all", told.rule, told.shortfall)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: WhatIfDefaultArgs,
    }

    const CIRCLE: &str = "debtor,creditor,amount\nA,B,60\nA,C,40\nB,C,70\nC,D,50\nD,A,20\n";

    fn what_if(words: &[&str]) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("in.csv");
        std::fs::write(&file, CIRCLE).unwrap();
        let words = ["what-if-default", file.to_str().unwrap(), "--strategy", "direct"].into_iter().chain(words.iter().copied());
        let command = Command::try_parse_from(words).map_err(|e| e.to_string())?;
        let mut out = Vec::new();
        run(&command.args, &mut out).map_err(|e| e.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_failure_is_shown_as_a_table() {
        let expected = "\
5 obligations between 4 parties, netted by direct; who does not pay: A
  party  expected  outcome  short
  A           -80        0      0
  B           -10      -70     60
  C            60       20     40
  D            30       50      0
By the rule exclude_and_renet, those who pay are short by 100 in all
";
        assert_eq!(what_if(&["--defaulter", "A", "--rule", "exclude_and_renet"]).unwrap(), expected);
    }

    #[test]
    fn collateral_pays_first() {
        let json = what_if(&["--defaulter", "A=50.00", "--rule", "collateral_then_loss_share", "--json"]).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let draws = serde_json::json!([{"payee": "C", "amount": "40"}, {"payee": "D", "amount": "10"}]);
        assert_eq!(json["defaulters"], serde_json::json!([{"party": "A", "collateral": "50", "draws": draws}]));
        let outcomes: Vec<&str> = json["parties"].as_array().unwrap().iter().map(|party| party["outcome"].as_str().unwrap()).collect();
        assert_eq!((outcomes, &json["shortfall"]), (vec!["-50", "-10", "40", "20"], &"30".into()));
    }

    #[test]
    fn collateral_pays_what_the_currency_has_decimals_for() {
        let paid = |digits: &[&str]| {
            let words = [&["--defaulter", "A=59.98", "--rule", "collateral_then_loss_share"], digits].concat();
            let table = what_if(&words).unwrap();
            let line = table.lines().find(|line| line.starts_with("Of the")).unwrap().to_owned();
            (line, table.lines().find(|line| line.starts_with("  A")).unwrap().split_whitespace().nth(2).unwrap().to_owned())
        };
        assert_eq!(paid(&["--digits", "2"]), ("Of the 59.98 of A, paid at once: C 46.65, D 13.32".to_owned(), "-59.97".to_owned()));
        assert_eq!(paid(&[]), ("Of the 59.98 of A, paid at once: C 46, D 13".to_owned(), "-59".to_owned()));
    }

    #[test]
    fn a_failure_that_cannot_be_is_refused() {
        for (words, mentioned) in [
            (&["--defaulter", "X", "--rule", "pro_rata"][..], "X neither owes nor is owed"),
            (&["--defaulter", "A", "--defaulter", "A=1", "--rule", "pro_rata"], "A is named twice"),
            (&["--defaulter", "A=-1", "--rule", "pro_rata"], "the collateral -1"),
            (&["--defaulter", "A=", "--rule", "pro_rata"], "the collateral"),
            (&["--defaulter", "A", "--rule", "nobody"], "the rule is one of"),
            (&["--defaulter", "A"], "--rule"),
            (&["--rule", "pro_rata"], "--defaulter"),
        ] {
            let refusal = what_if(words).unwrap_err();
            assert!(refusal.contains(mentioned), "{refusal}");
        }
    }
}
