//! A drill file: what is proven, by which cause, and what is expected to happen.

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
use load::spec::load::LoadSpec;

/// A drill, as written in YAML.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drill {
    /// Its name, unique in a run.
    pub drill: Spanned<String>,
    /// The alert it proves.
    pub proves: Proves,
    /// What happens and why that is right, in a sentence.
    #[serde(default)]
    pub summary: String,
    /// Healthy traffic: before the cause and through recovery; left out, none is sent.
    pub baseline: Option<LoadSpec>,
    /// What trips the alert.
    #[serde(default)]
    pub cause: Cause,
    /// What the team promises, whatever the configuration says.
    #[serde(default)]
    pub objective: Objective,
    /// What the cause leads to.
    #[serde(default)]
    pub expect: Expect,
}

/// Which alert.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proves {
    /// `alertname`; empty for a negative control.
    #[serde(default = "no_alert")]
    pub alert: Spanned<String>,
    /// Instead of an alert: nothing fires for this long, in production timing. A negative control.
    #[serde(default, deserialize_with = "duration::deserialize_option")]
    pub quiet: Option<Duration>,
    /// The alert is one that always fires, and what is proven is that somebody notices when it stops arriving.
    #[serde(default)]
    pub stops: bool,
    /// Labels the firing alert must carry, beside others.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// What must, must not and may happen.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Channels the notification arrives on, and no other.
    #[serde(default = "webhook_only", deserialize_with = "each_once")]
    pub delivered: Vec<Channel>,
    /// Alerts that stay silent: named because they are the likely mistake.
    #[serde(default)]
    pub silent: Vec<Spanned<String>>,
    /// Alerts that trip too, explained by the cause.
    #[serde(default)]
    pub also: Vec<Spanned<String>>,
    /// Alerts that must trip too and of which nobody may be told, since Alertmanager inhibits them.
    #[serde(default)]
    pub inhibited: Vec<Spanned<String>>,
    /// Of a negative control: alerts whose rules' values must come near their thresholds, without firing.
    #[serde(default)]
    pub near: Vec<Spanned<String>>,
}

/// Which fields a file has, where leaving one out is not the same as its default.
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
}

fn no_alert() -> Spanned<String> {
    Spanned { value: String::new(), referenced: Location::UNKNOWN, defined: Location::UNKNOWN }
}

fn each_once<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Channel>, D::Error> {
    let channels = Vec::<Channel>::deserialize(from)?;
    for (index, channel) in channels.iter().enumerate() {
        if channels[..index].contains(channel) {
            return Err(de::Error::custom(format!(
                "expect.delivered: `{channel}` is named twice: each channel once"
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
            near: Vec::new(),
        }
    }
}

/// Reads one drill from the text of `path`.
///
/// # Errors
/// With file, line and what was expected.
pub fn parse(path: &Path, text: &str) -> Result<Drill, FileError> {
    let drill: Drill = serde_saphyr::from_str(text).map_err(|error| FileError::yaml(path, &error))?;
    let name = &drill.drill.value;
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        let reason = format!("`{name}` is not a drill's name: expected letters, digits, `-`, `_` and `.`");
        return Err(FileError::at(path, drill.drill.referenced, reason));
    }
    if drill.proves.quiet == Some(Duration::ZERO) {
        let reason = "proves.quiet is 0: expected for how long nothing fires, such as 10m".to_owned();
        return Err(FileError::at(path, drill.drill.referenced, reason));
    }
    if drill.proves.quiet.is_some() {
        let proves = &drill.proves;
        if !proves.alert.value.is_empty() || proves.stops || !proves.labels.is_empty() {
            let reason =
                "proves: `quiet` is that no alert fires: leave `alert`, `stops` and `labels` out".to_owned();
            return Err(FileError::at(path, drill.drill.referenced, reason));
        }
        let given: Given = serde_saphyr::from_str(text).map_err(|error| FileError::yaml(path, &error))?;
        for (name, at) in [
            ("objective", given.objective),
            ("expect.delivered", given.expect.delivered),
            ("expect.inhibited", given.expect.inhibited),
        ] {
            if let Some(at) = at {
                let reason =
                    format!("`{name}` is for drills of an alert, and here none is to fire: leave it out");
                return Err(FileError::at(path, at.referenced, reason));
            }
        }
        return check_cause(path, &drill).map(|()| drill);
    }
    if let Some(near) = drill.expect.near.first() {
        let reason = format!(
            "`near` is for negative controls (`proves: {{quiet: …}}`): take `{}` out of it, or into `silent`",
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
    let proved = &drill.proves.alert.value;
    if drill.proves.stops {
        let given: Given = serde_saphyr::from_str(text).map_err(|error| FileError::yaml(path, &error))?;
        if let Some(at) = given.expect.delivered.filter(|_| drill.expect.delivered != [Channel::Heartbeat]) {
            let reason =
                "`stops` shows in the absence of the heartbeat alone: expected [heartbeat]".to_owned();
            return Err(FileError::at(path, at.referenced, reason));
        }
    }
    // By its labels it may be one of several of that name.
    let mut fires = drill.expect.also.iter().chain(&drill.expect.inhibited);
    if let Some(own) = fires.find(|it| it.value == *proved && drill.proves.labels.is_empty()) {
        let reason = format!(
            "`{proved}` is the alert that is proven: take it out of `also` and `inhibited`, or say in `proves.labels` \
             which of that name it is"
        );
        return Err(FileError::at(path, own.referenced, reason));
    }
    let silent = drill.expect.silent.iter().find(|name| {
        let fires = drill.expect.also.iter().chain(&drill.expect.inhibited);
        name.value == *proved || fires.clone().any(|fires| fires.value == name.value)
    });
    if let Some(silent) = silent {
        let reason = format!(
            "`{}` is expected to stay silent and to fire: take it out of `silent`, or out of `also` and `proves`",
            silent.value
        );
        return Err(FileError::at(path, silent.referenced, reason));
    }
    Ok(drill)
}

/// The drill of a text that says what is proven and has no cause yet, as scaffolding leaves it.
#[must_use]
pub fn without_cause(text: &str) -> Option<Drill> {
    let drill: Drill = serde_saphyr::from_str(text).ok()?;
    let proves = &drill.proves;
    (drill.cause.is_empty() && proves.quiet.is_none() && !proves.alert.value.is_empty()).then_some(drill)
}

fn check_cause(path: &Path, drill: &Drill) -> Result<(), FileError> {
    drill.cause.check().map_err(|error| FileError::at(path, drill.drill.referenced, error.to_string()))
}

#[cfg(test)]
#[path = "drill_tests.rs"]
mod tests;
