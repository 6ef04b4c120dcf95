//! Imports: obligations from a CSV file into a scheme's open window, all of them or none.
//!
//! Shape: the file is read and checked whole ([`crate::obligations_csv`]), its parties become vendors of the scheme, and one tx
//! writes everything. The file's SHA-256 is the key of the import: the same bytes go into a scheme once. It never sums, folds or
//! skips a row, and never guesses which vendor a name could mean.

mod store;

use crate::obligations_csv::{Column, ObligationsCsv, ObligationsCsvError};
use jiff::Timestamp;
use ledger::obligations::{LEAF_KEY, NewObligation, Recorder, record};
use ledger::{Clock, Db, Failure, Fault, Tx, lock_scheme_shared, new_id};
use scrip::posting::WINDOW_MAX;
use scrip::{Code, Micro, OperationId, SchemeId, VendorId};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{self, Read};
pub use store::STATEMENTS;

/// How a file is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether parties that are no vendors yet become vendors of the scheme; otherwise they are refused.
    pub create_vendors: bool,
    /// Stands before each party's name to make the vendor's code; may be empty.
    pub code_prefix: String,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The operation that every obligation of the file names.
    pub operation: OperationId,
    /// The number of the window that they are in.
    pub window: i64,
    /// How many obligations there are.
    pub obligation_count: usize,
    /// How many vendors were made for them.
    pub vendors_created: usize,
    /// What they sum to.
    pub sum: Micro,
}

/// How far an import has come, for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportStep {
    /// So many rows have been read.
    Read(usize),
    /// The vendors are being found or made.
    Vendors,
    /// The obligations are being written.
    Write,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportRefusal {
    /// The file is not a CSV of obligations.
    #[error(transparent)]
    File(ObligationsCsvError),
    /// A party's name cannot be a vendor's code.
    #[error(
        "line {line}, column {column}: {code} is no vendor code (2 to 32 of A-Z, 0-9, _ and -, beginning with a letter or digit, and not \
         HOUSE); --code-prefix puts a text such as P before every party"
    )]
    PartyIsNoCode {
        /// Where the party is first named.
        line: u64,
        /// Debtor or creditor.
        column: Column,
        /// The prefix and the name.
        code: String,
    },
    /// No vendor has the code.
    #[error("line {line}, column {column}: there is no vendor {code}; --create-vendors makes those that are missing")]
    VendorNotFound {
        /// Where the party is first named.
        line: u64,
        /// Debtor or creditor.
        column: Column,
        /// The code.
        code: Code,
    },
    /// The vendor settles elsewhere.
    #[error("line {line}, column {column}: vendor {code} is not a member of the scheme")]
    VendorNotMember {
        /// Where the party is first named.
        line: u64,
        /// Debtor or creditor.
        column: Column,
        /// The code.
        code: Code,
    },
    /// The sum of the file is more than one run can net.
    #[error("line {line}, column amount: the obligations up to here sum to more than can be netted at once")]
    SumTooLarge {
        /// Where the sum becomes too large.
        line: u64,
    },
    /// The same bytes have been imported into the scheme before.
    #[error("this file has been imported into the scheme already, at {at}")]
    AlreadyImported {
        /// When.
        at: Timestamp,
    },
    /// Imports have put as much into the open window as a run can net.
    #[error("the scheme's open window is full of imports; settle it first")]
    WindowFull,
    /// There is no such scheme.
    #[error("there is no such scheme")]
    SchemeNotFound,
}

/// Reads the file to its end and writes all its obligations into the scheme's open window, or none.
pub async fn import(
    db: &Db,
    clock: &Clock,
    scheme: SchemeId,
    file: impl Read,
    options: &Options,
    progress: impl Fn(ImportStep),
) -> Result<Imported, Failure<ImportRefusal>> {
    let content = Content::read(file, options, &progress).map_err(Failure::Refused)?;
    let mut attempts_left = ATTEMPTS_MAX;
    loop {
        match write(db, clock, scheme, &content, options, &progress).await {
            Err(Failure::Fault(fault)) if fault.constraint() == Some(LEAF_KEY) && attempts_left > 1 => {
                tracing::info!(attempts_left, %fault, "an import is tried again");
                attempts_left = attempts_left.saturating_sub(1);
            }
            result => return result,
        }
    }
}

/// How often an import is tried that another one got in the way of, in the very same microsecond.
const ATTEMPTS_MAX: u32 = 10;

/// One tx: claim the file, find or make the vendors, write the obligations.
async fn write(
    db: &Db,
    clock: &Clock,
    scheme: SchemeId,
    content: &Content,
    options: &Options,
    progress: &impl Fn(ImportStep),
) -> Result<Imported, Failure<ImportRefusal>> {
    let operation = OperationId::new(new_id());
    let now = clock.now();

    let mut connection = db.connection().await?;
    let tx = connection.begin_house().await?;
    if let Some(at) = store::claim(&tx, scheme, &content.sha256, operation, now).await? {
        return Err(Failure::Refused(ImportRefusal::AlreadyImported { at }));
    }
    progress(ImportStep::Vendors);
    let (vendors, vendors_created) = find_or_create_vendors(&tx, scheme, &content.parties, options, now).await?;

    progress(ImportStep::Write);
    lock_scheme_shared(&tx, scheme).await?;
    let (window, number, booked_at) = store::find_open_window(&tx, scheme).await?.ok_or(Failure::Refused(ImportRefusal::SchemeNotFound))?;
    let obligations = content.obligations(&vendors)?;
    record(&tx, window, Recorder::Import, operation, booked_at, &obligations).await.map_err(|fault| match fault.constraint() {
        Some(WINDOW_BOUND) => Failure::Refused(ImportRefusal::WindowFull),
        _ => Failure::Fault(fault),
    })?;
    tx.commit().await?;
    Ok(Imported { operation, window: number, obligation_count: obligations.len(), vendors_created, sum: content.sum })
}

/// The database's own guard of what imports put into one window.
const WINDOW_BOUND: &str = "window_totals_gross_within_bounds";

/// A file that has been read and checked; parties are numbered as they appear.
struct Content {
    sha256: [u8; 32],
    parties: Vec<NamedParty>,
    rows: Vec<(usize, usize, Micro)>,
    sum: Micro,
}

/// A party, and where it is first named.
struct NamedParty {
    code: Code,
    line: u64,
    column: Column,
}

impl Content {
    fn read(file: impl Read, options: &Options, progress: &impl Fn(ImportStep)) -> Result<Self, ImportRefusal> {
        let mut hashed = Hashed { input: file, hasher: Sha256::new() };
        let mut parties = Parties { prefix: &options.code_prefix, named: Vec::new(), numbers: HashMap::new() };
        let (mut rows, mut sum) = (Vec::new(), Micro::ZERO);
        let mut csv = ObligationsCsv::open(&mut hashed).map_err(ImportRefusal::File)?;
        while let Some(row) = csv.next_row().map_err(ImportRefusal::File)? {
            let debtor = parties.number(row.debtor, row.line, Column::Debtor)?;
            let creditor = parties.number(row.creditor, row.line, Column::Creditor)?;
            sum = sum.checked_add(row.amount).filter(|sum| *sum <= WINDOW_MAX).ok_or(ImportRefusal::SumTooLarge { line: row.line })?;
            rows.push((debtor, creditor, row.amount));
            if rows.len() % 10_000 == 0 {
                progress(ImportStep::Read(rows.len()));
            }
        }
        drop(csv);
        progress(ImportStep::Read(rows.len()));
        Ok(Self { sha256: hashed.hasher.finalize().into(), parties: parties.named, rows, sum })
    }

    fn obligations(&self, vendors: &[VendorId]) -> Result<Vec<NewObligation>, Fault> {
        let vendor = |number: usize| vendors.get(number).copied().ok_or_else(|| Fault::Unreadable("a party without a vendor".to_owned()));
        self.rows
            .iter()
            .map(|&(debtor, creditor, amount)| Ok(NewObligation { debtor: vendor(debtor)?, creditor: vendor(creditor)?, amount }))
            .collect()
    }
}

struct Parties<'o> {
    prefix: &'o str,
    named: Vec<NamedParty>,
    numbers: HashMap<String, usize>,
}

impl Parties<'_> {
    fn number(&mut self, name: &str, line: u64, column: Column) -> Result<usize, ImportRefusal> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        let text = format!("{}{name}", self.prefix);
        let code = Code::parse(&text).map_err(|_| ImportRefusal::PartyIsNoCode { line, column, code: text })?;
        let number = self.named.len();
        self.named.push(NamedParty { code, line, column });
        self.numbers.insert(name.to_owned(), number);
        Ok(number)
    }
}

/// The vendor of every party, in order, and how many had to be made.
async fn find_or_create_vendors(
    tx: &Tx<'_>,
    scheme: SchemeId,
    parties: &[NamedParty],
    options: &Options,
    now: Timestamp,
) -> Result<(Vec<VendorId>, usize), Failure<ImportRefusal>> {
    let codes: Vec<&str> = parties.iter().map(|party| party.code.as_str()).collect();
    let known = store::list_vendors(tx, scheme, &codes).await?;
    let mut vendors = Vec::with_capacity(parties.len());
    let mut missing = Vec::new();
    for NamedParty { code, line, column } in parties {
        let (line, column) = (*line, *column);
        let vendor = match known.get(code.as_str()) {
            Some((vendor, store::Membership::Member)) => *vendor,
            Some((_, store::Membership::Stranger)) => {
                return Err(Failure::Refused(ImportRefusal::VendorNotMember { line, column, code: code.clone() }));
            }
            None if options.create_vendors => {
                let vendor = VendorId::new(new_id());
                missing.push(store::NewVendor { id: vendor, code: code.as_str(), name: name_of(code, options) });
                vendor
            }
            None => return Err(Failure::Refused(ImportRefusal::VendorNotFound { line, column, code: code.clone() })),
        };
        vendors.push(vendor);
    }
    let count = missing.len();
    // By code, so that two imports that make the same vendors wait for each other in one order.
    missing.sort_unstable_by_key(|vendor| vendor.code);
    store::insert_vendors(tx, scheme, &missing, now).await?;
    Ok((vendors, count))
}

/// The party as the file names it.
fn name_of<'c>(code: &'c Code, options: &Options) -> &'c str {
    code.as_str().strip_prefix(options.code_prefix.as_str()).unwrap_or(code.as_str())
}

/// Input whose bytes are hashed as they are read.
struct Hashed<R> {
    input: R,
    hasher: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str, prefix: &str) -> Result<Content, String> {
        let options = Options { create_vendors: true, code_prefix: prefix.to_owned() };
        Content::read(file.as_bytes(), &options, &|_step| ()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_party_that_is_no_code_is_named_by_line_and_column() {
        let refusal = read("debtor,creditor,amount\nAA,BB,1\nAA,6,1\n", "").err().unwrap();
        assert!(refusal.starts_with("line 3, column creditor: 6 is no vendor code") && refusal.contains("--code-prefix"), "{refusal}");
        assert!(read("debtor,creditor,amount\nAA,BB,1\nAA,6,1\n", "P").is_ok());
    }

    #[test]
    fn a_sum_that_cannot_be_netted_is_refused() {
        let refusal = read("debtor,creditor,amount\nAA,BB,200000000000\nAA,CC,200000000000\n", "").err().unwrap();
        assert_eq!(refusal, "line 3, column amount: the obligations up to here sum to more than can be netted at once");
    }

    #[test]
    fn the_hash_is_that_of_the_whole_file() {
        let file = format!("debtor,creditor,amount\n{}", "AA,BB,0.001\n".repeat(30_000));
        let content = read(&file, "").unwrap();
        assert_eq!((content.sha256, content.rows.len(), content.parties.len()), (Sha256::digest(&file).into(), 30_000, 2));
        assert_eq!(content.sum, Micro::new(30_000_000));
    }
}
