//! A drill file: what it proves, by which cause, and what is expected.

use clients::inbox::Channel;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};
use serde_saphyr::{Location, Spanned};

pub use crate::file::cause::Cause;
pub use crate::file::objective::Objective;
use common::duration;
use common::source_error::FileError;
use common::yaml;
use load::spec::load::LoadSpec;

/// A drill, as written in YAML.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drill {
    /// Name of the drill, unique in a run.
    pub drill: Spanned<String>,
    /// The alert it proves.
    pub proves: Proves,
    /// What happens and why the alert must fire, in one sentence.
    #[serde(default)]
    pub summary: String,
    /// Healthy traffic before the cause and during recovery; omitted, none is sent.
    pub baseline: Option<LoadSpec>,
    /// What makes the alert fire.
    #[serde(default)]
    pub cause: Cause,
    /// The times the team promises, whatever the configuration says.
    #[serde(default)]
    pub objective: Objective,
    /// The expected effects of the cause.
    #[serde(default)]
    pub expect: Expect,
}

/// What a drill proves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proves {
    /// `alertname`; empty for a negative control.
    #[serde(default = "no_alert")]
    pub alert: Spanned<String>,
    /// For a negative control, instead of an alert: how long nothing may fire, in production timing.
    #[serde(default, deserialize_with = "duration::deserialize_option")]
    pub quiet: Option<Duration>,
    /// Whether the alert always fires and the drill proves that a missing heartbeat is noticed.
    #[serde(default)]
    pub stops: bool,
    /// How far back the rule's expression reads, where it is not PromQL, in production timing.
    #[serde(default, deserialize_with = "duration::deserialize_option")]
    pub lookback: Option<Duration>,
    /// Labels the firing alert must have, among others.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// What must, must not and may happen.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Channels on which the notification must arrive, and no others.
    #[serde(default = "webhook_only", deserialize_with = "each_once")]
    pub delivered: Vec<Channel>,
    /// Alerts that must stay silent, because they could fire by mistake.
    #[serde(default)]
    pub silent: Vec<Spanned<String>>,
    /// Alerts that may fire too, because of the cause.
    #[serde(default)]
    pub also: Vec<Spanned<String>>,
    /// Alerts that must fire too and whose notifications Alertmanager must inhibit.
    #[serde(default)]
    pub inhibited: Vec<Spanned<String>>,
    /// The labels that Alertmanager must group the alert's notifications by; omitted, any. Labels that the alert does not have
    /// are left out.
    pub grouped_by: Option<Vec<String>>,
    /// For a negative control: alerts whose values must come near their thresholds without firing.
    #[serde(default)]
    pub near: Vec<Spanned<String>>,
}

/// Presence of fields for which omission differs from the default.
#[derive(Deserialize)]
struct Given {
    objective: Option<Spanned<de::IgnoredAny>>,
    #[serde(default)]
    expect: GivenExpect,
}

#[derive(Default, Deserialize)]
struct GivenExpect {
    delivered: Option<Spanned<de::IgnoredAny>>,
    inhibited: Option<Spanned<de::IgnoredAny>>,
    grouped_by: Option<Spanned<de::IgnoredAny>>,
}

fn no_alert() -> Spanned<String> {
    Spanned { value: String::new(), referenced: Location::UNKNOWN, defined: Location::UNKNOWN }
}

fn each_once<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Channel>, D::Error> {
    let channels = Vec::<Channel>::deserialize(from)?;
    for (index, channel) in channels.iter().enumerate() {
        if channels[..index].contains(channel) {
            return Err(de::Error::custom(format!(
                "expect.delivered: duplicate channel `{channel}`: list each channel once"
            )));
        }
    }
    Ok(channels)
}

fn webhook_only() -> Vec<Channel> {
    vec![Channel::Webhook]
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            delivered: webhook_only(),
            silent: Vec::new(),
            also: Vec::new(),
            inhibited: Vec::new(),
            grouped_by: None,
            near: Vec::new(),
        }
    }
}

/// Reads one drill from the text of `path`.
///
/// # Errors
/// Describes the mistake with its file and line, and what was expected.
pub fn parse(path: &Path, text: &str) -> Result<Drill, FileError> {
    let drill: Drill = yaml::document(text).map_err(|error| FileError::yaml(path, &error))?;
    let name = &drill.drill.value;
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        let reason = format!("invalid drill name `{name}`: expected letters, digits, `-`, `_` and `.`");
        return Err(FileError::at(path, drill.drill.referenced, reason));
    }
    if drill.proves.quiet == Some(Duration::ZERO) {
        let reason = "proves.quiet is 0: expected a positive duration, such as 10m".to_owned();
        return Err(FileError::at(path, drill.drill.referenced, reason));
    }
    if drill.proves.quiet.is_some() {
        let proves = &drill.proves;
        if !proves.alert.value.is_empty()
            || proves.stops
            || !proves.labels.is_empty()
            || proves.lookback.is_some()
        {
            let reason =
                "proves: `quiet` means that no alert fires: remove `alert`, `stops`, `labels` and `lookback`"
                    .to_owned();
            return Err(FileError::at(path, drill.drill.referenced, reason));
        }
        let given: Given = yaml::document(text).map_err(|error| FileError::yaml(path, &error))?;
        for (name, at) in [
            ("objective", given.objective),
            ("expect.delivered", given.expect.delivered),
            ("expect.inhibited", given.expect.inhibited),
            ("expect.grouped_by", given.expect.grouped_by),
        ] {
            if let Some(at) = at {
                let reason =
                    format!("`{name}` applies to drills of an alert, not to a negative control: remove it");
                return Err(FileError::at(path, at.referenced, reason));
            }
        }
        return check_cause(path, &drill).map(|()| drill);
    }
    if let Some(near) = drill.expect.near.first() {
        let reason = format!(
            "`near` applies to negative controls (`proves: {{quiet: …}}`): remove `{}` or move it to `silent`",
            near.value
        );
        return Err(FileError::at(path, near.referenced, reason));
    }
    if drill.proves.alert.value.is_empty() {
        let reason = "proves.alert is empty: expected the name of an alert".to_owned();
        return Err(FileError::at(path, drill.proves.alert.referenced, reason));
    }
    if drill.cause.is_empty() {
        let reason = "the cause is empty: expected `load: {rate: …, requests: […]}` or one of idle, fault, stop, pause, \
                      restart, run, inbox"
            .to_owned();
        return Err(FileError::at(path, drill.drill.referenced, reason));
    }
    check_cause(path, &drill)?;
    if drill.expect.delivered.is_empty() {
        let reason = "expect.delivered is empty: expected at least one of webhook, slack, discord, pagerduty, email, heartbeat".to_owned();
        return Err(FileError::at(path, drill.drill.referenced, reason));
    }
    if drill.expect.grouped_by.is_some() && !drill.expect.delivered.contains(&Channel::Webhook) {
        let reason =
            "only a webhook shows `expect.grouped_by`: add webhook to `delivered`, or remove `grouped_by`";
        return Err(FileError::at(path, drill.drill.referenced, reason.to_owned()));
    }
    let proved = &drill.proves.alert.value;
    if drill.proves.stops {
        let given: Given = yaml::document(text).map_err(|error| FileError::yaml(path, &error))?;
        if let Some(at) = given.expect.delivered.filter(|_| drill.expect.delivered != [Channel::Heartbeat]) {
            let reason =
                "with `stops`, only the heartbeat channel can show that the alert stopped: expected [heartbeat]".to_owned();
            return Err(FileError::at(path, at.referenced, reason));
        }
    }
    // Labels may identify it as one of several alerts that share a name.
    let mut fires = drill.expect.also.iter().chain(&drill.expect.inhibited);
    if let Some(own) = fires.find(|it| it.value == *proved && drill.proves.labels.is_empty()) {
        let reason = format!(
            "`{proved}` is the alert this drill proves: remove it from `also` and `inhibited`, or set `proves.labels` \
             to distinguish the alerts of that name"
        );
        return Err(FileError::at(path, own.referenced, reason));
    }
    let silent = drill.expect.silent.iter().find(|name| {
        let fires = drill.expect.also.iter().chain(&drill.expect.inhibited);
        name.value == *proved || fires.clone().any(|fires| fires.value == name.value)
    });
    if let Some(silent) = silent {
        let reason = format!(
            "`{}` is expected both to stay silent and to fire: remove it from `silent`, or from `also` and `proves`",
            silent.value
        );
        return Err(FileError::at(path, silent.referenced, reason));
    }
    Ok(drill)
}

/// Parses a drill that names what it proves and has no cause yet, as scaffolding writes it.
#[must_use]
pub fn without_cause(text: &str) -> Option<Drill> {
    let drill: Drill = yaml::document(text).ok()?;
    let proves = &drill.proves;
    (drill.cause.is_empty() && proves.quiet.is_none() && !proves.alert.value.is_empty()).then_some(drill)
}

fn check_cause(path: &Path, drill: &Drill) -> Result<(), FileError> {
    drill.cause.check().map_err(|error| FileError::at(path, drill.drill.referenced, error.to_string()))
}

#[cfg(test)]
#[path = "drill_tests.rs"]
mod tests;
