//! Everything around the handlers. [`crate::server`] chains the layers of the public listener in the order in which a
//! request passes them; `admin` is the only layer of the admin listener.

pub(crate) mod admin;
pub(crate) mod body_limits;
pub(crate) mod body_memory;
mod broken;
pub(crate) mod cors;
pub(crate) mod fault;
pub(crate) mod gate;
mod in_flight;
pub(crate) mod limit;
pub(crate) mod observe;
pub mod panics;
pub(crate) mod unread;
