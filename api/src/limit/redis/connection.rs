//! A connection to any kind of Redis, and its source.

use super::url::RedisUrl;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, Pipeline, RedisError, RedisFuture, TlsCertificates,
    TlsMode, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster::{ClusterClient, ClusterClientBuilder},
    cluster_async::ClusterConnection,
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
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

/// Where connections come from.
pub(super) enum Source {
    Single(Client, AsyncConnectionConfig),
    // The client remembers which Sentinel responded last.
    Sentinel(Mutex<SentinelClient>, AsyncConnectionConfig),
    Cluster(ClusterClient),
}

impl Source {
    /// A source of connections for decisions with this deadline. `certificates` are used with an encrypted URL.
    pub(super) fn new(
        url: RedisUrl,
        certificates: &TlsCertificates,
        deadline: Duration,
    ) -> Result<Self, RedisError> {
        if url.is_encrypted() {
            // Redis's client takes the provider of the process. If another one is installed, that one serves as well.
            let _ = ring::default_provider().install_default();
        }
        // No response timeout: every call has its own limit.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(connect_limit(deadline)))
            .set_response_timeout(None);
        let encrypted = url.is_encrypted();
        Ok(match url {
            RedisUrl::Single(node) if encrypted => {
                Self::Single(Client::build_with_tls(node, certificates.clone())?, config)
            }
            RedisUrl::Single(node) => Self::Single(Client::open(node)?, config),
            RedisUrl::Sentinel { sentinels, service, primary } => {
                let login =
                    sentinels.first().map(ConnectionInfo::redis_settings).cloned().unwrap_or_default();
                let nodes = sentinels.iter().map(|node| node.addr().clone());
                let mut builder = SentinelClientBuilder::new(nodes, service, SentinelServerType::Master)?
                    .set_client_to_redis_db(primary.db());
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
                if encrypted {
                    builder = builder
                        .set_client_to_redis_tls_mode(TlsMode::Secure)
                        .set_client_to_redis_certificates(certificates.clone())
                        .set_client_to_sentinel_certificates(certificates.clone());
                }
                Self::Sentinel(Mutex::new(builder.build()?), config)
            }
            RedisUrl::Cluster(nodes) => {
                let builder = ClusterClientBuilder::new(nodes);
                let builder = if encrypted { builder.certs(certificates.clone()) } else { builder };
                Self::Cluster(builder.build()?)
            }
        })
    }

    /// A new connection. The caller limits the time.
    pub(super) async fn connect(&self) -> Result<Connection, RedisError> {
        Ok(match self {
            Self::Single(client, config) => {
                Connection::Node(client.get_multiplexed_async_connection_with_config(config).await?)
            }
            Self::Sentinel(client, config) => {
                Connection::Node(client.lock().await.get_async_connection_with_config(config).await?)
            }
            Self::Cluster(client) => Connection::Cluster(client.get_async_connection().await?),
        })
    }
}
