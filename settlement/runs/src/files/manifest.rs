//! manifest.json: what was netted, and the hash of every file, chained to the manifest of the run before.
//!
//! Whoever keeps one manifest can prove every file of its run, and every run before it.

use super::bank::Total;
use super::rows::Head;
use super::shelf::{OpenFile, Shelf};
use super::{JSON, MANIFEST, store};
use crate::scheme::Scheme;
use ledger::Fault;
use serde::{Deserialize, Serialize};

/// A manifest as it is read again to be proven; what later releases add to it is not looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct Manifest {
    #[serde(flatten)]
    pub(crate) head: Head,
    files: Vec<Listed>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    name: String,
    size_bytes: i64,
    sha256: String,
}

impl Manifest {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Name, size and hash of each file that it lists.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, i64, &str)> {
        self.files.iter().map(|file| (file.name.as_str(), file.size_bytes, file.sha256.as_str()))
    }
}

#[derive(Debug, Serialize)]
struct Entry<'a> {
    name: &'a str,
    size_bytes: i64,
    sha256: String,
}

/// One line per file, so that a manifest of any length can be read with the eye and with line tools.
pub(super) async fn write(shelf: &mut Shelf<'_>, scheme: &Scheme, without_account: Total) -> Result<(), Fault> {
    let head = store::read_manifest_head(shelf.tx, shelf.run, scheme, without_account).await?;
    let unreadable = |e: serde_json::Error| Fault::Unreadable(e.to_string());
    let head = serde_json::to_string_pretty(&head).map_err(unreadable)?;
    let mut file = OpenFile::new(MANIFEST.to_owned(), None, JSON);
    file.text.extend_from_slice(head.trim_end_matches("\n}").as_bytes());
    file.text.extend_from_slice(b",\n  \"files\": [");

    let rows = store::read_heads(shelf.tx, shelf.run).await?;
    let mut separator = "\n    ";
    while let Some(heads) = rows.next(shelf.tx, store::to_head).await? {
        for head in heads {
            let entry = Entry { name: &head.name, size_bytes: head.size_bytes, sha256: hex::encode(head.sha256) };
            file.text.extend_from_slice(separator.as_bytes());
            file.text.extend_from_slice(&serde_json::to_vec(&entry).map_err(unreadable)?);
            separator = ",\n    ";
        }
        shelf.keep(&mut file).await?;
    }
    file.text.extend_from_slice(b"\n  ]\n}\n");
    shelf.close(file).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_of_the_first_release_can_be_read() {
        let text = r#"{"run": "r", "scheme": "EURO", "slot": "s", "currency": "EUR", "digits": 2, "strategy": "direct", "algorithm_version": 1,
            "windows": [], "obligation_count": 0, "gross": "0.000000", "bilateral": "0.000000", "net": "0.000000", "transfer_count": 0,
            "control_sum": "0.000000", "input_hash": "00", "output_hash": "01", "previous_manifest_sha256": null,
            "files": [{"name": "positions.csv", "size_bytes": 7, "sha256": "02"}], "added_later": true}"#;
        let manifest = Manifest::parse(text.as_bytes()).expect("it can be read");
        assert_eq!((manifest.head.number, manifest.head.supersedes.len(), manifest.head.min_transfer.as_str()), (0, 0, ""));
        assert_eq!(manifest.files().collect::<Vec<_>>(), [("positions.csv", 7, "02")]);
    }
}
