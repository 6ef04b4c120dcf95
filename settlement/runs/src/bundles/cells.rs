//! What a bundle says in a cell of a table or in a field of JSON: each value has one text, so that a row has one, too.

use crate::files::{exact, parse_exact};
use crate::seals::{Hash, to_hash};
use crate::steps::{Actor, RunState};
use jiff::Timestamp;
use ledger::Fault;
use ledger::obligations::Source;
use scrip::{Micro, OperationId, RunId, SchemeId, Tokens, VendorId, WindowId};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use tokio_postgres::Row;
use uuid::Uuid;

/// A value with one text.
pub(super) trait Cell: Sized {
    /// Its text: no comma, quotation mark or line break.
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
word!(Actor, "actor", Self::to_string, |text: &str| text.parse().ok());
