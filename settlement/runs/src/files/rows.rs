//! What files are made of on their way into the database and out of it.

use crate::seals::Hash;
use scrip::VendorId;
use serde::{Deserialize, Serialize};
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) run: String,
    /// Counts the scheme's runs from 1; zero in manifests that were written before runs had numbers.
    #[serde(default)]
    pub(crate) number: i64,
    /// The voided runs that netted one of its windows before it.
    #[serde(default)]
    pub(crate) supersedes: Vec<String>,
    pub(crate) scheme: String,
    pub(crate) slot: String,
    pub(crate) currency: String,
    pub(crate) digits: u8,
    pub(crate) strategy: String,
    /// Empty in manifests that were written before there was one.
    #[serde(default)]
    pub(crate) min_transfer: String,
    pub(crate) algorithm_version: i32,
    pub(crate) windows: Vec<SealedWindow>,
    pub(crate) obligation_count: i64,
    pub(crate) gross: String,
    pub(crate) bilateral: String,
    pub(crate) net: String,
    pub(crate) transfer_count: i64,
    /// What the transfers sum to.
    pub(crate) control_sum: String,
    /// Of the transfers, those that lack bank details of payer or payee, and what they sum to: a pain.001 cannot say them. Zero and
    /// empty in manifests that were written before there was one.
    #[serde(default)]
    pub(crate) without_account_count: i64,
    #[serde(default)]
    pub(crate) without_account_sum: String,
    pub(crate) input_hash: String,
    pub(crate) output_hash: String,
    /// Of the scheme's run before this one; none of the first.
    pub(crate) previous_manifest_sha256: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SealedWindow {
    pub(crate) id: String,
    pub(crate) number: i64,
    pub(crate) opened_at: String,
    pub(crate) closed_at: String,
    pub(crate) obligation_count: i64,
    pub(crate) gross: String,
    pub(crate) root: String,
    pub(crate) previous_seal: String,
    pub(crate) seal: String,
}
