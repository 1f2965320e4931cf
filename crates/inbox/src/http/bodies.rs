//! Limits on the bodies of all requests: how much memory they take together, and how long each may take.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::web::Data;
use futures_util::StreamExt;
use futures_util::stream::poll_fn;
use tokio::time::sleep;

use crate::receivers::channel::text;

/// Most memory of all bodies. Buffers that grow may take twice as much.
const MOST: usize = 48 * 1024 * 1024;
/// Of each body, what is not counted: small notifications arrive whatever large ones there are.
const FREE: usize = 64 * 1024;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// The memory of all bodies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bodies(Arc<AtomicUsize>);

/// What one body takes of it, until this is dropped.
struct Share {
    bodies: Bodies,
    size: usize,
    counted: usize,
}

impl Share {
    /// Counts more bytes; whether there is room for them.
    fn grow(&mut self, bytes: usize) -> bool {
        self.size += bytes;
        let more = self.size.saturating_sub(FREE) - self.counted;
        self.counted += more;
        more == 0 || self.bodies.0.fetch_add(more, Ordering::Relaxed) + more <= MOST
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.bodies.0.fetch_sub(self.counted, Ordering::Relaxed);
    }
}

/// Refuses a body that finds no room with 503, so that its sender repeats it.
pub(crate) async fn limit<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let bodies = request.app_data::<Data<Bodies>>().expect("the server registers it").as_ref().clone();
    let share = Rc::new(RefCell::new(Share { bodies, size: 0, counted: 0 }));
    let full = Rc::new(Cell::new(false));
    let mut payload = request.take_payload();
    let (counted, is_full) = (share.clone(), full.clone());
    let mut clock = Box::pin(sleep(PATIENCE));
    let limited = poll_fn(move |cx| {
        let next = payload.poll_next_unpin(cx);
        if let Poll::Ready(Some(Ok(chunk))) = &next
            && !counted.borrow_mut().grow(chunk.len())
        {
            is_full.set(true);
            return Poll::Ready(Some(Err(PayloadError::Overflow)));
        }
        if next.is_pending() && pin!(&mut clock).poll(cx).is_ready() {
            return Poll::Ready(Some(Err(PayloadError::Incomplete(None))));
        }
        next
    });
    request.set_payload(Payload::Stream { payload: limited.boxed_local() });
    let response = next.call(request).await?;
    drop(share);
    if full.get() {
        let reason = "too many large bodies at once; send this one again";
        return Ok(response
            .into_response(text(StatusCode::SERVICE_UNAVAILABLE, reason))
            .map_into_right_body());
    }
    Ok(response.map_into_left_body())
}
