//! The command as a process: arguments, exit codes, signals, ports.

mod before;
mod completions;
mod exits;
mod help;
mod ports;
mod signals;
mod unread;
