-- Why: a run is proposed, approved by somebody else, exported and settled, step by step, or voided. The windows of a voided run, and
-- those that were closed without being netted, are netted by a later run.

-- What a scheme says about its runs, and may say otherwise later: a run keeps what it was computed by.
ALTER TABLE schemes
    DROP CONSTRAINT schemes_strategy_known,
    ADD CONSTRAINT schemes_strategy_known CHECK (strategy IN ('gross', 'bilateral', 'conservative', 'direct', 'fewest', 'hub')),
    ADD COLUMN approval text NOT NULL DEFAULT 'second_person' CONSTRAINT schemes_approval_known CHECK (approval IN ('second_person', 'auto')),
    -- Smaller transfers are not made: what they would have moved is carried.
    ADD COLUMN min_transfer_micro bigint NOT NULL DEFAULT 0 CONSTRAINT schemes_min_transfer_not_negative CHECK (min_transfer_micro >= 0),
    ADD COLUMN version bigint NOT NULL DEFAULT 1 CONSTRAINT schemes_version_positive CHECK (version >= 1);
ALTER TABLE schemes ALTER COLUMN approval DROP DEFAULT, ALTER COLUMN min_transfer_micro DROP DEFAULT;
GRANT UPDATE (strategy, approval, min_transfer_micro, version) ON schemes TO scriphouse_house;

-- Forced row security holds for the owner too, and would hide every row from what follows.
ALTER TABLE runs NO FORCE ROW LEVEL SECURITY;
ALTER TABLE runs
    DROP CONSTRAINT runs_strategy_known,
    ADD CONSTRAINT runs_strategy_known CHECK (strategy IN ('gross', 'bilateral', 'conservative', 'direct', 'fewest', 'hub')),
    -- Counts the scheme's runs from 1; their manifests are chained in this order.
    ADD COLUMN number bigint CONSTRAINT runs_number_positive CHECK (number >= 1),
    ADD COLUMN min_transfer_micro bigint NOT NULL DEFAULT 0 CONSTRAINT runs_min_transfer_not_negative CHECK (min_transfer_micro >= 0);
UPDATE runs r SET number = w.number FROM run_windows l JOIN windows w ON w.id = l.window_id WHERE l.run_id = r.id;
ALTER TABLE runs
    ALTER COLUMN number SET NOT NULL,
    ALTER COLUMN min_transfer_micro DROP DEFAULT,
    ADD CONSTRAINT runs_number_unique UNIQUE (scheme_id, number);

-- Which run a window is settled by; none while it is open, waits, or is free again because its run was voided. One column, so that no
-- obligation can be settled twice.
ALTER TABLE windows
    ADD COLUMN run_id uuid CONSTRAINT windows_run_exists REFERENCES runs,
    -- Closed to be netted with the next run, and not by one of its own.
    ADD COLUMN held boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT windows_open_is_not_netted CHECK (state = 'closed' OR run_id IS NULL AND NOT held);
UPDATE windows w SET run_id = l.run_id FROM run_windows l WHERE l.window_id = w.id;
CREATE INDEX windows_not_netted ON windows (scheme_id, number) WHERE run_id IS NULL;
CREATE INDEX windows_by_run ON windows (run_id);
GRANT UPDATE (run_id, held) ON windows TO scriphouse_house;
ALTER TABLE runs FORCE ROW LEVEL SECURITY;

-- Which windows a run netted, also one that was voided; so a window may stand here more than once.
ALTER TABLE run_windows
    DROP CONSTRAINT run_windows_pkey,
    ADD CONSTRAINT run_windows_pkey PRIMARY KEY (run_id, window_id);
DROP INDEX run_windows_by_run;
CREATE INDEX run_windows_by_window ON run_windows (window_id);

-- What a run leaves owed: the obligations that it wrote into the window that was open then.
CREATE TABLE run_carries (
    run_id       uuid   NOT NULL CONSTRAINT run_carries_run_exists REFERENCES runs,
    -- Counts the run's carries from 1, in the order of its result.
    number       bigint NOT NULL CONSTRAINT run_carries_number_positive CHECK (number >= 1),
    debtor_id    uuid   NOT NULL CONSTRAINT run_carries_debtor_exists REFERENCES vendors,
    creditor_id  uuid   NOT NULL CONSTRAINT run_carries_creditor_exists REFERENCES vendors,
    amount_micro bigint NOT NULL CONSTRAINT run_carries_amount_positive CHECK (amount_micro >= 1),
    CONSTRAINT run_carries_pkey PRIMARY KEY (run_id, number),
    CONSTRAINT run_carries_two_vendors CHECK (debtor_id <> creditor_id)
);
ALTER TABLE obligations NO FORCE ROW LEVEL SECURITY;
INSERT INTO run_carries (run_id, number, debtor_id, creditor_id, amount_micro)
SELECT operation_id, row_number() OVER (PARTITION BY operation_id ORDER BY id), debtor_id, creditor_id, amount_micro
FROM obligations
WHERE source = 'carry';
ALTER TABLE obligations FORCE ROW LEVEL SECURITY;
ALTER TABLE run_carries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY run_carries_own ON run_carries FOR SELECT TO scriphouse_app USING (debtor_id = current_vendor_id() OR creditor_id = current_vendor_id());
GRANT SELECT ON run_carries TO scriphouse_app;
GRANT SELECT, INSERT ON run_carries TO scriphouse_house;

-- What became of a run, and who did it: `operator:` and the key's id, or `house` where the scheme approves by itself. Append-only.
CREATE TABLE run_steps (
    run_id      uuid        NOT NULL CONSTRAINT run_steps_run_exists REFERENCES runs,
    seq         integer     NOT NULL CONSTRAINT run_steps_seq_positive CHECK (seq >= 1),
    from_state  text        NOT NULL,
    to_state    text        NOT NULL,
    actor       text        NOT NULL CONSTRAINT run_steps_actor_form CHECK (actor ~ '^(house|(operator|vendor):[0-9a-f-]{36})$'),
    reason      text        CONSTRAINT run_steps_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    -- What was approved, so that it cannot be said to have been something else.
    output_hash bytea       NOT NULL CONSTRAINT run_steps_output_hash_length CHECK (octet_length(output_hash) = 32),
    stepped_at  timestamptz NOT NULL,
    CONSTRAINT run_steps_pkey PRIMARY KEY (run_id, seq),
    CONSTRAINT run_steps_legal CHECK (from_state || '>' || to_state IN (
        'computed>proposed', 'proposed>approved', 'approved>exported', 'exported>settling', 'settling>settled',
        'computed>voided', 'proposed>voided', 'approved>voided', 'exported>voided')),
    CONSTRAINT run_steps_void_has_reason CHECK (to_state <> 'voided' OR reason IS NOT NULL)
);
GRANT SELECT, INSERT ON run_steps TO scriphouse_house;

-- A run begins as computed, and each step of it is the last of its history.
CREATE FUNCTION check_run_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last record;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'computed' THEN
            RAISE EXCEPTION 'a run begins as computed, not as %', NEW.state USING ERRCODE = 'check_violation', CONSTRAINT = 'runs_begin_computed', TABLE = 'runs';
        END IF;
        RETURN NEW;
    END IF;
    SELECT * INTO last FROM run_steps WHERE run_id = NEW.id ORDER BY seq DESC LIMIT 1;
    IF last.from_state IS DISTINCT FROM OLD.state OR last.to_state IS DISTINCT FROM NEW.state THEN
        RAISE EXCEPTION 'run % goes from % to % and its history does not say so', NEW.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'runs_step_recorded', TABLE = 'runs';
    END IF;
    IF last.output_hash <> NEW.output_hash THEN
        RAISE EXCEPTION 'run % was not stepped for this result', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'runs_step_binds_output', TABLE = 'runs';
    END IF;
    IF NEW.state = 'approved' AND last.actor <> 'house'
       AND last.actor = (SELECT actor FROM run_steps WHERE run_id = NEW.id AND to_state = 'proposed') THEN
        RAISE EXCEPTION 'run % was proposed and approved by %', NEW.id, last.actor
            USING ERRCODE = 'check_violation', CONSTRAINT = 'runs_approved_by_second_person', TABLE = 'runs';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER runs_step BEFORE INSERT OR UPDATE OF state ON runs FOR EACH ROW EXECUTE FUNCTION check_run_step();
