use super::{
    address::{TrustedProxies, client_address},
    country::CountryHeader,
    host,
    key_ring::KeyRing,
    origins::Origins,
    token::{Token, bearer},
};
use crate::{
    limit::{Caller, PolicySet},
    listen::encrypted::Encrypted,
    problem::{Kind, Problem},
    toml_file::FileError,
};
use actix_web::{
    dev::{RequestHead, ServiceRequest},
    http::{
        Version,
        header::{HeaderName, HeaderValue, ORIGIN, WWW_AUTHENTICATE},
    },
};
use arc_swap::ArcSwap;
use std::{net::IpAddr, path::PathBuf, sync::Arc};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Requests that need an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum RequireKey {
    /// None; a key that is sent must still be valid.
    None,
    /// POST, PUT, PATCH and DELETE, and GET where it sets a gauge.
    Writes,
    /// All.
    All,
}

/// What a request does, for access control.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Act {
    pub writes: bool,
    pub unloads_model: bool,
}

/// Requests that may unload models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum MayUnload {
    /// Requests with an API key, because unloading a model fails the predictions of all clients.
    Keys,
    /// Every request that may write.
    Anyone,
}

/// Access control.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The key file; without one, API keys are ignored.
    pub keys_file: Option<PathBuf>,
    /// Requests that need an API key.
    pub require: RequireKey,
    /// Requests that may unload models.
    pub unload: MayUnload,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub proxies: TrustedProxies,
    /// The token that `/metrics` requires.
    pub metrics_token: Option<String>,
    /// Origins whose pages may call the API.
    pub origins: Origins,
    /// The header in which a trusted proxy names the client's country.
    pub country: CountryHeader,
}

/// The API keys in force, and their file.
struct Keys {
    path: PathBuf,
    ring: ArcSwap<KeyRing>,
}

/// Identifies the caller of a request and decides whether it is allowed.
pub(crate) struct Access {
    keys: Option<Keys>,
    require: RequireKey,
    unload: MayUnload,
    proxies: TrustedProxies,
    metrics_token: Token,
    pub(crate) origins: Origins,
    country: CountryHeader,
}

impl Access {
    /// Reads the key file.
    pub(crate) fn prepare(settings: Settings, policies: &PolicySet) -> Result<Self, FileError> {
        let Settings { keys_file, require, unload, proxies, metrics_token, origins, country } = settings;
        let keys = keys_file.map(|path| {
            let ring = ArcSwap::from_pointee(KeyRing::load(&path, policies)?);
            Ok(Keys { path, ring })
        });
        let keys = keys.transpose()?;
        let metrics_token = Token::new(metrics_token.as_deref());
        Ok(Self { keys, require, unload, proxies, metrics_token, origins, country })
    }

    /// A plan that an API key uses but these policies do not define.
    pub(crate) fn plan_missing(&self, policies: &PolicySet) -> Option<String> {
        self.keys.as_ref()?.ring.load().plan_missing(policies).map(str::to_owned)
    }

    /// Reads the key file again and checks it against these policies; `None` without a key file.
    pub(crate) fn read_keys(&self, policies: &PolicySet) -> Option<Result<KeyRing, FileError>> {
        self.keys.as_ref().map(|keys| KeyRing::load(&keys.path, policies))
    }

    /// Replaces the keys; returns how many there are.
    pub(crate) fn replace_keys(&self, ring: KeyRing) -> usize {
        let count = ring.len();
        if let Some(keys) = &self.keys {
            keys.ring.store(Arc::new(ring));
        }
        count
    }

    /// The caller of a request. A key that is sent must be valid; without a key file, keys are ignored.
    pub(crate) fn identify(&self, req: &ServiceRequest, act: Act) -> Result<Caller, Problem> {
        let address = self.client(req);
        let unloads = act.unloads_model && self.unload == MayUnload::Keys;
        let Some(keys) = &self.keys else {
            if unloads {
                let detail = "unloading a model needs an API key, and no keys are configured (API_KEYS_FILE, UNLOAD_MODELS)";
                return Err(Problem::new(Kind::Forbidden, detail));
            }
            return Ok(Caller::by_address(address));
        };
        let presented = match req.headers().get(&API_KEY) {
            Some(value) => Some(value.as_bytes()),
            None => bearer(req.headers()),
        };
        match presented {
            Some(key) => keys.ring.load().find(key, address).ok_or_else(|| {
                let challenge = HeaderValue::from_static("Bearer realm=\"api\", error=\"invalid_token\"");
                unauthorized("unknown API key", challenge)
            }),
            None if unloads || self.requires_key(act.writes) => Err(unauthorized(
                "this request needs an API key; send it as X-API-Key or Authorization: Bearer",
                HeaderValue::from_static("Bearer realm=\"api\""),
            )),
            None => Ok(Caller::by_address(address)),
        }
    }

    /// The caller that a request is charged to if it cannot be identified: its address.
    pub(crate) fn stranger(&self, req: &ServiceRequest) -> Caller {
        Caller::by_address(self.client(req))
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
            "/metrics requires METRICS_TOKEN; send it as Authorization: Bearer TOKEN",
            HeaderValue::from_static("Bearer realm=\"metrics\""),
        ))
    }

    /// Whether a request comes from a page whose origin may not call the API.
    pub(crate) fn is_foreign(&self, head: &RequestHead) -> bool {
        host::is_from_elsewhere(head) && self.origins.allow(head.headers.get(ORIGIN)).is_none()
    }

    fn requires_key(&self, is_write: bool) -> bool {
        match self.require {
            RequireKey::None => false,
            RequireKey::Writes => is_write,
            RequireKey::All => true,
        }
    }

    /// The address a request comes from; `None` in tests without a connection.
    pub(crate) fn client(&self, req: &ServiceRequest) -> Option<IpAddr> {
        let forwarded = req.headers().get_all(&FORWARDED_FOR).map(HeaderValue::as_bytes);
        Some(client_address(req.peer_addr()?.ip(), forwarded, &self.proxies))
    }

    /// The label of the client's country; `None` when countries are not counted.
    pub(crate) fn country<'a>(&self, req: &'a ServiceRequest) -> Option<&'a str> {
        let trusted = req.peer_addr().is_some_and(|peer| self.proxies.contains(peer.ip()));
        self.country.label(req.headers(), trusted)
    }

    /// The scheme the client used, `http` or `https`: towards the gateway, or towards a trusted proxy.
    pub(crate) fn scheme(&self, req: &ServiceRequest) -> &'static str {
        let forwarded = req.headers().get_all(&FORWARDED_PROTO).next_back().map(HeaderValue::as_bytes);
        let forwarded =
            forwarded.filter(|_| req.peer_addr().is_some_and(|peer| self.proxies.contains(peer.ip())));
        match forwarded.and_then(|list| list.rsplit(|byte| *byte == b',').next()).map(<[u8]>::trim_ascii) {
            Some(b"https") => "https",
            Some(b"http") => "http",
            // HTTP/2 is served over TLS only.
            _ if req.version() == Version::HTTP_2 || req.conn_data::<Encrypted>().is_some() => "https",
            _ => "http",
        }
    }
}

fn unauthorized(detail: &'static str, challenge: HeaderValue) -> Problem {
    Problem::new(Kind::Unauthorized, detail).header(WWW_AUTHENTICATE, challenge)
}
