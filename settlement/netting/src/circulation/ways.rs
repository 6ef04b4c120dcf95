//! The part of a graph through which shortest ways lead from source to sink, and as much as fits through it, by blocking flows (Dinic).
//!
//! What flows makes room on the way back, which leads nowhere that the way itself did not come from: so nodes that are on no shortest way
//! at first never are, and are left out, with most of the arcs.

use super::{Graph, NOWHERE, number};
use crate::network::at;
use std::collections::VecDeque;

/// Nodes are numbered anew, in their order, and arcs keep theirs.
pub(super) struct Ways {
    source: u32,
    sink: u32,
    /// The arcs that leave a node: `arcs[first[node]..first[node + 1]]`.
    first: Vec<u32>,
    arcs: Vec<Arc>,
    /// By arc: its place in the graph.
    places: Vec<u32>,
    /// By node: how many arcs from the source.
    level: Vec<u32>,
}

/// One direction of an edge, both of which are on shortest ways.
#[derive(Debug, Clone, Copy)]
struct Arc {
    to: u32,
    twin: u32,
    room: i64,
}

impl Ways {
    pub(super) fn of(graph: &Graph) -> Self {
        let is_on_a_way = leading_to_the_sink(graph);
        let mut numbers = vec![NOWHERE; graph.potential.len()];
        let nodes: Vec<u32> = (0_u32..).zip(is_on_a_way).filter(|(_, is_on_a_way)| *is_on_a_way).map(|(node, _)| node).collect();
        for (new, node) in (0_u32..).zip(&nodes) {
            numbers[at(*node)] = new;
        }
        let mut first = vec![0];
        let (mut arcs, mut places) = (Vec::new(), Vec::new());
        let mut moved = vec![NOWHERE; graph.arcs.len()];
        for node in nodes {
            for (place, arc) in graph.leaving(node).filter(|(_, arc)| numbers[at(arc.to)] != NOWHERE && graph.is_short(node, arc)) {
                moved[at(place)] = number(arcs.len());
                arcs.push(Arc { to: numbers[at(arc.to)], twin: arc.twin, room: arc.room });
                places.push(place);
            }
            first.push(number(arcs.len()));
        }
        for arc in &mut arcs {
            // An arc that is on a shortest way is so in both directions.
            arc.twin = moved[at(arc.twin)];
        }
        Self { source: numbers[at(graph.source)], sink: numbers[at(graph.sink)], first, arcs, places, level: Vec::new() }
    }

    /// Sends as much as there is room for.
    pub(super) fn fill(&mut self) {
        while self.layer() {
            self.block();
        }
    }

    pub(super) fn write_back(self, graph: &mut Graph) {
        for (arc, place) in self.arcs.iter().zip(self.places) {
            graph.arcs[at(place)].room = arc.room;
        }
    }

    /// Counts the arcs from the source, as far as the sink. False when no room is left on the way there.
    fn layer(&mut self) -> bool {
        let mut level = vec![NOWHERE; self.first.len().strict_sub(1)];
        level[at(self.source)] = 0;
        let mut queue = VecDeque::from([self.source]);
        while let Some(node) = queue.pop_front() {
            let deeper = level[at(node)].strict_add(1);
            if deeper > level[at(self.sink)] {
                break;
            }
            for arc in &self.arcs[at(self.first[at(node)])..at(self.first[at(node).strict_add(1)])] {
                if arc.room > 0 && level[at(arc.to)] == NOWHERE {
                    level[at(arc.to)] = deeper;
                    queue.push_back(arc.to);
                }
            }
        }
        self.level = level;
        self.level[at(self.sink)] != NOWHERE
    }

    /// Sends as much as there is room for from layer to layer, way by way; afterwards every way has an arc without room.
    fn block(&mut self) {
        let mut next = self.first.clone();
        let mut way: Vec<u32> = Vec::new();
        let mut node = self.source;
        loop {
            if node == self.sink {
                node = self.send(&mut way);
            } else if let Some(arc) = self.next_arc(node, &mut next) {
                way.push(arc);
                node = self.arcs[at(arc)].to;
            } else {
                // A dead end, for every way.
                self.level[at(node)] = NOWHERE;
                let Some(arc) = way.pop() else { return };
                node = self.tail(arc);
            }
        }
    }

    /// Sends along the way what its narrowest arc takes, and goes back to before that.
    fn send(&mut self, way: &mut Vec<u32>) -> u32 {
        let amount = way.iter().map(|arc| self.arcs[at(*arc)].room).min().expect("the source is not the sink");
        for arc in &*way {
            let Arc { twin, room, .. } = &mut self.arcs[at(*arc)];
            *room = room.strict_sub(amount);
            let back = at(*twin);
            self.arcs[back].room = self.arcs[back].room.strict_add(amount);
        }
        let full = way.iter().position(|arc| self.arcs[at(*arc)].room == 0).expect("the narrowest arc is full");
        let before = self.tail(way[full]);
        way.truncate(full);
        before
    }

    fn tail(&self, arc: u32) -> u32 {
        self.arcs[at(self.arcs[at(arc)].twin)].to
    }

    /// The next arc of the node that leads to the next layer; those before it never will again.
    fn next_arc(&self, node: u32, next: &mut [u32]) -> Option<u32> {
        let deeper = self.level[at(node)].strict_add(1);
        let (begin, end) = (next[at(node)], self.first[at(node).strict_add(1)]);
        let left = &self.arcs[at(begin)..at(end)];
        let found = left.iter().position(|arc| arc.room > 0 && self.level[at(arc.to)] == deeper);
        next[at(node)] = found.map_or(end, |passed| begin.strict_add(number(passed)));
        found.map(|_| next[at(node)])
    }
}

/// By node: whether a shortest way with room leads there, and from there to the sink.
fn leading_to_the_sink(graph: &Graph) -> Vec<bool> {
    let mut is_on_a_way = vec![false; graph.potential.len()];
    is_on_a_way[at(graph.sink)] = true;
    let mut left = vec![graph.sink];
    while let Some(node) = left.pop() {
        for (_, back) in graph.leaving(node) {
            let before = at(back.to);
            if graph.is_near[before] && !is_on_a_way[before] && graph.is_short(node, back) && graph.arcs[at(back.twin)].room > 0 {
                is_on_a_way[before] = true;
                left.push(back.to);
            }
        }
    }
    is_on_a_way
}
