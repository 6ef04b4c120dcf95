//! Loops as they are told, and the iterator that makes them while somebody asks.

use super::{
    Explanation,
    graph::{Arc, Meaning},
    unravel::{Cycle, Unravel},
};
use crate::network::{Party, at};
use scrip::Micro;

/// A payment of the netting, by its place there, from 0. Transfers come before carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Payment {
    /// In [`crate::Netting::transfers`].
    Transfer(usize),
    /// In [`crate::Netting::carries`]: to be paid with the next window.
    Carry(usize),
}

/// How much of one obligation is in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Of the obligation.
    pub reference: u64,
    /// More than zero, at most what the obligation is.
    pub amount: Micro,
}

/// One step of a loop; it leads from one party to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// From a debtor to its creditor.
    Owed {
        /// Who owes.
        debtor: Party,
        /// Who is owed.
        creditor: Party,
        /// By reference; they sum to the loop's amount.
        parts: Vec<Part>,
    },
    /// From a payee to its payer.
    Paid {
        /// Who pays, or stays in debt.
        payer: Party,
        /// Who is paid, or stays owed.
        payee: Party,
        /// Which payment.
        payment: Payment,
    },
}

/// What a loop tells. See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Debts alone: set off, without money.
    Circle,
    /// At most one chain of debts, and what is paid for it: by one payment, by the two legs of the hub, or by payments that rounding shifts.
    Path,
    /// Several chains of debts, whose payers pay each other's payees.
    Exchange,
}

impl Kind {
    /// The name in commands, JSON and CSV.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Circle => "circle",
            Self::Path => "path",
            Self::Exchange => "exchange",
        }
    }
}

/// An amount that goes once around, through no party twice: see the module. Each step leads to the party at which the next begins, the last
/// to that of the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loop {
    /// Of each step. More than zero.
    pub amount: Micro,
    /// At least two. With payments the first of them (by place in the netting) is the last step; without, the first party in byte order begins.
    pub steps: Vec<Step>,
}

impl Loop {
    /// What it tells.
    pub fn kind(&self) -> Kind {
        let is_debt = |step: &Step| step.payment().is_none();
        // A chain ends where a payment follows a debt; the last step is followed by the first.
        let next = self.steps.iter().skip(1).chain(self.steps.first());
        let chains = self.steps.iter().zip(next).filter(|(step, next)| is_debt(step) && !is_debt(next)).count();
        match (self.payments().next(), chains) {
            (None, _) => Kind::Circle,
            (Some(_), 0..=1) => Kind::Path,
            (Some(_), _) => Kind::Exchange,
        }
    }

    /// The payments, in the order of the steps.
    pub fn payments(&self) -> impl Iterator<Item = Payment> {
        self.steps.iter().filter_map(Step::payment)
    }

    /// What the payer of the payment owed, along a chain that begins with it: the debts that this payment settles for the payer.
    ///
    /// None where the payer owed nothing here, but is paid for it in turn: a party that rounding makes pay more, and the house.
    pub fn owed_by_payer(&self, payment: Payment) -> Vec<&Step> {
        let Some(place) = self.place(payment) else { return Vec::new() };
        let (before, after) = self.steps.split_at(place.strict_add(1));
        after.iter().chain(before).take_while(|step| step.payment().is_none()).collect()
    }

    /// What the payee of the payment was owed, along a chain that ends with it. None where the payee pays on: the house.
    pub fn owed_to_payee(&self, payment: Payment) -> Vec<&Step> {
        let Some(place) = self.place(payment) else { return Vec::new() };
        let (before, after) = self.steps.split_at(place);
        let mut steps: Vec<&Step> = before.iter().rev().chain(after.iter().rev()).take_while(|step| step.payment().is_none()).collect();
        steps.reverse();
        steps
    }

    fn place(&self, payment: Payment) -> Option<usize> {
        self.steps.iter().position(|step| step.payment() == Some(payment))
    }
}

impl Step {
    fn payment(&self) -> Option<Payment> {
        match self {
            Self::Owed { .. } => None,
            Self::Paid { payment, .. } => Some(*payment),
        }
    }
}

/// Which loops somebody wants.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    All,
    /// Those with this arc.
    Arc(u32),
    /// Those through this party.
    Node(u32),
}

/// The loops of an explanation, one by one. Ends when what was asked for is explained to the unit.
pub struct Loops<'a> {
    explanation: &'a Explanation,
    unravel: Unravel<'a>,
    wanted: Wanted,
    /// The amounts of the wanted arcs that no loop has explained yet.
    left: i128,
}

impl<'a> Loops<'a> {
    pub(super) fn new(explanation: &'a Explanation, wanted: Wanted) -> Self {
        let graph = &explanation.graph;
        let left = (0..).zip(&graph.arcs).filter(|(number, arc)| wanted.includes(*number, arc));
        let left = left.fold(0_i128, |sum, (_, arc)| sum.strict_add(i128::from(arc.amount)));
        Self { explanation, unravel: Unravel::new(graph, explanation.looks_max), wanted, left }
    }

    fn told(&self, cycle: &Cycle) -> Loop {
        let graph = &self.explanation.graph;
        let name = |node: u32| self.explanation.parties[at(node)].clone();
        let step = |number: &u32| {
            let Arc { from, to, meaning, .. } = graph.arcs[at(*number)];
            match meaning {
                Meaning::Payment(payment) => Step::Paid { payer: name(to), payee: name(from), payment },
                Meaning::Debts { .. } => {
                    let parts = graph.parts(*number, self.unravel.explained(*number), cycle.amount);
                    let parts = parts.map(|(place, amount)| Part { reference: graph.owed[place].reference, amount: Micro::new(amount) });
                    Step::Owed { debtor: name(from), creditor: name(to), parts: parts.collect() }
                }
            }
        };
        Loop { amount: Micro::new(cycle.amount), steps: cycle.arcs.iter().map(step).collect() }
    }
}

impl Iterator for Loops<'_> {
    type Item = Loop;

    fn next(&mut self) -> Option<Loop> {
        while self.left > 0 {
            let cycle = self.unravel.find().expect("whatever is left is on a loop");
            let arcs = &self.explanation.graph.arcs;
            let wanted = cycle.arcs.iter().filter(|arc| self.wanted.includes(**arc, &arcs[at(**arc)]));
            let explained = wanted.fold(0_i128, |sum, _| sum.strict_add(i128::from(cycle.amount)));
            let told = (explained > 0).then(|| self.told(&cycle));
            self.unravel.take(&cycle);
            self.left = self.left.strict_sub(explained);
            if told.is_some() {
                return told;
            }
        }
        assert!(self.left == 0, "nothing is explained twice");
        None
    }
}

impl Wanted {
    fn includes(self, number: u32, arc: &Arc) -> bool {
        match self {
            Self::All => true,
            Self::Arc(wanted) => wanted == number,
            Self::Node(wanted) => wanted == arc.from,
        }
    }
}
