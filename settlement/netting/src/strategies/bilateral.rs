//! `bilateral`: one transfer per two parties, the difference of what they owe each other, in the order of payer and payee.

use super::Plan;
use crate::{debts::Debts, terms::Payable};

pub(super) fn plan(debts: &Debts, payable: Payable) -> Plan {
    super::each_paid(&debts.differences, payable)
}
