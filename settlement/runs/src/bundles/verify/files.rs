//! The files of the run: each is what the result makes of it, byte by byte where that is known, and listed in the manifest.

use super::books::{Books, Counterparties, Vendor};
use super::expected::Expected;
use super::result::Outcome;
use super::unpack::Unpacker;
use super::{Checked, Findings, JSON_BYTES_MAX, Rule, Stop};
use crate::bundles::archive::MEMBER_BYTES_MAX;
use crate::bundles::cells::Cell;
use crate::bundles::records::{FILES, RunRecord, WindowRecord};
use crate::csv_text::push_row;
use crate::files::{
    EndLine, MANIFEST, Manifest, ManifestHead, POSITIONS, PairLines, SealedWindow, TRANSFERS, exact, paid, position_cells, position_names,
    push_end, statement_name, transfer_cells, transfer_names,
};
use crate::seals::Hash;
use netting::{Netting, Transfer};
use scrip::{Micro, Scale, VendorId};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::Read;
use uuid::Uuid;

/// The files while they are read.
pub(super) struct Files<'a> {
    run: &'a RunRecord,
    books: &'a Books<'a>,
    netting: Option<&'a Netting>,
    /// By the names of their statements.
    vendors: HashMap<String, Vendor>,
    /// For each vendor, what it is owed by and owes the others.
    counterparties: Vec<Counterparties>,
    /// For each vendor, what of it is held back.
    held_back: Vec<Counterparties>,
    /// What was set off and carried, counterparty by counterparty.
    pairs: Option<PairLines<'a>>,
    /// For each vendor, the places of the transfers that it pays or is paid.
    transfers: Vec<Vec<usize>>,
    manifest: Option<Vec<u8>>,
    /// Name, size and hash of those that the manifest lists.
    listed: Vec<(String, u64, Hash)>,
    last: Option<String>,
    count: i64,
    statement_count: usize,
    has_positions: bool,
    has_transfers: bool,
}

impl<'a> Files<'a> {
    pub(super) fn new(run: &'a RunRecord, books: &'a Books<'a>, outcome: &'a Outcome) -> Self {
        let codes = books.codes();
        let netting = outcome.netting();
        let places: HashMap<&str, Vendor> = codes.iter().enumerate().map(|(place, code)| (code.as_str(), place)).collect();
        let mut transfers = vec![Vec::new(); codes.len()];
        for (index, Transfer { payer, payee, amount: _ }) in netting.iter().flat_map(|netting| &netting.transfers).enumerate() {
            for party in [payer, payee] {
                if let Some(place) = places.get(party.as_str()) {
                    transfers[*place].push(index);
                }
            }
        }
        Self {
            run,
            books,
            netting,
            vendors: codes.iter().enumerate().map(|(place, code)| (statement_name(code), place)).collect(),
            counterparties: books.counterparties(),
            held_back: books.held_back(),
            pairs: netting.map(PairLines::of),
            transfers,
            manifest: None,
            listed: Vec::new(),
            last: None,
            count: 0,
            statement_count: 0,
            has_positions: false,
            has_transfers: false,
        }
    }

    pub(super) fn count(&self) -> i64 {
        self.count
    }

    /// The next file, which has this name.
    pub(super) fn read<R: Read>(&mut self, archive: &mut Unpacker<R>, findings: &mut Findings, name: &str) -> Result<(), Stop> {
        let member = format!("{FILES}{name}");
        if self.last.as_deref().is_some_and(|last| last >= name) {
            return Err(Stop::Ended { rule: Rule::Archive, what: format!("{member} stands twice, or not in its place") });
        }
        self.last = Some(name.to_owned());
        self.count = self.count.saturating_add(1);
        match (name, self.vendors.get(name).copied(), self.netting) {
            (MANIFEST, ..) => {
                self.manifest = Some(archive.read(&member, JSON_BYTES_MAX)?);
                return Ok(());
            }
            (POSITIONS, _, Some(netting)) => {
                self.has_positions = true;
                self.meet(archive, findings, Rule::Positions, &member, Some(self.positions(netting)))?;
            }
            (TRANSFERS, _, Some(netting)) => {
                self.has_transfers = true;
                self.read_transfers(archive, findings, &member, netting)?;
            }
            (_, Some(vendor), Some(netting)) => {
                self.statement_count = self.statement_count.saturating_add(1);
                self.meet(archive, findings, Rule::Statements, &member, self.statement(netting, vendor))?;
            }
            (_, None, _) if name.starts_with("statement-") => {
                findings.note(Rule::Statements, format!("{member}: no vendor with a position has this statement"));
                archive.copy(&member, MEMBER_BYTES_MAX, |_| ())?;
            }
            // Whatever else a run has is what the manifest says that it is.
            (..) => archive.copy(&member, MEMBER_BYTES_MAX, |_| ())?,
        }
        let read = archive.members.last().map(|read| (name.to_owned(), read.size_bytes, read.sha256.0));
        self.listed.extend(read);
        Ok(())
    }

    fn meet<R: Read>(
        &self,
        archive: &mut Unpacker<R>,
        findings: &mut Findings,
        rule: Rule,
        member: &str,
        expected: Option<Expected>,
    ) -> Result<(), Stop> {
        let Some(mut expected) = expected else {
            findings.note(rule, format!("{member}: what it should say cannot be said"));
            return archive.copy(member, MEMBER_BYTES_MAX, |_| ());
        };
        archive.copy(member, MEMBER_BYTES_MAX, |bytes| expected.meet(bytes))?;
        if !expected.met() {
            findings.note(rule, format!("{member}: it is not what the obligations and the result make of it"));
        }
        Ok(())
    }

    fn positions(&self, netting: &Netting) -> Expected {
        let mut text = Vec::new();
        push_row(&mut text, position_names());
        for p in &netting.positions {
            push_row(&mut text, position_cells(p.party.as_str(), [p.owed, p.owes, p.net, p.settled, p.carry], &self.run.currency.0));
        }
        Expected::whole(text)
    }

    /// What follows a statement's obligations, and with that the whole of it.
    fn statement(&self, netting: &Netting, vendor: Vendor) -> Option<Expected> {
        let codes = self.books.codes();
        let position =
            netting.positions.get(vendor).filter(|position| codes.get(vendor).is_some_and(|code| position.party.as_str() == code))?;
        let mut text = Vec::new();
        let mut push = |kind, counterparty: &str, transfer, owed, owes| {
            // Which vendor it is stands in the name of the file.
            let vendor = VendorId::new(Uuid::nil());
            let before = self.pairs.iter().flat_map(|pairs| pairs.before(kind, vendor, position.party.as_str()));
            let line = EndLine { vendor, kind, counterparty: counterparty.to_owned(), transfer, owed, owes };
            before.chain([line]).for_each(|line| push_end(&mut text, &line, self.run.id.0, &self.run.currency.0));
        };
        for (other, (owed, owes)) in self.counterparties.get(vendor)? {
            push("counterparty", codes.get(*other)?, None, Micro::new(*owed), Micro::new(*owes));
        }
        let [in_favour, against] = sides(position.net);
        push("net", "", None, in_favour, against);
        let mut held_net = 0_i64;
        for (other, (owed, owes)) in self.held_back.get(vendor)? {
            push("held_back", codes.get(*other)?, None, Micro::new(*owed), Micro::new(*owes));
            held_net = held_net.checked_add(owed.checked_sub(*owes)?)?;
        }
        let [given, taken] = sides(Micro::new(held_net.checked_sub(position.carry.units())?));
        push("rounding", "", None, given, taken);
        for index in self.transfers.get(vendor)? {
            let Transfer { payer, payee, amount } = netting.transfers.get(*index)?;
            let number = i64::try_from(*index).ok()?.checked_add(1);
            if *payee == position.party {
                push("transfer", payer.as_str(), number, *amount, Micro::ZERO);
            } else {
                push("transfer", payee.as_str(), number, Micro::ZERO, *amount);
            }
        }
        let [carried, taken] = sides(position.carry);
        push("closing_carry", "", None, carried, taken);
        self.books.statements.expect(vendor, text)
    }

    /// Everything up to the currency follows from the result; who the payee is at its bank does not.
    fn read_transfers<R: Read>(
        &self,
        archive: &mut Unpacker<R>,
        findings: &mut Findings,
        member: &str,
        netting: &Netting,
    ) -> Result<(), Stop> {
        let Some(digits) = Scale::try_new(self.run.digits.into()) else { return archive.copy(member, MEMBER_BYTES_MAX, |_| ()) };
        let mut transfers = (1_i64..).zip(&netting.transfers).map(|(number, Transfer { payer, payee, amount })| {
            transfer_cells(self.run.id.0, number, payer.as_str(), payee.as_str(), paid(*amount, digits), &self.run.currency.0)
        });
        let mut expected = Some(transfer_names().map(str::to_owned));
        let (mut line, mut number, mut wrong) = (Vec::new(), 0_usize, None);
        archive.copy(member, MEMBER_BYTES_MAX, |bytes| {
            for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
                if line.len() < LINE_BYTES_MAX {
                    line.extend_from_slice(piece);
                }
                if !piece.ends_with(b"\n") {
                    continue;
                }
                number = number.saturating_add(1);
                let begins = expected.take().or_else(|| transfers.next()).map(|cells| format!("{},", cells.join(",")));
                if wrong.is_none() && !begins.is_some_and(|begins| line.starts_with(begins.as_bytes())) {
                    wrong = Some(number);
                }
                line.clear();
            }
        })?;
        let rest = !line.is_empty() || transfers.next().is_some();
        if let Some(line) = wrong.or(rest.then_some(number)) {
            findings.note(Rule::TransfersFile, format!("{member}, line {line}: the transfers are not those of the result"));
        }
        Ok(())
    }

    /// All files are there: the manifest must list them.
    pub(super) fn end(self, findings: &mut Findings, checked: &mut Checked) {
        self.prove_manifest(findings, checked);
        findings.conclude(Rule::Manifest);
        if self.netting.is_none() {
            return;
        }
        for (is_there, rule, name) in
            [(self.has_positions, Rule::Positions, POSITIONS), (self.has_transfers, Rule::TransfersFile, TRANSFERS)]
        {
            if !is_there {
                findings.note(rule, format!("{FILES}{name} is missing"));
            }
            findings.conclude(rule);
        }
        if self.statement_count != self.vendors.len() {
            let (there, needed) = (self.statement_count, self.vendors.len());
            findings.note(Rule::Statements, format!("{FILES}: there are {there} statements for {needed} positions"));
        }
        findings.conclude(Rule::Statements);
    }

    fn prove_manifest(&self, findings: &mut Findings, checked: &mut Checked) {
        let member = format!("{FILES}{MANIFEST}");
        let Some(bytes) = &self.manifest else { return findings.note(Rule::Manifest, format!("{member} is missing")) };
        checked.manifest_sha256 = Some(hex::encode(Sha256::digest(bytes)));
        let Some(manifest) = Manifest::parse(bytes) else { return findings.note(Rule::Manifest, format!("{member} cannot be read")) };
        checked.previous_manifest_sha256.clone_from(&manifest.head.previous_manifest_sha256);
        if manifest.head != self.manifest_head(&manifest.head) {
            findings.note(Rule::Manifest, format!("{member}: it names another run, other figures, or other seals"));
        }
        let mut listed = manifest.files();
        for (name, size_bytes, sha256) in &self.listed {
            if listed.next() != Some((name, i64::try_from(*size_bytes).unwrap_or(i64::MAX), &hex::encode(sha256))) {
                findings.note(Rule::Manifest, format!("{FILES}{name}: the manifest does not list it like this"));
            }
        }
        if let Some((name, ..)) = listed.next() {
            findings.note(Rule::Manifest, format!("{FILES}{name} is missing"));
        }
    }

    /// The head that the manifest should have. Which runs it supersedes, the manifest before it, and who gave bank details are not in the
    /// bundle. What manifests of earlier releases do not say yet is as its default.
    fn manifest_head(&self, said: &ManifestHead) -> ManifestHead {
        let RunRecord { id, scheme, number, slot, currency, digits, strategy, min_transfer, algorithm_version, .. } = self.run;
        let RunRecord { obligation_count, gross, bilateral, net, total, transfer_count, input_hash, output_hash, .. } = self.run;
        ManifestHead {
            run: id.0.to_string(),
            number: if said.number == 0 { 0 } else { *number },
            supersedes: said.supersedes.clone(),
            scheme: scheme.0.clone(),
            slot: slot.clone(),
            currency: currency.0.clone(),
            digits: u8::try_from(*digits).unwrap_or(u8::MAX),
            strategy: strategy.0.clone(),
            min_transfer: if said.min_transfer.is_empty() && min_transfer.0 == Micro::ZERO { String::new() } else { exact(min_transfer.0) },
            algorithm_version: *algorithm_version,
            windows: self.books.windows().map(sealed_window).collect(),
            obligation_count: *obligation_count,
            gross: exact(gross.0),
            bilateral: exact(bilateral.0),
            net: exact(net.0),
            transfer_count: *transfer_count,
            control_sum: exact(total.0),
            without_account_count: said.without_account_count,
            without_account_sum: said.without_account_sum.clone(),
            input_hash: input_hash.0.show(),
            output_hash: output_hash.0.show(),
            previous_manifest_sha256: said.previous_manifest_sha256.clone(),
        }
    }
}

/// No row of transfers.csv is longer.
const LINE_BYTES_MAX: usize = 4 * 1024;

/// An amount with a sign, as the two columns of a statement say it: for the vendor, and against it.
fn sides(amount: Micro) -> [Micro; 2] {
    [amount.units().max(0), amount.units().saturating_neg().max(0)].map(Micro::new)
}

fn sealed_window(window: &WindowRecord) -> SealedWindow {
    let WindowRecord { id, number, opened_at, closed_at, slot: _, seal } = window;
    SealedWindow {
        id: id.0.show(),
        number: *number,
        opened_at: opened_at.0.show(),
        closed_at: closed_at.0.show(),
        obligation_count: seal.obligation_count,
        gross: exact(seal.gross.0),
        root: seal.root.0.show(),
        previous_seal: seal.previous_seal.0.show(),
        seal: seal.seal.0.show(),
    }
}
