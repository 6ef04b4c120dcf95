//! What an entry means that names no transfer of ours: who has said so, and whether it may be said. Pure.

use super::ConfirmationRefusal;
use super::entry::{Entry, Stated};
use super::matching::{Assigned, Candidate, Place, sum};
use crate::ids::reference;
use crate::transfers::TransferKey;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The most transfers that an entry means.
pub const REFERENCES_MAX: usize = 1_000;

/// What somebody says that an entry means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Who.
    pub assigned_by: String,
    /// When.
    pub assigned_at: Timestamp,
    /// The transfers, by run and number; and, once the entry is applied, the step that it made of each.
    pub transfers: Vec<(TransferKey, Option<i32>)>,
}

impl Assignment {
    /// What the transfers are called.
    pub(super) fn references(&self) -> Vec<String> {
        self.transfers.iter().map(|(key, _)| reference(key.run, key.number)).collect()
    }
}

/// The references of all assignments, as entries are judged by them.
pub(super) fn to_assigned(assignments: &BTreeMap<i32, Assignment>) -> Assigned {
    assignments.iter().map(|(number, assignment)| (*number, assignment.references())).collect()
}

/// The references that somebody lists, each once.
pub(super) fn read(references: &[String]) -> Result<BTreeSet<&str>, ConfirmationRefusal> {
    if !(1..=REFERENCES_MAX).contains(&references.len()) {
        return Err(ConfirmationRefusal::ReferencesOutOfRange);
    }
    let mut read = BTreeSet::new();
    match references.iter().find(|reference| !read.insert(reference.as_str())) {
        Some(twice) => Err(ConfirmationRefusal::ReferenceNamedTwice { reference: twice.clone() }),
        None => Ok(read),
    }
}

/// The transfers that the entry is said to mean, if it may mean them. `known` are those that the references name, and the entry's own.
pub(super) fn judge(
    entry: &Entry,
    references: &BTreeSet<&str>,
    known: &HashMap<String, Candidate>,
) -> Result<Vec<TransferKey>, ConfirmationRefusal> {
    if let Some(reference) = entry.reference.as_ref().filter(|reference| known.contains_key(*reference)) {
        return Err(ConfirmationRefusal::EntryNamesTransfer { reference: reference.clone() });
    }
    let Stated::Amount(amount) = entry.amount else { return Err(ConfirmationRefusal::EntryWithoutAmount) };
    let find = |reference: &&str| match known.get(*reference) {
        Some(candidate) => judge_transfer(entry, reference, candidate).map(|()| candidate),
        None => Err(ConfirmationRefusal::TransferNotFound { reference: (*reference).to_owned() }),
    };
    let meant: Vec<&Candidate> = references.iter().map(find).collect::<Result<_, _>>()?;
    match sum(meant.iter().map(|candidate| candidate.amount)) {
        Some(sum) if sum == amount => Ok(meant.iter().map(|candidate| candidate.key).collect()),
        sum => Err(ConfirmationRefusal::SumDiffers { amount, sum }),
    }
}

fn judge_transfer(entry: &Entry, reference: &str, Candidate { currency, place, .. }: &Candidate) -> Result<(), ConfirmationRefusal> {
    let reference = || reference.to_owned();
    match place {
        Place::Elsewhere(scheme) => {
            return Err(ConfirmationRefusal::TransferOfOtherScheme { reference: reference(), scheme: scheme.clone() });
        }
        Place::NotExported(state) => {
            return Err(ConfirmationRefusal::RunNotUnderSettlement { reference: reference(), state: state.clone() });
        }
        Place::Settled => return Err(ConfirmationRefusal::RunNotUnderSettlement { reference: reference(), state: "settled".to_owned() }),
        Place::Here => (),
    }
    if entry.currency.as_ref() == Some(currency) {
        Ok(())
    } else {
        Err(ConfirmationRefusal::CurrencyDiffers { reference: reference(), currency: currency.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Said;
    use super::*;
    use crate::transfers::Standing;
    use scrip::{Micro, RunId};
    use uuid::Uuid;

    /// Transfers of 5 and of 2, and three that are not to be confirmed here.
    fn known() -> HashMap<String, Candidate> {
        let candidate = |(number, (name, amount, place)): (i64, (&str, i64, Place))| {
            let key = TransferKey { run: RunId::new(Uuid::nil()), number };
            let (currency, amount) = ("EUR".to_owned(), Micro::new(amount));
            (
                name.to_owned(),
                Candidate {
                    key,
                    amount,
                    currency,
                    standing: Standing::FIRST,
                    place,
                    heard: vec![],
                    payer_account: None,
                    payee_account: None,
                },
            )
        };
        let places = [
            ("A", 5_000_000, Place::Here),
            ("B", 2_000_000, Place::Here),
            ("SETTLED", 1, Place::Settled),
            ("APPROVED", 1, Place::NotExported("approved".to_owned())),
            ("ELSEWHERE", 1, Place::Elsewhere("DOLLAR".to_owned())),
            ("HUGE", i64::MAX, Place::Here),
        ];
        (1..).zip(places).map(candidate).collect()
    }

    fn entry(reference: Option<&str>, amount: Option<&str>, currency: &str) -> Entry {
        Entry {
            line: 1,
            reference: reference.map(str::to_owned),
            amount: Stated::read(amount),
            currency: Some(currency.to_owned()),
            said: Said::Sent,
            reason: None,
            bank_reference: None,
            booked_on: None,
            account: None,
        }
    }

    fn said(entry: &Entry, references: &[&str]) -> String {
        match judge(entry, &references.iter().copied().collect(), &known()) {
            Ok(keys) => keys.iter().map(|key| key.number.to_string()).collect::<Vec<_>>().join(" "),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn an_entry_means_transfers_that_sum_to_its_amount() {
        assert_eq!(said(&entry(None, Some("5"), "EUR"), &["A"]), "1");
        assert_eq!(said(&entry(Some("INVOICE 7"), Some("7.00"), "EUR"), &["B", "A"]), "1 2");
        assert_eq!(said(&entry(None, Some("7"), "EUR"), &["A"]), "the entry is of 7.000000, and the transfers sum to 5.000000");
        assert_eq!(
            said(&entry(None, Some("7"), "EUR"), &["A", "HUGE"]),
            "the entry is of 7.000000, and the transfers sum to more than an amount can be"
        );
        assert_eq!(said(&entry(None, Some("5"), "USD"), &["A"]), "A is in EUR, and the entry is not");
    }

    #[test]
    fn what_names_a_transfer_or_no_amount_is_not_assigned() {
        assert_eq!(said(&entry(Some("B"), Some("5"), "EUR"), &["A"]), "the entry names the transfer B by itself");
        for amount in [None, Some("0.00")] {
            assert_eq!(said(&entry(None, amount, "EUR"), &["A"]), "the entry states no amount that can be read");
        }
    }

    #[test]
    fn only_transfers_of_the_scheme_under_settlement_are_assigned() {
        let of = |reference| said(&entry(None, Some("5"), "EUR"), &[reference]);
        assert_eq!(of("C"), "C is no transfer");
        assert_eq!(of("SETTLED"), "SETTLED is of a run that is settled: transfers take steps while their run is exported or settling");
        assert_eq!(of("APPROVED"), "APPROVED is of a run that is approved: transfers take steps while their run is exported or settling");
        assert_eq!(of("ELSEWHERE"), "ELSEWHERE is of the scheme DOLLAR");
    }

    #[test]
    fn a_list_has_its_bounds_and_names_each_once() {
        let list = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(read(&list(0)), Err(ConfirmationRefusal::ReferencesOutOfRange));
        assert_eq!(read(&list(1_001)), Err(ConfirmationRefusal::ReferencesOutOfRange));
        assert_eq!(read(&list(1_000)).map(|read| read.len()), Ok(1_000));
        let twice = ["A", "B", "A"].map(str::to_owned);
        assert_eq!(read(&twice), Err(ConfirmationRefusal::ReferenceNamedTwice { reference: "A".to_owned() }));
    }
}
