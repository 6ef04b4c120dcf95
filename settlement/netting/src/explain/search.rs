//! The shortest loop through each payment: from its payer along debts to its payee, over other payments only where debts lead no further.
//!
//! Ways are looked for in layers. In a layer one goes along debts, and through the house, breadth first; the next layer begins wherever
//! one payment more leads. So the first way found has the fewest payments, and few debts.

use super::graph::{Arc, Graph, Meaning};
use crate::network::at;
use std::collections::VecDeque;

/// Not reached by this search.
const NOWHERE: u32 = u32::MAX;

pub(super) struct Search {
    /// The payments that are done.
    done: usize,
    /// How many arcs may be looked at yet, over all payments.
    looks_left: u64,
    /// By node: the number of the last search that reached it, and along which arc.
    reached: Vec<(u32, u32)>,
    searches: u32,
}

impl Search {
    pub(super) fn new(graph: &Graph, looks_max: u64) -> Self {
        Self { done: 0, looks_left: looks_max, reached: vec![(0, NOWHERE); graph.nodes()], searches: 0 }
    }

    /// The next loop, as arcs that end with the payment. None when all payments are explained, or enough has been looked at.
    pub(super) fn find(&mut self, graph: &Graph, left: &[i64]) -> Option<Vec<u32>> {
        while let Some((_, payment)) = graph.payments.get(self.done) {
            if left[at(*payment)] > 0 {
                return self.loop_through(graph, left, *payment);
            }
            self.done = self.done.strict_add(1);
        }
        None
    }

    fn loop_through(&mut self, graph: &Graph, left: &[i64], payment: u32) -> Option<Vec<u32>> {
        let Arc { from: payee, to: payer, .. } = graph.arcs[at(payment)];
        self.searches = self.searches.strict_add(1);
        self.reached[at(payer)] = (self.searches, NOWHERE);
        let mut layer = VecDeque::from([payer]);
        let mut next_layer: VecDeque<u32> = VecDeque::new();
        while self.looks_left > 0 {
            let Some(node) = layer.pop_front() else {
                let arc = next_layer.pop_front().expect("what comes to a party leaves it, so every payment is on a loop");
                self.reach(graph, arc, &mut layer);
                continue;
            };
            if node == payee {
                return Some(self.traced(graph, payment));
            }
            for place in graph.leaving(node) {
                self.looks_left = self.looks_left.saturating_sub(1);
                if left[place] > 0 {
                    let Arc { from, to, meaning, .. } = graph.arcs[place];
                    let arc = super::graph::number(place);
                    match meaning {
                        Meaning::Payment(_) if from != graph.house && to != graph.house => next_layer.push_back(arc),
                        Meaning::Payment(_) | Meaning::Debts { .. } => self.reach(graph, arc, &mut layer),
                    }
                }
            }
        }
        None
    }

    fn reach(&mut self, graph: &Graph, arc: u32, layer: &mut VecDeque<u32>) {
        let node = graph.arcs[at(arc)].to;
        if self.reached[at(node)].0 != self.searches {
            self.reached[at(node)] = (self.searches, arc);
            layer.push_back(node);
        }
    }

    /// Back from the payee to the payer, and turned around.
    fn traced(&self, graph: &Graph, payment: u32) -> Vec<u32> {
        let mut arcs = vec![payment];
        let Arc { from: payee, to: payer, .. } = graph.arcs[at(payment)];
        let mut node = payee;
        while node != payer {
            let (_, arc) = self.reached[at(node)];
            arcs.push(arc);
            node = graph.arcs[at(arc)].from;
        }
        arcs.reverse();
        arcs
    }
}
