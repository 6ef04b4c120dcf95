-- Why: banks are closed on some days. A schedule may go by a calendar of such days, which says that its slots on them are left out, or
-- moved to the next day on which banks are open.

CREATE TABLE calendars (
    -- What people call it; nothing else names a calendar.
    code      text    COLLATE "C" CONSTRAINT calendars_pkey PRIMARY KEY
                      CONSTRAINT calendars_code_form CHECK (code ~ '^[A-Z0-9][A-Z0-9_-]{1,31}$'),
    -- Whether Saturdays and Sundays are closed.
    weekends  boolean NOT NULL,
    -- The other days that are.
    closed_on date[]  NOT NULL CONSTRAINT calendars_closed_on_count CHECK (cardinality(closed_on) <= 4000)
                      CONSTRAINT calendars_closed_on_range CHECK (
                          array_position(closed_on, NULL) IS NULL AND '2000-01-01' <= ALL (closed_on) AND '2199-12-31' >= ALL (closed_on)),
    version   bigint  NOT NULL CONSTRAINT calendars_version_positive CHECK (version >= 1)
);
GRANT SELECT, INSERT ON calendars TO scriphouse_house;
GRANT UPDATE (weekends, closed_on, version) ON calendars TO scriphouse_house;

ALTER TABLE schedules
    ADD COLUMN calendar_code text COLLATE "C" CONSTRAINT schedules_calendar_exists REFERENCES calendars,
    -- What becomes of a slot on a closed day: it is left out, or moved to the following open day.
    ADD COLUMN on_closed text CONSTRAINT schedules_on_closed_known CHECK (on_closed IN ('skip', 'following')),
    ADD CONSTRAINT schedules_on_closed_has_calendar CHECK ((calendar_code IS NULL) = (on_closed IS NULL));
CREATE INDEX schedules_by_calendar ON schedules (calendar_code) WHERE calendar_code IS NOT NULL;
