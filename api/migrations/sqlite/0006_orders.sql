-- AUTOINCREMENT: the ids of deleted orders are never given again. `amount` is in cents.
CREATE TABLE orders (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    amount     INTEGER NOT NULL,
    currency   TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    created_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;

-- Counts the orders in progress without reading the others.
CREATE INDEX orders_in_progress ON orders (id) WHERE status IN ('placed', 'paid');
