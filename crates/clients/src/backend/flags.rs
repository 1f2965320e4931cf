//! The flags of VictoriaMetrics and vmalert, from the `flag` metrics in their `/metrics`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::prometheus::Labels;
use common::duration;

/// Flags by name, without the leading dash; secret values are masked by the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags(BTreeMap<String, Flag>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Flag {
    value: String,
    is_set: bool,
}

impl Flags {
    /// Those in the text of `/metrics`; `None` if there are none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let flag = |line: &str| {
            let rest = line.strip_prefix("flag{name=\"")?;
            let (name, rest) = rest.split_once("\", value=\"")?;
            let (value, rest) = rest.rsplit_once("\", is_set=\"")?;
            Some((name.to_owned(), Flag { value: value.to_owned(), is_set: rest.starts_with("true") }))
        };
        let flags: BTreeMap<_, _> = text.lines().filter_map(flag).collect();
        (!flags.is_empty()).then_some(Self(flags))
    }

    /// Whether they are those of vmalert.
    #[must_use]
    pub fn are_vmalert(&self) -> bool {
        self.0.contains_key("datasource.url")
    }

    /// Whether a flag was given.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|flag| flag.is_set && !flag.value.is_empty())
    }

    /// Whether a flag is there and true.
    #[must_use]
    pub fn is_true(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|flag| flag.value == "true")
    }

    /// The duration of a flag, in the notation of Go (`1m0s`); `None` where the flag is missing or is no duration.
    #[must_use]
    pub fn duration(&self, name: &str) -> Option<Duration> {
        self.0.get(name).and_then(|flag| duration::parse(&flag.value).ok())
    }

    /// The labels of `-external.label`.
    #[must_use]
    pub fn external_labels(&self) -> Labels {
        let pairs = self.0.get("external.label").map_or("", |flag| flag.value.as_str()).split(',');
        let pair = |text: &str| text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        pairs.filter_map(pair).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_the_flags_of_vmalert_1_79() {
        let text = r#"vm_app_version{version="", short_version=""} 1
flag{name="datasource.url", value="secret", is_set="true"} 1
flag{name="disableAlertgroupLabel", value="false", is_set="false"} 1
flag{name="evaluationInterval", value="1m0s", is_set="false"} 1
flag{name="external.label", value="env=prod,team=a", is_set="true"} 1
flag{name="notifier.url", value="", is_set="false"} 1
flag{name="remoteWrite.flushInterval", value="500ms", is_set="true"} 1
flag{name="rule.resendDelay", value="0s", is_set="false"} 1
go_goroutines 12
"#;
        let flags = Flags::parse(text).unwrap();
        assert!(flags.are_vmalert() && flags.is_set("datasource.url") && !flags.is_set("notifier.url"));
        assert_eq!(flags.duration("evaluationInterval"), Some(Duration::from_secs(60)));
        assert_eq!(flags.duration("remoteWrite.flushInterval"), Some(Duration::from_millis(500)));
        assert_eq!(flags.duration("rule.resendDelay"), Some(Duration::ZERO));
        assert_eq!((flags.duration("rule.evalDelay"), flags.duration("external.label")), (None, None));
        let labels =
            [("env", "prod"), ("team", "a")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(flags.external_labels(), labels.into());
        assert!(!flags.is_true("disableAlertgroupLabel"));
        assert_eq!(Flags::parse("go_goroutines 12\n"), None);
    }
}
