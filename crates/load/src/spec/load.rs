//! Load in drill files: `{rate: 40/s, requests: [{weight: 92, get: /api/users}, …]}`.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, de};

use crate::spec::dependencies;
use crate::spec::request::RequestSpec;
use common::rate::Rate;

/// A rate and a request mix; used by drill files (`baseline:`, `cause.load:`).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadSpec {
    /// Arrivals per second, over all requests.
    pub rate: Rate,
    /// The request mix; at least one request.
    #[serde(deserialize_with = "complete")]
    pub requests: Vec<RequestSpec>,
}

/// Requires at least one request, and that every value a request needs is captured by another.
fn complete<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<RequestSpec>, D::Error> {
    let requests = Vec::<RequestSpec>::deserialize(from)?;
    if requests.is_empty() {
        return Err(de::Error::custom("requests: at least one request is needed, such as {get: /api/users}"));
    }
    dependencies::resolve(&requests, &BTreeSet::new())
        .map_err(|(index, reason)| de::Error::custom(format!("requests[{index}]: {reason}")))?;
    Ok(requests)
}

impl LoadSpec {
    /// The share of arrivals, 0 to 1, whose request satisfies `which`.
    #[must_use]
    pub fn share(&self, which: impl Fn(&RequestSpec) -> bool) -> f64 {
        let sum = |chosen: &dyn Fn(&RequestSpec) -> bool| -> f64 {
            self.requests.iter().filter(|it| chosen(it)).map(|it| f64::from(it.weight)).sum()
        };
        let (total, chosen) = (sum(&|_| true), sum(&which));
        if total > 0.0 { chosen / total } else { 0.0 }
    }
}
