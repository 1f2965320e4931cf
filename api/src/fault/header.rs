//! The response header that names the faults that acted on a request.

use actix_web::http::header::{HeaderName, HeaderValue};
use std::any::Any;

/// Names the faults that acted on a request.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-fault-injected");

/// Payload of an injected panic: it tells the panic from one caused by a bug.
pub(crate) struct InjectedPanic(pub HeaderValue);

impl InjectedPanic {
    /// The value of [`HEADER`] if this panic was injected.
    pub(crate) fn header_of(panic: &(dyn Any + Send)) -> Option<HeaderValue> {
        panic.downcast_ref::<Self>().map(|injected| injected.0.clone())
    }
}

/// The value of [`HEADER`] for the faults of these ids.
pub(crate) fn names<'a>(ids: impl Iterator<Item = &'a str>) -> HeaderValue {
    let ids = ids.collect::<Vec<_>>().join(", ");
    HeaderValue::from_str(&ids).expect("fault ids are valid in a header")
}
