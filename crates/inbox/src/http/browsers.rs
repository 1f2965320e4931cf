//! Requests by web pages. The inbox has no login, so a browser on its network could forge, read and silence notifications
//! for any page it shows.
//!
//! A page cannot hide where it comes from: browsers send `Origin` with every request but GET and HEAD
//! (<https://fetch.spec.whatwg.org/#origin-header>), and the page's host name in `Host`.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, HeaderName, ORIGIN};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::receivers::channel::{self, text};
use crate::store::state::State;
use clients::inbox::Channel;
use common::allowed_hosts::AllowedHosts;

/// Refuses changes by other sites' pages, and requests under a host name that is not allowed.
pub(crate) async fn refuse_foreign_pages<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let state = request.app_data::<Data<State>>().expect("the server registers its state");
    match refusal(&request, &state.allowed_hosts) {
        Some(reason) => {
            let response = text(StatusCode::FORBIDDEN, &reason);
            Ok(request.into_response(response).map_into_right_body())
        }
        None => next.call(request).await.map(ServiceResponse::map_into_left_body),
    }
}

fn refusal(request: &ServiceRequest, allowed: &AllowedHosts) -> Option<String> {
    let hosts = values(request, HOST);
    let is_own = |origin: &String| matches!(&hosts[..], [host] if allowed.is_own(origin, host));
    if !request.method().is_safe()
        && let Some(origin) = values(request, ORIGIN).iter().find(|origin| !is_own(origin))
    {
        return Some(format!(
            "requests from pages of other sites may not change anything; this one is from `{origin}`"
        ));
    }
    // Whoever configures a receiver may call the inbox what they like; the check above holds for browsers.
    if request.method() == actix_web::http::Method::POST && is_receiver(request.path()) {
        return None;
    }
    let host = hosts.iter().find(|host| !allowed.allow(host))?;
    Some(format!(
        "host name `{host}` is not allowed: use an IP address or localhost, or start the inbox with --allow-host NAME"
    ))
}

fn is_receiver(path: &str) -> bool {
    Channel::ALL.iter().any(|channel| channel::paths(*channel).contains(&path))
}

/// The values of a header. A value that is not text cannot be a host name; it is kept in its display form.
fn values(request: &ServiceRequest, name: HeaderName) -> Vec<String> {
    request
        .headers()
        .get_all(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect()
}
