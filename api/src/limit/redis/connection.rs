//! A connection to Redis of any kind, and where it comes from.

use super::url::RedisUrl;
use deadpool_redis::{
    Manager, PoolError, Runtime, Timeouts, cluster,
    sentinel::{self, SentinelNodeConnectionInfo, SentinelServerType},
};
use redis::{
    AsyncConnectionConfig, Cmd, Pipeline, RedisError, RedisFuture, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster_async::ClusterConnection,
};
use std::time::Duration;

/// Longest a connection attempt may take, unless the deadline of a decision is longer. With the pause it leaves half of the
/// second within which a Redis that is back must be found.
const CONNECT_LIMIT: Duration = Duration::from_millis(400);
/// Longest a connection may take to come.
pub(super) fn connect_limit(deadline: Duration) -> Duration {
    deadline.max(CONNECT_LIMIT)
}

/// A connection that many requests share. A clone is the same connection.
#[derive(Clone)]
pub(super) enum Connection {
    /// To one server.
    Node(MultiplexedConnection),
    /// To every node of a cluster.
    Cluster(ClusterConnection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Node(node) => node.req_packed_command(command),
            Self::Cluster(cluster) => cluster.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Node(node) => node.req_packed_commands(commands, offset, count),
            Self::Cluster(cluster) => cluster.req_packed_commands(commands, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Node(node) => node.get_db(),
            Self::Cluster(_) => 0,
        }
    }
}

/// The pool of each kind. Connections are taken out for good: a checkout per request would cost a PING each.
pub(super) enum Source {
    Single(deadpool_redis::Pool),
    Sentinel(sentinel::Pool),
    Cluster(cluster::Pool),
}

/// Spare room of a pool: connections are not given back to it.
const SIZE: usize = 2;

impl Source {
    /// A source of connections over which decisions have this deadline.
    pub(super) fn new(url: RedisUrl, deadline: Duration) -> Result<Self, RedisError> {
        let limit = connect_limit(deadline);
        let limits = Timeouts { wait: Some(limit), create: Some(limit), recycle: Some(limit) };
        macro_rules! pool {
            ($pool:ty, $manager:expr) => {
                <$pool>::builder($manager)
                    .max_size(SIZE)
                    .runtime(Runtime::Tokio1)
                    .timeouts(limits)
                    .build()
                    .expect("a pool with time-outs is built with its runtime named")
            };
        }
        match url {
            RedisUrl::Single(node) => {
                // No time-out for answers: every call has a limit of its own around it.
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(limit))
                    .set_response_timeout(None);
                let manager = Manager::new_with_config(node, config)?;
                Ok(Self::Single(pool!(deadpool_redis::Pool, manager)))
            }
            RedisUrl::Sentinel { sentinels, service, primary } => {
                let login = deadpool_redis::RedisConnectionInfo {
                    db: primary.db(),
                    username: primary.username().map(str::to_owned),
                    password: primary.password().map(str::to_owned),
                    ..Default::default()
                };
                let node = SentinelNodeConnectionInfo { tls_mode: None, redis_connection_info: Some(login) };
                let manager =
                    sentinel::Manager::new(sentinels, service, Some(node), SentinelServerType::Master)?;
                Ok(Self::Sentinel(pool!(sentinel::Pool, manager)))
            }
            RedisUrl::Cluster(nodes) => {
                let manager = cluster::Manager::new(nodes, false)?;
                Ok(Self::Cluster(pool!(cluster::Pool, manager)))
            }
        }
    }

    /// A connection of one's own.
    pub(super) async fn connect(&self) -> Result<Connection, PoolError> {
        Ok(match self {
            Self::Single(pool) => Connection::Node(deadpool_redis::Connection::take(pool.get().await?)),
            Self::Sentinel(pool) => {
                let mut node = sentinel::Connection::take(pool.get().await?);
                node.set_response_timeout(Duration::MAX);
                Connection::Node(node)
            }
            Self::Cluster(pool) => Connection::Cluster(cluster::Connection::take(pool.get().await?)),
        })
    }
}
