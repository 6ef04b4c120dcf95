//! `conservative`: the largest set-off of circles that makes nobody owe somebody new; what remains of each debt is paid, in the order of
//! payer and payee.

use super::Plan;
use crate::{circulation, debts::Debts, network::Flow, terms::Payable};

pub(super) fn plan(debts: &Debts, payable: Payable) -> Plan {
    let remainders = circulation::remainders(&debts.pairs, &debts.nets());
    let left: Vec<Flow> =
        debts.pairs.iter().zip(remainders).filter(|(_, left)| *left > 0).map(|(pair, amount)| Flow { amount, ..*pair }).collect();
    super::each_paid(&left, payable)
}
