-- `amount` is in cents.
CREATE TABLE orders (
    id         BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    amount     BIGINT      NOT NULL,
    currency   TEXT        NOT NULL,
    status     TEXT        NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);

-- Counts the orders in progress without reading the others.
CREATE INDEX orders_in_progress ON orders (id) WHERE status IN ('placed', 'paid');
