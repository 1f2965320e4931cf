//! The admin listener's outermost layer: an id and a log line for every request, a problem body for every error, and
//! the token check. It is a small variant of the public layer, without the metrics.

use super::broken::Broken;
use crate::{
    access::Token,
    problem::{self, Kind, Problem},
    request::Identity,
    routes,
};
use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{HOST, HeaderValue, ORIGIN, WWW_AUTHENTICATE},
        uri::Authority,
    },
    middleware::Next,
    web,
};
use futures_util::FutureExt;
use std::{borrow::Cow, net::IpAddr, panic::AssertUnwindSafe, time::Instant};
use tracing::field::display;

/// The layer itself, for `middleware::from_fn`.
pub(crate) async fn layer<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let identity = Identity::of(&req, None);
    let (request_id, trace_id) = (identity.id.as_str(), display(identity.trace.id));
    let method = req.method().clone();
    let path = req.path().to_owned();
    let served = async {
        match refusal(&req) {
            Some(problem) => Ok(req.error_response(problem)),
            None => Ok(next.call(req).await?.map_into_boxed_body()),
        }
    };
    let failed = |cause: &str| {
        tracing::error!(request_id, trace_id, %method, path, cause, "admin request failed");
        Broken::new(identity.clone(), None).into()
    };
    let response: ServiceResponse<BoxBody> = match AssertUnwindSafe(served).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            let error: Error = error;
            return Err(failed(&error.to_string()));
        }
        Err(_) => return Err(failed("the handler panicked")),
    };
    let (mut response, rendered) = problem::for_request(response, identity.ids());
    identity.stamp(response.headers_mut(), rendered.is_some());
    let (status, cause) = (response.status().as_u16(), rendered.and_then(|rendered| rendered.cause));
    let duration_ms = started.elapsed().as_micros() as f64 / 1000.0;
    // A scrape every few seconds is not worth a line at info; a change is.
    if method.is_safe() && status < 400 {
        tracing::debug!(request_id, trace_id, %method, path, status, duration_ms, "admin request");
    } else {
        tracing::info!(request_id, trace_id, %method, path, status, duration_ms, cause, "admin request");
    }
    Ok(response)
}

fn refusal(req: &ServiceRequest) -> Option<Problem> {
    // Any page can make a browser send a plain POST to loopback; browsers name the page's origin.
    if !req.method().is_safe() && req.headers().contains_key(ORIGIN) {
        let detail = "the admin listener accepts no changes from web pages; send the request without Origin";
        return Some(Problem::new(Kind::Other(StatusCode::FORBIDDEN), detail));
    }
    let token = req.app_data::<web::Data<Token>>().expect("the admin server registers its token");
    // Without a token, a page that pointed its own host name at loopback (DNS rebinding) could read faults and metrics.
    if !token.is_set()
        && let Some(host) = foreign_host(req)
    {
        let detail = format!(
            "host name `{host}` is not allowed without an admin token: use an IP address or localhost, or set ADMIN_TOKEN"
        );
        return Some(Problem::new(Kind::Other(StatusCode::FORBIDDEN), detail));
    }
    // An orchestrator's probes have no token.
    if [routes::LIVEZ.path, routes::READYZ.path].contains(&req.path()) || token.admits(req.headers()) {
        return None;
    }
    let detail = "send the admin token as Authorization: Bearer TOKEN";
    Some(
        Problem::new(Kind::Unauthorized, detail)
            .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"admin\"")),
    )
}

/// The host name of the request, if it is neither an IP address nor `localhost`, which no page can point elsewhere.
fn foreign_host(req: &ServiceRequest) -> Option<String> {
    let is_own = |host: &str| {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host().trim_matches(['[', ']']);
        name.parse::<IpAddr>().is_ok() || name.eq_ignore_ascii_case("localhost")
    };
    let mut hosts = req.headers().get_all(HOST).map(|host| String::from_utf8_lossy(host.as_bytes()));
    hosts.find(|host| !is_own(host)).map(Cow::into_owned)
}
