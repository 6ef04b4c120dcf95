-- Why: a busy house of 2,000,000 accounts had autovacuum read them all, with both indexes, every 20 to 30 seconds, which took a tenth of two
-- processors. Nearly all of it was for nothing: a change of an account stays within its page, and the page is tidied up by the next one there.

ALTER TABLE accounts SET (
    -- What is dead is counted until its page is touched again, so a busy table always has one dead row a page and more.
    autovacuum_vacuum_scale_factor = 0.5,
    -- Every change counts as one, but what is changed, no plan depends on.
    autovacuum_analyze_scale_factor = 5
);
