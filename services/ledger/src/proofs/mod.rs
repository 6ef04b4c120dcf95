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

/// How much there is to be proven, so that nobody takes an empty house for a right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Extent {
    /// Accounts of users.
    pub accounts: i64,
    /// Entries of accounts.
    pub entries: i64,
    /// Swaps.
    pub swaps: i64,
    /// Obligations between vendors.
    pub obligations: i64,
    /// Windows of schemes.
    pub windows: i64,
    /// Netting runs.
    pub runs: i64,
}

/// Counts what is stored.
pub async fn extent(tx: &Tx<'_>) -> Result<Extent, Fault> {
    let row = tx.query_one(store::COUNT_ALL, &[]).await?;
    Ok(Extent {
        accounts: row.try_get(0)?,
        entries: row.try_get(1)?,
        swaps: row.try_get(2)?,
        obligations: row.try_get(3)?,
        windows: row.try_get(4)?,
        runs: row.try_get(5)?,
    })
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
