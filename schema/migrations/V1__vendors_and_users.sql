-- Why: the parties of the house and how they prove who they are.
-- A vendor issues one token; a user holds tokens and belongs to no vendor; a scheme settles what its member vendors owe each other.

-- Whose rows the app role may see in this tx; the server says so with SET LOCAL, from the credential.
CREATE FUNCTION current_vendor_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('scriphouse.vendor_id', true), '')::uuid $$;

CREATE FUNCTION current_user_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('scriphouse.user_id', true), '')::uuid $$;

CREATE TABLE vendors (
    id              uuid        CONSTRAINT vendors_pkey PRIMARY KEY,
    code            text        COLLATE "C" NOT NULL CONSTRAINT vendors_code_unique UNIQUE
                                CONSTRAINT vendors_code_form CHECK (code ~ '^[A-Z0-9][A-Z0-9_-]{1,31}$' AND code <> 'HOUSE'),
    name            text        NOT NULL CONSTRAINT vendors_name_length CHECK (length(name) BETWEEN 1 AND 200),
    scale           smallint    NOT NULL CONSTRAINT vendors_scale_range CHECK (scale BETWEEN 0 AND 6),
    status          text        NOT NULL DEFAULT 'active' CONSTRAINT vendors_status_known CHECK (status IN ('active', 'suspended')),
    can_issue       boolean     NOT NULL DEFAULT true,
    can_spend       boolean     NOT NULL DEFAULT true,
    can_convert_out boolean     NOT NULL DEFAULT true,
    can_convert_in  boolean     NOT NULL DEFAULT true,
    version         bigint      NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL
);

-- Where a vendor is paid. Apart from vendors, because every user may read those and nobody else's bank details.
CREATE TABLE payouts (
    vendor_id      uuid CONSTRAINT payouts_pkey PRIMARY KEY CONSTRAINT payouts_vendor_exists REFERENCES vendors,
    account_holder text NOT NULL CONSTRAINT payouts_holder_length CHECK (length(account_holder) BETWEEN 1 AND 140),
    iban           text NOT NULL CONSTRAINT payouts_iban_form CHECK (iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'),
    bic            text CONSTRAINT payouts_bic_form CHECK (bic ~ '^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$')
);

CREATE TABLE schemes (
    id         uuid        CONSTRAINT schemes_pkey PRIMARY KEY,
    code       text        COLLATE "C" NOT NULL CONSTRAINT schemes_code_unique UNIQUE
                           CONSTRAINT schemes_code_form CHECK (code ~ '^[A-Z0-9][A-Z0-9_-]{1,31}$'),
    currency   text        NOT NULL CONSTRAINT schemes_currency_form CHECK (currency ~ '^[A-Z]{3}$'),
    -- Decimal digits that the currency's payments have; what is finer is carried into the next window.
    digits     smallint    NOT NULL CONSTRAINT schemes_digits_range CHECK (digits BETWEEN 0 AND 6),
    strategy   text        NOT NULL CONSTRAINT schemes_strategy_known CHECK (strategy IN ('gross', 'bilateral', 'direct', 'hub')),
    created_at timestamptz NOT NULL
);

-- A vendor settles in one scheme, because its unit value is one number in one currency.
CREATE TABLE scheme_members (
    vendor_id uuid        CONSTRAINT scheme_members_pkey PRIMARY KEY CONSTRAINT scheme_members_vendor_exists REFERENCES vendors,
    scheme_id uuid        NOT NULL CONSTRAINT scheme_members_scheme_exists REFERENCES schemes,
    joined_at timestamptz NOT NULL
);
CREATE INDEX scheme_members_by_scheme ON scheme_members (scheme_id);

-- The value of a token's smallest unit in micro-units of the scheme's currency. Never edited: the newest started row is in force.
CREATE TABLE unit_values (
    vendor_id   uuid        NOT NULL CONSTRAINT unit_values_vendor_exists REFERENCES vendors,
    starts_at   timestamptz NOT NULL,
    value_micro bigint      NOT NULL CONSTRAINT unit_values_at_least_one CHECK (value_micro >= 1),
    created_at  timestamptz NOT NULL,
    CONSTRAINT unit_values_pkey PRIMARY KEY (vendor_id, starts_at)
);

-- What the destination vendor gives for another vendor's tokens, from an instant on. Never edited: the newest started row is in force.
CREATE TABLE rates (
    from_vendor_id uuid        NOT NULL CONSTRAINT rates_from_vendor_exists REFERENCES vendors,
    to_vendor_id   uuid        NOT NULL CONSTRAINT rates_to_vendor_exists REFERENCES vendors,
    starts_at      timestamptz NOT NULL,
    id             uuid        NOT NULL,
    kind           text        NOT NULL CONSTRAINT rates_kind_known CHECK (kind IN ('cross', 'fixed', 'closed')),
    -- A fixed rate in smallest units: send_units of the first token buy receive_units of the second.
    send_units     bigint,
    receive_units  bigint,
    margin_bps     integer     NOT NULL DEFAULT 0 CONSTRAINT rates_margin_range CHECK (margin_bps BETWEEN 0 AND 9999),
    created_at     timestamptz NOT NULL,
    CONSTRAINT rates_pkey PRIMARY KEY (from_vendor_id, to_vendor_id, starts_at),
    CONSTRAINT rates_two_vendors CHECK (from_vendor_id <> to_vendor_id),
    CONSTRAINT rates_fixed_has_ratio CHECK (
        CASE kind WHEN 'fixed' THEN send_units >= 1 AND receive_units >= 1 AND send_units IS NOT NULL AND receive_units IS NOT NULL
                  ELSE send_units IS NULL AND receive_units IS NULL END)
);
CREATE INDEX rates_by_to_vendor ON rates (to_vendor_id);

CREATE TABLE users (
    id            uuid        CONSTRAINT users_pkey PRIMARY KEY,
    handle        text        COLLATE "C" NOT NULL CONSTRAINT users_handle_unique UNIQUE
                              CONSTRAINT users_handle_form CHECK (handle ~ '^[a-z0-9][a-z0-9._@+-]{2,127}$'),
    password_hash text        NOT NULL,
    created_at    timestamptz NOT NULL
);

-- Keys of operators (no vendor) and vendors. Only the hash of the secret is kept.
CREATE TABLE api_keys (
    id          uuid        CONSTRAINT api_keys_pkey PRIMARY KEY,
    vendor_id   uuid        CONSTRAINT api_keys_vendor_exists REFERENCES vendors,
    name        text        NOT NULL CONSTRAINT api_keys_name_length CHECK (length(name) BETWEEN 1 AND 100),
    secret_hash bytea       NOT NULL CONSTRAINT api_keys_hash_length CHECK (octet_length(secret_hash) = 32),
    scopes      text[]      NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz,
    revoked_at  timestamptz
);
CREATE INDEX api_keys_by_vendor ON api_keys (vendor_id);

CREATE TABLE sessions (
    id          uuid        CONSTRAINT sessions_pkey PRIMARY KEY,
    user_id     uuid        NOT NULL CONSTRAINT sessions_user_exists REFERENCES users,
    secret_hash bytea       NOT NULL CONSTRAINT sessions_hash_length CHECK (octet_length(secret_hash) = 32),
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    revoked_at  timestamptz
);

-- Row security: forced, so that not even the owner reads past it by accident. The house role passes it by attribute.
ALTER TABLE vendors        ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE payouts        ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE scheme_members ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE unit_values    ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE rates          ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE users          ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE api_keys       ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE sessions       ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

-- Who issues what, at which value and rate, is public among the parties; each changes only its own.
CREATE POLICY vendors_read   ON vendors FOR SELECT TO scriphouse_app USING (true);
CREATE POLICY vendors_update ON vendors FOR UPDATE TO scriphouse_app USING (id = current_vendor_id());
CREATE POLICY payouts_own    ON payouts TO scriphouse_app USING (vendor_id = current_vendor_id());
CREATE POLICY scheme_members_read ON scheme_members FOR SELECT TO scriphouse_app USING (true);
CREATE POLICY unit_values_read    ON unit_values FOR SELECT TO scriphouse_app USING (true);
CREATE POLICY unit_values_insert  ON unit_values FOR INSERT TO scriphouse_app WITH CHECK (vendor_id = current_vendor_id());
CREATE POLICY rates_read     ON rates FOR SELECT TO scriphouse_app USING (true);
CREATE POLICY rates_insert   ON rates FOR INSERT TO scriphouse_app WITH CHECK (to_vendor_id = current_vendor_id());
CREATE POLICY users_own      ON users FOR SELECT TO scriphouse_app USING (id = current_user_id());
CREATE POLICY api_keys_own   ON api_keys TO scriphouse_app USING (vendor_id = current_vendor_id());
CREATE POLICY sessions_own   ON sessions TO scriphouse_app USING (user_id = current_user_id());

GRANT SELECT ON vendors, payouts, schemes, scheme_members, unit_values, rates, users, api_keys, sessions TO scriphouse_app, scriphouse_house;
GRANT UPDATE (name, can_issue, can_spend, can_convert_out, can_convert_in, version) ON vendors TO scriphouse_app, scriphouse_house;
GRANT UPDATE (status) ON vendors TO scriphouse_house;
GRANT INSERT, UPDATE ON payouts TO scriphouse_app, scriphouse_house;
GRANT INSERT ON unit_values, rates, api_keys TO scriphouse_app, scriphouse_house;
GRANT UPDATE (revoked_at) ON api_keys, sessions TO scriphouse_app, scriphouse_house;
GRANT INSERT ON vendors, schemes, scheme_members, users, sessions TO scriphouse_house;
