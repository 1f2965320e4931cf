//! Every statement, written once for both databases: SQLite accepts PostgreSQL's numbered parameters.

use super::{
    once::{Claim, Once, StoredResponse},
    reading::{Reading, ReadingsQuery},
    user::{Changes, User},
};
use sqlx::{PgConnection, QueryBuilder, SqliteConnection};

/// The statements of a connection.
pub(super) struct Statements<'c, C>(pub(super) &'c mut C);

/// The state of a claimed key.
fn taken((fingerprint, status, headers, body): (Vec<u8>, i64, String, Vec<u8>)) -> sqlx::Result<Claim> {
    let odd = |what: &str| sqlx::Error::Decode(format!("a stored response has an invalid {what}").into());
    let response = StoredResponse {
        status: status.try_into().map_err(|_| odd("status"))?,
        headers: serde_json::from_str(&headers).map_err(|_| odd("list of headers"))?,
        body,
    };
    Ok(Claim::Taken(fingerprint.try_into().map_err(|_| odd("fingerprint"))?, response))
}

macro_rules! statements {
    ($connection:ty, $database:ty, user: $user:literal, now: $now:literal) => {
        impl Statements<'_, $connection> {
            /// Up to `limit` users with ids above `after`, by id.
            pub(super) async fn users(&mut self, after: i64, limit: u32) -> sqlx::Result<Vec<User>> {
                sqlx::query_as(concat!("SELECT ", $user, " FROM users WHERE id > $1 ORDER BY id LIMIT $2"))
                    .bind(after)
                    .bind(i64::from(limit))
                    .fetch_all(&mut *self.0)
                    .await
            }

            /// The number of users.
            pub(super) async fn count_users(&mut self) -> sqlx::Result<i64> {
                sqlx::query_scalar("SELECT count(*) FROM users").fetch_one(&mut *self.0).await
            }

            /// One user.
            pub(super) async fn user(&mut self, id: i64) -> sqlx::Result<Option<User>> {
                sqlx::query_as(concat!("SELECT ", $user, " FROM users WHERE id = $1"))
                    .bind(id)
                    .fetch_optional(&mut *self.0)
                    .await
            }

            /// Adds a user; `None` when another has the address.
            pub(super) async fn create_user(&mut self, name: &str, email: &str) -> sqlx::Result<Option<User>> {
                // A conflict is not an error: on PostgreSQL an error would end the transaction of the group.
                sqlx::query_as(concat!(
                    "INSERT INTO users (name, email) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING ",
                    $user
                ))
                .bind(name)
                .bind(email)
                .fetch_optional(&mut *self.0)
                .await
            }

            /// Changes a user at a version (at any if `None`); `None` when there is no such user and version.
            pub(super) async fn update_user(
                &mut self,
                id: i64,
                changes: &Changes,
                expected: Option<i64>,
            ) -> sqlx::Result<Option<User>> {
                sqlx::query_as(concat!(
                    "UPDATE users SET name = coalesce($1, name), email = coalesce($2, email), \
                     version = version + 1, updated_at = ",
                    $now,
                    " WHERE id = $3 AND version = coalesce($4, version) RETURNING ",
                    $user
                ))
                .bind(changes.name.as_deref())
                .bind(changes.email.as_deref())
                .bind(id)
                .bind(expected)
                .fetch_optional(&mut *self.0)
                .await
            }

            /// Deletes a user at a version (at any if `None`); returns whether there was one.
            pub(super) async fn delete_user(&mut self, id: i64, expected: Option<i64>) -> sqlx::Result<bool> {
                let deleted =
                    sqlx::query("DELETE FROM users WHERE id = $1 AND version = coalesce($2, version)")
                        .bind(id)
                        .bind(expected)
                        .execute(&mut *self.0)
                        .await?;
                Ok(deleted.rows_affected() == 1)
            }

            /// Adds readings that arrived at `now`, no two for one device, stream and second; existing ones get the new
            /// value.
            pub(super) async fn put_readings(&mut self, readings: &[Reading], now: i64) -> sqlx::Result<()> {
                let mut insert = QueryBuilder::<$database>::new(
                    "INSERT INTO readings (device, stream, timestamp, value, stored_at) ",
                );
                insert.push_values(readings, |mut row, reading| {
                    row.push_bind(&*reading.device)
                        .push_bind(reading.stream.name())
                        .push_bind(reading.timestamp)
                        .push_bind(reading.value)
                        .push_bind(now);
                });
                insert.push(
                    " ON CONFLICT (device, stream, timestamp) \
                     DO UPDATE SET value = excluded.value, stored_at = excluded.stored_at",
                );
                // There are as many statements as batch sizes: not worth caching.
                insert.build().persistent(false).execute(&mut *self.0).await?;
                Ok(())
            }

            /// Readings ordered by device, stream and time.
            pub(super) async fn readings(&mut self, query: &ReadingsQuery) -> sqlx::Result<Vec<Reading>> {
                let mut select = QueryBuilder::<$database>::new(
                    "SELECT device, stream, timestamp, value FROM readings WHERE timestamp BETWEEN ",
                );
                select.push_bind(query.from).push(" AND ").push_bind(query.to);
                if let Some(device) = &query.device {
                    select.push(" AND device = ").push_bind(&**device);
                }
                if let Some(stream) = query.stream {
                    select.push(" AND stream = ").push_bind(stream.name());
                }
                if let Some(after) = &query.after {
                    select.push(" AND (device, stream, timestamp) > (").push_bind(&*after.device);
                    select.push(", ").push_bind(after.stream.name());
                    select.push(", ").push_bind(after.timestamp).push(")");
                }
                select.push(" ORDER BY device, stream, timestamp LIMIT ").push_bind(i64::from(query.limit));
                select.build_query_as().fetch_all(&mut *self.0).await
            }

            /// Claims a key that is free or has expired by `now`.
            pub(super) async fn claim(&mut self, once: &Once, now: i64, until: i64) -> sqlx::Result<Claim> {
                // On PostgreSQL this waits for another gateway that is claiming the same key.
                let claimed = sqlx::query(
                    "INSERT INTO idempotency_keys (id, fingerprint, status, headers, body, expires_at) \
                     VALUES ($1, $2, 0, '', $3, $4) ON CONFLICT (id) DO UPDATE SET \
                     fingerprint = excluded.fingerprint, expires_at = excluded.expires_at \
                     WHERE idempotency_keys.expires_at <= $5",
                )
                .bind(&once.id[..])
                .bind(&once.fingerprint[..])
                .bind(&[][..] as &[u8])
                .bind(until)
                .bind(now)
                .execute(&mut *self.0)
                .await?;
                if claimed.rows_affected() == 1 {
                    return Ok(Claim::Fresh);
                }
                let row = sqlx::query_as(
                    "SELECT fingerprint, status, headers, body FROM idempotency_keys WHERE id = $1",
                );
                taken(row.bind(&once.id[..]).fetch_one(&mut *self.0).await?)
            }

            /// The state of a key, without claiming it.
            pub(super) async fn kept(&mut self, once: &Once, now: i64) -> sqlx::Result<Claim> {
                let row = sqlx::query_as(
                    "SELECT fingerprint, status, headers, body FROM idempotency_keys \
                     WHERE id = $1 AND expires_at > $2",
                );
                let row = row.bind(&once.id[..]).bind(now).fetch_optional(&mut *self.0).await?;
                row.map_or(Ok(Claim::Fresh), taken)
            }

            /// Stores the response under a key claimed in this transaction.
            pub(super) async fn keep(&mut self, once: &Once, response: &StoredResponse) -> sqlx::Result<()> {
                let headers = serde_json::to_string(&response.headers)
                    .map_err(|error| sqlx::Error::Encode(error.into()))?;
                sqlx::query("UPDATE idempotency_keys SET status = $2, headers = $3, body = $4 WHERE id = $1")
                    .bind(&once.id[..])
                    .bind(i64::from(response.status))
                    .bind(headers)
                    .bind(&response.body[..])
                    .execute(&mut *self.0)
                    .await?;
                Ok(())
            }

            /// Deletes up to `limit` keys that have expired by `now`; returns how many.
            pub(super) async fn sweep(&mut self, now: i64, limit: i64) -> sqlx::Result<u64> {
                let swept = sqlx::query(
                    "DELETE FROM idempotency_keys WHERE id IN (SELECT id FROM idempotency_keys \
                     WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
                )
                .bind(now)
                .bind(limit)
                .execute(&mut *self.0)
                .await?;
                Ok(swept.rows_affected())
            }

            /// Deletes up to `limit` keys beyond the `most` that expire last; returns how many.
            pub(super) async fn trim(&mut self, most: i64, limit: i64) -> sqlx::Result<u64> {
                let trimmed = sqlx::query(
                    "DELETE FROM idempotency_keys WHERE id IN (SELECT id FROM idempotency_keys \
                     ORDER BY expires_at DESC LIMIT $2 OFFSET $1)",
                )
                .bind(most)
                .bind(limit)
                .execute(&mut *self.0)
                .await?;
                Ok(trimmed.rows_affected())
            }

            /// Deletes up to `limit` keys with large responses beyond the `most` that expire last.
            pub(super) async fn trim_large(&mut self, most: i64, limit: i64) -> sqlx::Result<()> {
                // With the condition of the index.
                let trim = sqlx::query(
                    "DELETE FROM idempotency_keys WHERE id IN (SELECT id FROM idempotency_keys \
                     WHERE length(body) > 2048 ORDER BY expires_at DESC LIMIT $2 OFFSET $1)",
                );
                trim.bind(most).bind(limit).execute(&mut *self.0).await?;
                Ok(())
            }

            /// Deletes up to `limit` readings that arrived at `until` or before; returns how many.
            pub(super) async fn forget_readings(&mut self, until: i64, limit: i64) -> sqlx::Result<u64> {
                let forgotten = sqlx::query(
                    "DELETE FROM readings WHERE (device, stream, timestamp) IN (SELECT device, stream, timestamp \
                     FROM readings WHERE stored_at BETWEEN 1 AND $1 ORDER BY stored_at LIMIT $2)",
                )
                .bind(until)
                .bind(limit)
                .execute(&mut *self.0)
                .await?;
                Ok(forgotten.rows_affected())
            }

            /// Writes a row that expires at once.
            pub(super) async fn probe(&mut self, now: i64) -> sqlx::Result<()> {
                // SQLite writes no page whose content stays the same, so that it has to differ.
                let content = uuid::Uuid::new_v4();
                sqlx::query(
                    "INSERT INTO idempotency_keys (id, fingerprint, status, headers, body, expires_at) \
                     VALUES ($1, $2, 0, '', $2, $3) \
                     ON CONFLICT (id) DO UPDATE SET body = excluded.body, expires_at = excluded.expires_at",
                )
                .bind(&b"probe"[..])
                .bind(&content.as_bytes()[..])
                .bind(now)
                .execute(&mut *self.0)
                .await?;
                Ok(())
            }

            /// Checks whether data can be served.
            pub(super) async fn ping(&mut self) -> sqlx::Result<()> {
                sqlx::query("SELECT 1 FROM users LIMIT 1").execute(&mut *self.0).await?;
                Ok(())
            }
        }
    };
}

statements!(
    SqliteConnection,
    sqlx::Sqlite,
    user: "id, name, email, created_at, updated_at, version",
    now: "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
);
statements!(
    PgConnection,
    sqlx::Postgres,
    user: "id, name, email, \
           to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS created_at, \
           to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS updated_at, version",
    now: "clock_timestamp()"
);
