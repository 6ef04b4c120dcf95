-- Why: vendors look at what a run says before money moves. What they dispute, and whoever the operator holds out, is left out of the
-- next run and stays owed.

ALTER TABLE schemes
    -- How long after its cut-off a run may be disputed, and waits to be approved; 0: not at all.
    ADD COLUMN dispute_hours integer NOT NULL DEFAULT 0 CONSTRAINT schemes_dispute_hours_range CHECK (dispute_hours BETWEEN 0 AND 8784),
    -- How long a transfer that failed may be tried again before it is rolled by itself, where the rule is carry_over; null: for ever.
    ADD COLUMN grace_hours   integer CONSTRAINT schemes_grace_hours_range CHECK (grace_hours BETWEEN 0 AND 8784),
    -- Who bears it when a vendor does not pay.
    ADD COLUMN failure_rule  text    NOT NULL DEFAULT 'carry_over' CONSTRAINT schemes_failure_rule_known CHECK (failure_rule IN (
                                         'carry_over', 'exclude_and_renet', 'collateral_then_loss_share', 'pro_rata'));
GRANT UPDATE (dispute_hours, grace_hours, failure_rule) ON schemes TO scriphouse_house;

-- Those that wait to be tried again: few, however many transfers there have been.
CREATE INDEX transfers_failed ON transfers (run_id, number) WHERE state = 'failed';

ALTER TABLE scheme_members
    -- What the house holds of the vendor's, for when it does not pay.
    ADD COLUMN collateral_micro bigint NOT NULL DEFAULT 0 CONSTRAINT scheme_members_collateral_not_negative CHECK (collateral_micro >= 0);
GRANT UPDATE (collateral_micro) ON scheme_members TO scriphouse_house;

ALTER TABLE runs ADD COLUMN disputable_until timestamptz;
-- Those that wait for somebody: few, however many runs there have been.
CREATE INDEX runs_proposed ON runs (id) WHERE state = 'proposed';

-- A vendor agrees to what a run says of it; whoever says nothing until the time is up agrees as well.
CREATE TABLE acknowledgements (
    run_id          uuid        NOT NULL CONSTRAINT acknowledgements_run_exists REFERENCES runs,
    vendor_id       uuid        NOT NULL CONSTRAINT acknowledgements_vendor_exists REFERENCES vendors,
    acknowledged_at timestamptz NOT NULL,
    CONSTRAINT acknowledgements_pkey PRIMARY KEY (run_id, vendor_id)
);

-- A vendor does not agree to one obligation. While the dispute is open, so much of what the debtor owes the creditor is held back.
CREATE TABLE disputes (
    id            uuid        CONSTRAINT disputes_pkey PRIMARY KEY,
    scheme_id     uuid        NOT NULL CONSTRAINT disputes_scheme_exists REFERENCES schemes,
    -- The run in which it was raised.
    run_id        uuid        NOT NULL CONSTRAINT disputes_run_exists REFERENCES runs,
    window_id     uuid        NOT NULL CONSTRAINT disputes_window_exists REFERENCES windows,
    obligation_id uuid        NOT NULL,
    debtor_id     uuid        NOT NULL CONSTRAINT disputes_debtor_exists REFERENCES vendors,
    creditor_id   uuid        NOT NULL CONSTRAINT disputes_creditor_exists REFERENCES vendors,
    amount_micro  bigint      NOT NULL CONSTRAINT disputes_amount_positive CHECK (amount_micro >= 1),
    raised_by     uuid        NOT NULL CONSTRAINT disputes_raised_by_party CHECK (raised_by IN (debtor_id, creditor_id)),
    reason        text        NOT NULL CONSTRAINT disputes_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    -- Withdrawn: the obligation stands. Upheld: it is owed back.
    state         text        NOT NULL CONSTRAINT disputes_state_known CHECK (state IN ('open', 'withdrawn', 'upheld')),
    raised_at     timestamptz NOT NULL,
    ended_at      timestamptz,
    ended_by      text        CONSTRAINT disputes_ended_by_form CHECK (ended_by ~ '^(operator|vendor):[0-9a-f-]{36}$'),
    CONSTRAINT disputes_once UNIQUE (window_id, obligation_id),
    CONSTRAINT disputes_two_vendors CHECK (debtor_id <> creditor_id),
    CONSTRAINT disputes_ended_has_instant CHECK ((state = 'open') = (ended_at IS NULL) AND (state = 'open') = (ended_by IS NULL))
);
CREATE INDEX disputes_by_run ON disputes (run_id);
CREATE INDEX disputes_open ON disputes (scheme_id) WHERE state = 'open';

-- A vendor that the scheme's runs leave out, with all that it owes and is owed, until that is lifted.
CREATE TABLE exclusions (
    id          uuid        CONSTRAINT exclusions_pkey PRIMARY KEY,
    scheme_id   uuid        NOT NULL CONSTRAINT exclusions_scheme_exists REFERENCES schemes,
    vendor_id   uuid        NOT NULL CONSTRAINT exclusions_vendor_exists REFERENCES vendors,
    reason      text        NOT NULL CONSTRAINT exclusions_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    excluded_by text        NOT NULL CONSTRAINT exclusions_excluded_by_form CHECK (excluded_by ~ '^operator:[0-9a-f-]{36}$'),
    excluded_at timestamptz NOT NULL,
    lifted_by   text        CONSTRAINT exclusions_lifted_by_form CHECK (lifted_by ~ '^operator:[0-9a-f-]{36}$'),
    lifted_at   timestamptz,
    CONSTRAINT exclusions_lifted_has_instant CHECK ((lifted_by IS NULL) = (lifted_at IS NULL))
);
CREATE UNIQUE INDEX exclusions_one_at_a_time ON exclusions (scheme_id, vendor_id) WHERE lifted_at IS NULL;

-- What a run held back of what one vendor owes another, for disputes and exclusions; part of its carries.
CREATE TABLE run_holdings (
    run_id       uuid   NOT NULL CONSTRAINT run_holdings_run_exists REFERENCES runs,
    debtor_id    uuid   NOT NULL CONSTRAINT run_holdings_debtor_exists REFERENCES vendors,
    creditor_id  uuid   NOT NULL CONSTRAINT run_holdings_creditor_exists REFERENCES vendors,
    amount_micro bigint NOT NULL CONSTRAINT run_holdings_amount_positive CHECK (amount_micro >= 1),
    CONSTRAINT run_holdings_pkey PRIMARY KEY (run_id, debtor_id, creditor_id)
);

ALTER TABLE acknowledgements ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE disputes         ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE exclusions       ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE run_holdings     ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY acknowledgements_own ON acknowledgements FOR SELECT TO scriphouse_app USING (vendor_id = current_vendor_id());
CREATE POLICY disputes_own         ON disputes FOR SELECT TO scriphouse_app USING (debtor_id = current_vendor_id() OR creditor_id = current_vendor_id());
CREATE POLICY exclusions_own       ON exclusions FOR SELECT TO scriphouse_app USING (vendor_id = current_vendor_id());
CREATE POLICY run_holdings_own     ON run_holdings FOR SELECT TO scriphouse_app USING (debtor_id = current_vendor_id() OR creditor_id = current_vendor_id());
GRANT SELECT ON acknowledgements, disputes, exclusions, run_holdings TO scriphouse_app;
GRANT SELECT, INSERT ON acknowledgements, disputes, exclusions, run_holdings TO scriphouse_house;
GRANT UPDATE (state, ended_at, ended_by) ON disputes TO scriphouse_house;
GRANT UPDATE (lifted_by, lifted_at) ON exclusions TO scriphouse_house;
