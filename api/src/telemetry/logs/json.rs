//! JSON by hand: a line per request is written, so its making counts.

use std::fmt::{self, Write};

/// Appends text as a JSON string, quotes included (RFC 8259, section 7).
pub(super) fn string(out: &mut String, text: &str) {
    out.push('"');
    escape(out, text);
    out.push('"');
}

/// Whether a byte may not stand in a JSON string.
fn special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// Appends text with what may not stand in a JSON string escaped.
fn escape(out: &mut String, text: &str) {
    // Without a way out of the loop, so that it is done many bytes at once: almost all text is clean.
    if !text.bytes().fold(false, |found, byte| found | special(byte)) {
        return out.push_str(text);
    }
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate() {
        if !special(byte) {
            continue;
        }
        out.push_str(&text[clean..at]);
        clean = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => write!(out, "\\u{byte:04x}").expect("writing to a String cannot fail"),
        }
    }
    out.push_str(&text[clean..]);
}

/// Appends what a value displays as a JSON string.
pub(super) fn displayed(out: &mut String, value: fmt::Arguments<'_>) {
    struct Escaped<'a>(&'a mut String);
    impl Write for Escaped<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            escape(self.0, text);
            Ok(())
        }
    }
    out.push('"');
    // A value whose own Display fails ends early; the line stays well-formed.
    let _ = Escaped(out).write_fmt(value);
    out.push('"');
}

/// Appends a number; JSON has none for the infinite and the undefined.
pub(super) fn number(out: &mut String, value: f64) {
    if value.is_finite() {
        write!(out, "{value:?}").expect("writing to a String cannot fail");
    } else {
        out.push_str("null");
    }
}

/// Appends RFC 3339 in UTC to the microsecond, `2026-01-31T23:59:59.123456Z`, of a time since 1970.
pub(super) fn timestamp(out: &mut String, since_1970: std::time::Duration) {
    let seconds = since_1970.as_secs();
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let micros = u64::from(since_1970.subsec_micros());
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let mut digits = |from: usize, to: usize, mut value: u64| {
        for digit in text[from..to].iter_mut().rev() {
            *digit = b'0' + (value % 10) as u8;
            value /= 10;
        }
    };
    digits(0, 4, year);
    digits(5, 7, month);
    digits(8, 10, day);
    digits(11, 13, hour);
    digits(14, 16, minute);
    digits(17, 19, second);
    digits(20, 26, micros);
    out.push_str(std::str::from_utf8(&text).expect("digits and signs are ASCII"));
}

/// Year, month and day of a day since 1970-01-01, by the Gregorian calendar: eras of 400 years, counted from a March,
/// so that the leap day is the last of its year.
fn date(days: u64) -> (u64, u64, u64) {
    // From 0000-03-01 to 1970-01-01.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // March is 0; months of 31, 30, 31, 30, 31 days, five of them 153.
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era + u64::from(month >= 10);
    (year, (month + 2) % 12 + 1, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn infinities_are_null() {
        let mut out = String::new();
        for value in [0.25, 3.0, f64::NAN, f64::INFINITY] {
            number(&mut out, value);
            out.push(' ');
        }
        assert_eq!(out, "0.25 3.0 null null ");
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text: String) {
            let (mut out, mut shown) = (String::new(), String::new());
            string(&mut out, &text);
            displayed(&mut shown, format_args!("{text}"));
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
            prop_assert_eq!(out, shown);
        }

        #[test]
        fn any_time_is_written_as_others_write_it(micros in 0..253_402_300_800_000_000u64) {
            let since_1970 = Duration::from_micros(micros);
            let mut out = String::new();
            timestamp(&mut out, since_1970);
            prop_assert_eq!(out, humantime::format_rfc3339_micros(UNIX_EPOCH + since_1970).to_string());
        }
    }
}
