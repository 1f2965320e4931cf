//! What is told to whoever started the command. A reader that has gone (a closed pipe, a full disk behind `2>log`) must
//! change neither verdict nor exit code, which `println!` and `eprintln!` do: they panic. So nothing else writes to the
//! standard streams.

use std::fmt::Display;
use std::io::{self, Write};

/// `error: …` on standard error.
pub fn error(reason: impl Display) {
    line(format_args!("error: {reason}"));
}

/// `warning: …` on standard error.
pub fn warning(reason: impl Display) {
    line(format_args!("warning: {reason}"));
}

/// A line on standard error.
pub fn line(text: impl Display) {
    put(&mut io::stderr().lock(), &format!("{text}\n"));
}

/// Text as it is on standard output, in one piece: what was asked for.
pub fn result(text: &str) {
    put(&mut io::stdout().lock(), text);
}

fn put(to: &mut impl Write, text: &str) {
    // Nothing is left to do when nobody reads it.
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}
