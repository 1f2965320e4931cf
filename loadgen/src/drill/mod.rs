//! `loadgen drill`.

pub mod command;
mod output;
mod stacks;
