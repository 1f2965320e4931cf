//! A connection to any kind of Redis, and its source.

use super::url::RedisUrl;
use deadpool_redis::{
    Manager, PoolError, Runtime, Timeouts, cluster,
    sentinel::{self, SentinelNodeConnectionInfo, SentinelServerType},
};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, Pipeline, RedisConnectionInfo, RedisError,
    RedisFuture, TlsCertificates, TlsMode, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster::{ClusterClient, ClusterClientBuilder},
    cluster_async::ClusterConnection,
    sentinel::{SentinelClient, SentinelClientBuilder},
};
use rustls::crypto::ring;
use std::time::Duration;
use tokio::sync::Mutex;

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

/// Where connections come from. Connections are never returned to a pool: a checkout per request would cost a PING each.
pub(super) enum Source {
    Single(deadpool_redis::Pool),
    Sentinel(sentinel::Pool),
    Cluster(cluster::Pool),
    // The pools of Sentinel and Cluster take no certificates, so these are the clients below them.
    /// The client remembers which Sentinel responded last.
    EncryptedSentinel(Box<Mutex<SentinelClient>>, AsyncConnectionConfig),
    EncryptedCluster(Box<ClusterClient>),
}

/// Size of a pool, whose connections are not returned to it.
const SIZE: usize = 2;

impl Source {
    /// A source of connections for decisions with this deadline. `certificates` are used with an encrypted URL.
    pub(super) fn new(
        url: RedisUrl,
        certificates: &TlsCertificates,
        deadline: Duration,
    ) -> Result<Self, RedisError> {
        let encrypted = url.is_encrypted();
        if encrypted {
            // Redis's client takes the provider of the process. If another one is installed, that one serves as well.
            let _ = ring::default_provider().install_default();
        }
        let limit = connect_limit(deadline);
        let limits = Timeouts { wait: Some(limit), create: Some(limit), recycle: Some(limit) };
        // No response timeout: every call has its own limit.
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(limit)).set_response_timeout(None);
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
        Ok(match url {
            RedisUrl::Single(node) => {
                let node = if encrypted {
                    Client::build_with_tls(node, certificates.clone())?.get_connection_info().clone()
                } else {
                    node
                };
                Self::Single(pool!(deadpool_redis::Pool, Manager::new_with_config(node, config)?))
            }
            RedisUrl::Sentinel { sentinels, service, primary } if encrypted => {
                let client = encrypted_sentinel(&sentinels, service, &primary, certificates)?;
                Self::EncryptedSentinel(Box::new(Mutex::new(client)), config)
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
                Self::Sentinel(pool!(sentinel::Pool, manager))
            }
            RedisUrl::Cluster(nodes) if encrypted => {
                let client = ClusterClientBuilder::new(nodes).certs(certificates.clone()).build()?;
                Self::EncryptedCluster(Box::new(client))
            }
            RedisUrl::Cluster(nodes) => {
                Self::Cluster(pool!(cluster::Pool, cluster::Manager::new(nodes, false)?))
            }
        })
    }

    /// A new connection. The caller limits the time.
    pub(super) async fn connect(&self) -> Result<Connection, PoolError> {
        Ok(match self {
            Self::Single(pool) => Connection::Node(deadpool_redis::Connection::take(pool.get().await?)),
            Self::Sentinel(pool) => {
                let mut node = sentinel::Connection::take(pool.get().await?);
                node.set_response_timeout(Duration::MAX);
                Connection::Node(node)
            }
            Self::Cluster(pool) => Connection::Cluster(cluster::Connection::take(pool.get().await?)),
            Self::EncryptedSentinel(client, config) => {
                Connection::Node(client.lock().await.get_async_connection_with_config(config).await?)
            }
            Self::EncryptedCluster(client) => Connection::Cluster(client.get_async_connection().await?),
        })
    }
}

fn encrypted_sentinel(
    sentinels: &[ConnectionInfo],
    service: String,
    primary: &RedisConnectionInfo,
    certificates: &TlsCertificates,
) -> Result<SentinelClient, RedisError> {
    let login = sentinels.first().map(ConnectionInfo::redis_settings).cloned().unwrap_or_default();
    let nodes = sentinels.iter().map(|node| node.addr().clone());
    let mut builder =
        SentinelClientBuilder::new(nodes, service, redis::sentinel::SentinelServerType::Master)?
            .set_client_to_redis_db(primary.db())
            .set_client_to_redis_tls_mode(TlsMode::Secure)
            .set_client_to_redis_certificates(certificates.clone())
            .set_client_to_sentinel_certificates(certificates.clone());
    if let Some(name) = primary.username() {
        builder = builder.set_client_to_redis_username(name);
    }
    if let Some(password) = primary.password() {
        builder = builder.set_client_to_redis_password(password);
    }
    if let Some(name) = login.username() {
        builder = builder.set_client_to_sentinel_username(name);
    }
    if let Some(password) = login.password() {
        builder = builder.set_client_to_sentinel_password(password);
    }
    builder.build()
}
