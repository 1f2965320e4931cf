-- When a reading came in, in seconds since 1970, from which its time to be kept counts. For those that are here already
-- it begins now. 0 is unknown: such readings are kept.
ALTER TABLE readings ADD COLUMN stored_at INTEGER NOT NULL DEFAULT 0;
UPDATE readings SET stored_at = CAST(strftime('%s', 'now') AS INTEGER);
CREATE INDEX readings_stored_at ON readings (stored_at);
