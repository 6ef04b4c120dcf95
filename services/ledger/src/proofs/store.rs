//! Each proof is one statement that answers with what breaks the rule, as text; no row means that it holds.

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[
    BALANCES_EQUAL_ENTRIES,
    ENTRIES_ARE_CHAINS,
    TOKENS_ARE_ISSUED_LESS_RETIRED,
    ISSUANCE_EQUALS_ENTRIES,
    CONTRA_HALVES_BALANCE,
    SWAPS_HAVE_THEIR_ENTRIES,
    OBLIGATIONS_EQUAL_SWAPS,
    POSITIONS_EQUAL_OBLIGATIONS,
    TOTALS_EQUAL_OBLIGATIONS,
    POSITIONS_EQUAL_SWAPS,
    EXPOSURES_EQUAL_POSITIONS,
    TRADES_HOLD_WHAT_THEY_GIVE,
    BOOKS_NAME_WHAT_IS_THERE,
    COUNT_ALL,
];

/// The rules and their statements.
pub(super) const PROOFS: &[(&str, &str)] = &[
    ("every balance and hold equals the sum of its entries", BALANCES_EQUAL_ENTRIES),
    ("the entries of an account are a chain without gaps", ENTRIES_ARE_CHAINS),
    ("the balances and holds of a token sum to what was issued less what was retired", TOKENS_ARE_ISSUED_LESS_RETIRED),
    ("issued and retired equal the entries against issuance", ISSUANCE_EQUALS_ENTRIES),
    ("entries between accounts and holds balance within their operation", CONTRA_HALVES_BALANCE),
    ("every swap has exactly its two entries", SWAPS_HAVE_THEIR_ENTRIES),
    ("every swap leaves one obligation of its value, and every such obligation has its swap", OBLIGATIONS_EQUAL_SWAPS),
    ("the positions of a window equal its obligations", POSITIONS_EQUAL_OBLIGATIONS),
    ("the total of a window equals its obligations", TOTALS_EQUAL_OBLIGATIONS),
    ("the tokens of a position equal its swaps", POSITIONS_EQUAL_SWAPS),
    ("what capped vendors owe and are owed equals their positions in the windows that are not settled", EXPOSURES_EQUAL_POSITIONS),
    ("what is held equals what proposed trades give", TRADES_HOLD_WHAT_THEY_GIVE),
    ("whatever the books name is there: accounts, users, vendors, windows", BOOKS_NAME_WHAT_IS_THERE),
];

pub(super) const COUNT_ALL: &str = "
    SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM entries), (SELECT count(*) FROM swaps),
           (SELECT count(*) FROM obligations), (SELECT count(*) FROM windows), (SELECT count(*) FROM runs)";

const BALANCES_EQUAL_ENTRIES: &str = "
    SELECT format('account of user %s with vendor %s: balance %s, held %s, %s entries; its entries say %s, %s, %s',
                  a.user_id, a.vendor_id, a.balance, a.held, a.entry_count, coalesce(e.balance, 0), coalesce(e.held, 0), coalesce(e.count, 0))
    FROM accounts a
    LEFT JOIN (SELECT user_id, vendor_id, sum(amount) AS balance, sum(held_amount) AS held, count(*) AS count
               FROM entries GROUP BY user_id, vendor_id) e USING (user_id, vendor_id)
    WHERE a.balance <> coalesce(e.balance, 0) OR a.held <> coalesce(e.held, 0) OR a.entry_count <> coalesce(e.count, 0)
    LIMIT $1";

const ENTRIES_ARE_CHAINS: &str = "
    SELECT format('entry %s of user %s with vendor %s does not follow the one before it', seq, user_id, vendor_id)
    FROM (SELECT user_id, vendor_id, seq, amount, held_amount, balance_after, held_after,
                 row_number() OVER chain AS expected_seq,
                 lag(balance_after, 1, 0::bigint) OVER chain AS balance_before,
                 lag(held_after, 1, 0::bigint) OVER chain AS held_before
          FROM entries WINDOW chain AS (PARTITION BY user_id, vendor_id ORDER BY seq)) e
    WHERE seq <> expected_seq OR balance_after <> balance_before + amount OR held_after <> held_before + held_amount
    LIMIT $1";

const TOKENS_ARE_ISSUED_LESS_RETIRED: &str = "
    SELECT format('vendor %s: accounts hold %s, issued less retired is %s', vendor_id, coalesce(a.total, 0), coalesce(i.total, 0))
    FROM (SELECT vendor_id, sum(balance::numeric + held) AS total FROM accounts GROUP BY vendor_id) a
    FULL JOIN (SELECT vendor_id, issued - retired AS total FROM token_totals) i USING (vendor_id)
    WHERE coalesce(a.total, 0) <> coalesce(i.total, 0)
    LIMIT $1";

const ISSUANCE_EQUALS_ENTRIES: &str = "
    SELECT format('vendor %s: issued %s and retired %s, its entries say %s and %s',
                  vendor_id, coalesce(i.issued, 0), coalesce(i.retired, 0), coalesce(e.issued, 0), coalesce(e.retired, 0))
    FROM token_totals i
    FULL JOIN (SELECT vendor_id, coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS issued,
                      coalesce(-sum(amount) FILTER (WHERE amount < 0), 0) AS retired
               FROM entries WHERE contra = 'issuance' GROUP BY vendor_id) e USING (vendor_id)
    WHERE coalesce(i.issued, 0) <> coalesce(e.issued, 0) OR coalesce(i.retired, 0) <> coalesce(e.retired, 0)
    LIMIT $1";

const CONTRA_HALVES_BALANCE: &str = "
    SELECT format('operation %s moves vendor %s tokens by %s without issuing or retiring them', operation_id, vendor_id, sum(amount::numeric + held_amount))
    FROM entries
    WHERE contra IN ('account', 'hold')
    GROUP BY operation_id, vendor_id
    HAVING sum(amount::numeric + held_amount) <> 0
    LIMIT $1";

const SWAPS_HAVE_THEIR_ENTRIES: &str = "
    WITH expected AS (
        SELECT id AS operation_id, user_id, from_vendor_id AS vendor_id, -send_units AS amount,
               CASE kind WHEN 'convert' THEN 'convert_out' ELSE 'send_out' END AS kind FROM swaps
        UNION ALL
        SELECT id, payee_id, to_vendor_id, receive_units, CASE kind WHEN 'convert' THEN 'convert_in' ELSE 'send_in' END FROM swaps
    ), booked AS (
        SELECT operation_id, user_id, vendor_id, amount, kind FROM entries
        WHERE kind IN ('convert_out', 'convert_in', 'send_out', 'send_in')
    )
    SELECT format('swap %s: %s of %s for user %s with vendor %s is %s', operation_id, kind, amount, user_id, vendor_id, fault)
    FROM ((SELECT *, 'missing' AS fault FROM (TABLE expected EXCEPT ALL TABLE booked) m)
          UNION ALL
          (SELECT *, 'not of any swap' FROM (TABLE booked EXCEPT ALL TABLE expected) s)) f
    LIMIT $1";

const OBLIGATIONS_EQUAL_SWAPS: &str = "
    WITH expected AS (
        SELECT user_id, id AS operation_id, window_id, from_vendor_id AS debtor_id, to_vendor_id AS creditor_id, to_vendor_micro AS amount_micro FROM swaps
    ), booked AS (
        SELECT user_id, operation_id, window_id, debtor_id, creditor_id, amount_micro FROM obligations WHERE source = 'swap'
    )
    SELECT format('swap %s: its obligation of %s micro-units in window %s is %s', operation_id, amount_micro, window_id, fault)
    FROM ((SELECT *, 'missing' AS fault FROM (TABLE expected EXCEPT ALL TABLE booked) m)
          UNION ALL
          (SELECT *, 'not of any swap' FROM (TABLE booked EXCEPT ALL TABLE expected) s)) f
    LIMIT $1";

const POSITIONS_EQUAL_OBLIGATIONS: &str = "
    SELECT format('window %s: vendor %s owes vendor %s %s in %s obligations, its position says %s in %s', window_id, debtor_id, creditor_id,
                  coalesce(o.amount, 0), coalesce(o.count, 0), coalesce(p.amount, 0), coalesce(p.count, 0))
    FROM (SELECT window_id, debtor_id, creditor_id, sum(amount_micro) AS amount, count(*) AS count
          FROM obligations GROUP BY window_id, debtor_id, creditor_id) o
    FULL JOIN (SELECT window_id, debtor_id, creditor_id, sum(amount_micro) AS amount, sum(obligation_count) AS count
               FROM positions GROUP BY window_id, debtor_id, creditor_id) p USING (window_id, debtor_id, creditor_id)
    WHERE o.amount IS DISTINCT FROM p.amount OR o.count IS DISTINCT FROM p.count
    LIMIT $1";

const TOTALS_EQUAL_OBLIGATIONS: &str = "
    SELECT format('window %s: its obligations sum to %s, its total says %s', window_id, coalesce(o.total, 0), coalesce(t.total, 0))
    FROM (SELECT window_id, sum(amount_micro) AS total FROM obligations GROUP BY window_id) o
    FULL JOIN (SELECT window_id, sum(gross_micro) AS total FROM window_totals GROUP BY window_id) t USING (window_id)
    WHERE coalesce(o.total, 0) <> coalesce(t.total, 0)
    LIMIT $1";

const POSITIONS_EQUAL_SWAPS: &str = "
    SELECT format('window %s: swaps retired %s of vendor %s and issued %s of vendor %s, their position says %s and %s', window_id,
                  coalesce(s.sent, 0), debtor_id, coalesce(s.received, 0), creditor_id, coalesce(p.sent, 0), coalesce(p.received, 0))
    FROM (SELECT window_id, from_vendor_id AS debtor_id, to_vendor_id AS creditor_id, sum(send_units) AS sent, sum(receive_units) AS received
          FROM swaps GROUP BY window_id, from_vendor_id, to_vendor_id) s
    FULL JOIN (SELECT window_id, debtor_id, creditor_id, sum(send_units) AS sent, sum(receive_units) AS received
               FROM positions GROUP BY window_id, debtor_id, creditor_id) p USING (window_id, debtor_id, creditor_id)
    WHERE coalesce(s.sent, 0) <> coalesce(p.sent, 0) OR coalesce(s.received, 0) <> coalesce(p.received, 0)
    LIMIT $1";

const EXPOSURES_EQUAL_POSITIONS: &str = "
    WITH sides AS (
        SELECT window_id, debtor_id AS vendor_id, amount_micro AS owes, 0::bigint AS owed FROM positions
        UNION ALL
        SELECT window_id, creditor_id, 0, amount_micro FROM positions
    )
    SELECT format('window %s: capped vendor %s owes %s and is owed %s, its exposure says %s and %s', window_id, vendor_id,
                  coalesce(p.owes, 0), coalesce(p.owed, 0), coalesce(e.owes, 0), coalesce(e.owed, 0))
    FROM (SELECT s.window_id, s.vendor_id, sum(s.owes) AS owes, sum(s.owed) AS owed
          FROM sides s
          JOIN debit_caps c ON c.vendor_id = s.vendor_id AND c.cap_micro IS NOT NULL
          JOIN windows w ON w.id = s.window_id AND w.settled_at IS NULL
          GROUP BY s.window_id, s.vendor_id) p
    FULL JOIN (SELECT window_id, vendor_id, sum(owes_micro) AS owes, sum(owed_micro) AS owed
               FROM exposures GROUP BY window_id, vendor_id) e USING (window_id, vendor_id)
    WHERE p.owes IS DISTINCT FROM e.owes OR p.owed IS DISTINCT FROM e.owed
    LIMIT $1";

const TRADES_HOLD_WHAT_THEY_GIVE: &str = "
    SELECT format('user %s with vendor %s: held %s, proposed trades give %s', user_id, vendor_id, coalesce(a.held, 0), coalesce(t.give, 0))
    FROM (SELECT user_id, vendor_id, held FROM accounts WHERE held <> 0) a
    FULL JOIN (SELECT user_id, give_vendor_id AS vendor_id, sum(give_units) AS give
               FROM trades WHERE state = 'proposed' GROUP BY user_id, give_vendor_id) t USING (user_id, vendor_id)
    WHERE coalesce(a.held, 0) <> coalesce(t.give, 0)
    LIMIT $1";

// What foreign keys would guard, had the tables that grow with every swap any. An account has them, so its user and vendor are there.
const BOOKS_NAME_WHAT_IS_THERE: &str = "
    SELECT format('%s names the %s %s, which is not there', what, kind, id)
    FROM (SELECT 'an entry' AS what, 'account' AS kind, format('of user %s with vendor %s', user_id, vendor_id) AS id
          FROM (SELECT user_id, vendor_id FROM entries GROUP BY user_id, vendor_id EXCEPT SELECT user_id, vendor_id FROM accounts) e
          UNION ALL
          SELECT 'a swap', 'account', format('of user %s with vendor %s', user_id, vendor_id)
          FROM (SELECT user_id, from_vendor_id AS vendor_id FROM swaps UNION SELECT payee_id, to_vendor_id FROM swaps
                EXCEPT SELECT user_id, vendor_id FROM accounts) s
          UNION ALL
          SELECT 'an obligation or a position', 'vendor', vendor_id::text
          FROM (SELECT debtor_id AS vendor_id FROM obligations UNION SELECT creditor_id FROM obligations
                UNION SELECT debtor_id FROM positions UNION SELECT creditor_id FROM positions EXCEPT SELECT id FROM vendors) v
          UNION ALL
          SELECT 'a swap, an obligation or a position', 'window', window_id::text
          FROM (SELECT window_id FROM swaps UNION SELECT window_id FROM obligations UNION SELECT window_id FROM positions
                EXCEPT SELECT id FROM windows) w) missing
    LIMIT $1";
