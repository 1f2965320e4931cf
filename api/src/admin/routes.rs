//! The admin listener's table of routes.

use crate::routes::{Endpoint, endpoint, probe};
pub(super) use crate::routes::{LIVEZ, METRICS, READYZ};

pub(super) const FAULTS: Endpoint = probe("/faults");
pub(super) const FAULT: Endpoint = endpoint!("/faults/{id}", limited: false, "GET", "HEAD", "PUT", "DELETE");
pub(super) const DRAIN: Endpoint = endpoint!("/drain", limited: false, "POST", "DELETE");

/// Every route.
pub(super) const ALL: &[Endpoint] = &[LIVEZ, READYZ, METRICS, FAULTS, FAULT, DRAIN];
