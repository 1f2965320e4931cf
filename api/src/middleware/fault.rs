//! The layer right before the handlers. While no traffic fault is active it adds one atomic load to a request.

use crate::{
    fault::{End, HEADER, InForce, InjectedPanic, Plane, names},
    problem::{Kind, Problem},
    request::RequestInfo,
};
use actix_web::{
    Error,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::StatusCode,
};
use futures_util::{
    FutureExt, TryFutureExt,
    future::{Either, LocalBoxFuture, MapOk, Ready, ready},
};
use std::{rc::Rc, sync::Arc, time::Instant};

/// The layer, for `App::wrap`.
pub(crate) struct FaultLayer(pub(crate) Arc<Plane>);

impl<S, B> Transform<S, ServiceRequest> for FaultLayer
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = Injector<S>;
    type InitError = ();
    type Future = Ready<Result<Injector<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(Injector { plane: self.0.clone(), service: Rc::new(service) }))
    }
}

/// The layer in one worker.
pub(crate) struct Injector<S> {
    plane: Arc<Plane>,
    service: Rc<S>,
}

type Passed<F, B> = MapOk<F, fn(ServiceResponse<B>) -> ServiceResponse<EitherBody<B>>>;

impl<S, B> Service<ServiceRequest> for Injector<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Either<Passed<S::Future, B>, LocalBoxFuture<'static, Result<Self::Response, Error>>>;

    forward_ready!(service);

    fn call(&self, req: ServiceRequest) -> Self::Future {
        if !self.plane.acts_on_traffic() {
            return Either::Left(self.service.call(req).map_ok(ServiceResponse::map_into_left_body));
        }
        Either::Right(inject(self.plane.clone(), self.service.clone(), req).boxed_local())
    }
}

async fn inject<S, B>(
    plane: Arc<Plane>,
    service: Rc<S>,
    req: ServiceRequest,
) -> Result<ServiceResponse<EitherBody<B>>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    let info = RequestInfo::of(&req);
    // Routes without limits are probes and `/metrics`: an injected outage must not hide itself from them.
    if !info.is_limited() {
        return Ok(service.call(req).await?.map_into_left_body());
    }
    let mut acted: Vec<Arc<InForce>> = Vec::new();
    for (fault, decision) in plane.decide(info.route(), info.method, Instant::now()) {
        acted.push(fault.clone());
        if let Some(delay) = decision.delay {
            plane.count(&fault, "delay");
            let lifted = fault.wait(delay).await;
            if lifted {
                continue;
            }
        }
        match decision.end {
            None => {}
            Some(End::Abort(status)) => {
                plane.count(&fault, "abort");
                let problem =
                    aborted(status).header(HEADER, names(acted.iter().map(|fault| fault.id.as_str())));
                return Ok(req.error_response(problem).map_into_right_body());
            }
            Some(End::Panic) => {
                plane.count(&fault, "panic");
                std::panic::panic_any(InjectedPanic(names(acted.iter().map(|fault| fault.id.as_str()))));
            }
        }
    }
    let mut response = service.call(req).await?;
    if !acted.is_empty() {
        response.headers_mut().insert(HEADER, names(acted.iter().map(|fault| fault.id.as_str())));
    }
    Ok(response.map_into_left_body())
}

fn aborted(status: StatusCode) -> Problem {
    Problem::new(Kind::Requested(status), "injected fault; X-Fault-Injected names it")
}
