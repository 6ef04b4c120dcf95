//! `hub`: every party has one transfer with the house; first what the house collects, then what it pays out, each by name.

use super::{Plan, direct};
use crate::{
    debts::Debts,
    network::{Flow, Network},
    outcome::NettingError,
    rounding::{self, Rounded},
};

pub(super) fn plan(network: &Network, debts: &Debts, grain: i64) -> Result<Plan, NettingError> {
    if network.parties().binary_search_by(|party| party.as_str().cmp(scrip::code::HOUSE)).is_ok() {
        return Err(NettingError::HouseIsParty);
    }
    let house = u32::try_from(network.parties().len()).expect("the network leaves a number for the house");
    let Rounded { settled, carried } = rounding::rounded(&debts.nets(), grain);
    let of_sign = |sign: i64| settled.iter().map(move |s| s.strict_mul(sign)).zip(0_u32..).filter(|(amount, _)| *amount > 0);
    let collected = of_sign(-1).map(|(amount, from)| Flow { from, to: house, amount });
    let paid_out = of_sign(1).map(|(amount, to)| Flow { from: house, to, amount });
    Ok(Plan {
        transfers: collected.chain(paid_out).collect(),
        carries: direct::paired(&carried),
        remaining: debts.net_internal_debt(),
        optimal: true,
    })
}
