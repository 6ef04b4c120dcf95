-- The whole schema, written from the migrations; do not edit. See README.md.

CREATE FUNCTION public.check_confirmation_assignments() RETURNS trigger
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

ALTER FUNCTION public.check_confirmation_assignments() OWNER TO scriphouse_owner;

CREATE FUNCTION public.check_run_step() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

ALTER FUNCTION public.check_run_step() OWNER TO scriphouse_owner;

CREATE FUNCTION public.check_transfer_step() RETURNS trigger
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

ALTER FUNCTION public.check_transfer_step() OWNER TO scriphouse_owner;

CREATE FUNCTION public.current_user_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('scriphouse.user_id', true), '')::uuid $$;

ALTER FUNCTION public.current_user_id() OWNER TO scriphouse_owner;

CREATE FUNCTION public.current_vendor_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('scriphouse.vendor_id', true), '')::uuid $$;

ALTER FUNCTION public.current_vendor_id() OWNER TO scriphouse_owner;

CREATE FUNCTION public.transfer_may_become(from_state text, to_state text, disputed_from text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE from_state
                     WHEN 'instructed' THEN to_state IN ('sent', 'received', 'failed', 'disputed')
                     WHEN 'sent'       THEN to_state IN ('received', 'failed', 'disputed')
                     WHEN 'failed'     THEN to_state IN ('retried', 'rolled', 'written_off', 'disputed')
                     WHEN 'retried'    THEN to_state IN ('sent', 'received', 'failed', 'disputed')
                     WHEN 'disputed'   THEN coalesce(to_state = disputed_from, false)
                     ELSE false END $$;

ALTER FUNCTION public.transfer_may_become(from_state text, to_state text, disputed_from text) OWNER TO scriphouse_owner;

CREATE TABLE public.accounts (
    user_id uuid NOT NULL,
    vendor_id uuid NOT NULL,
    balance bigint NOT NULL,
    held bigint NOT NULL,
    entry_count bigint NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    CONSTRAINT accounts_balance_not_negative CHECK ((balance >= 0)),
    CONSTRAINT accounts_entry_count_not_negative CHECK ((entry_count >= 0)),
    CONSTRAINT accounts_held_not_negative CHECK ((held >= 0))
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.5', autovacuum_analyze_scale_factor='5');

ALTER TABLE ONLY public.accounts FORCE ROW LEVEL SECURITY;

ALTER TABLE public.accounts OWNER TO scriphouse_owner;

CREATE TABLE public.acknowledgements (
    run_id uuid NOT NULL,
    vendor_id uuid NOT NULL,
    acknowledged_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.acknowledgements FORCE ROW LEVEL SECURITY;

ALTER TABLE public.acknowledgements OWNER TO scriphouse_owner;

CREATE TABLE public.api_keys (
    id uuid NOT NULL,
    vendor_id uuid,
    name text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT api_keys_hash_length CHECK ((octet_length(secret_hash) = 32)),
    CONSTRAINT api_keys_name_length CHECK (((length(name) >= 1) AND (length(name) <= 100)))
);

ALTER TABLE ONLY public.api_keys FORCE ROW LEVEL SECURITY;

ALTER TABLE public.api_keys OWNER TO scriphouse_owner;

CREATE TABLE public.bank_templates (
    code text NOT NULL COLLATE pg_catalog."C",
    separator text NOT NULL,
    decimal_sign text NOT NULL,
    day_format text NOT NULL,
    has_header boolean NOT NULL,
    is_latin boolean NOT NULL,
    headers text[] NOT NULL,
    fields text[] NOT NULL,
    texts text[] NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT bank_templates_code_form CHECK ((code ~ '^[A-Z0-9][A-Z0-9_-]{1,31}$'::text)),
    CONSTRAINT bank_templates_column_count CHECK (((cardinality(headers) >= 1) AND (cardinality(headers) <= 50))),
    CONSTRAINT bank_templates_columns_whole CHECK (((cardinality(fields) = cardinality(headers)) AND (cardinality(texts) = cardinality(headers)))),
    CONSTRAINT bank_templates_day_format_known CHECK ((day_format = ANY (ARRAY['YYYY-MM-DD'::text, 'YYYYMMDD'::text, 'DD.MM.YYYY'::text, 'DD/MM/YYYY'::text, 'MM/DD/YYYY'::text]))),
    CONSTRAINT bank_templates_decimal_sign_known CHECK ((decimal_sign = ANY (ARRAY['.'::text, ','::text]))),
    CONSTRAINT bank_templates_separator_known CHECK ((separator = ANY (ARRAY[','::text, ';'::text, '	'::text]))),
    CONSTRAINT bank_templates_version_positive CHECK ((version >= 1))
);

ALTER TABLE public.bank_templates OWNER TO scriphouse_owner;

CREATE TABLE public.bilateral_caps (
    creditor_id uuid NOT NULL,
    debtor_id uuid NOT NULL,
    cap_micro bigint,
    version bigint NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT bilateral_caps_cap_not_negative CHECK ((cap_micro >= 0)),
    CONSTRAINT bilateral_caps_two_vendors CHECK ((creditor_id <> debtor_id)),
    CONSTRAINT bilateral_caps_version_after_first CHECK ((version >= 2))
);

ALTER TABLE ONLY public.bilateral_caps FORCE ROW LEVEL SECURITY;

ALTER TABLE public.bilateral_caps OWNER TO scriphouse_owner;

CREATE TABLE public.calendars (
    code text NOT NULL COLLATE pg_catalog."C",
    weekends boolean NOT NULL,
    closed_on date[] NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT calendars_closed_on_count CHECK ((cardinality(closed_on) <= 4000)),
    CONSTRAINT calendars_closed_on_range CHECK (((array_position(closed_on, NULL::date) IS NULL) AND ('2000-01-01'::date <= ALL (closed_on)) AND ('2199-12-31'::date >= ALL (closed_on)))),
    CONSTRAINT calendars_code_form CHECK ((code ~ '^[A-Z0-9][A-Z0-9_-]{1,31}$'::text)),
    CONSTRAINT calendars_version_positive CHECK ((version >= 1))
);

ALTER TABLE public.calendars OWNER TO scriphouse_owner;

CREATE TABLE public.confirmation_assignments (
    confirmation_id uuid NOT NULL,
    number integer NOT NULL,
    run_id uuid NOT NULL,
    transfer_number bigint NOT NULL,
    assigned_by text NOT NULL,
    assigned_at timestamp with time zone NOT NULL,
    step_seq integer,
    CONSTRAINT confirmation_assignments_assigner_form CHECK ((assigned_by ~ '^operator:[0-9a-f-]{36}$'::text)),
    CONSTRAINT confirmation_assignments_step_positive CHECK ((step_seq >= 1))
);

ALTER TABLE public.confirmation_assignments OWNER TO scriphouse_owner;

CREATE TABLE public.confirmation_entries (
    confirmation_id uuid NOT NULL,
    number integer NOT NULL,
    line bigint NOT NULL,
    reference text,
    amount_micro bigint,
    amount_unreadable boolean NOT NULL,
    currency text,
    said text NOT NULL,
    reason_code text,
    reason text,
    bank_reference text,
    booked_on date,
    outcome text NOT NULL,
    hint text,
    run_id uuid,
    transfer_number bigint,
    step_seq integer,
    account_iban text,
    CONSTRAINT confirmation_entries_account_length CHECK (((length(account_iban) >= 1) AND (length(account_iban) <= 34))),
    CONSTRAINT confirmation_entries_amount_positive CHECK ((amount_micro >= 1)),
    CONSTRAINT confirmation_entries_bank_reference_length CHECK (((length(bank_reference) >= 1) AND (length(bank_reference) <= 35))),
    CONSTRAINT confirmation_entries_currency_length CHECK ((length(currency) <= 3)),
    CONSTRAINT confirmation_entries_line_positive CHECK ((line >= 1)),
    CONSTRAINT confirmation_entries_number_positive CHECK ((number >= 1)),
    CONSTRAINT confirmation_entries_one_amount CHECK (((NOT amount_unreadable) OR (amount_micro IS NULL))),
    CONSTRAINT confirmation_entries_outcome_known CHECK ((outcome = ANY (ARRAY['confirmed'::text, 'rejected'::text, 'pending'::text, 'already'::text, 'duplicate'::text, 'unmatched'::text, 'wrong_amount'::text, 'wrong_currency'::text, 'conflicting'::text]))),
    CONSTRAINT confirmation_entries_reason_code_form CHECK ((reason_code ~ '^[A-Z0-9]{4}$'::text)),
    CONSTRAINT confirmation_entries_reason_length CHECK (((length(reason) >= 1) AND (length(reason) <= 500))),
    CONSTRAINT confirmation_entries_reference_length CHECK (((length(reference) >= 1) AND (length(reference) <= 35))),
    CONSTRAINT confirmation_entries_said_known CHECK ((said = ANY (ARRAY['sent'::text, 'received'::text, 'failed'::text, 'pending'::text]))),
    CONSTRAINT confirmation_entries_step_of_transfer CHECK (((step_seq IS NULL) OR ((run_id IS NOT NULL) AND (outcome = ANY (ARRAY['confirmed'::text, 'rejected'::text]))))),
    CONSTRAINT confirmation_entries_transfer_whole CHECK (((run_id IS NULL) = (transfer_number IS NULL)))
);

ALTER TABLE public.confirmation_entries OWNER TO scriphouse_owner;

CREATE TABLE public.confirmations (
    id uuid NOT NULL,
    scheme_id uuid NOT NULL,
    sha256 bytea NOT NULL,
    size_bytes bigint NOT NULL,
    format text NOT NULL,
    state text NOT NULL,
    entry_count integer NOT NULL,
    uploaded_by text NOT NULL,
    uploaded_at timestamp with time zone NOT NULL,
    applied_by text,
    applied_at timestamp with time zone,
    CONSTRAINT confirmations_applied_has_instant CHECK ((((state = 'applied'::text) = (applied_at IS NOT NULL)) AND ((state = 'applied'::text) = (applied_by IS NOT NULL)))),
    CONSTRAINT confirmations_applier_form CHECK ((applied_by ~ '^operator:[0-9a-f-]{36}$'::text)),
    CONSTRAINT confirmations_count_not_negative CHECK ((entry_count >= 0)),
    CONSTRAINT confirmations_format_known CHECK ((format = ANY (ARRAY['pain.002.001.10'::text, 'camt.053.001.08'::text, 'camt.054.001.08'::text, 'csv'::text]))),
    CONSTRAINT confirmations_sha256_length CHECK ((octet_length(sha256) = 32)),
    CONSTRAINT confirmations_size_positive CHECK ((size_bytes >= 1)),
    CONSTRAINT confirmations_state_known CHECK ((state = ANY (ARRAY['proposed'::text, 'applied'::text]))),
    CONSTRAINT confirmations_uploader_form CHECK ((uploaded_by ~ '^operator:[0-9a-f-]{36}$'::text))
);

ALTER TABLE public.confirmations OWNER TO scriphouse_owner;

CREATE TABLE public.debit_caps (
    vendor_id uuid NOT NULL,
    cap_micro bigint,
    version bigint NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT debit_caps_cap_not_negative CHECK ((cap_micro >= 0)),
    CONSTRAINT debit_caps_version_after_first CHECK ((version >= 2))
);

ALTER TABLE ONLY public.debit_caps FORCE ROW LEVEL SECURITY;

ALTER TABLE public.debit_caps OWNER TO scriphouse_owner;

CREATE TABLE public.default_debts (
    default_id uuid NOT NULL,
    debtor_id uuid NOT NULL,
    creditor_id uuid NOT NULL,
    amount_micro bigint NOT NULL,
    CONSTRAINT default_debts_amount_positive CHECK ((amount_micro >= 1)),
    CONSTRAINT default_debts_two_vendors CHECK ((debtor_id <> creditor_id))
);

ALTER TABLE ONLY public.default_debts FORCE ROW LEVEL SECURITY;

ALTER TABLE public.default_debts OWNER TO scriphouse_owner;

CREATE TABLE public.default_draws (
    default_id uuid NOT NULL,
    payee_id uuid NOT NULL,
    amount_micro bigint NOT NULL,
    number bigint NOT NULL,
    paid_at timestamp with time zone,
    paid_by text,
    bank_reference text,
    booked_on date,
    CONSTRAINT default_draws_amount_positive CHECK ((amount_micro >= 1)),
    CONSTRAINT default_draws_bank_reference_length CHECK (((length(bank_reference) >= 1) AND (length(bank_reference) <= 35))),
    CONSTRAINT default_draws_booked_when_paid CHECK (((paid_at IS NOT NULL) OR ((bank_reference IS NULL) AND (booked_on IS NULL)))),
    CONSTRAINT default_draws_number_positive CHECK ((number >= 1)),
    CONSTRAINT default_draws_paid_by_form CHECK ((paid_by ~ '^operator:[0-9a-f-]{36}$'::text)),
    CONSTRAINT default_draws_paid_by_somebody CHECK (((paid_at IS NULL) = (paid_by IS NULL)))
);

ALTER TABLE ONLY public.default_draws FORCE ROW LEVEL SECURITY;

ALTER TABLE public.default_draws OWNER TO scriphouse_owner;

CREATE TABLE public.defaults (
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    vendor_id uuid NOT NULL,
    rule text NOT NULL,
    collateral_micro bigint NOT NULL,
    reason text NOT NULL,
    declared_by text NOT NULL,
    declared_at timestamp with time zone NOT NULL,
    CONSTRAINT defaults_collateral_not_negative CHECK ((collateral_micro >= 0)),
    CONSTRAINT defaults_declared_by_form CHECK ((declared_by ~ '^(house|operator:[0-9a-f-]{36})$'::text)),
    CONSTRAINT defaults_reason_length CHECK (((length(reason) >= 1) AND (length(reason) <= 500))),
    CONSTRAINT defaults_rule_known CHECK ((rule = ANY (ARRAY['carry_over'::text, 'exclude_and_renet'::text, 'collateral_then_loss_share'::text, 'pro_rata'::text])))
);

ALTER TABLE ONLY public.defaults FORCE ROW LEVEL SECURITY;

ALTER TABLE public.defaults OWNER TO scriphouse_owner;

CREATE TABLE public.disputes (
    id uuid NOT NULL,
    scheme_id uuid NOT NULL,
    run_id uuid NOT NULL,
    window_id uuid NOT NULL,
    obligation_id uuid NOT NULL,
    debtor_id uuid NOT NULL,
    creditor_id uuid NOT NULL,
    amount_micro bigint NOT NULL,
    raised_by uuid NOT NULL,
    reason text NOT NULL,
    state text NOT NULL,
    raised_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_by text,
    CONSTRAINT disputes_amount_positive CHECK ((amount_micro >= 1)),
    CONSTRAINT disputes_ended_by_form CHECK ((ended_by ~ '^(operator|vendor):[0-9a-f-]{36}$'::text)),
    CONSTRAINT disputes_ended_has_instant CHECK ((((state = 'open'::text) = (ended_at IS NULL)) AND ((state = 'open'::text) = (ended_by IS NULL)))),
    CONSTRAINT disputes_raised_by_party CHECK (((raised_by = debtor_id) OR (raised_by = creditor_id))),
    CONSTRAINT disputes_reason_length CHECK (((length(reason) >= 1) AND (length(reason) <= 500))),
    CONSTRAINT disputes_state_known CHECK ((state = ANY (ARRAY['open'::text, 'withdrawn'::text, 'upheld'::text]))),
    CONSTRAINT disputes_two_vendors CHECK ((debtor_id <> creditor_id))
);

ALTER TABLE ONLY public.disputes FORCE ROW LEVEL SECURITY;

ALTER TABLE public.disputes OWNER TO scriphouse_owner;

CREATE TABLE public.draw_corrections (
    default_id uuid NOT NULL,
    number bigint NOT NULL,
    seq integer NOT NULL,
    bank_reference_before text,
    booked_on_before date,
    bank_reference text,
    booked_on date,
    reason text NOT NULL,
    corrected_by text NOT NULL,
    corrected_at timestamp with time zone NOT NULL,
    CONSTRAINT draw_corrections_bank_reference_before_length CHECK (((length(bank_reference_before) >= 1) AND (length(bank_reference_before) <= 35))),
    CONSTRAINT draw_corrections_bank_reference_length CHECK (((length(bank_reference) >= 1) AND (length(bank_reference) <= 35))),
    CONSTRAINT draw_corrections_corrected_by_form CHECK ((corrected_by ~ '^operator:[0-9a-f-]{36}$'::text)),
    CONSTRAINT draw_corrections_reason_length CHECK (((length(reason) >= 1) AND (length(reason) <= 500))),
    CONSTRAINT draw_corrections_seq_positive CHECK ((seq >= 1)),
    CONSTRAINT draw_corrections_something_changes CHECK (((bank_reference_before IS DISTINCT FROM bank_reference) OR (booked_on_before IS DISTINCT FROM booked_on)))
);

ALTER TABLE public.draw_corrections OWNER TO scriphouse_owner;

CREATE TABLE public.entries (
    user_id uuid NOT NULL,
    vendor_id uuid NOT NULL,
    seq bigint NOT NULL,
    kind text NOT NULL,
    contra text NOT NULL,
    amount bigint NOT NULL,
    held_amount bigint NOT NULL,
    balance_after bigint NOT NULL,
    held_after bigint NOT NULL,
    operation_id uuid NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    CONSTRAINT entries_balance_not_negative CHECK ((balance_after >= 0)),
    CONSTRAINT entries_contra_known CHECK ((contra = ANY (ARRAY['issuance'::text, 'account'::text, 'hold'::text, 'house'::text]))),
    CONSTRAINT entries_held_not_negative CHECK ((held_after >= 0)),
    CONSTRAINT entries_kind_known CHECK ((kind = ANY (ARRAY['issue'::text, 'convert_out'::text, 'convert_in'::text, 'send_out'::text, 'send_in'::text, 'trade_hold'::text, 'trade_release'::text, 'trade_out'::text, 'trade_in'::text]))),
    CONSTRAINT entries_move_something CHECK (((amount <> 0) OR (held_amount <> 0))),
    CONSTRAINT entries_seq_positive CHECK ((seq >= 1))
);

ALTER TABLE ONLY public.entries FORCE ROW LEVEL SECURITY;

ALTER TABLE public.entries OWNER TO scriphouse_owner;

CREATE TABLE public.exclusions (
    id uuid NOT NULL,
    scheme_id uuid NOT NULL,
    vendor_id uuid NOT NULL,
    reason text NOT NULL,
    excluded_by text NOT NULL,
    excluded_at timestamp with time zone NOT NULL,
    lifted_by text,
    lifted_at timestamp with time zone,
    CONSTRAINT exclusions_excluded_by_form CHECK ((excluded_by ~ '^(house|operator:[0-9a-f-]{36})$'::text)),
    CONSTRAINT exclusions_lifted_by_form CHECK ((lifted_by ~ '^operator:[0-9a-f-]{36}$'::text)),
    CONSTRAINT exclusions_lifted_has_instant CHECK (((lifted_by IS NULL) = (lifted_at IS NULL))),
    CONSTRAINT exclusions_reason_length CHECK (((length(reason) >= 1) AND (length(reason) <= 500)))
);

ALTER TABLE ONLY public.exclusions FORCE ROW LEVEL SECURITY;

ALTER TABLE public.exclusions OWNER TO scriphouse_owner;

CREATE TABLE public.exposures (
    window_id uuid NOT NULL,
    vendor_id uuid NOT NULL,
    writer smallint NOT NULL,
    owes_micro bigint NOT NULL,
    owed_micro bigint NOT NULL,
    CONSTRAINT exposures_owed_not_negative CHECK ((owed_micro >= 0)),
    CONSTRAINT exposures_owes_not_negative CHECK ((owes_micro >= 0))
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.exposures FORCE ROW LEVEL SECURITY;

ALTER TABLE public.exposures OWNER TO scriphouse_owner;

CREATE TABLE public.file_pieces (
    file_id uuid NOT NULL,
    seq integer NOT NULL,
    vendor_id uuid,
    bytes bytea NOT NULL,
    CONSTRAINT file_pieces_seq_positive CHECK ((seq >= 1))
);

ALTER TABLE ONLY public.file_pieces FORCE ROW LEVEL SECURITY;

ALTER TABLE public.file_pieces OWNER TO scriphouse_owner;

CREATE TABLE public.files (
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    vendor_id uuid,
    media_type text NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT files_sha256_length CHECK ((octet_length(sha256) = 32)),
    CONSTRAINT files_size_not_negative CHECK ((size_bytes >= 0))
);

ALTER TABLE ONLY public.files FORCE ROW LEVEL SECURITY;

ALTER TABLE public.files OWNER TO scriphouse_owner;

CREATE TABLE public.house_account (
    single boolean DEFAULT true NOT NULL,
    account_holder text,
    iban text,
    bic text,
    version bigint NOT NULL,
    CONSTRAINT house_account_bic_form CHECK ((bic ~ '^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$'::text)),
    CONSTRAINT house_account_holder_length CHECK (((length(account_holder) >= 1) AND (length(account_holder) <= 140))),
    CONSTRAINT house_account_iban_form CHECK ((iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'::text)),
    CONSTRAINT house_account_single CHECK (single),
    CONSTRAINT house_account_version_positive CHECK ((version >= 1)),
    CONSTRAINT house_account_whole CHECK ((((account_holder IS NULL) = (iban IS NULL)) AND ((bic IS NULL) OR (iban IS NOT NULL))))
);

ALTER TABLE public.house_account OWNER TO scriphouse_owner;

CREATE TABLE public.idempotency (
    actor_id uuid NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    request_hash bytea NOT NULL,
    answer text,
    created_at timestamp with time zone NOT NULL,
    swap_user_id uuid,
    swap_id uuid,
    CONSTRAINT idempotency_hash_length CHECK ((octet_length(request_hash) = 32)),
    CONSTRAINT idempotency_key_length CHECK (((length(key) >= 1) AND (length(key) <= 255))),
    CONSTRAINT idempotency_one_answer CHECK ((((answer IS NULL) = (swap_id IS NOT NULL)) AND ((swap_id IS NULL) = (swap_user_id IS NULL))))
);

ALTER TABLE ONLY public.idempotency FORCE ROW LEVEL SECURITY;

ALTER TABLE public.idempotency OWNER TO scriphouse_owner;

CREATE TABLE public.issuances (
    vendor_id uuid NOT NULL,
    writer smallint NOT NULL,
    issued numeric NOT NULL,
    retired numeric NOT NULL,
    CONSTRAINT issuances_issued_not_negative CHECK ((issued >= (0)::numeric)),
    CONSTRAINT issuances_retired_not_negative CHECK ((retired >= (0)::numeric))
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.issuances FORCE ROW LEVEL SECURITY;

ALTER TABLE public.issuances OWNER TO scriphouse_owner;

CREATE TABLE public.obligations (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    window_id uuid NOT NULL,
    debtor_id uuid NOT NULL,
    creditor_id uuid NOT NULL,
    amount_micro bigint NOT NULL,
    source text NOT NULL,
    operation_id uuid NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    writer smallint NOT NULL,
    CONSTRAINT obligations_amount_positive CHECK ((amount_micro >= 1)),
    CONSTRAINT obligations_source_known CHECK ((source = ANY (ARRAY['swap'::text, 'fee'::text, 'reversal'::text, 'carry'::text, 'import'::text, 'rolled'::text, 'default'::text]))),
    CONSTRAINT obligations_two_vendors CHECK ((debtor_id <> creditor_id))
);

ALTER TABLE ONLY public.obligations FORCE ROW LEVEL SECURITY;

ALTER TABLE public.obligations OWNER TO scriphouse_owner;

CREATE TABLE public.payouts (
    vendor_id uuid NOT NULL,
    account_holder text NOT NULL,
    iban text NOT NULL,
    bic text,
    CONSTRAINT payouts_bic_form CHECK ((bic ~ '^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$'::text)),
    CONSTRAINT payouts_holder_length CHECK (((length(account_holder) >= 1) AND (length(account_holder) <= 140))),
    CONSTRAINT payouts_iban_form CHECK ((iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'::text))
);

ALTER TABLE ONLY public.payouts FORCE ROW LEVEL SECURITY;

ALTER TABLE public.payouts OWNER TO scriphouse_owner;

CREATE TABLE public.positions (
    window_id uuid NOT NULL,
    writer smallint NOT NULL,
    debtor_id uuid NOT NULL,
    creditor_id uuid NOT NULL,
    amount_micro bigint NOT NULL,
    obligation_count bigint NOT NULL,
    send_units numeric NOT NULL,
    receive_units numeric NOT NULL,
    CONSTRAINT positions_amount_positive CHECK ((amount_micro >= 1)),
    CONSTRAINT positions_count_positive CHECK ((obligation_count >= 1)),
    CONSTRAINT positions_receive_not_negative CHECK ((receive_units >= (0)::numeric)),
    CONSTRAINT positions_send_not_negative CHECK ((send_units >= (0)::numeric)),
    CONSTRAINT positions_two_vendors CHECK ((debtor_id <> creditor_id))
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.positions FORCE ROW LEVEL SECURITY;

ALTER TABLE public.positions OWNER TO scriphouse_owner;

CREATE TABLE public.rates (
    from_vendor_id uuid NOT NULL,
    to_vendor_id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    send_units bigint,
    receive_units bigint,
    margin_bps integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT rates_fixed_has_ratio CHECK (
CASE kind
    WHEN 'fixed'::text THEN ((send_units >= 1) AND (receive_units >= 1) AND (send_units IS NOT NULL) AND (receive_units IS NOT NULL))
    ELSE ((send_units IS NULL) AND (receive_units IS NULL))
END),
    CONSTRAINT rates_kind_known CHECK ((kind = ANY (ARRAY['cross'::text, 'fixed'::text, 'closed'::text]))),
    CONSTRAINT rates_margin_range CHECK (((margin_bps >= 0) AND (margin_bps <= 9999))),
    CONSTRAINT rates_two_vendors CHECK ((from_vendor_id <> to_vendor_id))
);

ALTER TABLE ONLY public.rates FORCE ROW LEVEL SECURITY;

ALTER TABLE public.rates OWNER TO scriphouse_owner;

CREATE TABLE public.run_carries (
    run_id uuid NOT NULL,
    number bigint NOT NULL,
    debtor_id uuid NOT NULL,
    creditor_id uuid NOT NULL,
    amount_micro bigint NOT NULL,
    CONSTRAINT run_carries_amount_positive CHECK ((amount_micro >= 1)),
    CONSTRAINT run_carries_number_positive CHECK ((number >= 1)),
    CONSTRAINT run_carries_two_vendors CHECK ((debtor_id <> creditor_id))
);

ALTER TABLE ONLY public.run_carries FORCE ROW LEVEL SECURITY;

ALTER TABLE public.run_carries OWNER TO scriphouse_owner;

CREATE TABLE public.run_holdings (
    run_id uuid NOT NULL,
    debtor_id uuid NOT NULL,
    creditor_id uuid NOT NULL,
    amount_micro bigint NOT NULL,
    CONSTRAINT run_holdings_amount_positive CHECK ((amount_micro >= 1))
);

ALTER TABLE ONLY public.run_holdings FORCE ROW LEVEL SECURITY;

ALTER TABLE public.run_holdings OWNER TO scriphouse_owner;

CREATE TABLE public.run_positions (
    run_id uuid NOT NULL,
    vendor_id uuid NOT NULL,
    owed_micro bigint NOT NULL,
    owes_micro bigint NOT NULL,
    net_micro bigint NOT NULL,
    settled_micro bigint NOT NULL,
    carry_micro bigint NOT NULL,
    CONSTRAINT run_positions_net_is_settled_or_carried CHECK ((net_micro = (settled_micro + carry_micro))),
    CONSTRAINT run_positions_net_of_both CHECK ((net_micro = (owed_micro - owes_micro))),
    CONSTRAINT run_positions_owed_not_negative CHECK ((owed_micro >= 0)),
    CONSTRAINT run_positions_owes_not_negative CHECK ((owes_micro >= 0))
);

ALTER TABLE ONLY public.run_positions FORCE ROW LEVEL SECURITY;

ALTER TABLE public.run_positions OWNER TO scriphouse_owner;

CREATE TABLE public.run_steps (
    run_id uuid NOT NULL,
    seq integer NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    actor text NOT NULL,
    reason text,
    output_hash bytea NOT NULL,
    stepped_at timestamp with time zone NOT NULL,
    CONSTRAINT run_steps_actor_form CHECK ((actor ~ '^(house|(operator|vendor):[0-9a-f-]{36})$'::text)),
    CONSTRAINT run_steps_legal CHECK ((((from_state || '>'::text) || to_state) = ANY (ARRAY['computed>proposed'::text, 'proposed>approved'::text, 'approved>exported'::text, 'exported>settling'::text, 'settling>settled'::text, 'computed>voided'::text, 'proposed>voided'::text, 'approved>voided'::text, 'exported>voided'::text]))),
    CONSTRAINT run_steps_output_hash_length CHECK ((octet_length(output_hash) = 32)),
    CONSTRAINT run_steps_reason_length CHECK (((length(reason) >= 1) AND (length(reason) <= 500))),
    CONSTRAINT run_steps_seq_positive CHECK ((seq >= 1)),
    CONSTRAINT run_steps_void_has_reason CHECK (((to_state <> 'voided'::text) OR (reason IS NOT NULL)))
);

ALTER TABLE public.run_steps OWNER TO scriphouse_owner;

CREATE TABLE public.run_windows (
    window_id uuid NOT NULL,
    run_id uuid NOT NULL
);

ALTER TABLE public.run_windows OWNER TO scriphouse_owner;

CREATE TABLE public.runs (
    id uuid NOT NULL,
    scheme_id uuid NOT NULL,
    slot text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL,
    currency text NOT NULL,
    digits smallint NOT NULL,
    strategy text NOT NULL,
    algorithm_version integer NOT NULL,
    obligation_count bigint NOT NULL,
    gross_micro bigint NOT NULL,
    bilateral_micro bigint NOT NULL,
    net_micro bigint NOT NULL,
    total_micro bigint NOT NULL,
    transfer_count bigint NOT NULL,
    input_hash bytea NOT NULL,
    output_hash bytea NOT NULL,
    computed_at timestamp with time zone NOT NULL,
    remaining_micro bigint NOT NULL,
    number bigint NOT NULL,
    min_transfer_micro bigint NOT NULL,
    disputable_until timestamp with time zone,
    approval text NOT NULL,
    CONSTRAINT runs_approval_known CHECK ((approval = ANY (ARRAY['second_person'::text, 'auto'::text]))),
    CONSTRAINT runs_input_hash_length CHECK ((octet_length(input_hash) = 32)),
    CONSTRAINT runs_min_transfer_not_negative CHECK ((min_transfer_micro >= 0)),
    CONSTRAINT runs_number_positive CHECK ((number >= 1)),
    CONSTRAINT runs_output_hash_length CHECK ((octet_length(output_hash) = 32)),
    CONSTRAINT runs_remaining_between_net_and_gross CHECK (((remaining_micro >= net_micro) AND (remaining_micro <= gross_micro))),
    CONSTRAINT runs_state_known CHECK ((state = ANY (ARRAY['computed'::text, 'proposed'::text, 'approved'::text, 'exported'::text, 'settling'::text, 'settled'::text, 'voided'::text]))),
    CONSTRAINT runs_strategy_known CHECK ((strategy = ANY (ARRAY['gross'::text, 'bilateral'::text, 'conservative'::text, 'direct'::text, 'fewest'::text, 'hub'::text])))
);

ALTER TABLE ONLY public.runs FORCE ROW LEVEL SECURITY;

ALTER TABLE public.runs OWNER TO scriphouse_owner;

CREATE TABLE public.schedules (
    id uuid NOT NULL,
    scheme_id uuid NOT NULL,
    cron text NOT NULL,
    zone text NOT NULL,
    misfire text NOT NULL,
    enabled boolean NOT NULL,
    next_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    calendar_code text COLLATE pg_catalog."C",
    on_closed text,
    CONSTRAINT schedules_cron_length CHECK (((length(cron) >= 1) AND (length(cron) <= 200))),
    CONSTRAINT schedules_misfire_known CHECK ((misfire = ANY (ARRAY['run_once'::text, 'skip'::text, 'run_all'::text]))),
    CONSTRAINT schedules_on_closed_has_calendar CHECK (((calendar_code IS NULL) = (on_closed IS NULL))),
    CONSTRAINT schedules_on_closed_known CHECK ((on_closed = ANY (ARRAY['skip'::text, 'following'::text]))),
    CONSTRAINT schedules_zone_length CHECK (((length(zone) >= 1) AND (length(zone) <= 100)))
);

ALTER TABLE public.schedules OWNER TO scriphouse_owner;

CREATE TABLE public.scheme_members (
    vendor_id uuid NOT NULL,
    scheme_id uuid NOT NULL,
    joined_at timestamp with time zone NOT NULL,
    collateral_micro bigint DEFAULT 0 NOT NULL,
    collateral_version bigint DEFAULT 1 NOT NULL,
    CONSTRAINT scheme_members_collateral_not_negative CHECK ((collateral_micro >= 0)),
    CONSTRAINT scheme_members_collateral_version_positive CHECK ((collateral_version >= 1))
);

ALTER TABLE ONLY public.scheme_members FORCE ROW LEVEL SECURITY;

ALTER TABLE public.scheme_members OWNER TO scriphouse_owner;

CREATE TABLE public.schemes (
    id uuid NOT NULL,
    code text NOT NULL COLLATE pg_catalog."C",
    currency text NOT NULL,
    digits smallint NOT NULL,
    strategy text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    approval text NOT NULL,
    min_transfer_micro bigint NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    settle_threshold_micro bigint,
    dispute_hours integer DEFAULT 0 NOT NULL,
    grace_hours integer,
    failure_rule text DEFAULT 'carry_over'::text NOT NULL,
    CONSTRAINT schemes_approval_known CHECK ((approval = ANY (ARRAY['second_person'::text, 'auto'::text]))),
    CONSTRAINT schemes_code_form CHECK ((code ~ '^[A-Z0-9][A-Z0-9_-]{1,31}$'::text)),
    CONSTRAINT schemes_currency_form CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT schemes_digits_range CHECK (((digits >= 0) AND (digits <= 6))),
    CONSTRAINT schemes_dispute_hours_range CHECK (((dispute_hours >= 0) AND (dispute_hours <= 8784))),
    CONSTRAINT schemes_failure_rule_known CHECK ((failure_rule = ANY (ARRAY['carry_over'::text, 'exclude_and_renet'::text, 'collateral_then_loss_share'::text, 'pro_rata'::text]))),
    CONSTRAINT schemes_grace_hours_range CHECK (((grace_hours >= 0) AND (grace_hours <= 8784))),
    CONSTRAINT schemes_min_transfer_not_negative CHECK ((min_transfer_micro >= 0)),
    CONSTRAINT schemes_settle_threshold_payable CHECK (((settle_threshold_micro)::numeric >= ((10)::numeric ^ ((6 - digits))::numeric))),
    CONSTRAINT schemes_strategy_known CHECK ((strategy = ANY (ARRAY['gross'::text, 'bilateral'::text, 'conservative'::text, 'direct'::text, 'fewest'::text, 'hub'::text]))),
    CONSTRAINT schemes_version_positive CHECK ((version >= 1))
);

ALTER TABLE public.schemes OWNER TO scriphouse_owner;

CREATE TABLE public.seals (
    window_id uuid NOT NULL,
    scheme_id uuid NOT NULL,
    number bigint NOT NULL,
    obligation_count bigint NOT NULL,
    gross_micro bigint NOT NULL,
    root bytea NOT NULL,
    seal bytea NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    version smallint NOT NULL,
    CONSTRAINT seals_count_not_negative CHECK ((obligation_count >= 0)),
    CONSTRAINT seals_gross_not_negative CHECK ((gross_micro >= 0)),
    CONSTRAINT seals_root_length CHECK ((octet_length(root) = 32)),
    CONSTRAINT seals_seal_length CHECK ((octet_length(seal) = 32)),
    CONSTRAINT seals_version_known CHECK ((version = ANY (ARRAY[1, 2])))
);

ALTER TABLE public.seals OWNER TO scriphouse_owner;

CREATE TABLE public.sessions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    CONSTRAINT sessions_hash_length CHECK ((octet_length(secret_hash) = 32))
);

ALTER TABLE ONLY public.sessions FORCE ROW LEVEL SECURITY;

ALTER TABLE public.sessions OWNER TO scriphouse_owner;

CREATE TABLE public.swaps (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    payee_id uuid NOT NULL,
    from_vendor_id uuid NOT NULL,
    to_vendor_id uuid NOT NULL,
    send_units bigint NOT NULL,
    receive_units bigint NOT NULL,
    from_unit_value bigint NOT NULL,
    to_unit_value bigint NOT NULL,
    rate_id uuid,
    value_micro bigint NOT NULL,
    to_vendor_micro bigint NOT NULL,
    house_fee_micro bigint NOT NULL,
    source_margin_micro bigint NOT NULL,
    rounding_micro bigint NOT NULL,
    window_id uuid NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    CONSTRAINT swaps_figures_add_up CHECK ((value_micro = (((to_vendor_micro + house_fee_micro) + source_margin_micro) + rounding_micro))),
    CONSTRAINT swaps_from_unit_value_positive CHECK ((from_unit_value >= 1)),
    CONSTRAINT swaps_house_fee_not_negative CHECK ((house_fee_micro >= 0)),
    CONSTRAINT swaps_kind_known CHECK ((kind = ANY (ARRAY['convert'::text, 'send'::text]))),
    CONSTRAINT swaps_kind_matches_payee CHECK (((kind = 'convert'::text) = (user_id = payee_id))),
    CONSTRAINT swaps_receive_positive CHECK ((receive_units >= 1)),
    CONSTRAINT swaps_rounding_not_negative CHECK ((rounding_micro >= 0)),
    CONSTRAINT swaps_send_positive CHECK ((send_units >= 1)),
    CONSTRAINT swaps_source_margin_not_negative CHECK ((source_margin_micro >= 0)),
    CONSTRAINT swaps_to_unit_value_positive CHECK ((to_unit_value >= 1)),
    CONSTRAINT swaps_to_vendor_positive CHECK ((to_vendor_micro >= 1)),
    CONSTRAINT swaps_two_vendors CHECK ((from_vendor_id <> to_vendor_id)),
    CONSTRAINT swaps_value_of_tokens CHECK ((value_micro = (send_units * from_unit_value))),
    CONSTRAINT swaps_value_positive CHECK ((value_micro >= 1))
);

ALTER TABLE ONLY public.swaps FORCE ROW LEVEL SECURITY;

ALTER TABLE public.swaps OWNER TO scriphouse_owner;

CREATE TABLE public.terms_version (
    single boolean DEFAULT true NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT terms_version_not_negative CHECK ((version >= 0)),
    CONSTRAINT terms_version_single CHECK (single)
);

ALTER TABLE public.terms_version OWNER TO scriphouse_owner;

CREATE TABLE public.windows (
    id uuid NOT NULL,
    scheme_id uuid NOT NULL,
    number bigint NOT NULL,
    state text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    slot text COLLATE pg_catalog."C",
    run_id uuid,
    held boolean DEFAULT false NOT NULL,
    settled_at timestamp with time zone,
    CONSTRAINT windows_closed_has_slot CHECK ((((state = 'closed'::text) = (slot IS NOT NULL)) AND ((state = 'closed'::text) = (closed_at IS NOT NULL)))),
    CONSTRAINT windows_number_positive CHECK ((number >= 1)),
    CONSTRAINT windows_open_is_not_netted CHECK (((state = 'closed'::text) OR ((run_id IS NULL) AND (NOT held)))),
    CONSTRAINT windows_settled_is_closed CHECK (((settled_at IS NULL) OR (state = 'closed'::text))),
    CONSTRAINT windows_state_known CHECK ((state = ANY (ARRAY['open'::text, 'closed'::text])))
);

ALTER TABLE public.windows OWNER TO scriphouse_owner;

CREATE VIEW public.token_totals WITH (security_invoker='true') AS
 SELECT t.vendor_id,
    sum(t.issued) AS issued,
    sum(t.retired) AS retired
   FROM ( SELECT issuances.vendor_id,
            issuances.issued,
            issuances.retired
           FROM public.issuances
        UNION ALL
         SELECT p.debtor_id,
            0,
            p.send_units
           FROM (public.positions p
             JOIN public.windows w ON ((w.id = p.window_id)))
          WHERE (w.state = 'open'::text)
        UNION ALL
         SELECT p.creditor_id,
            p.receive_units,
            0
           FROM (public.positions p
             JOIN public.windows w ON ((w.id = p.window_id)))
          WHERE (w.state = 'open'::text)) t
  GROUP BY t.vendor_id;

ALTER TABLE public.token_totals OWNER TO scriphouse_owner;

CREATE TABLE public.trades (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    acceptor_id uuid NOT NULL,
    give_vendor_id uuid NOT NULL,
    give_units bigint NOT NULL,
    take_vendor_id uuid NOT NULL,
    take_units bigint NOT NULL,
    state text NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT trades_ended_has_instant CHECK (((state = 'proposed'::text) = (ended_at IS NULL))),
    CONSTRAINT trades_give_positive CHECK ((give_units >= 1)),
    CONSTRAINT trades_state_known CHECK ((state = ANY (ARRAY['proposed'::text, 'accepted'::text, 'declined'::text, 'cancelled'::text, 'expired'::text]))),
    CONSTRAINT trades_take_positive CHECK ((take_units >= 1)),
    CONSTRAINT trades_two_users CHECK ((user_id <> acceptor_id)),
    CONSTRAINT trades_two_vendors CHECK ((give_vendor_id <> take_vendor_id))
);

ALTER TABLE ONLY public.trades FORCE ROW LEVEL SECURITY;

ALTER TABLE public.trades OWNER TO scriphouse_owner;

CREATE TABLE public.transfer_steps (
    run_id uuid NOT NULL,
    number bigint NOT NULL,
    seq integer NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    attempt integer NOT NULL,
    actor text NOT NULL,
    bank_reference text,
    booked_on date,
    reason_code text,
    reason text,
    confirmation_id uuid,
    stepped_at timestamp with time zone NOT NULL,
    CONSTRAINT transfer_steps_actor_form CHECK ((actor ~ '^(house|(operator|vendor):[0-9a-f-]{36})$'::text)),
    CONSTRAINT transfer_steps_attempt_positive CHECK ((attempt >= 1)),
    CONSTRAINT transfer_steps_bank_reference_length CHECK (((length(bank_reference) >= 1) AND (length(bank_reference) <= 35))),
    CONSTRAINT transfer_steps_changes_state CHECK ((from_state <> to_state)),
    CONSTRAINT transfer_steps_failed_has_code CHECK (((to_state <> 'failed'::text) OR (from_state = 'disputed'::text) OR (reason_code IS NOT NULL))),
    CONSTRAINT transfer_steps_failed_is_operators CHECK (
CASE
    WHEN (actor = 'house'::text) THEN (to_state = 'rolled'::text)
    ELSE ((to_state <> ALL (ARRAY['retried'::text, 'rolled'::text, 'written_off'::text])) OR (actor ~~ 'operator:%'::text))
END),
    CONSTRAINT transfer_steps_reason_code_form CHECK ((reason_code ~ '^[A-Z0-9]{4}$'::text)),
    CONSTRAINT transfer_steps_reason_length CHECK (((length(reason) >= 1) AND (length(reason) <= 500))),
    CONSTRAINT transfer_steps_seq_positive CHECK ((seq >= 1)),
    CONSTRAINT transfer_steps_written_off_has_reason CHECK (((to_state <> 'written_off'::text) OR (reason IS NOT NULL)))
);

ALTER TABLE ONLY public.transfer_steps FORCE ROW LEVEL SECURITY;

ALTER TABLE public.transfer_steps OWNER TO scriphouse_owner;

CREATE TABLE public.transfers (
    run_id uuid NOT NULL,
    number bigint NOT NULL,
    id uuid NOT NULL,
    payer_id uuid,
    payee_id uuid,
    amount_micro bigint NOT NULL,
    state text NOT NULL,
    attempt integer DEFAULT 1 NOT NULL,
    disputed_from text,
    default_id uuid,
    CONSTRAINT transfers_amount_positive CHECK ((amount_micro >= 1)),
    CONSTRAINT transfers_attempt_positive CHECK ((attempt >= 1)),
    CONSTRAINT transfers_defaulted_is_rolled CHECK (((default_id IS NULL) OR (state = 'rolled'::text))),
    CONSTRAINT transfers_disputed_from_known CHECK ((disputed_from = ANY (ARRAY['instructed'::text, 'sent'::text, 'failed'::text, 'retried'::text]))),
    CONSTRAINT transfers_disputed_has_origin CHECK (((state = 'disputed'::text) = (disputed_from IS NOT NULL))),
    CONSTRAINT transfers_number_positive CHECK ((number >= 1)),
    CONSTRAINT transfers_rolled_between_vendors CHECK (((state <> 'rolled'::text) OR ((payer_id IS NOT NULL) AND (payee_id IS NOT NULL)))),
    CONSTRAINT transfers_state_known CHECK ((state = ANY (ARRAY['instructed'::text, 'sent'::text, 'received'::text, 'failed'::text, 'retried'::text, 'rolled'::text, 'written_off'::text, 'disputed'::text]))),
    CONSTRAINT transfers_two_parties CHECK ((payer_id IS DISTINCT FROM payee_id))
);

ALTER TABLE ONLY public.transfers FORCE ROW LEVEL SECURITY;

ALTER TABLE public.transfers OWNER TO scriphouse_owner;

CREATE TABLE public.unit_values (
    vendor_id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    value_micro bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT unit_values_at_least_one CHECK ((value_micro >= 1))
);

ALTER TABLE ONLY public.unit_values FORCE ROW LEVEL SECURITY;

ALTER TABLE public.unit_values OWNER TO scriphouse_owner;

CREATE TABLE public.users (
    id uuid NOT NULL,
    handle text NOT NULL COLLATE pg_catalog."C",
    password_hash text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT users_handle_form CHECK ((handle ~ '^[a-z0-9][a-z0-9._@+-]{2,127}$'::text))
);

ALTER TABLE ONLY public.users FORCE ROW LEVEL SECURITY;

ALTER TABLE public.users OWNER TO scriphouse_owner;

CREATE TABLE public.vendors (
    id uuid NOT NULL,
    code text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    scale smallint NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    can_issue boolean DEFAULT true NOT NULL,
    can_spend boolean DEFAULT true NOT NULL,
    can_convert_out boolean DEFAULT true NOT NULL,
    can_convert_in boolean DEFAULT true NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT vendors_code_form CHECK (((code ~ '^[A-Z0-9][A-Z0-9_-]{1,31}$'::text) AND (code <> 'HOUSE'::text))),
    CONSTRAINT vendors_name_length CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT vendors_scale_range CHECK (((scale >= 0) AND (scale <= 6))),
    CONSTRAINT vendors_status_known CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text])))
);

ALTER TABLE ONLY public.vendors FORCE ROW LEVEL SECURITY;

ALTER TABLE public.vendors OWNER TO scriphouse_owner;

CREATE TABLE public.window_leaves (
    window_id uuid NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    writer smallint NOT NULL,
    obligation_count bigint NOT NULL,
    gross_micro bigint NOT NULL,
    root bytea NOT NULL,
    CONSTRAINT window_leaves_count_positive CHECK ((obligation_count >= 1)),
    CONSTRAINT window_leaves_gross_positive CHECK ((gross_micro >= 1)),
    CONSTRAINT window_leaves_root_length CHECK ((octet_length(root) = 32))
);

ALTER TABLE public.window_leaves OWNER TO scriphouse_owner;

CREATE TABLE public.window_totals (
    window_id uuid NOT NULL,
    writer smallint NOT NULL,
    gross_micro bigint NOT NULL,
    CONSTRAINT window_totals_gross_not_negative CHECK ((gross_micro >= 0)),
    CONSTRAINT window_totals_gross_within_bounds CHECK ((gross_micro <= '250000000000000000'::bigint))
)
WITH (fillfactor='50');

ALTER TABLE public.window_totals OWNER TO scriphouse_owner;

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (user_id, vendor_id);

ALTER TABLE ONLY public.acknowledgements
    ADD CONSTRAINT acknowledgements_pkey PRIMARY KEY (run_id, vendor_id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.bank_templates
    ADD CONSTRAINT bank_templates_pkey PRIMARY KEY (code);

ALTER TABLE ONLY public.bilateral_caps
    ADD CONSTRAINT bilateral_caps_pkey PRIMARY KEY (creditor_id, debtor_id);

ALTER TABLE ONLY public.calendars
    ADD CONSTRAINT calendars_pkey PRIMARY KEY (code);

ALTER TABLE ONLY public.confirmation_assignments
    ADD CONSTRAINT confirmation_assignments_pkey PRIMARY KEY (confirmation_id, number, run_id, transfer_number);

ALTER TABLE ONLY public.confirmation_assignments
    ADD CONSTRAINT confirmation_assignments_step_once UNIQUE (run_id, transfer_number, step_seq);

ALTER TABLE ONLY public.confirmation_entries
    ADD CONSTRAINT confirmation_entries_pkey PRIMARY KEY (confirmation_id, number);

ALTER TABLE ONLY public.confirmations
    ADD CONSTRAINT confirmations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.confirmations
    ADD CONSTRAINT confirmations_sha256_unique UNIQUE (scheme_id, sha256);

ALTER TABLE ONLY public.debit_caps
    ADD CONSTRAINT debit_caps_pkey PRIMARY KEY (vendor_id);

ALTER TABLE ONLY public.default_debts
    ADD CONSTRAINT default_debts_pkey PRIMARY KEY (default_id, debtor_id, creditor_id);

ALTER TABLE ONLY public.default_draws
    ADD CONSTRAINT default_draws_number_unique UNIQUE (default_id, number);

ALTER TABLE ONLY public.default_draws
    ADD CONSTRAINT default_draws_pkey PRIMARY KEY (default_id, payee_id);

ALTER TABLE ONLY public.defaults
    ADD CONSTRAINT defaults_once UNIQUE (run_id, vendor_id);

ALTER TABLE ONLY public.defaults
    ADD CONSTRAINT defaults_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.defaults
    ADD CONSTRAINT defaults_whole UNIQUE (id, run_id, vendor_id);

ALTER TABLE ONLY public.disputes
    ADD CONSTRAINT disputes_once UNIQUE (window_id, obligation_id);

ALTER TABLE ONLY public.disputes
    ADD CONSTRAINT disputes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.draw_corrections
    ADD CONSTRAINT draw_corrections_pkey PRIMARY KEY (default_id, number, seq);

ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_pkey PRIMARY KEY (user_id, vendor_id, seq);

ALTER TABLE ONLY public.exclusions
    ADD CONSTRAINT exclusions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.exposures
    ADD CONSTRAINT exposures_pkey PRIMARY KEY (window_id, vendor_id, writer);

ALTER TABLE ONLY public.file_pieces
    ADD CONSTRAINT file_pieces_pkey PRIMARY KEY (file_id, seq);

ALTER TABLE ONLY public.files
    ADD CONSTRAINT files_name_unique UNIQUE (run_id, name);

ALTER TABLE ONLY public.files
    ADD CONSTRAINT files_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.house_account
    ADD CONSTRAINT house_account_pkey PRIMARY KEY (single);

ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (actor_id, key);

ALTER TABLE ONLY public.issuances
    ADD CONSTRAINT issuances_pkey PRIMARY KEY (vendor_id, writer);

ALTER TABLE ONLY public.obligations
    ADD CONSTRAINT obligations_pkey PRIMARY KEY (window_id, id, user_id);

ALTER TABLE ONLY public.payouts
    ADD CONSTRAINT payouts_pkey PRIMARY KEY (vendor_id);

ALTER TABLE ONLY public.positions
    ADD CONSTRAINT positions_pkey PRIMARY KEY (window_id, writer, debtor_id, creditor_id);

ALTER TABLE ONLY public.rates
    ADD CONSTRAINT rates_pkey PRIMARY KEY (from_vendor_id, to_vendor_id, starts_at);

ALTER TABLE ONLY public.run_carries
    ADD CONSTRAINT run_carries_pkey PRIMARY KEY (run_id, number);

ALTER TABLE ONLY public.run_holdings
    ADD CONSTRAINT run_holdings_pkey PRIMARY KEY (run_id, debtor_id, creditor_id);

ALTER TABLE ONLY public.run_positions
    ADD CONSTRAINT run_positions_pkey PRIMARY KEY (run_id, vendor_id);

ALTER TABLE ONLY public.run_steps
    ADD CONSTRAINT run_steps_pkey PRIMARY KEY (run_id, seq);

ALTER TABLE ONLY public.run_windows
    ADD CONSTRAINT run_windows_pkey PRIMARY KEY (run_id, window_id);

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_number_unique UNIQUE (scheme_id, number);

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_slot_unique UNIQUE (scheme_id, slot);

ALTER TABLE ONLY public.schedules
    ADD CONSTRAINT schedules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.scheme_members
    ADD CONSTRAINT scheme_members_pkey PRIMARY KEY (vendor_id);

ALTER TABLE ONLY public.schemes
    ADD CONSTRAINT schemes_code_unique UNIQUE (code);

ALTER TABLE ONLY public.schemes
    ADD CONSTRAINT schemes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.seals
    ADD CONSTRAINT seals_number_unique UNIQUE (scheme_id, number);

ALTER TABLE ONLY public.seals
    ADD CONSTRAINT seals_pkey PRIMARY KEY (window_id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.swaps
    ADD CONSTRAINT swaps_pkey PRIMARY KEY (user_id, id);

ALTER TABLE ONLY public.terms_version
    ADD CONSTRAINT terms_version_pkey PRIMARY KEY (single);

ALTER TABLE ONLY public.trades
    ADD CONSTRAINT trades_pkey PRIMARY KEY (user_id, id);

ALTER TABLE ONLY public.transfer_steps
    ADD CONSTRAINT transfer_steps_pkey PRIMARY KEY (run_id, number, seq);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_id_unique UNIQUE (id);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_pkey PRIMARY KEY (run_id, number);

ALTER TABLE ONLY public.unit_values
    ADD CONSTRAINT unit_values_pkey PRIMARY KEY (vendor_id, starts_at);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_handle_unique UNIQUE (handle);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.vendors
    ADD CONSTRAINT vendors_code_unique UNIQUE (code);

ALTER TABLE ONLY public.vendors
    ADD CONSTRAINT vendors_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.window_leaves
    ADD CONSTRAINT window_leaves_pkey PRIMARY KEY (window_id, booked_at, writer);

ALTER TABLE ONLY public.window_totals
    ADD CONSTRAINT window_totals_pkey PRIMARY KEY (window_id, writer);

ALTER TABLE ONLY public.windows
    ADD CONSTRAINT windows_number_unique UNIQUE (scheme_id, number);

ALTER TABLE ONLY public.windows
    ADD CONSTRAINT windows_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.windows
    ADD CONSTRAINT windows_slot_unique UNIQUE (scheme_id, slot);

CREATE INDEX accounts_by_vendor ON public.accounts USING btree (vendor_id);

CREATE INDEX api_keys_by_vendor ON public.api_keys USING btree (vendor_id);

CREATE INDEX bilateral_caps_by_debtor ON public.bilateral_caps USING btree (debtor_id);

CREATE INDEX confirmation_entries_by_outcome ON public.confirmation_entries USING btree (confirmation_id, outcome, number);

CREATE INDEX disputes_by_run ON public.disputes USING btree (run_id);

CREATE INDEX disputes_open ON public.disputes USING btree (scheme_id) WHERE (state = 'open'::text);

CREATE UNIQUE INDEX exclusions_one_at_a_time ON public.exclusions USING btree (scheme_id, vendor_id) WHERE (lifted_at IS NULL);

CREATE INDEX positions_by_creditor ON public.positions USING btree (creditor_id, window_id);

CREATE INDEX positions_by_debtor ON public.positions USING btree (debtor_id, window_id, creditor_id);

CREATE INDEX rates_by_to_vendor ON public.rates USING btree (to_vendor_id);

CREATE INDEX run_carries_by_debtor ON public.run_carries USING btree (debtor_id, creditor_id, run_id);

CREATE INDEX run_positions_by_vendor ON public.run_positions USING btree (vendor_id);

CREATE INDEX run_windows_by_window ON public.run_windows USING btree (window_id);

CREATE INDEX runs_proposed ON public.runs USING btree (id) WHERE (state = 'proposed'::text);

CREATE INDEX schedules_by_calendar ON public.schedules USING btree (calendar_code) WHERE (calendar_code IS NOT NULL);

CREATE INDEX schedules_by_scheme ON public.schedules USING btree (scheme_id);

CREATE INDEX schedules_due ON public.schedules USING btree (next_at) WHERE enabled;

CREATE INDEX scheme_members_by_scheme ON public.scheme_members USING btree (scheme_id);

CREATE INDEX swaps_received ON public.swaps USING btree (payee_id, id) WHERE (kind = 'send'::text);

CREATE INDEX trades_by_acceptor ON public.trades USING btree (acceptor_id, id);

CREATE INDEX trades_proposed ON public.trades USING btree (expires_at) WHERE (state = 'proposed'::text);

CREATE INDEX transfer_steps_by_confirmation ON public.transfer_steps USING btree (confirmation_id) WHERE (confirmation_id IS NOT NULL);

CREATE INDEX transfers_by_payee ON public.transfers USING btree (payee_id);

CREATE INDEX transfers_by_payer ON public.transfers USING btree (payer_id, payee_id, run_id);

CREATE INDEX transfers_defaulted ON public.transfers USING btree (default_id) WHERE (default_id IS NOT NULL);

CREATE INDEX transfers_failed ON public.transfers USING btree (run_id, number) WHERE (state = 'failed'::text);

CREATE INDEX transfers_rolled_by_payee ON public.transfers USING btree (run_id, payee_id) WHERE (state = 'rolled'::text);

CREATE INDEX transfers_rolled_by_payer ON public.transfers USING btree (run_id, payer_id) WHERE (state = 'rolled'::text);

CREATE INDEX transfers_unfinished ON public.transfers USING btree (run_id) WHERE (state <> ALL (ARRAY['received'::text, 'rolled'::text, 'written_off'::text]));

CREATE INDEX windows_by_run ON public.windows USING btree (run_id);

CREATE INDEX windows_not_netted ON public.windows USING btree (scheme_id, number) WHERE (run_id IS NULL);

CREATE UNIQUE INDEX windows_one_open ON public.windows USING btree (scheme_id) WHERE (state = 'open'::text);

CREATE INDEX windows_unsettled ON public.windows USING btree (scheme_id) WHERE (settled_at IS NULL);

CREATE TRIGGER confirmation_assignments_deleted AFTER DELETE ON public.confirmation_assignments REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.check_confirmation_assignments();

CREATE TRIGGER confirmation_assignments_inserted AFTER INSERT ON public.confirmation_assignments REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.check_confirmation_assignments();

CREATE TRIGGER runs_step BEFORE INSERT OR UPDATE OF state ON public.runs FOR EACH ROW EXECUTE FUNCTION public.check_run_step();

CREATE TRIGGER transfers_step_allowed BEFORE UPDATE OF state, attempt, disputed_from ON public.transfers FOR EACH ROW EXECUTE FUNCTION public.check_transfer_step();

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_user_exists FOREIGN KEY (user_id) REFERENCES public.users(id);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_vendor_exists FOREIGN KEY (vendor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.acknowledgements
    ADD CONSTRAINT acknowledgements_run_exists FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.acknowledgements
    ADD CONSTRAINT acknowledgements_vendor_exists FOREIGN KEY (vendor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_vendor_exists FOREIGN KEY (vendor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.bilateral_caps
    ADD CONSTRAINT bilateral_caps_creditor_exists FOREIGN KEY (creditor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.bilateral_caps
    ADD CONSTRAINT bilateral_caps_debtor_exists FOREIGN KEY (debtor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.confirmation_assignments
    ADD CONSTRAINT confirmation_assignments_entry_exists FOREIGN KEY (confirmation_id, number) REFERENCES public.confirmation_entries(confirmation_id, number);

ALTER TABLE ONLY public.confirmation_assignments
    ADD CONSTRAINT confirmation_assignments_transfer_exists FOREIGN KEY (run_id, transfer_number) REFERENCES public.transfers(run_id, number);

ALTER TABLE ONLY public.confirmation_entries
    ADD CONSTRAINT confirmation_entries_confirmation_exists FOREIGN KEY (confirmation_id) REFERENCES public.confirmations(id);

ALTER TABLE ONLY public.confirmation_entries
    ADD CONSTRAINT confirmation_entries_transfer_exists FOREIGN KEY (run_id, transfer_number) REFERENCES public.transfers(run_id, number);

ALTER TABLE ONLY public.confirmations
    ADD CONSTRAINT confirmations_scheme_exists FOREIGN KEY (scheme_id) REFERENCES public.schemes(id);

ALTER TABLE ONLY public.debit_caps
    ADD CONSTRAINT debit_caps_vendor_exists FOREIGN KEY (vendor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.default_debts
    ADD CONSTRAINT default_debts_creditor_exists FOREIGN KEY (creditor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.default_debts
    ADD CONSTRAINT default_debts_debtor_exists FOREIGN KEY (debtor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.default_debts
    ADD CONSTRAINT default_debts_default_exists FOREIGN KEY (default_id) REFERENCES public.defaults(id);

ALTER TABLE ONLY public.default_draws
    ADD CONSTRAINT default_draws_default_exists FOREIGN KEY (default_id) REFERENCES public.defaults(id);

ALTER TABLE ONLY public.default_draws
    ADD CONSTRAINT default_draws_payee_exists FOREIGN KEY (payee_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.defaults
    ADD CONSTRAINT defaults_run_exists FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.defaults
    ADD CONSTRAINT defaults_vendor_exists FOREIGN KEY (vendor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.disputes
    ADD CONSTRAINT disputes_creditor_exists FOREIGN KEY (creditor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.disputes
    ADD CONSTRAINT disputes_debtor_exists FOREIGN KEY (debtor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.disputes
    ADD CONSTRAINT disputes_run_exists FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.disputes
    ADD CONSTRAINT disputes_scheme_exists FOREIGN KEY (scheme_id) REFERENCES public.schemes(id);

ALTER TABLE ONLY public.disputes
    ADD CONSTRAINT disputes_window_exists FOREIGN KEY (window_id) REFERENCES public.windows(id);

ALTER TABLE ONLY public.draw_corrections
    ADD CONSTRAINT draw_corrections_draw_exists FOREIGN KEY (default_id, number) REFERENCES public.default_draws(default_id, number);

ALTER TABLE ONLY public.exclusions
    ADD CONSTRAINT exclusions_scheme_exists FOREIGN KEY (scheme_id) REFERENCES public.schemes(id);

ALTER TABLE ONLY public.exclusions
    ADD CONSTRAINT exclusions_vendor_exists FOREIGN KEY (vendor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.file_pieces
    ADD CONSTRAINT file_pieces_file_exists FOREIGN KEY (file_id) REFERENCES public.files(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.file_pieces
    ADD CONSTRAINT file_pieces_vendor_exists FOREIGN KEY (vendor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.files
    ADD CONSTRAINT files_run_exists FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.files
    ADD CONSTRAINT files_vendor_exists FOREIGN KEY (vendor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.issuances
    ADD CONSTRAINT issuances_vendor_exists FOREIGN KEY (vendor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.payouts
    ADD CONSTRAINT payouts_vendor_exists FOREIGN KEY (vendor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.rates
    ADD CONSTRAINT rates_from_vendor_exists FOREIGN KEY (from_vendor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.rates
    ADD CONSTRAINT rates_to_vendor_exists FOREIGN KEY (to_vendor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.run_carries
    ADD CONSTRAINT run_carries_creditor_exists FOREIGN KEY (creditor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.run_carries
    ADD CONSTRAINT run_carries_debtor_exists FOREIGN KEY (debtor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.run_carries
    ADD CONSTRAINT run_carries_run_exists FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.run_holdings
    ADD CONSTRAINT run_holdings_creditor_exists FOREIGN KEY (creditor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.run_holdings
    ADD CONSTRAINT run_holdings_debtor_exists FOREIGN KEY (debtor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.run_holdings
    ADD CONSTRAINT run_holdings_run_exists FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.run_positions
    ADD CONSTRAINT run_positions_run_exists FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.run_positions
    ADD CONSTRAINT run_positions_vendor_exists FOREIGN KEY (vendor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.run_steps
    ADD CONSTRAINT run_steps_run_exists FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.run_windows
    ADD CONSTRAINT run_windows_run_exists FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.run_windows
    ADD CONSTRAINT run_windows_window_exists FOREIGN KEY (window_id) REFERENCES public.windows(id);

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_scheme_exists FOREIGN KEY (scheme_id) REFERENCES public.schemes(id);

ALTER TABLE ONLY public.schedules
    ADD CONSTRAINT schedules_calendar_exists FOREIGN KEY (calendar_code) REFERENCES public.calendars(code);

ALTER TABLE ONLY public.schedules
    ADD CONSTRAINT schedules_scheme_exists FOREIGN KEY (scheme_id) REFERENCES public.schemes(id);

ALTER TABLE ONLY public.scheme_members
    ADD CONSTRAINT scheme_members_scheme_exists FOREIGN KEY (scheme_id) REFERENCES public.schemes(id);

ALTER TABLE ONLY public.scheme_members
    ADD CONSTRAINT scheme_members_vendor_exists FOREIGN KEY (vendor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.seals
    ADD CONSTRAINT seals_scheme_exists FOREIGN KEY (scheme_id) REFERENCES public.schemes(id);

ALTER TABLE ONLY public.seals
    ADD CONSTRAINT seals_window_exists FOREIGN KEY (window_id) REFERENCES public.windows(id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_user_exists FOREIGN KEY (user_id) REFERENCES public.users(id);

ALTER TABLE ONLY public.trades
    ADD CONSTRAINT trades_acceptor_exists FOREIGN KEY (acceptor_id) REFERENCES public.users(id);

ALTER TABLE ONLY public.trades
    ADD CONSTRAINT trades_give_vendor_exists FOREIGN KEY (give_vendor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.trades
    ADD CONSTRAINT trades_proposer_exists FOREIGN KEY (user_id) REFERENCES public.users(id);

ALTER TABLE ONLY public.trades
    ADD CONSTRAINT trades_take_vendor_exists FOREIGN KEY (take_vendor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.transfer_steps
    ADD CONSTRAINT transfer_steps_confirmation_exists FOREIGN KEY (confirmation_id) REFERENCES public.confirmations(id);

ALTER TABLE ONLY public.transfer_steps
    ADD CONSTRAINT transfer_steps_transfer_exists FOREIGN KEY (run_id, number) REFERENCES public.transfers(run_id, number);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_default_of_payer FOREIGN KEY (default_id, run_id, payer_id) REFERENCES public.defaults(id, run_id, vendor_id);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_payee_exists FOREIGN KEY (payee_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_payer_exists FOREIGN KEY (payer_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_run_exists FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.unit_values
    ADD CONSTRAINT unit_values_vendor_exists FOREIGN KEY (vendor_id) REFERENCES public.vendors(id);

ALTER TABLE ONLY public.window_totals
    ADD CONSTRAINT window_totals_window_exists FOREIGN KEY (window_id) REFERENCES public.windows(id);

ALTER TABLE ONLY public.windows
    ADD CONSTRAINT windows_run_exists FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.windows
    ADD CONSTRAINT windows_scheme_exists FOREIGN KEY (scheme_id) REFERENCES public.schemes(id);

ALTER TABLE public.accounts ENABLE ROW LEVEL SECURITY;

CREATE POLICY accounts_own ON public.accounts FOR SELECT TO scriphouse_app USING (((user_id = public.current_user_id()) OR (vendor_id = public.current_vendor_id())));

ALTER TABLE public.acknowledgements ENABLE ROW LEVEL SECURITY;

CREATE POLICY acknowledgements_own ON public.acknowledgements FOR SELECT TO scriphouse_app USING ((vendor_id = public.current_vendor_id()));

ALTER TABLE public.api_keys ENABLE ROW LEVEL SECURITY;

CREATE POLICY api_keys_own ON public.api_keys TO scriphouse_app USING ((vendor_id = public.current_vendor_id()));

ALTER TABLE public.bilateral_caps ENABLE ROW LEVEL SECURITY;

CREATE POLICY bilateral_caps_insert ON public.bilateral_caps FOR INSERT TO scriphouse_app WITH CHECK ((creditor_id = public.current_vendor_id()));

CREATE POLICY bilateral_caps_read ON public.bilateral_caps FOR SELECT TO scriphouse_app USING (((creditor_id = public.current_vendor_id()) OR (debtor_id = public.current_vendor_id())));

CREATE POLICY bilateral_caps_update ON public.bilateral_caps FOR UPDATE TO scriphouse_app USING ((creditor_id = public.current_vendor_id()));

ALTER TABLE public.debit_caps ENABLE ROW LEVEL SECURITY;

CREATE POLICY debit_caps_own ON public.debit_caps FOR SELECT TO scriphouse_app USING ((vendor_id = public.current_vendor_id()));

ALTER TABLE public.default_debts ENABLE ROW LEVEL SECURITY;

CREATE POLICY default_debts_own ON public.default_debts FOR SELECT TO scriphouse_app USING (((debtor_id = public.current_vendor_id()) OR (creditor_id = public.current_vendor_id())));

ALTER TABLE public.default_draws ENABLE ROW LEVEL SECURITY;

CREATE POLICY default_draws_own ON public.default_draws FOR SELECT TO scriphouse_app USING (((payee_id = public.current_vendor_id()) OR (EXISTS ( SELECT
   FROM public.defaults d
  WHERE ((d.id = default_draws.default_id) AND (d.vendor_id = public.current_vendor_id()))))));

ALTER TABLE public.defaults ENABLE ROW LEVEL SECURITY;

CREATE POLICY defaults_own ON public.defaults FOR SELECT TO scriphouse_app USING ((EXISTS ( SELECT
   FROM public.run_positions p
  WHERE ((p.run_id = defaults.run_id) AND (p.vendor_id = public.current_vendor_id())))));

ALTER TABLE public.disputes ENABLE ROW LEVEL SECURITY;

CREATE POLICY disputes_own ON public.disputes FOR SELECT TO scriphouse_app USING (((debtor_id = public.current_vendor_id()) OR (creditor_id = public.current_vendor_id())));

ALTER TABLE public.entries ENABLE ROW LEVEL SECURITY;

CREATE POLICY entries_own ON public.entries FOR SELECT TO scriphouse_app USING (((user_id = public.current_user_id()) OR (vendor_id = public.current_vendor_id())));

ALTER TABLE public.exclusions ENABLE ROW LEVEL SECURITY;

CREATE POLICY exclusions_own ON public.exclusions FOR SELECT TO scriphouse_app USING ((vendor_id = public.current_vendor_id()));

ALTER TABLE public.exposures ENABLE ROW LEVEL SECURITY;

CREATE POLICY exposures_own ON public.exposures FOR SELECT TO scriphouse_app USING ((vendor_id = public.current_vendor_id()));

ALTER TABLE public.file_pieces ENABLE ROW LEVEL SECURITY;

CREATE POLICY file_pieces_own ON public.file_pieces FOR SELECT TO scriphouse_app USING ((vendor_id = public.current_vendor_id()));

ALTER TABLE public.files ENABLE ROW LEVEL SECURITY;

CREATE POLICY files_own ON public.files FOR SELECT TO scriphouse_app USING ((vendor_id = public.current_vendor_id()));

ALTER TABLE public.idempotency ENABLE ROW LEVEL SECURITY;

CREATE POLICY idempotency_own ON public.idempotency FOR SELECT TO scriphouse_app USING (((actor_id = public.current_user_id()) OR (actor_id = public.current_vendor_id())));

ALTER TABLE public.issuances ENABLE ROW LEVEL SECURITY;

CREATE POLICY issuances_own ON public.issuances FOR SELECT TO scriphouse_app USING ((vendor_id = public.current_vendor_id()));

ALTER TABLE public.obligations ENABLE ROW LEVEL SECURITY;

CREATE POLICY obligations_own ON public.obligations FOR SELECT TO scriphouse_app USING (((debtor_id = public.current_vendor_id()) OR (creditor_id = public.current_vendor_id())));

ALTER TABLE public.payouts ENABLE ROW LEVEL SECURITY;

CREATE POLICY payouts_own ON public.payouts TO scriphouse_app USING ((vendor_id = public.current_vendor_id()));

ALTER TABLE public.positions ENABLE ROW LEVEL SECURITY;

CREATE POLICY positions_own ON public.positions FOR SELECT TO scriphouse_app USING (((debtor_id = public.current_vendor_id()) OR (creditor_id = public.current_vendor_id())));

ALTER TABLE public.rates ENABLE ROW LEVEL SECURITY;

CREATE POLICY rates_insert ON public.rates FOR INSERT TO scriphouse_app WITH CHECK ((to_vendor_id = public.current_vendor_id()));

CREATE POLICY rates_read ON public.rates FOR SELECT TO scriphouse_app USING (true);

ALTER TABLE public.run_carries ENABLE ROW LEVEL SECURITY;

CREATE POLICY run_carries_own ON public.run_carries FOR SELECT TO scriphouse_app USING (((debtor_id = public.current_vendor_id()) OR (creditor_id = public.current_vendor_id())));

ALTER TABLE public.run_holdings ENABLE ROW LEVEL SECURITY;

CREATE POLICY run_holdings_own ON public.run_holdings FOR SELECT TO scriphouse_app USING (((debtor_id = public.current_vendor_id()) OR (creditor_id = public.current_vendor_id())));

ALTER TABLE public.run_positions ENABLE ROW LEVEL SECURITY;

CREATE POLICY run_positions_own ON public.run_positions FOR SELECT TO scriphouse_app USING ((vendor_id = public.current_vendor_id()));

ALTER TABLE public.runs ENABLE ROW LEVEL SECURITY;

CREATE POLICY runs_own ON public.runs FOR SELECT TO scriphouse_app USING ((EXISTS ( SELECT
   FROM public.run_positions p
  WHERE ((p.run_id = runs.id) AND (p.vendor_id = public.current_vendor_id())))));

ALTER TABLE public.scheme_members ENABLE ROW LEVEL SECURITY;

CREATE POLICY scheme_members_read ON public.scheme_members FOR SELECT TO scriphouse_app USING (true);

ALTER TABLE public.sessions ENABLE ROW LEVEL SECURITY;

CREATE POLICY sessions_own ON public.sessions TO scriphouse_app USING ((user_id = public.current_user_id()));

ALTER TABLE public.swaps ENABLE ROW LEVEL SECURITY;

CREATE POLICY swaps_own ON public.swaps FOR SELECT TO scriphouse_app USING (((user_id = public.current_user_id()) OR (payee_id = public.current_user_id())));

ALTER TABLE public.trades ENABLE ROW LEVEL SECURITY;

CREATE POLICY trades_own ON public.trades FOR SELECT TO scriphouse_app USING (((user_id = public.current_user_id()) OR (acceptor_id = public.current_user_id())));

ALTER TABLE public.transfer_steps ENABLE ROW LEVEL SECURITY;

CREATE POLICY transfer_steps_own ON public.transfer_steps FOR SELECT TO scriphouse_app USING ((EXISTS ( SELECT
   FROM public.transfers t
  WHERE ((t.run_id = transfer_steps.run_id) AND (t.number = transfer_steps.number) AND ((t.payer_id = public.current_vendor_id()) OR (t.payee_id = public.current_vendor_id()))))));

ALTER TABLE public.transfers ENABLE ROW LEVEL SECURITY;

CREATE POLICY transfers_own ON public.transfers FOR SELECT TO scriphouse_app USING (((payer_id = public.current_vendor_id()) OR (payee_id = public.current_vendor_id())));

ALTER TABLE public.unit_values ENABLE ROW LEVEL SECURITY;

CREATE POLICY unit_values_insert ON public.unit_values FOR INSERT TO scriphouse_app WITH CHECK ((vendor_id = public.current_vendor_id()));

CREATE POLICY unit_values_read ON public.unit_values FOR SELECT TO scriphouse_app USING (true);

ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;

CREATE POLICY users_own ON public.users FOR SELECT TO scriphouse_app USING ((id = public.current_user_id()));

ALTER TABLE public.vendors ENABLE ROW LEVEL SECURITY;

CREATE POLICY vendors_read ON public.vendors FOR SELECT TO scriphouse_app USING (true);

CREATE POLICY vendors_update ON public.vendors FOR UPDATE TO scriphouse_app USING ((id = public.current_vendor_id()));

GRANT ALL ON SCHEMA public TO scriphouse_owner;
GRANT USAGE ON SCHEMA public TO scriphouse_app;
GRANT USAGE ON SCHEMA public TO scriphouse_house;
GRANT USAGE ON SCHEMA public TO scriphouse_server;

GRANT SELECT ON TABLE public.accounts TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.accounts TO scriphouse_house;

GRANT UPDATE(balance) ON TABLE public.accounts TO scriphouse_house;

GRANT UPDATE(held) ON TABLE public.accounts TO scriphouse_house;

GRANT UPDATE(entry_count) ON TABLE public.accounts TO scriphouse_house;

GRANT SELECT ON TABLE public.acknowledgements TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.acknowledgements TO scriphouse_house;

GRANT SELECT,INSERT ON TABLE public.api_keys TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.api_keys TO scriphouse_house;

GRANT UPDATE(revoked_at) ON TABLE public.api_keys TO scriphouse_app;
GRANT UPDATE(revoked_at) ON TABLE public.api_keys TO scriphouse_house;

GRANT SELECT,INSERT ON TABLE public.bank_templates TO scriphouse_house;

GRANT UPDATE(separator) ON TABLE public.bank_templates TO scriphouse_house;

GRANT UPDATE(decimal_sign) ON TABLE public.bank_templates TO scriphouse_house;

GRANT UPDATE(day_format) ON TABLE public.bank_templates TO scriphouse_house;

GRANT UPDATE(has_header) ON TABLE public.bank_templates TO scriphouse_house;

GRANT UPDATE(is_latin) ON TABLE public.bank_templates TO scriphouse_house;

GRANT UPDATE(headers) ON TABLE public.bank_templates TO scriphouse_house;

GRANT UPDATE(fields) ON TABLE public.bank_templates TO scriphouse_house;

GRANT UPDATE(texts) ON TABLE public.bank_templates TO scriphouse_house;

GRANT UPDATE(version) ON TABLE public.bank_templates TO scriphouse_house;

GRANT SELECT,INSERT ON TABLE public.bilateral_caps TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.bilateral_caps TO scriphouse_house;

GRANT UPDATE(cap_micro) ON TABLE public.bilateral_caps TO scriphouse_app;
GRANT UPDATE(cap_micro) ON TABLE public.bilateral_caps TO scriphouse_house;

GRANT UPDATE(version) ON TABLE public.bilateral_caps TO scriphouse_app;
GRANT UPDATE(version) ON TABLE public.bilateral_caps TO scriphouse_house;

GRANT UPDATE(changed_at) ON TABLE public.bilateral_caps TO scriphouse_app;
GRANT UPDATE(changed_at) ON TABLE public.bilateral_caps TO scriphouse_house;

GRANT SELECT,INSERT ON TABLE public.calendars TO scriphouse_house;

GRANT UPDATE(weekends) ON TABLE public.calendars TO scriphouse_house;

GRANT UPDATE(closed_on) ON TABLE public.calendars TO scriphouse_house;

GRANT UPDATE(version) ON TABLE public.calendars TO scriphouse_house;

GRANT SELECT,INSERT,DELETE ON TABLE public.confirmation_assignments TO scriphouse_house;

GRANT UPDATE(step_seq) ON TABLE public.confirmation_assignments TO scriphouse_house;

GRANT SELECT,INSERT ON TABLE public.confirmation_entries TO scriphouse_house;

GRANT UPDATE(outcome) ON TABLE public.confirmation_entries TO scriphouse_house;

GRANT UPDATE(hint) ON TABLE public.confirmation_entries TO scriphouse_house;

GRANT UPDATE(run_id) ON TABLE public.confirmation_entries TO scriphouse_house;

GRANT UPDATE(transfer_number) ON TABLE public.confirmation_entries TO scriphouse_house;

GRANT UPDATE(step_seq) ON TABLE public.confirmation_entries TO scriphouse_house;

GRANT SELECT,INSERT ON TABLE public.confirmations TO scriphouse_house;

GRANT UPDATE(state) ON TABLE public.confirmations TO scriphouse_house;

GRANT UPDATE(applied_by) ON TABLE public.confirmations TO scriphouse_house;

GRANT UPDATE(applied_at) ON TABLE public.confirmations TO scriphouse_house;

GRANT SELECT ON TABLE public.debit_caps TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.debit_caps TO scriphouse_house;

GRANT UPDATE(cap_micro) ON TABLE public.debit_caps TO scriphouse_house;

GRANT UPDATE(version) ON TABLE public.debit_caps TO scriphouse_house;

GRANT UPDATE(changed_at) ON TABLE public.debit_caps TO scriphouse_house;

GRANT SELECT ON TABLE public.default_debts TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.default_debts TO scriphouse_house;

GRANT SELECT,INSERT ON TABLE public.default_draws TO scriphouse_house;

GRANT SELECT(default_id) ON TABLE public.default_draws TO scriphouse_app;

GRANT SELECT(payee_id) ON TABLE public.default_draws TO scriphouse_app;

GRANT SELECT(amount_micro) ON TABLE public.default_draws TO scriphouse_app;

GRANT SELECT(number) ON TABLE public.default_draws TO scriphouse_app;

GRANT UPDATE(paid_at) ON TABLE public.default_draws TO scriphouse_house;
GRANT SELECT(paid_at) ON TABLE public.default_draws TO scriphouse_app;

GRANT UPDATE(paid_by) ON TABLE public.default_draws TO scriphouse_house;

GRANT UPDATE(bank_reference) ON TABLE public.default_draws TO scriphouse_house;
GRANT SELECT(bank_reference) ON TABLE public.default_draws TO scriphouse_app;

GRANT UPDATE(booked_on) ON TABLE public.default_draws TO scriphouse_house;
GRANT SELECT(booked_on) ON TABLE public.default_draws TO scriphouse_app;

GRANT SELECT,INSERT ON TABLE public.defaults TO scriphouse_house;

GRANT SELECT(id) ON TABLE public.defaults TO scriphouse_app;

GRANT SELECT(run_id) ON TABLE public.defaults TO scriphouse_app;

GRANT SELECT(vendor_id) ON TABLE public.defaults TO scriphouse_app;

GRANT SELECT(rule) ON TABLE public.defaults TO scriphouse_app;

GRANT SELECT(declared_at) ON TABLE public.defaults TO scriphouse_app;

GRANT SELECT ON TABLE public.disputes TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.disputes TO scriphouse_house;

GRANT UPDATE(state) ON TABLE public.disputes TO scriphouse_house;

GRANT UPDATE(ended_at) ON TABLE public.disputes TO scriphouse_house;

GRANT UPDATE(ended_by) ON TABLE public.disputes TO scriphouse_house;

GRANT SELECT,INSERT ON TABLE public.draw_corrections TO scriphouse_house;

GRANT SELECT ON TABLE public.entries TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.entries TO scriphouse_house;

GRANT SELECT ON TABLE public.exclusions TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.exclusions TO scriphouse_house;

GRANT UPDATE(lifted_by) ON TABLE public.exclusions TO scriphouse_house;

GRANT UPDATE(lifted_at) ON TABLE public.exclusions TO scriphouse_house;

GRANT SELECT ON TABLE public.exposures TO scriphouse_app;
GRANT SELECT,INSERT,DELETE ON TABLE public.exposures TO scriphouse_house;

GRANT UPDATE(owes_micro) ON TABLE public.exposures TO scriphouse_house;

GRANT UPDATE(owed_micro) ON TABLE public.exposures TO scriphouse_house;

GRANT SELECT ON TABLE public.file_pieces TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.file_pieces TO scriphouse_house;

GRANT SELECT ON TABLE public.files TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.files TO scriphouse_house;

GRANT SELECT ON TABLE public.house_account TO scriphouse_house;

GRANT UPDATE(account_holder) ON TABLE public.house_account TO scriphouse_house;

GRANT UPDATE(iban) ON TABLE public.house_account TO scriphouse_house;

GRANT UPDATE(bic) ON TABLE public.house_account TO scriphouse_house;

GRANT UPDATE(version) ON TABLE public.house_account TO scriphouse_house;

GRANT SELECT ON TABLE public.idempotency TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.idempotency TO scriphouse_house;

GRANT SELECT ON TABLE public.issuances TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.issuances TO scriphouse_house;

GRANT UPDATE(issued) ON TABLE public.issuances TO scriphouse_house;

GRANT UPDATE(retired) ON TABLE public.issuances TO scriphouse_house;

GRANT SELECT ON TABLE public.obligations TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.obligations TO scriphouse_house;

GRANT SELECT,INSERT,UPDATE ON TABLE public.payouts TO scriphouse_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.payouts TO scriphouse_house;

GRANT SELECT ON TABLE public.positions TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.positions TO scriphouse_house;

GRANT UPDATE(amount_micro) ON TABLE public.positions TO scriphouse_house;

GRANT UPDATE(obligation_count) ON TABLE public.positions TO scriphouse_house;

GRANT UPDATE(send_units) ON TABLE public.positions TO scriphouse_house;

GRANT UPDATE(receive_units) ON TABLE public.positions TO scriphouse_house;

GRANT SELECT,INSERT ON TABLE public.rates TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.rates TO scriphouse_house;

GRANT SELECT ON TABLE public.run_carries TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.run_carries TO scriphouse_house;

GRANT SELECT ON TABLE public.run_holdings TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.run_holdings TO scriphouse_house;

GRANT SELECT ON TABLE public.run_positions TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.run_positions TO scriphouse_house;

GRANT SELECT,INSERT ON TABLE public.run_steps TO scriphouse_house;

GRANT SELECT,INSERT ON TABLE public.run_windows TO scriphouse_house;

GRANT SELECT ON TABLE public.runs TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.runs TO scriphouse_house;

GRANT UPDATE(state) ON TABLE public.runs TO scriphouse_house;

GRANT SELECT,INSERT ON TABLE public.schedules TO scriphouse_house;

GRANT UPDATE(enabled) ON TABLE public.schedules TO scriphouse_house;

GRANT UPDATE(next_at) ON TABLE public.schedules TO scriphouse_house;

GRANT SELECT ON TABLE public.scheme_members TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.scheme_members TO scriphouse_house;

GRANT UPDATE(collateral_micro) ON TABLE public.scheme_members TO scriphouse_house;

GRANT UPDATE(collateral_version) ON TABLE public.scheme_members TO scriphouse_house;

GRANT SELECT ON TABLE public.schemes TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.schemes TO scriphouse_house;

GRANT UPDATE(strategy) ON TABLE public.schemes TO scriphouse_house;

GRANT UPDATE(approval) ON TABLE public.schemes TO scriphouse_house;

GRANT UPDATE(min_transfer_micro) ON TABLE public.schemes TO scriphouse_house;

GRANT UPDATE(version) ON TABLE public.schemes TO scriphouse_house;

GRANT UPDATE(settle_threshold_micro) ON TABLE public.schemes TO scriphouse_house;

GRANT UPDATE(dispute_hours) ON TABLE public.schemes TO scriphouse_house;

GRANT UPDATE(grace_hours) ON TABLE public.schemes TO scriphouse_house;

GRANT UPDATE(failure_rule) ON TABLE public.schemes TO scriphouse_house;

GRANT SELECT,INSERT ON TABLE public.seals TO scriphouse_house;

GRANT SELECT ON TABLE public.sessions TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.sessions TO scriphouse_house;

GRANT UPDATE(revoked_at) ON TABLE public.sessions TO scriphouse_app;
GRANT UPDATE(revoked_at) ON TABLE public.sessions TO scriphouse_house;

GRANT SELECT ON TABLE public.swaps TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.swaps TO scriphouse_house;

GRANT SELECT ON TABLE public.terms_version TO scriphouse_app;
GRANT SELECT ON TABLE public.terms_version TO scriphouse_house;

GRANT UPDATE(version) ON TABLE public.terms_version TO scriphouse_app;
GRANT UPDATE(version) ON TABLE public.terms_version TO scriphouse_house;

GRANT SELECT ON TABLE public.windows TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.windows TO scriphouse_house;

GRANT UPDATE(state) ON TABLE public.windows TO scriphouse_house;

GRANT UPDATE(closed_at) ON TABLE public.windows TO scriphouse_house;

GRANT UPDATE(slot) ON TABLE public.windows TO scriphouse_house;

GRANT UPDATE(run_id) ON TABLE public.windows TO scriphouse_house;

GRANT UPDATE(held) ON TABLE public.windows TO scriphouse_house;

GRANT UPDATE(settled_at) ON TABLE public.windows TO scriphouse_house;

GRANT SELECT ON TABLE public.token_totals TO scriphouse_app;
GRANT SELECT ON TABLE public.token_totals TO scriphouse_house;

GRANT SELECT ON TABLE public.trades TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.trades TO scriphouse_house;

GRANT UPDATE(state) ON TABLE public.trades TO scriphouse_house;

GRANT UPDATE(ended_at) ON TABLE public.trades TO scriphouse_house;

GRANT SELECT ON TABLE public.transfer_steps TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.transfer_steps TO scriphouse_house;

GRANT SELECT ON TABLE public.transfers TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.transfers TO scriphouse_house;

GRANT UPDATE(state) ON TABLE public.transfers TO scriphouse_house;

GRANT UPDATE(attempt) ON TABLE public.transfers TO scriphouse_house;

GRANT UPDATE(disputed_from) ON TABLE public.transfers TO scriphouse_house;

GRANT UPDATE(default_id) ON TABLE public.transfers TO scriphouse_house;

GRANT SELECT,INSERT ON TABLE public.unit_values TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.unit_values TO scriphouse_house;

GRANT SELECT ON TABLE public.users TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.users TO scriphouse_house;

GRANT SELECT ON TABLE public.vendors TO scriphouse_app;
GRANT SELECT,INSERT ON TABLE public.vendors TO scriphouse_house;

GRANT UPDATE(name) ON TABLE public.vendors TO scriphouse_app;
GRANT UPDATE(name) ON TABLE public.vendors TO scriphouse_house;

GRANT UPDATE(status) ON TABLE public.vendors TO scriphouse_house;

GRANT UPDATE(can_issue) ON TABLE public.vendors TO scriphouse_app;
GRANT UPDATE(can_issue) ON TABLE public.vendors TO scriphouse_house;

GRANT UPDATE(can_spend) ON TABLE public.vendors TO scriphouse_app;
GRANT UPDATE(can_spend) ON TABLE public.vendors TO scriphouse_house;

GRANT UPDATE(can_convert_out) ON TABLE public.vendors TO scriphouse_app;
GRANT UPDATE(can_convert_out) ON TABLE public.vendors TO scriphouse_house;

GRANT UPDATE(can_convert_in) ON TABLE public.vendors TO scriphouse_app;
GRANT UPDATE(can_convert_in) ON TABLE public.vendors TO scriphouse_house;

GRANT UPDATE(version) ON TABLE public.vendors TO scriphouse_app;
GRANT UPDATE(version) ON TABLE public.vendors TO scriphouse_house;

GRANT SELECT,INSERT ON TABLE public.window_leaves TO scriphouse_house;

GRANT SELECT,INSERT ON TABLE public.window_totals TO scriphouse_house;

GRANT UPDATE(gross_micro) ON TABLE public.window_totals TO scriphouse_house;

