-- Why: a scheme may set off what is owed in circles, and have every vendor pay only those that it owes.
ALTER TABLE schemes
    DROP CONSTRAINT schemes_strategy_known,
    ADD CONSTRAINT schemes_strategy_known CHECK (strategy IN ('gross', 'bilateral', 'conservative', 'direct', 'hub'));
ALTER TABLE runs
    DROP CONSTRAINT runs_strategy_known,
    ADD CONSTRAINT runs_strategy_known CHECK (strategy IN ('gross', 'bilateral', 'conservative', 'direct', 'hub'));

-- What the strategy leaves to be paid of the debts, before rounding; of the strategies so far it follows from their figures.
ALTER TABLE runs ADD COLUMN remaining_micro bigint;
-- Forced row security holds for the owner too, and would hide every row from what follows.
ALTER TABLE runs NO FORCE ROW LEVEL SECURITY;
UPDATE runs SET remaining_micro = CASE strategy WHEN 'gross' THEN gross_micro WHEN 'bilateral' THEN bilateral_micro ELSE net_micro END;
ALTER TABLE runs FORCE ROW LEVEL SECURITY;
ALTER TABLE runs
    ALTER COLUMN remaining_micro SET NOT NULL,
    ADD CONSTRAINT runs_remaining_between_net_and_gross CHECK (remaining_micro BETWEEN net_micro AND gross_micro);
