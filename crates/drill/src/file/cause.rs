//! Causes as written in a drill file.

use crate::error::DrillError;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, de};
use serde_saphyr::Spanned;

use crate::file::fault::Fault;
use crate::file::share::Share;
use clients::inbox::Channel;
use load::spec::load::LoadSpec;

/// What makes the alert fire; undone however the drill ends. Each kind of cause is a field, and several can be combined.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// Traffic that replaces the baseline.
    pub load: Option<LoadSpec>,
    /// No traffic: the baseline stops.
    #[serde(default)]
    pub idle: bool,
    /// A fault of the gateway's fault plane, as `PUT /faults/{id}` takes it. The engine sets `ttl`.
    pub fault: Option<Fault>,
    /// Name of a service of the stack to stop.
    #[serde(default, deserialize_with = "service_if_any")]
    pub stop: Option<String>,
    /// Name of a service of the stack to pause.
    #[serde(default, deserialize_with = "service_if_any")]
    pub pause: Option<String>,
    /// Restarts of a service of the stack.
    pub restart: Option<Restart>,
    /// A custom command.
    pub run: Option<Run>,
    /// Channels whose receivers fail, and how.
    #[serde(default)]
    pub inbox: BTreeMap<Channel, InboxFailure>,
    /// The value of the rule's left side while the cause lasts; shortens the bound of `pending`.
    pub share: Option<Spanned<Share>>,
}

/// Restarts of a service: `{name: api, times: 3}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// Name of the service.
    #[serde(deserialize_with = "service")]
    pub name: String,
    /// Number of restarts, 1 to 100; before the next one the service runs until Prometheus has scraped it.
    #[serde(default = "once", deserialize_with = "times")]
    pub times: u8,
}

fn once() -> u8 {
    1
}

fn times<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    let text = String::deserialize(from)?;
    match text.parse() {
        Ok(times @ 1..=100) => Ok(times),
        _ => Err(de::Error::custom(format!("cause.restart.times is {text}: expected 1 to 100"))),
    }
}

fn service<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    if name.trim().is_empty() {
        return Err(de::Error::custom("empty service name: expected a service of the stack, such as redis"));
    }
    Ok(name)
}

fn service_if_any<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    service(from).map(Some)
}

/// A program and its arguments. No shell is involved, so a list is required.
fn command<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    struct Words;

    impl<'de> de::Visitor<'de> for Words {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list [program, argument, …]; for a shell command, [sh, -c, '…']")
        }

        fn visit_str<E: de::Error>(self, line: &str) -> Result<Self::Value, E> {
            Err(E::custom(format!(
                "`{line}`: expected a list [program, argument, …], such as [sh, -c, '{}']",
                line.replace('\'', "''")
            )))
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
            let mut words = Vec::new();
            while let Some(word) = from.next_element()? {
                words.push(word);
            }
            Ok(words)
        }
    }

    from.deserialize_any(Words)
}

/// A custom command: `{start: [program, argument, …], undo: [program, argument, …]}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The command that causes the condition.
    #[serde(deserialize_with = "command")]
    pub start: Vec<String>,
    /// The command that undoes it; must be harmless when there is nothing to undo.
    #[serde(default, deserialize_with = "command")]
    pub undo: Vec<String>,
    /// Whether `start` keeps running while the cause lasts and is ended with it.
    #[serde(default)]
    pub hold: bool,
}

/// How a receiver fails: an HTTP status such as `500`, or `hang`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboxFailure {
    /// Respond with this status.
    Status(u16),
    /// Do not respond.
    Hang,
}

impl<'de> Deserialize<'de> for InboxFailure {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match text.parse::<u16>() {
            Ok(status) if (400..=599).contains(&status) => Ok(Self::Status(status)),
            _ if text == "hang" => Ok(Self::Hang),
            _ => Err(de::Error::custom(format!("`{text}`: expected a status from 400 to 599, or hang"))),
        }
    }
}

impl Cause {
    /// Whether the cause is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.load.is_none() && !self.idle && !self.acts()
    }

    /// Whether the cause does more than change the traffic.
    #[must_use]
    pub fn acts(&self) -> bool {
        self.fault.is_some()
            || self.stop.is_some()
            || self.pause.is_some()
            || self.restart.is_some()
            || self.run.is_some()
            || !self.inbox.is_empty()
    }

    /// Whether the cause stops, pauses or restarts a service of the stack.
    #[must_use]
    pub fn needs_control(&self) -> bool {
        self.stop.is_some() || self.pause.is_some() || self.restart.is_some()
    }

    /// Whether the cause restarts this service.
    #[must_use]
    pub fn restarts(&self, service: &str) -> bool {
        let restarted = self.restart.as_ref().map(|restart| restart.name.as_str());
        self.stop.as_deref() == Some(service) || restarted == Some(service)
    }

    /// Checks that the cause is consistent.
    ///
    /// # Errors
    /// The invalid field and what was expected.
    pub fn check(&self) -> Result<(), DrillError> {
        if self.idle && self.load.is_some() {
            return Err(DrillError::Field(
                "cause: `idle` (no traffic) and `load` cannot be combined: remove one of them".to_owned(),
            ));
        }
        if self.run.as_ref().is_some_and(|run| run.start.is_empty()) {
            return Err(DrillError::Field(
                "cause.run.start is empty: expected [program, argument, …]".to_owned(),
            ));
        }
        Ok(())
    }
}
