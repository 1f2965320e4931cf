//! Serializes errors.

use super::{
    detail::{FieldError, Problem},
    kind::Kind,
};
use crate::request::ids::Ids;
use actix_web::{
    HttpResponse,
    body::{BoxBody, MessageBody},
    dev::ServiceResponse,
    http::header::{CONTENT_TYPE, HeaderValue},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// The media type of every error.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

// The members are in reading order.
/// An error (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Body<'a> {
    /// A registered problem type, or `about:blank`.
    r#type: &'static str,
    /// The status in words.
    title: &'a str,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened and how to fix it.
    detail: &'a str,
    /// The id in `X-Request-Id`, by which the log line of the request is found.
    request_id: &'a str,
    /// The trace of the request: the caller's from `traceparent`, or a new one.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    trace_id: String,
    /// Every invalid field.
    #[schema(required = false)]
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(flatten)]
    members: serde_json::Map<String, Value>,
}

fn bytes(problem: &Problem, ids: Ids<'_>) -> Vec<u8> {
    let status = problem.kind.status();
    let body = Body {
        r#type: problem.kind.type_uri(),
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        detail: &problem.detail,
        request_id: ids.request,
        trace_id: ids.trace.to_string(),
        errors: &problem.extras.errors,
        members: problem.extras.members.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
    };
    serde_json::to_vec(&body).expect("strings and JSON values always serialize")
}

/// Facts about an error response, for metrics and the log.
pub(crate) struct Rendered {
    pub kind: Kind,
    pub cause: Option<String>,
}

/// Gives an error response its problem body; other responses stay as they are. Errors of the framework (extractors,
/// payload limits) become problems here too, without the framework's texts.
pub(crate) fn for_request<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
    ids: Ids<'_>,
) -> (ServiceResponse<BoxBody>, Option<Rendered>) {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return (response.map_into_boxed_body(), None);
    }
    let error = response.response().error();
    let (body, rendered) = match error.and_then(|error| error.as_error::<Problem>()) {
        Some(problem) => {
            (bytes(problem, ids), Rendered { kind: problem.kind, cause: problem.extras.cause.clone() })
        }
        None => {
            let kind = Kind::of_status(status);
            let cause = error.map(ToString::to_string);
            (bytes(&Problem::new(kind, kind.stock_detail()), ids), Rendered { kind, cause })
        }
    };
    let mut response = response.map_body(|_, _| BoxBody::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    (response, Some(rendered))
}

/// A complete response for a request that no longer exists because its handler panicked.
pub(crate) fn without_request(problem: &Problem, ids: Ids<'_>) -> HttpResponse {
    HttpResponse::build(problem.kind.status())
        .insert_header((CONTENT_TYPE, MEDIA_TYPE))
        .body(bytes(problem, ids))
}
