//! Credentials as text: `sk_<id>_<secret>` for keys, `us_<id>_<secret>` for user sessions.
//!
//! A secret is 256 random bits, shown once and kept only as its SHA-256: enough entropy that a slow hash would buy nothing.
//! Nothing here prints one: there is no `Debug`.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// What a credential opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `sk_`: an operator's or a vendor's key.
    Key,
    /// `us_`: a user's session.
    Session,
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Key => "sk",
            Self::Session => "us",
        }
    }
}

/// A credential with its secret.
pub struct Credential {
    /// Which table its id is of.
    pub kind: Kind,
    /// Not secret: finds the row.
    pub id: Uuid,
    secret: [u8; 32],
}

impl Credential {
    /// A new one with a fresh secret.
    pub fn generate(kind: Kind, id: Uuid) -> Self {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).expect("the system has randomness");
        Self { kind, id, secret }
    }

    /// Reads exactly what [`Self::show`] writes, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, rest) = text.split_once('_')?;
        let kind = [Kind::Key, Kind::Session].into_iter().find(|kind| kind.prefix() == prefix)?;
        let (id, secret) = rest.split_once('_')?;
        Some(Self { kind, id: Uuid::from_bytes(read_hex(id)?), secret: read_hex(secret)? })
    }

    /// The text that its holder sends; shown once.
    pub fn show(&self) -> String {
        format!("{}_{}_{}", self.kind.prefix(), self.id.simple(), hex::encode(self.secret))
    }

    /// What is kept of the secret.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.secret).into()
    }

    /// Whether this is the secret that was kept; takes the same time wherever they differ.
    pub fn matches(&self, kept: &[u8]) -> bool {
        self.hash().ct_eq(kept).into()
    }
}

/// Lower-case hexadecimal of exactly `N` bytes.
fn read_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let lower = !text.bytes().any(|b| b.is_ascii_uppercase());
    (lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_reads_back_and_nothing_like_it_does() {
        let made = Credential::generate(Kind::Key, Uuid::from_u128(7));
        let text = made.show();
        let read = Credential::parse(&text).unwrap();
        assert_eq!((read.kind, read.id, text.len()), (Kind::Key, made.id, 100));
        assert!(read.matches(&made.hash()));
        assert!(!Credential::generate(Kind::Key, made.id).matches(&made.hash()));
        assert!(!read.matches(&[]));
        let spoiled = ["", "sk_", "sk__", &text.to_uppercase(), &format!("{text}0"), &format!(" {text}"), &text.replace("sk_", "xx_")];
        for bad in spoiled {
            assert!(Credential::parse(bad).is_none(), "{bad:?}");
        }
    }
}
