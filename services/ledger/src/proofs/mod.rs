//! Proofs that the books are right, recomputed from the entries themselves. Read-only; `scriphouse verify` and every test run them.

mod store;

use crate::{Fault, Tx};
pub use store::STATEMENTS;

/// One rule, held against everything stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The rule, as a sentence.
    pub name: &'static str,
    /// What breaks it; empty when the rule holds. At most [`VIOLATIONS_MAX`] are listed.
    pub violations: Vec<String>,
}

impl Proof {
    /// Whether the rule holds.
    pub fn holds(&self) -> bool {
        self.violations.is_empty()
    }
}

/// Enough to see what is wrong; a broken ledger could name millions.
pub const VIOLATIONS_MAX: i64 = 20;

/// Proves the ledger's rules within one snapshot.
pub async fn prove(tx: &Tx<'_>) -> Result<Vec<Proof>, Fault> {
    let mut proofs = Vec::new();
    for (name, statement) in store::PROOFS {
        let rows = tx.query(*statement, &[&VIOLATIONS_MAX]).await?;
        let violations = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        proofs.push(Proof { name, violations });
    }
    Ok(proofs)
}
