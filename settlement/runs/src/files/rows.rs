//! What files are made of on their way into the database and out of it.

use crate::seals::Hash;
use scrip::VendorId;
use serde::Serialize;
use uuid::Uuid;

/// A finished file, to be stored.
pub(super) struct NewHead {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) vendor: Option<VendorId>,
    pub(super) media_type: &'static str,
    pub(super) size_bytes: i64,
    pub(super) sha256: Hash,
}

/// Some of a file's bytes, to be stored.
pub(super) struct NewPiece {
    pub(super) file: Uuid,
    pub(super) seq: i32,
    pub(super) vendor: Option<VendorId>,
    pub(super) bytes: Vec<u8>,
}

/// Everything but the list of files, in the order of the text. Amounts are decimal strings, hashes lower-case hexadecimal.
#[derive(Debug, Serialize)]
pub(super) struct Head {
    pub(super) run: String,
    /// Counts the scheme's runs from 1.
    pub(super) number: i64,
    /// The voided runs that netted one of its windows before it.
    pub(super) supersedes: Vec<String>,
    pub(super) scheme: String,
    pub(super) slot: String,
    pub(super) currency: String,
    pub(super) digits: u8,
    pub(super) strategy: String,
    pub(super) min_transfer: String,
    pub(super) algorithm_version: i32,
    pub(super) windows: Vec<SealedWindow>,
    pub(super) obligation_count: i64,
    pub(super) gross: String,
    pub(super) bilateral: String,
    pub(super) net: String,
    pub(super) transfer_count: i64,
    /// What the transfers sum to.
    pub(super) control_sum: String,
    pub(super) input_hash: String,
    pub(super) output_hash: String,
    /// Of the scheme's run before this one; none of the first.
    pub(super) previous_manifest_sha256: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct SealedWindow {
    pub(super) id: String,
    pub(super) number: i64,
    pub(super) opened_at: String,
    pub(super) closed_at: String,
    pub(super) obligation_count: i64,
    pub(super) gross: String,
    pub(super) root: String,
    pub(super) previous_seal: String,
    pub(super) seal: String,
}
