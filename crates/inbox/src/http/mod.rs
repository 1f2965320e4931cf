//! The HTTP API and the page of the inbox.

pub mod listing;
pub mod page;
mod resource;
pub mod routes;
