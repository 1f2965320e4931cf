-- The first answer to each Idempotency-Key, written in the transaction of what it answers. `id` and `fingerprint` are
-- SHA-256: of the key with its route and caller, and of the request.
CREATE TABLE idempotency_keys (
    id          BYTEA  NOT NULL PRIMARY KEY,
    fingerprint BYTEA  NOT NULL,
    status      BIGINT NOT NULL,
    headers     TEXT   NOT NULL,
    body        BYTEA  NOT NULL,
    expires_at  BIGINT NOT NULL
);

CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
