CREATE TABLE users (
    id         BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       TEXT        NOT NULL,
    email      TEXT        NOT NULL,
    version    BIGINT      NOT NULL DEFAULT 1,
    created_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);

-- In the "C" collation lower() folds ASCII letters only, which is what NOCASE does on SQLite: both databases agree on
-- which addresses are the same, whatever the locale of the server.
CREATE UNIQUE INDEX users_by_email ON users (lower(email COLLATE "C"));
