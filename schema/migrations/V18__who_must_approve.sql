-- Why: a scheme says whether a second person approves its runs, and may say otherwise tomorrow. What it said when a run was computed belongs to
-- the run: without it, an approval by the house looks the same whether it was right or forged.

ALTER TABLE runs
    ADD COLUMN approval text CONSTRAINT runs_approval_known CHECK (approval IN ('second_person', 'auto'));
ALTER TABLE runs NO FORCE ROW LEVEL SECURITY;
-- Where nobody has to approve, the house proposes in the tx that computes.
UPDATE runs r
SET approval = CASE WHEN EXISTS (SELECT FROM run_steps s WHERE s.run_id = r.id AND s.to_state = 'proposed' AND s.actor = 'house')
                    THEN 'auto' ELSE 'second_person' END;
ALTER TABLE runs FORCE ROW LEVEL SECURITY;
ALTER TABLE runs ALTER COLUMN approval SET NOT NULL;

CREATE OR REPLACE FUNCTION check_run_step() RETURNS trigger LANGUAGE plpgsql AS $$
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
    IF NEW.state IN ('proposed', 'approved') AND last.actor = 'house' AND NEW.approval <> 'auto' THEN
        RAISE EXCEPTION 'run % is for people to propose and approve', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'runs_approved_by_people', TABLE = 'runs';
    END IF;
    RETURN NEW;
END $$;
