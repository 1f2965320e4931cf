//! The statements about orders, written once for both databases.

use super::{Currency, Order, OrderStatus};
use crate::store::statements::Statements;
use sqlx::{PgConnection, SqliteConnection};

macro_rules! statements {
    ($connection:ty, order: $order:literal, now: $now:literal) => {
        impl Statements<'_, $connection> {
            /// Adds an order.
            pub(in crate::store) async fn place_order(
                &mut self,
                amount: i64,
                currency: Currency,
            ) -> sqlx::Result<Order> {
                sqlx::query_as(concat!(
                    "INSERT INTO orders (amount, currency, status) VALUES ($1, $2, 'placed') RETURNING ",
                    $order
                ))
                .bind(amount)
                .bind(currency.code())
                .fetch_one(&mut *self.0)
                .await
            }

            /// One order.
            pub(in crate::store) async fn order(&mut self, id: i64) -> sqlx::Result<Option<Order>> {
                sqlx::query_as(concat!("SELECT ", $order, " FROM orders WHERE id = $1"))
                    .bind(id)
                    .fetch_optional(&mut *self.0)
                    .await
            }

            /// Moves an order that has the status `from` to another; `None` when there is none.
            pub(in crate::store) async fn move_order(
                &mut self,
                id: i64,
                from: OrderStatus,
                to: OrderStatus,
            ) -> sqlx::Result<Option<Order>> {
                sqlx::query_as(concat!(
                    "UPDATE orders SET status = $3, updated_at = ",
                    $now,
                    " WHERE id = $1 AND status = $2 RETURNING ",
                    $order
                ))
                .bind(id)
                .bind(from.name())
                .bind(to.name())
                .fetch_optional(&mut *self.0)
                .await
            }

            /// Number of orders that are placed or paid.
            pub(in crate::store) async fn orders_in_progress(&mut self) -> sqlx::Result<i64> {
                // With the condition of the index.
                sqlx::query_scalar("SELECT count(*) FROM orders WHERE status IN ('placed', 'paid')")
                    .fetch_one(&mut *self.0)
                    .await
            }

            /// Deletes up to `limit` of the oldest orders, so that `most` ids remain; returns how many.
            pub(in crate::store) async fn trim_orders(&mut self, most: i64, limit: i64) -> sqlx::Result<u64> {
                let trimmed = sqlx::query(
                    "DELETE FROM orders WHERE id IN (SELECT id FROM orders \
                     WHERE id <= (SELECT max(id) FROM orders) - $1 ORDER BY id LIMIT $2)",
                )
                .bind(most)
                .bind(limit)
                .execute(&mut *self.0)
                .await?;
                Ok(trimmed.rows_affected())
            }
        }
    };
}

statements!(
    SqliteConnection,
    order: "id, amount, currency, status, created_at, updated_at",
    now: "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
);
statements!(
    PgConnection,
    order: "id, amount, currency, status, \
            to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS created_at, \
            to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS updated_at",
    now: "clock_timestamp()"
);
