//! What became of each obligation that one vendor owes or is owed.

use super::case::{Explained, Item};
use super::pieces::{Broken, Sink};
use super::{Level, Origin, Slice};
use crate::files::exact;
use crate::runs::Run;
use netting::explain::Share;
use scrip::Micro;

/// One row for each obligation that the vendor owes or is owed, by debtor, creditor and the order in which they were booked.
///
/// `amount = paid + carried + set_off`. `obligation` is the reference in the vendor's statement, `operation` the swap (or the import, run or dispute) that
/// made it; with `source` they are empty where the sums of pairs are explained. Amounts have six decimals.
pub const POSITION_COLUMNS: [&str; 10] =
    ["obligation", "source", "operation", "debtor", "creditor", "amount", "paid", "carried", "set_off", "currency"];

/// A vendor's obligations in a run.
#[derive(Debug, Clone)]
pub struct ExplainedPosition {
    /// The run.
    pub run: Run,
    /// Whether the items are obligations or sums.
    pub level: Level,
    /// The vendor's code.
    pub vendor: String,
    /// What others owe it.
    pub owed: Sums,
    /// What it owes others.
    pub owes: Sums,
    /// How many items there are in all.
    pub item_count: usize,
    /// Those that were asked for.
    pub items: Vec<ExplainedItem>,
}

/// What became of some obligations: `amount = paid + carried + set_off`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Their sum.
    pub amount: Micro,
    /// Settled where a transfer ends their chain of debts.
    pub paid: Micro,
    /// Left owed, to be paid with the next window.
    pub carried: Micro,
    /// Settled in circles, without money.
    pub set_off: Micro,
}

/// An obligation, or the sum of all from one vendor to another.
#[derive(Debug, Clone)]
pub struct ExplainedItem {
    /// None of a sum.
    pub origin: Option<Origin>,
    /// Who owes.
    pub debtor: String,
    /// Who is owed.
    pub creditor: String,
    /// What became of it.
    pub sums: Sums,
}

impl Sums {
    fn of(item: &Item, share: &Share) -> Self {
        let Share { reference: _, paid, carried, set_off } = *share;
        Self { amount: item.amount, paid, carried, set_off }
    }

    fn add(&mut self, other: &Self) {
        let sum = |one: Micro, other: Micro| one.checked_add(other).expect("what a vendor owes or is owed fits");
        self.amount = sum(self.amount, other.amount);
        self.paid = sum(self.paid, other.paid);
        self.carried = sum(self.carried, other.carried);
        self.set_off = sum(self.set_off, other.set_off);
    }

    fn is_explained(&self) -> bool {
        self.paid.checked_add(self.carried).and_then(|sum| sum.checked_add(self.set_off)) == Some(self.amount)
    }
}

pub(super) fn tell(explained: &Explained, party: usize, slice: Slice) -> ExplainedPosition {
    let shares = shares_of(explained, party);
    let (mut owed, mut owes) = (Sums::default(), Sums::default());
    for (item, share) in &shares {
        let side = if item.creditor == party { &mut owed } else { &mut owes };
        side.add(&Sums::of(item, share));
    }
    let position = &explained.netting.positions[party];
    assert!(owed.is_explained() && owes.is_explained(), "what is owed is paid, carried or set off");
    assert!((owed.amount, owes.amount) == (position.owed, position.owes), "the obligations of {} come to its position", position.party);
    let item = |(item, share): &(&Item, Share)| ExplainedItem {
        origin: item.origin,
        debtor: explained.codes[item.debtor].clone(),
        creditor: explained.codes[item.creditor].clone(),
        sums: Sums::of(item, share),
    };
    ExplainedPosition {
        run: explained.run.clone(),
        level: explained.level,
        vendor: explained.codes[party].clone(),
        owed,
        owes,
        item_count: shares.len(),
        items: shares.iter().skip(slice.after).take(slice.limit).map(item).collect(),
    }
}

/// By debtor, creditor and the order in which they were booked.
fn shares_of(explained: &Explained, party: usize) -> Vec<(&Item, Share)> {
    let shares = explained.explanation.shares().into_iter().map(|share| (explained.item(share.reference), share));
    shares.filter(|(item, _)| item.debtor == party || item.creditor == party).collect()
}

pub(super) fn write(explained: &Explained, party: usize, sink: &mut Sink) -> Result<(), Broken> {
    sink.row(POSITION_COLUMNS)?;
    for (item, share) in shares_of(explained, party) {
        let (obligation, operation) = item.origin.map(Origin::ids).unwrap_or_default();
        let source = item.origin.map_or("", |origin| origin.source.as_str());
        let Sums { amount, paid, carried, set_off } = Sums::of(item, &share);
        let [amount, paid, carried, set_off] = [amount, paid, carried, set_off].map(exact);
        let (debtor, creditor) = (&explained.codes[item.debtor], &explained.codes[item.creditor]);
        sink.row([&obligation, source, &operation, debtor, creditor, &amount, &paid, &carried, &set_off, &explained.run.currency])?;
    }
    Ok(())
}
