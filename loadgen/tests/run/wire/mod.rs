//! What goes over the wire: HTTP, TLS, faults of the other side.

mod conformity;
mod endless;
mod faults;
mod http;
mod secure;
mod sent;
