//! PostgreSQL, where several gateways share data.

use super::{error::OpenError, url};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{str::FromStr, time::Duration};
use tokio::runtime::Handle;

/// Longest wait for a connection, including connecting.
const WAIT_LIMIT: Duration = Duration::from_secs(3);
/// Connections of one gateway for reads.
const READERS: u32 = 8;
/// One for the writes and one for the readings.
const WRITERS: u32 = 2;
/// Limits enforced by the server, so that nothing runs or holds a lock after the gateway gave up.
const LIMITS: [(&str, &str); 3] =
    [("statement_timeout", "8s"), ("lock_timeout", "4s"), ("idle_in_transaction_session_timeout", "20s")];

#[derive(Debug, Clone)]
pub(super) struct Postgres {
    pub(super) reader: PgPool,
    pub(super) writer: PgPool,
    /// The runtime of the connections. A connection's socket belongs to the runtime that opened it, and those of the
    /// HTTP workers end one by one in a shutdown; this one outlives them.
    pub(super) runtime: Handle,
}

impl Postgres {
    pub(super) async fn open(text: &str) -> Result<Self, OpenError> {
        let explain = |error: &dyn std::fmt::Display| OpenError {
            value: url::masked(text),
            reason: url::without_password(text, &format!("cannot open the database ({error})")),
            remedy: "check that the server runs, and user, password and database in \
                     postgres://USER:PASSWORD@HOST:PORT/DATABASE; for TLS append ?sslmode=require, or \
                     ?sslmode=verify-full&sslrootcert=FILE to check the server's certificate too",
        };
        let options = PgConnectOptions::from_str(text)
            .map_err(|error| explain(&error))?
            .application_name("firedrill")
            .options(LIMITS);
        let pool = |size: u32| PgPoolOptions::new().max_connections(size).acquire_timeout(WAIT_LIMIT);
        let writer = pool(WRITERS).connect_with(options.clone()).await.map_err(|error| explain(&error))?;
        super::migrations::postgres(&writer).await.map_err(|error| explain(&error))?;
        let reader = pool(READERS).connect_lazy_with(options);
        Ok(Self { reader, writer, runtime: Handle::current() })
    }
}
