-- Why: a vendor must not be able to owe more than the house, or a creditor, accepts; and a scheme should be able to settle as soon as
-- somebody owes much. What counts is everything unsettled: the positions of windows that are not settled yet, open or closed.

ALTER TABLE windows
    -- Since when nothing of the window is owed any more: its run is settled. Until then it counts in what its vendors owe.
    ADD COLUMN settled_at timestamptz,
    ADD CONSTRAINT windows_settled_is_closed CHECK (settled_at IS NULL OR state = 'closed');
CREATE INDEX windows_unsettled ON windows (scheme_id) WHERE settled_at IS NULL;
GRANT UPDATE (settled_at) ON windows TO scriphouse_house;

-- Forced row security holds for the owner too, and would hide every row from what follows.
ALTER TABLE runs NO FORCE ROW LEVEL SECURITY;
UPDATE windows SET settled_at = now()
WHERE id IN (SELECT l.window_id FROM run_windows l JOIN runs r ON r.id = l.run_id WHERE r.state = 'settled');
ALTER TABLE runs FORCE ROW LEVEL SECURITY;

-- The most that a vendor may owe less what it is owed, set by the operator. A row stays when its cap is taken away (null), so that its
-- version goes on growing; without a row the version is 1 and there is no cap.
CREATE TABLE debit_caps (
    vendor_id  uuid        CONSTRAINT debit_caps_pkey PRIMARY KEY CONSTRAINT debit_caps_vendor_exists REFERENCES vendors,
    cap_micro  bigint      CONSTRAINT debit_caps_cap_not_negative CHECK (cap_micro >= 0),
    version    bigint      NOT NULL CONSTRAINT debit_caps_version_after_first CHECK (version >= 2),
    changed_at timestamptz NOT NULL
);

-- How much of a debtor's debt a creditor accepts, net of what it owes the debtor, set by the creditor. Rows stay likewise.
CREATE TABLE bilateral_caps (
    creditor_id uuid        NOT NULL CONSTRAINT bilateral_caps_creditor_exists REFERENCES vendors,
    debtor_id   uuid        NOT NULL CONSTRAINT bilateral_caps_debtor_exists REFERENCES vendors,
    cap_micro   bigint      CONSTRAINT bilateral_caps_cap_not_negative CHECK (cap_micro >= 0),
    version     bigint      NOT NULL CONSTRAINT bilateral_caps_version_after_first CHECK (version >= 2),
    changed_at  timestamptz NOT NULL,
    CONSTRAINT bilateral_caps_pkey PRIMARY KEY (creditor_id, debtor_id),
    CONSTRAINT bilateral_caps_two_vendors CHECK (creditor_id <> debtor_id)
);
CREATE INDEX bilateral_caps_by_debtor ON bilateral_caps (debtor_id);

-- What the vendors that have a net debit cap owe and are owed in each window that is not settled: sums of positions, which would have to be
-- read one by one, one for each counterparty. Kept only for these vendors, from the tx that sets their cap to the one that takes it away;
-- closing a window makes one row a vendor of all its writers', settling it deletes them.
CREATE TABLE exposures (
    window_id  uuid     NOT NULL,
    vendor_id  uuid     NOT NULL,
    writer     smallint NOT NULL,
    owes_micro bigint   NOT NULL CONSTRAINT exposures_owes_not_negative CHECK (owes_micro >= 0),
    owed_micro bigint   NOT NULL CONSTRAINT exposures_owed_not_negative CHECK (owed_micro >= 0),
    CONSTRAINT exposures_pkey PRIMARY KEY (window_id, vendor_id, writer)
) WITH (fillfactor = 50);

ALTER TABLE exposures      ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE debit_caps     ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE bilateral_caps ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

-- Both parties of a bilateral cap see it; the creditor alone sets it.
CREATE POLICY debit_caps_own        ON debit_caps FOR SELECT TO scriphouse_app USING (vendor_id = current_vendor_id());
CREATE POLICY bilateral_caps_read   ON bilateral_caps FOR SELECT TO scriphouse_app
    USING (creditor_id = current_vendor_id() OR debtor_id = current_vendor_id());
CREATE POLICY exposures_own         ON exposures FOR SELECT TO scriphouse_app USING (vendor_id = current_vendor_id());
CREATE POLICY bilateral_caps_insert ON bilateral_caps FOR INSERT TO scriphouse_app WITH CHECK (creditor_id = current_vendor_id());
CREATE POLICY bilateral_caps_update ON bilateral_caps FOR UPDATE TO scriphouse_app USING (creditor_id = current_vendor_id());

GRANT SELECT ON exposures, debit_caps, bilateral_caps TO scriphouse_app, scriphouse_house;
GRANT INSERT, UPDATE (owes_micro, owed_micro), DELETE ON exposures TO scriphouse_house;
GRANT INSERT, UPDATE (cap_micro, version, changed_at) ON debit_caps TO scriphouse_house;
GRANT INSERT, UPDATE (cap_micro, version, changed_at) ON bilateral_caps TO scriphouse_app, scriphouse_house;

-- What one vendor owes another in a window is found by the index that finds what it owes to all.
DROP INDEX positions_by_debtor;
CREATE INDEX positions_by_debtor ON positions (debtor_id, window_id, creditor_id);

-- The scheme settles off its schedules once a vendor owes more than this, on balance, in the open window; null: it does not. At least the
-- smallest payment of its currency; what runs carried does not count.
ALTER TABLE schemes
    ADD COLUMN settle_threshold_micro bigint,
    ADD CONSTRAINT schemes_settle_threshold_payable CHECK (settle_threshold_micro >= 10::numeric ^ (6 - digits));
GRANT UPDATE (settle_threshold_micro) ON schemes TO scriphouse_house;
