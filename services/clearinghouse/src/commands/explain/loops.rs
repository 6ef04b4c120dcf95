//! Loops, printed one by one as they are found.

use super::{Explained, Form};
use netting::explain::{Loop, Loops, Part, Payment, Step};
use runs::csv_text::{push_row, safe_cell};
use serde::Serialize;
use std::io::{self, Write};

/// The most obligations of a step that are named to people; the other forms name all.
const NAMED_MAX: usize = 8;

#[derive(Debug, Serialize)]
struct ToldLoop<'a> {
    r#loop: usize,
    kind: &'static str,
    amount: String,
    steps: Vec<ToldStep<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ToldStep<'a> {
    Owed { debtor: &'a str, creditor: &'a str, parts: Vec<ToldPart> },
    Transfer { number: usize, payer: &'a str, payee: &'a str },
    Carry { number: usize, debtor: &'a str, creditor: &'a str },
}

#[derive(Debug, Serialize)]
struct ToldPart {
    line: u64,
    amount: String,
}

pub(super) fn print(explained: &Explained, loops: Loops<'_>, form: Form, out: &mut impl Write) -> io::Result<()> {
    if form == Form::Csv {
        write_row(out, ["loop", "kind", "step", "type", "from", "to", "reference", "amount"])?;
    }
    for (number, told) in (1..).zip(loops) {
        let told = tell(explained, number, &told);
        match form {
            Form::Words => writeln!(out, "{}", in_words(&told))?,
            Form::Json => {
                serde_json::to_writer(&mut *out, &told)?;
                writeln!(out)?;
            }
            Form::Csv => write_rows(out, &told)?,
        }
    }
    Ok(())
}

fn tell<'a>(explained: &Explained, number: usize, told: &'a Loop) -> ToldLoop<'a> {
    let part = |Part { reference, amount }: &Part| ToldPart { line: explained.debt(*reference).line, amount: explained.shown(*amount) };
    let step = |step: &'a Step| match step {
        Step::Owed { debtor, creditor, parts } => {
            ToldStep::Owed { debtor: debtor.as_str(), creditor: creditor.as_str(), parts: parts.iter().map(part).collect() }
        }
        Step::Paid { payer, payee, payment: Payment::Transfer(place) } => {
            ToldStep::Transfer { number: place.strict_add(1), payer: payer.as_str(), payee: payee.as_str() }
        }
        Step::Paid { payer, payee, payment: Payment::Carry(place) } => {
            ToldStep::Carry { number: place.strict_add(1), debtor: payer.as_str(), creditor: payee.as_str() }
        }
    };
    ToldLoop {
        r#loop: number,
        kind: told.kind().name(),
        amount: explained.shown(told.amount),
        steps: told.steps.iter().map(step).collect(),
    }
}

/// `5  path: A owes B (line 2), B owes C (line 3); A pays C (transfer 1)`.
fn in_words(told: &ToldLoop<'_>) -> String {
    let (mut debts, mut payments) = (Vec::new(), Vec::new());
    for step in &told.steps {
        match step {
            ToldStep::Owed { debtor, creditor, parts } => debts.push(format!("{debtor} owes {creditor} ({})", lines(parts))),
            ToldStep::Transfer { number, payer, payee } => payments.push(format!("{payer} pays {payee} (transfer {number})")),
            ToldStep::Carry { number, debtor, creditor } => payments.push(format!("{debtor} goes on owing {creditor} (carry {number})")),
        }
    }
    let (debts, payments) = (debts.join(", "), payments.join(", "));
    let between = if payments.is_empty() { "" } else { "; " };
    format!("{}  {}: {debts}{between}{payments}", told.amount, told.kind)
}

fn lines(parts: &[ToldPart]) -> String {
    if let [part] = parts {
        return format!("line {}", part.line);
    }
    let named: Vec<String> = parts.iter().take(NAMED_MAX).map(|part| format!("{} of line {}", part.amount, part.line)).collect();
    match parts.len().saturating_sub(NAMED_MAX) {
        0 => named.join(", "),
        more => format!("{}, and of {more} more lines", named.join(", ")),
    }
}

fn write_rows(out: &mut impl Write, told: &ToldLoop<'_>) -> io::Result<()> {
    let number = told.r#loop.to_string();
    for (place, step) in (1_u64..).zip(&told.steps) {
        let place = place.to_string();
        let mut row = |kind: &str, from: &str, to: &str, reference: &str, amount: &str| {
            write_row(out, [&number, told.kind, &place, kind, &safe_cell(from), &safe_cell(to), reference, amount])
        };
        match step {
            ToldStep::Owed { debtor, creditor, parts } => {
                for part in parts {
                    row("owed", debtor, creditor, &part.line.to_string(), &part.amount)?;
                }
            }
            ToldStep::Transfer { number, payer, payee } => row("transfer", payer, payee, &number.to_string(), &told.amount)?,
            ToldStep::Carry { number, debtor, creditor } => row("carry", debtor, creditor, &number.to_string(), &told.amount)?,
        }
    }
    Ok(())
}

pub(super) fn write_row<const N: usize>(out: &mut impl Write, cells: [&str; N]) -> io::Result<()> {
    let mut text = Vec::new();
    push_row(&mut text, cells);
    out.write_all(&text)
}
