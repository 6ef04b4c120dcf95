//! Codes: the short names that people type for vendors and schemes.

use serde::Serialize;
use std::fmt;

/// A vendor's or scheme's code: 2 to 32 of `A-Z 0-9 _ -`, beginning with a letter or digit, never `HOUSE`.
///
/// Ordered by bytes, which is how ties are broken wherever results must not depend on the order of input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Code(String);

/// The house itself, as a party of the hub strategy; no vendor may bear this code.
pub const HOUSE: &str = "HOUSE";

/// The text is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a code is 2 to 32 characters of A-Z, 0-9, _ and -, begins with a letter or digit, and is not HOUSE")]
pub struct CodeError;

impl Code {
    /// Reads a code; nothing is trimmed or folded.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let bytes = text.as_bytes();
        let fits = (2..=32).contains(&bytes.len());
        let begins_well = bytes.first().is_some_and(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let known = bytes.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'));
        if fits && begins_well && known && text != HOUSE { Ok(Self(text.to_owned())) } else { Err(CodeError) }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_short_upper_case_names() {
        for good in ["A1", "AIRMILES", "7ELEVEN", "A_B-C", &"X".repeat(32)] {
            assert!(Code::parse(good).is_ok(), "{good} should be a code");
        }
        for bad in ["", "A", "air", "_A", "-A", "A B", "É2", "HOUSE", "A\n", &"X".repeat(33)] {
            assert_eq!(Code::parse(bad), Err(CodeError), "{bad:?} should not be a code");
        }
    }
}
