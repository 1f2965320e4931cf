//! From an error to its bytes.

use super::{FieldError, Kind, Problem};
use actix_web::{
    HttpResponse,
    body::{BoxBody, MessageBody},
    dev::ServiceResponse,
    http::header::{CONTENT_TYPE, HeaderValue},
};
use serde::Serialize;
use serde_json::Value;

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The members of RFC 9457, in the order a person reads them.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(flatten)]
    members: serde_json::Map<String, Value>,
}

fn bytes(problem: &Problem, request_id: &str) -> Vec<u8> {
    let status = problem.kind.status();
    let body = Body {
        r#type: problem.kind.type_uri(),
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        detail: &problem.detail,
        request_id,
        errors: &problem.extras.errors,
        members: problem.extras.members.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
    };
    serde_json::to_vec(&body).expect("strings and JSON values always serialize")
}

/// What an error answer was, for metrics and the log.
pub(crate) struct Rendered {
    pub kind: Kind,
    pub cause: Option<String>,
}

/// Gives an error response its problem body; leaves any other alone. Errors of the framework (extractors, payload
/// limits) become problems here too, their own texts kept out of the answer.
pub(crate) fn for_request<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
    request_id: &str,
) -> (ServiceResponse<BoxBody>, Option<Rendered>) {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return (response.map_into_boxed_body(), None);
    }
    let error = response.response().error();
    let (body, rendered) = match error.and_then(|error| error.as_error::<Problem>()) {
        Some(problem) => {
            (bytes(problem, request_id), Rendered { kind: problem.kind, cause: problem.extras.cause.clone() })
        }
        None => {
            let kind = Kind::of_status(status);
            let cause = error.map(ToString::to_string);
            (bytes(&Problem::new(kind, kind.stock_detail()), request_id), Rendered { kind, cause })
        }
    };
    let mut response = response.map_body(|_, _| BoxBody::new(body));
    response.headers_mut().insert(CONTENT_TYPE, MEDIA_TYPE);
    (response, Some(rendered))
}

/// A whole answer for a request that is no longer there (its handler panicked).
pub(crate) fn without_request(problem: &Problem, request_id: &str) -> HttpResponse {
    HttpResponse::build(problem.kind.status())
        .insert_header((CONTENT_TYPE, MEDIA_TYPE))
        .body(bytes(problem, request_id))
}
