//! Rendering of monitoring files by the library and by `loadgen scale`.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a panic is the report")]

mod addresses;
mod any_text;
mod command;
#[path = "../damage/mod.rs"]
mod damage;
mod fixture;
mod reading;
mod refused;
mod render;
