//! manifest.json: what was netted, and the hash of every file, chained to the manifest of the run before.
//!
//! Whoever keeps one manifest can prove every file of its run, and every run before it.

use super::bank::Total;
use super::shelf::{OpenFile, Shelf};
use super::{JSON, MANIFEST, store};
use crate::scheme::Scheme;
use ledger::Fault;
use serde::Serialize;

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
