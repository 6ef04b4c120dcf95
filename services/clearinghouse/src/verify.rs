//! All proofs of the house over one snapshot: the ledger's and the settlement's.

use ledger::proofs::{Extent, Proof};
use ledger::{Db, Fault};

/// Every rule held against what is stored, and how much that was.
#[derive(Debug)]
pub struct Verified {
    /// One for each rule.
    pub proofs: Vec<Proof>,
    /// What was there to be checked.
    pub extent: Extent,
}

/// Proves every rule against everything stored. Read-only; swaps go on meanwhile.
pub async fn verify(db: &Db) -> Result<Verified, Fault> {
    let mut connection = db.connection().await?;
    let tx = connection.begin_snapshot().await?;
    let mut proofs = ledger::proofs::prove(&tx).await?;
    proofs.extend(runs::prove(&tx).await?);
    Ok(Verified { proofs, extent: ledger::proofs::extent(&tx).await? })
}
