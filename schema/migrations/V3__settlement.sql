-- Why: what becomes of a closed window: its seal, the run that nets it, the transfers, and the files that finance teams download.

-- The seal of a closed window: the root of a hash tree over its obligations, chained to the seal before it.
CREATE TABLE seals (
    window_id        uuid        CONSTRAINT seals_pkey PRIMARY KEY CONSTRAINT seals_window_exists REFERENCES windows,
    scheme_id        uuid        NOT NULL CONSTRAINT seals_scheme_exists REFERENCES schemes,
    number           bigint      NOT NULL,
    obligation_count bigint      NOT NULL CONSTRAINT seals_count_not_negative CHECK (obligation_count >= 0),
    gross_micro      bigint      NOT NULL CONSTRAINT seals_gross_not_negative CHECK (gross_micro >= 0),
    root             bytea       NOT NULL CONSTRAINT seals_root_length CHECK (octet_length(root) = 32),
    seal             bytea       NOT NULL CONSTRAINT seals_seal_length CHECK (octet_length(seal) = 32),
    sealed_at        timestamptz NOT NULL,
    CONSTRAINT seals_number_unique UNIQUE (scheme_id, number)
);

CREATE TABLE runs (
    id                uuid        CONSTRAINT runs_pkey PRIMARY KEY,
    scheme_id         uuid        NOT NULL CONSTRAINT runs_scheme_exists REFERENCES schemes,
    slot              text        COLLATE "C" NOT NULL,
    state             text        NOT NULL CONSTRAINT runs_state_known CHECK (state IN (
                                      'computed', 'proposed', 'approved', 'exported', 'settling', 'settled', 'voided')),
    currency          text        NOT NULL,
    digits            smallint    NOT NULL,
    strategy          text        NOT NULL CONSTRAINT runs_strategy_known CHECK (strategy IN ('gross', 'bilateral', 'direct', 'hub')),
    algorithm_version integer     NOT NULL,
    obligation_count  bigint      NOT NULL,
    gross_micro       bigint      NOT NULL,
    bilateral_micro   bigint      NOT NULL,
    -- The net internal debt: the least money that could settle everything.
    net_micro         bigint      NOT NULL,
    -- What the transfers move, after rounding to the currency's digits.
    total_micro       bigint      NOT NULL,
    transfer_count    bigint      NOT NULL,
    input_hash        bytea       NOT NULL CONSTRAINT runs_input_hash_length CHECK (octet_length(input_hash) = 32),
    output_hash       bytea       NOT NULL CONSTRAINT runs_output_hash_length CHECK (octet_length(output_hash) = 32),
    computed_at       timestamptz NOT NULL,
    CONSTRAINT runs_slot_unique UNIQUE (scheme_id, slot)
);

-- A window belongs to at most one run.
CREATE TABLE run_windows (
    window_id uuid CONSTRAINT run_windows_pkey PRIMARY KEY CONSTRAINT run_windows_window_exists REFERENCES windows,
    run_id    uuid NOT NULL CONSTRAINT run_windows_run_exists REFERENCES runs
);
CREATE INDEX run_windows_by_run ON run_windows (run_id);

-- What one vendor is owed and owes in a run. net = owed - owes = settled + carry; the nets of a run sum to zero, and so do settled and carry.
CREATE TABLE run_positions (
    run_id        uuid   NOT NULL CONSTRAINT run_positions_run_exists REFERENCES runs,
    vendor_id     uuid   NOT NULL CONSTRAINT run_positions_vendor_exists REFERENCES vendors,
    owed_micro    bigint NOT NULL CONSTRAINT run_positions_owed_not_negative CHECK (owed_micro >= 0),
    owes_micro    bigint NOT NULL CONSTRAINT run_positions_owes_not_negative CHECK (owes_micro >= 0),
    net_micro     bigint NOT NULL,
    settled_micro bigint NOT NULL,
    carry_micro   bigint NOT NULL,
    CONSTRAINT run_positions_pkey PRIMARY KEY (run_id, vendor_id),
    CONSTRAINT run_positions_net_of_both CHECK (net_micro = owed_micro - owes_micro),
    CONSTRAINT run_positions_net_is_settled_or_carried CHECK (net_micro = settled_micro + carry_micro)
);
CREATE INDEX run_positions_by_vendor ON run_positions (vendor_id);

-- Money that one vendor pays another because of a run; null is the house (hub strategy).
CREATE TABLE transfers (
    run_id       uuid   NOT NULL CONSTRAINT transfers_run_exists REFERENCES runs,
    -- Counts the run's transfers from 1, in the order of the file.
    number       bigint NOT NULL CONSTRAINT transfers_number_positive CHECK (number >= 1),
    id           uuid   NOT NULL CONSTRAINT transfers_id_unique UNIQUE,
    payer_id     uuid   CONSTRAINT transfers_payer_exists REFERENCES vendors,
    payee_id     uuid   CONSTRAINT transfers_payee_exists REFERENCES vendors,
    amount_micro bigint NOT NULL CONSTRAINT transfers_amount_positive CHECK (amount_micro >= 1),
    state        text   NOT NULL CONSTRAINT transfers_state_known CHECK (state IN (
                            'instructed', 'sent', 'received', 'failed', 'retried', 'rolled', 'written_off', 'disputed')),
    CONSTRAINT transfers_pkey PRIMARY KEY (run_id, number),
    CONSTRAINT transfers_two_parties CHECK (payer_id IS DISTINCT FROM payee_id)
);
CREATE INDEX transfers_by_payer ON transfers (payer_id);
CREATE INDEX transfers_by_payee ON transfers (payee_id);

-- A settlement file; its bytes stand in pieces, stored once, so that a download is the same for ever and streams.
CREATE TABLE files (
    id         uuid        CONSTRAINT files_pkey PRIMARY KEY,
    run_id     uuid        NOT NULL CONSTRAINT files_run_exists REFERENCES runs,
    name       text        COLLATE "C" NOT NULL,
    -- Whose it is; null: the operator's alone.
    vendor_id  uuid        CONSTRAINT files_vendor_exists REFERENCES vendors,
    media_type text        NOT NULL,
    size_bytes bigint      NOT NULL CONSTRAINT files_size_not_negative CHECK (size_bytes >= 0),
    sha256     bytea       NOT NULL CONSTRAINT files_sha256_length CHECK (octet_length(sha256) = 32),
    created_at timestamptz NOT NULL,
    CONSTRAINT files_name_unique UNIQUE (run_id, name)
);

CREATE TABLE file_pieces (
    -- Checked at commit: a long file is stored piece by piece, and its own row, with its size and hash, last.
    file_id   uuid    NOT NULL CONSTRAINT file_pieces_file_exists REFERENCES files DEFERRABLE INITIALLY DEFERRED,
    seq       integer NOT NULL CONSTRAINT file_pieces_seq_positive CHECK (seq >= 1),
    -- Repeats the file's vendor, so that row security needs no join.
    vendor_id uuid    CONSTRAINT file_pieces_vendor_exists REFERENCES vendors,
    bytes     bytea   NOT NULL,
    CONSTRAINT file_pieces_pkey PRIMARY KEY (file_id, seq)
);

CREATE TABLE schedules (
    id         uuid        CONSTRAINT schedules_pkey PRIMARY KEY,
    scheme_id  uuid        NOT NULL CONSTRAINT schedules_scheme_exists REFERENCES schemes,
    cron       text        NOT NULL CONSTRAINT schedules_cron_length CHECK (length(cron) BETWEEN 1 AND 200),
    zone       text        NOT NULL CONSTRAINT schedules_zone_length CHECK (length(zone) BETWEEN 1 AND 100),
    -- What to do about slots that nobody was awake for: one run for all, none, or one each.
    misfire    text        NOT NULL CONSTRAINT schedules_misfire_known CHECK (misfire IN ('run_once', 'skip', 'run_all')),
    enabled    boolean     NOT NULL,
    next_at    timestamptz NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX schedules_due ON schedules (next_at) WHERE enabled;
CREATE INDEX schedules_by_scheme ON schedules (scheme_id);

ALTER TABLE run_positions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE transfers     ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE files         ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE file_pieces   ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE runs          ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

-- A vendor sees its own part of a run, and the run itself only if it took part.
CREATE POLICY run_positions_own ON run_positions FOR SELECT TO scriphouse_app USING (vendor_id = current_vendor_id());
CREATE POLICY runs_own          ON runs FOR SELECT TO scriphouse_app
    USING (EXISTS (SELECT FROM run_positions p WHERE p.run_id = runs.id AND p.vendor_id = current_vendor_id()));
CREATE POLICY transfers_own     ON transfers FOR SELECT TO scriphouse_app USING (payer_id = current_vendor_id() OR payee_id = current_vendor_id());
CREATE POLICY files_own         ON files FOR SELECT TO scriphouse_app USING (vendor_id = current_vendor_id());
CREATE POLICY file_pieces_own   ON file_pieces FOR SELECT TO scriphouse_app USING (vendor_id = current_vendor_id());

GRANT SELECT ON runs, run_positions, transfers, files, file_pieces TO scriphouse_app;
GRANT SELECT, INSERT ON seals, runs, run_windows, run_positions, transfers, files, file_pieces, schedules TO scriphouse_house;
GRANT UPDATE (state) ON runs, transfers TO scriphouse_house;
GRANT UPDATE (enabled, next_at) ON schedules TO scriphouse_house;
