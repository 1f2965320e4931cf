-- Finds the oldest of the large stored responses, of which few are kept.
CREATE INDEX idempotency_keys_large ON idempotency_keys (expires_at) WHERE length(body) > 2048;
