//! Console output. `println!` and `eprintln!` panic when the reader is gone (a closed pipe, a full disk behind
//! `2>log`), which would change the exit code. These functions ignore such errors, so all output goes through them.

use std::fmt::Display;
use std::io::{self, Write};

/// Prints `error: …` to standard error.
pub fn error(reason: impl Display) {
    line(format_args!("error: {reason}"));
}

/// Prints `warning: …` to standard error.
pub fn warning(reason: impl Display) {
    line(format_args!("warning: {reason}"));
}

/// Prints a line to standard error.
pub fn line(text: impl Display) {
    put(&mut io::stderr().lock(), &format!("{text}\n"));
}

/// Prints the result of the command to standard output, unchanged and in one write.
pub fn result(text: &str) {
    put(&mut io::stdout().lock(), text);
}

fn put(to: &mut impl Write, text: &str) {
    // Errors are ignored; see the module comment.
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}
