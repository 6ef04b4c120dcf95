-- Why: what a person says of a payment out of collateral may be mistyped: the bank's reference, the day. It is put right by saying it again, with a
-- reason, and what was said before stays.

CREATE TABLE draw_corrections (
    default_id   uuid        NOT NULL,
    number       bigint      NOT NULL,
    -- Counts the corrections of a draw from 1.
    seq          integer     NOT NULL CONSTRAINT draw_corrections_seq_positive CHECK (seq >= 1),
    -- What was said, and what has been said since; none where nothing was.
    bank_reference_before text CONSTRAINT draw_corrections_bank_reference_before_length CHECK (length(bank_reference_before) BETWEEN 1 AND 35),
    booked_on_before      date,
    bank_reference        text CONSTRAINT draw_corrections_bank_reference_length CHECK (length(bank_reference) BETWEEN 1 AND 35),
    booked_on             date,
    reason       text        NOT NULL CONSTRAINT draw_corrections_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    corrected_by text        NOT NULL CONSTRAINT draw_corrections_corrected_by_form CHECK (corrected_by ~ '^operator:[0-9a-f-]{36}$'),
    corrected_at timestamptz NOT NULL,
    CONSTRAINT draw_corrections_pkey PRIMARY KEY (default_id, number, seq),
    CONSTRAINT draw_corrections_draw_exists FOREIGN KEY (default_id, number) REFERENCES default_draws (default_id, number),
    CONSTRAINT draw_corrections_something_changes CHECK ((bank_reference_before, booked_on_before) IS DISTINCT FROM (bank_reference, booked_on))
);
-- Who said what of a draw is the operator's alone, and is never changed.
GRANT SELECT, INSERT ON draw_corrections TO scriphouse_house;
