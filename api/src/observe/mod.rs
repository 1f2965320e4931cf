//! The outermost layer: every request gets an id, a route, a place in the in-progress gauge, one count and one log
//! line; every error its problem body.

mod identity;
mod in_flight;
mod request_id;
mod trace;
mod unread;

pub use request_id::RequestId;
pub(crate) use unread::unread;

pub(crate) use identity::Identity;
pub(crate) use trace::{Trace, TraceId};

use crate::{
    fault::{self, InjectedPanic},
    listen::Busy,
    problem,
    problem::Problem,
    routes,
    state::State,
    telemetry::Phase,
};
use actix_web::{
    Error, HttpMessage,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{ConnectionType, Method, header::HeaderValue},
    middleware::Next,
    web,
};
use futures_util::FutureExt;
use in_flight::InFlight;
use std::panic::AssertUnwindSafe;

/// What the inner layers want to know of a request.
#[derive(Debug, Clone)]
pub(crate) struct RequestInfo {
    /// The matched route; `None` for a path that matched nothing.
    pub endpoint: Option<&'static routes::Endpoint>,
    /// The bounded method name.
    pub method: &'static str,
}

/// The layer itself, for `middleware::from_fn`. [`crate::telemetry::HttpMetrics::layer`] sits right inside it.
pub(crate) async fn layer<B: MessageBody + 'static>(
    mut req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = req.app_data::<web::Data<State>>().expect("the server registers its state").clone();
    // The connection is not idle until this is dropped, however the request ends.
    let _busy = Busy::of(&req);
    let endpoint = routes::of_path(req.match_info().unprocessed());
    let method = routes::method_label(req.method().as_str());
    if method == routes::OTHER_METHOD {
        // The counting layer reads the method from the request: no client may mint a label.
        req.head_mut().method = Method::from_bytes(method.as_bytes()).expect("letters make a method token");
    }
    let route = endpoint.map_or(routes::UNMATCHED, |endpoint| endpoint.path);
    let flight = InFlight::start(state.clone(), route, method, &req);
    req.extensions_mut().insert(RequestInfo { endpoint, method });

    let response = match AssertUnwindSafe(next.call(req)).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(flight.failed(&error.to_string(), None)),
        Err(panic) => match InjectedPanic::header_of(&*panic) {
            None => return Err(flight.failed("the handler panicked", None)),
            fault => return Err(flight.failed("a panic was injected on purpose", fault)),
        },
    };

    let (mut response, rendered) = problem::for_request(response, flight.identity.ids());
    let head = response.response_mut().head_mut();
    flight.identity.stamp(head.headers_mut(), rendered.is_some());
    if state.lifecycle.phase() == Phase::Draining {
        head.set_connection_type(ConnectionType::Close);
    }
    flight.answered(response.status().as_u16(), rendered);
    Ok(response)
}

/// The answer to a request that did not survive its handler.
#[derive(Debug)]
pub(crate) struct Broken {
    identity: Identity,
    /// The fault that did it, when one was injected.
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
