-- One swap per tx, as a program without a posting engine writes it: read the terms, lock the two accounts, move, record, commit.
-- The same tables and constraints, the same rows. Running sums are spread over sixteen writers, as the engine's are, so that no single
-- row holds up everybody; accounts are locked in key order, so that nothing is lost to deadlocks.
\set user random(0, :users - 1)
\set i random(0, 9)
\set j (:i + random(1, 9)) % 10
\set from (:user + :i * :i) % 200
\set to (:user + :j * :j) % 200
\set writer :client_id % 16
BEGIN;
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex((:user)::int), 12, '0'))::uuid AS user_id,
       f.id AS from_id, t.id AS to_id, fv.value_micro AS from_value, tv.value_micro AS to_value,
       400 * fv.value_micro AS value, 400 * fv.value_micro / tv.value_micro AS receive,
       w.id AS window_id, gen_random_uuid() AS swap_id, gen_random_uuid() AS obligation_id
FROM vendors f
JOIN scheme_members m ON m.vendor_id = f.id
JOIN windows w ON w.scheme_id = m.scheme_id AND w.state = 'open'
CROSS JOIN vendors t
CROSS JOIN LATERAL (SELECT value_micro FROM unit_values WHERE vendor_id = f.id AND starts_at <= clock_timestamp() ORDER BY starts_at DESC LIMIT 1) fv
CROSS JOIN LATERAL (SELECT value_micro FROM unit_values WHERE vendor_id = t.id AND starts_at <= clock_timestamp() ORDER BY starts_at DESC LIMIT 1) tv
WHERE f.code = 'V' || lpad((:from)::text, 3, '0') AND t.code = 'V' || lpad((:to)::text, 3, '0')
\gset
SELECT vendor_id FROM accounts WHERE user_id = :user_id AND vendor_id IN (:from_id, :to_id) ORDER BY vendor_id FOR UPDATE;
UPDATE accounts SET balance = balance - 400, entry_count = entry_count + 1
WHERE user_id = :user_id AND vendor_id = :from_id
RETURNING balance AS from_balance, held AS from_held, entry_count AS from_seq
\gset
UPDATE accounts SET balance = balance + (:receive)::bigint, entry_count = entry_count + 1
WHERE user_id = :user_id AND vendor_id = :to_id
RETURNING balance AS to_balance, held AS to_held, entry_count AS to_seq
\gset
INSERT INTO entries (user_id, vendor_id, seq, kind, contra, amount, held_amount, balance_after, held_after, operation_id, booked_at)
VALUES (:user_id, :from_id, :from_seq, 'convert_out', 'issuance', -400, 0, :from_balance, :from_held, :swap_id, clock_timestamp()),
       (:user_id, :to_id, :to_seq, 'convert_in', 'issuance', :receive, 0, :to_balance, :to_held, :swap_id, clock_timestamp());
INSERT INTO swaps (user_id, id, kind, payee_id, from_vendor_id, to_vendor_id, send_units, receive_units, from_unit_value, to_unit_value,
                   value_micro, to_vendor_micro, house_fee_micro, source_margin_micro, rounding_micro, window_id, booked_at)
VALUES (:user_id, :swap_id, 'convert', :user_id, :from_id, :to_id, 400, :receive, :from_value, :to_value,
        :value, :value, 0, 0, 0, :window_id, clock_timestamp());
INSERT INTO obligations (user_id, id, window_id, debtor_id, creditor_id, amount_micro, source, operation_id, booked_at, writer)
VALUES (:user_id, :obligation_id, :window_id, :from_id, :to_id, :value, 'swap', :swap_id, clock_timestamp(), :writer);
INSERT INTO positions (window_id, writer, debtor_id, creditor_id, amount_micro, obligation_count, send_units, receive_units)
VALUES (:window_id, :writer, :from_id, :to_id, :value, 1, 400, :receive)
ON CONFLICT (window_id, writer, debtor_id, creditor_id) DO UPDATE
SET amount_micro = positions.amount_micro + excluded.amount_micro, obligation_count = positions.obligation_count + 1,
    send_units = positions.send_units + excluded.send_units, receive_units = positions.receive_units + excluded.receive_units;
INSERT INTO window_totals (window_id, writer, gross_micro)
VALUES (:window_id, :writer, :value)
ON CONFLICT (window_id, writer) DO UPDATE SET gross_micro = window_totals.gross_micro + excluded.gross_micro;
INSERT INTO idempotency (actor_id, key, request_hash, swap_user_id, swap_id, created_at)
VALUES (:user_id, :swap_id, sha256('one swap'), :user_id, :swap_id, clock_timestamp());
COMMIT;
