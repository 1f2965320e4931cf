//! CORS: off unless origins are configured. The layer only adds headers. It is outside of all others, so that a page
//! can read the refusals and errors of every layer. The route itself responds to a preflight, with its methods in
//! `Allow`; like every OPTIONS request it is exempt from limits and keys.

use crate::{access::Origins, state::State};
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
use std::fmt;

/// Headers a page may send.
const SENDABLE: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Traceparent, X-API-Key, X-Request-Id",
);
/// Headers a page may read beyond the default ones.
const READABLE: HeaderValue = HeaderValue::from_static(
    "Allow, ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-RateLimit-Limit, \
     X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id",
);
/// Seconds a browser may cache the response to a preflight.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// What to add to one response.
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
    let has_method = req.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let additions = Additions {
        allow: origins.allow(origin),
        preflight: has_method && req.method() == Method::OPTIONS,
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

/// An error without a response yet (a handler that panicked), made readable for the page.
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
