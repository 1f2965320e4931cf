//! Causes as written in a drill file.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use super::super::file::{Channel, Share};
use crate::run::spec::LoadSpec;

/// What trips the alert; undone on every way out. Each kind of cause is a field of its own; several go together.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// Traffic in place of the baseline.
    pub load: Option<LoadSpec>,
    /// No traffic at all in place of the baseline.
    #[serde(default)]
    pub idle: bool,
    /// A fault of the gateway's fault plane, as `PUT /faults/{id}` takes it, but for its `ttl`, which the engine sets.
    pub fault: Option<Map<String, Value>>,
    /// A service of the stack to stop.
    pub stop: Option<String>,
    /// A service of the stack to halt where it stands.
    pub pause: Option<String>,
    /// A service of the stack to restart.
    pub restart: Option<Restart>,
    /// A command of one's own.
    pub run: Option<Run>,
    /// Receivers that are to fail.
    #[serde(default)]
    pub inbox: BTreeMap<Channel, InboxFailure>,
    /// The value the rule's left side settles at while the cause lasts; narrows the bound of `pending`.
    pub share: Option<Spanned<Share>>,
}

/// `{name: api, times: 3}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// The service.
    pub name: String,
    /// How often; each time it is left running until Prometheus has scraped it.
    #[serde(default = "once")]
    pub times: u8,
}

fn once() -> u8 {
    1
}

/// `{start: [program, argument, …], undo: [program, argument, …]}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// What causes the condition.
    pub start: Vec<String>,
    /// What undoes it; must do no harm when there is nothing to undo.
    #[serde(default)]
    pub undo: Vec<String>,
    /// `start` goes on for as long as the cause lasts, and is ended with it.
    #[serde(default)]
    pub hold: bool,
}

/// `500` or `hang`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboxFailure {
    /// Answer with this status.
    Status(u16),
    /// Do not answer.
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
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.load.is_none() && !self.idle && !self.acts()
    }

    /// Whether something is done beside traffic.
    #[must_use]
    pub fn acts(&self) -> bool {
        self.fault.is_some()
            || self.stop.is_some()
            || self.pause.is_some()
            || self.restart.is_some()
            || self.run.is_some()
            || !self.inbox.is_empty()
    }

    /// Whether a service of the stack is ordered about.
    #[must_use]
    pub fn needs_control(&self) -> bool {
        self.stop.is_some() || self.pause.is_some() || self.restart.is_some()
    }

    /// What is wrong with it, in words.
    ///
    /// # Errors
    /// The field and what was expected.
    pub fn check(&self) -> Result<(), String> {
        if self.idle && self.load.is_some() {
            return Err("cause: `idle` is no traffic and `load` is some: expected one of them".to_owned());
        }
        if self.fault.as_ref().is_some_and(|fault| fault.contains_key("ttl")) {
            return Err(
                "cause.fault: leave `ttl` out: it is set so that the fault outlasts the drill's waits"
                    .to_owned(),
            );
        }
        if self.restart.as_ref().is_some_and(|restart| restart.times == 0) {
            return Err("cause.restart.times is 0: expected 1 or more".to_owned());
        }
        if self.run.as_ref().is_some_and(|run| run.start.is_empty()) {
            return Err("cause.run.start is empty: expected [program, argument, …]".to_owned());
        }
        Ok(())
    }
}
