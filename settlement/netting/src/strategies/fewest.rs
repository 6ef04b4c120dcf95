//! `fewest`: as `direct`, but in the fewest transfers: whoever can settle among themselves does.
//!
//! n balances that fall into g groups, each of which sums to zero, are settled by n - g transfers, and no settlement of any kind has fewer:
//! whoever is connected by transfers is such a group, and k parties are connected by k - 1 transfers at least. So the most groups are
//! looked for (`zero_sums`), and each is paid as by `direct`. Where `direct` itself takes no more transfers, its own are made.

use super::{Plan, direct};
use crate::{
    debts::Debts,
    network::Flow,
    rounding::{self, Rounded},
    terms::Payable,
    zero_sums::{Groups, grouped},
};

pub(super) fn plan(debts: &Debts, payable: Payable) -> Plan {
    let Rounded { settled, carried } = rounding::rounded(&debts.nets(), payable.grain);
    let Groups { groups, at_most } = grouped(&settled);
    let paid = groups.iter().flat_map(|group| direct::paired_among(group.iter().map(|balance| (balance.amount, balance.party))));
    let (by_group, by_size): (Vec<Flow>, Vec<Flow>) = (paid.collect(), direct::paired(&settled));
    let transfers = if by_group.len() < by_size.len() { by_group } else { by_size };
    let needed = settled.iter().filter(|balance| **balance != 0).count().strict_sub(at_most);
    let optimal = transfers.len() == needed;
    let (transfers, carries) = super::hold_back(transfers, direct::paired(&carried), payable);
    Plan { transfers, carries, remaining: debts.net_internal_debt(), optimal, transfers_needed: Some(needed) }
}
