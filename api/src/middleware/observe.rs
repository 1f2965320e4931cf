//! The outermost layer: every request gets an id, a route, an entry in the in-progress gauge, one count and one log
//! line; every error gets a problem body.

use super::in_flight::InFlight;
use crate::{
    fault::InjectedPanic, listen::Busy, problem, request::RequestInfo, routes, state::State, telemetry::Phase,
};
use actix_web::{
    Error, HttpMessage,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{ConnectionType, Method},
    middleware::Next,
    web,
};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;

/// The layer itself, for `middleware::from_fn`. [`crate::telemetry::HttpMetrics::layer`] is the next one inside.
pub(crate) async fn layer<B: MessageBody + 'static>(
    mut req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = req.app_data::<web::Data<State>>().expect("the server registers its state").clone();
    // The connection counts as busy until this is dropped, however the request ends.
    let _busy = Busy::of(&req);
    let endpoint = routes::of_path(req.match_info().unprocessed());
    let method = routes::method_label(req.method().as_str());
    if method == routes::OTHER_METHOD {
        // The counting layer reads the method from the request; clients must not be able to create label values.
        req.head_mut().method = Method::from_bytes(method.as_bytes()).expect("the label is a valid method");
    }
    let info = RequestInfo { endpoint, method };
    let flight = InFlight::start(state.clone(), info, &req);
    req.extensions_mut().insert(info);
    if info.is_limited()
        && let Some(country) = state.access.country(&req)
    {
        state.metrics.by_country.with_label_values(&[country]).inc();
    }

    let response = match AssertUnwindSafe(next.call(req)).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(flight.failed(&error.to_string(), None)),
        Err(panic) => match InjectedPanic::header_of(&*panic) {
            None => return Err(flight.failed("the handler panicked", None)),
            fault => return Err(flight.failed("injected panic", fault)),
        },
    };

    let (mut response, rendered) = problem::for_request(response, flight.identity.ids());
    let head = response.response_mut().head_mut();
    flight.identity.stamp(head.headers_mut(), rendered.is_some());
    if state.lifecycle.phase() == Phase::Draining {
        head.set_connection_type(ConnectionType::Close);
    }
    flight.completed(response.status().as_u16(), rendered);
    Ok(response)
}
