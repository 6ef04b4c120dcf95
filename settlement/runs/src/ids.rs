//! Ids that follow from what they name, so that a run which is computed twice has the same bytes.

use crate::steps::Actor;
use scrip::{RunId, SchemeId, VendorId};
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

/// A vendor's default in a run.
pub(crate) fn default_id(run: RunId, vendor: VendorId) -> Uuid {
    derived(&[b"default", run.uuid().as_bytes(), vendor.uuid().as_bytes()])
}

/// Whose the idempotency keys of marks are. No vendor's own id: the posting engine reads all answers of that.
pub(crate) fn marks_id(actor: &Actor) -> Uuid {
    match actor {
        // Operators share theirs, so that a request can be repeated with a new key of an operator.
        Actor::Operator(_) | Actor::House => derived(&[b"marks"]),
        Actor::Vendor(vendor) => derived(&[b"marks", vendor.uuid().as_bytes()]),
    }
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

/// A reference that [`reference`] could have made: the transfer's number, and the runs that it can mean, which begin with the same twelve
/// digits (in practice there is one).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Referred {
    pub(crate) first_run: Uuid,
    pub(crate) last_run: Uuid,
    pub(crate) number: i64,
}

/// Reads back what [`reference`] wrote, and nothing that merely looks like it.
pub(crate) fn parse_reference(text: &str) -> Option<Referred> {
    let (digits, number) = text.strip_prefix("SH-")?.split_once('-')?;
    let canonical = digits.len() == 12 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F'));
    let number: i64 = number.parse().ok().filter(|n: &i64| *n >= 1 && n.to_string() == number)?;
    let run = |rest: &str| Uuid::try_parse(&format!("{digits}{rest}")).ok().filter(|_| canonical);
    Some(Referred { first_run: run(&"0".repeat(20))?, last_run: run(&"f".repeat(20))?, number })
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
    #[test]
    fn a_reference_is_read_back() {
        let run = run_id(SchemeId::new(Uuid::from_u128(7)), "a");
        let read = parse_reference(&reference(run, 17)).unwrap();
        assert!(read.number == 17 && read.first_run < run.uuid() && run.uuid() < read.last_run);
        for other in [
            "",
            "SH-",
            "SH-5A24AD2BB5D6",
            "SH-5A24AD2BB5D6-",
            "SH-5A24AD2BB5D6-0",
            "SH-5A24AD2BB5D6-01",
            "SH-5A24AD2BB5D6-+1",
            "SH-5a24ad2bb5d6-1",
        ] {
            assert_eq!(parse_reference(other), None, "{other}");
        }
        assert_eq!(parse_reference("SH-5A24AD2BB5D6-99999999999999999999"), None);
        assert_eq!(parse_reference("SH-5A24AD2BB5É-1"), None);
    }
}
