//! Who is calling: the client's address behind proxies, API keys, tokens of monitors, origins of web pages.

mod address;
mod key_entry;
mod key_file;
mod key_ring;
mod origins;
mod token;

pub use address::{TrustedProxies, client_address};
pub use key_file::KeyFileError;
pub use key_ring::{KeyRing, hash};
pub use origins::Origins;

pub(crate) use token::Token;

use token::bearer;

use crate::{
    StartError,
    config::{AccessSettings, RequireKey, SettingError},
    limit::{Caller, PolicySet},
    listen::Encrypted,
    problem::{Kind, Problem},
};
use actix_web::{
    dev::ServiceRequest,
    http::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE},
};
use std::net::IpAddr;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Everything that decides who a request comes from and whether it may.
pub(crate) struct Access {
    keys: Option<KeyRing>,
    require: RequireKey,
    proxies: TrustedProxies,
    metrics_token: Token,
    pub(crate) origins: Origins,
}

impl Access {
    /// Reads the keys file and checks what the settings say together.
    pub(crate) fn prepare(settings: &AccessSettings, policies: &PolicySet) -> Result<Self, StartError> {
        let keys = settings.keys_file().map(|path| KeyRing::load(path, policies)).transpose()?;
        if keys.is_none() && settings.require_api_key != RequireKey::None {
            return Err(SettingError {
                variable: "REQUIRE_API_KEY",
                value: format!("{:?}", settings.require_api_key).to_lowercase(),
                reason: "there are no keys, so nobody could get in".to_owned(),
                remedy: "name a file of keys with API_KEYS_FILE, or say none",
            }
            .into());
        }
        Ok(Self {
            keys,
            require: settings.require_api_key,
            proxies: settings.trusted_proxies.clone(),
            metrics_token: Token::new(settings.metrics_token()?),
            origins: settings.cors_origins.clone(),
        })
    }

    /// A plan that an API key has and these policies do not.
    pub(crate) fn plan_missing(&self, policies: &PolicySet) -> Option<&str> {
        self.keys.as_ref()?.plan_missing(policies)
    }

    /// Whose request this is. A key that is sent must be a known one; without a keys file nothing is taken for a key.
    pub(crate) fn identify(&self, req: &ServiceRequest, method: &str) -> Result<Caller, Problem> {
        let address = self.client(req);
        let Some(keys) = &self.keys else { return Ok(Caller::by_address(address)) };
        let presented = match req.headers().get(&API_KEY) {
            Some(value) => Some(value.as_bytes()),
            None => bearer(req.headers()),
        };
        match presented {
            Some(key) => keys.find(key, address).ok_or_else(|| {
                let challenge = HeaderValue::from_static("Bearer realm=\"api\", error=\"invalid_token\"");
                unauthorized("this API key is not known", challenge)
            }),
            None if self.requires_key(method) => Err(unauthorized(
                "this request needs an API key; send it as X-API-Key or Authorization: Bearer",
                HeaderValue::from_static("Bearer realm=\"api\""),
            )),
            None => Ok(Caller::by_address(address)),
        }
    }

    /// Whether a request may read `/metrics`.
    pub(crate) fn admits_to_metrics(
        &self,
        headers: &actix_web::http::header::HeaderMap,
    ) -> Result<(), Problem> {
        if self.metrics_token.admits(headers) {
            return Ok(());
        }
        Err(unauthorized(
            "metrics need the token of METRICS_TOKEN; send it as Authorization: Bearer",
            HeaderValue::from_static("Bearer realm=\"metrics\""),
        ))
    }

    fn requires_key(&self, method: &str) -> bool {
        match self.require {
            RequireKey::None => false,
            RequireKey::Writes => matches!(method, "POST" | "PUT" | "PATCH" | "DELETE"),
            RequireKey::All => true,
        }
    }

    /// The address a request comes from; `None` in tests without a connection.
    pub(crate) fn client(&self, req: &ServiceRequest) -> Option<IpAddr> {
        let forwarded = req.headers().get_all(&FORWARDED_FOR).map(HeaderValue::as_bytes);
        Some(client_address(req.peer_addr()?.ip(), forwarded, &self.proxies))
    }

    /// `http` or `https`, as the client sent it: to us, or to the proxy that we trust to say so.
    pub(crate) fn scheme(&self, req: &ServiceRequest) -> &'static str {
        let said = req.headers().get_all(&FORWARDED_PROTO).next_back().map(HeaderValue::as_bytes);
        let said = said.filter(|_| req.peer_addr().is_some_and(|peer| self.proxies.contains(peer.ip())));
        match said.and_then(|list| list.rsplit(|byte| *byte == b',').next()).map(<[u8]>::trim_ascii) {
            Some(b"https") => "https",
            Some(b"http") => "http",
            _ if req.conn_data::<Encrypted>().is_some() => "https",
            _ => "http",
        }
    }
}

fn unauthorized(detail: &'static str, challenge: HeaderValue) -> Problem {
    Problem::new(Kind::Unauthorized, detail).header(WWW_AUTHENTICATE, challenge)
}
