//! Which transfers an entry may mean that names none: by its amount, its currency and its day. Pure.
//!
//! A suggestion is a transfer of just that amount, or all transfers of one payer or one payee in a run that sum to it, as banks book a
//! block of payments as one sum. It says what could be, and nothing follows from it until somebody assigns it.

use super::entry::{Entry, Said, Stated};
use super::matching::{may_take, state_of, sum};
use crate::transfers::{Standing, TransferKey};
use jiff::civil::Date;
use scrip::{Micro, RunId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

/// The most suggestions for an entry.
pub(super) const SUGGESTIONS_MAX: usize = 5;
/// The most unfinished transfers of a scheme that are looked at, the newest runs first: some 6 MB.
pub(super) const UNFINISHED_MAX: usize = 20_000;
/// The most transfers of one suggestion: a longer list is nothing to look at, and the answer stays small.
pub(super) const SUGGESTED_MAX: usize = 200;
/// How many days after its export a transfer is booked: a bank's day may still be the day before in UTC.
const DAYS_TO_BOOK: RangeInclusive<i32> = -1..=30;

/// A transfer that has not ended, of a run under settlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unfinished {
    pub(super) key: TransferKey,
    pub(super) run_number: i64,
    /// The day in UTC.
    pub(super) exported_on: Date,
    pub(super) payer: String,
    pub(super) payee: String,
    pub(super) amount: Micro,
    pub(super) currency: String,
    pub(super) standing: Standing,
    /// What other entries of the confirmation say of it.
    pub(super) said: Vec<Said>,
}

/// The unfinished transfers of a scheme, the newest run first and by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Collected {
    pub(super) transfers: Vec<Unfinished>,
    /// The run of which some are missing, because there are too many: its sums are not known.
    pub(super) cut: Option<RunId>,
}

/// What speaks for a suggestion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// One transfer of that amount.
    Amount,
    /// All transfers of a run with one payer sum to it.
    PayerTotal,
    /// All transfers of a run with one payee sum to it.
    PayeeTotal,
}

impl Basis {
    /// As shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amount => "amount",
            Self::PayerTotal => "payer_total",
            Self::PayeeTotal => "payee_total",
        }
    }
}

/// Transfers of one run that an entry may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// What speaks for it.
    pub basis: Basis,
    /// The run of the transfers.
    pub run: RunId,
    /// Counts the scheme's runs from 1.
    pub run_number: i64,
    /// When the run was exported, as a day in UTC.
    pub exported_on: Date,
    /// The currency of the transfers.
    pub currency: String,
    /// Who pays, a code or `HOUSE`; none where several do.
    pub payer: Option<String>,
    /// Who is paid, a code or `HOUSE`; none where several are.
    pub payee: Option<String>,
    /// The numbers of the transfers, in order.
    pub numbers: Vec<i64>,
}

/// What can be suggested for each thing that an entry may say and each amount that it may state.
#[derive(Debug)]
pub(super) struct Suggestions(HashMap<(Said, Micro), Vec<Suggestion>>);

impl Suggestions {
    /// Those for entries that say and state what these do.
    pub(super) fn new<'e>(entries: impl Iterator<Item = &'e Entry>, Collected { transfers, cut }: &Collected) -> Self {
        let mut suggestions = Self(entries.filter_map(asked).map(|asked| (asked, Vec::new())).collect());
        for said in [Said::Sent, Said::Received, Said::Failed] {
            let fit: Vec<&Unfinished> = transfers.iter().filter(|transfer| transfer.may_be_said(said)).collect();
            fit.iter().for_each(|transfer| suggestions.add(said, Basis::Amount, &[transfer]));
            let whole = fit.into_iter().filter(|transfer| Some(transfer.key.run) != *cut);
            match said {
                Said::Sent => suggestions.add_totals(said, Basis::PayerTotal, whole, |transfer| &transfer.payer),
                Said::Received => suggestions.add_totals(said, Basis::PayeeTotal, whole, |transfer| &transfer.payee),
                Said::Failed | Said::Pending => (),
            }
        }
        suggestions
            .0
            .values_mut()
            .for_each(|all| all.sort_by_key(|one| (Reverse(one.run_number), one.numbers.first().copied(), one.basis)));
        suggestions
    }

    /// What the entry may mean, the newest run first.
    pub(super) fn find(&self, entry: &Entry) -> Vec<Suggestion> {
        let all = asked(entry).and_then(|asked| self.0.get(&asked)).into_iter().flatten();
        let fits = |one: &&Suggestion| entry.currency.as_ref() == Some(&one.currency) && may_be_booked(one.exported_on, entry.booked_on);
        all.filter(fits).take(SUGGESTIONS_MAX).cloned().collect()
    }

    fn add_totals<'t>(
        &mut self,
        said: Said,
        basis: Basis,
        transfers: impl Iterator<Item = &'t Unfinished>,
        party: impl Fn(&'t Unfinished) -> &'t str,
    ) {
        let mut groups: BTreeMap<(RunId, &str), Vec<&Unfinished>> = BTreeMap::new();
        for transfer in transfers {
            groups.entry((transfer.key.run, party(transfer))).or_default().push(transfer);
        }
        for group in groups.values().filter(|group| (2..=SUGGESTED_MAX).contains(&group.len())) {
            self.add(said, basis, group);
        }
    }

    fn add(&mut self, said: Said, basis: Basis, transfers: &[&Unfinished]) {
        let Some((total, first)) = sum(transfers.iter().map(|transfer| transfer.amount)).zip(transfers.first()) else { return };
        let Some(all) = self.0.get_mut(&(said, total)) else { return };
        all.push(Suggestion {
            basis,
            run: first.key.run,
            run_number: first.run_number,
            exported_on: first.exported_on,
            currency: first.currency.clone(),
            payer: Some(first.payer.clone()).filter(|payer| transfers.iter().all(|transfer| transfer.payer == *payer)),
            payee: Some(first.payee.clone()).filter(|payee| transfers.iter().all(|transfer| transfer.payee == *payee)),
            numbers: transfers.iter().map(|transfer| transfer.key.number).collect(),
        });
    }
}

impl Unfinished {
    /// Whether it may take the step that an entry says, and no other entry says the same of it.
    fn may_be_said(&self, said: Said) -> bool {
        state_of(said).is_some_and(|to| may_take(self.standing, to)) && !self.said.contains(&said)
    }
}

/// What a suggestion has to be like, if there can be one.
fn asked(entry: &Entry) -> Option<(Said, Micro)> {
    match entry.amount {
        Stated::Amount(amount) => Some((entry.said, amount)),
        Stated::Nothing | Stated::Unreadable => None,
    }
}

fn may_be_booked(exported_on: Date, booked_on: Option<Date>) -> bool {
    booked_on.is_none_or(|day| exported_on.until(day).is_ok_and(|span| DAYS_TO_BOOK.contains(&span.get_days())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfers::TransferState;
    use uuid::Uuid;

    /// Runs and their transfers, such as `2: AA>BB 5, AA>CC 2 sent`: run 2, exported on the 2nd. A transfer that another entry says is sent
    /// ends in `!`.
    fn unfinished(runs: &[&str]) -> Vec<Unfinished> {
        let run = |text: &&str| {
            let (run_number, transfers) = text.split_once(": ").unwrap();
            let run_number: i64 = run_number.parse().unwrap();
            (1..).zip(transfers.split(", ")).map(move |(number, text)| transfer(run_number, number, text)).collect::<Vec<_>>()
        };
        runs.iter().flat_map(run).collect()
    }

    fn transfer(run_number: i64, number: i64, text: &str) -> Unfinished {
        let mut words = text.trim_end_matches('!').split_whitespace();
        let (payer, payee) = words.next().unwrap().split_once('>').unwrap();
        let amount = Micro::parse(words.next().unwrap()).unwrap();
        let step = |standing: Standing, step| standing.become_state(TransferState::parse(step).unwrap()).unwrap();
        Unfinished {
            key: TransferKey { run: RunId::new(Uuid::from_u128(run_number.unsigned_abs().into())), number },
            run_number,
            exported_on: jiff::civil::date(2026, 11, i8::try_from(run_number).unwrap()),
            payer: payer.to_owned(),
            payee: payee.to_owned(),
            amount,
            currency: "EUR".to_owned(),
            standing: words.fold(Standing::FIRST, step),
            said: text.ends_with('!').then_some(Said::Sent).into_iter().collect(),
        }
    }

    /// An entry such as `sent 5 EUR 2026-11-03`; `-` is no day.
    fn entry(text: &str) -> Entry {
        let words: Vec<&str> = text.split_whitespace().collect();
        Entry {
            line: 1,
            reference: None,
            amount: Stated::read(Some(words[1])),
            currency: Some(words[2].to_owned()),
            said: Said::parse(words[0]).unwrap(),
            reason: None,
            bank_reference: None,
            booked_on: words[3].parse().ok(),
            account: None,
        }
    }

    fn check_cut(runs: &[&str], cut: Option<u128>, text: &str, expected: &str) {
        let (entry, cut) = (entry(text), cut.map(|run| RunId::new(Uuid::from_u128(run))));
        let suggestions = Suggestions::new([&entry].into_iter(), &Collected { transfers: unfinished(runs), cut });
        let show = |one: Suggestion| format!("{} {}:{:?}", one.basis.as_str(), one.run_number, one.numbers);
        assert_eq!(suggestions.find(&entry).into_iter().map(show).collect::<Vec<_>>().join(" "), expected, "{text} of {runs:?}");
    }

    fn check(runs: &[&str], text: &str, expected: &str) {
        check_cut(runs, None, text, expected);
    }

    #[test]
    fn a_transfer_of_the_amount_is_suggested_where_it_may_take_the_step() {
        check(&["2: AA>BB 5, AA>CC 2"], "sent 5 EUR -", "amount 2:[1]");
        check(&["2: AA>BB 5 sent, AA>CC 2"], "sent 5 EUR -", "");
        check(&["2: AA>BB 5 sent, AA>CC 2"], "received 5 EUR -", "amount 2:[1]");
        check(&["2: AA>BB 5 sent, AA>CC 5 failed"], "failed 5 EUR -", "amount 2:[1]");
        check(&["2: AA>BB 5 sent disputed, AA>CC 5 failed retried"], "sent 5 EUR -", "amount 2:[2]");
        check(&["2: AA>BB 5, AA>CC 2"], "pending 5 EUR -", "");
        check(&["2: AA>BB 5, AA>CC 2"], "sent 5 USD -", "");
        check(&["2: AA>BB 5, AA>CC 2"], "sent 0.00 EUR -", "");
    }

    #[test]
    fn all_transfers_of_a_payer_or_a_payee_are_suggested_where_they_sum_to_it() {
        check(&["2: AA>BB 5, AA>CC 2, BB>CC 3"], "sent 7 EUR -", "payer_total 2:[1, 2]");
        check(&["2: AA>BB 5, AA>CC 2, BB>CC 3"], "received 5 EUR -", "amount 2:[1] payee_total 2:[2, 3]");
        // Not a part of them, nor those of two runs.
        check(&["2: AA>BB 5, AA>CC 2, AA>DD 3"], "sent 7 EUR -", "");
        check(&["2: AA>BB 5", "1: AA>BB 2"], "sent 7 EUR -", "");
        check(&["2: AA>BB 5, AA>CC 2, AA>DD 3 sent"], "sent 7 EUR -", "payer_total 2:[1, 2]");
        // Returns come one by one.
        check(&["2: AA>BB 5, AA>CC 2"], "failed 7 EUR -", "");
    }

    #[test]
    fn what_another_entry_says_is_not_suggested_again() {
        check(&["2: AA>BB 5!, AA>CC 5"], "sent 5 EUR -", "amount 2:[2]");
        check(&["2: AA>BB 5!, AA>CC 5"], "received 5 EUR -", "amount 2:[1] amount 2:[2]");
        check(&["2: AA>BB 5!, AA>CC 2, AA>DD 1"], "sent 3 EUR -", "payer_total 2:[2, 3]");
    }

    #[test]
    fn the_newest_run_comes_first_and_five_are_enough() {
        check(&["3: AA>BB 5", "2: AA>BB 5, BB>CC 5"], "sent 5 EUR -", "amount 3:[1] amount 2:[1] amount 2:[2]");
        let many = "2: AA>BB 5, BB>CC 5, CC>DD 5, DD>EE 5, EE>FF 5, FF>GG 5";
        check(&[many], "sent 5 EUR -", "amount 2:[1] amount 2:[2] amount 2:[3] amount 2:[4] amount 2:[5]");
    }

    #[test]
    fn a_run_is_booked_from_the_day_before_its_export_for_thirty_days() {
        for (day, expected) in [
            ("2026-11-01", ""),
            ("2026-11-02", "amount 3:[1]"),
            ("2026-11-03", "amount 3:[1]"),
            ("2026-12-03", "amount 3:[1]"),
            ("2026-12-04", ""),
        ] {
            check(&["3: AA>BB 5"], &format!("sent 5 EUR {day}"), expected);
        }
    }

    #[test]
    fn a_run_that_is_not_seen_whole_has_no_sums() {
        check_cut(&["2: AA>BB 5, AA>CC 2"], Some(2), "sent 7 EUR -", "");
        check_cut(&["2: AA>BB 5, AA>CC 2"], Some(2), "sent 5 EUR -", "amount 2:[1]");
        check_cut(&["2: AA>BB 5, AA>CC 2"], Some(1), "sent 7 EUR -", "payer_total 2:[1, 2]");
    }
}
