-- Why: a window's seal is made from leaves that each batch left while it wrote its obligations, so that closing a window of millions
-- of obligations hashes some thousands of rows. What was written before this migration gets its leaves here.

-- A batch is what one tx wrote into one window: found again by (window_id, booked_at, writer). The root is that of the RFC 6962 hash
-- tree over the batch's obligations in order of their ids. Append-only.
CREATE TABLE window_leaves (
    window_id        uuid        NOT NULL CONSTRAINT window_leaves_window_exists REFERENCES windows,
    booked_at        timestamptz NOT NULL,
    writer           smallint    NOT NULL,
    obligation_count bigint      NOT NULL CONSTRAINT window_leaves_count_positive CHECK (obligation_count >= 1),
    gross_micro      bigint      NOT NULL CONSTRAINT window_leaves_gross_positive CHECK (gross_micro >= 1),
    root             bytea       NOT NULL CONSTRAINT window_leaves_root_length CHECK (octet_length(root) = 32),
    -- Two batches with one key would be taken for one: the later of them is tried again, at a later instant.
    CONSTRAINT window_leaves_pkey PRIMARY KEY (window_id, booked_at, writer)
);
GRANT SELECT, INSERT ON window_leaves TO scriphouse_house;

-- Who wrote it: a posting engine (0 and above), an import (-1), a run that carries (-2), or whoever it was before this migration (-3).
ALTER TABLE obligations ADD COLUMN writer smallint NOT NULL DEFAULT -3;
ALTER TABLE obligations ALTER COLUMN writer DROP DEFAULT;

-- What the root is made from: 1, the window's obligations in order of their ids; 2, its leaves in order of their keys.
ALTER TABLE seals ADD COLUMN version smallint NOT NULL DEFAULT 1 CONSTRAINT seals_version_known CHECK (version IN (1, 2));
ALTER TABLE seals ALTER COLUMN version DROP DEFAULT;

-- Forced row security holds for the owner too, and would hide every row from what follows.
ALTER TABLE obligations NO FORCE ROW LEVEL SECURITY;
DO $$
DECLARE
    leaf record;
    hashes bytea[];
BEGIN
    FOR leaf IN
        SELECT o.window_id, o.booked_at, o.writer, count(*) AS obligation_count, sum(o.amount_micro)::bigint AS gross_micro,
               array_agg(sha256('\x00'::bytea || uuid_send(o.id) || uuid_send(o.user_id) || uuid_send(o.debtor_id) || uuid_send(o.creditor_id)
                                || int8send(o.amount_micro)
                                || CASE o.source WHEN 'swap' THEN '\x01'::bytea WHEN 'fee' THEN '\x02' WHEN 'reversal' THEN '\x03'
                                                 WHEN 'carry' THEN '\x04' WHEN 'import' THEN '\x05' END
                                || uuid_send(o.operation_id) || int8send((extract(epoch FROM o.booked_at) * 1000000)::bigint))
                         ORDER BY o.id, o.user_id) AS hashes
        FROM obligations o
        GROUP BY o.window_id, o.booked_at, o.writer
    LOOP
        hashes := leaf.hashes;
        -- Level by level: two neighbours become a node, and one without a neighbour moves up.
        WHILE cardinality(hashes) > 1 LOOP
            hashes := ARRAY(SELECT CASE WHEN n.neighbour IS NULL THEN n.hash ELSE sha256('\x01'::bytea || n.hash || n.neighbour) END
                            FROM (SELECT place, hash, lead(hash) OVER (ORDER BY place) AS neighbour
                                  FROM unnest(hashes) WITH ORDINALITY AS u(hash, place)) n
                            WHERE n.place % 2 = 1
                            ORDER BY n.place);
        END LOOP;
        INSERT INTO window_leaves (window_id, booked_at, writer, obligation_count, gross_micro, root)
        VALUES (leaf.window_id, leaf.booked_at, leaf.writer, leaf.obligation_count, leaf.gross_micro, hashes[1]);
    END LOOP;
END $$;
ALTER TABLE obligations FORCE ROW LEVEL SECURITY;
