//! A bundle held against itself: everything in it is made again from its obligations, by the code that the house runs on.
//!
//! Shape: one pass from the first byte to the last. `unpack` reads the archive, `books` sums up obligations and makes leaves, seals and
//! debts of them, `result` nets those and holds transfers and carries against it, `statements` and `files` the files, `steps` the run's history,
//! `histories` those of the transfers, `defaults` what took the place of those that failed; `findings` keeps what each rule was broken by. Memory
//! is that of the pairs that owe each other, of the transfers and what took their place, of one part of a table, and of the names of files.
//!
//! Whatever the input: no panic, and bounds on members, their sizes, rows, pairs. The reader may be the first ever to see these bytes.

mod books;
mod defaults;
mod expected;
mod files;
mod findings;
mod histories;
mod result;
mod statements;
mod steps;
mod unpack;

use super::archive;
use super::records::{
    BUNDLE, CarryRow, ConfirmationRow, DefaultDebtRow, DefaultDrawRow, DefaultRow, DrawCorrectionRow, FILES, FORMAT, HoldingRow, LeafRow,
    Listing, Member, ObligationRow, PART_ROWS_MAX, RUN, Record, RunRecord, STEPS, StepRecord, SwapRow, TransferRow, TransferStepRow,
    VendorRow, WINDOWS, WindowRecord, of_json, part_name,
};
use crate::ids::run_id;
use books::Books;
use defaults::Defaults;
use files::Files;
use findings::{Findings, Rule};
use histories::Histories;
use ledger::proofs::Proof;
use result::Outcome;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, Read};
use unpack::Unpacker;

/// The largest JSON member: a list of some 300,000 members.
const JSON_BYTES_MAX: u64 = 64 << 20;

/// The largest part of a table; its rows have some 400 bytes, with what somebody wrote some 3,000 at most.
const PART_BYTES_MAX: u64 = 32 << 20;

/// Why nothing was proven or disproven.
#[derive(Debug, thiserror::Error)]
pub enum NotProven {
    /// The first block is not the header of a bundle's first member.
    #[error("this is no bundle: it does not begin with the header of {RUN}")]
    NoBundle,
    /// The file cannot be read, whatever is in it.
    #[error("the bundle could not be read: {0}")]
    Unread(#[source] io::Error),
}

/// What became of each rule, and what the bundle says it is.
#[derive(Debug)]
pub struct Verified {
    /// One for each rule.
    pub proofs: Vec<Proof>,
    /// What was checked.
    pub checked: Checked,
}

/// What a bundle holds, as far as it was read, and what to hold against records from elsewhere: whoever invents a whole run can make a
/// bundle of it in which everything fits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The run's id.
    pub run: String,
    /// The scheme's code.
    pub scheme: String,
    /// Counts the scheme's runs from 1.
    pub number: i64,
    /// Where the run stood when the bundle was made.
    pub state: String,
    /// How many obligations were read.
    pub obligations: i64,
    /// How many swaps.
    pub swaps: i64,
    /// How many files of the run.
    pub files: i64,
    /// What was approved, where it was.
    pub output_hash: String,
    /// SHA-256 of manifest.json.
    pub manifest_sha256: Option<String>,
    /// What it is chained to: the manifest of the scheme's run before.
    pub previous_manifest_sha256: Option<String>,
    /// The windows of the run.
    pub windows: Vec<WindowSeal>,
}

/// A window and its place in the chain of seals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WindowSeal {
    /// Counts the scheme's windows from 1.
    pub number: i64,
    /// The seal of the window before.
    pub previous_seal: String,
    /// Its own.
    pub seal: String,
}

/// Why the pass ends before the last byte.
#[derive(Debug)]
enum Stop {
    /// What follows cannot be read as what it should be.
    Ended { rule: Rule, what: String },
    /// The world failed.
    Unread(io::Error),
}

/// Proves a bundle, or says of each rule what breaks it.
///
/// # Errors
/// When the bytes cannot be read, or are no bundle from the first block on.
pub fn verify(reader: impl Read) -> Result<Verified, NotProven> {
    let mut audit = Audit { archive: Unpacker::open(reader)?, findings: Findings::default(), checked: Checked::default() };
    match audit.walk() {
        Ok(()) => (),
        Err(Stop::Ended { rule, what }) => audit.findings.end(rule, what),
        Err(Stop::Unread(error)) => return Err(NotProven::Unread(error)),
    }
    Ok(Verified { proofs: audit.findings.into_proofs(), checked: audit.checked })
}

struct Audit<R> {
    archive: Unpacker<R>,
    findings: Findings,
    checked: Checked,
}

impl<R: Read> Audit<R> {
    /// The members in their order, each held against those before it.
    fn walk(&mut self) -> Result<(), Stop> {
        let run = self.run()?;
        self.introduce(&run);
        let windows: Vec<WindowRecord> = self.json(WINDOWS)?;
        let history: Vec<StepRecord> = self.json(STEPS)?;
        steps::prove(&mut self.findings, &run, &history);

        let mut books = Books::begin(&mut self.findings, windows, &run.currency.0);
        self.checked.windows = books.seals();
        self.table(|findings, place, row: VendorRow| books.add_vendor(findings, place, row))?;
        self.table(|findings, place, row: LeafRow| books.add_leaf(findings, place, &row))?;
        self.table(|findings, place, row: ObligationRow| books.add_obligation(findings, place, &row))?;
        self.checked.obligations = books.obligation_count();
        books.end_obligations(&mut self.findings);
        self.table(|findings, place, row: SwapRow| books.add_swap(findings, place, &row))?;
        self.checked.swaps = books.swap_count();
        books.end_swaps(&mut self.findings);

        self.table(|findings, place, row: HoldingRow| books.add_holding(findings, place, &row))?;
        let mut outcome = Outcome::of(&mut self.findings, &run, &books);
        let mut histories = Histories::begin(run.state.0, &books, outcome.netting());
        self.table(|findings, place, row: TransferRow| {
            histories.add_transfer(&row);
            outcome.meet_transfer(findings, place, &row);
        })?;
        self.table(|findings, place, row: CarryRow| outcome.meet_carry(findings, place, &row))?;
        outcome.end(&mut self.findings);
        self.table(|findings, place, row: TransferStepRow| histories.add_step(findings, place, &row))?;
        self.table(|findings, place, row: ConfirmationRow| histories.add_confirmation(findings, place, &row))?;
        histories.end(&mut self.findings);

        let mut defaults = Defaults::begin(&run, &books, outcome.netting(), histories.transfers());
        self.table(|findings, place, row: DefaultRow| defaults.add_default(findings, place, row))?;
        self.table(|findings, place, row: DefaultDebtRow| defaults.add_debt(findings, place, &row))?;
        self.table(|findings, place, row: DefaultDrawRow| defaults.add_draw(findings, place, row))?;
        self.table(|findings, place, row: DrawCorrectionRow| defaults.add_correction(findings, place, row))?;
        defaults.end(&mut self.findings);

        let mut files = Files::new(&run, &books, &outcome);
        while let Some(name) = self.archive.next_name().and_then(|name| name.strip_prefix(FILES)).map(str::to_owned) {
            files.read(&mut self.archive, &mut self.findings, &name)?;
        }
        self.checked.files = files.count();
        files.end(&mut self.findings, &mut self.checked);
        self.listing(&run)
    }

    /// Where every bundle begins: a bundle of another format is told so.
    fn run(&mut self) -> Result<RunRecord, Stop> {
        let text = self.archive.read(RUN, JSON_BYTES_MAX)?;
        let refused = |what| Stop::Ended { rule: Rule::Records, what };
        match serde_json::from_slice(&text) {
            Ok(Begin { format: Some(FORMAT) }) | Err(_) => of_json(&text).ok_or_else(|| refused(not_as_written(RUN))),
            Ok(Begin { format: Some(other) }) => {
                Err(refused(format!("{RUN}: the bundle has format {other}; this program proves format {FORMAT}")))
            }
            Ok(Begin { format: None }) => {
                Err(refused(format!("{RUN}: the bundle has an earlier format; this program proves format {FORMAT}")))
            }
        }
    }

    fn introduce(&mut self, run: &RunRecord) {
        let RunRecord { id, scheme_id, scheme, number, slot, state, output_hash, computed_at, .. } = run;
        self.checked.run = id.0.to_string();
        self.checked.scheme.clone_from(&scheme.0);
        self.checked.number = *number;
        self.checked.state = state.0.to_string();
        self.checked.output_hash = hex::encode(output_hash.0);
        if id.0 != run_id(scheme_id.0, slot) {
            self.findings.note(Rule::Run, format!("{RUN}: the id is not that of the scheme's slot"));
        }
        if archive::second(computed_at.0) != self.archive.at_second {
            self.findings.note(Rule::Archive, format!("{RUN}: the archive bears another instant than the run"));
        }
    }

    fn json<T: Serialize + DeserializeOwned>(&mut self, name: &str) -> Result<T, Stop> {
        let text = self.archive.read(name, JSON_BYTES_MAX)?;
        of_json(&text).ok_or_else(|| Stop::Ended { rule: Rule::Records, what: not_as_written(name) })
    }

    /// All parts of a table, row by row.
    fn table<T: Record>(&mut self, mut each: impl FnMut(&mut Findings, &Place<'_>, T)) -> Result<(), Stop> {
        let mut header = Vec::new();
        T::push_header(&mut header);
        let mut part = 1;
        loop {
            let member = part_name(T::TABLE, part);
            let text = self.archive.read(&member, PART_BYTES_MAX)?;
            let mut lines = text.split_inclusive(|byte| *byte == b'\n');
            if lines.next() != Some(header.as_slice()) {
                self.findings.note(Rule::Records, format!("{member}: the header is another"));
            }
            let mut row_count = 0_usize;
            for (line, number) in lines.zip(2..) {
                row_count = row_count.saturating_add(1);
                let place = Place { member: &member, line: number };
                match T::parse(line) {
                    Some(row) => each(&mut self.findings, &place, row),
                    None => self.findings.note(Rule::Records, format!("{place}: no row of {}, or not written as it would be", T::TABLE)),
                }
            }
            part = part.saturating_add(1);
            let goes_on = self.archive.next_name() == Some(&part_name(T::TABLE, part));
            if row_count > PART_ROWS_MAX || goes_on && row_count < PART_ROWS_MAX || part > 2 && row_count == 0 {
                self.findings.note(Rule::Records, format!("{member}: {row_count} rows are not how the table is parted"));
            }
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// bundle.json against what was read. What it does not say as it should ends the pass; there is nothing behind it.
    fn listing(&mut self, run: &RunRecord) -> Result<(), Stop> {
        let members = self.archive.members.clone();
        let listing: Listing = self.json(BUNDLE)?;
        if let Some(name) = self.archive.next_name() {
            return Err(Stop::Ended { rule: Rule::Archive, what: format!("{name} stands behind {BUNDLE}, the last member") });
        }
        let Listing { format, run: of, members: listed } = listing;
        if (format, of) != (FORMAT, run.id) {
            self.findings.note(Rule::Listing, format!("{BUNDLE}: it is of another format than {FORMAT}, or of another run"));
        }
        for (index, member) in members.iter().enumerate() {
            let Member { name, size_bytes, sha256 } = member;
            match listed.get(index) {
                Some(said) if said == member => (),
                Some(said) if said.name == *name => {
                    let what =
                        format!("{name}: it has {size_bytes} bytes with the SHA-256 {}, {BUNDLE} lists others", hex::encode(sha256.0));
                    self.findings.note(Rule::Listing, what);
                }
                Some(_) | None => self.findings.note(Rule::Listing, format!("{name}: {BUNDLE} does not list it in its place")),
            }
        }
        if listed.len() > members.len() {
            self.findings.note(Rule::Listing, format!("{BUNDLE}: it lists members that are not there"));
        }
        self.findings.conclude(Rule::Listing);
        self.findings.conclude(Rule::Archive);
        self.findings.conclude(Rule::Records);
        Ok(())
    }
}

/// What run.json of any format may begin with.
#[derive(Deserialize)]
struct Begin {
    format: Option<i64>,
}

fn not_as_written(name: &str) -> String {
    format!("{name} cannot be read, or is not written as it would be")
}

/// A line of a member.
struct Place<'a> {
    member: &'a str,
    line: usize,
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, line {}", self.member, self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What is no bundle is none, and what begins as one and goes on as anything is broken.
    fn must_not_hold(bytes: &[u8]) {
        match verify(bytes) {
            Ok(verified) => assert!(verified.proofs.iter().all(|proof| !proof.violations.is_empty()), "a rule holds of nothing"),
            Err(NotProven::NoBundle) => (),
            Err(NotProven::Unread(error)) => panic!("memory can be read: {error}"),
        }
    }

    fn member(name: &str, bytes: &[u8]) -> Vec<u8> {
        let size_bytes = u64::try_from(bytes.len()).unwrap();
        let header = archive::header(name, size_bytes, 1).unwrap();
        [&header, bytes, &archive::ZEROS[..archive::padding(size_bytes)]].concat()
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..3_000)) {
            must_not_hold(&bytes);
            must_not_hold(&member(RUN, &bytes));
            must_not_hold(&[member(RUN, b"{}"), bytes].concat());
        }

        #[test]
        fn json_of_any_depth_is_read_without_a_panic(depth in 0..200_000_usize, open in "[\\[{]") {
            must_not_hold(&member(RUN, open.repeat(depth).as_bytes()));
            must_not_hold(&member(RUN, format!("{{\"id\": {}", open.repeat(depth)).as_bytes()));
        }
    }
}
