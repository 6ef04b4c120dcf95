//! `scriphouse import FILE.csv --scheme CODE`: obligations from a file into a scheme's open window, all of them or none.

use super::settle::bar;
use super::{CommandError, Context, Sharing, say};
use crate::directory::Directory;
use crate::schemes::{NewScheme, Scheme, SchemeRefusal, Schemes};
use clap::Args;
use indicatif::ProgressBar;
use ledger::{Clock, Db, Failure};
use netting::Strategy;
use netting::clearing::Rule;
use runs::Approval;
use runs::imports::{ImportRefusal, ImportStep, Imported, Options, import};
use scrip::{Code, Micro, Scale};
use std::fs::File;
use std::path::PathBuf;
use std::str::FromStr;

/// Brings obligations from a CSV file into a scheme's open window: all of them, or none.
///
/// The header names the columns debtor, creditor and amount; others are ignored. Parties are vendor codes. The same file goes into a
/// scheme once.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// CSV with the header `debtor,creditor,amount`.
    file: PathBuf,
    /// The scheme's code.
    #[arg(long)]
    scheme: String,
    /// Makes a vendor of the scheme of each party that is none yet: two decimals, no unit value.
    #[arg(long)]
    create_vendors: bool,
    /// Stands before each party's name to make a code of it: with `P`, party 17 is vendor P17.
    #[arg(long, value_name = "TEXT", default_value = "")]
    code_prefix: String,
    /// Makes the scheme if it is not there, such as EUR:direct:2.
    #[arg(long, value_name = "CURRENCY:STRATEGY:DIGITS", requires = "create_vendors")]
    create_scheme: Option<Terms>,
}

/// What a scheme settles in, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Terms {
    currency: String,
    strategy: Strategy,
    digits: Scale,
}

impl FromStr for Terms {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let [currency, strategy, digits] = text.split(':').collect::<Vec<_>>()[..] else {
            return Err("write CURRENCY:STRATEGY:DIGITS, such as EUR:direct:2".to_owned());
        };
        if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(SchemeRefusal::CurrencyMalformed.to_string());
        }
        let strategy = strategy.parse::<Strategy>().map_err(|error| error.to_string())?;
        let digits = digits.parse().ok().and_then(Scale::try_new).ok_or_else(|| SchemeRefusal::DigitsOutOfRange.to_string())?;
        Ok(Self { currency: currency.to_owned(), strategy, digits })
    }
}

pub(crate) async fn run(args: &ImportArgs, context: &Context) -> Result<(), CommandError> {
    // Before the database, so that a wrong name is told at once.
    let file = File::open(&args.file).and_then(|file| Ok((file.metadata()?.len(), file)));
    let file = file.map_err(|error| CommandError::input(format!("{} could not be opened: {error}", args.file.display())))?;
    let database = context.open(Sharing::Shared).await?;
    let db = context.connect(&database).await?;
    let outcome = import_file(args, file, &db, &context.clock).await;
    drop(db);
    database.close().await;
    outcome
}

async fn import_file(args: &ImportArgs, (bytes, file): (u64, File), db: &Db, clock: &Clock) -> Result<(), CommandError> {
    let scheme = find_or_create_scheme(args, db).await?;
    let options = Options { create_vendors: args.create_vendors, code_prefix: args.code_prefix.clone() };
    let bar = bar().with_message("reading");
    bar.set_length(bytes);
    let imported = import(db, clock, scheme.id, bar.wrap_read(file), &options, |step| show(&bar, step)).await;
    bar.finish_and_clear();
    let Imported { operation: _, window, obligation_count, vendors_created, sum } =
        imported.map_err(|failure: Failure<ImportRefusal>| match failure {
            Failure::Refused(refusal) => CommandError::input(format!("{}: {refusal}", args.file.display())),
            Failure::Fault(fault) => fault.into(),
        })?;
    let (sum, Scheme { code, currency, .. }) = (sum.display_at_least(scheme.digits), scheme);
    say(format_args!("{obligation_count} obligations of {sum} {currency} stand in window {window} of {code}"))?;
    if vendors_created > 0 {
        say(format_args!("{vendors_created} vendors were made for them"))?;
    }
    Ok(())
}

fn show(bar: &ProgressBar, step: ImportStep) {
    match step {
        ImportStep::Read(_) => {}
        ImportStep::Vendors => bar.set_message("finding vendors"),
        ImportStep::Write => bar.set_message("writing obligations"),
    }
}

async fn find_or_create_scheme(args: &ImportArgs, db: &Db) -> Result<Scheme, CommandError> {
    let schemes = Schemes::new(db.clone(), Directory::new(db.clone()));
    match (schemes.get(&args.scheme).await, &args.create_scheme) {
        (Ok(scheme), Some(Terms { currency, strategy, digits }))
            if (&scheme.currency, scheme.strategy, scheme.digits) != (currency, *strategy, *digits) =>
        {
            let Scheme { code, currency, strategy, digits, .. } = scheme;
            Err(CommandError::input(format!("the scheme {code} is there already, and is {currency}:{strategy}:{}", digits.decimals())))
        }
        (Ok(scheme), _) => Ok(scheme),
        (Err(Failure::Refused(SchemeRefusal::SchemeNotFound)), Some(Terms { currency, strategy, digits })) => {
            let code = Code::parse(&args.scheme).map_err(|_| CommandError::input(SchemeRefusal::CodeMalformed.to_string()))?;
            let (currency, approval) = (currency.clone(), Approval::SecondPerson);
            let (digits, strategy, min_transfer) = (*digits, *strategy, Micro::ZERO);
            let (failure_rule, dispute_hours, grace_hours, settle_threshold) = (Rule::CarryOver, 0, None, None);
            let members = Vec::new();
            let new = NewScheme {
                code,
                currency,
                digits,
                strategy,
                min_transfer,
                approval,
                dispute_hours,
                grace_hours,
                settle_threshold,
                failure_rule,
                members,
            };
            Ok(schemes.create(new).await?)
        }
        (Err(Failure::Refused(SchemeRefusal::SchemeNotFound)), None) => {
            Err(CommandError::input(format!("there is no scheme {}; --create-scheme EUR:direct:2 would make it", args.scheme)))
        }
        (Err(failure), _) => Err(failure.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_three_words() {
        let digits = Scale::try_new(3).unwrap();
        assert_eq!("EUR:direct:3".parse(), Ok(Terms { currency: "EUR".to_owned(), strategy: Strategy::Direct, digits }));
        for bad in ["", "EUR", "EUR:direct", "EUR:direct:3:4", "eur:direct:2", "EUR:best:2", "EUR:direct:7", "EUR:direct:-1", "EURO:hub:2"]
        {
            assert!(bad.parse::<Terms>().is_err(), "{bad}");
        }
    }
}
