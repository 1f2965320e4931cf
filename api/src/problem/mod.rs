//! Error responses: `application/problem+json` (RFC 9457), created in this one module.

mod detail;
mod kind;
mod render;

pub use detail::{FieldError, Problem};
pub use kind::Kind;
pub(crate) use render::{Body, MEDIA_TYPE, Rendered, for_request, without_request};
