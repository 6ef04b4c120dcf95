//! What each entry of a confirmation comes to, held against the transfers as they stand. Pure.
//!
//! Entries are taken in their order, each as if those before it had been applied: a statement that shows money leave one account and come
//! to another takes a transfer two steps.

use super::entry::{Entry, Said, Stated};
use crate::transfers::{Standing, TransferKey, TransferState};
use scrip::Micro;
use std::collections::{HashMap, HashSet};

/// A transfer that an entry may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) key: TransferKey,
    pub(super) amount: Micro,
    pub(super) currency: String,
    pub(super) standing: Standing,
    pub(super) place: Place,
    /// What banks have said of it already, with their references.
    pub(super) heard: Vec<(TransferState, String)>,
}

/// Where a transfer is, as seen from the confirmation's scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In a run of the scheme that has been exported.
    Here,
    /// In a run of the scheme that has not, in this state.
    NotExported(String),
    /// In a run of another scheme, with this code.
    Elsewhere(String),
}

/// What an entry comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The transfer becomes `sent` or `received`.
    Confirmed,
    /// The transfer becomes `failed`.
    Rejected,
    /// The bank has not decided yet; nothing happens.
    Pending,
    /// The transfer has got that far already; nothing happens.
    Already,
    /// An entry before it says the same of the same transfer.
    Duplicate,
    /// No transfer has the reference.
    Unmatched,
    /// The transfer is about another amount.
    WrongAmount,
    /// The transfer is in another currency.
    WrongCurrency,
    /// The transfer stands where the entry cannot be true: people have to look.
    Conflicting,
}

/// How bad an outcome is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It will be, or was, applied.
    Fine,
    /// Nothing is applied, and nothing needs to be done.
    Warning,
    /// Nothing is applied, and somebody has to look.
    Error,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 9] = [
        Self::Confirmed,
        Self::Rejected,
        Self::Pending,
        Self::Already,
        Self::Duplicate,
        Self::Unmatched,
        Self::WrongAmount,
        Self::WrongCurrency,
        Self::Conflicting,
    ];

    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Pending => "pending",
            Self::Already => "already",
            Self::Duplicate => "duplicate",
            Self::Unmatched => "unmatched",
            Self::WrongAmount => "wrong_amount",
            Self::WrongCurrency => "wrong_currency",
            Self::Conflicting => "conflicting",
        }
    }

    /// The outcome of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }

    /// How bad it is.
    pub fn severity(self) -> Severity {
        match self {
            Self::Confirmed | Self::Rejected => Severity::Fine,
            Self::Pending | Self::Already | Self::Duplicate => Severity::Warning,
            Self::Unmatched | Self::WrongAmount | Self::WrongCurrency | Self::Conflicting => Severity::Error,
        }
    }
}

impl Severity {
    /// As shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// An entry held against the transfers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Matched {
    pub(super) outcome: Outcome,
    /// The transfer that is meant, also where nothing happens to it.
    pub(super) transfer: Option<TransferKey>,
    /// For people: what is wrong, or what it belongs to.
    pub(super) hint: Option<String>,
    /// The step that follows from it.
    pub(super) step: Option<TransferState>,
}

/// Holds the entries against the transfers that their references name.
pub(super) fn match_entries<'e>(entries: impl IntoIterator<Item = &'e Entry>, mut named: HashMap<String, Candidate>) -> Vec<Matched> {
    let mut seen = HashSet::new();
    let mut matched = Vec::new();
    for entry in entries {
        let reference = entry.reference.as_deref().unwrap_or_default();
        let Some(candidate) = named.get_mut(reference) else {
            matched.push(unmatched(None, if reference.is_empty() { "it names no transfer" } else { "no transfer has this reference" }));
            continue;
        };
        let outcome = judge(entry, candidate, &mut seen);
        if let Some(next) = outcome.step.and_then(|to| candidate.standing.become_state(to)) {
            candidate.standing = next;
        }
        matched.push(outcome);
    }
    matched
}

fn judge(entry: &Entry, candidate: &Candidate, seen: &mut HashSet<(TransferKey, Said)>) -> Matched {
    let Candidate { key, amount, currency, standing, place, heard } = candidate;
    match place {
        Place::Here => (),
        Place::NotExported(state) => return unmatched(Some(*key), &format!("it is of run {}, which is {state} and not exported", key.run)),
        Place::Elsewhere(scheme) => return unmatched(Some(*key), &format!("it is of run {} of scheme {scheme}", key.run)),
    }
    let of_transfer = |outcome, hint: Option<String>, step| Matched { outcome, transfer: Some(*key), hint, step };
    let states_amount = entry.amount != Stated::Nothing;
    if entry.currency.as_ref().map_or(states_amount, |stated| stated != currency) {
        return of_transfer(Outcome::WrongCurrency, Some(format!("the transfer is in {currency}")), None);
    }
    let right = amount.display_at_least(scrip::money::MICRO_SCALE);
    match entry.amount {
        Stated::Amount(stated) if stated == *amount => (),
        Stated::Nothing if entry.said != Said::Received => (),
        Stated::Nothing => {
            return of_transfer(Outcome::WrongAmount, Some(format!("it states no amount; the transfer is of {right}")), None);
        }
        Stated::Unreadable => {
            return of_transfer(Outcome::WrongAmount, Some(format!("its amount cannot be read; the transfer is of {right}")), None);
        }
        Stated::Amount(_) => return of_transfer(Outcome::WrongAmount, Some(format!("the transfer is of {right}")), None),
    }
    let Some(to) = state_of(entry.said) else { return of_transfer(Outcome::Pending, None, None) };
    if !seen.insert((*key, entry.said)) {
        return of_transfer(Outcome::Duplicate, None, None);
    }
    let is_heard = entry.bank_reference.as_ref().is_some_and(|said| heard.iter().any(|(state, before)| *state == to && before == said));
    if is_heard || has_got_to(standing.state, to) {
        return of_transfer(Outcome::Already, Some(format!("the transfer is {}", standing.state)), None);
    }
    if standing.state == TransferState::Disputed || standing.become_state(to).is_none() {
        return of_transfer(Outcome::Conflicting, Some(format!("the transfer is {}", standing.state)), None);
    }
    of_transfer(if to == TransferState::Failed { Outcome::Rejected } else { Outcome::Confirmed }, None, Some(to))
}

fn unmatched(transfer: Option<TransferKey>, hint: &str) -> Matched {
    Matched { outcome: Outcome::Unmatched, transfer, hint: Some(hint.to_owned()), step: None }
}

fn state_of(said: Said) -> Option<TransferState> {
    match said {
        Said::Sent => Some(TransferState::Sent),
        Said::Received => Some(TransferState::Received),
        Said::Failed => Some(TransferState::Failed),
        Said::Pending => None,
    }
}

/// Whether a transfer in this state tells that it was in the other before, or is.
fn has_got_to(state: TransferState, to: TransferState) -> bool {
    match to {
        TransferState::Sent => matches!(state, TransferState::Sent | TransferState::Received),
        TransferState::Failed => matches!(state, TransferState::Failed | TransferState::Rolled | TransferState::WrittenOff),
        TransferState::Received => state == to,
        TransferState::Instructed
        | TransferState::Retried
        | TransferState::Rolled
        | TransferState::WrittenOff
        | TransferState::Disputed => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scrip::RunId;
    use uuid::Uuid;

    fn standing(steps: &str) -> Standing {
        let step = |standing: Standing, step| standing.become_state(TransferState::parse(step).unwrap()).unwrap();
        steps.split_whitespace().fold(Standing::FIRST, step)
    }

    fn candidate(number: i64, micro: i64, steps: &str) -> Candidate {
        let key = TransferKey { run: RunId::new(Uuid::nil()), number };
        Candidate {
            key,
            amount: Micro::new(micro),
            currency: "EUR".to_owned(),
            standing: standing(steps),
            place: Place::Here,
            heard: vec![],
        }
    }

    /// An entry such as `A sent 5`; a `!` before the amount is another currency, a `~` none, `?` is no amount stated, `x` is unreadable.
    fn entry(text: &str) -> Entry {
        let mut words = text.split_whitespace();
        let (reference, said, amount) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        Entry {
            line: 1,
            reference: Some(reference.to_owned()).filter(|reference| reference != "-"),
            amount: match amount {
                "?" => Stated::Nothing,
                "x" => Stated::Unreadable,
                amount => Stated::read(Some(amount.trim_start_matches(['!', '~']))),
            },
            currency: Some(if amount.starts_with('!') { "USD" } else { "EUR" }.to_owned()).filter(|_| !amount.starts_with('~')),
            said: Said::parse(said).unwrap(),
            reason: None,
            bank_reference: words.next().map(str::to_owned),
            booked_on: None,
        }
    }

    /// The outcomes of these entries, of which A is a transfer of 5 that has taken these steps.
    fn check(steps: &str, entries: &[&str], expected: &str) {
        let entries: Vec<Entry> = entries.iter().map(|text| entry(text)).collect();
        let named = HashMap::from([("A".to_owned(), candidate(1, 5_000_000, steps))]);
        let outcomes: Vec<&str> = match_entries(&entries, named).iter().map(|matched| matched.outcome.as_str()).collect();
        assert_eq!(outcomes.join(" "), expected, "{steps}: {entries:?}");
    }

    #[test]
    fn a_good_entry_takes_its_transfer_a_step_further() {
        check("", &["A sent 5"], "confirmed");
        check("", &["A sent 5", "A received 5"], "confirmed confirmed");
        check("sent", &["A received 5.00"], "confirmed");
        check("", &["A failed 5"], "rejected");
        check("sent", &["A failed 5"], "rejected");
        check("failed retried", &["A received 5"], "confirmed");
    }

    #[test]
    fn what_is_said_again_changes_nothing() {
        check("", &["A sent 5", "A sent 5"], "confirmed duplicate");
        check("sent received", &["A sent 5", "A received 5"], "already already");
        check("", &["A received 5", "A sent 5"], "confirmed already");
        check("failed rolled", &["A failed 5"], "already");
        check("", &["A pending 5", "A pending 5"], "pending pending");
    }

    #[test]
    fn an_old_rejection_does_not_fail_a_retry() {
        let heard = vec![(TransferState::Failed, "B1".to_owned())];
        let named = HashMap::from([("A".to_owned(), Candidate { heard, ..candidate(1, 5_000_000, "failed retried") })]);
        let outcomes = |text: &str| match_entries(&[entry(text)], named.clone()).first().unwrap().outcome;
        assert_eq!((outcomes("A failed 5 B1"), outcomes("A failed 5 B2")), (Outcome::Already, Outcome::Rejected));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        check("", &["B sent 5", "- sent 5"], "unmatched unmatched");
        check("", &["A sent 5.01"], "wrong_amount");
        check("", &["A sent x"], "wrong_amount");
        check("", &["A sent ?", "A received ?"], "confirmed wrong_amount");
        check("", &["A sent !5", "A sent ~5", "A sent 5"], "wrong_currency wrong_currency confirmed");
    }

    #[test]
    fn what_cannot_be_true_is_for_people() {
        check("sent received", &["A failed 5"], "conflicting");
        check("failed rolled", &["A received 5"], "conflicting");
        check("failed", &["A received 5"], "conflicting");
        check("disputed", &["A sent 5"], "conflicting");
        check("sent disputed", &["A sent 5", "A received 5"], "conflicting conflicting");
    }

    #[test]
    fn what_belongs_elsewhere_says_where() {
        for (place, hint) in [
            (Place::NotExported("approved".to_owned()), "which is approved and not exported"),
            (Place::Elsewhere("DOLLAR".to_owned()), "of scheme DOLLAR"),
        ] {
            let named = HashMap::from([("A".to_owned(), Candidate { place, ..candidate(1, 5_000_000, "") })]);
            let matched = match_entries(&[entry("A sent 5")], named);
            let Some(Matched { outcome: Outcome::Unmatched, hint: Some(said), step: None, .. }) = matched.first() else {
                panic!("{matched:?}")
            };
            assert!(said.contains(hint), "{said}");
        }
    }

    #[test]
    fn an_outcome_has_one_name() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
        }
    }
}
