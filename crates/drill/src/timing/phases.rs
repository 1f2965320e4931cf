//! Timestamps of a drill and the phases between them.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::timing::bounds::Bounds;
use crate::timing::clock;
use clients::inbox::Channel;

/// Prometheus stores whole milliseconds: timestamps that differ by this much count as equal.
pub const STAMP_SECONDS: f64 = 0.001;

/// Timestamps of a drill; `None` where the event did not happen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Instants {
    /// Start of the baseline traffic.
    pub baseline: Option<Timestamp>,
    /// Start of the cause.
    pub cause: Option<Timestamp>,
    /// When the alert went pending.
    pub pending: Option<Timestamp>,
    /// When the alert fired.
    pub firing: Option<Timestamp>,
    /// When each channel received the firing notification.
    pub notified: BTreeMap<Channel, Timestamp>,
    /// When the lifting of the cause began.
    #[serde(skip)]
    pub lifting: Option<Timestamp>,
    /// When the cause was lifted.
    pub lifted: Option<Timestamp>,
    /// When the alert resolved.
    pub resolved: Option<Timestamp>,
    /// When each channel received the all-clear.
    pub all_clear: BTreeMap<Channel, Timestamp>,
}

impl Instants {
    /// When the cause was lifted, for what happened at `end`: while its commands still ran, it was lifted by then.
    #[must_use]
    pub fn lifted_by(&self, end: Option<Timestamp>) -> Option<Timestamp> {
        let during = |end: &Timestamp| self.lifting.is_some_and(|began| began <= *end);
        let lifted = self.lifted?;
        Some(end.filter(during).map_or(lifted, |end| end.min(lifted)))
    }
}

/// Duration of a phase and its bound, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Measured {
    /// `None` when the phase did not end, or ended before it began, which is a contradiction.
    pub seconds: Option<f64>,
    /// `None` when the running configuration could not be read.
    pub bound_seconds: Option<f64>,
}

/// The phases of a run that have a bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Phases {
    /// Cause → pending.
    pub pending: Measured,
    /// Pending → firing.
    pub firing: Measured,
    /// Firing → notified on the last of the expected channels.
    pub notified: Measured,
    /// Cause lifted → resolved.
    pub resolved: Measured,
    /// Resolved → all-clear on the last of the expected channels.
    pub all_clear: Measured,
}

impl Phases {
    /// For a drill that follows no rule: `notified` counts from the cause, `all_clear` from its lifting.
    #[must_use]
    pub fn without_rule(self, instants: &Instants) -> Self {
        let last = |to: &BTreeMap<Channel, Timestamp>| to.values().max().copied();
        let (notified, clear) = (last(&instants.notified), last(&instants.all_clear));
        Self {
            notified: Measured {
                seconds: between(instants.cause, notified, Duration::ZERO),
                ..self.notified
            },
            all_clear: Measured {
                seconds: between(instants.lifted_by(clear), clear, Duration::ZERO),
                ..self.all_clear
            },
            ..Self::default()
        }
    }

    /// The phases with their names, in order.
    #[must_use]
    pub fn named(&self) -> [(&'static str, Measured); 5] {
        [
            ("pending", self.pending),
            ("firing", self.firing),
            ("notified", self.notified),
            ("resolved", self.resolved),
            ("all_clear", self.all_clear),
        ]
    }
}

/// `early` is how much earlier than the event a timestamp may be.
fn between(from: Option<Timestamp>, to: Option<Timestamp>, early: Duration) -> Option<f64> {
    let seconds = from.zip(to).map(|(from, to)| clock::seconds(from, to))?;
    (seconds >= -STAMP_SECONDS - early.as_secs_f64()).then_some(seconds.max(0.0))
}

/// When the last of the expected channels received the notification; `None` until all have.
#[must_use]
pub fn last_of(received: &BTreeMap<Channel, Timestamp>, expected: &[Channel]) -> Option<Timestamp> {
    let all: Option<Vec<_>> = expected.iter().map(|channel| received.get(channel)).collect();
    all?.into_iter().max().copied()
}

/// Measures every phase that ended. `early` is how much earlier than the event the timestamp of a sample may be.
#[must_use]
pub fn measure(
    instants: &Instants,
    bounds: Option<&Bounds>,
    expected: &[Channel],
    early: Duration,
) -> Phases {
    let measured =
        |from: Option<Timestamp>, to: Option<Timestamp>, bound: fn(&Bounds) -> Duration| Measured {
            seconds: between(from, to, early),
            bound_seconds: bounds.map(|bounds| bound(bounds).as_secs_f64()),
        };
    Phases {
        pending: measured(instants.cause, instants.pending, |bounds| bounds.pending),
        firing: measured(instants.pending, instants.firing, |bounds| bounds.firing),
        notified: measured(instants.firing, last_of(&instants.notified, expected), |bounds| bounds.notified),
        resolved: measured(instants.lifted_by(instants.resolved), instants.resolved, |bounds| {
            bounds.resolved
        }),
        all_clear: measured(instants.resolved, last_of(&instants.all_clear, expected), |bounds| {
            bounds.all_clear
        }),
    }
}
