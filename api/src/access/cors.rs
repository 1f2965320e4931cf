//! CORS: off unless origins are named. A layer that only adds headers, outside of all others, so that refusals and
//! errors of every layer can be read by the page that asked. A preflight is answered by the route itself, whose
//! `Allow` says which methods there are; it is exempt from limits and keys like every OPTIONS.

use crate::state::State;
use actix_web::{
    Error, HttpResponse, ResponseError,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ALLOW,
            HeaderMap, HeaderValue, ORIGIN, VARY,
        },
    },
    middleware::Next,
    web,
};
use std::{fmt, str::FromStr};

/// Headers a page may send.
const SENDABLE: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Traceparent, X-API-Key, X-Request-Id",
);
/// Headers a page may read beyond the few it always may.
const READABLE: HeaderValue = HeaderValue::from_static(
    "Allow, ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-RateLimit-Limit, \
     X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id",
);
/// Seconds a browser may keep the answer to a preflight.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Which web origins may call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Origins {
    /// CORS is off.
    #[default]
    None,
    /// Every origin.
    Any,
    /// These, as browsers write them.
    Named(Vec<String>),
}

impl FromStr for Origins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let entries: Vec<&str> = text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
        match entries[..] {
            [] => Ok(Self::None),
            ["*"] => Ok(Self::Any),
            _ => entries.into_iter().map(origin).collect::<Result<_, _>>().map(Self::Named),
        }
    }
}

/// Checks that an entry is written exactly as a browser would: it is compared as text.
fn origin(entry: &str) -> Result<String, String> {
    if entry == "*" {
        return Err("* stands for every origin and must stand alone".to_owned());
    }
    let expected = || {
        format!("\"{entry}\" is no origin; expected such as https://app.example.com, without path or final /")
    };
    let host =
        entry.strip_prefix("https://").or_else(|| entry.strip_prefix("http://")).ok_or_else(expected)?;
    let written_as_sent = !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
        && !host.contains(['/', '?', '#', '@', '*', '"']);
    // Browsers leave the scheme's own port out.
    let usual_port = if entry.starts_with("https:") { ":443" } else { ":80" };
    if written_as_sent && !host.ends_with(usual_port) { Ok(entry.to_owned()) } else { Err(expected()) }
}

impl Origins {
    /// Whether CORS is on.
    pub fn are_named(&self) -> bool {
        *self != Self::None
    }

    /// The value of `Access-Control-Allow-Origin` for a request from `origin`; `None` where it may not.
    fn allow(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        match (self, origin) {
            (Self::Any, Some(_)) => Some(HeaderValue::from_static("*")),
            (Self::Named(named), Some(origin)) if named.iter().any(|name| name.as_bytes() == origin) => {
                Some(origin.clone())
            }
            _ => None,
        }
    }
}

/// What to add to one answer.
#[derive(Debug)]
struct Additions {
    allow: Option<HeaderValue>,
    preflight: bool,
    vary: bool,
}

impl Additions {
    fn write(&self, status: StatusCode, headers: &mut HeaderMap) {
        if self.vary {
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        let Some(allow) = &self.allow else { return };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allow.clone());
        if !self.preflight {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, READABLE);
        } else if status.is_success()
            && let Some(methods) = headers.get(ALLOW).cloned()
        {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, SENDABLE);
            headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
    }
}

/// The layer itself, for `middleware::from_fn`, outside of all others.
pub(crate) async fn layer<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let state = req.app_data::<web::Data<State>>().expect("the server registers its state");
    let origins = &state.access.origins;
    let origin = req.headers().get(ORIGIN);
    let asks = req.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let additions = Additions {
        allow: origins.allow(origin),
        preflight: asks && req.method() == Method::OPTIONS,
        vary: matches!(origins, Origins::Named(_)),
    };
    match next.call(req).await {
        Ok(mut response) => {
            additions.write(response.status(), response.headers_mut());
            Ok(response)
        }
        Err(error) => Err(Readable { error, additions }.into()),
    }
}

/// An error without a response yet (a handler that panicked), readable by the page.
#[derive(Debug)]
struct Readable {
    error: Error,
    additions: Additions,
}

impl fmt::Display for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl ResponseError for Readable {
    fn status_code(&self) -> StatusCode {
        self.error.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.error.error_response();
        self.additions.write(response.status(), response.headers_mut());
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_exact() {
        let named: Origins = "https://a.example, http://localhost:5173".parse().unwrap();
        for (origin, allowed) in [
            ("https://a.example", true),
            ("http://localhost:5173", true),
            ("http://a.example", false),
            ("https://a.example:8443", false),
            ("https://a.example.evil", false),
            ("null", false),
        ] {
            let value = HeaderValue::from_static(origin);
            assert_eq!(named.allow(Some(&value)), allowed.then_some(value.clone()), "{origin}");
        }
        assert_eq!(named.allow(None), None);
        let any: Origins = "*".parse().unwrap();
        assert_eq!(any.allow(Some(&HeaderValue::from_static("null"))), Some(HeaderValue::from_static("*")));
        assert_eq!("".parse(), Ok(Origins::None));
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        for text in [
            "a.example",
            "https://a.example/",
            "https://A.example",
            "https://",
            "null",
            "*,https://a.example",
            "https://a.example:443",
            "http://a.example:80",
            "https://*.example",
            "ftp://a.example",
            "https://a b",
        ] {
            let reason = text.parse::<Origins>().unwrap_err();
            assert!(
                reason.contains("https://app.example.com") || reason.contains("alone"),
                "{text}: {reason}"
            );
        }
    }
}
