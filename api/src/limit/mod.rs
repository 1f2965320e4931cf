//! Rate limits: policies from a file, an exact GCRA, Redis as the shared judge and `governor` as the local one.

mod breaker;
mod client;
mod gcra;
mod headers;
mod layer;
mod limiter;
mod local;
mod own_connection;
mod plan;
mod policy;
mod policy_file;
mod rate;
mod redis_judge;

pub use client::ClientKey;
pub use gcra::{Quota, QuotaError, Tat, Verdict};
pub use limiter::{Backend, Decision, Limiter, RedisState};
pub use plan::{Caller, Plan};
pub use policy::{BUILT_IN, Policy, PolicySet};
pub use policy_file::PolicyFileError;
pub use rate::Rate;
pub use redis_judge::{RedisJudge, RedisSettings, Reply};

pub(crate) use layer::layer;
