//! The largest set-off: how much of its debts a network can cancel without anybody owing somebody new.
//!
//! What is set off is a circulation `0 <= f <= L`: every party gives up as much as it is forgiven. What remains, `r = L - f`, gives every
//! party its net. So the largest circulation leaves the least remainder, and that is a flow of least cost: from net payers to net payees,
//! along the debts, each taking at most its amount and costing one a unit. (Ahuja, Magnanti, Orlin: Network Flows, 1993, chapter 9,
//! the primal-dual algorithm.)
//!
//! All costs are one, so paths have few different lengths. For each length in turn, shortest first: potentials from the distances, then as
//! much as fits along arcs that lie on paths of that length, by blocking flows (Dinic). Whole numbers throughout, and the order of the
//! pairs decides between equally good ways.

use crate::network::{Flow, at};
use std::collections::VecDeque;

/// Not reached, or not on the way.
const NOWHERE: usize = usize::MAX;

/// What remains of each pair, by its place among the `pairs`, when the largest circulation is set off. `nets` are the parties' nets by
/// these pairs.
///
/// Takes the time of O(pairs) for each length of a path and each of its blocking flows, of which there are few in practice.
pub(crate) fn remainders(pairs: &[Flow], nets: &[i64]) -> Vec<i64> {
    let mut graph = Graph::of(pairs, nets);
    while graph.measure() {
        while graph.layer() {
            graph.fill();
        }
    }
    graph.assert_settled(pairs.len());
    (0..pairs.len()).map(|pair| graph.room[backward(pair)]).collect()
}

fn forward(edge: usize) -> usize {
    edge.strict_mul(2)
}

fn backward(edge: usize) -> usize {
    forward(edge).strict_add(1)
}

/// The arc in the other direction.
fn reverse(arc: usize) -> usize {
    arc ^ 1
}

/// Debts as arcs, each with the arc that takes back what flows along it; and two more nodes, from which payers draw what they have to pay
/// and to which payees pass on what they are paid.
struct Graph {
    /// The first so many edges cost one a unit, those of source and sink nothing.
    debts: usize,
    source: usize,
    sink: usize,
    /// By arc.
    head: Vec<usize>,
    /// By arc: how much more it takes.
    room: Vec<i64>,
    /// The arcs that leave a node: `leaving[first[node]..first[node + 1]]`.
    first: Vec<usize>,
    leaving: Vec<usize>,
    /// By node: the length of the shortest way there.
    potential: Vec<usize>,
    /// By node: how many arcs from the source, among those that lie on shortest ways.
    level: Vec<usize>,
}

impl Graph {
    fn of(pairs: &[Flow], nets: &[i64]) -> Self {
        let (source, sink) = (nets.len(), nets.len().strict_add(1));
        let debts = pairs.iter().map(|pair| (at(pair.from), at(pair.to), pair.amount));
        let ends = nets.iter().enumerate().filter(|(_, net)| **net != 0).map(|(party, net)| match net.is_negative() {
            true => (source, party, net.strict_neg()),
            false => (party, sink, *net),
        });
        let (mut head, mut room) = (Vec::new(), Vec::new());
        for (from, to, amount) in debts.chain(ends) {
            head.extend([to, from]);
            room.extend([amount, 0]);
        }
        let nodes = sink.strict_add(1);
        let mut first = vec![0_usize; nodes.strict_add(1)];
        for arc in 0..head.len() {
            let after = head[reverse(arc)].strict_add(1);
            first[after] = first[after].strict_add(1);
        }
        for node in 0..nodes {
            first[node.strict_add(1)] = first[node.strict_add(1)].strict_add(first[node]);
        }
        let mut next = first.clone();
        let mut leaving = vec![0_usize; head.len()];
        for arc in 0..head.len() {
            let from = head[reverse(arc)];
            leaving[next[from]] = arc;
            next[from] = next[from].strict_add(1);
        }
        Self { debts: pairs.len(), source, sink, head, room, first, leaving, potential: vec![0; nodes], level: Vec::new() }
    }

    fn arcs(&self, node: usize) -> &[usize] {
        &self.leaving[self.first[node]..self.first[node.strict_add(1)]]
    }

    /// How much longer than the shortest way to its head the way over this arc is, which leaves `from`; never less than zero where there is room.
    fn detour(&self, from: usize, arc: usize) -> usize {
        let (before, after) = (self.potential[from], self.potential[self.head[arc]]);
        let is_debt = arc < forward(self.debts);
        let length = match (is_debt, arc & 1 == 1) {
            (false, _) => before,
            (true, false) => before.strict_add(1),
            (true, true) => before.strict_sub(1),
        };
        length.strict_sub(after)
    }

    /// Finds the shortest ways on which there is room, and makes them the new potentials (Dijkstra's algorithm with a bucket for each
    /// distance). False when nothing more can reach the sink.
    fn measure(&mut self) -> bool {
        let mut distance = vec![NOWHERE; self.potential.len()];
        let mut buckets = vec![vec![self.source]];
        distance[self.source] = 0;
        let mut near = 0_usize;
        while near < buckets.len() {
            let Some(node) = buckets[near].pop() else {
                near = near.strict_add(1);
                continue;
            };
            if node == self.sink {
                break;
            }
            if distance[node] != near {
                continue;
            }
            for &arc in self.arcs(node) {
                if self.room[arc] == 0 {
                    continue;
                }
                let (to, there) = (self.head[arc], near.strict_add(self.detour(node, arc)));
                if there < distance[to] {
                    distance[to] = there;
                    if buckets.len() <= there {
                        buckets.resize_with(there.strict_add(1), Vec::new);
                    }
                    buckets[there].push(to);
                }
            }
        }
        let reached = distance[self.sink];
        if reached == NOWHERE {
            return false;
        }
        // Whoever is farther than the sink is on no way that counts: it is enough that no arc gets shorter than nothing.
        for (potential, distance) in self.potential.iter_mut().zip(distance) {
            *potential = potential.strict_add(distance.min(reached));
        }
        true
    }

    fn is_on_a_shortest_way(&self, from: usize, arc: usize) -> bool {
        self.room[arc] > 0 && self.detour(from, arc) == 0
    }

    /// Counts the arcs from the source along shortest ways. False when the sink is on none.
    fn layer(&mut self) -> bool {
        let mut level = vec![NOWHERE; self.potential.len()];
        level[self.source] = 0;
        let mut queue = VecDeque::from([self.source]);
        while let Some(node) = queue.pop_front() {
            for &arc in self.arcs(node) {
                let to = self.head[arc];
                if level[to] == NOWHERE && self.is_on_a_shortest_way(node, arc) {
                    level[to] = level[node].strict_add(1);
                    queue.push_back(to);
                }
            }
        }
        self.level = level;
        self.level[self.sink] != NOWHERE
    }

    /// Sends as much as there is room for from layer to layer, way by way; afterwards every way has an arc without room.
    fn fill(&mut self) {
        let mut next = self.first.clone();
        let mut way: Vec<usize> = Vec::new();
        let mut node = self.source;
        loop {
            if node == self.sink {
                let amount = way.iter().map(|arc| self.room[*arc]).min().expect("the source is not the sink");
                for &arc in &way {
                    self.room[arc] = self.room[arc].strict_sub(amount);
                    self.room[reverse(arc)] = self.room[reverse(arc)].strict_add(amount);
                }
                let full = way.iter().position(|arc| self.room[*arc] == 0).expect("the narrowest arc is full");
                node = self.head[reverse(way[full])];
                way.truncate(full);
                continue;
            }
            if let Some(arc) = self.next_arc(node, &mut next) {
                way.push(arc);
                node = self.head[arc];
            } else {
                // A dead end, for every way.
                self.level[node] = NOWHERE;
                let Some(arc) = way.pop() else { return };
                node = self.head[reverse(arc)];
            }
        }
    }

    /// The next arc of the node that leads to the next layer; those before it never will again.
    fn next_arc(&self, node: usize, next: &mut [usize]) -> Option<usize> {
        let deeper = self.level[node].strict_add(1);
        let end = self.first[node.strict_add(1)];
        let left = &self.leaving[next[node]..end];
        let found = left.iter().position(|arc| self.level[self.head[*arc]] == deeper && self.is_on_a_shortest_way(node, *arc));
        next[node] = found.map_or(end, |passed| next[node].strict_add(passed));
        found.map(|_| self.leaving[next[node]])
    }

    /// The debts themselves would settle everybody, so a way was found for all.
    fn assert_settled(&self, debts: usize) {
        let ends = forward(debts)..self.head.len();
        assert!(ends.step_by(2).all(|arc| self.room[arc] == 0), "every payer pays its net, and every payee is paid it");
    }
}
