//! What every command needs and no domain owns: durations, rates, exit codes, console output, signals, TLS trust, listening
//! sockets, random numbers. Knows nothing of load, alerts or drills.

pub mod console;
pub mod duration;
pub mod exit;
pub mod hangup;
pub mod listen;
pub mod markup;
pub mod proof;
pub mod rate;
pub mod rng;
pub mod signals;
pub mod source_error;
pub mod tls;
