//! Both databases: durability, retention, outages, TLS.

pub mod databases;
pub mod full_disk;
pub mod killed;
pub mod postgres_tls;
pub mod retention;
