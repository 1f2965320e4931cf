//! Human-readable numbers.

use std::collections::BTreeMap;

use textwrap::{Options, WordSeparator, WordSplitter};

use crate::wire::error::Fault;

/// Formats a latency in seconds: `0.31ms`, `12.4ms`, `250ms`, `1.25s`; `-` for none.
#[must_use]
pub fn latency(seconds: Option<f64>) -> String {
    match seconds {
        None => "-".to_owned(),
        Some(s) if s < 0.009_995 => format!("{:.2}ms", s * 1e3),
        Some(s) if s < 0.099_95 => format!("{:.1}ms", s * 1e3),
        Some(s) if s < 0.9995 => format!("{:.0}ms", s * 1e3),
        Some(s) if s < 99.995 => format!("{s:.2}s"),
        Some(s) => format!("{s:.0}s"),
    }
}

/// Formats a count with separators: `12,345`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a rate: `0.50/s`, `39.9/s`, `9,998/s`.
#[must_use]
pub fn rate(per_second: f64) -> String {
    if per_second >= 999.95 {
        format!("{}/s", count(per_second.round() as u64))
    } else if per_second >= 9.995 {
        format!("{per_second:.1}/s")
    } else {
        format!("{per_second:.2}/s")
    }
}

/// Formats a share as a percentage: `8.0 %`.
#[must_use]
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 { "-".to_owned() } else { format!("{:.1} %", part as f64 / whole as f64 * 100.0) }
}

/// `200: 1,380 · 500: 120`, or `none`.
#[must_use]
pub fn statuses(statuses: &BTreeMap<u16, u64>) -> String {
    joined(statuses.iter().map(|(status, number)| format!("{status}: {}", count(*number))))
}

/// `12 connection refused · 3 connection reset`, or `none`.
#[must_use]
pub fn faults(faults: impl IntoIterator<Item = (Fault, u64)>) -> String {
    joined(faults.into_iter().map(|(fault, number)| format!("{} {}", count(number), fault.meaning())))
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    let text = parts.collect::<Vec<_>>().join(" · ");
    if text.is_empty() { "none".to_owned() } else { text }
}

/// Wraps text between words into lines of at most `width` characters. Lines after the first start with `indent`. A
/// no-break space prevents a break and is printed as a space.
#[must_use]
pub fn wrapped(text: &str, width: usize, indent: &str) -> Vec<String> {
    let options = Options::new(width)
        .subsequent_indent(indent)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::wrap(text, options).into_iter().map(|line| line.replace('\u{a0}', " ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_numbers() {
        for (seconds, text) in [
            (0.0, "0.00ms"),
            (0.000_312, "0.31ms"),
            (0.009_99, "9.99ms"),
            (0.009_999, "10.0ms"),
            (0.012_44, "12.4ms"),
            (0.099_97, "100ms"),
            (0.25, "250ms"),
            (0.9996, "1.00s"),
            (1.25, "1.25s"),
            (3600.0, "3600s"),
        ] {
            assert_eq!(latency(Some(seconds)), text);
        }
        assert_eq!(
            [count(0), count(999), count(1_000), count(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [rate(0.5), rate(39.94), rate(999.99), rate(9_998.4)],
            ["0.50/s", "39.9/s", "1,000/s", "9,998/s"]
        );
        assert_eq!([share(8, 100), share(0, 0)], ["8.0 %", "-"]);
    }

    #[test]
    fn wraps_between_words() {
        assert_eq!(wrapped("one two three four", 9, "  "), ["one two", "  three", "  four"]);
        assert_eq!(wrapped("", 9, "  "), [""]);
    }
}
