-- Why: while a run was not settled, what two vendors owed each other was held against the obligations that it had netted, although they owed each
-- other its transfers by then. A creditor could owe more than was accepted of it once such a transfer was owed again.

-- What a run carries, and what it failed to move, is read where it stands: run_carries, and the transfers that were rolled.
DROP TABLE moved_debts;

-- What a vendor owes in a run, and is owed.
CREATE INDEX run_carries_by_debtor ON run_carries (debtor_id, run_id);
CREATE INDEX run_carries_by_creditor ON run_carries (creditor_id, run_id);
DROP INDEX transfers_by_payer, transfers_by_payee;
CREATE INDEX transfers_by_payer ON transfers (payer_id, run_id);
CREATE INDEX transfers_by_payee ON transfers (payee_id, run_id);
