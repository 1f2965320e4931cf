//! Console output. `println!` and `eprintln!` panic when the reader is gone (a closed pipe, a full disk behind
//! `2>log`), which would change the exit code. These functions ignore such errors, so all output goes through them.
//!
//! Output has texts of other systems in it: alert names, labels, errors of servers. What could move the cursor, set the
//! clipboard or reverse the reading order is escaped.

use std::borrow::Cow;
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

/// Prints the result of the command to standard output, in one write.
pub fn result(text: &str) {
    put(&mut io::stdout().lock(), text);
}

/// The text with control characters other than line breaks and tabs, and characters that change the reading order, escaped as
/// in JSON, so that JSON stays the same value.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_hidden(character) {
            shown.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

fn is_hidden(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        // Bidi_Control of Unicode (UAX #9), and its line and paragraph separators.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => character.is_control(),
    }
}

fn put(to: &mut impl Write, text: &str) {
    // Errors are ignored; see the module comment.
    let _ = to.write_all(visible(text).as_bytes()).and_then(|()| to.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_a_terminal_would_act_on() {
        for (text, shown) in [
            ("plain\ttext · 8 %\nnext", "plain\ttext · 8 %\nnext"),
            ("\u{1b}[2J", "\\u001b[2J"),
            ("\u{1b}]52;c;eA==\u{7}", "\\u001b]52;c;eA==\\u0007"),
            ("\u{9b}31m\u{7f}\0", "\\u009b31m\\u007f\\u0000"),
            ("MISSED\rPROVEN", "MISSED\\u000dPROVEN"),
            ("a\u{202e}b\u{2066}c\u{200f}d\u{61c}e\u{2028}", "a\\u202eb\\u2066c\\u200fd\\u061ce\\u2028"),
            ("👩\u{200d}🚒 שלום", "👩\u{200d}🚒 שלום"),
        ] {
            assert_eq!(visible(text), shown, "{text:?}");
        }
    }

    #[test]
    fn every_output_is_escaped() {
        let mut written = Vec::new();
        put(&mut written, "{\"alert\": \"a\u{202e}b\"}\n");
        let written = String::from_utf8(written).unwrap();
        assert!(!written.contains('\u{202e}'), "{written}");
        let json: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(json["alert"], "a\u{202e}b", "JSON is the same value");
    }
}
