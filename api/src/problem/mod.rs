//! Errors on the wire: `application/problem+json` (RFC 9457), mapped in this one place.

mod detail;
mod kind;
mod render;

pub use detail::{FieldError, Problem};
pub use kind::Kind;
pub(crate) use render::{Body, MEDIA_TYPE, Rendered, for_request, without_request};
