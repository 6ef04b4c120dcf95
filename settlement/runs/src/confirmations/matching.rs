//! What each entry of a confirmation comes to, held against the transfers as they stand. Pure.
//!
//! Entries are taken in their order, each as if those before it had been applied: a statement that shows money leave one account and come
//! to another takes a transfer two steps.
//!
//! An entry means the transfer that its reference names, or those that people assigned to it; either way it is judged here. One that means
//! several moves all of them that have not got so far, or none.

use super::entry::{Entry, Said, Stated};
use super::outcome::{Outcome, Severity};
use crate::ids::reference;
use crate::transfers::{Standing, TransferKey, TransferState};
use scrip::Micro;
use scrip::money::MICRO_SCALE;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The references that people assigned to entries, by the entry's number.
pub(super) type Assigned = BTreeMap<i32, Vec<String>>;

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
    /// The IBANs that its payer and its payee have now, as far as they gave one.
    pub(super) payer_account: Option<String>,
    pub(super) payee_account: Option<String>,
}

/// Where a transfer is, as seen from the confirmation's scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In a run of the scheme that is under settlement.
    Here,
    /// In a run of the scheme that is settled.
    Settled,
    /// In a run of the scheme that has not, in this state.
    NotExported(String),
    /// In a run of another scheme, with this code.
    Elsewhere(String),
}

/// What an entry means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Means {
    /// No transfer that is known.
    Nothing,
    /// The transfer that its reference names.
    Named(TransferKey),
    /// The transfers that people assigned to it.
    Assigned(Vec<TransferKey>),
}

impl Means {
    /// What it names by itself.
    pub(super) fn named(&self) -> Option<TransferKey> {
        match self {
            Self::Named(transfer) => Some(*transfer),
            Self::Nothing | Self::Assigned(_) => None,
        }
    }
}

/// An entry held against the transfers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Matched {
    pub(super) outcome: Outcome,
    /// Also where nothing happens to them.
    pub(super) means: Means,
    /// For people: what is wrong, or what it belongs to.
    pub(super) hint: Option<String>,
    /// The step that follows from it.
    pub(super) step: Option<TransferState>,
    /// Those of the transfers that take it: who has got that far already does not.
    pub(super) takers: Vec<TransferKey>,
}

/// Holds the entries against the transfers that they mean: `known` are those of all references, named or assigned.
pub(super) fn match_entries<'e>(
    entries: impl IntoIterator<Item = &'e Entry>,
    assigned: &Assigned,
    mut known: HashMap<String, Candidate>,
) -> Vec<Matched> {
    let mut seen = HashSet::new();
    let mut matched = Vec::new();
    for (number, entry) in (1..).zip(entries) {
        let references = assigned.get(&number).map_or(entry.reference.as_slice(), Vec::as_slice);
        let meant: Vec<&Candidate> = references.iter().filter_map(|reference| known.get(reference)).collect();
        let means = match (assigned.contains_key(&number), meant.first()) {
            (true, _) => Means::Assigned(meant.iter().map(|candidate| candidate.key).collect()),
            (false, Some(candidate)) => Means::Named(candidate.key),
            (false, None) => Means::Nothing,
        };
        let Judgement { outcome, hint, step, takers } = judge(entry, &meant, &mut seen);
        for reference in references {
            if let Some((candidate, to)) = known.get_mut(reference).filter(|candidate| takers.contains(&candidate.key)).zip(step) {
                candidate.standing = candidate.standing.become_state(to).unwrap_or(candidate.standing);
            }
        }
        matched.push(Matched { outcome, means, hint, step, takers });
    }
    matched
}

struct Judgement {
    outcome: Outcome,
    hint: Option<String>,
    step: Option<TransferState>,
    takers: Vec<TransferKey>,
}

impl Judgement {
    fn still(outcome: Outcome, hint: impl Into<Option<String>>) -> Self {
        Self { outcome, hint: hint.into(), step: None, takers: Vec::new() }
    }
}

fn judge(entry: &Entry, meant: &[&Candidate], seen: &mut HashSet<(TransferKey, Said)>) -> Judgement {
    if meant.is_empty() {
        let hint = if entry.reference.is_none() { "it names no transfer" } else { "no transfer has this reference" };
        return Judgement::still(Outcome::Unmatched, hint.to_owned());
    }
    if let Some(hint) = meant.iter().find_map(|candidate| elsewhere(candidate)) {
        return Judgement::still(Outcome::Unmatched, hint);
    }
    let subject = if meant.len() == 1 { "the transfer is" } else { "the transfers are" };
    let states_amount = entry.amount != Stated::Nothing;
    let is_other = |candidate: &&&Candidate| entry.currency.as_ref().map_or(states_amount, |stated| *stated != candidate.currency);
    if let Some(other) = meant.iter().find(is_other) {
        return Judgement::still(Outcome::WrongCurrency, format!("{subject} in {}", other.currency));
    }
    let right = sum(meant.iter().map(|candidate| candidate.amount));
    let wrong = |why: &str| Judgement::still(Outcome::WrongAmount, format!("{why}{subject} of {}", show(right)));
    match entry.amount {
        Stated::Amount(stated) if Some(stated) == right => (),
        Stated::Nothing if entry.said != Said::Received => (),
        Stated::Nothing => return wrong("it states no amount; "),
        Stated::Unreadable => return wrong("its amount cannot be read; "),
        Stated::Amount(_) => return wrong(""),
    }
    let Some(to) = state_of(entry.said) else { return Judgement::still(Outcome::Pending, None) };
    if let Some(hint) = meant.iter().find_map(|candidate| on_wrong_account(entry, candidate)) {
        return Judgement::still(Outcome::Conflicting, hint.to_owned());
    }
    let each: Vec<Outcome> = meant.iter().map(|candidate| judge_step(entry, candidate, to, seen)).collect();
    let outcome = weigh(&each);
    // What moves nothing and is for people to look at does not stand in the way of what comes after it.
    if outcome != Outcome::Conflicting {
        seen.extend(meant.iter().map(|candidate| (candidate.key, entry.said)));
    }
    let hint = meant.iter().zip(&each).find_map(|(candidate, own)| in_the_way(candidate, *own, meant.len()));
    let takers = meant.iter().zip(each).filter(|(_, own)| *own == outcome && outcome.severity() == Severity::Fine);
    let takers: Vec<TransferKey> = takers.map(|(candidate, _)| candidate.key).collect();
    Judgement { outcome, hint, step: (!takers.is_empty()).then_some(to), takers }
}

/// Why the transfer is not for this scheme's confirmations, if it is not.
fn elsewhere(Candidate { key, place, .. }: &Candidate) -> Option<String> {
    match place {
        Place::Here | Place::Settled => None,
        Place::NotExported(state) => Some(format!("it is of run {}, which is {state} and not exported", key.run)),
        Place::Elsewhere(scheme) => Some(format!("it is of run {} of scheme {scheme}", key.run)),
    }
}

/// Why the account that the entry is seen on is not the one on which the transfer would be seen so, if it is known to be the other.
fn on_wrong_account(entry: &Entry, Candidate { payer_account, payee_account, .. }: &Candidate) -> Option<&'static str> {
    let account = entry.account.as_ref()?;
    let [is_payers, is_payees] = [payer_account, payee_account].map(|known| known.as_ref() == Some(account));
    match entry.said {
        Said::Received if is_payers && !is_payees => Some("it is a credit to the payer's account: the money may have come back"),
        Said::Sent if is_payees && !is_payers => Some("it is a debit of the payee's account"),
        Said::Sent | Said::Received | Said::Failed | Said::Pending => None,
    }
}

/// What the entry comes to for one of the transfers that it means.
fn judge_step(entry: &Entry, candidate: &Candidate, to: TransferState, seen: &HashSet<(TransferKey, Said)>) -> Outcome {
    let Candidate { key, standing, heard, .. } = candidate;
    let is_heard = || entry.bank_reference.as_ref().is_some_and(|said| heard.iter().any(|(state, before)| *state == to && before == said));
    if seen.contains(&(*key, entry.said)) {
        Outcome::Duplicate
    } else if has_got_to(standing.state, to) || is_heard() {
        Outcome::Already
    } else if !may_take(*standing, to) {
        Outcome::Conflicting
    } else if to == TransferState::Failed {
        Outcome::Rejected
    } else {
        Outcome::Confirmed
    }
}

/// What comes of all: what each comes to, if that is the same; the step, where all others have got that far already; nothing new where nothing is to be
/// done for any; else people have to look.
fn weigh(each: &[Outcome]) -> Outcome {
    let is_fine = |outcome: &&Outcome| outcome.severity() == Severity::Fine;
    match (each.first(), each.iter().find(is_fine)) {
        (Some(first), _) if each.iter().all(|outcome| outcome == first) => *first,
        (_, Some(fine)) if each.iter().all(|outcome| outcome == fine || *outcome == Outcome::Already) => *fine,
        (_, None) if each.iter().all(|outcome| outcome.severity() == Severity::Warning) => Outcome::Already,
        _ => Outcome::Conflicting,
    }
}

/// What keeps the transfer, one of so many, from taking the step, if something does.
fn in_the_way(Candidate { key, standing, .. }: &Candidate, own: Outcome, count: usize) -> Option<String> {
    let name = reference(key.run, key.number);
    match (own.severity(), own == Outcome::Duplicate, count) {
        (Severity::Fine, ..) | (_, true, 1) => None,
        (_, true, _) => Some(format!("an entry before it says the same of {name}")),
        (_, false, 1) => Some(format!("the transfer is {}", standing.state)),
        (_, false, _) => Some(format!("{name} is {}", standing.state)),
    }
}

/// Whether a bank's word may take a transfer there: a dispute ends between payer and payee.
pub(super) fn may_take(standing: Standing, to: TransferState) -> bool {
    standing.state != TransferState::Disputed && standing.become_state(to).is_some()
}

/// What they come to; none where no amount is so large.
pub(super) fn sum(mut amounts: impl Iterator<Item = Micro>) -> Option<Micro> {
    amounts.try_fold(Micro::ZERO, Micro::checked_add)
}

/// An amount for people; none is a sum that is none.
pub(super) fn show(amount: Option<Micro>) -> String {
    amount.map_or_else(|| "more than an amount can be".to_owned(), |amount| amount.display_at_least(MICRO_SCALE))
}

/// The state that the bank says a transfer has come to.
pub(super) fn state_of(said: Said) -> Option<TransferState> {
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
            payer_account: Some("PAYER".to_owned()),
            payee_account: Some("PAYEE".to_owned()),
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
            account: None,
        }
    }

    /// The outcomes of these entries, of which A is a transfer of 5 that has taken these steps.
    fn check(steps: &str, entries: &[&str], expected: &str) {
        let entries: Vec<Entry> = entries.iter().map(|text| entry(text)).collect();
        let named = HashMap::from([("A".to_owned(), candidate(1, 5_000_000, steps))]);
        let outcomes: Vec<&str> = match_entries(&entries, &Assigned::new(), named).iter().map(|matched| matched.outcome.as_str()).collect();
        assert_eq!(outcomes.join(" "), expected, "{steps}: {entries:?}");
    }

    /// The outcomes of these entries, with their hints, where `-` was assigned A, a transfer of 5, and B, one of 2.
    fn check_assigned(steps: [&str; 2], entries: &[&str], expected: &[&str]) {
        let entries: Vec<Entry> = entries.iter().map(|text| entry(text)).collect();
        let nameless = (1..).zip(&entries).filter(|(_, entry)| entry.reference.is_none());
        let assigned: Assigned = nameless.map(|(number, _)| (number, vec!["A".to_owned(), "B".to_owned()])).collect();
        let (a, b) = (candidate(1, 5_000_000, steps[0]), candidate(2, 2_000_000, steps[1]));
        let known = HashMap::from([("A".to_owned(), a), ("B".to_owned(), b)]);
        let shown = match_entries(&entries, &assigned, known).into_iter().map(|Matched { outcome, means, hint, step, takers }| {
            assert!(matches!(means, Means::Named(_)) || matches!(means, Means::Assigned(both) if both.len() == 2));
            assert_eq!(step.is_some(), outcome.severity() == Severity::Fine);
            assert_eq!(step.is_some(), !takers.is_empty());
            hint.map_or(outcome.as_str().to_owned(), |hint| format!("{}: {hint}", outcome.as_str()))
        });
        assert_eq!(shown.collect::<Vec<_>>(), expected, "{steps:?}: {entries:?}");
    }

    #[test]
    fn an_entry_that_means_several_moves_all_that_have_not_got_so_far_or_none() {
        check_assigned(["", ""], &["- sent 7", "- received 7"], &["confirmed", "confirmed"]);
        check_assigned(["sent", "failed retried"], &["- failed 7"], &["rejected"]);
        check_assigned(["", "sent"], &["- sent 7", "- received 7"], &["confirmed: SH-000000000000-2 is sent", "confirmed"]);
        check_assigned(["", "sent received"], &["- sent 7", "- received 7"], &["confirmed: SH-000000000000-2 is received"; 2]);
        check_assigned(["", "failed"], &["- sent 7"], &["conflicting: SH-000000000000-2 is failed"]);
        check_assigned(["disputed", ""], &["- sent 7"], &["conflicting: SH-000000000000-1 is disputed"]);
        check_assigned(["", ""], &["- pending 7"], &["pending"]);
        check_assigned(["", ""], &["- sent 6"], &["wrong_amount: the transfers are of 7.000000"]);
        check_assigned(["", ""], &["- sent !7"], &["wrong_currency: the transfers are in EUR"]);
    }

    #[test]
    fn a_transfer_takes_a_step_once_however_it_is_meant() {
        check_assigned(
            ["", ""],
            &["A sent 5", "- sent 7"],
            &["confirmed", "conflicting: an entry before it says the same of SH-000000000000-1"],
        );
        check_assigned(["", ""], &["- sent 7", "B sent 2"], &["confirmed", "duplicate"]);
        check_assigned(
            ["", ""],
            &["- sent 7", "- sent 7"],
            &["confirmed", "duplicate: an entry before it says the same of SH-000000000000-1"],
        );
        check_assigned(["sent", "received"], &["- sent 7"], &["already: SH-000000000000-1 is sent"]);
        check_assigned(["sent", ""], &["B sent 2", "- sent 7"], &["confirmed", "already: SH-000000000000-1 is sent"]);
        // What was conflicting as a whole leaves its transfers to those that name them.
        check_assigned(["disputed", ""], &["- sent 7", "B sent 2"], &["conflicting: SH-000000000000-1 is disputed", "confirmed"]);
        check_assigned(["sent", ""], &["- sent 7", "B sent 2"], &["confirmed: SH-000000000000-1 is sent", "duplicate"]);
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
        let outcomes = |text: &str| match_entries(&[entry(text)], &Assigned::new(), named.clone()).first().unwrap().outcome;
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
    fn money_that_is_seen_on_the_other_account_is_for_people() {
        for (said, account, expected) in [
            ("sent", Some("PAYER"), Outcome::Confirmed),
            ("sent", Some("PAYEE"), Outcome::Conflicting),
            ("received", Some("PAYEE"), Outcome::Confirmed),
            ("received", Some("PAYER"), Outcome::Conflicting),
            ("failed", Some("PAYER"), Outcome::Rejected),
            ("received", Some("UNKNOWN"), Outcome::Confirmed),
            ("received", None, Outcome::Confirmed),
        ] {
            let entry = Entry { account: account.map(str::to_owned), ..entry(&format!("A {said} 5")) };
            let named = HashMap::from([("A".to_owned(), candidate(1, 5_000_000, ""))]);
            assert_eq!(match_entries(&[entry], &Assigned::new(), named).first().unwrap().outcome, expected, "{said} {account:?}");
        }
        let own = Candidate { payee_account: Some("PAYER".to_owned()), ..candidate(1, 5_000_000, "") };
        let entry = Entry { account: Some("PAYER".to_owned()), ..entry("A received 5") };
        let matched = match_entries(&[entry], &Assigned::new(), HashMap::from([("A".to_owned(), own)]));
        assert_eq!(matched.first().unwrap().outcome, Outcome::Confirmed, "both have one account");
    }

    #[test]
    fn what_belongs_elsewhere_says_where() {
        for (place, hint) in [
            (Place::NotExported("approved".to_owned()), "which is approved and not exported"),
            (Place::Elsewhere("DOLLAR".to_owned()), "of scheme DOLLAR"),
        ] {
            let named = HashMap::from([("A".to_owned(), Candidate { place, ..candidate(1, 5_000_000, "") })]);
            let matched = match_entries(&[entry("A sent 5")], &Assigned::new(), named);
            let Some(Matched { outcome: Outcome::Unmatched, hint: Some(said), step: None, .. }) = matched.first() else {
                panic!("{matched:?}")
            };
            assert!(said.contains(hint), "{said}");
        }
    }
}
