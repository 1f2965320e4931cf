//! Rate limits: policies from a file, an exact GCRA, Redis as the shared backend and `governor` as the local one.

mod backend;
mod cached_refusals;
mod check;
mod decision;
pub(crate) mod headers;
mod limiter;
mod local;
#[cfg(test)]
#[path = "../../tests/support/gcra_oracle.rs"]
mod oracle;
mod policy;
mod quota;
mod redis;
mod registry;
mod rules;
mod shards;

pub use backend::Backend;
pub use check::{Check, CheckResult};
pub use decision::{Decision, Outcome};
pub use limiter::{Limiter, RedisState};
pub use policy::{
    caller::{Caller, Plan},
    client::ClientKey,
    definition::{Cost, MAX_POLICIES, Policy, WithoutRedis},
    key::{Key, KeyBy, KeyPart},
    rate::{Rate, RateError},
    set::{BUILT_IN, PolicySet},
};
pub use quota::{Quota, QuotaError, Verdict};
pub use redis::{
    backend::{RedisBackend, RedisSettings},
    script::{Reply, ScriptCheck},
    url::{RedisUrl, RedisUrlError},
};

pub(crate) use policy::client::name_is_clean;
