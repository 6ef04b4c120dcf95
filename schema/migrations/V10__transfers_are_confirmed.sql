-- Why: what becomes of the transfers once finance teams have the files of a run: what payers, payees and banks say of them, step by step.

-- A transfer that failed may be owed again: as an obligation of the open window.
ALTER TABLE obligations
    DROP CONSTRAINT obligations_source_known,
    ADD CONSTRAINT obligations_source_known CHECK (source IN ('swap', 'fee', 'reversal', 'carry', 'import', 'rolled'));

-- The steps that there are; the program has the same table. A dispute ends in the state that it began in.
CREATE FUNCTION transfer_may_become(from_state text, to_state text, disputed_from text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE from_state
                     WHEN 'instructed' THEN to_state IN ('sent', 'received', 'failed', 'disputed')
                     WHEN 'sent'       THEN to_state IN ('received', 'failed', 'disputed')
                     WHEN 'failed'     THEN to_state IN ('retried', 'rolled', 'written_off', 'disputed')
                     WHEN 'retried'    THEN to_state IN ('sent', 'received', 'failed', 'disputed')
                     WHEN 'disputed'   THEN coalesce(to_state = disputed_from, false)
                     ELSE false END $$;

ALTER TABLE transfers
    -- How often it has been instructed.
    ADD COLUMN attempt       integer NOT NULL DEFAULT 1 CONSTRAINT transfers_attempt_positive CHECK (attempt >= 1),
    -- The state that a dispute interrupted.
    ADD COLUMN disputed_from text    CONSTRAINT transfers_disputed_from_known CHECK (disputed_from IN ('instructed', 'sent', 'failed', 'retried')),
    ADD CONSTRAINT transfers_disputed_has_origin CHECK ((state = 'disputed') = (disputed_from IS NOT NULL)),
    -- An obligation is between vendors.
    ADD CONSTRAINT transfers_rolled_between_vendors CHECK (state <> 'rolled' OR (payer_id IS NOT NULL AND payee_id IS NOT NULL));

-- Whether a run has one that can still change is asked with every step.
CREATE INDEX transfers_unfinished ON transfers (run_id) WHERE state NOT IN ('received', 'rolled', 'written_off');

CREATE FUNCTION check_transfer_step() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT transfer_may_become(OLD.state, NEW.state, OLD.disputed_from)
       OR NEW.attempt <> OLD.attempt + (CASE WHEN OLD.state = 'failed' AND NEW.state = 'retried' THEN 1 ELSE 0 END)
       OR NEW.disputed_from IS DISTINCT FROM (CASE WHEN NEW.state = 'disputed' THEN OLD.state END) THEN
        RAISE EXCEPTION 'a transfer that is % does not become %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', TABLE = 'transfers', CONSTRAINT = 'transfers_step_allowed';
    END IF;
    IF NOT EXISTS (SELECT FROM runs r WHERE r.id = NEW.run_id AND r.state IN ('exported', 'settling')) THEN
        RAISE EXCEPTION 'the run of the transfer is not under settlement'
            USING ERRCODE = 'check_violation', TABLE = 'transfers', CONSTRAINT = 'transfers_run_under_settlement';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER transfers_step_allowed
    BEFORE UPDATE OF state, attempt, disputed_from ON transfers
    FOR EACH ROW EXECUTE FUNCTION check_transfer_step();

-- What a bank says of many payments, uploaded once: first proposed, with what each entry would come to; then applied, with what it came to.
CREATE TABLE confirmations (
    id          uuid        CONSTRAINT confirmations_pkey PRIMARY KEY,
    scheme_id   uuid        NOT NULL CONSTRAINT confirmations_scheme_exists REFERENCES schemes,
    sha256      bytea       NOT NULL CONSTRAINT confirmations_sha256_length CHECK (octet_length(sha256) = 32),
    size_bytes  bigint      NOT NULL CONSTRAINT confirmations_size_positive CHECK (size_bytes >= 1),
    format      text        NOT NULL CONSTRAINT confirmations_format_known CHECK (format IN (
                                'pain.002.001.10', 'camt.053.001.08', 'camt.054.001.08', 'csv')),
    state       text        NOT NULL CONSTRAINT confirmations_state_known CHECK (state IN ('proposed', 'applied')),
    entry_count integer     NOT NULL CONSTRAINT confirmations_count_not_negative CHECK (entry_count >= 0),
    uploaded_by text        NOT NULL CONSTRAINT confirmations_uploader_form CHECK (uploaded_by ~ '^operator:[0-9a-f-]{36}$'),
    uploaded_at timestamptz NOT NULL,
    applied_by  text        CONSTRAINT confirmations_applier_form CHECK (applied_by ~ '^operator:[0-9a-f-]{36}$'),
    applied_at  timestamptz,
    CONSTRAINT confirmations_sha256_unique UNIQUE (scheme_id, sha256),
    CONSTRAINT confirmations_applied_has_instant CHECK (
        (state = 'applied') = (applied_at IS NOT NULL) AND (state = 'applied') = (applied_by IS NOT NULL))
);

-- What was said and done about a transfer; never changed, never deleted. The first step leads away from 'instructed'.
CREATE TABLE transfer_steps (
    run_id          uuid        NOT NULL,
    number          bigint      NOT NULL,
    seq             integer     NOT NULL CONSTRAINT transfer_steps_seq_positive CHECK (seq >= 1),
    from_state      text        NOT NULL,
    to_state        text        NOT NULL,
    -- After the step.
    attempt         integer     NOT NULL CONSTRAINT transfer_steps_attempt_positive CHECK (attempt >= 1),
    actor           text        NOT NULL CONSTRAINT transfer_steps_actor_form CHECK (actor ~ '^(house|(operator|vendor):[0-9a-f-]{36})$'),
    bank_reference  text        CONSTRAINT transfer_steps_bank_reference_length CHECK (length(bank_reference) BETWEEN 1 AND 35),
    booked_on       date,
    reason_code     text        CONSTRAINT transfer_steps_reason_code_form CHECK (reason_code ~ '^[A-Z0-9]{4}$'),
    reason          text        CONSTRAINT transfer_steps_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    -- The confirmation that it follows from; none where somebody marked it.
    confirmation_id uuid        CONSTRAINT transfer_steps_confirmation_exists REFERENCES confirmations,
    stepped_at      timestamptz NOT NULL,
    CONSTRAINT transfer_steps_pkey PRIMARY KEY (run_id, number, seq),
    CONSTRAINT transfer_steps_transfer_exists FOREIGN KEY (run_id, number) REFERENCES transfers,
    CONSTRAINT transfer_steps_changes_state CHECK (from_state <> to_state),
    CONSTRAINT transfer_steps_failed_has_code CHECK (to_state <> 'failed' OR from_state = 'disputed' OR reason_code IS NOT NULL),
    -- The house by itself only rolls, when the time to try again is up.
    CONSTRAINT transfer_steps_failed_is_operators CHECK (
        CASE WHEN actor = 'house' THEN to_state = 'rolled' ELSE to_state NOT IN ('retried', 'rolled', 'written_off') OR actor LIKE 'operator:%' END),
    CONSTRAINT transfer_steps_written_off_has_reason CHECK (to_state <> 'written_off' OR reason IS NOT NULL)
);
CREATE INDEX transfer_steps_by_confirmation ON transfer_steps (confirmation_id) WHERE confirmation_id IS NOT NULL;

CREATE TABLE confirmation_entries (
    confirmation_id   uuid    NOT NULL CONSTRAINT confirmation_entries_confirmation_exists REFERENCES confirmations,
    -- Counts the entries from 1, in the order of the text.
    number            integer NOT NULL CONSTRAINT confirmation_entries_number_positive CHECK (number >= 1),
    line              bigint  NOT NULL CONSTRAINT confirmation_entries_line_positive CHECK (line >= 1),
    -- What was said.
    reference         text    CONSTRAINT confirmation_entries_reference_length CHECK (length(reference) BETWEEN 1 AND 35),
    amount_micro      bigint  CONSTRAINT confirmation_entries_amount_positive CHECK (amount_micro >= 1),
    amount_unreadable boolean NOT NULL,
    currency          text    CONSTRAINT confirmation_entries_currency_length CHECK (length(currency) <= 3),
    said              text    NOT NULL CONSTRAINT confirmation_entries_said_known CHECK (said IN ('sent', 'received', 'failed', 'pending')),
    reason_code       text    CONSTRAINT confirmation_entries_reason_code_form CHECK (reason_code ~ '^[A-Z0-9]{4}$'),
    reason            text    CONSTRAINT confirmation_entries_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    bank_reference    text    CONSTRAINT confirmation_entries_bank_reference_length CHECK (length(bank_reference) BETWEEN 1 AND 35),
    booked_on         date,
    -- What it comes to: while proposed, as of the upload; once applied, for good.
    outcome           text    NOT NULL CONSTRAINT confirmation_entries_outcome_known CHECK (outcome IN (
                                  'confirmed', 'rejected', 'pending', 'already', 'duplicate', 'unmatched', 'wrong_amount', 'wrong_currency', 'conflicting')),
    hint              text,
    run_id            uuid,
    transfer_number   bigint,
    -- The step of the transfer that it made.
    step_seq          integer,
    CONSTRAINT confirmation_entries_pkey PRIMARY KEY (confirmation_id, number),
    CONSTRAINT confirmation_entries_transfer_exists FOREIGN KEY (run_id, transfer_number) REFERENCES transfers,
    CONSTRAINT confirmation_entries_transfer_whole CHECK ((run_id IS NULL) = (transfer_number IS NULL)),
    CONSTRAINT confirmation_entries_one_amount CHECK (NOT amount_unreadable OR amount_micro IS NULL),
    CONSTRAINT confirmation_entries_step_of_transfer CHECK (step_seq IS NULL OR (run_id IS NOT NULL AND outcome IN ('confirmed', 'rejected')))
);
CREATE INDEX confirmation_entries_by_outcome ON confirmation_entries (confirmation_id, outcome, number);

-- Whoever sees a transfer sees its steps.
ALTER TABLE transfer_steps ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY transfer_steps_own ON transfer_steps FOR SELECT TO scriphouse_app
    USING (EXISTS (SELECT FROM transfers t WHERE t.run_id = transfer_steps.run_id AND t.number = transfer_steps.number
                   AND (t.payer_id = current_vendor_id() OR t.payee_id = current_vendor_id())));

GRANT SELECT ON transfer_steps TO scriphouse_app;
GRANT SELECT, INSERT ON transfer_steps, confirmations, confirmation_entries TO scriphouse_house;
GRANT UPDATE (attempt, disputed_from) ON transfers TO scriphouse_house;
GRANT UPDATE (state, applied_by, applied_at) ON confirmations TO scriphouse_house;
GRANT UPDATE (outcome, hint, run_id, transfer_number, step_seq) ON confirmation_entries TO scriphouse_house;
