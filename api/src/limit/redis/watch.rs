//! What watches over Redis in the background, so that no request has to.

use super::{
    backend::{Failure, RedisBackend},
    connection::{Connection, connect_limit},
};
use redis::RedisError;
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

/// Pause between attempts while Redis is away.
const RETRY_EVERY: Duration = Duration::from_millis(100);
/// Pause between probes while all is well, so that `/health` notices an outage without traffic.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Probes in a row that must be late before Redis is given up: one may be a hiccup.
const LATE_PROBES: u32 = 2;
/// How long a gateway counts that is not seen any more: some heartbeats.
const INSTANCE_COUNTS: Duration = Duration::from_secs(5);

impl RedisBackend {
    /// Tries once to connect. For the start: with Redis there, the first request already finds it.
    pub async fn connect(&self) -> bool {
        match self.establish().await {
            Ok(mut connection) => {
                self.count_instances(&mut connection).await;
                self.found(connection);
                true
            }
            Err(reason) => {
                tracing::debug!(%reason, "Redis is away");
                false
            }
        }
    }

    /// Watches Redis for ever: probes while it is up, reconnects while it is away. Runs as a task of its own.
    pub async fn watch(self: Arc<Self>) {
        loop {
            if !self.breaker.is_closed() {
                // A connection that failed is given up: after a pause or failover it may never answer again.
                self.replace_connection(None);
                while !self.connect().await {
                    sleep(RETRY_EVERY).await;
                }
            }
            tokio::select! {
                () = self.woken.notified() => {}
                () = sleep(HEARTBEAT) => {}
            }
            if let Some(mut connection) = self.connection() {
                self.look(&mut connection).await;
            }
        }
    }

    /// Gives Redis up when it fails the background task too.
    async fn look(&self, connection: &mut Connection) {
        let mut failure = None;
        for _ in 0..LATE_PROBES {
            // In the time a decision has: an answer later than that is worth nothing to a request.
            match self.probe(connection, self.settings.deadline).await {
                Ok(()) => return self.count_instances(connection).await,
                Err((Failure::Timeout, reason)) => failure = Some((Failure::Timeout, reason)),
                Err(certain) => {
                    failure = Some(certain);
                    break;
                }
            }
        }
        if let Some((failure, reason)) = failure {
            self.give_up(failure, reason);
        }
    }

    /// A connection over which Redis has just decided, in the time it has for that.
    pub(super) async fn establish(&self) -> Result<Connection, String> {
        let limit = connect_limit(self.settings.deadline);
        let connection = timeout(limit, self.source.connect()).await;
        let mut connection =
            connection.map_err(|_| "no connection in time".to_owned())?.map_err(|error| error.to_string())?;
        let reason = |(_, reason)| reason;
        // The first may have to send the script.
        self.probe(&mut connection, limit).await.map_err(reason)?;
        self.probe(&mut connection, self.settings.deadline).await.map_err(reason)?;
        Ok(connection)
    }

    async fn probe(&self, connection: &mut Connection, limit: Duration) -> Result<(), (Failure, String)> {
        let outcome = timeout(limit, self.scripts.probe(connection, &self.settings.prefix)).await;
        outcome
            .map_err(|_| (Failure::Timeout, format!("a probe was not answered within {limit:?}")))?
            .map_err(|error: RedisError| (Failure::of(&error), error.to_string()))
    }

    /// Tells the others that this gateway is here, and learns how many there are.
    async fn count_instances(&self, connection: &mut Connection) {
        let asked = self.scripts.instances(connection, &self.settings.prefix, &self.name, INSTANCE_COUNTS);
        match timeout(connect_limit(self.settings.deadline), asked).await {
            Ok(Ok(instances)) => self.saw(instances),
            Ok(Err(reason)) => tracing::debug!(%reason, "the gateways that share Redis are not counted"),
            // Whatever is wrong, the next probe meets it too.
            Err(_) => {}
        }
    }
}
