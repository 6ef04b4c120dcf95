-- Why: a bank that books many payments as one sum, or drops our reference, leaves an entry that names no transfer. A person says then which
-- transfers it means, and the entry counts as if it had named them.

CREATE TABLE confirmation_assignments (
    confirmation_id uuid        NOT NULL,
    -- The entry.
    number          integer     NOT NULL,
    -- A transfer that it means.
    run_id          uuid        NOT NULL,
    transfer_number bigint      NOT NULL,
    assigned_by     text        NOT NULL CONSTRAINT confirmation_assignments_assigner_form CHECK (assigned_by ~ '^operator:[0-9a-f-]{36}$'),
    assigned_at     timestamptz NOT NULL,
    -- The step of the transfer that the entry made, once it is applied.
    step_seq        integer     CONSTRAINT confirmation_assignments_step_positive CHECK (step_seq >= 1),
    CONSTRAINT confirmation_assignments_pkey PRIMARY KEY (confirmation_id, number, run_id, transfer_number),
    CONSTRAINT confirmation_assignments_entry_exists FOREIGN KEY (confirmation_id, number) REFERENCES confirmation_entries,
    CONSTRAINT confirmation_assignments_transfer_exists FOREIGN KEY (run_id, transfer_number) REFERENCES transfers,
    CONSTRAINT confirmation_assignments_step_once UNIQUE (run_id, transfer_number, step_seq)
);

-- What an entry means is said at once, by one statement, and taken back at once: the rules are about all of its rows.
CREATE FUNCTION check_confirmation_assignments() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    broken record;
BEGIN
    SELECT c.id INTO broken FROM confirmations c WHERE c.state = 'applied' AND c.id IN (SELECT confirmation_id FROM changed) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'confirmation % is applied: what its entries mean stays', broken.id
            USING ERRCODE = 'check_violation', TABLE = 'confirmation_assignments', CONSTRAINT = 'confirmation_assignments_while_proposed';
    END IF;

    SELECT e.confirmation_id, e.number INTO broken
    FROM (SELECT DISTINCT confirmation_id, number FROM changed) k
    JOIN confirmation_entries e ON e.confirmation_id = k.confirmation_id AND e.number = k.number
    JOIN confirmations c ON c.id = e.confirmation_id
    JOIN LATERAL (SELECT count(*) AS transfer_count, sum(t.amount_micro) AS amount_micro,
                         bool_and(r.scheme_id = c.scheme_id AND r.state IN ('exported', 'settling') AND coalesce(r.currency = e.currency, false)) AS fits
                  FROM confirmation_assignments a
                  JOIN transfers t ON t.run_id = a.run_id AND t.number = a.transfer_number
                  JOIN runs r ON r.id = a.run_id
                  WHERE a.confirmation_id = e.confirmation_id AND a.number = e.number) m ON m.transfer_count > 0
    WHERE NOT m.fits OR m.amount_micro IS DISTINCT FROM e.amount_micro OR m.transfer_count > 1000 OR e.run_id IS NOT NULL
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % of confirmation % does not mean these transfers', broken.number, broken.confirmation_id
            USING ERRCODE = 'check_violation', TABLE = 'confirmation_assignments', CONSTRAINT = 'confirmation_assignments_fit_entry';
    END IF;

    SELECT n.run_id, n.transfer_number INTO broken
    FROM changed n
    JOIN confirmation_assignments a ON a.run_id = n.run_id AND a.transfer_number = n.transfer_number
                                   AND a.confirmation_id = n.confirmation_id AND a.number <> n.number
    JOIN confirmation_entries e ON e.confirmation_id = n.confirmation_id AND e.number = n.number
    JOIN confirmation_entries o ON o.confirmation_id = a.confirmation_id AND o.number = a.number AND o.said = e.said
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transfer % of run % is what another entry means', broken.transfer_number, broken.run_id
            USING ERRCODE = 'check_violation', TABLE = 'confirmation_assignments', CONSTRAINT = 'confirmation_assignments_said_once';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER confirmation_assignments_inserted
    AFTER INSERT ON confirmation_assignments
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION check_confirmation_assignments();

CREATE TRIGGER confirmation_assignments_deleted
    AFTER DELETE ON confirmation_assignments
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION check_confirmation_assignments();

GRANT SELECT, INSERT, DELETE, UPDATE (step_seq) ON confirmation_assignments TO scriphouse_house;
