-- The four roles of a Scriphouse database. They belong to the cluster, so this runs before the migrations and may run any number of times.
-- Making them takes a superuser once, because the house role passes row security (COPY into a table with row security needs that).
DO $$
BEGIN
    -- Owns every table and runs migrations; nobody logs in as it while the server works.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scriphouse_owner') THEN
        CREATE ROLE scriphouse_owner NOLOGIN;
    END IF;
    -- Reads and writes for one vendor or one user; row security decides which rows it sees.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scriphouse_app') THEN
        CREATE ROLE scriphouse_app NOLOGIN;
    END IF;
    -- The posting engine, the netting runs and the operator: sees all vendors, may never change an entry.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scriphouse_house') THEN
        CREATE ROLE scriphouse_house NOLOGIN BYPASSRLS;
    END IF;
    -- What the server logs in as. It has no rights of its own: each database tx says whose it takes.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scriphouse_server') THEN
        CREATE ROLE scriphouse_server LOGIN NOINHERIT;
    END IF;
    GRANT scriphouse_app, scriphouse_house TO scriphouse_server;
EXCEPTION
    -- Two migrations may start on one cluster at once; the other one has made the roles.
    WHEN unique_violation OR duplicate_object THEN NULL;
END
$$;
