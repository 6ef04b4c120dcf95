//! All proofs of the house over one snapshot: the ledger's and the settlement's.

use ledger::proofs::Proof;
use ledger::{Db, Fault};

/// Proves every rule against everything stored. Read-only; swaps go on meanwhile.
pub async fn prove(db: &Db) -> Result<Vec<Proof>, Fault> {
    let mut connection = db.connection().await?;
    let tx = connection.begin_snapshot().await?;
    let mut proofs = ledger::proofs::prove(&tx).await?;
    proofs.extend(runs::prove(&tx).await?);
    Ok(proofs)
}
