//! Watches Redis in the background, so that requests need not.

use super::{
    backend::{Failure, RedisBackend},
    connection::{Connection, connect_limit},
};
use deadpool_redis::PoolError;
use redis::RedisError;
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

/// Pause between attempts while Redis is away.
const RETRY_EVERY: Duration = Duration::from_millis(100);
/// Pause between probes while Redis is up, so that `/health` notices an outage without traffic.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Late probes in a row after which Redis counts as away; a single one may be a hiccup.
const LATE_PROBES: u32 = 2;
/// How long a gateway counts after its last heartbeat.
const INSTANCE_COUNTS: Duration = Duration::from_secs(5);

/// Why a probe failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProbeError {
    /// No response in time.
    #[error("no response to a probe within {0:?}")]
    Late(Duration),
    /// Not a decision.
    #[error(transparent)]
    Redis(#[from] RedisError),
}

impl ProbeError {
    fn failure(&self) -> Failure {
        match self {
            Self::Late(_) => Failure::Timeout,
            Self::Redis(error) => Failure::of(error),
        }
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// Not in time.
    #[error("no connection within the deadline")]
    Late,
    /// Connecting failed.
    #[error("cannot connect: {0}")]
    Pool(#[from] PoolError),
    /// Connected, but Redis does not decide.
    #[error(transparent)]
    Probe(#[from] ProbeError),
}

impl RedisBackend {
    /// Tries once to connect. Used at start, so that the first request already finds Redis.
    pub async fn connect(&self) -> bool {
        match self.establish().await {
            Ok(mut connection) => {
                self.count_instances(&mut connection).await;
                self.found(connection);
                true
            }
            Err(reason) => {
                tracing::debug!(error = %reason, "Redis is unreachable");
                false
            }
        }
    }

    /// Watches Redis forever, in a separate task: probes while it is available, reconnects while it is not.
    pub async fn watch(self: Arc<Self>) {
        loop {
            if !self.breaker.is_closed() {
                // A failed connection is not reused: after a pause or failover it may never respond again.
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

    /// Treats Redis as away when it fails the background task too.
    async fn look(&self, connection: &mut Connection) {
        let mut failure = None;
        for _ in 0..LATE_PROBES {
            // Within the deadline of a decision: a later response is useless to a request.
            match self.probe(connection, self.settings.deadline).await {
                Ok(()) => return self.count_instances(connection).await,
                Err(error) => {
                    let certain = error.failure() != Failure::Timeout;
                    failure = Some(error);
                    if certain {
                        break;
                    }
                }
            }
        }
        if let Some(error) = failure {
            self.give_up(error.failure(), error);
        }
    }

    /// A connection over which Redis has just decided, within the deadline of a decision.
    pub(super) async fn establish(&self) -> Result<Connection, ConnectError> {
        let limit = connect_limit(self.settings.deadline);
        let connected = timeout(limit, self.source.connect()).await;
        let mut connection = connected.map_err(|_| ConnectError::Late)??;
        // The first decision may have to send the script.
        self.probe(&mut connection, limit).await?;
        self.probe(&mut connection, self.settings.deadline).await?;
        Ok(connection)
    }

    async fn probe(&self, connection: &mut Connection, limit: Duration) -> Result<(), ProbeError> {
        let outcome = timeout(limit, self.scripts.probe(connection, &self.settings.prefix)).await;
        Ok(outcome.map_err(|_| ProbeError::Late(limit))??)
    }

    /// Registers this gateway and counts the others.
    async fn count_instances(&self, connection: &mut Connection) {
        let counting = self.scripts.instances(connection, &self.settings.prefix, &self.name, INSTANCE_COUNTS);
        match timeout(connect_limit(self.settings.deadline), counting).await {
            Ok(Ok(instances)) => self.saw(instances),
            Ok(Err(reason)) => {
                tracing::debug!(error = %reason, "cannot count the gateways that share Redis")
            }
            // The next probe sees the same failure.
            Err(_) => {}
        }
    }
}
