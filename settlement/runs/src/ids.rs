//! Ids that follow from what they name, so that a run which is computed twice has the same bytes.

use scrip::{RunId, SchemeId};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

/// The run of a scheme's slot.
pub fn run_id(scheme: SchemeId, slot: &str) -> RunId {
    RunId::new(derived(&[b"run", scheme.uuid().as_bytes(), slot.as_bytes()]))
}

/// A transfer of a run, by its number.
pub(crate) fn transfer_id(run: RunId, number: i64) -> Uuid {
    derived(&[b"transfer", run.uuid().as_bytes(), &number.to_be_bytes()])
}

/// What payer, payee and their banks call the transfer: at most 35 characters that every payment system takes.
pub fn reference(run: RunId, number: i64) -> String {
    message_id(run, &number.to_string())
}

/// What banks call a message of a run, or a part of it: the run, and which one it is, in at most 19 of the characters of a reference.
pub(crate) fn message_id(run: RunId, which: &str) -> String {
    let hex = run.uuid().simple().to_string().to_uppercase();
    format!("SH-{}-{which}", hex.get(..12).unwrap_or(&hex))
}

/// A version 8 uuid: the first half of a SHA-256.
fn derived(parts: &[&[u8]]) -> Uuid {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    let hash: [u8; 32] = hasher.finalize().into();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash).for_each(|(byte, hashed)| *byte = hashed);
    Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_names_its_run() {
        let scheme = SchemeId::new(Uuid::from_u128(7));
        assert_eq!(run_id(scheme, "a"), run_id(scheme, "a"));
        assert_ne!(run_id(scheme, "a"), run_id(scheme, "b"));
        assert_ne!(run_id(scheme, "a"), run_id(SchemeId::new(Uuid::from_u128(8)), "a"));
        assert_eq!(run_id(scheme, "a").uuid().get_version_num(), 8);
    }

    #[test]
    fn a_reference_fits_into_a_payment() {
        let reference = reference(run_id(SchemeId::new(Uuid::nil()), "a"), i64::MAX);
        assert!(reference.len() <= 35 && reference.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{reference}");
    }
}
