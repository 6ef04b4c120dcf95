-- Why: a batch of swaps should not read the same vendors and rates as the one before it. The engine remembers them, and reads one number
-- that grows with every change.

-- One row. Whoever changes a unit value, a rate, a switch, a suspension or a membership makes the version grow in the same tx.
CREATE TABLE terms_version (
    single  boolean NOT NULL DEFAULT true CONSTRAINT terms_version_pkey PRIMARY KEY CONSTRAINT terms_version_single CHECK (single),
    version bigint  NOT NULL CONSTRAINT terms_version_not_negative CHECK (version >= 0)
);
INSERT INTO terms_version (version) VALUES (0);
GRANT SELECT, UPDATE (version) ON terms_version TO scriphouse_app, scriphouse_house;

-- A look-up and a lock of the window's row for each batch. The batch holds the window's lock and has read it; `scriphouse verify` proves it.
ALTER TABLE window_leaves
    DROP CONSTRAINT window_leaves_window_exists;
