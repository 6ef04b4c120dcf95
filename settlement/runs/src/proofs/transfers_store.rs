//! The proofs of what became of transfers, and of what banks confirmed: statements like those of `store`.

/// The rules and their statements.
pub(super) const PROOFS: &[(&str, &str)] = &[
    ("the state of every transfer is the end of its history, whose steps are legal and without gaps", STATES_END_HISTORIES),
    ("a run is settling from the first step of its transfers until the last of them has ended, and then settled", RUNS_FOLLOW_TRANSFERS),
    ("every rolled transfer is owed again in its scheme, and nothing else is owed as rolled", ROLLED_IS_OWED),
    ("what took the place of failed transfers is owed in their scheme, and nothing else is owed so", DEFAULTS_ARE_OWED),
    ("what took the place of failed transfers moves what they would have moved, for every vendor", DEFAULTS_MOVE_THE_SAME),
    ("what is said of a draw's payment is the end of its corrections, each of which follows the one before it", DRAWS_END_CORRECTIONS),
    ("what an applied confirmation confirms or rejects is the steps that name it", CONFIRMATIONS_EQUAL_STEPS),
    ("what an entry is said to mean is transfers of its scheme that sum to its amount, and names none by itself", ASSIGNMENTS_FIT),
];

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[
    STATES_END_HISTORIES,
    RUNS_FOLLOW_TRANSFERS,
    ROLLED_IS_OWED,
    DEFAULTS_ARE_OWED,
    DEFAULTS_MOVE_THE_SAME,
    DRAWS_END_CORRECTIONS,
    CONFIRMATIONS_EQUAL_STEPS,
    ASSIGNMENTS_FIT,
];

const STATES_END_HISTORIES: &str = "
    WITH history AS (
        SELECT run_id, number, seq, from_state, to_state, attempt, row_number() OVER steps AS expected_seq,
               lag(to_state, 1, 'instructed') OVER steps AS state_before, lag(from_state) OVER steps AS disputed_from,
               lag(attempt, 1, 1) OVER steps AS attempt_before, lead(seq) OVER steps IS NULL AS is_last
        FROM transfer_steps
        WINDOW steps AS (PARTITION BY run_id, number ORDER BY seq)
    )
    SELECT violation
    FROM (SELECT format('transfer %s of run %s: step %s from %s to %s in attempt %s does not follow the one before it',
                        number, run_id, seq, from_state, to_state, attempt) AS violation
          FROM history
          WHERE seq <> expected_seq OR from_state <> state_before OR NOT transfer_may_become(from_state, to_state, disputed_from)
             OR attempt <> attempt_before + CASE WHEN from_state = 'failed' AND to_state = 'retried' THEN 1 ELSE 0 END
          UNION ALL
          SELECT format('transfer %s of run %s is %s in attempt %s, its history ends with %s in attempt %s',
                        t.number, t.run_id, t.state, t.attempt, coalesce(h.to_state, 'nothing'), coalesce(h.attempt, 1))
          FROM transfers t
          LEFT JOIN history h ON h.run_id = t.run_id AND h.number = t.number AND h.is_last
          WHERE t.state <> coalesce(h.to_state, 'instructed') OR t.attempt <> coalesce(h.attempt, 1)
             OR t.disputed_from IS DISTINCT FROM CASE WHEN h.to_state = 'disputed' THEN h.from_state END) v
    LIMIT $1";

const RUNS_FOLLOW_TRANSFERS: &str = "
    WITH figures AS (
        SELECT r.id, r.state, EXISTS (SELECT FROM transfer_steps s WHERE s.run_id = r.id) AS has_steps,
               EXISTS (SELECT FROM transfers t WHERE t.run_id = r.id AND t.state NOT IN ('received', 'rolled', 'written_off')) AS has_unfinished
        FROM runs r
    )
    SELECT format('run %s is %s, some of its transfers have steps: %s, some have not ended: %s', id, state, has_steps, has_unfinished)
    FROM figures
    WHERE has_steps AND state <> CASE WHEN has_unfinished THEN 'settling' ELSE 'settled' END
       OR NOT has_steps AND has_unfinished AND state IN ('settling', 'settled')
    LIMIT $1";

const ROLLED_IS_OWED: &str = "
    WITH rolled AS (
        SELECT t.id, r.scheme_id, t.payer_id AS debtor_id, t.payee_id AS creditor_id, t.amount_micro
        FROM transfers t
        JOIN runs r ON r.id = t.run_id
        WHERE t.state = 'rolled' AND t.default_id IS NULL
    ), owed AS (
        SELECT o.operation_id, w.scheme_id, o.debtor_id, o.creditor_id, o.amount_micro
        FROM obligations o
        JOIN windows w ON w.id = o.window_id
        WHERE o.source = 'rolled'
    )
    SELECT format('transfer %s: %s owed again by vendor %s to vendor %s in scheme %s is %s', id, amount_micro, debtor_id, creditor_id, scheme_id, fault)
    FROM ((SELECT *, 'missing' AS fault FROM (TABLE rolled EXCEPT ALL TABLE owed) m)
          UNION ALL
          (SELECT *, 'not of any rolled transfer' FROM (TABLE owed EXCEPT ALL TABLE rolled) s)) f
    LIMIT $1";

const DEFAULTS_ARE_OWED: &str = "
    WITH listed AS (
        SELECT b.default_id, r.scheme_id, b.debtor_id, b.creditor_id, b.amount_micro
        FROM default_debts b
        JOIN defaults d ON d.id = b.default_id
        JOIN runs r ON r.id = d.run_id
    ), owed AS (
        SELECT o.operation_id, w.scheme_id, o.debtor_id, o.creditor_id, o.amount_micro
        FROM obligations o
        JOIN windows w ON w.id = o.window_id
        WHERE o.source = 'default'
    )
    SELECT format('default %s: %s owed by vendor %s to vendor %s in scheme %s is %s',
                  default_id, amount_micro, debtor_id, creditor_id, scheme_id, fault)
    FROM ((SELECT *, 'missing' AS fault FROM (TABLE listed EXCEPT ALL TABLE owed) m)
          UNION ALL
          (SELECT *, 'not listed' FROM (TABLE owed EXCEPT ALL TABLE listed) s)) f
    LIMIT $1";

const DEFAULTS_MOVE_THE_SAME: &str = "
    WITH moved AS (
        SELECT default_id, payee_id AS vendor_id, amount_micro FROM transfers WHERE default_id IS NOT NULL
        UNION ALL
        SELECT default_id, payer_id, -amount_micro FROM transfers WHERE default_id IS NOT NULL
        UNION ALL
        SELECT default_id, creditor_id, -amount_micro FROM default_debts
        UNION ALL
        SELECT default_id, debtor_id, amount_micro FROM default_debts
        UNION ALL
        SELECT default_id, payee_id, -amount_micro FROM default_draws
        UNION ALL
        SELECT w.default_id, d.vendor_id, w.amount_micro FROM default_draws w JOIN defaults d ON d.id = w.default_id
    )
    SELECT violation
    FROM (SELECT format('default %s moves %s too little to vendor %s', default_id, sum(amount_micro), vendor_id) AS violation
          FROM moved
          GROUP BY default_id, vendor_id
          HAVING sum(amount_micro) <> 0
          UNION ALL
          SELECT format('default %s takes the place of nothing', d.id)
          FROM defaults d
          WHERE NOT EXISTS (SELECT FROM transfers t WHERE t.default_id = d.id)) v
    LIMIT $1";

const DRAWS_END_CORRECTIONS: &str = "
    WITH history AS (
        SELECT default_id, number, seq, bank_reference_before, booked_on_before, bank_reference, booked_on, corrected_at,
               row_number() OVER corrections AS expected_seq, lag(bank_reference) OVER corrections AS reference_said,
               lag(booked_on) OVER corrections AS day_said, lag(corrected_at) OVER corrections AS said_at,
               lead(seq) OVER corrections IS NULL AS is_last
        FROM draw_corrections
        WINDOW corrections AS (PARTITION BY default_id, number ORDER BY seq)
    )
    SELECT violation
    FROM (SELECT format('draw %s of default %s: correction %s does not follow what was said before it', number, default_id, seq) AS violation
          FROM history
          WHERE seq <> expected_seq OR corrected_at < said_at
             OR seq > 1 AND (bank_reference_before, booked_on_before) IS DISTINCT FROM (reference_said, day_said)
          UNION ALL
          SELECT format('draw %s of default %s is not paid as its last correction says', number, default_id)
          FROM default_draws w
          JOIN history h USING (default_id, number)
          WHERE h.is_last AND (w.paid_at IS NULL OR (w.bank_reference, w.booked_on) IS DISTINCT FROM (h.bank_reference, h.booked_on))) v
    LIMIT $1";

const CONFIRMATIONS_EQUAL_STEPS: &str = "
    WITH made AS (
        SELECT e.confirmation_id, coalesce(a.run_id, e.run_id) AS run_id, coalesce(a.transfer_number, e.transfer_number) AS number,
               coalesce(a.step_seq, e.step_seq) AS seq, e.said AS to_state
        FROM confirmation_entries e
        JOIN confirmations c ON c.id = e.confirmation_id
        LEFT JOIN confirmation_assignments a ON a.confirmation_id = e.confirmation_id AND a.number = e.number
        WHERE c.state = 'applied' AND e.outcome IN ('confirmed', 'rejected') AND a.number IS NULL OR coalesce(a.step_seq, e.step_seq) IS NOT NULL
    ), named AS (
        SELECT confirmation_id, run_id, number, seq, to_state FROM transfer_steps WHERE confirmation_id IS NOT NULL
    )
    SELECT violation
    FROM (SELECT format('confirmation %s: step %s of transfer %s of run %s to %s is %s', confirmation_id, seq, number, run_id, to_state, fault) AS violation
          FROM ((SELECT *, 'missing' AS fault FROM (TABLE made EXCEPT ALL TABLE named) m)
                UNION ALL
                (SELECT *, 'not of any entry' FROM (TABLE named EXCEPT ALL TABLE made) s)) f
          UNION ALL
          SELECT format('confirmation %s: entry %s is %s, and no transfer that it means took a step', e.confirmation_id, e.number, e.outcome)
          FROM confirmation_entries e
          JOIN confirmations c ON c.id = e.confirmation_id AND c.state = 'applied'
          JOIN confirmation_assignments a ON a.confirmation_id = e.confirmation_id AND a.number = e.number
          WHERE e.outcome IN ('confirmed', 'rejected')
          GROUP BY e.confirmation_id, e.number
          HAVING count(a.step_seq) = 0
          UNION ALL
          SELECT format('confirmation %s has %s entries, it says %s', c.id, count(e.number), c.entry_count)
          FROM confirmations c
          LEFT JOIN confirmation_entries e ON e.confirmation_id = c.id
          GROUP BY c.id
          HAVING count(e.number) <> c.entry_count OR coalesce(max(e.number), 0) <> c.entry_count) v
    LIMIT $1";

const ASSIGNMENTS_FIT: &str = "
    SELECT format('entry %s of confirmation %s is of %s %s, and is said to mean %s in %s transfers',
                  e.number, e.confirmation_id, e.amount_micro, e.currency, sum(t.amount_micro), count(*))
    FROM confirmation_assignments a
    JOIN confirmation_entries e ON e.confirmation_id = a.confirmation_id AND e.number = a.number
    JOIN confirmations c ON c.id = e.confirmation_id
    JOIN transfers t ON t.run_id = a.run_id AND t.number = a.transfer_number
    JOIN runs r ON r.id = a.run_id
    GROUP BY e.confirmation_id, e.number
    HAVING sum(t.amount_micro) IS DISTINCT FROM e.amount_micro OR e.run_id IS NOT NULL
        OR NOT bool_and(r.scheme_id = c.scheme_id AND coalesce(r.currency = e.currency, false))
    LIMIT $1";
