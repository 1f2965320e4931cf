//! Includes the sources of the parser at their paths in `load` and `common`, as building all dependencies with coverage
//! would take minutes.
#![allow(dead_code, reason = "only the parser is used here")]

#[path = "../src/wire/body.rs"]
pub mod body;
#[path = "../src/spec/capture.rs"]
pub mod capture;
#[path = "../src/wire/error.rs"]
pub mod error;
#[path = "../src/wire/framing.rs"]
pub mod framing;
#[path = "../src/wire/response.rs"]
pub mod response;
#[path = "../../common/src/rng.rs"]
pub mod rng;

/// The response parser.
pub mod wire {
    pub use super::{body, error, framing, response};
}

/// Captured values.
pub mod spec {
    pub use super::capture;
}
