//! The stack in containers: what the compose file says, and, where a Docker engine answers, that it works.

#![allow(clippy::unwrap_used)] // a test fails by panicking

mod channels;
mod compose_file;
mod engine;
mod kubernetes;
#[path = "../common/markdown.rs"]
mod markdown;
mod project;
