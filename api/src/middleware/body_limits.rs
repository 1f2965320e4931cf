//! Limits on the time a client takes to send a request's body, and on the memory of all bodies. The server itself limits
//! the head only: a body that trickles in would hold its connection and its handler forever.

use super::body_memory::{BodyMemory, Share};
use crate::problem::{Kind, Problem};
use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    error::PayloadError,
    http::{
        ConnectionType,
        header::{HeaderValue, RETRY_AFTER},
    },
    web::Bytes,
};
use futures_util::{
    FutureExt, Stream, StreamExt, TryFutureExt,
    future::{Either, LocalBoxFuture, Map, Ready, ready},
};
use std::{
    cell::{Cell, RefCell},
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// The layer; requests without a body pass through unchanged.
#[derive(Clone)]
pub(crate) struct BodyLimits {
    pub time: Duration,
    pub memory: BodyMemory,
}

impl<S, B> Transform<S, ServiceRequest> for BodyLimits
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = LimitedBody<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(LimitedBody { service, limits: self.clone() }))
    }
}

/// A service behind the layer.
pub(crate) struct LimitedBody<S> {
    service: S,
    limits: BodyLimits,
}

type Outcome<B> = Result<ServiceResponse<EitherBody<B>>, Error>;
type Untouched<F, B> = Map<F, fn(Result<ServiceResponse<B>, Error>) -> Outcome<B>>;

impl<S, B> Service<ServiceRequest> for LimitedBody<S>
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
        let broken = Rc::new(Cell::new(None));
        let share = Rc::new(RefCell::new(self.limits.memory.share()));
        let limited = Limited {
            payload,
            deadline: Instant::now() + self.limits.time,
            clock: None,
            share: share.clone(),
            broken: broken.clone(),
        };
        req.set_payload(Payload::Stream { payload: limited.boxed_local() });
        let limit = self.limits.time;
        let future = self.service.call(req).map_ok(move |response| {
            // Until here the handler may have the body.
            drop(share);
            // The handler's error about the incomplete body would not name the cause.
            match broken.get().filter(|_| !response.status().is_success()) {
                Some(limit_broken) => refused(response, limit_broken, limit),
                None => untouched(response),
            }
        });
        Either::Right(future.boxed_local())
    }
}

fn untouched<B>(response: ServiceResponse<B>) -> ServiceResponse<EitherBody<B>> {
    response.map_into_left_body()
}

fn refused<B>(
    response: ServiceResponse<B>,
    broken: Broken,
    limit: Duration,
) -> ServiceResponse<EitherBody<B>> {
    let problem = match broken {
        Broken::Time => {
            let detail = format!("the body was not complete within {}", humantime::format_duration(limit));
            Problem::new(Kind::RequestTimeout, detail)
        }
        Broken::Memory => {
            Problem::unavailable("too many large bodies are being processed (BODY_MEMORY); try again shortly")
                .header(RETRY_AFTER, HeaderValue::from_static("1"))
        }
    };
    let (req, _) = response.into_parts();
    let mut refusal: HttpResponse<BoxBody> = HttpResponse::from_error(problem);
    // The rest of the body may still arrive; the connection must not wait for it.
    refusal.head_mut().set_connection_type(ConnectionType::Close);
    ServiceResponse::new(req, refusal).map_into_right_body()
}

/// Which limit a body broke.
#[derive(Debug, Clone, Copy)]
enum Broken {
    Time,
    Memory,
}

/// A body with a deadline and a share of the memory.
struct Limited {
    payload: Payload,
    deadline: Instant,
    /// Created at the first wait for the body; most bodies arrive with their heads.
    clock: Option<Pin<Box<Sleep>>>,
    share: Rc<RefCell<Share>>,
    broken: Rc<Cell<Option<Broken>>>,
}

impl Stream for Limited {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.payload.poll_next_unpin(cx);
        if let Poll::Ready(Some(Ok(chunk))) = &next
            && !self.share.borrow_mut().grow(chunk.len())
        {
            self.broken.set(Some(Broken::Memory));
            return Poll::Ready(Some(Err(PayloadError::Io(io::ErrorKind::OutOfMemory.into()))));
        }
        if next.is_ready() {
            return next;
        }
        let deadline = self.deadline;
        let clock = self.clock.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if clock.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.broken.set(Some(Broken::Time));
        Poll::Ready(Some(Err(PayloadError::Io(io::ErrorKind::TimedOut.into()))))
    }
}
