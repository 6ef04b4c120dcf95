//! Takes debts and payments apart into loops, in a fixed order, the plainest first.
//!
//! 1. Own debts: whatever a payer owes its payee itself is behind that payment first.
//! 2. Short loops: for each payment in turn, the way from its payer to its payee that needs the fewest other payments, then few debts
//!    (`search`). The looking is bounded; in networks too large for it what is left goes to the last step, where loops are longer.
//! 3. Circles of two.
//! 4. Whatever is left, by walking until the walk comes back to itself (`walk`).

use super::{
    graph::{Arc, Graph, Meaning},
    search::Search,
    walk::Walk,
};
use crate::network::at;

/// Arcs that lead from a node once around to it, and how much of each is taken.
#[derive(Debug)]
pub(super) struct Cycle {
    pub(super) arcs: Vec<u32>,
    pub(super) amount: i64,
}

pub(super) struct Unravel<'a> {
    graph: &'a Graph,
    /// By arc: what is not explained yet.
    left: Vec<i64>,
    /// The payments whose own debts are done.
    own: usize,
    search: Search,
    /// The arcs whose circles of two are done.
    twos: usize,
    walk: Walk,
}

impl<'a> Unravel<'a> {
    /// Looks for short loops at no more than `looks_max` arcs.
    pub(super) fn new(graph: &'a Graph, looks_max: u64) -> Self {
        let left = graph.arcs.iter().map(|arc| arc.amount).collect();
        Self { graph, left, own: 0, search: Search::new(graph, looks_max), twos: 0, walk: Walk::new(graph) }
    }

    /// How much of the arc is in loops that were taken.
    pub(super) fn explained(&self, arc: u32) -> i64 {
        self.graph.arcs[at(arc)].amount.strict_sub(self.left[at(arc)])
    }

    /// The next loop, as the person who reads it wants it turned: one with payments ends with the first of them, so that it begins with
    /// what that payer owes; a circle begins with its first party.
    pub(super) fn find(&mut self) -> Option<Cycle> {
        let mut arcs = self
            .own_debt()
            .or_else(|| self.search.find(self.graph, &self.left))
            .or_else(|| self.circle_of_two())
            .or_else(|| self.walk.find(self.graph, &self.left))?;
        let amount = arcs.iter().map(|arc| self.left[at(*arc)]).min().expect("a loop has arcs");
        let arc = |place: &u32| &self.graph.arcs[at(*place)];
        let payments = arcs.iter().enumerate().filter_map(|(place, number)| match arc(number).meaning {
            Meaning::Payment(payment) => Some((payment, place.strict_add(1))),
            Meaning::Debts { .. } => None,
        });
        let begin = payments.min().map(|(_, begin)| begin);
        let begin = begin.or_else(|| (0..arcs.len()).min_by_key(|place| arc(&arcs[*place]).from)).expect("a loop has arcs");
        arcs.rotate_left(begin);
        Some(Cycle { arcs, amount })
    }

    /// Marks a loop as explained.
    pub(super) fn take(&mut self, cycle: &Cycle) {
        for arc in &cycle.arcs {
            self.left[at(*arc)] = self.left[at(*arc)].strict_sub(cycle.amount);
        }
    }

    fn has_left(&self, arc: &u32) -> bool {
        self.left[at(*arc)] > 0
    }

    fn own_debt(&mut self) -> Option<Vec<u32>> {
        while let Some((_, payment)) = self.graph.payments.get(self.own) {
            let Arc { from: payee, to: payer, .. } = self.graph.arcs[at(*payment)];
            let debts = self.graph.debts(payer, payee).filter(|debts| self.has_left(debts) && self.has_left(payment));
            if let Some(debts) = debts {
                return Some(vec![debts, *payment]);
            }
            self.own = self.own.strict_add(1);
        }
        None
    }

    fn circle_of_two(&mut self) -> Option<Vec<u32>> {
        while let Some(Arc { from, to, meaning, .. }) = self.graph.arcs.get(self.twos) {
            if from < to && self.left[self.twos] > 0 && matches!(meaning, Meaning::Debts { .. }) {
                let back = self.graph.debts(*to, *from).filter(|back| self.has_left(back));
                if let Some(back) = back {
                    return Some(vec![super::graph::number(self.twos), back]);
                }
            }
            self.twos = self.twos.strict_add(1);
        }
        None
    }
}
