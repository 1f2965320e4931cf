//! Panics as log lines like any other. Left to itself the standard library writes to standard error, in a form that
//! nothing which reads JSON lines understands.

use crate::fault::InjectedPanic;
use std::{
    any::Any,
    backtrace::{Backtrace, BacktraceStatus},
};

/// From now on a panic of any thread is a log line, with its backtrace where `RUST_BACKTRACE` asks for one. One that
/// was injected is none: the line of its request says so.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        if InjectedPanic::header_of(panic.payload()).is_some() {
            return;
        }
        let thread = std::thread::current();
        let (cause, thread) = (message(panic.payload()), thread.name().unwrap_or("unnamed"));
        let location = panic.location().map(ToString::to_string);
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        tracing::error!(cause, thread, location, backtrace, "panicked");
    }));
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_in_both_forms() {
        assert_eq!(message(&"plain"), "plain");
        assert_eq!(message(&format!("{}", 7)), "7");
        assert_eq!(message(&7), "no message");
    }
}
