//! Which of the obligations that wait in a queue can settle all at once: one by one nobody could pay, together they can.
//!
//! Everybody pays in the order of its own queue, so what settles is a beginning of each debtor's queue; what is paid and what is received
//! count together. Start from all; while a debtor would end below its floor, its last obligation waits. This is the algorithm of Bech
//! and Soramäki, "Gridlock Resolution in Interbank Payment Systems", Bank of Finland Discussion Papers 9/2001, section 3.
//!
//! The result is the one largest set there is. When two sets can settle, so can what is in either of them: a debtor goes as far in its queue
//! as in one of the two, and receives no less than there. And nothing that waits could have stayed: whatever set can settle, the debtor that
//! gives up its last obligation here receives no more there, so it does not settle it there either.
//!
//! Never: another order than that of a debtor's queue, a part of an obligation, or a balance below its floor after paying.

#[cfg(test)]
mod tests;

use crate::network::{GROSS_MAX, NetworkError, Party};
use scrip::Micro;
use std::collections::BTreeMap;

/// What a party has to pay with. Who is not named has nothing, and a floor of zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Funds<'a> {
    /// Whose.
    pub party: &'a str,
    /// What it has paid in; negative where it has drawn on its cap already.
    pub balance: Micro,
    /// What the balance may not fall below by paying: zero where all is paid in beforehand, minus the cap where there is one.
    pub floor: Micro,
}

/// An obligation that waits to be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queued<'a> {
    /// Who owes, and whose queue it waits in.
    pub debtor: &'a str,
    /// Who is owed.
    pub creditor: &'a str,
    /// More than zero.
    pub amount: Micro,
}

/// What one party's balance comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// Whose.
    pub party: Party,
    /// As it was given.
    pub before: Micro,
    /// When all that settles has settled. Not below the floor, except of a party that was there before and pays nothing.
    pub after: Micro,
    /// As it was given.
    pub floor: Micro,
}

/// What settles, what waits, and what everybody has then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// Places in the queue, from 0, in the order of the queue.
    pub settles: Vec<usize>,
    /// The other places, in the order of the queue.
    pub waits: Vec<usize>,
    /// The sum of what settles.
    pub settled: Micro,
    /// One per party, in byte order of their names.
    pub balances: Vec<Balance>,
}

/// Why a queue cannot be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// What waits is not an obligation, or all of it is too much.
    #[error(transparent)]
    NotADebt(#[from] NetworkError),
    /// Only one balance of a party can be right.
    #[error("the funds of {party} are given twice")]
    FundsGivenTwice {
        /// Whose.
        party: String,
    },
    /// A balance or floor is farther from zero than [`GROSS_MAX`].
    #[error("the balance or the floor of {party} is too large")]
    FundsTooLarge {
        /// Whose.
        party: String,
    },
}

/// The largest set of obligations that settles all at once, each debtor's in the order in which they stand in `queue`.
///
/// Takes O(n log n) for n names and obligations: the logarithm is for names, every obligation is looked at once and waits at most once.
/// Panics if what came out could not settle: that would be a bug.
pub fn resolve<'a>(
    funds: impl IntoIterator<Item = Funds<'a>>,
    queue: impl IntoIterator<Item = Queued<'a>>,
) -> Result<Resolution, QueueError> {
    let queue: Vec<Queued<'a>> = queue.into_iter().collect();
    let mut room = Room::read(funds, &queue)?;
    room.settle_all();
    room.hold_back();
    let resolution = room.into_resolution();
    resolution.assert_settles(&queue);
    Ok(resolution)
}

/// One obligation, with parties by number.
#[derive(Debug, Clone, Copy)]
struct Owed {
    debtor: usize,
    creditor: usize,
    amount: i64,
}

/// Parties by the byte order of their names, what they have, and what of each one's queue settles.
struct Room<'a> {
    names: Vec<&'a str>,
    before: Vec<i64>,
    floors: Vec<i64>,
    after: Vec<i64>,
    queue: Vec<Owed>,
    /// By debtor: the places of what settles, in the order of the queue.
    settling: Vec<Vec<usize>>,
}

impl<'a> Room<'a> {
    fn read(funds: impl IntoIterator<Item = Funds<'a>>, queue: &[Queued<'a>]) -> Result<Self, QueueError> {
        let mut named: BTreeMap<&'a str, Option<(i64, i64)>> = BTreeMap::new();
        for Funds { party, balance, floor } in funds {
            if [balance, floor].iter().any(|amount| amount.units().unsigned_abs() > GROSS_MAX.units().unsigned_abs()) {
                return Err(QueueError::FundsTooLarge { party: party.to_owned() });
            }
            if named.insert(party, Some((balance.units(), floor.units()))).is_some() {
                return Err(QueueError::FundsGivenTwice { party: party.to_owned() });
            }
        }
        let mut gross = 0_i64;
        for Queued { debtor, creditor, amount } in queue {
            if *amount <= Micro::ZERO {
                return Err(NetworkError::AmountNotPositive { debtor: (*debtor).to_owned(), creditor: (*creditor).to_owned() }.into());
            }
            if debtor == creditor {
                return Err(NetworkError::SelfDebt { party: (*debtor).to_owned() }.into());
            }
            gross = gross.checked_add(amount.units()).filter(|g| *g <= GROSS_MAX.units()).ok_or(NetworkError::GrossTooLarge)?;
            named.entry(debtor).or_default();
            named.entry(creditor).or_default();
        }

        let names: Vec<&str> = named.keys().copied().collect();
        let number = |name: &str| names.binary_search(&name).expect("every name is known");
        let owed = |q: &Queued| Owed { debtor: number(q.debtor), creditor: number(q.creditor), amount: q.amount.units() };
        let before: Vec<i64> = named.values().map(|funds| funds.map_or(0, |(balance, _)| balance)).collect();
        Ok(Self {
            queue: queue.iter().map(owed).collect(),
            after: before.clone(),
            floors: named.values().map(|funds| funds.map_or(0, |(_, floor)| floor)).collect(),
            settling: vec![Vec::new(); names.len()],
            before,
            names,
        })
    }

    fn settle_all(&mut self) {
        for (place, owed) in self.queue.iter().enumerate() {
            self.settling[owed.debtor].push(place);
            self.after[owed.debtor] = self.after[owed.debtor].strict_sub(owed.amount);
            self.after[owed.creditor] = self.after[owed.creditor].strict_add(owed.amount);
        }
    }

    /// Takes back the last of whoever would end below its floor, until nobody does. Who is looked at first makes no difference.
    fn hold_back(&mut self) {
        let mut suspects: Vec<usize> = (0..self.names.len()).collect();
        while let Some(debtor) = suspects.pop() {
            while self.after[debtor] < self.floors[debtor]
                && let Some(place) = self.settling[debtor].pop()
            {
                let Owed { creditor, amount, .. } = self.queue[place];
                self.after[debtor] = self.after[debtor].strict_add(amount);
                self.after[creditor] = self.after[creditor].strict_sub(amount);
                suspects.push(creditor);
            }
        }
    }

    fn into_resolution(self) -> Resolution {
        let mut does_settle = vec![false; self.queue.len()];
        for place in self.settling.iter().flatten() {
            does_settle[*place] = true;
        }
        let places = |settles: bool| (0..does_settle.len()).filter(|place| does_settle[*place] == settles).collect();
        let settled = self.settling.iter().flatten().fold(0_i64, |sum, place| sum.strict_add(self.queue[*place].amount));
        let balance = |party: usize| Balance {
            party: Party::named(self.names[party]),
            before: Micro::new(self.before[party]),
            after: Micro::new(self.after[party]),
            floor: Micro::new(self.floors[party]),
        };
        Resolution {
            settles: places(true),
            waits: places(false),
            settled: Micro::new(settled),
            balances: (0..self.names.len()).map(balance).collect(),
        }
    }
}

impl Resolution {
    /// Looks at the result alone, not at how it came about.
    fn assert_settles(&self, queue: &[Queued<'_>]) {
        let mut changes: BTreeMap<&str, i64> = BTreeMap::new();
        let mut payers: BTreeMap<&str, usize> = BTreeMap::new();
        for place in &self.settles {
            let Queued { debtor, creditor, amount } = queue[*place];
            for (party, change) in [(debtor, amount.units().strict_neg()), (creditor, amount.units())] {
                let sum = changes.entry(party).or_default();
                *sum = sum.strict_add(change);
            }
            payers.insert(debtor, *place);
        }
        for place in &self.waits {
            let debtor = queue[*place].debtor;
            assert!(payers.get(debtor).is_none_or(|last| last < place), "{debtor} settles nothing that stands behind what waits");
        }
        for Balance { party, before, after, floor } in &self.balances {
            let change = changes.get(party.as_str()).copied().unwrap_or_default();
            assert!(
                before.checked_add(Micro::new(change)) == Some(*after),
                "{party} has what it had, less what it pays, and what it receives"
            );
            assert!(after >= floor || !payers.contains_key(party.as_str()), "{party} does not pay itself below its floor");
        }
    }
}
