//! `gross`: nothing is set off; one transfer per debtor and creditor, in their order.

use super::Plan;
use crate::{debts::Debts, terms::Payable};

pub(super) fn plan(debts: &Debts, payable: Payable) -> Plan {
    super::each_paid(&debts.pairs, payable)
}
