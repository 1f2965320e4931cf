//! The inbox over HTTP, in this process and as `loadgen inbox`.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a panic is the report")]

mod browser;
mod chromium;
mod command;
mod pages;
mod receivers;
mod running;
mod served;
mod status;
