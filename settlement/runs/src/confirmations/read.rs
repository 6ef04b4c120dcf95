//! A confirmation from its bytes: what kind it is, and what it says. Pure; any bytes give entries or an error, in bounded memory.

use super::entry::{ConfirmationError, ENTRIES_MAX, Entry, Format, UPLOAD_BYTES_MAX};
use super::xml::{Elements, Piece};
use super::{camt, csv_file, pain002};

const BYTE_ORDER_MARK: &str = "\u{feff}";
const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:";

/// What a bank says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// How it says it.
    pub format: Format,
    /// What, in the order of the text.
    pub entries: Vec<Entry>,
}

/// Reads a confirmation of whichever kind; it is known by its content, whatever its name.
pub fn read(bytes: &[u8]) -> Result<Read, ConfirmationError> {
    if bytes.len() > UPLOAD_BYTES_MAX {
        return Err(ConfirmationError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line_feeds = u64::try_from(before.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u64::MAX);
        ConfirmationError::NotUtf8 { line: line_feeds.saturating_add(1) }
    })?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let mut entries = Entries::default();
    let format = match text.trim_start().chars().next() {
        None => return Err(ConfirmationError::Empty),
        Some('<') => read_xml(text, &mut entries)?,
        Some(_) => {
            csv_file::read(text, &mut entries)?;
            Format::Csv
        }
    };
    Ok(Read { format, entries: entries.all })
}

fn read_xml(text: &str, entries: &mut Entries) -> Result<Format, ConfirmationError> {
    let mut elements = Elements::new(text);
    let root = match elements.next()? {
        Some(Piece::Open { path: "/Document", line }) => Ok(line),
        Some(Piece::Open { path, line } | Piece::Close { path, line, .. }) => {
            Err((path.trim_start_matches('/').chars().take(100).collect(), line))
        }
        None => Err(("empty".to_owned(), 1)),
    };
    let line = root.map_err(|(found, line)| ConfirmationError::FormatUnknown { line, found })?;
    let namespace = elements.namespace().unwrap_or_default();
    match namespace.strip_prefix(NAMESPACE) {
        Some("pain.002.001.10") => pain002::read(&mut elements, entries).map(|()| Format::Pain002),
        Some("camt.053.001.08") => camt::read(&mut elements, "/Document/BkToCstmrStmt/Stmt/Ntry", entries).map(|()| Format::Camt053),
        Some("camt.054.001.08") => {
            camt::read(&mut elements, "/Document/BkToCstmrDbtCdtNtfctn/Ntfctn/Ntry", entries).map(|()| Format::Camt054)
        }
        Some(_) | None => {
            let found = namespace.chars().take(100).map(|c| if c.is_control() { ' ' } else { c }).collect();
            Err(ConfirmationError::FormatUnknown { line, found })
        }
    }
}

/// The entries so far, of which there are never too many.
#[derive(Debug, Default)]
pub(super) struct Entries {
    all: Vec<Entry>,
}

impl Entries {
    pub(super) fn push(&mut self, entry: Entry) -> Result<(), ConfirmationError> {
        if self.all.len() >= ENTRIES_MAX {
            return Err(ConfirmationError::TooManyEntries { line: entry.line });
        }
        self.all.push(entry);
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Those after the first so many.
    pub(super) fn since(&mut self, count: usize) -> impl Iterator<Item = &mut Entry> {
        self.all.iter_mut().skip(count)
    }
}
