//! `loadgen drill`.

pub mod args;
pub mod command;
mod output;
mod stacks;
