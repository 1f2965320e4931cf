//! A limit on the time a client takes to send a request's body. The server itself limits the head only: a body that
//! trickles in would hold its connection and its handler forever.

use crate::problem::{Kind, Problem};
use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    error::PayloadError,
    http::ConnectionType,
    web::Bytes,
};
use futures_util::{
    FutureExt, Stream, StreamExt, TryFutureExt,
    future::{Either, LocalBoxFuture, Map, Ready, ready},
};
use std::{
    cell::Cell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// The layer; requests without a body pass through unchanged.
pub(crate) struct BodyTimeout(pub Duration);

impl<S, B> Transform<S, ServiceRequest> for BodyTimeout
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = TimedBody<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(TimedBody { service, limit: self.0 }))
    }
}

/// A service behind the layer.
pub(crate) struct TimedBody<S> {
    service: S,
    limit: Duration,
}

type Outcome<B> = Result<ServiceResponse<EitherBody<B>>, Error>;
type Untouched<F, B> = Map<F, fn(Result<ServiceResponse<B>, Error>) -> Outcome<B>>;

impl<S, B> Service<ServiceRequest> for TimedBody<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Either<Untouched<S::Future, B>, LocalBoxFuture<'static, Outcome<B>>>;

    forward_ready!(service);

    fn call(&self, mut req: ServiceRequest) -> Self::Future {
        let payload = req.take_payload();
        if matches!(payload, Payload::None) {
            return Either::Left(self.service.call(req).map(|outcome| outcome.map(untouched)));
        }
        let late = Rc::new(Cell::new(false));
        let timed = Timed { payload, deadline: Instant::now() + self.limit, clock: None, late: late.clone() };
        req.set_payload(Payload::Stream { payload: timed.boxed_local() });
        let limit = self.limit;
        let future = self.service.call(req).map_ok(move |response| {
            // The handler's error about the incomplete body would not name the cause.
            if late.get() && !response.status().is_success() {
                too_late(response, limit)
            } else {
                untouched(response)
            }
        });
        Either::Right(future.boxed_local())
    }
}

fn untouched<B>(response: ServiceResponse<B>) -> ServiceResponse<EitherBody<B>> {
    response.map_into_left_body()
}

fn too_late<B>(response: ServiceResponse<B>, limit: Duration) -> ServiceResponse<EitherBody<B>> {
    let detail = format!("the body was not complete within {}", humantime::format_duration(limit));
    let (req, _) = response.into_parts();
    let mut late: HttpResponse<BoxBody> =
        HttpResponse::from_error(Problem::new(Kind::RequestTimeout, detail));
    // The rest of the body may still arrive; the connection must not wait for it.
    late.head_mut().set_connection_type(ConnectionType::Close);
    ServiceResponse::new(req, late).map_into_right_body()
}

/// A body with a deadline.
struct Timed {
    payload: Payload,
    deadline: Instant,
    /// Created at the first wait for the body; most bodies arrive with their heads.
    clock: Option<Pin<Box<Sleep>>>,
    late: Rc<Cell<bool>>,
}

impl Stream for Timed {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.payload.poll_next_unpin(cx);
        if next.is_ready() {
            return next;
        }
        let deadline = self.deadline;
        let clock = self.clock.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if clock.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.late.set(true);
        Poll::Ready(Some(Err(PayloadError::Io(io::ErrorKind::TimedOut.into()))))
    }
}
