//! Everything around the handlers. The chain of the public listener stands in [`crate::server`], in the order in which a
//! request meets it; `admin` is the one layer of the admin listener.

pub(crate) mod admin;
pub(crate) mod body_timeout;
mod broken;
pub(crate) mod cors;
pub(crate) mod fault;
mod in_flight;
pub(crate) mod limit;
pub(crate) mod observe;
pub mod panics;
pub(crate) mod unread;
