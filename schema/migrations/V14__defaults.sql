-- Why: a vendor has not paid and will not in time. The rule of its scheme says who bears that, and the house carries it out: something else
-- takes the place of the transfers that failed, and the vendor takes part in no run until the operator lets it.

ALTER TABLE obligations
    DROP CONSTRAINT obligations_source_known,
    ADD CONSTRAINT obligations_source_known CHECK (source IN ('swap', 'fee', 'reversal', 'carry', 'import', 'rolled', 'default'));

CREATE TABLE defaults (
    id          uuid        CONSTRAINT defaults_pkey PRIMARY KEY,
    run_id      uuid        NOT NULL CONSTRAINT defaults_run_exists REFERENCES runs,
    vendor_id   uuid        NOT NULL CONSTRAINT defaults_vendor_exists REFERENCES vendors,
    rule        text        NOT NULL CONSTRAINT defaults_rule_known CHECK (rule IN (
                                'carry_over', 'exclude_and_renet', 'collateral_then_loss_share', 'pro_rata')),
    -- What the house held of the vendor's: with it the rule can be followed again.
    collateral_micro bigint NOT NULL CONSTRAINT defaults_collateral_not_negative CHECK (collateral_micro >= 0),
    reason      text        NOT NULL CONSTRAINT defaults_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    declared_by text        NOT NULL CONSTRAINT defaults_declared_by_form CHECK (declared_by ~ '^(house|operator:[0-9a-f-]{36})$'),
    declared_at timestamptz NOT NULL,
    CONSTRAINT defaults_once UNIQUE (run_id, vendor_id),
    -- For whoever names it together with its run and vendor.
    CONSTRAINT defaults_whole UNIQUE (id, run_id, vendor_id)
);

-- What is paid at once to others, out of what the house holds of the vendor.
CREATE TABLE default_draws (
    default_id   uuid   NOT NULL CONSTRAINT default_draws_default_exists REFERENCES defaults,
    payee_id     uuid   NOT NULL CONSTRAINT default_draws_payee_exists REFERENCES vendors,
    amount_micro bigint NOT NULL CONSTRAINT default_draws_amount_positive CHECK (amount_micro >= 1),
    CONSTRAINT default_draws_pkey PRIMARY KEY (default_id, payee_id)
);

-- What is owed from then on: each stands as an obligation of the window that was open.
CREATE TABLE default_debts (
    default_id   uuid   NOT NULL CONSTRAINT default_debts_default_exists REFERENCES defaults,
    debtor_id    uuid   NOT NULL CONSTRAINT default_debts_debtor_exists REFERENCES vendors,
    creditor_id  uuid   NOT NULL CONSTRAINT default_debts_creditor_exists REFERENCES vendors,
    amount_micro bigint NOT NULL CONSTRAINT default_debts_amount_positive CHECK (amount_micro >= 1),
    CONSTRAINT default_debts_pkey PRIMARY KEY (default_id, debtor_id, creditor_id),
    CONSTRAINT default_debts_two_vendors CHECK (debtor_id <> creditor_id)
);

-- Of a transfer whose place something else has taken: what that follows from.
ALTER TABLE transfers
    ADD COLUMN default_id uuid,
    ADD CONSTRAINT transfers_default_of_payer FOREIGN KEY (default_id, run_id, payer_id) REFERENCES defaults (id, run_id, vendor_id),
    ADD CONSTRAINT transfers_defaulted_is_rolled CHECK (default_id IS NULL OR state = 'rolled');
CREATE INDEX transfers_defaulted ON transfers (default_id) WHERE default_id IS NOT NULL;
GRANT UPDATE (default_id) ON transfers TO scriphouse_house;

-- The house leaves out who has not paid.
ALTER TABLE exclusions
    DROP CONSTRAINT exclusions_excluded_by_form,
    ADD CONSTRAINT exclusions_excluded_by_form CHECK (excluded_by ~ '^(house|operator:[0-9a-f-]{36})$');

ALTER TABLE defaults      ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE default_draws ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE default_debts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
-- Whoever took part in the run hears of it; what is paid and owed is between two.
CREATE POLICY defaults_own      ON defaults FOR SELECT TO scriphouse_app
    USING (EXISTS (SELECT FROM run_positions p WHERE p.run_id = defaults.run_id AND p.vendor_id = current_vendor_id()));
CREATE POLICY default_draws_own ON default_draws FOR SELECT TO scriphouse_app
    USING (payee_id = current_vendor_id()
           OR EXISTS (SELECT FROM defaults d WHERE d.id = default_id AND d.vendor_id = current_vendor_id()));
CREATE POLICY default_debts_own ON default_debts FOR SELECT TO scriphouse_app
    USING (debtor_id = current_vendor_id() OR creditor_id = current_vendor_id());
-- Not what the house held, nor what the operator says of it.
GRANT SELECT (id, run_id, vendor_id, rule, declared_at) ON defaults TO scriphouse_app;
GRANT SELECT ON default_draws, default_debts TO scriphouse_app;
GRANT SELECT, INSERT ON defaults, default_draws, default_debts TO scriphouse_house;
