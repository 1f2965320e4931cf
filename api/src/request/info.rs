use crate::routes::{self, Endpoint};
use actix_web::{HttpMessage, dev::ServiceRequest};

/// What the inner layers need to know about a request. The observe layer adds it to the request's extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestInfo {
    /// The matched route; `None` for a path that matched nothing.
    pub endpoint: Option<&'static Endpoint>,
    /// The bounded method name.
    pub method: &'static str,
}

impl RequestInfo {
    /// What the observe layer stored.
    pub(crate) fn of(req: &ServiceRequest) -> Self {
        *req.extensions().get().expect("the observe layer runs first")
    }

    /// The `route` label.
    pub(crate) fn route(&self) -> &'static str {
        self.endpoint.map_or(routes::UNMATCHED, |endpoint| endpoint.path)
    }

    /// Whether it changes something.
    pub(crate) fn is_write(&self) -> bool {
        matches!(self.method, "POST" | "PUT" | "PATCH" | "DELETE")
            || self.endpoint.is_some_and(|endpoint| endpoint.writes_on_get())
    }

    /// Whether it unloads a model.
    pub(crate) fn unloads_model(&self) -> bool {
        self.method == "DELETE" && self.endpoint.is_some_and(|endpoint| endpoint.path == routes::MODEL.path)
    }

    /// Whether limits and faults apply to the route.
    pub(crate) fn is_limited(&self) -> bool {
        self.endpoint.is_none_or(|endpoint| endpoint.limited)
    }
}
