//! What a run's windows hold: the obligations summed up, and everything that is made of them alone: leaves, seals, debts.
//!
//! Shape: rows come in the order of the bundle and are added one by one. Leaves wait until their obligations are complete. Swaps meet their
//! obligations as two hashes over the same lines ([`Lines`]), window by window, so that memory grows with neither.

use super::statements::Statements;
use super::{Findings, Place, Rule, WindowSeal};
use crate::bundles::cells::Cell;
use crate::bundles::records::{HoldingRow, LeafRow, ObligationRow, SealRecord, SwapRow, VendorRow, WINDOWS, WindowRecord};
use crate::csv_text::push_row;
use crate::seals::{BatchLeaf, Contents, FIRST, Hash, Leaf, Sums, Version, seal};
use jiff::Timestamp;
use ledger::obligations::Source;
use netting::Holding;
use scrip::{Code, Micro, VendorId};
use sha2::{Digest, Sha256};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Pairs of vendors that owe each other: more than a million vendors with few partners each.
const PAIRS_MAX: usize = 5_000_000;

/// Leaves that wait for their obligations: some hundred megabytes.
const LEAVES_MAX: usize = 4_000_000;

/// A vendor, by its place in the order of codes.
pub(super) type Vendor = usize;

/// In micro-units, by debtor and creditor.
type Debts = BTreeMap<(Vendor, Vendor), i64>;

/// Everything up to the netting.
pub(super) struct Books<'a> {
    windows: Vec<WindowBooks>,
    by_number: HashMap<i64, usize>,
    codes: Vec<String>,
    ids: Vec<VendorId>,
    vendors: HashMap<VendorId, Vendor>,
    /// What debtors owe creditors.
    pairs: Debts,
    /// What of it is held back.
    held: Debts,
    /// What the statements must list.
    pub(super) statements: Statements<'a>,
    /// Those whose obligations are not all there yet.
    batches: HashMap<Key, Batch>,
    last_leaf: Option<Key>,
    last_obligation: Option<(usize, Uuid, Uuid)>,
}

/// What a vendor is owed by and owes each of the others.
pub(super) type Counterparties = BTreeMap<Vendor, (i64, i64)>;

/// Which batch: the key of its leaf.
type Key = (usize, Timestamp, i16);

/// The leaf that a batch has, and what its obligations make.
struct Batch {
    leaf: BatchLeaf,
    made: Sums,
}

struct WindowBooks {
    record: WindowRecord,
    version: Option<Version>,
    /// Under the seal: leaves, or obligations where it is of the first version.
    sums: Sums,
    obligation_count: i64,
    gross: i128,
    swaps: Lines,
    swaps_owed: Lines,
}

/// Lines that two tables should have in common: as many, and with the same hash.
#[derive(Default)]
pub(super) struct Lines {
    count: i64,
    hasher: Sha256,
}

impl Lines {
    pub(super) fn add(&mut self, line: &[u8]) {
        self.count = self.count.saturating_add(1);
        self.hasher.update(line);
    }

    pub(super) fn hash(&self) -> (i64, Hash) {
        (self.count, self.hasher.clone().finalize().into())
    }
}

impl<'a> Books<'a> {
    pub(super) fn begin(findings: &mut Findings, records: Vec<WindowRecord>, currency: &'a str) -> Self {
        prove_chain(findings, &records);
        let windows: Vec<WindowBooks> = records.into_iter().map(WindowBooks::new).collect();
        Self {
            by_number: windows.iter().enumerate().map(|(index, window)| (window.record.number, index)).collect(),
            windows,
            codes: Vec::new(),
            ids: Vec::new(),
            vendors: HashMap::new(),
            pairs: Debts::new(),
            held: Debts::new(),
            statements: Statements::new(currency),
            batches: HashMap::new(),
            last_leaf: None,
            last_obligation: None,
        }
    }

    pub(super) fn add_vendor(&mut self, findings: &mut Findings, place: &Place<'_>, row: VendorRow) {
        let VendorRow { code, id } = row;
        let follows = self.codes.last().is_none_or(|last| *last < code);
        if Code::parse(&code).is_err() || !follows || self.vendors.insert(id, self.codes.len()).is_some() {
            findings.note(Rule::Records, format!("{place}: no vendor's code, or out of order, or twice"));
        }
        self.codes.push(code);
        self.ids.push(id);
        self.statements.add_vendor();
    }

    pub(super) fn add_leaf(&mut self, findings: &mut Findings, place: &Place<'_>, row: &LeafRow) {
        let Some(index) = self.by_number.get(&row.window).copied() else {
            return findings.note(Rule::Records, format!("{place}: window {} is none of the run", row.window));
        };
        let key = (index, row.booked_at, row.writer);
        let window = &mut self.windows[index];
        if window.version != Some(Version::Leaves) || self.last_leaf.is_some_and(|last| last >= key) {
            findings.note(Rule::Records, format!("{place}: the leaf does not stand in its place"));
        }
        self.last_leaf = Some(key);
        let LeafRow { window: _, booked_at, writer, obligation_count, gross, root } = *row;
        let leaf = BatchLeaf { booked_at, writer, obligation_count, gross, root };
        if window.sums.add(leaf.hash(), obligation_count, gross).is_err() {
            findings.note(Rule::Leaves, format!("{place}: the leaves sum to more than can be"));
        }
        if self.batches.len() >= LEAVES_MAX {
            return findings.note(Rule::Leaves, format!("{place}: more than {LEAVES_MAX} leaves"));
        }
        self.batches.insert(key, Batch { leaf, made: Sums::default() });
    }

    pub(super) fn add_obligation(&mut self, findings: &mut Findings, place: &Place<'_>, row: &ObligationRow) {
        let Some(index) = self.by_number.get(&row.window).copied() else {
            return findings.note(Rule::Records, format!("{place}: window {} is none of the run", row.window));
        };
        let (Some(debtor), Some(creditor)) = (self.vendor(row.debtor), self.vendor(row.creditor)) else {
            return findings.note(Rule::Records, format!("{place}: a vendor without a position"));
        };
        if debtor == creditor || row.amount <= Micro::ZERO {
            return findings.note(Rule::Records, format!("{place}: nobody owes itself, and nothing less than a millionth"));
        }
        let window = &mut self.windows[index];
        window.obligation_count = window.obligation_count.saturating_add(1);
        window.gross = window.gross.saturating_add(i128::from(row.amount.units()));
        if row.source == Source::Swap {
            window.swaps_owed.add(&swap_line(row.user, row.operation.uuid(), row.debtor, row.creditor, row.amount));
        }
        let order = (index, row.id, row.user);
        if self.last_obligation.is_some_and(|last| last >= order) {
            findings.note(Rule::Records, format!("{place}: the obligation does not stand in its place"));
        }
        self.last_obligation = Some(order);
        match window.version {
            Some(Version::Leaves) => self.add_to_batch(findings, place, (index, row.booked_at, row.writer), row.leaf()),
            Some(Version::Obligations) | None => {
                if window.sums.add(row.leaf().hash(), 1, row.amount).is_err() {
                    findings.note(Rule::Seals, format!("{place}: the obligations sum to more than can be"));
                }
            }
        }
        self.add_debt(findings, place, (debtor, creditor), row.amount);
        self.statements.add(row, (debtor, &self.codes[debtor]), (creditor, &self.codes[creditor]));
    }

    pub(super) fn vendor(&self, id: VendorId) -> Option<Vendor> {
        self.vendors.get(&id).copied()
    }

    pub(super) fn id(&self, vendor: Vendor) -> VendorId {
        self.ids[vendor]
    }

    /// The vendor of that code; the house is none.
    pub(super) fn find(&self, code: &str) -> Option<Vendor> {
        self.codes.binary_search_by(|known| known.as_str().cmp(code)).ok()
    }

    fn add_debt(&mut self, findings: &mut Findings, place: &Place<'_>, pair: (Vendor, Vendor), amount: Micro) {
        if self.pairs.len() >= PAIRS_MAX && !self.pairs.contains_key(&pair) {
            return findings.note(Rule::Netting, format!("{place}: more than {PAIRS_MAX} pairs owe each other"));
        }
        let sum = self.pairs.entry(pair).or_default();
        match sum.checked_add(amount.units()) {
            Some(larger) => *sum = larger,
            None => findings.note(Rule::Netting, format!("{place}: a pair owes more than can be")),
        }
    }

    /// Adds an obligation to its batch. With the last one, the batch must be what its leaf says.
    fn add_to_batch(&mut self, findings: &mut Findings, place: &Place<'_>, key: Key, obligation: Leaf) {
        let Some(batch) = self.batches.get_mut(&key) else {
            return findings.note(Rule::Leaves, format!("{place}: the obligation's batch has no leaf, or one for fewer obligations"));
        };
        if batch.made.add(obligation.hash(), 1, obligation.amount).is_err() {
            findings.note(Rule::Leaves, format!("{place}: the obligations sum to more than can be"));
        }
        if batch.made.obligation_count() < batch.leaf.obligation_count {
            return;
        }
        let Some(Batch { leaf, made }) = self.batches.remove(&key) else { return };
        let Contents { version: _, obligation_count, gross, root } = made.contents(Version::Obligations);
        if (leaf.obligation_count, leaf.gross, leaf.root) != (obligation_count, gross, root) {
            findings.note(Rule::Leaves, format!("leaves: {} has another leaf than its obligations make", self.name(key)));
        }
    }

    fn name(&self, (index, booked_at, writer): Key) -> String {
        format!("the batch of writer {writer} at {booked_at} in window {}", self.windows[index].record.number)
    }

    /// All obligations are there: leaves and seals must be what they make.
    pub(super) fn end_obligations(&mut self, findings: &mut Findings) {
        if let Some(key) = self.batches.keys().min() {
            let (count, first) = (self.batches.len(), self.name(*key));
            findings.note(Rule::Leaves, format!("leaves: {count} have other obligations than there are; the first is that of {first}"));
        }
        for window in &mut self.windows {
            window.prove(findings);
        }
        findings.conclude(Rule::Leaves);
        findings.conclude(Rule::Seals);
    }

    pub(super) fn add_swap(&mut self, findings: &mut Findings, place: &Place<'_>, row: &SwapRow) {
        let Some(index) = self.by_number.get(&row.window).copied() else {
            return findings.note(Rule::Records, format!("{place}: window {} is none of the run", row.window));
        };
        let SwapRow { window: _, user, id, from, to, send_units, receive_units, from_unit_value, to_unit_value, .. } = *row;
        let SwapRow { value, to_vendor, house_fee, source_margin, rounding, .. } = *row;
        let parts = [to_vendor, house_fee, source_margin, rounding];
        let sum: i128 = parts.iter().map(|part| i128::from(part.units())).sum();
        let worth = i128::from(send_units.units()).checked_mul(i128::from(from_unit_value.units()));
        for (holds, what) in [
            (worth == Some(i128::from(value.units())), "the value is not that of the tokens taken"),
            (sum == i128::from(value.units()), "the figures do not add up to the value"),
            (parts.iter().all(|part| *part >= Micro::ZERO), "a figure is less than nothing"),
            (send_units.units() >= 1 && receive_units.units() >= 1, "a swap takes and gives something"),
            (from_unit_value >= Micro::new(1) && to_unit_value >= Micro::new(1), "a token is worth something"),
        ] {
            if !holds {
                findings.note(Rule::Swaps, format!("{place}: swap {}: {what}", id.show()));
            }
        }
        self.windows[index].swaps.add(&swap_line(user, id.uuid(), from, to, to_vendor));
    }

    /// All swaps are there: they must be those of the obligations, in their order.
    pub(super) fn end_swaps(&self, findings: &mut Findings) {
        for WindowBooks { record, swaps, swaps_owed, .. } in &self.windows {
            if swaps.hash() != swaps_owed.hash() {
                let (number, count, owed) = (record.number, swaps.count, swaps_owed.count);
                let what =
                    format!("swaps: the {count} swaps of window {number} are not those of its {owed} obligations that come from swaps");
                findings.note(Rule::Swaps, what);
            }
        }
        findings.conclude(Rule::Swaps);
    }

    pub(super) fn add_holding(&mut self, findings: &mut Findings, place: &Place<'_>, row: &HoldingRow) {
        let HoldingRow { debtor, creditor, amount } = row;
        let pair = self.find(debtor).zip(self.find(creditor));
        let owed = pair.and_then(|pair| self.pairs.get(&pair)).copied().unwrap_or_default();
        let Some(pair) = pair.filter(|_| (1..=owed).contains(&amount.units())) else {
            return findings.note(Rule::Netting, format!("{place}: {debtor} does not owe {creditor} as much as is held back"));
        };
        if self.held.last_key_value().is_some_and(|(last, _)| *last >= pair) {
            findings.note(Rule::Records, format!("{place}: the holding does not stand in its place"));
        }
        self.held.insert(pair, amount.units());
    }

    pub(super) fn obligation_count(&self) -> i64 {
        self.windows.iter().fold(0, |count, window| count.saturating_add(window.obligation_count))
    }

    pub(super) fn swap_count(&self) -> i64 {
        self.windows.iter().fold(0, |count, window| count.saturating_add(window.swaps.count))
    }

    pub(super) fn gross(&self) -> i128 {
        self.windows.iter().fold(0, |sum, window| sum.saturating_add(window.gross))
    }

    pub(super) fn codes(&self) -> &[String] {
        &self.codes
    }

    /// What each debtor owes each creditor, by their codes.
    pub(super) fn debts(&self) -> impl Iterator<Item = (&String, &String, Micro)> {
        self.pairs.iter().map(|((debtor, creditor), amount)| (&self.codes[*debtor], &self.codes[*creditor], Micro::new(*amount)))
    }

    /// What is held back of it.
    pub(super) fn holdings(&self) -> Vec<Holding> {
        let holding = |((debtor, creditor), amount): (&(Vendor, Vendor), &i64)| Holding {
            debtor: self.codes[*debtor].clone(),
            creditor: self.codes[*creditor].clone(),
            amount: Micro::new(*amount),
        };
        self.held.iter().map(holding).collect()
    }

    /// For each vendor, what it is owed by and owes the others.
    pub(super) fn counterparties(&self) -> Vec<Counterparties> {
        self.by_vendor(&self.pairs)
    }

    /// For each vendor, what of it is held back.
    pub(super) fn held_back(&self) -> Vec<Counterparties> {
        self.by_vendor(&self.held)
    }

    fn by_vendor(&self, debts: &Debts) -> Vec<Counterparties> {
        let mut of_all = vec![Counterparties::new(); self.codes.len()];
        for ((debtor, creditor), amount) in debts {
            of_all[*creditor].entry(*debtor).or_default().0 = *amount;
            of_all[*debtor].entry(*creditor).or_default().1 = *amount;
        }
        of_all
    }

    pub(super) fn windows(&self) -> impl DoubleEndedIterator<Item = &WindowRecord> {
        self.windows.iter().map(|window| &window.record)
    }

    pub(super) fn seals(&self) -> Vec<WindowSeal> {
        let of_window = |WindowRecord { number, seal, .. }: &WindowRecord| WindowSeal {
            number: *number,
            previous_seal: seal.previous_seal.0.show(),
            seal: seal.seal.0.show(),
        };
        self.windows().map(of_window).collect()
    }
}

impl WindowBooks {
    fn new(record: WindowRecord) -> Self {
        Self {
            version: Version::parse(record.seal.version),
            record,
            sums: Sums::default(),
            obligation_count: 0,
            gross: 0,
            swaps: Lines::default(),
            swaps_owed: Lines::default(),
        }
    }

    fn prove(&mut self, findings: &mut Findings) {
        let WindowRecord { id, number, seal: said, .. } = &self.record;
        let sealed = (i128::from(said.obligation_count), i128::from(said.gross.0.units()));
        if sealed != (i128::from(self.obligation_count), self.gross) {
            let (count, gross) = (self.obligation_count, self.gross);
            findings.note(
                Rule::Leaves,
                format!("{WINDOWS}: window {number} holds {gross} micro-units in {count} obligations, not what is sealed"),
            );
        }
        let Some(version) = self.version else {
            return findings
                .note(Rule::Seals, format!("{WINDOWS}: window {number} has a seal of version {}, which is unknown", said.version));
        };
        let contents = std::mem::take(&mut self.sums).contents(version);
        let made = seal(&said.previous_seal.0, id.0, *number, contents);
        let SealRecord { version: _, obligation_count, gross, root, previous_seal: _, seal } = said;
        if (made.obligation_count, made.gross, made.root, made.seal) != (*obligation_count, gross.0, root.0, seal.0) {
            findings.note(Rule::Seals, format!("{WINDOWS}: the seal of window {number} is not that of what it is made from"));
        }
    }
}

/// The windows in their order, each chained to the one before where that is in the bundle too.
fn prove_chain(findings: &mut Findings, windows: &[WindowRecord]) {
    let mut last: Option<&WindowRecord> = None;
    for window in windows {
        let number = window.number;
        if number < 1 || last.is_some_and(|last| last.number.cmp(&number) != Ordering::Less) {
            findings.note(Rule::Records, format!("{WINDOWS}: window {number} does not stand in its place"));
        }
        let adjacent = last.filter(|last| last.number.checked_add(1) == Some(number));
        let previous = if number == 1 { Some(FIRST) } else { adjacent.map(|last| last.seal.seal.0) };
        if previous.is_some_and(|previous| previous != window.seal.previous_seal.0) {
            findings.note(Rule::Seals, format!("{WINDOWS}: window {number} is not chained to the seal of the window before"));
        }
        let (opened_at, closed_at) = (window.opened_at.0, window.closed_at.0);
        if closed_at < opened_at || adjacent.is_some_and(|last| last.closed_at.0 != opened_at) {
            findings.note(Rule::Run, format!("{WINDOWS}: window {number} does not begin where the one before it ends"));
        }
        last = Some(window);
    }
}

/// What an obligation and its swap have in common.
fn swap_line(user: Uuid, swap: Uuid, from: VendorId, to: VendorId, amount: Micro) -> Vec<u8> {
    let mut line = Vec::new();
    push_row(&mut line, [user.show(), swap.show(), from.show(), to.show(), amount.show()]);
    line
}
