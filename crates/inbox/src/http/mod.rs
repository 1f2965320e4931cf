//! The inbox's HTTP interface and page.

pub mod listing;
pub mod page;
mod resource;
pub mod routes;
