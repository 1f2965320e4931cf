//! What is known about one request: its ids, its position in a trace, its route and method.

mod identity;
pub(crate) mod ids;
mod info;
mod request_id;
pub(crate) mod trace;

pub(crate) use identity::Identity;
pub(crate) use info::RequestInfo;
