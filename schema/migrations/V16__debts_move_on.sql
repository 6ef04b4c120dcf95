-- Why: what a run carries into the open window, and a failed transfer that is owed again there, counted twice under caps until the run was
-- settled: there, and in the run's windows, which count whole. A debtor lost headroom, and a creditor gained as much that it did not have.

-- What is owed in a later window in the place of debts of this one, which no run has settled yet. So much less counts here; the rows go when
-- the window is settled, or when its run is voided and owes back what it carried.
CREATE TABLE moved_debts (
    window_id    uuid   NOT NULL CONSTRAINT moved_debts_window_exists REFERENCES windows,
    debtor_id    uuid   NOT NULL CONSTRAINT moved_debts_debtor_exists REFERENCES vendors,
    creditor_id  uuid   NOT NULL CONSTRAINT moved_debts_creditor_exists REFERENCES vendors,
    amount_micro bigint NOT NULL CONSTRAINT moved_debts_amount_positive CHECK (amount_micro >= 1),
    CONSTRAINT moved_debts_pkey PRIMARY KEY (window_id, debtor_id, creditor_id),
    CONSTRAINT moved_debts_two_vendors CHECK (debtor_id <> creditor_id)
);

ALTER TABLE runs        NO FORCE ROW LEVEL SECURITY;
ALTER TABLE run_carries NO FORCE ROW LEVEL SECURITY;
ALTER TABLE transfers   NO FORCE ROW LEVEL SECURITY;
INSERT INTO moved_debts (window_id, debtor_id, creditor_id, amount_micro)
SELECT w.id, m.debtor_id, m.creditor_id, sum(m.amount_micro)
FROM (SELECT run_id, debtor_id, creditor_id, amount_micro FROM run_carries
      UNION ALL
      SELECT run_id, payer_id, payee_id, amount_micro FROM transfers WHERE state = 'rolled') m
JOIN runs r ON r.id = m.run_id AND r.state NOT IN ('settled', 'voided')
JOIN windows w ON w.id = (SELECT last.id FROM windows last WHERE last.run_id = m.run_id ORDER BY last.number DESC LIMIT 1)
GROUP BY w.id, m.debtor_id, m.creditor_id;
ALTER TABLE runs        FORCE ROW LEVEL SECURITY;
ALTER TABLE run_carries FORCE ROW LEVEL SECURITY;
ALTER TABLE transfers   FORCE ROW LEVEL SECURITY;

ALTER TABLE moved_debts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY moved_debts_own ON moved_debts FOR SELECT TO scriphouse_app
    USING (debtor_id = current_vendor_id() OR creditor_id = current_vendor_id());
GRANT SELECT ON moved_debts TO scriphouse_app, scriphouse_house;
GRANT INSERT, UPDATE (amount_micro), DELETE ON moved_debts TO scriphouse_house;
