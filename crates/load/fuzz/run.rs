//! The parser's own sources, at the paths they have in `load` and `common`: all of the dependencies under coverage would
//! take minutes to build.
#![allow(dead_code, reason = "only the parser is used here")]

#[path = "../src/wire/body.rs"]
pub mod body;
#[path = "../src/spec/capture.rs"]
pub mod capture;
#[path = "../src/wire/error.rs"]
pub mod error;
#[path = "../src/wire/response.rs"]
pub mod response;
#[path = "../../common/src/rng.rs"]
pub mod rng;

/// What is read of a response.
pub mod wire {
    pub use super::{body, error, response};
}

/// What is kept of a response.
pub mod spec {
    pub use super::capture;
}
