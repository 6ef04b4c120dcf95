//! The one reader of XML: element by element, with the line of each, and bounded. Pure.
//!
//! Shape: [`Elements::next`] gives the leaves of the document, as the path of their names from the root, and the ends of all elements; a
//! message's own room says what they mean. Nothing is kept but the path and the text of one leaf, so memory does not grow with the document.
//!
//! Only elements of the root's namespace count; what stands in another is passed over with all that is in it. A document type definition
//! is refused, so there are no entities but XML's own five and those of single characters, and nothing outside the text is ever read.

use super::entry::ConfirmationError;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

/// No message that is taken comes near it.
const DEPTH_MAX: usize = 64;
/// The most bytes of a tag: one with thousands of attributes takes long to check.
const TAG_BYTES_MAX: usize = 4_096;
/// The most bytes of a leaf: what is read of it is shorter still.
const LEAF_BYTES_MAX: usize = 65_536;

/// What comes next in a document. The path begins with a slash: `/Document/BkToCstmrStmt/GrpHdr/MsgId`.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// An element begins.
    Open { path: &'a str, line: u64 },
    /// An element ends; a leaf with its text, trimmed, and the currency of an amount.
    Close { path: &'a str, text: &'a str, currency: Option<&'a str>, line: u64 },
}

/// Reads the elements of one document.
pub(super) struct Elements<'x> {
    text: &'x str,
    reader: NsReader<&'x [u8]>,
    /// The namespace of the root, once there is one.
    namespace: Option<String>,
    path: String,
    depth: usize,
    /// How many elements are open that do not count; 0 outside of such.
    passed_over: usize,
    leaf: String,
    currency: Option<String>,
    /// An element without content ends where it begins.
    ends: bool,
    /// What the last piece took from the path is removed when the next one is asked for.
    cut_to: Option<usize>,
    counted_bytes: usize,
    line: u64,
}

impl<'x> Elements<'x> {
    pub(super) fn new(text: &'x str) -> Self {
        let mut reader = NsReader::from_str(text);
        reader.config_mut().check_comments = true;
        Self {
            text,
            reader,
            namespace: None,
            path: String::new(),
            depth: 0,
            passed_over: 0,
            leaf: String::new(),
            currency: None,
            ends: false,
            cut_to: None,
            counted_bytes: 0,
            line: 1,
        }
    }

    /// The namespace of the root; none before its beginning.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The next piece; none after the last.
    pub(super) fn next(&mut self) -> Result<Option<Piece<'_>>, ConfirmationError> {
        if let Some(length) = self.cut_to.take() {
            self.path.truncate(length);
            self.leaf.clear();
            self.currency = None;
        }
        if std::mem::take(&mut self.ends) {
            return Ok(Some(self.close()));
        }
        loop {
            let line = self.count_lines();
            let event = self.reader.read_event().map_err(|error| not_xml(self.line_of_error(), error))?;
            match event {
                Event::Start(start) => {
                    if self.open(&start, line)? {
                        return Ok(Some(Piece::Open { path: &self.path, line }));
                    }
                }
                Event::Empty(start) => {
                    if self.open(&start, line)? {
                        self.ends = true;
                        return Ok(Some(Piece::Open { path: &self.path, line }));
                    }
                    self.leave();
                }
                Event::End(_) => {
                    if self.passed_over == 0 {
                        return Ok(Some(self.close()));
                    }
                    self.leave();
                }
                Event::Text(content) => self.add(&content.xml10_content().map_err(|error| not_xml(line, error))?, line)?,
                Event::CData(content) => self.add(&content.xml10_content().map_err(|error| not_xml(line, error))?, line)?,
                Event::GeneralRef(reference) => self.add(character(&reference, line)?.encode_utf8(&mut [0; 4]), line)?,
                Event::DocType(_) => return Err(ConfirmationError::HasDoctype { line }),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => (),
                Event::Eof if self.depth > 0 => return Err(not_xml(line, "it breaks off")),
                Event::Eof if self.namespace.is_none() => return Err(not_xml(line, "there is no element")),
                Event::Eof => return Ok(None),
            }
        }
    }

    /// Enters an element; false where it does not count.
    fn open(&mut self, start: &BytesStart<'_>, line: u64) -> Result<bool, ConfirmationError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEPTH_MAX {
            return Err(ConfirmationError::TooDeep { line, max: DEPTH_MAX });
        }
        if start.len() > TAG_BYTES_MAX {
            return Err(not_xml(line, format_args!("a tag has more than {TAG_BYTES_MAX} bytes")));
        }
        let mut currency = None;
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| not_xml(line, error))?;
            if attribute.key.as_ref() == b"Ccy" {
                currency = Some(String::from_utf8_lossy(&attribute.value).into_owned());
            }
        }
        let (namespace, name) = self.reader.resolver().resolve_element(start.name());
        let name = std::str::from_utf8(name.into_inner()).map_err(|error| not_xml(line, error))?;
        let namespace = match namespace {
            ResolveResult::Bound(Namespace(namespace)) => std::str::from_utf8(namespace).map_err(|error| not_xml(line, error))?,
            ResolveResult::Unbound => "",
            ResolveResult::Unknown(_) => return Err(not_xml(line, "a prefix has no namespace")),
        };
        if self.namespace.is_some() && self.depth == 1 {
            return Err(not_xml(line, "there is a second root element"));
        }
        let own = self.namespace.get_or_insert_with(|| namespace.to_owned()) == namespace;
        if self.passed_over > 0 || !own {
            self.passed_over = self.passed_over.saturating_add(1);
            return Ok(false);
        }
        // So that a name is one piece of the path.
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')) {
            return Err(not_xml(line, "an element has a name that no message knows"));
        }
        self.path.push('/');
        self.path.push_str(name);
        self.leaf.clear();
        self.currency = currency;
        Ok(true)
    }

    /// Ends an element that counts.
    fn close(&mut self) -> Piece<'_> {
        self.depth = self.depth.saturating_sub(1);
        self.cut_to = self.path.rfind('/');
        Piece::Close { path: &self.path, text: self.leaf.trim(), currency: self.currency.as_deref(), line: self.line }
    }

    /// Ends an element that does not.
    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.passed_over = self.passed_over.saturating_sub(1);
    }

    fn add(&mut self, content: &str, line: u64) -> Result<(), ConfirmationError> {
        if self.passed_over > 0 {
            return Ok(());
        }
        if self.depth == 0 {
            return if content.trim().is_empty() { Ok(()) } else { Err(not_xml(line, "there is text outside of the elements")) };
        }
        if self.leaf.len().saturating_add(content.len()) > LEAF_BYTES_MAX {
            return Err(not_xml(line, format_args!("an element has more than {LEAF_BYTES_MAX} bytes of text")));
        }
        self.leaf.push_str(content);
        Ok(())
    }

    /// The line that the reader has come to.
    fn count_lines(&mut self) -> u64 {
        let position = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX).min(self.text.len());
        self.line = self.line.saturating_add(line_feeds(self.text, self.counted_bytes, position));
        self.counted_bytes = position.max(self.counted_bytes);
        self.line
    }

    fn line_of_error(&self) -> u64 {
        let position = usize::try_from(self.reader.error_position()).unwrap_or(usize::MAX).min(self.text.len());
        line_feeds(self.text, 0, position).saturating_add(1)
    }
}

fn line_feeds(text: &str, from: usize, until: usize) -> u64 {
    let bytes = text.as_bytes().get(from..until).unwrap_or_default();
    u64::try_from(bytes.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u64::MAX)
}

/// The character that a reference stands for.
fn character(reference: &BytesRef<'_>, line: u64) -> Result<char, ConfirmationError> {
    if let Some(character) = reference.resolve_char_ref().map_err(|error| not_xml(line, error))? {
        return Ok(character);
    }
    match &**reference {
        b"amp" => Ok('&'),
        b"lt" => Ok('<'),
        b"gt" => Ok('>'),
        b"apos" => Ok('\''),
        b"quot" => Ok('"'),
        _ => Err(ConfirmationError::EntityUnknown { line }),
    }
}

fn not_xml(line: u64, problem: impl std::fmt::Display) -> ConfirmationError {
    // Some complaints quote the document, which may be long or hold anything.
    let problem = problem.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    ConfirmationError::NotXml { line, problem }
}
