//! The inbox's HTTP interface and page.

pub mod listing;
pub mod page;
pub mod routes;
