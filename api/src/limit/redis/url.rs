//! `REDIS_URL`: one server, a Sentinel's primary, or a cluster.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisError};
use std::fmt;

const SENTINEL_PORT: u16 = 26_379;

/// Where Redis is.
#[derive(Clone)]
pub enum RedisUrl {
    /// `redis://[USER:PASSWORD@]HOST[:PORT][/DB]`, `unix:///PATH`; with `rediss://` over TLS, as in the other forms.
    Single(ConnectionInfo),
    /// `redis+sentinel://[USER:PASSWORD@]HOST[:PORT],…/SERVICE[/DB]`. The credentials are those of the primary; those
    /// of the Sentinels are the parameters `sentinel_username` and `sentinel_password`.
    Sentinel {
        /// The Sentinels.
        sentinels: Vec<ConnectionInfo>,
        /// The service name of the primary.
        service: String,
        /// Login and database of the primary.
        primary: RedisConnectionInfo,
    },
    /// `redis+cluster://[USER:PASSWORD@]HOST[:PORT],…`: some of its nodes, which know the others.
    Cluster(Vec<ConnectionInfo>),
}

/// An invalid URL. The message never contains the URL, which may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RedisUrlError(String);

impl From<RedisError> for RedisUrlError {
    fn from(error: RedisError) -> Self {
        Self(error.to_string())
    }
}

impl RedisUrl {
    /// Parses a URL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(url: &str) -> Result<Self, RedisUrlError> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let (scheme, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        if !matches!(scheme, "redis" | "rediss") || kind.is_empty() {
            if url.ends_with("#insecure") {
                return Err(wrong("#insecure would accept any certificate: set REDIS_TLS_CA instead"));
            }
            return info(url).map(Self::Single);
        }
        if kind == "sentinel" {
            return sentinel(scheme, rest);
        }
        if kind == "cluster" {
            let rest = rest.trim_end_matches('/');
            if rest.contains(['/', '?']) {
                return Err(wrong("a cluster has no numbered databases: remove the path after the hosts"));
            }
            return Ok(Self::Cluster(hosts(scheme, rest, 6379)?));
        }
        Err(wrong("the kind after + must be sentinel or cluster"))
    }

    /// Whether connections use TLS.
    pub fn is_encrypted(&self) -> bool {
        let node = match self {
            Self::Single(node) => Some(node),
            Self::Sentinel { sentinels: nodes, .. } | Self::Cluster(nodes) => nodes.first(),
        };
        node.is_some_and(|node| matches!(node.addr(), ConnectionAddr::TcpTls { .. }))
    }
}

fn sentinel(scheme: &str, rest: &str) -> Result<RedisUrl, RedisUrlError> {
    let missing = || wrong("the service name is missing: expected redis+sentinel://HOST:PORT/SERVICE");
    let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').ok_or_else(missing)?;
    let (service, database) = path.split_once('/').unwrap_or((path, ""));
    if service.is_empty() {
        return Err(missing());
    }
    let mut login = RedisConnectionInfo::default();
    for (name, value) in url::form_urlencoded::parse(parameters.as_bytes()) {
        login = match &*name {
            "sentinel_username" => login.set_username(value),
            "sentinel_password" => login.set_password(value),
            _ => {
                return Err(wrong(
                    "unknown parameter: only sentinel_username and sentinel_password are supported",
                ));
            }
        };
    }
    let nodes = hosts(scheme, authority, SENTINEL_PORT)?;
    let mut primary = nodes[0].redis_settings().clone();
    if !database.is_empty() {
        let number =
            database.parse().map_err(|_| wrong("the database after the service must be a number"))?;
        primary = primary.set_db(number);
    }
    let sentinels = nodes.into_iter().map(|node| node.set_redis_settings(login.clone())).collect();
    Ok(RedisUrl::Sentinel { sentinels, service: service.to_owned(), primary })
}

/// `[USER:PASSWORD@]HOST[:PORT],…`, each host with the credentials.
fn hosts(scheme: &str, authority: &str, default_port: u16) -> Result<Vec<ConnectionInfo>, RedisUrlError> {
    let (login, hosts) = authority
        .rsplit_once('@')
        .map_or(("", authority), |(_, hosts)| authority.split_at(authority.len() - hosts.len()));
    let host = |host: &str| {
        if host.is_empty() {
            return Err(wrong("a host between the commas is empty"));
        }
        // Only a colon after a closing bracket starts the port of an IPv6 address.
        let has_port = host.rsplit(']').next().is_some_and(|end| end.contains(':'));
        let port = if has_port { String::new() } else { format!(":{default_port}") };
        info(&format!("{scheme}://{login}{host}{port}"))
    };
    hosts.split(',').map(host).collect()
}

fn info(url: &str) -> Result<ConnectionInfo, RedisUrlError> {
    Ok(url.into_connection_info()?)
}

fn wrong(reason: impl Into<String>) -> RedisUrlError {
    RedisUrlError(reason.into())
}

impl fmt::Debug for RedisUrl {
    /// Shown without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single(node) => write!(f, "{}", node.addr()),
            Self::Sentinel { sentinels, service, .. } => {
                write!(f, "{service} of {} Sentinels", sentinels.len())
            }
            Self::Cluster(nodes) => write!(f, "a cluster with {} seed nodes", nodes.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(nodes: &[ConnectionInfo]) -> String {
        nodes.iter().map(|node| node.addr().to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn parses_every_form() {
        let RedisUrl::Single(node) = RedisUrl::parse("redis://user:p%40ss@cache:7000/3").unwrap() else {
            panic!("one server")
        };
        let login = node.redis_settings();
        assert_eq!((node.addr().to_string().as_str(), login.db()), ("cache:7000", 3));
        assert_eq!((login.username(), login.password()), (Some("user"), Some("p@ss")));

        let url = "redis+sentinel://:pa%2Css@s1,s2:26380,[::1]/main/2?sentinel_password=hush";
        let RedisUrl::Sentinel { sentinels, service, primary } = RedisUrl::parse(url).unwrap() else {
            panic!("Sentinels")
        };
        assert_eq!(addresses(&sentinels), "s1:26379 s2:26380 ::1:26379");
        assert_eq!((service.as_str(), primary.db(), primary.password()), ("main", 2, Some("pa,ss")));
        assert!(sentinels.iter().all(|node| node.redis_settings().password() == Some("hush")));
        assert!(sentinels.iter().all(|node| node.redis_settings().db() == 0));

        let RedisUrl::Cluster(nodes) = RedisUrl::parse("redis+cluster://u:p@a:1,b,c:3/").unwrap() else {
            panic!("a cluster")
        };
        assert_eq!(addresses(&nodes), "a:1 b:6379 c:3");
        assert!(nodes.iter().all(|node| node.redis_settings().username() == Some("u")));
        for (url, encrypted) in [
            ("redis://a", false),
            ("rediss://u:p@a:7000/3", true),
            ("redis+sentinel://a,b/main", false),
            ("rediss+sentinel://a,b/main", true),
            ("redis+cluster://a,b", false),
            ("rediss+cluster://a,b", true),
            ("unix:///run/redis.sock", false),
        ] {
            assert_eq!(RedisUrl::parse(url).unwrap().is_encrypted(), encrypted, "{url}");
        }
    }

    #[test]
    fn rejects_other_urls_without_showing_the_password() {
        for (url, needle) in [
            ("http://:hush@x", "not"),
            ("", "not"),
            ("redis+sentinel://:hush@s1:1", "SERVICE"),
            ("redis+sentinel://:hush@s1:1/", "SERVICE"),
            ("redis+sentinel://:hush@s1:1/main/two", "number"),
            ("redis+sentinel://:hush@s1/main?password=x", "sentinel_password"),
            ("redis+cluster://:hush@a,,b", "host"),
            ("redis+cluster://:hush@a,b/1", "databases"),
            ("redis+cluster://:hush@a:x", ""),
            ("redis+ring://:hush@a", "cluster"),
            ("rediss://:hush@a/#insecure", "REDIS_TLS_CA"),
        ] {
            let reason = RedisUrl::parse(url).unwrap_err().to_string();
            assert!(reason.contains(needle), "{url}: {reason}");
            assert!(!reason.contains("hush"), "{reason}");
        }
    }
}
