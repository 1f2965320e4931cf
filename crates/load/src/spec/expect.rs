//! Which response statuses are expected.

use crate::error::LoadError;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

/// The statuses that count as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// Inclusive ranges, in the order given.
    ranges: Vec<(u16, u16)>,
}

impl Default for Expect {
    /// 200 to 399.
    fn default() -> Self {
        Self { ranges: vec![(200, 399)] }
    }
}

impl Expect {
    /// Whether `status` is expected.
    #[must_use]
    pub fn matches(&self, status: u16) -> bool {
        self.ranges.iter().any(|&(from, to)| (from..=to).contains(&status))
    }
}

impl std::fmt::Display for Expect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, &(from, to)) in self.ranges.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match (from, to) {
                _ if from == to => write!(f, "{comma}{from}")?,
                _ if from % 100 == 0 && to == from + 99 => write!(f, "{comma}{}xx", from / 100)?,
                _ => write!(f, "{comma}{from}-{to}")?,
            }
        }
        Ok(())
    }
}

impl std::str::FromStr for Expect {
    type Err = LoadError;

    /// Parses comma-separated statuses, classes and ranges: `200,429`, `2xx`, `200-399`.
    fn from_str(text: &str) -> Result<Self, LoadError> {
        text.split(',').map(|part| range(part.trim())).collect::<Result<_, _>>().map(|ranges| Self { ranges })
    }
}

impl<'de> Deserialize<'de> for Expect {
    /// Accepts the same notation in YAML and JSON, and lists: `500`, `2xx`, `"200,429"`, `[2xx, 404]`.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let read = |value: &Value| match value {
            Value::Number(number) => number.to_string().parse(),
            Value::String(text) => text.parse::<Self>(),
            other => range(&other.to_string()).map(|range| Self { ranges: vec![range] }),
        };
        let read = match Value::deserialize(from)? {
            Value::Array(items) if items.is_empty() => {
                Err(LoadError::Spec("the list is empty; add a status or remove the key".to_owned()))
            }
            Value::Array(items) => items
                .iter()
                .map(|item| read(item).map(|expect| expect.ranges))
                .collect::<Result<Vec<_>, _>>()
                .map(|ranges| Self { ranges: ranges.concat() }),
            value => read(&value),
        };
        read.map_err(|reason| de::Error::custom(format!("expect: {reason}")))
    }
}

fn range(text: &str) -> Result<(u16, u16), LoadError> {
    let number = |text: &str| -> Option<u16> {
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten() // rejects `+5`
    };
    let status = |text: &str| number(text.trim()).filter(|code| (100..=599).contains(code));
    let class = |text: &str| {
        let class = number(text.strip_suffix("xx").or_else(|| text.strip_suffix("XX"))?)?;
        (1..=5).contains(&class).then_some((class * 100, class * 100 + 99))
    };
    let between = || {
        let (from, to) = text.split_once('-')?;
        Some((status(from)?, status(to)?)).filter(|(from, to)| from <= to)
    };
    status(text).map(|code| (code, code)).or_else(|| class(text)).or_else(between).ok_or_else(|| {
        LoadError::Spec(format!(
            "`{text}` is not a status: expected 100 to 599, a class such as 2xx, a range such as 200-399, or several of \
             them, such as 200,429"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_and_files_share_one_notation() {
        for (text, yaml, shown, yes, no) in [
            ("200", "200", "200", 200, 201),
            ("200,429", "[200, 429]", "200,429", 429, 500),
            ("200, 429", "'200,429'", "200,429", 200, 404),
            ("2xx", "2xx", "2xx", 204, 300),
            ("5XX, 404", "[5xx, '404']", "5xx,404", 404, 403),
            ("200-399", "200-399", "200-399", 302, 400),
            ("200 - 204,5xx", "[200-204, 5xx]", "200-204,5xx", 503, 205),
            ("200-299", "['200-299']", "2xx", 299, 300),
        ] {
            let expect: Expect = text.parse().unwrap();
            assert!(expect.matches(yes) && !expect.matches(no), "{text}");
            assert_eq!(expect.to_string(), shown);
            assert_eq!(shown.parse(), Ok(expect.clone()), "the printed form parses again");
            assert_eq!(serde_saphyr::from_str::<Expect>(yaml).unwrap(), expect, "{yaml}");
        }
        assert_eq!("200-399".parse(), Ok(Expect::default()));
    }

    #[test]
    fn errors_name_the_invalid_part() {
        for text in [
            "", "99", "600", "6xx", "0xx", "ok", "200;300", "300-200", "200-", "-200", "200-600", "+5xx",
            "2.5",
        ] {
            let error = text.parse::<Expect>().unwrap_err();
            assert!(
                error.to_string().contains(&format!("`{text}` is not a status: expected 100")),
                "{error}"
            );
        }
        assert!("200,ok".parse::<Expect>().unwrap_err().to_string().contains("`ok`"));
        for (yaml, words) in [
            ("[]", "expect: the list is empty"),
            ("[200, 99]", "expect: `99` is not a status"),
            ("200.5", "expect: `200.5` is not"),
            ("true", "expect: `true` is not"),
            ("{a: 1}", "expect: `{"),
            ("[[200]]", "expect: `[200]` is not"),
            ("-200", "expect: `-200` is not"),
        ] {
            let error = serde_saphyr::from_str::<Expect>(yaml).unwrap_err().to_string();
            assert!(error.contains(words), "{yaml}: {error}");
        }
    }
}
