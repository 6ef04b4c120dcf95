//! The largest set-off: how much of its debts a network can cancel without anybody owing somebody new.
//!
//! What is set off is a circulation `0 <= f <= L`: every party gives up as much as it is forgiven. What remains, `r = L - f`, gives every
//! party its net. So the largest circulation leaves the least remainder, and that is a flow of least cost: from net payers to net payees,
//! along the debts, each taking at most its amount and costing one a unit. (Ahuja, Magnanti, Orlin: Network Flows, 1993, chapter 9,
//! the primal-dual algorithm.)
//!
//! All costs are one, so paths have few different lengths. For each length in turn, shortest first: potentials from the distances, then as
//! much as fits along arcs that lie on paths of that length (`ways`). Whole numbers throughout, and the order of the pairs decides between
//! equally good ways.

mod ways;

use crate::network::{Flow, at};
use ways::Ways;

/// Not reached, or not on the way.
const NOWHERE: u32 = u32::MAX;

/// What remains of each pair, by its place among the `pairs`, when the largest circulation is set off. `nets` are the parties' nets by
/// these pairs.
///
/// Takes the time of O(pairs) for each length of a path, and that of the arcs on paths of that length for each of its blocking flows, of
/// which there are few in practice.
pub(crate) fn remainders(pairs: &[Flow], nets: &[i64]) -> Vec<i64> {
    let mut graph = Graph::of(pairs, nets);
    while graph.measure() {
        let mut ways = Ways::of(&graph);
        ways.fill();
        ways.write_back(&mut graph);
    }
    graph.assert_settled();
    graph.places.iter().take(pairs.len()).map(|arc| graph.arcs[at(graph.arcs[at(*arc)].twin)].room).collect()
}

/// One direction of an edge.
#[derive(Debug, Clone, Copy)]
struct Arc {
    to: u32,
    /// The arc in the other direction, which takes back what flows along this one.
    twin: u32,
    /// How much more it takes.
    room: i64,
    /// 1 along a debt, -1 back along it, 0 to and from source and sink.
    cost: i8,
}

/// Debts as arcs; and two more nodes, from which payers draw what they have to pay and to which payees pass on what they are paid.
struct Graph {
    source: u32,
    sink: u32,
    /// The arcs that leave a node: `arcs[first[node]..first[node + 1]]`.
    first: Vec<u32>,
    arcs: Vec<Arc>,
    /// Where the forward arc of each edge is: first those of the pairs, then those of source and sink.
    places: Vec<u32>,
    /// By node: the length of the shortest way there.
    potential: Vec<u32>,
    /// By node: whether a shortest way there is no longer than the one to the sink, and has room.
    is_near: Vec<bool>,
}

impl Graph {
    fn of(pairs: &[Flow], nets: &[i64]) -> Self {
        let source = number(nets.len());
        let sink = source.strict_add(1);
        let debts = pairs.iter().map(|pair| (pair.from, pair.to, pair.amount, 1));
        let ends = (0_u32..).zip(nets).filter(|(_, net)| **net != 0).map(|(party, net)| match net.is_negative() {
            true => (source, party, net.strict_neg(), 0),
            false => (party, sink, *net, 0),
        });
        let edges: Vec<(u32, u32, i64, i8)> = debts.chain(ends).collect();

        let mut first = vec![0_u32; at(sink).strict_add(2)];
        for (from, to, ..) in &edges {
            for node in [from, to] {
                first[at(*node).strict_add(1)] = first[at(*node).strict_add(1)].strict_add(1);
            }
        }
        for node in 0..at(sink).strict_add(1) {
            first[node.strict_add(1)] = first[node.strict_add(1)].strict_add(first[node]);
        }
        let mut free = first.clone();
        let mut take = |node: u32| {
            let place = free[at(node)];
            free[at(node)] = place.strict_add(1);
            place
        };
        let mut arcs = vec![Arc { to: 0, twin: 0, room: 0, cost: 0 }; edges.len().strict_mul(2)];
        let mut places = Vec::with_capacity(edges.len());
        for (from, to, amount, cost) in edges {
            let (there, back) = (take(from), take(to));
            arcs[at(there)] = Arc { to, twin: back, room: amount, cost };
            arcs[at(back)] = Arc { to: from, twin: there, room: 0, cost: cost.strict_neg() };
            places.push(there);
        }
        let nodes = at(sink).strict_add(1);
        Self { source, sink, first, arcs, places, potential: vec![0; nodes], is_near: vec![false; nodes] }
    }

    /// The arcs that leave a node, by their places.
    fn leaving(&self, node: u32) -> impl Iterator<Item = (u32, &Arc)> {
        let (begin, end) = (self.first[at(node)], self.first[at(node).strict_add(1)]);
        (begin..end).zip(&self.arcs[at(begin)..at(end)])
    }

    /// Finds the shortest ways on which there is room, and makes them the new potentials (Dijkstra's algorithm with a bucket for each
    /// distance). False when nothing more can reach the sink.
    fn measure(&mut self) -> bool {
        let mut distance = vec![NOWHERE; self.potential.len()];
        let mut buckets = vec![vec![self.source]];
        distance[at(self.source)] = 0;
        let mut near = 0_u32;
        while at(near) < buckets.len() && near <= distance[at(self.sink)] {
            let Some(node) = buckets[at(near)].pop() else {
                near = near.strict_add(1);
                continue;
            };
            if distance[at(node)] != near {
                continue;
            }
            let potential = self.potential[at(node)];
            for (_, arc) in self.leaving(node).filter(|(_, arc)| arc.room > 0) {
                // How much longer than the shortest way to its head the way over this arc is: never less than nothing where there is room.
                let detour = potential.strict_add_signed(i32::from(arc.cost)).strict_sub(self.potential[at(arc.to)]);
                let there = near.strict_add(detour);
                if there < distance[at(arc.to)] {
                    distance[at(arc.to)] = there;
                    if buckets.len() <= at(there) {
                        buckets.resize_with(at(there).strict_add(1), Vec::new);
                    }
                    buckets[at(there)].push(arc.to);
                }
            }
        }
        let reached = distance[at(self.sink)];
        if reached == NOWHERE {
            return false;
        }
        // Whoever is farther than the sink is on no way that counts: it is enough that no arc gets shorter than nothing.
        for ((potential, is_near), distance) in self.potential.iter_mut().zip(&mut self.is_near).zip(distance) {
            *potential = potential.strict_add(distance.min(reached));
            *is_near = distance <= reached;
        }
        true
    }

    /// Whether the way over this arc, or back over it, is a shortest one.
    fn is_short(&self, from: u32, arc: &Arc) -> bool {
        self.potential[at(from)].checked_add_signed(i32::from(arc.cost)) == Some(self.potential[at(arc.to)])
    }

    /// The debts themselves would settle everybody, so a way was found for all.
    fn assert_settled(&self) {
        let ends = [self.source, self.sink];
        let tail = |arc: &Arc| self.arcs[at(arc.twin)].to;
        let mut of_ends =
            self.places.iter().map(|place| &self.arcs[at(*place)]).filter(|arc| ends.contains(&tail(arc)) || ends.contains(&arc.to));
        assert!(of_ends.all(|arc| arc.room == 0), "every payer pays its net, and every payee is paid it");
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("a network has fewer than 2^31 parties and pairs")
}
