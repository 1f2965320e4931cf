-- When a reading came in, in seconds since 1970, from which its time to be kept counts. For those that are here already
-- it begins now.
ALTER TABLE readings ADD COLUMN stored_at BIGINT NOT NULL DEFAULT floor(extract(epoch FROM now()))::BIGINT;
CREATE INDEX readings_stored_at ON readings (stored_at);
