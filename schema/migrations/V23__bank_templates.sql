-- Why: not every bank takes pain.001. What is to be paid can be had as the CSV that a bank takes, by a template that says which columns it wants and
-- how it writes amounts and days.

CREATE TABLE bank_templates (
    -- What people call it; nothing else names a template.
    code         text    COLLATE "C" CONSTRAINT bank_templates_pkey PRIMARY KEY
                         CONSTRAINT bank_templates_code_form CHECK (code ~ '^[A-Z0-9][A-Z0-9_-]{1,31}$'),
    separator    text    NOT NULL CONSTRAINT bank_templates_separator_known CHECK (separator IN (',', ';', E'\t')),
    decimal_sign text    NOT NULL CONSTRAINT bank_templates_decimal_sign_known CHECK (decimal_sign IN ('.', ',')),
    day_format   text    NOT NULL CONSTRAINT bank_templates_day_format_known CHECK (
                             day_format IN ('YYYY-MM-DD', 'YYYYMMDD', 'DD.MM.YYYY', 'DD/MM/YYYY', 'MM/DD/YYYY')),
    -- Whether the first row names the columns.
    has_header   boolean NOT NULL,
    -- Whether text is written in the letters that SEPA takes.
    is_latin     boolean NOT NULL,
    -- The columns: what stands above each, and what of a payment it says, or the text that it has in every row.
    headers      text[]  NOT NULL CONSTRAINT bank_templates_column_count CHECK (cardinality(headers) BETWEEN 1 AND 50),
    fields       text[]  NOT NULL,
    texts        text[]  NOT NULL,
    version      bigint  NOT NULL CONSTRAINT bank_templates_version_positive CHECK (version >= 1),
    CONSTRAINT bank_templates_columns_whole CHECK (cardinality(fields) = cardinality(headers) AND cardinality(texts) = cardinality(headers))
);
GRANT SELECT, INSERT ON bank_templates TO scriphouse_house;
GRANT UPDATE (separator, decimal_sign, day_format, has_header, is_latin, headers, fields, texts, version) ON bank_templates TO scriphouse_house;
