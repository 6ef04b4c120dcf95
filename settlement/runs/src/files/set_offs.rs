//! What circles cancel where every debtor pays its own creditors: setoffs.csv, and what the statements say of it.

use super::amounts::exact;
use super::shelf::{OpenFile, Shelf};
use super::store::EndLine;
use super::{CSV, SET_OFFS};
use crate::csv_text::push_row;
use ledger::Fault;
use netting::{Netting, Party, Strategy};
use scrip::{Micro, VendorId};
use std::collections::{BTreeMap, HashMap};

/// So many rows at a time are handed to the shelf.
const ROWS: usize = 1_000;

/// One row per debtor and creditor, whether anything was cancelled or not: `amount = set_off + remaining`.
pub(super) async fn write(shelf: &mut Shelf<'_>, netting: &Netting) -> Result<(), Fault> {
    let mut file = OpenFile::new(SET_OFFS.to_owned(), None, CSV);
    push_row(&mut file.text, ["debtor", "creditor", "amount", "set_off", "remaining"]);
    for rows in netting.set_offs.chunks(ROWS) {
        for pair in rows {
            let [amount, set_off, remaining] = [pair.amount, pair.set_off, pair.remaining].map(exact);
            push_row(&mut file.text, [pair.debtor.as_str(), pair.creditor.as_str(), &amount, &set_off, &remaining]);
        }
        shelf.keep(&mut file).await?;
    }
    shelf.close(file).await
}

/// The lines of statements that say, counterparty by counterparty, what was set off and what was carried. Without circles to set off there
/// are none: a transfer need not be with a counterparty then.
pub(crate) struct PairLines<'a> {
    set_off: ByVendor<'a>,
    carry: ByVendor<'a>,
}

/// By the vendor whose statement it is, then by counterparty.
type ByVendor<'a> = HashMap<&'a str, BTreeMap<&'a str, Sides>>;

/// Between a vendor and a counterparty, as the vendor sees it.
#[derive(Clone, Copy, Default)]
struct Sides {
    owed: Micro,
    owes: Micro,
}

impl<'a> PairLines<'a> {
    pub(crate) fn of(netting: &'a Netting) -> Self {
        let is_by_pair = netting.strategy == Strategy::Conservative;
        let carries = netting.carries.iter().filter(|_| is_by_pair);
        Self {
            set_off: by_vendor(netting.set_offs.iter().map(|s| (&s.debtor, &s.creditor, s.set_off))),
            carry: by_vendor(carries.map(|c| (&c.debtor, &c.creditor, c.amount))),
        }
    }

    /// What a vendor's statement says before its line of this kind.
    pub(crate) fn before(&self, kind: &str, vendor: VendorId, code: &str) -> impl Iterator<Item = EndLine> {
        let (kind, lines) = match kind {
            "net" => ("set_off", self.set_off.get(code)),
            "closing_carry" => ("carry", self.carry.get(code)),
            _ => ("", None),
        };
        lines.into_iter().flatten().map(move |(counterparty, Sides { owed, owes })| EndLine {
            vendor,
            kind,
            counterparty: (*counterparty).to_owned(),
            transfer: None,
            owed: *owed,
            owes: *owes,
        })
    }
}

/// Each debt from both its sides; there is at most one per debtor and creditor.
fn by_vendor<'a>(debts: impl Iterator<Item = (&'a Party, &'a Party, Micro)>) -> ByVendor<'a> {
    let mut lines = ByVendor::new();
    for (debtor, creditor, amount) in debts.filter(|(_, _, amount)| *amount > Micro::ZERO) {
        let (debtor, creditor) = (debtor.as_str(), creditor.as_str());
        lines.entry(creditor).or_default().entry(debtor).or_default().owed = amount;
        lines.entry(debtor).or_default().entry(creditor).or_default().owes = amount;
    }
    lines
}
