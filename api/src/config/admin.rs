use super::error::SettingError;
use std::net::SocketAddr;

/// The admin listener.
#[derive(Debug, Clone, clap::Args)]
pub struct AdminSettings {
    /// Address and port of the admin listener, which serves custom metrics, faults and the drain
    #[arg(long, env, default_value = "127.0.0.1:8001", value_parser = super::server::address)]
    pub admin_listen: SocketAddr,

    /// Bearer token required by the admin listener; mandatory when it listens beyond loopback
    #[arg(long, env, hide_env_values = true)]
    pub admin_token: Option<String>,
}

impl AdminSettings {
    /// The token; an empty variable counts as unset, as compose files write it.
    ///
    /// # Errors
    /// When it cannot be sent in a header, or is missing while other machines can reach the listener. The message never
    /// contains the token.
    pub fn token(&self) -> Result<Option<&str>, SettingError> {
        let token = self.admin_token.as_deref().map(str::trim).filter(|token| !token.is_empty());
        match token {
            Some(token) if !token.bytes().all(|byte| byte.is_ascii_graphic()) => Err(SettingError {
                variable: "ADMIN_TOKEN",
                value: "…".to_owned(),
                reason: "contains characters that are invalid in a bearer token".to_owned(),
                remedy: "use visible ASCII without spaces, such as the output of `openssl rand -hex 24`",
            }),
            // An IPv4-mapped IPv6 address counts as its IPv4 address.
            None if !self.admin_listen.ip().to_canonical().is_loopback() => Err(SettingError {
                variable: "ADMIN_LISTEN",
                value: self.admin_listen.to_string(),
                reason:
                    "other machines could reach this address and inject faults, and ADMIN_TOKEN is not set"
                        .to_owned(),
                remedy: "set ADMIN_TOKEN, or listen on 127.0.0.1",
            }),
            token => Ok(token),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requires_a_token_beyond_loopback() {
        for (listen, token, expected) in [
            ("127.0.0.1:0", None, Ok(None)),
            ("127.9.9.9:0", Some(" "), Ok(None)),
            ("[::1]:0", Some("secret"), Ok(Some("secret"))),
            ("[::ffff:127.0.0.1]:0", None, Ok(None)),
            ("0.0.0.0:0", Some("secret"), Ok(Some("secret"))),
            ("0.0.0.0:8001", None, Err("ADMIN_LISTEN=0.0.0.0:8001: ")),
            ("[::]:0", Some(""), Err("set ADMIN_TOKEN, or listen on 127.0.0.1")),
            ("192.0.2.1:0", None, Err("ADMIN_TOKEN is not set")),
            ("127.0.0.1:0", Some("two words"), Err("ADMIN_TOKEN=…: ")),
            ("0.0.0.0:0", Some("süß"), Err("visible ASCII")),
        ] {
            let settings = AdminSettings {
                admin_listen: listen.parse().unwrap(),
                admin_token: token.map(str::to_owned),
            };
            match (settings.token(), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{listen} {token:?}"),
                (Err(error), Err(needle)) => {
                    let message = error.to_string();
                    assert!(message.contains(needle), "{listen} {token:?}: {message}");
                    assert!(!message.contains("words"), "the token stays secret: {message}");
                }
                (found, _) => panic!("{listen} {token:?}: {found:?}"),
            }
        }
    }
}
