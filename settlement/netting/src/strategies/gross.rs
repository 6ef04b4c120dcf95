//! `gross`: nothing is set off; one transfer per debtor and creditor, in their order.

use super::Plan;
use crate::debts::Debts;

pub(super) fn plan(debts: &Debts, grain: i64) -> Plan {
    super::each_paid(&debts.pairs, grain)
}
