//! The parser's own sources: all of loadgen's dependencies under a sanitizer would take minutes to build.
#![allow(dead_code, reason = "only the parser is used here")]

#[path = "../src/run/answer.rs"]
pub mod answer;
#[path = "../src/run/body.rs"]
pub mod body;
#[path = "../src/run/capture.rs"]
pub mod capture;
#[path = "../src/run/dice.rs"]
pub mod dice;
#[path = "../src/run/fault.rs"]
pub mod fault;
