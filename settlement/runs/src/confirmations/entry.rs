//! What a bank says of one payment, whichever way it says it; and why a text is not a confirmation. Pure.

use crate::days;
use crate::transfers::Reason;
use jiff::civil::Date;
use scrip::Micro;
use scrip::money::AmountError;

/// The most bytes of an upload: 16 MiB.
pub const UPLOAD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most entries of an upload.
pub const ENTRIES_MAX: usize = 50_000;
/// The most characters of a reference, ours or the bank's: what ISO 20022 allows.
pub const REFERENCE_CHARS_MAX: usize = 35;
/// The most characters of an IBAN.
pub(super) const IBAN_CHARS_MAX: usize = 34;
/// The most characters of a bank's own words for a reason: what ISO 20022 allows.
pub(super) const INFORMATION_CHARS_MAX: usize = 105;

/// The kinds of confirmations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A payment status report: what the payer's bank does with each instruction.
    Pain002,
    /// A statement of an account.
    Camt053,
    /// A notification of what was booked on an account.
    Camt054,
    /// The house's own CSV.
    Csv,
}

impl Format {
    const ALL: [Self; 4] = [Self::Pain002, Self::Camt053, Self::Camt054, Self::Csv];

    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pain002 => "pain.002.001.10",
            Self::Camt053 => "camt.053.001.08",
            Self::Camt054 => "camt.054.001.08",
            Self::Csv => "csv",
        }
    }

    /// The format of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }
}

/// What became of the payment, as far as the entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Said {
    /// The payer's bank sends it, or has booked it off the payer's account.
    Sent,
    /// It is booked on the payee's account.
    Received,
    /// It was rejected, or came back.
    Failed,
    /// The bank has not decided or not booked yet.
    Pending,
}

impl Said {
    const ALL: [Self; 4] = [Self::Sent, Self::Received, Self::Failed, Self::Pending];

    /// As stored and shown, and as the CSV writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Received => "received",
            Self::Failed => "failed",
            Self::Pending => "pending",
        }
    }

    /// What has that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|said| said.as_str() == name)
    }
}

/// The amount of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stated {
    /// The entry states none; status reports may do that.
    Nothing,
    /// It states something that is no amount of money by the house's strict rules, such as 0.00.
    Unreadable,
    /// It states this.
    Amount(Micro),
}

impl Stated {
    /// What a bank writes as its amount.
    pub(super) fn read(text: Option<&str>) -> Self {
        text.map_or(Self::Nothing, |text| Micro::parse(text).map_or(Self::Unreadable, Self::Amount))
    }
}

/// What a bank says of one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line that it begins in, from 1.
    pub line: u64,
    /// What payer and payee call the payment; none where the bank names nothing, as for its fees.
    pub reference: Option<String>,
    /// How much.
    pub amount: Stated,
    /// ISO 4217.
    pub currency: Option<String>,
    /// What became of it.
    pub said: Said,
    /// Of what failed: why.
    pub reason: Option<Reason>,
    /// What the bank calls it.
    pub bank_reference: Option<String>,
    /// The day that the bank booked it.
    pub booked_on: Option<Date>,
    /// The IBAN of the account that it is seen on; only statements and notifications of one say it.
    pub account: Option<String>,
}

/// Why a text is no confirmation. Each names its line, from 1; nothing of the text is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmationError {
    /// Too many bytes.
    #[error("a confirmation has at most {UPLOAD_BYTES_MAX} bytes")]
    TooLarge,
    /// No bytes.
    #[error("the confirmation is empty")]
    Empty,
    /// Some other encoding.
    #[error("line {line}: the text is not UTF-8")]
    NotUtf8 {
        /// The line.
        line: u64,
    },
    /// It could not be shown or stored as it is.
    #[error("line {line}: the text holds a character that controls")]
    HasControl {
        /// The line.
        line: u64,
    },
    /// Not well formed.
    #[error("line {line}: this is no XML: {problem}")]
    NotXml {
        /// The line.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A document type definition could make a small text a large one, or have files read.
    #[error("line {line}: a document type definition is not taken; no bank writes one")]
    HasDoctype {
        /// The line.
        line: u64,
    },
    /// An entity that XML does not know without a document type definition.
    #[error("line {line}: the entity is not one of XML's own five")]
    EntityUnknown {
        /// The line.
        line: u64,
    },
    /// Elements in elements in elements.
    #[error("line {line}: elements are nested more than {max} deep")]
    TooDeep {
        /// The line.
        line: u64,
        /// The most.
        max: usize,
    },
    /// XML, but none of the messages that are taken.
    #[error(
        "line {line}: the document is {found}, but this takes pain.002.001.10, camt.053.001.08, camt.054.001.08, or CSV with the header \
         reference,amount,currency,result,reason,bank_reference,booked_on"
    )]
    FormatUnknown {
        /// The line.
        line: u64,
        /// What it says it is.
        found: String,
    },
    /// More than is taken at once.
    #[error("line {line}: a confirmation has at most {ENTRIES_MAX} entries")]
    TooManyEntries {
        /// The line of the first one too many.
        line: u64,
    },
    /// Something that must be there is not.
    #[error("line {line}: {what} is missing")]
    Missing {
        /// The line of the entry.
        line: u64,
        /// The element or column.
        what: &'static str,
    },
    /// A value that is longer than its field.
    #[error("line {line}: {what} has more than {max} characters")]
    TooLong {
        /// The line.
        line: u64,
        /// The element or column.
        what: &'static str,
        /// The most characters.
        max: usize,
    },
    /// A value that its field does not know.
    #[error("line {line}: {what} cannot be read: {problem}")]
    Malformed {
        /// The line.
        line: u64,
        /// The element or column.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// An amount in the house's own CSV, which has no other but good ones.
    #[error("line {line}: amount: {problem}")]
    Amount {
        /// The line.
        line: u64,
        /// What is wrong with it.
        problem: AmountError,
    },
}

/// Whether a reference names something: banks have words for having none.
pub(super) fn is_reference(text: &str) -> bool {
    !matches!(text, "" | "NOTPROVIDED" | "NONREF" | "NOREF" | "UNKNOWN")
}

/// The day of an ISO 8601 date or instant.
pub(super) fn read_day(text: &str, what: &'static str, line: u64) -> Result<Date, ConfirmationError> {
    let malformed = || ConfirmationError::Malformed { line, what, problem: "a day looks like 2026-11-23".to_owned() };
    text.get(..10).filter(|_| text.is_ascii()).and_then(days::read).ok_or_else(malformed)
}

/// The value, if it is no longer than its field and can be shown.
pub(super) fn bounded(text: &str, what: &'static str, max: usize, line: u64) -> Result<String, ConfirmationError> {
    if text.chars().nth(max).is_some() {
        Err(ConfirmationError::TooLong { line, what, max })
    } else if text.contains(char::is_control) {
        Err(ConfirmationError::HasControl { line })
    } else {
        Ok(text.to_owned())
    }
}
