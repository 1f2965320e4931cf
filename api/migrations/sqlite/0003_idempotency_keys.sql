-- The first answer to each Idempotency-Key, written in the transaction of what it answers. `id` and `fingerprint` are
-- SHA-256: of the key with its route and caller, and of the request.
CREATE TABLE idempotency_keys (
    id          BLOB    NOT NULL PRIMARY KEY,
    fingerprint BLOB    NOT NULL,
    status      INTEGER NOT NULL,
    headers     TEXT    NOT NULL,
    body        BLOB    NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
