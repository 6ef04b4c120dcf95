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

-- What a vendor owes is found by the key, what it is owed by this.
CREATE INDEX moved_debts_by_creditor ON moved_debts (window_id, creditor_id) INCLUDE (amount_micro);

-- Forced row security holds for the owner too, and would hide every row from what follows.
ALTER TABLE runs          NO FORCE ROW LEVEL SECURITY;
ALTER TABLE run_carries   NO FORCE ROW LEVEL SECURITY;
ALTER TABLE transfers     NO FORCE ROW LEVEL SECURITY;
ALTER TABLE defaults      NO FORCE ROW LEVEL SECURITY;
ALTER TABLE default_debts NO FORCE ROW LEVEL SECURITY;
ALTER TABLE default_draws NO FORCE ROW LEVEL SECURITY;
INSERT INTO moved_debts (window_id, debtor_id, creditor_id, amount_micro)
SELECT w.id, m.debtor_id, m.creditor_id, sum(m.amount_micro)
FROM (SELECT run_id, debtor_id, creditor_id, amount_micro FROM run_carries
      UNION ALL
      SELECT run_id, payer_id, payee_id, amount_micro FROM transfers WHERE state = 'rolled' AND default_id IS NULL
      UNION ALL
      SELECT d.run_id, b.debtor_id, b.creditor_id, b.amount_micro FROM default_debts b JOIN defaults d ON d.id = b.default_id
      UNION ALL
      SELECT d.run_id, d.vendor_id, w.payee_id, w.amount_micro FROM default_draws w JOIN defaults d ON d.id = w.default_id) m
JOIN runs r ON r.id = m.run_id AND r.state NOT IN ('settled', 'voided')
JOIN windows w ON w.id = (SELECT last.id FROM windows last WHERE last.run_id = m.run_id ORDER BY last.number DESC LIMIT 1)
GROUP BY w.id, m.debtor_id, m.creditor_id;
ALTER TABLE runs          FORCE ROW LEVEL SECURITY;
ALTER TABLE run_carries   FORCE ROW LEVEL SECURITY;
ALTER TABLE transfers     FORCE ROW LEVEL SECURITY;
ALTER TABLE defaults      FORCE ROW LEVEL SECURITY;
ALTER TABLE default_debts FORCE ROW LEVEL SECURITY;
ALTER TABLE default_draws FORCE ROW LEVEL SECURITY;

ALTER TABLE moved_debts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY moved_debts_own ON moved_debts FOR SELECT TO scriphouse_app
    USING (debtor_id = current_vendor_id() OR creditor_id = current_vendor_id());
GRANT SELECT ON moved_debts TO scriphouse_app, scriphouse_house;
GRANT INSERT, UPDATE (amount_micro), DELETE ON moved_debts TO scriphouse_house;
