use crate::{
    fault,
    problem::{self, Problem},
    request::Identity,
};
use actix_web::http::header::HeaderValue;

/// The response to a request whose handler panicked.
#[derive(Debug)]
pub(crate) struct Broken {
    identity: Identity,
    /// The injected fault that caused it, if one did.
    fault: Option<HeaderValue>,
}

impl Broken {
    pub(crate) fn new(identity: Identity, fault: Option<HeaderValue>) -> Self {
        Self { identity, fault }
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "request {} failed", self.identity.id.as_str())
    }
}

impl actix_web::ResponseError for Broken {
    fn error_response(&self) -> actix_web::HttpResponse {
        let mut response = problem::without_request(&Problem::internal(""), self.identity.ids());
        self.identity.stamp(response.headers_mut(), true);
        if let Some(fault) = &self.fault {
            response.headers_mut().insert(fault::HEADER, fault.clone());
        }
        response
    }
}
