-- Why: while a run was not settled, what two vendors owed each other was held against the obligations that it had netted, although they owed each
-- other its transfers by then. A creditor could owe more than was accepted of it once such a transfer was owed again.

-- What a run carries, and what it failed to move, is read where it stands: run_carries, and the transfers that were rolled.
DROP TABLE moved_debts;

-- What two vendors owe each other in a run.
CREATE INDEX run_carries_by_debtor ON run_carries (debtor_id, creditor_id, run_id);
DROP INDEX transfers_by_payer;
CREATE INDEX transfers_by_payer ON transfers (payer_id, payee_id, run_id);

-- What is owed elsewhere of what a vendor was to pay in a run, or to be paid.
CREATE INDEX transfers_rolled_by_payer ON transfers (run_id, payer_id) WHERE state = 'rolled';
CREATE INDEX transfers_rolled_by_payee ON transfers (run_id, payee_id) WHERE state = 'rolled';
