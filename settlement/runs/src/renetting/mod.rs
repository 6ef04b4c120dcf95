//! A run netted again from the rows that it was computed from: `verify` holds what is stored against it, and
//! explanations and defaults begin with it.
//!
//! Shape: [`NettedFrom::read`] takes from the database what the run was netted from, [`NettedFrom::netted`] is what of that was netted,
//! and
//! [`NettedFrom::net_again`] nets all of it by the same code as the run did, without the database. Absent: single obligations (every strategy depends on the sums of the pairs alone), and writing.

mod store;

use crate::seals::Hash;
use ledger::{Fault, Tx};
use netting::{Holding, Netting, NettingError, Network, NetworkBuilder, NetworkError, Terms};
use scrip::{Micro, RunId};
use std::collections::HashMap;
pub(crate) use store::STATEMENTS;

/// What a run was netted from.
#[derive(Debug)]
pub(crate) struct NettedFrom {
    /// Debtor, creditor, and what the one owes the other in all windows of the run; one per pair.
    pub(crate) debts: Vec<(String, String, Micro)>,
    /// What was held back of that.
    pub(crate) holdings: Vec<Holding>,
}

/// Why what a run was netted from cannot be netted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RenettingError {
    /// It is no list of debts.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The strategy or the holdings do not fit it.
    #[error(transparent)]
    Netting(#[from] NettingError),
}

impl NettedFrom {
    pub(crate) async fn read(tx: &Tx<'_>, run: RunId) -> Result<Self, Fault> {
        Ok(Self { debts: store::list_debts(tx, run).await?, holdings: store::list_holdings(tx, run).await? })
    }

    /// What was netted: the debts, less what was held back of them.
    pub(crate) fn netted(&self) -> Result<Network, RenettingError> {
        let held: HashMap<(&str, &str), Micro> =
            self.holdings.iter().map(|held| ((held.debtor.as_str(), held.creditor.as_str()), held.amount)).collect();
        let mut network = NetworkBuilder::default();
        for (debtor, creditor, amount) in &self.debts {
            let held = held.get(&(debtor.as_str(), creditor.as_str())).copied().unwrap_or_default();
            let more_than_owed = || NettingError::HeldMoreThanOwed { debtor: debtor.clone(), creditor: creditor.clone() };
            let amount = amount.checked_sub(held).filter(|amount| *amount >= Micro::ZERO).ok_or_else(more_than_owed)?;
            if amount > Micro::ZERO {
                network.add(debtor, creditor, amount)?;
            }
        }
        Ok(network.build())
    }

    /// Takes the time of a run's netting: seconds where there are many pairs.
    pub(crate) fn net_again(&self, terms: Terms) -> Result<(Network, Netting), RenettingError> {
        let mut network = NetworkBuilder::default();
        for (debtor, creditor, amount) in &self.debts {
            network.add(debtor, creditor, *amount)?;
        }
        let network = network.build();
        let netting = Netting::compute_holding(&network, &self.holdings, terms)?;
        Ok((network, netting))
    }
}

/// Whether the stored hashes are those of this netting.
pub(crate) fn is_result(netting: &Netting, input_hash: &Hash, output_hash: &Hash) -> bool {
    (netting.input_hash.bytes(), netting.output_hash.bytes()) == (input_hash, output_hash)
}
