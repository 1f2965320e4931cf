//! Rate limits: policies from a file, an exact GCRA, Redis as the shared judge and `governor` as the local one.

mod ask;
mod breaker;
mod client;
mod connection;
mod debt;
mod decision;
mod gcra;
mod hash_tag;
pub(crate) mod headers;
mod key;
mod limiter;
mod local;
#[cfg(test)]
mod oracle;
mod own_connection;
mod plan;
mod policy;
mod policy_file;
mod rate;
mod redis_judge;
mod redis_url;
mod refusals;
mod reload;
mod rules;
mod script;
mod shards;
mod watch;

pub use ask::{Answer, Ask};
pub use client::ClientKey;
pub use decision::{Backend, Decision, Outcome};
pub use gcra::{Decided, Quota, QuotaError, Tat, Verdict};
pub use key::{Key, KeyBy, KeyPart};
pub use limiter::{Limiter, RedisState};
pub use plan::{Caller, Plan};
pub use policy::{BUILT_IN, Cost, MOST_POLICIES, Policy, PolicySet, WithoutRedis};
pub use policy_file::PolicyFileError;
pub use rate::Rate;
pub use redis_judge::{RedisJudge, RedisSettings};
pub use redis_url::{RedisUrl, RedisUrlError};
pub use reload::{ReloadError, Reloader};
pub use script::{Question, Reply};
