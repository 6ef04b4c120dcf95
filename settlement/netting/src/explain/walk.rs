//! Loops by walking: along any arc with something left, until the walk comes to where it was. What it has not come back to is kept, so
//! no arc is walked twice in vain.

use super::graph::Graph;
use crate::network::at;

/// Not on the way.
const NOWHERE: usize = usize::MAX;

pub(super) struct Walk {
    /// The parties from which all has been walked.
    start: u32,
    /// Arcs, each beginning where the one before ends.
    way: Vec<u32>,
    /// By node: where on the way it is left.
    place: Vec<usize>,
    /// By node: the arc before which all are explained.
    next: Vec<usize>,
}

impl Walk {
    pub(super) fn new(graph: &Graph) -> Self {
        let nodes = 0..super::graph::number(graph.nodes());
        Self { start: 0, way: Vec::new(), place: vec![NOWHERE; graph.nodes()], next: nodes.map(|node| graph.leaving(node).start).collect() }
    }

    /// The next loop; what it has of the way is off the way, and has to be taken before the next is looked for.
    pub(super) fn find(&mut self, graph: &Graph, left: &[i64]) -> Option<Vec<u32>> {
        while at(self.start) < graph.nodes() {
            let node = self.way.last().map_or(self.start, |arc| graph.arcs[at(*arc)].to);
            let place = self.place[at(node)];
            if place != NOWHERE {
                let cycle = self.way.split_off(place);
                for arc in &cycle {
                    self.place[at(graph.arcs[at(*arc)].from)] = NOWHERE;
                }
                return Some(cycle);
            }
            match self.next_arc(graph, left, node) {
                Some(arc) => {
                    self.place[at(node)] = self.way.len();
                    self.way.push(arc);
                }
                None => {
                    assert!(self.way.is_empty(), "what comes to a party leaves it");
                    self.start = self.start.strict_add(1);
                }
            }
        }
        None
    }

    fn next_arc(&mut self, graph: &Graph, left: &[i64], node: u32) -> Option<u32> {
        let end = graph.leaving(node).end;
        let found = (self.next[at(node)]..end).find(|arc| left[*arc] > 0);
        self.next[at(node)] = found.unwrap_or(end);
        found.map(super::graph::number)
    }
}
