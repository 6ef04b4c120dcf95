//! Debts as arcs forwards and payments as arcs backwards, so that as much comes to every party as leaves it.

use super::Payment;
use crate::network::at;
use std::ops::Range;

/// One obligation, parties by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) reference: u64,
    pub(super) amount: i64,
}

/// One obligation of a pair.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owed {
    pub(super) reference: u64,
    pub(super) amount: i64,
    /// The sum of the pair's obligations up to and with this one.
    end: i64,
}

/// What an arc stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meaning {
    /// From payee to payer.
    Payment(Payment),
    /// From debtor to creditor: `owed[first..end]`.
    Debts { first: usize, end: usize },
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Arc {
    pub(super) from: u32,
    pub(super) to: u32,
    /// The sum of the pair's obligations, or the payment. More than zero.
    pub(super) amount: i64,
    pub(super) meaning: Meaning,
}

#[derive(Debug)]
pub(super) struct Graph {
    /// By where they begin; there, payments before debts; payments in the order of the netting, debts by creditor.
    pub(super) arcs: Vec<Arc>,
    /// The arcs that leave a node: `arcs[first[node]..first[node + 1]]`.
    first: Vec<usize>,
    /// Where each payment's arc is: transfers, then carries.
    pub(super) payments: Vec<(Payment, u32)>,
    /// By debtor, creditor and reference.
    pub(super) owed: Vec<Owed>,
    /// The node after the last party's.
    pub(super) house: u32,
}

impl Graph {
    /// `payments` are `(payer, payee, amount)`.
    pub(super) fn of(mut rows: Vec<Row>, payments: Vec<(Payment, (u32, u32, i64))>, house: usize) -> Self {
        rows.sort_unstable();
        let mut arcs: Vec<Arc> = Vec::new();
        let mut owed: Vec<Owed> = Vec::with_capacity(rows.len());
        for Row { from, to, reference, amount } in rows {
            let place = owed.len();
            match arcs.last_mut() {
                Some(Arc { from: debtor, to: creditor, amount: sum, meaning: Meaning::Debts { end, .. } })
                    if (*debtor, *creditor) == (from, to) =>
                {
                    *sum = sum.strict_add(amount);
                    *end = place.strict_add(1);
                }
                Some(_) | None => arcs.push(Arc { from, to, amount, meaning: Meaning::Debts { first: place, end: place.strict_add(1) } }),
            }
            let end = arcs.last().map_or(amount, |arc| arc.amount);
            owed.push(Owed { reference, amount, end });
        }
        arcs.extend(payments.iter().map(|(payment, (payer, payee, amount))| Arc {
            from: *payee,
            to: *payer,
            amount: *amount,
            meaning: Meaning::Payment(*payment),
        }));
        // Stable, and debts stand sorted already, as do payments.
        arcs.sort_by_key(|arc| (arc.from, matches!(arc.meaning, Meaning::Debts { .. })));

        let nodes = house.strict_add(1);
        let first = (0..=nodes).map(|node| arcs.partition_point(|arc| at(arc.from) < node)).collect();
        let mut places: Vec<(Payment, u32)> = (0..)
            .zip(&arcs)
            .filter_map(|(place, arc)| match arc.meaning {
                Meaning::Payment(payment) => Some((payment, place)),
                Meaning::Debts { .. } => None,
            })
            .collect();
        places.sort_unstable();
        let graph = Self { arcs, first, payments: places, owed, house: number(house) };
        graph.assert_balanced(nodes);
        graph
    }

    fn assert_balanced(&self, nodes: usize) {
        let mut balances = vec![0_i128; nodes];
        for Arc { from, to, amount, .. } in &self.arcs {
            balances[at(*from)] = balances[at(*from)].strict_sub(i128::from(*amount));
            balances[at(*to)] = balances[at(*to)].strict_add(i128::from(*amount));
        }
        assert!(balances.iter().all(|balance| *balance == 0), "transfers and carries give every party its net");
    }

    pub(super) fn nodes(&self) -> usize {
        self.first.len().strict_sub(1)
    }

    pub(super) fn leaving(&self, node: u32) -> Range<usize> {
        self.first[at(node)]..self.first[at(node).strict_add(1)]
    }

    pub(super) fn payment(&self, payment: Payment) -> Option<u32> {
        self.payments.binary_search_by_key(&payment, |(payment, _)| *payment).ok().map(|place| self.payments[place].1)
    }

    /// The arc of what `debtor` owes `creditor`.
    pub(super) fn debts(&self, debtor: u32, creditor: u32) -> Option<u32> {
        let leaving = self.leaving(debtor);
        let is_before = |arc: &Arc| matches!(arc.meaning, Meaning::Payment(_)) || arc.to < creditor;
        let place = leaving.start.strict_add(self.arcs[leaving.clone()].partition_point(is_before));
        (place < leaving.end && self.arcs[place].to == creditor).then(|| number(place))
    }

    /// Which obligations are behind `amount` of the arc's debts, when so much of them is `explained` already, and with how much each.
    pub(super) fn parts(&self, arc: u32, explained: i64, amount: i64) -> impl Iterator<Item = (usize, i64)> {
        let (first, last) = match self.arcs[at(arc)].meaning {
            Meaning::Debts { first, end } => (first, end),
            Meaning::Payment(_) => (0, 0),
        };
        let until = explained.strict_add(amount);
        let begin = first.strict_add(self.owed[first..last].partition_point(|owed| owed.end <= explained));
        let mut done = explained;
        (begin..last).map_while(move |place| {
            let part = self.owed[place].end.min(until).strict_sub(done);
            done = done.strict_add(part);
            (part > 0).then_some((place, part))
        })
    }
}

pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).expect("a netting has fewer than 2^32 parties, and pairs and payments")
}
