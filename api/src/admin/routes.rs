//! The admin listener's table of routes.

use crate::routes::{Endpoint, probe};
pub(super) use crate::routes::{LIVEZ, METRICS, READYZ};

pub(super) const FAULTS: Endpoint = probe("/faults");
pub(super) const FAULT: Endpoint = Endpoint {
    path: "/faults/{id}",
    methods: &["GET", "HEAD", "PUT", "DELETE"],
    allow: "GET, HEAD, PUT, DELETE, OPTIONS",
    limited: false,
};
pub(super) const DRAIN: Endpoint =
    Endpoint { path: "/drain", methods: &["POST", "DELETE"], allow: "POST, DELETE, OPTIONS", limited: false };

/// Every route.
pub(super) const ALL: &[Endpoint] = &[LIVEZ, READYZ, METRICS, FAULTS, FAULT, DRAIN];
