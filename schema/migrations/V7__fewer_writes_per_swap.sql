-- Why: a swap changes its pair's position anyway; that it also added to the issuances of both vendors made a fifth of what it costs to write
-- it. The position now counts the tokens too, and adds them to the issuances once, when its window closes.

-- No server may be at work: one of an earlier release would go on adding to the issuances. This waits for whatever is being posted, and
-- holds up whatever comes.
LOCK TABLE windows, issuances, swaps, positions IN ACCESS EXCLUSIVE MODE;

-- The tokens of the pair's swaps: retired by the debtor, issued by the creditor. None where there is no swap: carried, imported. They are
-- not bounded to 64 bits, because a unit may buy any number of others that are worth less than one can count.
ALTER TABLE positions
    ADD COLUMN send_units    numeric NOT NULL DEFAULT 0 CONSTRAINT positions_send_not_negative CHECK (send_units >= 0),
    ADD COLUMN receive_units numeric NOT NULL DEFAULT 0 CONSTRAINT positions_receive_not_negative CHECK (receive_units >= 0);
GRANT UPDATE (send_units, receive_units) ON positions TO scriphouse_house;
-- What a vendor has retired and issued: the positions in which it is the debtor, and the creditor.
CREATE INDEX positions_by_debtor ON positions (debtor_id, window_id);
CREATE INDEX positions_by_creditor ON positions (creditor_id, window_id);

-- What each vendor has issued and retired: to users and by the swaps of closed windows, and by those of open ones.
CREATE VIEW token_totals WITH (security_invoker = true) AS
SELECT vendor_id, sum(issued) AS issued, sum(retired) AS retired
FROM (SELECT vendor_id, issued, retired FROM issuances
      UNION ALL
      SELECT p.debtor_id, 0, p.send_units FROM positions p JOIN windows w ON w.id = p.window_id WHERE w.state = 'open'
      UNION ALL
      SELECT p.creditor_id, p.receive_units, 0 FROM positions p JOIN windows w ON w.id = p.window_id WHERE w.state = 'open') t
GROUP BY vendor_id;
GRANT SELECT ON token_totals TO scriphouse_app, scriphouse_house;

-- What was swapped before. Forced row security holds for the owner too, and would hide every row from what follows.
ALTER TABLE swaps NO FORCE ROW LEVEL SECURITY;
ALTER TABLE positions NO FORCE ROW LEVEL SECURITY;
ALTER TABLE issuances NO FORCE ROW LEVEL SECURITY;
WITH pairs AS (
    SELECT window_id, from_vendor_id, to_vendor_id, sum(send_units) AS sent, sum(receive_units) AS received
    FROM swaps
    GROUP BY window_id, from_vendor_id, to_vendor_id
)
UPDATE positions p
SET send_units = s.sent, receive_units = s.received
FROM pairs s
WHERE p.window_id = s.window_id AND p.debtor_id = s.from_vendor_id AND p.creditor_id = s.to_vendor_id
      AND p.writer = (SELECT max(writer) FROM positions WHERE window_id = s.window_id AND debtor_id = s.from_vendor_id AND creditor_id = s.to_vendor_id);
WITH before AS (
    DELETE FROM issuances RETURNING vendor_id, issued, retired
)
INSERT INTO issuances (vendor_id, writer, issued, retired)
SELECT vendor_id, -4, sum(issued), sum(retired)
FROM (SELECT vendor_id, issued, retired FROM before
      UNION ALL
      SELECT p.debtor_id, 0, -p.send_units FROM positions p JOIN windows w ON w.id = p.window_id WHERE w.state = 'open'
      UNION ALL
      SELECT p.creditor_id, -p.receive_units, 0 FROM positions p JOIN windows w ON w.id = p.window_id WHERE w.state = 'open') t
GROUP BY vendor_id;
-- A server of an earlier release, which knows nothing of these columns, posts nothing here.
ALTER TABLE positions ALTER COLUMN send_units DROP DEFAULT, ALTER COLUMN receive_units DROP DEFAULT;
ALTER TABLE swaps FORCE ROW LEVEL SECURITY;
ALTER TABLE positions FORCE ROW LEVEL SECURITY;
ALTER TABLE issuances FORCE ROW LEVEL SECURITY;

-- An obligation is only ever looked for within its window, and a window is read in the order of the ids: one index does both.
ALTER TABLE obligations
    DROP CONSTRAINT obligations_pkey,
    ADD CONSTRAINT obligations_pkey PRIMARY KEY (window_id, id, user_id);
DROP INDEX obligations_by_window;
