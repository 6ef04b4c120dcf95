//! What a writer remembers of the terms that its batches were decided on.
//!
//! Vendors and rates change seldom, so a batch reads only those that the writer has not met, and the number that every change of terms
//! makes grow ([`crate::change_terms`]). The same number: all that is remembered is still so. Another one, or an instant at which
//! something remembered ends or begins: the writer forgets everything and reads anew, in the same tx. Windows are read in each batch.
//! What vendors owe over closed windows is remembered like terms: it changes only when a window closes, which the next batch sees, or with the
//! steps of runs and transfers, which are changes of terms where they count.
//!
//! It also serves to forecast what a batch will change. A forecast decides nothing: where it was wrong it is corrected before the commit.

use super::Request;
use super::store::{Forecast as Changes, TermsRead};
use jiff::{SignedDuration, Timestamp};
use scrip::posting::{Exposure, ExposureKey, Posting, Terms, forecast};
use scrip::{SchemeId, VendorId};
use std::collections::{BTreeSet, HashMap, HashSet};

/// More remembered pairs than this, and the memory begins anew.
const PAIRS_MAX: usize = 100_000;

/// Remembered no longer than this: what somebody changes by hand, without telling, reaches the writer then.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_secs(60);

type Pair = (VendorId, VendorId);

/// The terms of everything that the writer has met lately.
#[derive(Debug, Default)]
pub(super) struct Memory {
    known: Option<Known>,
}

/// What is remembered.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) terms: Terms,
    /// What capped vendors owe and are owed over windows that are closed and not settled.
    pub(super) closed: HashMap<ExposureKey, Exposure>,
    /// Those whose rate is known; that of some is that they have none.
    pairs: HashSet<Pair>,
    version: i64,
    since: Timestamp,
    until: Timestamp,
}

/// What a batch needs to know.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Of the batch's vendors, those that are not remembered.
    pub(super) vendors: Vec<VendorId>,
    /// Of its pairs likewise.
    pub(super) pairs: Vec<Pair>,
    /// The schemes of the vendors that are remembered.
    pub(super) schemes: BTreeSet<SchemeId>,
}

/// What a batch is expected to change.
pub(super) struct Forecast {
    /// Every account of the batch; without a guess, each unchanged.
    pub(super) changes: Changes,
    /// Whether anything may change.
    pub(super) is_guess: bool,
}

impl Memory {
    /// What the postings need that is to be read, and where they settle.
    pub(super) fn wanted<'p>(&mut self, postings: impl Iterator<Item = &'p Posting> + Clone) -> Wanted {
        self.known.take_if(|known| known.pairs.len() >= PAIRS_MAX);
        let vendors: BTreeSet<VendorId> = postings.clone().flat_map(Posting::vendors).collect();
        let pairs: BTreeSet<Pair> = postings.filter_map(Posting::pair).collect();
        let Some(Known { terms, pairs: known_pairs, .. }) = &self.known else {
            return Wanted { vendors: vendors.into_iter().collect(), pairs: pairs.into_iter().collect(), schemes: BTreeSet::new() };
        };
        let mut wanted = Wanted::default();
        for vendor in vendors {
            match terms.vendors.get(&vendor) {
                Some(known) => wanted.schemes.extend(known.scheme),
                None => wanted.vendors.push(vendor),
            }
        }
        wanted.pairs = pairs.into_iter().filter(|pair| !known_pairs.contains(pair)).collect();
        wanted
    }

    /// Whether what is remembered was still so when this was read, and nothing changed while it was.
    pub(super) fn still_holds(&self, read: &TermsRead) -> bool {
        read.version == read.version_at_lock && self.known.as_ref().is_none_or(|known| known.holds(read))
    }

    /// Begins anew: everything is wanted again.
    pub(super) fn forget(&mut self) {
        self.known = None;
    }

    /// Adds what was read to what is remembered, which still holds.
    pub(super) fn learn(&mut self, read: TermsRead, now: Timestamp) -> &mut Known {
        let known = self.known.get_or_insert_with(|| Known::nothing(&read, now));
        known.add(read, now);
        known
    }

    /// What the requests would change by these terms.
    pub(super) fn forecast(&self, requests: &[Request]) -> Forecast {
        let postings = requests.iter().map(|request| &request.posting);
        match &self.known {
            Some(known) => Forecast { changes: forecast(postings, &known.terms), is_guess: true },
            None => {
                let keys = postings.flat_map(|posting| posting.accounts());
                Forecast { changes: keys.map(|key| (key, Default::default())).collect(), is_guess: false }
            }
        }
    }
}

impl Known {
    fn nothing(read: &TermsRead, now: Timestamp) -> Self {
        let booked_at = read.booked_at;
        Self {
            terms: Terms {
                booked_at,
                now,
                vendors: Default::default(),
                rates: Default::default(),
                caps: Default::default(),
                windows: Default::default(),
                window_totals: Default::default(),
            },
            closed: HashMap::new(),
            pairs: HashSet::new(),
            version: read.version,
            since: booked_at,
            until: booked_at.checked_add(REMEMBERED_FOR).unwrap_or(Timestamp::MAX),
        }
    }

    /// Whether this is still in force. A database whose clock went back is at an instant that nothing is known of.
    fn holds(&self, read: &TermsRead) -> bool {
        self.version == read.version && (self.since..self.until).contains(&read.booked_at)
    }

    fn add(&mut self, read: TermsRead, now: Timestamp) {
        let TermsRead { booked_at, version: _, version_at_lock: _, windows, window_totals, vendors, pairs, caps } = read;
        if windows.iter().any(|(scheme, window)| self.terms.windows.get(scheme) != Some(window)) {
            self.closed.clear();
        }
        for (vendor, terms, next_at) in vendors {
            // One that has joined a scheme since the windows were read: that scheme's window may close at any time.
            terms.scheme.map(|scheme| self.terms.windows.remove(&scheme));
            self.terms.vendors.insert(vendor, terms);
            self.until = next_at.map_or(self.until, |at| at.min(self.until));
        }
        for (pair, rate, next_at) in pairs {
            self.pairs.insert(pair);
            self.terms.rates.extend(rate.map(|rate| (pair, rate)));
            self.until = next_at.map_or(self.until, |at| at.min(self.until));
        }
        self.terms.caps.extend(caps);
        self.terms.windows.extend(windows);
        self.terms.window_totals = window_totals;
        (self.terms.booked_at, self.terms.now) = (booked_at, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scrip::UnitValue;
    use scrip::posting::{Issue, Switches, VendorTerms};
    use scrip::{OperationId, Tokens, UserId, WindowId};
    use uuid::Uuid;

    const VENDOR: VendorId = VendorId::new(Uuid::from_u128(1));
    const SCHEME: SchemeId = SchemeId::new(Uuid::from_u128(2));

    fn issues() -> [Posting; 1] {
        let (user, operation) = (UserId::new(Uuid::from_u128(3)), OperationId::new(Uuid::from_u128(4)));
        [Posting::Issue(Issue { operation, vendor: VENDOR, user, amount: Tokens::new(5) })]
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// What the database says at a second; with the vendor, if that is read too.
    fn read(second: i64, version: i64, vendor: Option<Option<Timestamp>>) -> TermsRead {
        let switches = Switches { issue: true, convert_out: true, convert_in: true };
        let terms = VendorTerms { active: true, switches, unit_value: UnitValue::try_new(1), scheme: Some(SCHEME) };
        TermsRead {
            booked_at: at(second),
            version,
            version_at_lock: version,
            windows: [(SCHEME, WindowId::new(Uuid::from_u128(6)))].into(),
            window_totals: Default::default(),
            vendors: vendor.map(|next_at| (VENDOR, terms, next_at)).into_iter().collect(),
            pairs: Vec::new(),
            caps: Default::default(),
        }
    }

    /// A memory that has met the vendor in second 100, when its next unit value was to begin then.
    fn memory(next_at: Option<Timestamp>) -> Memory {
        let mut memory = Memory::default();
        assert_eq!(memory.wanted(issues().iter()).vendors, [VENDOR], "it knows nothing yet");
        memory.learn(read(100, 7, Some(next_at)), at(0));
        memory
    }

    fn remembers(mut memory: Memory, then: TermsRead) -> bool {
        let wanted = memory.wanted(issues().iter());
        assert!(wanted.vendors.is_empty() && wanted.schemes == [SCHEME].into());
        memory.still_holds(&then)
    }

    #[test]
    fn what_was_read_is_not_read_again() {
        assert!(remembers(memory(None), read(101, 7, None)));
    }

    #[test]
    fn a_change_of_terms_is_not_missed() {
        assert!(!remembers(memory(None), read(101, 8, None)));
    }

    #[test]
    fn what_changed_while_it_was_read_is_read_again() {
        let changing = TermsRead { version_at_lock: 6, ..read(101, 7, None) };
        assert!(!Memory::default().still_holds(&changing) && !memory(None).still_holds(&changing));
    }

    #[test]
    fn a_window_that_was_not_read_is_not_known() {
        let mut memory = memory(None);
        let late = TermsRead { windows: Default::default(), ..read(101, 7, Some(None)) };
        assert!(memory.learn(late, at(0)).terms.windows.is_empty());
    }

    #[test]
    fn what_closed_windows_hold_is_forgotten_when_another_closes() {
        let mut memory = memory(None);
        let closed = |known: &Known| known.closed.contains_key(&ExposureKey::of(VENDOR));
        let known = memory.learn(read(101, 7, None), at(0));
        known.closed.insert(ExposureKey::of(VENDOR), Exposure::default());
        assert!(closed(memory.learn(read(102, 7, None), at(0))));
        // Also where the vendor was read again with it.
        let next = TermsRead { windows: [(SCHEME, WindowId::new(Uuid::from_u128(7)))].into(), ..read(103, 7, Some(None)) };
        assert!(!closed(memory.learn(next, at(0))));
    }

    #[test]
    fn what_begins_later_is_in_force_from_its_instant_on() {
        assert!(remembers(memory(Some(at(110))), read(109, 7, None)));
        assert!(!remembers(memory(Some(at(110))), read(110, 7, None)));
    }

    #[test]
    fn nothing_is_remembered_for_ever_nor_before_it_was_read() {
        assert!(remembers(memory(None), read(159, 7, None)));
        assert!(!remembers(memory(None), read(160, 7, None)));
        assert!(!remembers(memory(None), read(99, 7, None)));
    }
}
