//! Both databases: what is kept, for how long, and through what.

pub mod databases;
pub mod killed;
pub mod postgres_tls;
pub mod retention;
