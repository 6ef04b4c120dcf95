-- Why: with the strategy `hub` every transfer is with the house, so without an account of its own no bank file could say any of them.

CREATE TABLE house_account (
    single         boolean     NOT NULL DEFAULT true CONSTRAINT house_account_pkey PRIMARY KEY CONSTRAINT house_account_single CHECK (single),
    -- All of it null: the house has not said.
    account_holder text        CONSTRAINT house_account_holder_length CHECK (length(account_holder) BETWEEN 1 AND 140),
    iban           text        CONSTRAINT house_account_iban_form CHECK (iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'),
    bic            text        CONSTRAINT house_account_bic_form CHECK (bic ~ '^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$'),
    version        bigint      NOT NULL CONSTRAINT house_account_version_positive CHECK (version >= 1),
    CONSTRAINT house_account_whole CHECK ((account_holder IS NULL) = (iban IS NULL) AND (bic IS NULL OR iban IS NOT NULL))
);
INSERT INTO house_account (version) VALUES (1);
GRANT SELECT, UPDATE (account_holder, iban, bic, version) ON house_account TO scriphouse_house;
