//! The binary: commands, signals, logs.

pub mod binary;
pub mod commands;
pub mod logs;
pub mod running;
pub mod shutdown;
