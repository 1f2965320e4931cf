//! The instants of a drill and the phases between them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::timing::bounds::Bounds;
use crate::timing::clock;
use clients::inbox::Channel;

/// Prometheus stores times in whole milliseconds: two instants may differ by this much and be the same.
pub const STAMP_SECONDS: f64 = 0.001;

/// When each thing happened, as far as it did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Instants {
    /// Baseline traffic began.
    pub baseline: Option<Timestamp>,
    /// The cause began.
    pub cause: Option<Timestamp>,
    /// The alert went pending.
    pub pending: Option<Timestamp>,
    /// The alert fired.
    pub firing: Option<Timestamp>,
    /// Each channel received it firing.
    pub notified: BTreeMap<Channel, Timestamp>,
    /// The cause was lifted.
    pub lifted: Option<Timestamp>,
    /// The alert resolved.
    pub resolved: Option<Timestamp>,
    /// Each channel received it resolved.
    pub all_clear: BTreeMap<Channel, Timestamp>,
}

/// How long a phase took and how long it may take, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Measured {
    /// `None` when it did not come to its end, or to one before its beginning: that is a contradiction, not a duration.
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
    /// Of a drill that follows no rule: how long after the cause somebody noticed, and after it was lifted.
    #[must_use]
    pub fn without_rule(self, instants: &Instants) -> Self {
        let took = |from: Option<Timestamp>, to: &BTreeMap<Channel, Timestamp>| {
            between(from, to.values().max().copied())
        };
        Self {
            notified: Measured { seconds: took(instants.cause, &instants.notified), ..self.notified },
            all_clear: Measured { seconds: took(instants.lifted, &instants.all_clear), ..self.all_clear },
            ..Self::default()
        }
    }

    /// Each with its name, in order.
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

fn between(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<f64> {
    let seconds = from.zip(to).map(|(from, to)| clock::seconds(from, to))?;
    (seconds >= -STAMP_SECONDS).then_some(seconds.max(0.0))
}

/// The last of the expected channels, once all have received.
#[must_use]
pub fn last_of(received: &BTreeMap<Channel, Timestamp>, expected: &[Channel]) -> Option<Timestamp> {
    let all: Option<Vec<_>> = expected.iter().map(|channel| received.get(channel)).collect();
    all?.into_iter().max().copied()
}

/// Measures every phase that came to its end.
#[must_use]
pub fn measure(instants: &Instants, bounds: Option<&Bounds>, expected: &[Channel]) -> Phases {
    let measured =
        |from: Option<Timestamp>, to: Option<Timestamp>, bound: fn(&Bounds) -> std::time::Duration| {
            Measured {
                seconds: between(from, to),
                bound_seconds: bounds.map(|bounds| bound(bounds).as_secs_f64()),
            }
        };
    Phases {
        pending: measured(instants.cause, instants.pending, |bounds| bounds.pending),
        firing: measured(instants.pending, instants.firing, |bounds| bounds.firing),
        notified: measured(instants.firing, last_of(&instants.notified, expected), |bounds| bounds.notified),
        resolved: measured(instants.lifted, instants.resolved, |bounds| bounds.resolved),
        all_clear: measured(instants.resolved, last_of(&instants.all_clear, expected), |bounds| {
            bounds.all_clear
        }),
    }
}
