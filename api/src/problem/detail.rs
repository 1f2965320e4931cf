use super::kind::Kind;
use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};
use serde::Serialize;
use std::{borrow::Cow, fmt};

/// One thing wrong with a request's fields.
#[derive(Debug, Clone, Serialize, PartialEq, Eq, utoipa::ToSchema)]
pub struct FieldError {
    /// What is wrong and what is expected.
    pub detail: String,
    /// JSON pointer of the field as a URI fragment, such as `#/email`.
    pub pointer: String,
}

/// An error response. Handlers return it; the observe layer renders it with the request's id.
#[derive(Debug)]
pub struct Problem {
    /// The kind of error; determines the status, the title and the `error_type` label.
    pub kind: Kind,
    /// For the person who sent the request: what happened and how to fix it. No internal details.
    pub detail: Cow<'static, str>,
    pub(super) extras: Box<Extras>,
}

/// Parts that most problems lack; boxed to keep results small.
#[derive(Debug, Default)]
pub(super) struct Extras {
    /// Field errors of a validation.
    pub(super) errors: Vec<FieldError>,
    /// Headers such as `Allow` and `Retry-After`.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// Members beyond the standard ones.
    pub(super) members: Vec<(&'static str, serde_json::Value)>,
    /// The internal cause; logged, never sent.
    pub(super) cause: Option<String>,
}

impl Problem {
    /// A problem of a kind, with an explanation for the person who sent the request.
    pub fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), extras: Box::default() }
    }

    /// 422 with the invalid fields.
    pub fn validation(errors: Vec<FieldError>) -> Self {
        let mut problem = Self::new(Kind::Validation, "some fields are invalid; `errors` lists them");
        problem.extras.errors = errors;
        problem
    }

    /// 500; the cause goes to the log only.
    pub fn internal(cause: impl fmt::Display) -> Self {
        let detail = "internal error; look up the request id in the log";
        Self::new(Kind::Internal, detail).caused_by(cause)
    }

    /// 503 for something that should recover soon.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Unavailable, detail)
    }

    /// Adds the internal cause, for the log.
    #[must_use]
    pub fn caused_by(mut self, cause: impl fmt::Display) -> Self {
        self.extras.cause = Some(cause.to_string());
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.extras.headers.push((name, value));
        self
    }

    /// Adds a member to the body.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<serde_json::Value>) -> Self {
        self.extras.members.push((name, value.into()));
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.status()
    }

    /// Status and headers only; the observe layer, which has the request's id, adds the body.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.kind.status());
        for (name, value) in &self.extras.headers {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response
    }
}
