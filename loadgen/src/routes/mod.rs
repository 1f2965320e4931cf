//! The `loadgen routes` command.

pub mod command;
mod junit;
mod story;
