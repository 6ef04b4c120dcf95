//! Vendors that have not paid: each rule is carried out again on what the run netted, and what took the place of the failed transfers is held
//! against that.
//!
//! Shape: a default meets the transfers that name it, and [`clearing::replace`] says again what takes their place; that waits for the debts and the
//! draws, which are met row by row, as transfers and carries are. What the rows move is summed up besides, from the rows alone. Memory is that of
//! the transfers and of what takes their place: one default at most is by another rule than `carry_over`, which moves what it takes the place of.

use super::books::Vendor;
use super::histories::{History, LastStep};
use super::result::netted_from;
use super::{Books, Findings, Place, Rule};
use crate::bundles::cells::{Cell, Words};
use crate::bundles::records::{DefaultDebtRow, DefaultDrawRow, DefaultRow, DrawCorrectionRow, RunRecord};
use crate::defaults::draw_reference;
use crate::ids::default_id;
use crate::steps::{Actor, check_reason};
use crate::transfers::TransferState;
use jiff::Timestamp;
use jiff::civil::Date;
use netting::clearing::{self, Missed, Payment, Replacement};
use netting::{Carry, Netting, Network, Transfer};
use scrip::{Micro, RunId, Scale};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The defaults of the run, as far as they were met.
pub(super) struct Defaults<'a> {
    run: RunId,
    books: &'a Books<'a>,
    /// What the transfers are, and how many digits their amounts have; none, and nothing is proven, where there is no result.
    result: Option<(&'a Netting, Scale)>,
    histories: &'a [History],
    /// The transfers that name a default, by its id, until it is met.
    named: BTreeMap<Uuid, Vec<usize>>,
    /// All transfers, by payer.
    to_pay: BTreeMap<Vendor, Vec<usize>>,
    /// What was netted; made with the first default.
    network: Option<Network>,
    last_vendor: Option<String>,
    first_declared_at: Option<Timestamp>,
    /// When the one default was declared that is by another rule than `carry_over`.
    ruled_at: Option<Timestamp>,
    debts: Vec<Debt>,
    debt_count: usize,
    draws: Vec<Draw>,
    draw_count: usize,
    /// What the failed transfers would have moved to a vendor, less what took their place; by the defaulter's code and the vendor's.
    left: BTreeMap<(String, String), i128>,
    last_correction: Option<(usize, i32)>,
}

/// What is owed by the rule: the defaulter, debtor, creditor, amount.
type Debt = (String, String, String, Micro);

/// What is paid by the rule.
struct Draw {
    vendor: String,
    number: i64,
    payment: Payment,
    paid_at: Option<Timestamp>,
    booking: Booking,
    /// The last correction.
    corrected: Option<(i32, Timestamp, Booking)>,
}

/// What is said of a payment.
type Booking = (Option<Words>, Option<Date>);

impl<'a> Defaults<'a> {
    pub(super) fn begin(run: &RunRecord, books: &'a Books<'a>, netting: Option<&'a Netting>, histories: &'a [History]) -> Self {
        let (mut named, mut to_pay) = (BTreeMap::<Uuid, Vec<usize>>::new(), BTreeMap::<Vendor, Vec<usize>>::new());
        for (index, history) in histories.iter().enumerate() {
            if let Some(default) = history.default {
                named.entry(default).or_default().push(index);
            }
            if let Some(payer) = history.payer {
                to_pay.entry(payer).or_default().push(index);
            }
        }
        Self {
            run: run.id.0,
            books,
            result: netting.zip(Scale::try_new(run.digits.into())),
            histories,
            named,
            to_pay,
            network: None,
            last_vendor: None,
            first_declared_at: None,
            ruled_at: None,
            debts: Vec::new(),
            debt_count: 0,
            draws: Vec::new(),
            draw_count: 0,
            left: BTreeMap::new(),
            last_correction: None,
        }
    }

    pub(super) fn add_default(&mut self, findings: &mut Findings, place: &Place<'_>, row: DefaultRow) {
        if self.last_vendor.as_ref().is_some_and(|last| *last >= row.vendor) {
            findings.note(Rule::Records, format!("{place}: the default does not stand in its place"));
        }
        self.last_vendor = Some(row.vendor.clone());
        let Some((netting, digits)) = self.result else { return };
        let Some(named) = self.named.remove(&row.id) else {
            return findings.note(Rule::Defaults, format!("{place}: {}: no transfer names it", row.vendor));
        };
        for what in self.judge(&row, &named) {
            findings.note(Rule::Defaults, format!("{place}: {}: {what}", row.vendor));
        }
        self.first_declared_at = Some(self.first_declared_at.map_or(row.declared_at, |first| first.min(row.declared_at)));
        if row.rule != clearing::Rule::CarryOver && self.ruled_at.replace(row.declared_at).is_some() {
            return findings.note(Rule::Defaults, format!("{place}: {}: another default has followed a rule", row.vendor));
        }
        let failed = named.iter().filter_map(|index| netting.transfers.get(*index)).filter(|t| t.payer.as_str() == row.vendor);
        let failed: Vec<Payment> =
            failed.map(|Transfer { payee, amount, .. }| Payment { payee: payee.to_string(), amount: *amount }).collect();
        for Payment { payee, amount } in &failed {
            self.moves(&row.vendor, payee, &row.vendor, amount.units().into());
        }
        match self.replace(&row, &failed, digits) {
            Ok(replacement) => self.expect(&row.vendor, replacement),
            Err(why) => findings.note(Rule::Replacements, format!("{place}: {}: {} cannot be carried out: {why}", row.vendor, row.rule)),
        }
    }

    /// What is wrong with a default and the transfers that name it.
    fn judge(&self, row: &DefaultRow, named: &[usize]) -> Vec<String> {
        let DefaultRow { id, vendor, rule: _, collateral: _, reason, declared_by, declared_at } = row;
        let payer = self.books.find(vendor);
        let by_it = |last: &LastStep| (last.from, last.actor, last.at) == (TransferState::Failed, *declared_by, *declared_at);
        let was_ended = |history: &History| {
            history.made.state == TransferState::Rolled && history.payer == payer && history.last.as_ref().is_some_and(by_it)
        };
        let had_ended = |history: &History| {
            history.made.state.is_final() && history.last.as_ref().is_some_and(|last| last.at <= *declared_at && !by_it(last))
        };
        let of_vendor = payer.and_then(|payer| self.to_pay.get(&payer)).into_iter().flatten().map(|index| &self.histories[*index]);
        let rules = [
            (payer.map(|vendor| default_id(self.run, self.books.id(vendor))) == Some(*id), "its id is not that of the vendor in this run"),
            (named.iter().all(|index| was_ended(&self.histories[*index])), "a transfer that names it was not ended by it"),
            (
                of_vendor.filter(|history| history.default != Some(*id)).all(had_ended),
                "another transfer of the vendor's had not ended before",
            ),
            (!matches!(declared_by, Actor::Vendor(_)), "it is not for a vendor to declare"),
            (check_reason(&reason.0).is_ok(), "it has no reason, or one that cannot be"),
        ];
        rules.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what.to_owned()).collect()
    }

    fn replace(&mut self, row: &DefaultRow, failed: &[Payment], digits: Scale) -> Result<Replacement, String> {
        let network = match self.network.take() {
            Some(network) => network,
            None => netted_from(self.books).netted().map_err(|error| error.to_string())?,
        };
        let missed = Missed { party: &row.vendor, collateral: row.collateral, failed };
        let replaced = clearing::replace(&network, row.rule, &missed, digits).map_err(|error| error.to_string());
        self.network = Some(network);
        replaced
    }

    /// What takes the place of the failed transfers waits for its rows.
    fn expect(&mut self, vendor: &str, Replacement { draws, owed }: Replacement) {
        let debt = |Carry { debtor, creditor, amount }: Carry| (vendor.to_owned(), debtor.to_string(), creditor.to_string(), amount);
        self.debts.extend(owed.into_iter().map(debt));
        self.draws.extend(draws.into_iter().zip(1..).map(|(payment, number)| Draw {
            vendor: vendor.to_owned(),
            number,
            payment,
            paid_at: None,
            booking: (None, None),
            corrected: None,
        }));
    }

    /// So much goes from one party to another in the place of the vendor's failed transfers.
    fn moves(&mut self, vendor: &str, from: &str, to: &str, amount: i128) {
        let mut left = |party: &str, amount: i128| {
            let left = self.left.entry((vendor.to_owned(), party.to_owned())).or_default();
            *left = left.saturating_add(amount);
        };
        left(from, amount);
        left(to, amount.saturating_neg());
    }

    pub(super) fn add_debt(&mut self, findings: &mut Findings, place: &Place<'_>, row: &DefaultDebtRow) {
        let expected = self.debts.get(self.debt_count);
        self.debt_count = self.debt_count.saturating_add(1);
        let DefaultDebtRow { vendor, debtor, creditor, amount } = row;
        let is_expected = expected.is_some_and(|(of, by, to, units)| (of, by, to, units) == (vendor, debtor, creditor, amount));
        // What is too much is not summed up: there is no end to it.
        if expected.is_some() {
            self.moves(vendor, debtor, creditor, amount.units().into());
        }
        if !is_expected && self.result.is_some() {
            findings.note(Rule::Replacements, format!("{place}: it is not the next debt that the rule leaves"));
        }
    }

    pub(super) fn add_draw(&mut self, findings: &mut Findings, place: &Place<'_>, row: DefaultDrawRow) {
        let DefaultDrawRow { vendor, number, payee, amount, reference, paid_at, paid_by, bank_reference, booked_on } = row;
        let booking = (bank_reference, booked_on);
        for (holds, what) in [
            (reference == draw_reference(self.run, number), "its reference is not that of its number"),
            (paid_at.is_some() == paid_by.is_some(), "it is paid by nobody, or at no time"),
            (paid_at.is_some() || booking == (None, None), "what is booked is not paid"),
            (paid_by.is_none_or(|actor| matches!(actor, Actor::Operator(_))), "it is for the operator to pay"),
        ] {
            if !holds {
                findings.note(Rule::Draws, format!("{place}: {what}"));
            }
        }
        let place_of_draw = self.draw_count;
        self.draw_count = self.draw_count.saturating_add(1);
        let mut is_expected = false;
        if let Some(draw) = self.draws.get_mut(place_of_draw) {
            is_expected = (&draw.vendor, draw.number, &draw.payment.payee, draw.payment.amount) == (&vendor, number, &payee, amount);
            (draw.paid_at, draw.booking) = (paid_at, booking);
            self.moves(&vendor, &vendor, &payee, amount.units().into());
        }
        if !is_expected && self.result.is_some() {
            findings.note(Rule::Replacements, format!("{place}: it is not the next draw that the rule says"));
        }
    }

    pub(super) fn add_correction(&mut self, findings: &mut Findings, place: &Place<'_>, row: DrawCorrectionRow) {
        let DrawCorrectionRow { vendor, number, seq, bank_reference_before, booked_on_before, .. } = row;
        let DrawCorrectionRow { bank_reference, booked_on, reason, corrected_by, corrected_at, .. } = row;
        let Ok(index) = self.draws.binary_search_by(|draw| (&draw.vendor, draw.number).cmp(&(&vendor, number))) else {
            return findings.note(Rule::Draws, format!("{place}: there is no draw {number} of {vendor}"));
        };
        if self.last_correction.replace((index, seq)).is_some_and(|last| last >= (index, seq)) {
            findings.note(Rule::Records, format!("{place}: the correction does not stand in its place"));
        }
        let draw = &mut self.draws[index];
        let (before, after) = ((bank_reference_before, booked_on_before), (bank_reference, booked_on));
        let (last_seq, said_at) = draw.corrected.as_ref().map_or((0, draw.paid_at), |(seq, at, _)| (*seq, Some(*at)));
        let said = draw.corrected.as_ref().map(|(_, _, said)| said);
        for (holds, what) in [
            (last_seq.checked_add(1) == Some(seq), "does not count on"),
            (said_at.is_some_and(|said_at| said_at <= corrected_at), "is earlier than what it puts right"),
            (said.is_none_or(|said| *said == before), "does not follow the one before it"),
            (before != after, "changes nothing"),
            (matches!(corrected_by, Actor::Operator(_)), "is for the operator to make"),
            (check_reason(&reason.0).is_ok(), "has no reason, or one that cannot be"),
        ] {
            if !holds {
                findings.note(Rule::Draws, format!("{place}: correction {seq} {what}"));
            }
        }
        draw.corrected = Some((seq, corrected_at, after));
    }

    /// All rows are there: nothing may be missing, and what took the place of failed transfers must have moved what they would have.
    pub(super) fn end(self, findings: &mut Findings) {
        if self.result.is_none() {
            return;
        }
        for id in self.named.keys() {
            findings.note(Rule::Defaults, format!("defaults: {} is not there, and a transfer names it", id.show()));
        }
        if self.ruled_at.is_some() && self.ruled_at != self.first_declared_at {
            findings.note(Rule::Defaults, "defaults: the one that follows a rule is not the first".to_owned());
        }
        for (what, there, made) in
            [("default-debts", self.debt_count, self.debts.len()), ("default-draws", self.draw_count, self.draws.len())]
        {
            if there != made {
                findings.note(Rule::Replacements, format!("{what}: there are {there}, by the rules there are {made}"));
            }
        }
        for ((vendor, party), left) in self.left.iter().filter(|(_, left)| **left != 0) {
            findings.note(
                Rule::Replacements,
                format!("defaults: what took the place of the transfers of {vendor} leaves {party} {left} micro-units"),
            );
        }
        for Draw { vendor, number, booking, corrected, .. } in &self.draws {
            if corrected.as_ref().is_some_and(|(_, _, said)| said != booking) {
                findings.note(Rule::Draws, format!("default-draws: draw {number} of {vendor} is not paid as its last correction says"));
            }
        }
        findings.conclude(Rule::Defaults);
        findings.conclude(Rule::Replacements);
        findings.conclude(Rule::Draws);
    }
}
