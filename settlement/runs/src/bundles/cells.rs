//! What a bundle says in a cell of a table or in a field of JSON: each value has one text, so that a row has one, too.

use crate::csv_text::safe_cell;
use crate::files::{exact, parse_exact};
use crate::scheme::Approval;
use crate::seals::{Hash, to_hash};
use crate::steps::{Actor, RunState};
use crate::transfers::TransferState;
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::Fault;
use ledger::obligations::Source;
use netting::clearing::Rule;
use scrip::{Micro, OperationId, RunId, SchemeId, Tokens, VendorId, WindowId};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};
use uuid::Uuid;

/// A value with one text.
pub(super) trait Cell: Sized {
    /// Its text, without a line break.
    fn show(&self) -> String;

    /// The value of a text. Whoever reads shows it again and compares, so a lenient reader lets no second text in.
    fn read(text: &str) -> Option<Self>;

    /// The value of a column.
    fn column(row: &Row, index: usize) -> Result<Self, Fault>;
}

/// A cell in JSON: a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Text<T>(pub(super) T);

impl<T: Cell> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.show())
    }
}

impl<'de, T: Cell> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        T::read(&text).map(Self).ok_or_else(|| D::Error::custom("a text that does not fit its field"))
    }
}

macro_rules! number {
    ($kind:ty) => {
        impl Cell for $kind {
            fn show(&self) -> String {
                self.to_string()
            }

            fn read(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn column(row: &Row, index: usize) -> Result<Self, Fault> {
                Ok(row.try_get(index)?)
            }
        }
    };
}

number!(i16);
number!(i32);
number!(i64);

impl Cell for Uuid {
    fn show(&self) -> String {
        self.hyphenated().to_string()
    }

    fn read(text: &str) -> Option<Self> {
        Self::try_parse(text).ok()
    }

    fn column(row: &Row, index: usize) -> Result<Self, Fault> {
        Ok(row.try_get(index)?)
    }
}

macro_rules! id {
    ($kind:ident) => {
        impl Cell for $kind {
            fn show(&self) -> String {
                self.uuid().show()
            }

            fn read(text: &str) -> Option<Self> {
                Uuid::read(text).map(Self::new)
            }

            fn column(row: &Row, index: usize) -> Result<Self, Fault> {
                Uuid::column(row, index).map(Self::new)
            }
        }
    };
}

id!(OperationId);
id!(RunId);
id!(SchemeId);
id!(VendorId);
id!(WindowId);

/// What there need not be: nothing is the empty text, so that a value must not be.
impl<T: Cell> Cell for Option<T> {
    fn show(&self) -> String {
        self.as_ref().map(Cell::show).unwrap_or_default()
    }

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() { Some(None) } else { T::read(text).map(Some) }
    }

    fn column(row: &Row, index: usize) -> Result<Self, Fault> {
        row.try_get::<_, Option<Something>>(index)?.map(|Something| T::column(row, index)).transpose()
    }
}

/// A value of whatever type.
struct Something;

impl FromSql<'_> for Something {
    fn from_sql(_: &Type, _: &[u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// In the scheme's currency, with all its six decimals.
impl Cell for Micro {
    fn show(&self) -> String {
        exact(*self)
    }

    fn read(text: &str) -> Option<Self> {
        parse_exact(text)
    }

    fn column(row: &Row, index: usize) -> Result<Self, Fault> {
        i64::column(row, index).map(Self::new)
    }
}

/// In the token's smallest units.
impl Cell for Tokens {
    fn show(&self) -> String {
        self.units().show()
    }

    fn read(text: &str) -> Option<Self> {
        i64::read(text).map(Self::new)
    }

    fn column(row: &Row, index: usize) -> Result<Self, Fault> {
        i64::column(row, index).map(Self::new)
    }
}

/// In UTC, with the decimals that it has; whole microseconds, because that is what leaves cover.
impl Cell for Timestamp {
    fn show(&self) -> String {
        self.to_string()
    }

    fn read(text: &str) -> Option<Self> {
        let at: Self = text.parse().ok()?;
        (at.as_nanosecond().checked_rem(1_000) == Some(0)).then_some(at)
    }

    fn column(row: &Row, index: usize) -> Result<Self, Fault> {
        Ok(row.try_get(index)?)
    }
}

/// As the bank's day: `2026-11-23`.
impl Cell for Date {
    fn show(&self) -> String {
        self.to_string()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn column(row: &Row, index: usize) -> Result<Self, Fault> {
        Ok(row.try_get(index)?)
    }
}

/// In lower-case hexadecimal.
impl Cell for Hash {
    fn show(&self) -> String {
        hex::encode(self)
    }

    fn read(text: &str) -> Option<Self> {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash).ok().map(|()| hash)
    }

    fn column(row: &Row, index: usize) -> Result<Self, Fault> {
        to_hash(row.try_get(index)?)
    }
}

/// A code, a reference, or the word for a state.
impl Cell for String {
    fn show(&self) -> String {
        self.clone()
    }

    fn read(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        ((1..=WORD_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain)).then(|| text.to_owned())
    }

    fn column(row: &Row, index: usize) -> Result<Self, Fault> {
        Ok(row.try_get(index)?)
    }
}

/// No code and no reference comes near it.
const WORD_BYTES_MAX: usize = 64;

/// What somebody wrote: one line, with an apostrophe before what a spreadsheet would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words(pub(super) String);

impl Cell for Words {
    fn show(&self) -> String {
        safe_cell(&self.0).into_owned()
    }

    fn read(text: &str) -> Option<Self> {
        (!text.contains(char::is_control)).then(|| Self(text.to_owned()))
    }

    fn column(row: &Row, index: usize) -> Result<Self, Fault> {
        Ok(Self(row.try_get(index)?))
    }
}

macro_rules! word {
    ($kind:ident, $what:literal, $show:expr, $parse:expr) => {
        impl Cell for $kind {
            fn show(&self) -> String {
                $show(self)
            }

            fn read(text: &str) -> Option<Self> {
                $parse(text)
            }

            fn column(row: &Row, index: usize) -> Result<Self, Fault> {
                let text: &str = row.try_get(index)?;
                Self::read(text).ok_or_else(|| Fault::Unreadable(format!(concat!($what, " {}"), text)))
            }
        }
    };
}

word!(Source, "obligation source", |source: &Self| source.as_str().to_owned(), Self::parse);
word!(RunState, "run state", |state: &Self| state.as_str().to_owned(), Self::parse);
word!(TransferState, "transfer state", |state: &Self| state.as_str().to_owned(), Self::parse);
word!(Rule, "failure rule", |rule: &Self| rule.name().to_owned(), |text: &str| text.parse().ok());
word!(Approval, "approval", |approval: &Self| approval.as_str().to_owned(), Self::parse);
word!(Actor, "actor", Self::to_string, |text: &str| text.parse().ok());
