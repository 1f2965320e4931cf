//! The stack in containers: checks of the compose file, and a run if a Docker engine is available.

#![allow(clippy::unwrap_used)] // a test fails by panicking

mod channels;
mod compose_file;
mod docker_proxy;
mod engine;
mod kubernetes;
#[path = "../common/markdown.rs"]
mod markdown;
mod project;
mod redis_users;
mod skipped;
