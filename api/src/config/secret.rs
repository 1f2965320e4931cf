use std::{fmt, str::FromStr};

/// A text that must not appear in logs, messages or `--print-config`. It has no value parser, because clap would show
/// a rejected value.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text without surrounding space; `None` when it is empty, which counts as unset.
    pub fn given(&self) -> Option<&str> {
        Some(self.0.trim()).filter(|text| !text.is_empty())
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_its_text_and_counts_blank_as_unset() {
        let secret: Secret = " hush ".parse().unwrap();
        assert_eq!((secret.given(), format!("{secret:?}").as_str()), (Some("hush"), "Secret(…)"));
        assert_eq!("  ".parse::<Secret>().unwrap().given(), None);
    }
}
