//! The layer that identifies the caller, checks its rate limit and adds the limit headers to the response.

use crate::{
    access::identify::Act,
    limit::{Decision, Outcome, headers},
    problem::{Kind, Problem},
    request::RequestInfo,
    state::State,
};
use actix_web::{
    Error, HttpMessage,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, RETRY_AFTER},
    middleware::Next,
    web,
};

/// The header whose keys are separate for each caller; handlers find the caller's [`crate::limit::ClientKey`] in the
/// request's extensions.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The layer itself, for `middleware::from_fn`; the observe layer runs before it.
pub(crate) async fn layer<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = req.app_data::<web::Data<State>>().expect("the server registers its state").clone();
    let info = RequestInfo::of(&req);
    // A browser's preflight must not use up the quota of the request it precedes.
    if !info.is_limited() || info.method == "OPTIONS" {
        return Ok(next.call(req).await?.map_into_boxed_body());
    }
    // Who guesses keys is charged as well, by address.
    let act = Act { writes: info.is_write(), unloads_model: info.unloads_model() };
    let (caller, unidentified) = match state.access.identify(&req, act) {
        Ok(caller) => (caller, None),
        Err(refusal) => (state.access.stranger(&req), Some(refusal)),
    };
    if req.headers().contains_key(IDEMPOTENCY_KEY) {
        req.extensions_mut().insert(caller.key.clone());
    }
    let decision = state.limiter.decide(info.route(), info.method, &caller).await;
    let mut response = match decision.as_ref().and_then(refusal).or(unidentified) {
        Some(refusal) => req.error_response(refusal).map_into_boxed_body(),
        None => next.call(req).await?.map_into_boxed_body(),
    };
    if let Some(decision) = &decision {
        headers::insert(response.headers_mut(), decision.reported());
    }
    Ok(response)
}

/// Retry-After in seconds when Redis is away and the policy denies requests; the gateway retries it several times a
/// second.
const AWAY: u64 = 1;

/// The response to a refused request.
fn refusal(decision: &Decision) -> Option<Problem> {
    match decision.outcome {
        Outcome::Admitted => None,
        Outcome::Refused => {
            let wait = headers::retry_after(decision.reported());
            let violated: Vec<&str> = decision
                .reported()
                .filter(|(_, verdict)| !verdict.admitted)
                .map(|(policy, _)| policy.name.as_str())
                .collect();
            let unit = if wait == 1 { "second" } else { "seconds" };
            let problem =
                Problem::new(Kind::RateLimited, format!("too many requests; try again in {wait} {unit}"));
            Some(problem.header(RETRY_AFTER, wait.into()).with("violated-policies", violated))
        }
        Outcome::Unavailable => {
            let detail = "the rate limit of this request cannot be checked now; try again in 1 second";
            Some(Problem::unavailable(detail).header(RETRY_AFTER, AWAY.into()))
        }
    }
}
