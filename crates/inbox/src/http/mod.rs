//! The HTTP API and the page of the inbox.

pub(crate) mod bodies;
pub(crate) mod browsers;
pub mod listing;
pub mod page;
mod resource;
pub mod routes;
pub(crate) mod status;
