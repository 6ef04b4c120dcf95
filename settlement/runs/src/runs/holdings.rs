//! What a run holds back: what is disputed, and all that vendors owe and are owed whom the scheme leaves out.

use super::compute::Debts;
use super::{NettedWindow, store};
use crate::{disputes, exclusions};
use ledger::{Fault, Tx};
use netting::Holding;
use scrip::{RunId, SchemeId, VendorId};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Of what is owed in these windows, by debtor and creditor.
pub(super) async fn read(tx: &Tx<'_>, scheme: SchemeId, windows: &[NettedWindow], debts: &Debts) -> Result<Vec<Holding>, Fault> {
    let ids: Vec<Uuid> = windows.iter().map(|window| window.id.uuid()).collect();
    let disputed: BTreeMap<(VendorId, VendorId), _> =
        disputes::list_open(tx, scheme, &ids).await?.into_iter().map(|(debtor, creditor, amount)| ((debtor, creditor), amount)).collect();
    let excluded: BTreeSet<VendorId> = exclusions::list_vendors(tx, scheme).await?.into_iter().collect();
    let id = |code: &str| debts.vendors.get(code).copied();
    let mut holdings = Vec::new();
    for (debtor, creditor, owed) in debts.network.obligations() {
        let (Some(from), Some(to)) = (id(debtor.as_str()), id(creditor.as_str())) else { continue };
        let all = excluded.contains(&from) || excluded.contains(&to);
        if let Some(amount) = if all { Some(owed) } else { disputed.get(&(from, to)).copied() } {
            holdings.push(Holding { debtor: debtor.to_string(), creditor: creditor.to_string(), amount });
        }
    }
    Ok(holdings)
}

/// Keeps what the run held back, so that it can be netted again.
pub(super) async fn keep(tx: &Tx<'_>, run: RunId, holdings: &[Holding], debts: &Debts) -> Result<(), Fault> {
    for Holding { debtor, creditor, amount } in holdings {
        let known = |code: &str| debts.vendors.get(code).copied().ok_or_else(|| Fault::Unreadable(format!("no vendor {code}")));
        store::insert_holding(tx, run, known(debtor)?, known(creditor)?, *amount).await?;
    }
    Ok(())
}
