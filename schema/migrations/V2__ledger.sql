-- Why: accounts and their entries, swaps and trades, and the obligations that swaps leave between vendors.
-- Written by the posting engine alone. High-volume keys begin with user_id, so that the schema distributes by user without a rewrite.

CREATE TABLE windows (
    id               uuid        CONSTRAINT windows_pkey PRIMARY KEY,
    scheme_id        uuid        NOT NULL CONSTRAINT windows_scheme_exists REFERENCES schemes,
    -- Counts the scheme's windows from 1, without gaps.
    number           bigint      NOT NULL CONSTRAINT windows_number_positive CHECK (number >= 1),
    state            text        NOT NULL CONSTRAINT windows_state_known CHECK (state IN ('open', 'closed')),
    opened_at        timestamptz NOT NULL,
    closed_at        timestamptz,
    -- What closed it: a schedule's instant, or the key of a run that somebody asked for. One window per slot, however often it is claimed.
    slot             text        COLLATE "C",
    CONSTRAINT windows_number_unique UNIQUE (scheme_id, number),
    CONSTRAINT windows_slot_unique UNIQUE (scheme_id, slot),
    CONSTRAINT windows_closed_has_slot CHECK ((state = 'closed') = (slot IS NOT NULL) AND (state = 'closed') = (closed_at IS NOT NULL))
);
CREATE UNIQUE INDEX windows_one_open ON windows (scheme_id) WHERE state = 'open';

CREATE TABLE accounts (
    user_id     uuid        NOT NULL CONSTRAINT accounts_user_exists REFERENCES users,
    vendor_id   uuid        NOT NULL CONSTRAINT accounts_vendor_exists REFERENCES vendors,
    balance     bigint      NOT NULL CONSTRAINT accounts_balance_not_negative CHECK (balance >= 0),
    held        bigint      NOT NULL CONSTRAINT accounts_held_not_negative CHECK (held >= 0),
    entry_count bigint      NOT NULL CONSTRAINT accounts_entry_count_not_negative CHECK (entry_count >= 0),
    opened_at   timestamptz NOT NULL,
    CONSTRAINT accounts_pkey PRIMARY KEY (user_id, vendor_id)
) WITH (fillfactor = 70);
CREATE INDEX accounts_by_vendor ON accounts (vendor_id);

-- One line of an account. amount changes the balance, held_amount what is held; the contra is the other half of the journal line.
CREATE TABLE entries (
    user_id       uuid        NOT NULL,
    vendor_id     uuid        NOT NULL,
    seq           bigint      NOT NULL CONSTRAINT entries_seq_positive CHECK (seq >= 1),
    kind          text        NOT NULL CONSTRAINT entries_kind_known CHECK (kind IN (
                                  'issue', 'convert_out', 'convert_in', 'send_out', 'send_in',
                                  'trade_hold', 'trade_release', 'trade_out', 'trade_in')),
    contra        text        NOT NULL CONSTRAINT entries_contra_known CHECK (contra IN ('issuance', 'account', 'hold', 'house')),
    amount        bigint      NOT NULL,
    held_amount   bigint      NOT NULL,
    balance_after bigint      NOT NULL CONSTRAINT entries_balance_not_negative CHECK (balance_after >= 0),
    held_after    bigint      NOT NULL CONSTRAINT entries_held_not_negative CHECK (held_after >= 0),
    operation_id  uuid        NOT NULL,
    booked_at     timestamptz NOT NULL,
    CONSTRAINT entries_pkey PRIMARY KEY (user_id, vendor_id, seq),
    CONSTRAINT entries_account_exists FOREIGN KEY (user_id, vendor_id) REFERENCES accounts,
    CONSTRAINT entries_move_something CHECK (amount <> 0 OR held_amount <> 0)
);

-- How many tokens a vendor has issued and retired, summed per writer so that several server processes do not wait for one row.
CREATE TABLE issuances (
    vendor_id uuid     NOT NULL CONSTRAINT issuances_vendor_exists REFERENCES vendors,
    writer    smallint NOT NULL,
    -- They only grow, with every swap there and back, so they are not bounded to 64 bits: what is outstanding is what counts.
    issued    numeric  NOT NULL CONSTRAINT issuances_issued_not_negative CHECK (issued >= 0),
    retired   numeric  NOT NULL CONSTRAINT issuances_retired_not_negative CHECK (retired >= 0),
    CONSTRAINT issuances_pkey PRIMARY KEY (vendor_id, writer)
) WITH (fillfactor = 50);

CREATE TABLE swaps (
    user_id             uuid        NOT NULL CONSTRAINT swaps_payer_exists REFERENCES users,
    id                  uuid        NOT NULL,
    kind                text        NOT NULL CONSTRAINT swaps_kind_known CHECK (kind IN ('convert', 'send')),
    payee_id            uuid        NOT NULL CONSTRAINT swaps_payee_exists REFERENCES users,
    from_vendor_id      uuid        NOT NULL CONSTRAINT swaps_from_vendor_exists REFERENCES vendors,
    to_vendor_id        uuid        NOT NULL CONSTRAINT swaps_to_vendor_exists REFERENCES vendors,
    send_units          bigint      NOT NULL CONSTRAINT swaps_send_positive CHECK (send_units >= 1),
    receive_units       bigint      NOT NULL CONSTRAINT swaps_receive_positive CHECK (receive_units >= 1),
    from_unit_value     bigint      NOT NULL CONSTRAINT swaps_from_unit_value_positive CHECK (from_unit_value >= 1),
    to_unit_value       bigint      NOT NULL CONSTRAINT swaps_to_unit_value_positive CHECK (to_unit_value >= 1),
    -- The version of the configured pair rate; null where the unit values crossed.
    rate_id             uuid,
    value_micro         bigint      NOT NULL CONSTRAINT swaps_value_positive CHECK (value_micro >= 1),
    to_vendor_micro     bigint      NOT NULL CONSTRAINT swaps_to_vendor_positive CHECK (to_vendor_micro >= 1),
    house_fee_micro     bigint      NOT NULL CONSTRAINT swaps_house_fee_not_negative CHECK (house_fee_micro >= 0),
    source_margin_micro bigint      NOT NULL CONSTRAINT swaps_source_margin_not_negative CHECK (source_margin_micro >= 0),
    rounding_micro      bigint      NOT NULL CONSTRAINT swaps_rounding_not_negative CHECK (rounding_micro >= 0),
    window_id           uuid        NOT NULL CONSTRAINT swaps_window_exists REFERENCES windows,
    booked_at           timestamptz NOT NULL,
    CONSTRAINT swaps_pkey PRIMARY KEY (user_id, id),
    CONSTRAINT swaps_two_vendors CHECK (from_vendor_id <> to_vendor_id),
    CONSTRAINT swaps_kind_matches_payee CHECK ((kind = 'convert') = (user_id = payee_id)),
    CONSTRAINT swaps_value_of_tokens CHECK (value_micro::numeric = send_units::numeric * from_unit_value),
    CONSTRAINT swaps_figures_add_up CHECK (value_micro::numeric = to_vendor_micro::numeric + house_fee_micro + source_margin_micro + rounding_micro)
);
-- The payee's side of what was sent; in a conversion the payee is the payer, whom the key finds.
CREATE INDEX swaps_received ON swaps (payee_id, id) WHERE kind = 'send';

-- The proposer's tokens are held from proposal until the other user accepts or declines, the proposer cancels, or the time is up.
CREATE TABLE trades (
    user_id        uuid        NOT NULL CONSTRAINT trades_proposer_exists REFERENCES users,
    id             uuid        NOT NULL,
    acceptor_id    uuid        NOT NULL CONSTRAINT trades_acceptor_exists REFERENCES users,
    give_vendor_id uuid        NOT NULL CONSTRAINT trades_give_vendor_exists REFERENCES vendors,
    give_units     bigint      NOT NULL CONSTRAINT trades_give_positive CHECK (give_units >= 1),
    take_vendor_id uuid        NOT NULL CONSTRAINT trades_take_vendor_exists REFERENCES vendors,
    take_units     bigint      NOT NULL CONSTRAINT trades_take_positive CHECK (take_units >= 1),
    state          text        NOT NULL CONSTRAINT trades_state_known CHECK (state IN ('proposed', 'accepted', 'declined', 'cancelled', 'expired')),
    proposed_at    timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    ended_at       timestamptz,
    CONSTRAINT trades_pkey PRIMARY KEY (user_id, id),
    CONSTRAINT trades_two_users CHECK (user_id <> acceptor_id),
    CONSTRAINT trades_two_vendors CHECK (give_vendor_id <> take_vendor_id),
    CONSTRAINT trades_ended_has_instant CHECK ((state = 'proposed') = (ended_at IS NULL))
);
CREATE INDEX trades_by_acceptor ON trades (acceptor_id, id);
CREATE INDEX trades_proposed ON trades (expires_at) WHERE state = 'proposed';

-- One vendor owes another. user_id is the swap's payer, the nil uuid where there is none. Append-only.
CREATE TABLE obligations (
    user_id      uuid        NOT NULL,
    id           uuid        NOT NULL,
    window_id    uuid        NOT NULL CONSTRAINT obligations_window_exists REFERENCES windows,
    debtor_id    uuid        NOT NULL CONSTRAINT obligations_debtor_exists REFERENCES vendors,
    creditor_id  uuid        NOT NULL CONSTRAINT obligations_creditor_exists REFERENCES vendors,
    amount_micro bigint      NOT NULL CONSTRAINT obligations_amount_positive CHECK (amount_micro >= 1),
    source       text        NOT NULL CONSTRAINT obligations_source_known CHECK (source IN ('swap', 'fee', 'reversal', 'carry', 'import')),
    -- What it came from: the swap, the import, or the run that carried it over.
    operation_id uuid        NOT NULL,
    booked_at    timestamptz NOT NULL,
    CONSTRAINT obligations_pkey PRIMARY KEY (user_id, id),
    CONSTRAINT obligations_two_vendors CHECK (debtor_id <> creditor_id)
);
CREATE INDEX obligations_by_window ON obligations (window_id);

-- Running sums of a window's obligations, written in the same tx as they are; proven equal to them when the window closes.
CREATE TABLE positions (
    window_id        uuid     NOT NULL CONSTRAINT positions_window_exists REFERENCES windows,
    writer           smallint NOT NULL,
    debtor_id        uuid     NOT NULL CONSTRAINT positions_debtor_exists REFERENCES vendors,
    creditor_id      uuid     NOT NULL CONSTRAINT positions_creditor_exists REFERENCES vendors,
    amount_micro     bigint   NOT NULL CONSTRAINT positions_amount_positive CHECK (amount_micro >= 1),
    obligation_count bigint   NOT NULL CONSTRAINT positions_count_positive CHECK (obligation_count >= 1),
    CONSTRAINT positions_pkey PRIMARY KEY (window_id, writer, debtor_id, creditor_id),
    CONSTRAINT positions_two_vendors CHECK (debtor_id <> creditor_id)
) WITH (fillfactor = 50);

-- The sum of a window's obligations per writer. Bounded, so that whatever a run sums up fits in 64 bits.
CREATE TABLE window_totals (
    window_id   uuid     NOT NULL CONSTRAINT window_totals_window_exists REFERENCES windows,
    writer      smallint NOT NULL,
    gross_micro bigint   NOT NULL CONSTRAINT window_totals_gross_not_negative CHECK (gross_micro >= 0)
                                  CONSTRAINT window_totals_gross_within_bounds CHECK (gross_micro <= 250000000000000000),
    CONSTRAINT window_totals_pkey PRIMARY KEY (window_id, writer)
) WITH (fillfactor = 50);

-- Written in the same tx as the effect, so that a key either has its effect and its answer, or neither.
CREATE TABLE idempotency (
    actor_id     uuid        NOT NULL,
    key          text        COLLATE "C" NOT NULL CONSTRAINT idempotency_key_length CHECK (length(key) BETWEEN 1 AND 255),
    request_hash bytea       NOT NULL CONSTRAINT idempotency_hash_length CHECK (octet_length(request_hash) = 32),
    answer       text        NOT NULL,
    created_at   timestamptz NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (actor_id, key)
);

ALTER TABLE accounts    ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE entries     ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE issuances   ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE swaps       ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE trades      ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE obligations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE positions   ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE idempotency ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

-- A user sees what is theirs; a vendor sees the accounts in its token and the obligations it is a party to.
CREATE POLICY accounts_own    ON accounts FOR SELECT TO scriphouse_app USING (user_id = current_user_id() OR vendor_id = current_vendor_id());
CREATE POLICY entries_own     ON entries FOR SELECT TO scriphouse_app USING (user_id = current_user_id() OR vendor_id = current_vendor_id());
CREATE POLICY issuances_own   ON issuances FOR SELECT TO scriphouse_app USING (vendor_id = current_vendor_id());
CREATE POLICY swaps_own       ON swaps FOR SELECT TO scriphouse_app USING (user_id = current_user_id() OR payee_id = current_user_id());
CREATE POLICY trades_own      ON trades FOR SELECT TO scriphouse_app USING (user_id = current_user_id() OR acceptor_id = current_user_id());
CREATE POLICY obligations_own ON obligations FOR SELECT TO scriphouse_app USING (debtor_id = current_vendor_id() OR creditor_id = current_vendor_id());
CREATE POLICY positions_own   ON positions FOR SELECT TO scriphouse_app USING (debtor_id = current_vendor_id() OR creditor_id = current_vendor_id());
CREATE POLICY idempotency_own ON idempotency FOR SELECT TO scriphouse_app USING (actor_id = current_user_id() OR actor_id = current_vendor_id());

GRANT SELECT ON windows, accounts, entries, issuances, swaps, trades, obligations, positions, idempotency TO scriphouse_app, scriphouse_house;
GRANT SELECT, INSERT, UPDATE (gross_micro) ON window_totals TO scriphouse_house;
GRANT INSERT ON windows, accounts, entries, issuances, swaps, trades, obligations, positions, idempotency TO scriphouse_house;
GRANT UPDATE (balance, held, entry_count) ON accounts TO scriphouse_house;
GRANT UPDATE (issued, retired) ON issuances TO scriphouse_house;
GRANT UPDATE (state, ended_at) ON trades TO scriphouse_house;
GRANT UPDATE (amount_micro, obligation_count) ON positions TO scriphouse_house;
GRANT UPDATE (state, closed_at, slot) ON windows TO scriphouse_house;
-- Nobody may change or delete an entry, a swap or an obligation: there is no such grant.
