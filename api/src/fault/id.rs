/// Longest id, in bytes.
const LONGEST_ID: usize = 40;

/// Whether an id is 1 to 40 letters, digits, `-` and `_`: it becomes a label and a header.
pub(crate) fn acceptable(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_clean() {
        for (id, good) in [
            ("a", true),
            ("slow-users_2", true),
            (&"x".repeat(40), true),
            (&"x".repeat(41), false),
            ("", false),
            ("a b", false),
            ("a/b", false),
            ("a\"b", false),
            ("ä", false),
        ] {
            assert_eq!(acceptable(id), good, "{id:?}");
        }
    }
}
