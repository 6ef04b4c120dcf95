//! Proofs that the settlements are right, recomputed from the obligations. Read-only; `scriphouse verify` and every test run them.
//!
//! Shape: what SQL can say, one statement each (`store`, `transfers_store`); what it cannot, a function here: seals, nettings, files and manifests are
//! made again from what they were made of and compared. `leaves` makes the leaves again, from every obligation there is.

mod leaves;
mod store;
mod transfers_store;

use crate::defaults;
use crate::files::Manifest;
use crate::renetting::{NettedFrom, is_result};
use crate::seals::{self, FIRST, Hash, read_contents, seal};
use ledger::proofs::Proof;
use ledger::{Fault, Tx};
use netting::{ALGORITHM_VERSION, Terms};
use scrip::SchemeId;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
pub use store::STATEMENTS;
pub use transfers_store::STATEMENTS as TRANSFER_STATEMENTS;

/// Proves the settlements' rules within one snapshot.
pub async fn prove(tx: &Tx<'_>) -> Result<Vec<Proof>, Fault> {
    let mut proofs = Vec::new();
    for (name, statement) in store::PROOFS.iter().chain(transfers_store::PROOFS) {
        proofs.push(Proof { name, violations: store::list_violations(tx, statement).await? });
    }
    proofs.push(leaves::prove(tx).await?);
    proofs.push(prove_seals(tx).await?);
    proofs.push(prove_nettings(tx).await?);
    proofs.push(prove_defaults(tx).await?);
    proofs.push(prove_files(tx).await?);
    proofs.push(prove_manifests(tx).await?);
    Ok(proofs)
}

/// Enough to see what is wrong.
pub(crate) fn note(violations: &mut Vec<String>, violation: String) {
    if violations.len() < usize::try_from(ledger::proofs::VIOLATIONS_MAX).unwrap_or(usize::MAX) {
        violations.push(violation);
    }
}

async fn prove_seals(tx: &Tx<'_>) -> Result<Proof, Fault> {
    let mut violations = Vec::new();
    let mut last: Option<(SchemeId, i64, Hash)> = None;
    for window in store::list_sealed(tx).await? {
        let previous = match last {
            Some((scheme, number, seal)) if scheme == window.scheme && number.checked_add(1) == Some(window.number) => Some(seal),
            Some(_) | None => (window.number == 1).then_some(FIRST),
        };
        let stored = seals::find(tx, window.id).await?.ok_or_else(|| Fault::Unreadable("a seal that is gone".to_owned()))?;
        let contents = read_contents(tx, window.id, stored.version).await?;
        match previous {
            None => {
                note(&mut violations, format!("window {} of scheme {}: the window before it has no seal", window.number, window.scheme))
            }
            Some(previous) if seal(&previous, window.id, window.number, contents) != stored => {
                note(&mut violations, format!("window {} of scheme {}: the seal is not that of its leaves", window.number, window.scheme));
            }
            Some(_) => (),
        }
        last = Some((window.scheme, window.number, stored.seal));
    }
    Ok(Proof { name: "the seal of every window is that of its leaves, chained to the seal before", violations })
}

async fn prove_nettings(tx: &Tx<'_>) -> Result<Proof, Fault> {
    let mut violations = Vec::new();
    for run in store::list_runs(tx).await? {
        // An older algorithm may have chosen other transfers; that they give every vendor its position is proven elsewhere.
        if run.algorithm_version != ALGORITHM_VERSION {
            continue;
        }
        let terms = Terms { strategy: run.strategy, digits: run.digits, min_transfer: run.min_transfer };
        match NettedFrom::read(tx, run.id).await?.net_again(terms) {
            Ok((_, netting)) if is_result(&netting, &run.input_hash, &run.output_hash) => (),
            Ok(_) => note(&mut violations, format!("run {}: netting its obligations again gives another result", run.id)),
            Err(error) => note(&mut violations, format!("run {}: its obligations cannot be netted again: {error}", run.id)),
        }
    }
    Ok(Proof { name: "netting the obligations of a run again gives the same transfers", violations })
}

async fn prove_defaults(tx: &Tx<'_>) -> Result<Proof, Fault> {
    let mut violations = Vec::new();
    // Run by run, so that what was netted is read once for each.
    let mut netted = None;
    for default in defaults::list_replaced(tx).await? {
        let network = match netted.take_if(|(run, _)| *run == default.run) {
            Some((_, network)) => network,
            None => NettedFrom::read(tx, default.run).await?.netted(),
        };
        if !network.as_ref().is_ok_and(|network| default.is_by_rule(network)) {
            note(&mut violations, format!("default {} of run {}: {} says something else", default.id, default.run, default.rule));
        }
        netted = Some((default.run, network));
    }
    Ok(Proof { name: "what took the place of failed transfers is what the rule says", violations })
}

async fn prove_files(tx: &Tx<'_>) -> Result<Proof, Fault> {
    let mut violations = Vec::new();
    let files = store::read_files(tx).await?;
    let mut pieces = store::read_pieces(tx).await?;
    let mut waiting = pieces.next(tx).await?;
    while let Some(heads) = files.next(tx).await? {
        for head in heads {
            let (mut hasher, mut size_bytes, mut seq) = (Sha256::new(), 0_i64, 0_i32);
            let mut whole = true;
            while let Some(piece) = waiting.take_if(|piece| piece.file == head.id) {
                seq = seq.saturating_add(1);
                whole &= piece.seq == seq && piece.vendor == head.vendor;
                size_bytes = size_bytes.saturating_add(i64::try_from(piece.bytes.len()).unwrap_or(i64::MAX));
                hasher.update(&piece.bytes);
                waiting = pieces.next(tx).await?;
            }
            let sha256: Hash = hasher.finalize().into();
            if !whole || size_bytes != head.size_bytes || sha256 != head.sha256 {
                note(&mut violations, format!("file {} of run {}: its bytes are not those that were hashed", head.name, head.run));
            }
        }
    }
    if let Some(piece) = waiting {
        note(&mut violations, format!("file {}: bytes without a file", piece.file));
    }
    Ok(Proof { name: "the bytes of every file have its size and SHA-256", violations })
}

async fn prove_manifests(tx: &Tx<'_>) -> Result<Proof, Fault> {
    let mut violations = Vec::new();
    // By scheme and number, so that each run comes right after the one that it is chained to.
    let mut last: HashMap<SchemeId, String> = HashMap::new();
    for run in store::list_runs(tx).await? {
        let Some(bytes) = store::read_manifest(tx, run.id).await? else {
            note(&mut violations, format!("run {} has no manifest", run.id));
            continue;
        };
        let previous = last.insert(run.scheme, hex::encode(Sha256::digest(&bytes)));
        let Some(manifest) = Manifest::parse(&bytes) else {
            note(&mut violations, format!("run {}: the manifest cannot be read", run.id));
            continue;
        };
        let head = &manifest.head;
        let says = |what: &str| format!("run {}: the manifest names another {what}", run.id);
        let listed: Vec<_> = manifest.files().map(|(name, size_bytes, sha256)| (name.to_owned(), size_bytes, sha256.to_owned())).collect();
        let sealed: Vec<_> = head.windows.iter().map(|w| (w.number, w.seal.clone())).collect();
        for (holds, what) in [
            (head.run == run.id.to_string() && head.slot == run.slot, "run"),
            (head.input_hash == hex::encode(run.input_hash) && head.output_hash == hex::encode(run.output_hash), "result"),
            (head.previous_manifest_sha256 == previous, "manifest before it"),
            (sealed == store::list_seals(tx, run.id).await?, "seal"),
            (listed == store::list_files(tx, run.id).await?, "set of files"),
        ] {
            if !holds {
                note(&mut violations, says(what));
            }
        }
    }
    Ok(Proof { name: "every manifest lists the files and seals of its run and is chained to the manifest before", violations })
}
