//! HTTP, TLS, and faults of the target.

mod conformity;
mod endless;
mod faults;
mod http;
mod secure;
mod sent;
