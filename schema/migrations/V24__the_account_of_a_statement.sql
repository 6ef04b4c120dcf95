-- Why: money that came back was read as received where a bank books it as a plain credit, because nobody looked at whose account it was.

-- The IBAN of the account that the entry is seen on, where the document says it.
ALTER TABLE confirmation_entries
    ADD COLUMN account_iban text CONSTRAINT confirmation_entries_account_length CHECK (length(account_iban) BETWEEN 1 AND 34);
