//! A connection to any kind of Redis, and its source.

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

/// Timeout of a connection attempt, unless the deadline of a decision is longer. Together with the pause it is half of
/// the second within which a recovered Redis must be found.
const CONNECT_LIMIT: Duration = Duration::from_millis(400);
/// Timeout of a connection attempt.
pub(super) fn connect_limit(deadline: Duration) -> Duration {
    deadline.max(CONNECT_LIMIT)
}

/// A connection shared by many requests. A clone is the same connection.
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

/// The pool of each kind. Connections are never returned to it: a checkout per request would cost a PING each.
pub(super) enum Source {
    Single(deadpool_redis::Pool),
    Sentinel(sentinel::Pool),
    Cluster(cluster::Pool),
}

/// Size of a pool, whose connections are not returned to it.
const SIZE: usize = 2;

impl Source {
    /// A source of connections for decisions with this deadline.
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
                    .expect("the timeouts of the pool have a runtime")
            };
        }
        match url {
            RedisUrl::Single(node) => {
                // No response timeout: every call has its own limit.
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

    /// A new connection.
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
