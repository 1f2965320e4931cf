//! Names and addresses of a server: where it listens, and under which host names it responds.

pub mod allowed_hosts;
pub mod listen;
