//! One HTTP client per system: a time limit on every call, connections kept, no proxy, errors in words.

use std::error::Error;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use url::Url;

use super::SystemError;

/// How long one call may take, from connecting to the last byte.
pub(super) const CALL_LIMIT: Duration = Duration::from_secs(5);
/// Idle connections are dropped before the usual servers would drop them, so that a call never meets a closed one.
const IDLE_LIMIT: Duration = Duration::from_secs(2);
/// As much of a foreign error page as a person wants to read.
const MAX_REASON_CHARS: usize = 300;

/// Calls to one system below one base URL; clones share connections.
#[derive(Debug, Clone)]
pub(super) struct Http {
    system: &'static str,
    base: Url,
    client: Client,
}

impl Http {
    pub(super) fn new(system: &'static str, base: &Url) -> Result<Self, SystemError> {
        let fail = |reason: String| SystemError { system, url: base.to_string(), reason };
        if base.scheme() != "http" || base.host_str().is_none_or(str::is_empty) {
            return Err(fail("expected an address such as http://127.0.0.1:9090".to_owned()));
        }
        let client = Client::builder()
            .no_proxy()
            .timeout(CALL_LIMIT)
            .pool_idle_timeout(IDLE_LIMIT)
            .user_agent(concat!("loadgen/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| fail(words(&error)))?;
        Ok(Self { system, base: base.clone(), client })
    }

    /// The body of a 2xx answer to `GET path`, put through `parse`.
    pub(super) async fn get<T>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, SystemError> {
        let url = self.url(path);
        let request = self.client.get(url.clone());
        let request = if query.is_empty() { request } else { request.query(query) };
        self.call(&url, request, parse).await
    }

    /// As [`Self::get`], with a form as the body: expressions can be longer than an address may be.
    pub(super) async fn post_form<T>(
        &self,
        path: &str,
        form: &[(&str, &str)],
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, SystemError> {
        let url = self.url(path);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self
            .client
            .post(url.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        self.call(&url, request, parse).await
    }

    /// `PUT path` with a JSON body.
    pub(super) async fn put_json(&self, path: &str, body: &Value) -> Result<(), SystemError> {
        let url = self.url(path);
        let request = self.client.put(url.clone()).json(body);
        self.call(&url, request, |_| Ok(())).await
    }

    /// `DELETE path`; what is not there counts as deleted.
    pub(super) async fn delete(&self, path: &str) -> Result<(), SystemError> {
        let url = self.url(path);
        let fail = |reason| SystemError { system: self.system, url: url.to_string(), reason };
        let response = self.client.delete(url.clone()).send().await.map_err(|error| fail(words(&error)))?;
        let status = response.status();
        if status.is_success() || status == reqwest::StatusCode::NOT_FOUND {
            Ok(())
        } else {
            Err(fail(format!("answered {status}")))
        }
    }

    async fn call<T>(
        &self,
        url: &Url,
        request: RequestBuilder,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, SystemError> {
        let fail = |reason| SystemError { system: self.system, url: url.to_string(), reason };
        let response = request.send().await.map_err(|error| fail(words(&error)))?;
        let status = response.status();
        let body = response.text().await.map_err(|error| fail(words(&error)))?;
        if status.is_success() {
            parse(&body).map_err(fail)
        } else {
            Err(fail(format!("answered {status}: {}", message(&body))))
        }
    }

    /// `path` below the base, whatever path the base itself has.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url.set_query(None);
        url.set_fragment(None);
        url
    }
}

/// What an error body says: JSON's `error` or `message`, a JSON string, else the text.
fn message(body: &str) -> String {
    let said = match serde_json::from_str::<Value>(body) {
        Ok(Value::String(text)) => Some(text),
        Ok(Value::Object(map)) => {
            ["error", "message", "detail"].iter().find_map(|key| map.get(*key)?.as_str().map(str::to_owned))
        }
        _ => None,
    };
    let text = said.unwrap_or_else(|| body.trim().to_owned());
    match text.char_indices().nth(MAX_REASON_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None if text.is_empty() => "(no body)".to_owned(),
        None => text,
    }
}

/// The whole chain of causes, without the address, which stands beside it already.
fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", CALL_LIMIT.as_secs());
    }
    let mut words = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = error.to_string();
        cause = error.source();
    }
    if words.is_empty() { error.to_string() } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_below_the_base() {
        for (base, url) in [
            ("http://127.0.0.1:9090", "http://127.0.0.1:9090/-/ready"),
            ("http://127.0.0.1:9090/", "http://127.0.0.1:9090/-/ready"),
            ("http://proxy/prometheus/?x=1#y", "http://proxy/prometheus/-/ready"),
        ] {
            let http = Http::new("Prometheus", &Url::parse(base).unwrap()).unwrap();
            assert_eq!(http.url("/-/ready").as_str(), url, "{base}");
        }
    }

    #[test]
    fn refuses_addresses_it_cannot_ask() {
        for base in ["https://127.0.0.1", "file:///tmp", "mailto:a@b.example"] {
            let error = Http::new("inbox", &Url::parse(base).unwrap()).unwrap_err().to_string();
            assert!(error.contains(base) && error.contains("http://127.0.0.1:9090"), "{error}");
        }
    }

    #[test]
    fn error_bodies_give_their_message() {
        for (body, expected) in [
            (r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#, "parse error"),
            (r#"{"code":601,"message":"bad filter"}"#, "bad filter"),
            (r#""silence not found""#, "silence not found"),
            ("Service Unavailable\n", "Service Unavailable"),
            ("", "(no body)"),
            ("[1]", "[1]"),
        ] {
            assert_eq!(message(body), expected, "{body}");
        }
        assert_eq!(message(&"é".repeat(400)).chars().count(), MAX_REASON_CHARS + 1);
    }

    #[tokio::test]
    async fn nobody_listening_is_an_error_with_the_address() {
        // The first port, of a service nobody runs.
        let http = Http::new("Prometheus", &Url::parse("http://127.0.0.1:1").unwrap()).unwrap();
        let error = http.get("/-/ready", &[], |_| Ok(())).await.unwrap_err().to_string();
        assert!(error.starts_with("Prometheus at http://127.0.0.1:1/-/ready: "), "{error}");
        assert!(error.contains("refused"), "{error}");
    }
}
