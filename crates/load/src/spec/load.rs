//! Load as written in YAML files: `{rate: 40/s, requests: [{weight: 92, get: /api/users}, …]}`.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, de};

use crate::spec::dependencies::suppliers;
use crate::spec::request::{RequestSpec, at_least_one};
use common::rate::Rate;

/// A rate and the requests that share it; used by drill files (`baseline:`, `cause.load:`).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadSpec {
    /// Arrivals per second, all requests together.
    pub rate: Rate,
    /// The mix; at least one.
    #[serde(deserialize_with = "complete")]
    pub requests: Vec<RequestSpec>,
}

/// Requests that have all they need among themselves.
fn complete<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<RequestSpec>, D::Error> {
    let requests = at_least_one(from)?;
    suppliers(&requests, &BTreeSet::new())
        .map_err(|(index, reason)| de::Error::custom(format!("requests[{index}]: {reason}")))?;
    Ok(requests)
}

impl LoadSpec {
    /// The part of arrivals, 0 to 1, whose request satisfies `which`; for bounds that depend on a share.
    #[must_use]
    pub fn share(&self, which: impl Fn(&RequestSpec) -> bool) -> f64 {
        let total: f64 = self.requests.iter().map(|request| f64::from(request.weight)).sum();
        let chosen: f64 = self
            .requests
            .iter()
            .filter(|request| which(request))
            .map(|request| f64::from(request.weight))
            .sum();
        if total > 0.0 { chosen / total } else { 0.0 }
    }
}
