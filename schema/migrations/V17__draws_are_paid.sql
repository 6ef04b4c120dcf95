-- Why: what a default pays out of collateral, a person pays. It needs a name that the bank carries, and somebody has to say that it is done.
-- Of draws from before nobody knows whether they are paid: all of them count as still to be paid, until somebody says otherwise.

ALTER TABLE default_draws
    ADD COLUMN number         bigint,
    ADD COLUMN paid_at        timestamptz,
    ADD COLUMN paid_by        text CONSTRAINT default_draws_paid_by_form CHECK (paid_by ~ '^operator:[0-9a-f-]{36}$'),
    ADD COLUMN bank_reference text CONSTRAINT default_draws_bank_reference_length CHECK (length(bank_reference) BETWEEN 1 AND 35),
    ADD COLUMN booked_on      date,
    ADD CONSTRAINT default_draws_paid_by_somebody CHECK ((paid_at IS NULL) = (paid_by IS NULL)),
    ADD CONSTRAINT default_draws_booked_when_paid CHECK (paid_at IS NOT NULL OR (bank_reference IS NULL AND booked_on IS NULL));
-- Forced row security holds for the owner too, and would hide every row from what follows.
ALTER TABLE default_draws NO FORCE ROW LEVEL SECURITY;
ALTER TABLE vendors       NO FORCE ROW LEVEL SECURITY;
UPDATE default_draws d
SET number = n.number
FROM (SELECT w.default_id, w.payee_id, row_number() OVER (PARTITION BY w.default_id ORDER BY v.code) AS number
      FROM default_draws w JOIN vendors v ON v.id = w.payee_id) n
WHERE (d.default_id, d.payee_id) = (n.default_id, n.payee_id);
ALTER TABLE default_draws FORCE ROW LEVEL SECURITY;
ALTER TABLE vendors       FORCE ROW LEVEL SECURITY;
ALTER TABLE default_draws
    ALTER COLUMN number SET NOT NULL,
    ADD CONSTRAINT default_draws_number_positive CHECK (number >= 1),
    ADD CONSTRAINT default_draws_number_unique UNIQUE (default_id, number);
GRANT UPDATE (paid_at, paid_by, bank_reference, booked_on) ON default_draws TO scriphouse_house;
-- Not who said that it is paid.
REVOKE SELECT ON default_draws FROM scriphouse_app;
GRANT SELECT (default_id, number, payee_id, amount_micro, paid_at, bank_reference, booked_on) ON default_draws TO scriphouse_app;

-- A default takes from collateral; whoever sets it says which they have read.
ALTER TABLE scheme_members
    ADD COLUMN collateral_version bigint NOT NULL DEFAULT 1
        CONSTRAINT scheme_members_collateral_version_positive CHECK (collateral_version >= 1);
GRANT UPDATE (collateral_version) ON scheme_members TO scriphouse_house;
