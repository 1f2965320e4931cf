//! Rate limits: policies, headers, Redis and its outages.

pub mod cluster;
pub mod encrypted;
pub mod exact;
pub mod headers;
pub mod outage;
pub mod policies;
pub mod redis;
pub mod redis_outage;
pub mod reload;
pub mod script;
pub mod traffic;
