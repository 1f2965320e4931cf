//! The layer that asks who is calling, then the limiter, and tells the client.

use super::{Decision, Outcome, headers};
use crate::{
    observe::RequestInfo,
    problem::{Kind, Problem},
    routes,
    state::State,
};
use actix_web::{
    Error, HttpMessage,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::RETRY_AFTER,
    middleware::Next,
    web,
};

/// The layer itself, for `middleware::from_fn`; the observe layer runs before it.
pub(crate) async fn layer<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = req.app_data::<web::Data<State>>().expect("the server registers its state").clone();
    let (endpoint, method) = {
        let extensions = req.extensions();
        let info = extensions.get::<RequestInfo>().expect("the observe layer runs first");
        (info.endpoint, info.method)
    };
    // A browser's preflight must not use up the quota of the request it asks about.
    let limited = endpoint.is_none_or(|endpoint| endpoint.limited) && method != "OPTIONS";
    if !limited {
        return Ok(next.call(req).await?.map_into_boxed_body());
    }
    let route = endpoint.map_or(routes::UNMATCHED, |endpoint| endpoint.path);
    let caller = match state.access.identify(&req, method) {
        Ok(caller) => caller,
        Err(refusal) => return Ok(req.error_response(refusal).map_into_boxed_body()),
    };
    let decision = state.limiter.decide(route, method, &caller).await;
    let mut response = match decision.as_ref().and_then(refusal) {
        Some(refusal) => req.error_response(refusal).map_into_boxed_body(),
        None => next.call(req).await?.map_into_boxed_body(),
    };
    if let Some(decision) = &decision {
        headers::insert(response.headers_mut(), decision.told());
    }
    Ok(response)
}

/// Seconds to wait when Redis is away and a policy lets nothing pass; it is looked for several times a second.
const AWAY: u64 = 1;

/// The answer to a request that does not pass.
fn refusal(decision: &Decision) -> Option<Problem> {
    match decision.outcome {
        Outcome::Admitted => None,
        Outcome::Refused => {
            let wait = headers::retry_after(decision.told());
            let violated: Vec<&str> = decision
                .told()
                .filter(|(_, verdict)| !verdict.admitted)
                .map(|(policy, _)| policy.name.as_str())
                .collect();
            let unit = if wait == 1 { "second" } else { "seconds" };
            let problem =
                Problem::new(Kind::RateLimited, format!("too many requests; try again in {wait} {unit}"));
            Some(problem.header(RETRY_AFTER, wait.into()).with("violated-policies", violated))
        }
        Outcome::Unavailable => {
            let detail = "the rate limit of this request cannot be checked now; try again in a second";
            Some(Problem::unavailable(detail).header(RETRY_AFTER, AWAY.into()))
        }
    }
}
