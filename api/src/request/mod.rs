//! What is known of one request, whoever handles it: its ids, its place in a trace, its route and method.

mod identity;
mod ids;
mod info;
mod request_id;
mod trace;

pub(crate) use identity::Identity;
pub(crate) use ids::Ids;
pub(crate) use info::RequestInfo;
pub(crate) use trace::Trace;
