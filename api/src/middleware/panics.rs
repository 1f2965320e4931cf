//! Logs panics. The standard library would write them to standard error, in a form that no reader of JSON lines
//! understands.

use crate::fault::InjectedPanic;
use std::{
    any::Any,
    backtrace::{Backtrace, BacktraceStatus},
};

/// From now on a panic of any thread is logged, with its backtrace if `RUST_BACKTRACE` enables it. Injected panics
/// are not: the log line of their request names them.
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
        tracing::error!(cause, thread, location, backtrace, "thread panicked");
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
    fn reads_messages_of_both_forms() {
        assert_eq!(message(&"plain"), "plain");
        assert_eq!(message(&format!("{}", 7)), "7");
        assert_eq!(message(&7), "no message");
    }
}
