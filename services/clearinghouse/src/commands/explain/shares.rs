//! What became of the obligations of one party.

use super::loops::write_row;
use super::{Explained, Form};
use crate::commands::debts_file::Debt;
use netting::explain::Share;
use runs::csv_text::safe_cell;
use scrip::Micro;
use serde::Serialize;
use std::io::{self, Write};

#[derive(Debug, Serialize)]
struct ToldShare<'a> {
    line: u64,
    debtor: &'a str,
    creditor: &'a str,
    amount: String,
    paid: String,
    carried: String,
    set_off: String,
}

/// Amount, paid, carried and set off, of one side of a party.
#[derive(Debug, Default)]
struct Sums([Micro; 4]);

impl Sums {
    fn add(&mut self, debt: Debt<'_>, share: Share) {
        for (sum, more) in self.0.iter_mut().zip([debt.amount, share.paid, share.carried, share.set_off]) {
            *sum = sum.checked_add(more).expect("no party owes or is owed more than the gross");
        }
    }
}

/// Obligations by debtor, creditor and line, then their sums.
pub(super) fn print(explained: &Explained, party: usize, form: Form, out: &mut impl Write) -> io::Result<()> {
    let position = &explained.netting.positions[party];
    let name = position.party.as_str();
    let (mut owed, mut owes) = (Sums::default(), Sums::default());
    if form == Form::Csv {
        write_row(out, ["line", "debtor", "creditor", "amount", "paid", "carried", "set_off"])?;
    }
    for share in explained.explanation.shares() {
        let debt = explained.debt(share.reference);
        if debt.debtor != name && debt.creditor != name {
            continue;
        }
        if debt.creditor == name {
            owed.add(debt, share)
        } else {
            owes.add(debt, share)
        }
        print_share(&tell(explained, debt, share), form, out)?;
    }
    assert!((owed.0[0], owes.0[0]) == (position.owed, position.owes), "the obligations of {name} come to its position");
    if form == Form::Words {
        for (side, sums) in [("is owed", owed), ("owes", owes)] {
            let [amount, paid, carried, set_off] = sums.0.map(|sum| explained.shown(sum));
            writeln!(out, "{name} {side} {amount}: {paid} paid, {carried} carried, {set_off} set off")?;
        }
    }
    Ok(())
}

fn tell<'a>(explained: &Explained, debt: Debt<'a>, share: Share) -> ToldShare<'a> {
    let Debt { line, debtor, creditor, amount } = debt;
    let Share { reference: _, paid, carried, set_off } = share;
    let [amount, paid, carried, set_off] = [amount, paid, carried, set_off].map(|figure| explained.shown(figure));
    ToldShare { line, debtor, creditor, amount, paid, carried, set_off }
}

fn print_share(told: &ToldShare<'_>, form: Form, out: &mut impl Write) -> io::Result<()> {
    let ToldShare { line, debtor, creditor, amount, paid, carried, set_off } = told;
    match form {
        Form::Words => {
            writeln!(out, "line {line}  {debtor} owes {creditor} {amount}: {paid} paid, {carried} carried, {set_off} set off")
        }
        Form::Json => {
            serde_json::to_writer(&mut *out, told)?;
            writeln!(out)
        }
        Form::Csv => write_row(out, [&line.to_string(), &*safe_cell(debtor), &safe_cell(creditor), amount, paid, carried, set_off]),
    }
}
