//! What is behind each transfer and each position: every obligation followed, to the unit, to where it is paid, carried or set off.
//!
//! The obligations and the transfers with the carries of a netting give every party the same net. So when each debt is an arc from debtor to
//! creditor, and each payment (a transfer, or a carry, which is paid later) an arc back from payee to payer, as much comes to every party as
//! leaves it, and all of it falls apart into [`Loop`]s: an amount that goes once around. A loop is one of three things.
//!
//! - A *circle*, of debts alone: A owes B, B owes C, C owes A. It is set off and moves no money.
//! - A *path*, with one payment: A owes B, B owes C, and so A pays C. `gross`, `bilateral` and `conservative` have only these and circles,
//!   each path of one debt: everybody pays its own creditor. Under `hub` the payment has two legs, A to the house and the house to C.
//! - An *exchange*, with several: A owes B and C owes D, and A pays D while C pays B. This is what `direct` may do to parties that no chain of
//!   debts connects, and the honest account of it: A's payment settles what A owed B, and D, whom it reaches, was owed by C. For each
//!   payment a loop tells both sides, what its payer owed and what its payee was owed; in a path both are the same debts.
//!
//! The amounts of the loops through a payment sum to the payment, and the parts of an obligation over all loops sum to the obligation. The
//! loops are found in a fixed order (`unravel`), so the same obligations in any order are explained in the same words.
//!
//! Never: input or output, and never all loops in memory at once: they are made one by one while somebody asks for the next. Amounts are
//! micro-units.

mod graph;
mod loops;
mod search;
#[cfg(test)]
mod tests;
mod unravel;
mod walk;

pub use loops::{Kind, Loop, Loops, Part, Payment, Step};

use crate::{
    netting::Netting,
    network::{NetworkError, Party, at},
};
use graph::{Graph, Meaning, Owed};
use loops::Wanted;
use scrip::Micro;
use unravel::Unravel;

/// How many arcs are looked at for the sake of short loops, over all payments: some tenths of a second, and enough for thousands of transfers
/// among thousands of pairs.
const LOOKS_MAX: u64 = 20_000_000;

/// One obligation, and by what its caller knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Obligation<'a> {
    /// Not looked at, except that of one pair's obligations the lower is explained first.
    pub reference: u64,
    /// Who owes.
    pub debtor: &'a str,
    /// Who is owed.
    pub creditor: &'a str,
    /// More than zero.
    pub amount: Micro,
}

/// What becomes of one obligation: `paid + carried + set_off` is its amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Of the obligation.
    pub reference: u64,
    /// In loops where, at the end of its chain of debts, the creditor is paid by a transfer.
    pub paid: Micro,
    /// In loops where that creditor gets a carry, to be paid with the next window.
    pub carried: Micro,
    /// In circles.
    pub set_off: Micro,
}

/// Why obligations do not explain a netting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// Not an obligation.
    #[error(transparent)]
    NotADebt(#[from] NetworkError),
    /// The obligations are others than those that were netted.
    #[error("the obligations of {party} are not those that were netted")]
    OtherObligations {
        /// The first whose sums differ, or who is not in the netting at all.
        party: String,
    },
}

/// The obligations and the payments of one netting, ready to be explained.
#[derive(Debug)]
pub struct Explanation {
    /// In byte order of their names; after them the house.
    parties: Vec<Party>,
    graph: Graph,
    /// See [`LOOKS_MAX`].
    looks_max: u64,
}

impl Explanation {
    /// Puts `obligations` beside the result of their netting.
    ///
    /// A netting of sums by pair is explained just as well by the single obligations behind the sums. Takes the time of sorting, and
    /// some 30 bytes per obligation and 60 per pair. Panics if the transfers and carries do not give every party its net: no netting has such.
    pub fn try_new<'a>(obligations: impl IntoIterator<Item = Obligation<'a>>, netting: &Netting) -> Result<Self, ExplainError> {
        let mut parties: Vec<Party> = netting.positions.iter().map(|position| position.party.clone()).collect();
        let number = |name: &str| parties.binary_search_by(|party| party.as_str().cmp(name)).ok();
        let mut rows = Vec::new();
        for Obligation { reference, debtor, creditor, amount } in obligations {
            if amount <= Micro::ZERO {
                return Err(NetworkError::AmountNotPositive { debtor: debtor.to_owned(), creditor: creditor.to_owned() }.into());
            }
            if debtor == creditor {
                return Err(NetworkError::SelfDebt { party: debtor.to_owned() }.into());
            }
            let known = |name: &str| number(name).ok_or_else(|| ExplainError::OtherObligations { party: name.to_owned() });
            let [from, to] = [known(debtor)?, known(creditor)?].map(graph::number);
            rows.push(graph::Row { from, to, reference, amount: amount.units() });
        }
        Self::check_sums(&rows, netting)?;

        // The house is nobody's position; whoever pays or is paid without having one is the house.
        let house = parties.len();
        let node = |party: &Party| graph::number(number(party.as_str()).unwrap_or(house));
        let transfers = netting.transfers.iter().map(|t| (node(&t.payer), node(&t.payee), t.amount.units()));
        let carries = netting.carries.iter().map(|c| (node(&c.debtor), node(&c.creditor), c.amount.units()));
        let payments = (0..).map(Payment::Transfer).zip(transfers).chain((0..).map(Payment::Carry).zip(carries)).collect();
        let graph = Graph::of(rows, payments, house);
        parties.push(Party::house());
        Ok(Self { parties, graph, looks_max: LOOKS_MAX })
    }

    fn check_sums(rows: &[graph::Row], netting: &Netting) -> Result<(), ExplainError> {
        let mut sums = vec![(0_i128, 0_i128); netting.positions.len()];
        for row in rows {
            let (owes, owed) = (&mut sums[at(row.from)].0, i128::from(row.amount));
            *owes = owes.strict_add(owed);
            sums[at(row.to)].1 = sums[at(row.to)].1.strict_add(owed);
        }
        let netted = netting.positions.iter().map(|p| (i128::from(p.owes.units()), i128::from(p.owed.units())));
        match netted.zip(&sums).position(|(netted, sum)| netted != *sum) {
            Some(party) => Err(ExplainError::OtherObligations { party: netting.positions[party].party.to_string() }),
            None => Ok(()),
        }
    }

    /// Everything: each unit of each obligation and of each payment is in exactly one loop.
    ///
    /// Paths come first, then exchanges and circles. There are at most as many loops as pairs and payments; each takes the time of its length,
    /// at most the number of parties, and some millions of steps are spent in all on looking for short ones.
    pub fn loops(&self) -> Loops<'_> {
        Loops::new(self, Wanted::All)
    }

    /// The loops of one transfer or carry, by its place in the netting; their amounts sum to its amount. None if there is no such payment.
    pub fn of_payment(&self, payment: Payment) -> Option<Loops<'_>> {
        self.graph.payment(payment).map(|arc| Loops::new(self, Wanted::Arc(arc)))
    }

    /// The loops through one party: in each it gives up, or pays, as much as it gets. None if it has no position.
    ///
    /// Their amounts sum to what it owes and is still to be paid: what goes out of it by debts, and by payments to it.
    pub fn of_party(&self, name: &str) -> Option<Loops<'_>> {
        let (_, positions) = self.parties.split_last().expect("the house is always there");
        positions.binary_search_by(|party| party.as_str().cmp(name)).ok().map(|party| Loops::new(self, Wanted::Node(graph::number(party))))
    }

    /// What becomes of each obligation, by debtor, creditor and reference. Takes as long as going through all [`Explanation::loops`].
    ///
    /// Panics if the parts of an obligation do not sum to it: that would be a bug.
    pub fn shares(&self) -> Vec<Share> {
        let mut shares: Vec<Share> = self.graph.owed.iter().map(Share::none_of).collect();
        let mut unravel = Unravel::new(&self.graph, self.looks_max);
        while let Some(cycle) = unravel.find() {
            // The payment that ends a chain of debts comes after them, and a loop with payments ends with one.
            let mut ends_in = None;
            for arc in cycle.arcs.iter().rev() {
                match self.graph.arcs[at(*arc)].meaning {
                    Meaning::Payment(payment) => ends_in = Some(payment),
                    Meaning::Debts { .. } => {
                        for (place, amount) in self.graph.parts(*arc, unravel.explained(*arc), cycle.amount) {
                            shares[place].add(ends_in, amount);
                        }
                    }
                }
            }
            unravel.take(&cycle);
        }
        for (share, owed) in shares.iter().zip(&self.graph.owed) {
            let sum = [share.paid, share.carried, share.set_off].iter().fold(0_i64, |sum, part| sum.strict_add(part.units()));
            assert!(sum == owed.amount, "obligation {} is explained by parts that sum to it", owed.reference);
        }
        shares
    }
}

impl Share {
    fn none_of(owed: &Owed) -> Self {
        Self { reference: owed.reference, paid: Micro::ZERO, carried: Micro::ZERO, set_off: Micro::ZERO }
    }

    fn add(&mut self, ends_in: Option<Payment>, amount: i64) {
        let part = match ends_in {
            Some(Payment::Transfer(_)) => &mut self.paid,
            Some(Payment::Carry(_)) => &mut self.carried,
            None => &mut self.set_off,
        };
        *part = Micro::new(part.units().strict_add(amount));
    }
}
