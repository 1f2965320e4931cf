//! An HTTP client for one system: a timeout on every call, kept-alive connections, no redirects, readable errors. It does
//! not use reqwest, whose TLS features would force a crypto provider on every other crate of the build.

use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, PROXY_AUTHORIZATION, USER_AGENT};
use hyper::http::response::Parts;
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::authorization::{Access, Authorization};
use crate::config::HttpConfig;
use crate::connector::{Connector, Proxies};
use crate::error::{Reason, SystemError};
use crate::headers::HeaderConfig;
use crate::problem::{errors, message};
use crate::{address, body, reason};
use common::tls;

/// Timeout of one call, from connecting to the last byte.
pub const CALL_LIMIT: Duration = Duration::from_secs(5);
/// Idle connections are closed before common servers close them, so that a call never uses a closed one.
const IDLE_LIMIT: Duration = Duration::from_secs(2);

/// A client for one base URL; clones share connections.
#[derive(Debug, Clone)]
pub struct Http {
    system: &'static str,
    /// The base URL without user and password.
    base: Url,
    authorization: Authorization,
    headers: HeaderConfig,
    proxies: Proxies,
    client: Client<HttpsConnector<Connector>, Full<Bytes>>,
}

impl Http {
    /// Uses user and password of the address, or else the token file of `access`, if given.
    pub fn new(
        system: &'static str,
        address: &Url,
        config: &HttpConfig,
        access: Access<'_>,
    ) -> Result<Self, SystemError> {
        let fail = |reason| SystemError { system, url: address::redacted(address.as_str()), reason };
        let tls = match address.scheme() {
            "https" => config.trust.client_as(config.identity.as_ref()),
            "http" => tls::untrusting(),
            _ => return Err(fail(Reason::Scheme)),
        };
        let mut base = address.clone();
        let authorization = Authorization::of(&mut base, access).map_err(fail)?;
        let headers = access.headers();
        // Reports an unreadable file now and not in the middle of a drill.
        authorization.header().map_err(fail)?;
        headers.add(&mut HeaderMap::new()).map_err(fail)?;
        let proxies = Proxies::of_environment();
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls.map_err(|error| fail(error.into()))?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(Connector { tcp, proxies: proxies.clone() });
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_LIMIT)
            .build(connector);
        Ok(Self { system, base, authorization, headers, proxies, client })
    }

    /// The same for what is below `path`, which belongs to a system with this name.
    pub fn below(&self, path: &str, system: &'static str) -> Self {
        Self { base: self.url(path), system, ..self.clone() }
    }

    /// The same without the path of the base URL; `None` if it has none.
    pub fn root(&self) -> Option<Self> {
        let mut base = self.base.clone();
        base.set_path("");
        (self.base.path().len() > 1).then(|| Self { base, ..self.clone() })
    }

    /// An error of the system itself.
    pub fn error(&self, reason: Reason) -> SystemError {
        self.fail(&self.base, reason)
    }

    /// Sends `GET path` and parses the body of a 2xx response.
    pub async fn get<T>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        parse: impl FnOnce(&str) -> Result<T, Reason>,
    ) -> Result<T, SystemError> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.call(Method::GET, &url, None, parse).await
    }

    /// Sends `POST path` with a form, as expressions may be too long for a URL, and parses the body of a 2xx response.
    pub async fn post_form<T>(
        &self,
        path: &str,
        form: &[(&str, &str)],
        parse: impl FnOnce(&str) -> Result<T, Reason>,
    ) -> Result<T, SystemError> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let body = Some(("application/x-www-form-urlencoded", body));
        self.call(Method::POST, &self.url(path), body, parse).await
    }

    /// Sends `PUT path` with a JSON body.
    pub async fn put_json(&self, path: &str, body: &Value) -> Result<(), SystemError> {
        let body = Some(("application/json", body.to_string()));
        self.call(Method::PUT, &self.url(path), body, |_| Ok(())).await
    }

    /// Sends `PUT path` with a JSON body that should be rejected, and returns the `errors` of the problem response;
    /// none when the body is accepted.
    pub async fn put_refused(&self, path: &str, body: &Value) -> Result<Vec<String>, SystemError> {
        let url = self.url(path);
        let sent = Some(("application/json", body.to_string()));
        let (head, body) = self.send(Method::PUT, &url, sent).await?;
        if head.status.is_success() {
            return Ok(Vec::new());
        }
        let listed = errors(&serde_json::from_str(&body).unwrap_or(Value::Null));
        if listed.is_empty() { Err(self.fail(&url, self.refusal(&head, &body))) } else { Ok(listed) }
    }

    /// Sends `PUT path` with a JSON body. Returns the parsed body of a 409 response, if that is the result.
    pub async fn put_unless<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<Option<T>, SystemError> {
        let url = self.url(path);
        let sent = Some(("application/json", body.to_string()));
        let (head, body) = self.send(Method::PUT, &url, sent).await?;
        match head.status {
            StatusCode::CONFLICT => {
                serde_json::from_str(&body).map(Some).map_err(|error| self.fail(&url, error.into()))
            }
            status if status.is_success() => Ok(None),
            _ => Err(self.fail(&url, self.refusal(&head, &body))),
        }
    }

    /// Sends `DELETE path`. A 404 counts as success.
    pub async fn delete(&self, path: &str) -> Result<(), SystemError> {
        let url = self.url(path);
        let (head, body) = self.send(Method::DELETE, &url, None).await?;
        if head.status.is_success() || head.status == StatusCode::NOT_FOUND {
            Ok(())
        } else {
            Err(self.fail(&url, self.refusal(&head, &body)))
        }
    }

    async fn call<T>(
        &self,
        method: Method,
        url: &Url,
        body: Option<(&'static str, String)>,
        parse: impl FnOnce(&str) -> Result<T, Reason>,
    ) -> Result<T, SystemError> {
        let (head, body) = self.send(method, url, body).await?;
        let parsed = if head.status.is_success() { parse(&body) } else { Err(self.refusal(&head, &body)) };
        parsed.map_err(|reason| self.fail(url, reason))
    }

    async fn send(
        &self,
        method: Method,
        url: &Url,
        body: Option<(&'static str, String)>,
    ) -> Result<(Parts, String), SystemError> {
        self.exchange(method, url, body).await.map_err(|reason| self.fail(url, reason))
    }

    async fn exchange(
        &self,
        method: Method,
        url: &Url,
        body: Option<(&'static str, String)>,
    ) -> Result<(Parts, String), Reason> {
        let mut request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .header(USER_AGENT, concat!("loadgen/", env!("CARGO_PKG_VERSION")));
        if let Some(value) = self.authorization.header()? {
            request = request.header(AUTHORIZATION, value);
        }
        let body = match body {
            Some((kind, text)) => {
                request = request.header(CONTENT_TYPE, kind);
                Full::from(text)
            }
            None => Full::default(),
        };
        let mut request = request.body(body).map_err(|error| Reason::Request(error.to_string()))?;
        if let Some(value) = self.proxies.authorization(request.uri()) {
            request.headers_mut().insert(PROXY_AUTHORIZATION, value);
        }
        self.headers.add(request.headers_mut())?;
        let response = async {
            let response = self.client.request(request).await.map_err(|error| reason::of(&error))?;
            let (head, body) = response.into_parts();
            Ok((head, body::read(body).await?))
        };
        let late = |_| Err(Reason::Late(CALL_LIMIT.as_secs()));
        tokio::time::timeout(CALL_LIMIT, response).await.unwrap_or_else(late)
    }

    fn fail(&self, url: &Url, reason: Reason) -> SystemError {
        let mut url = url.clone();
        url.set_query(None);
        SystemError { system: self.system, url: url.into(), reason }
    }

    /// The error of a response other than 2xx, with a remedy if known.
    fn refusal(&self, head: &Parts, body: &str) -> Reason {
        let status = head.status;
        if status == StatusCode::UNAUTHORIZED {
            let remedy = self.authorization.remedy();
            return Reason::Refused(format!("responded {status}: {}; {remedy}", message(body)));
        }
        Reason::Refused(match head.headers.get(LOCATION).and_then(|value| value.to_str().ok()) {
            Some(location) if status.is_redirection() => {
                let location = address::redacted(location.split('?').next().unwrap_or_default());
                format!("responded {status}, a redirect to {location}: use the final address")
            }
            _ => format!("responded {status}: {}", message(body)),
        })
    }

    /// `path` appended to the base URL.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url.set_query(None);
        url.set_fragment(None);
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(base: &str) -> Http {
        Http::new("Prometheus", &Url::parse(base).unwrap(), &HttpConfig::default(), Access::Address).unwrap()
    }

    #[test]
    fn appends_paths_to_the_base() {
        for (base, url) in [
            ("http://127.0.0.1:9090", "http://127.0.0.1:9090/-/ready"),
            ("http://127.0.0.1:9090/", "http://127.0.0.1:9090/-/ready"),
            ("http://proxy/prometheus/?x=1#y", "http://proxy/prometheus/-/ready"),
            ("https://me:secret@proxy", "https://proxy/-/ready"),
        ] {
            assert_eq!(http(base).url("/-/ready").as_str(), url, "{base}");
        }
    }

    #[test]
    fn rejects_unusable_addresses() {
        for (base, shown) in [
            ("file:///tmp", "file:///tmp"),
            ("me:secret@b.example", "…@b.example"),
            ("ftp://me:secret@b.example", "ftp://…@b.example"),
        ] {
            let error =
                Http::new("inbox", &Url::parse(base).unwrap(), &HttpConfig::default(), Access::Address)
                    .unwrap_err();
            let error = error.to_string();
            assert!(error.starts_with(&format!("inbox at {shown}")), "{error}");
            assert!(error.contains("http://127.0.0.1:9090") && !error.contains("secret"), "{error}");
        }
        let trust = common::tls::Trust::File("/no/such/file.pem".into());
        let none = HttpConfig { trust, ..HttpConfig::default() };
        let error = Http::new("inbox", &Url::parse("https://b.example").unwrap(), &none, Access::Address)
            .unwrap_err();
        assert!(error.to_string().contains("--cacert /no/such/file.pem: "), "{error}");
    }

    #[tokio::test]
    async fn connection_error_names_the_address() {
        // Nothing listens on port 1.
        let error = http("http://me:secret@127.0.0.1:1")
            .get("/-/ready", &[], |_| Ok(()))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("Prometheus at http://127.0.0.1:1/-/ready: "), "{error}");
        assert!(error.contains("refused"), "{error}");
    }
}
