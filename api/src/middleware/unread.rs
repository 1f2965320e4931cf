//! Input that is not valid HTTP never becomes a request. It still gets a response, and is counted and logged.

use crate::{
    problem::{self, Kind, Problem},
    request::Identity,
    routes,
    state::State,
};
use actix_web::{body::MessageBody, http::StatusCode};
use std::time::Duration;

/// Records a refusal with this status; returns its header lines, each with its line end, and its body.
pub(crate) fn unread(state: &State, status: u16) -> (String, Vec<u8>) {
    let identity = Identity::fresh();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let (kind, detail) = match status {
        StatusCode::REQUEST_TIMEOUT => (Kind::RequestTimeout, "the request head was not complete in time"),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            (Kind::Other(status), "the request head is larger than this server accepts")
        }
        _ => (Kind::BadRequest, "not a valid HTTP request"),
    };
    let (route, method) = (routes::UNMATCHED, routes::OTHER_METHOD);
    state.metrics.errors.with_label_values(&[kind.label()]).inc();
    state.http.record_without_response(route, method, status.as_str(), Duration::ZERO);
    let (request_id, trace_id) = (identity.id.as_str(), tracing::field::display(identity.trace.id));
    tracing::info!(
        request_id,
        trace_id,
        method,
        route,
        status = status.as_u16(),
        "unreadable request rejected"
    );

    let mut response = problem::without_request(&Problem::new(kind, detail), identity.ids());
    identity.stamp(response.headers_mut(), true);
    let headers = response.headers().iter().filter_map(|(name, value)| Some((name, value.to_str().ok()?)));
    let headers = headers.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let body = response.into_body().try_into_bytes().map_or_else(|_| Vec::new(), |bytes| bytes.to_vec());
    (headers, body)
}
