//! Sizes in a readable form: `500MB`, `1.5 GiB`, `1048576`.

/// Suffixes and their factors: decimal without the `i`, binary with it.
const UNITS: &[(&str, u64)] = &[
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("b", 1),
];

/// A text that is not a valid size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a size such as 500MB, 7GB or 512MiB")]
pub struct SizeError;

/// Parses a size into bytes, at least 1. Case does not matter; a number without a unit is in bytes.
///
/// # Errors
/// [`SizeError`].
pub fn parse(text: &str) -> Result<u64, SizeError> {
    let lower = text.trim().to_ascii_lowercase();
    let (number, unit) = UNITS
        .iter()
        .find_map(|(suffix, unit)| lower.strip_suffix(suffix).map(|number| (number, *unit)))
        .unwrap_or((&lower, 1));
    let number = number.trim_end();
    // Digits and one point only: `f64` would also take `inf`, `nan` and `1e9`.
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(SizeError);
    }
    let bytes = match number.parse::<u64>() {
        Ok(whole) => whole.checked_mul(unit).ok_or(SizeError)?,
        Err(_) => (number.parse::<f64>().map_err(|_| SizeError)? * unit as f64).round() as u64,
    };
    // No process can hold more, and the value must fit an `i64` gauge.
    if (1..=1 << 50).contains(&bytes) { Ok(bytes) } else { Err(SizeError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_sizes_with_and_without_units() {
        for (text, bytes) in [
            ("1", 1),
            ("1048576", 1 << 20),
            ("12B", 12),
            ("500MB", 500_000_000),
            ("7GB", 7_000_000_000),
            ("7 gb", 7_000_000_000),
            ("1.5GiB", 3 << 29),
            ("0.5kB", 500),
            ("64KiB", 65_536),
            (" 2TB ", 2_000_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn rejects_invalid_sizes() {
        for text in [
            "",
            "MB",
            "0",
            "0MB",
            "-1",
            "1e9",
            "nan",
            "inf",
            "1.2.3",
            "1XB",
            "5 M B",
            "99999999999TB",
            "1 MB x",
        ] {
            assert!(parse(text).unwrap_err().to_string().contains("500MB"), "{text}");
        }
    }
}
