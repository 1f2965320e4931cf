//! Refuses requests before the caller is identified: those with a malformed `Host`, from pages of other sites, and to
//! endpoints that are switched off.

use crate::{
    access,
    problem::{Kind, Problem},
    request::RequestInfo,
    state::State,
};
use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web,
};

/// The layer itself, for `middleware::from_fn`; the observe layer runs before it.
pub(crate) async fn layer<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = req.app_data::<web::Data<State>>().expect("the server registers its state");
    match refusal(&req, state) {
        Some(refusal) => Ok(req.error_response(refusal).map_into_boxed_body()),
        None => Ok(next.call(req).await?.map_into_boxed_body()),
    }
}

fn refusal(req: &ServiceRequest, state: &State) -> Option<Problem> {
    let info = RequestInfo::of(req);
    if !access::is_well_named(req.head()) {
        return Some(Problem::new(Kind::BadRequest, "send one Host header of the form host or host:port"));
    }
    if info.is_write() && state.access.is_foreign(req.head()) {
        let detail = "a page of another site sends this request; CORS_ORIGINS lists the origins that may";
        return Some(Problem::new(Kind::Forbidden, detail));
    }
    if !state.test_endpoints && info.endpoint.is_some_and(|endpoint| endpoint.is_for_tests()) {
        let detail = "no such path; the test endpoints are switched off (TEST_ENDPOINTS)";
        return Some(Problem::new(Kind::NotFound, detail));
    }
    None
}
