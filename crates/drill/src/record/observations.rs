//! What Prometheus, Alertmanager and the inbox show of the alert.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::evidence::activation::Activation;
use clients::inbox::Channel;
use clients::prometheus::Labels;

/// What was seen so far of the followed alert.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observations {
    /// Labels of the alert.
    pub labels: Option<Labels>,
    /// Alertmanager's fingerprint of the alert.
    pub fingerprint: Option<String>,
    /// Every activation of the rule's alerts.
    pub activations: Vec<Activation>,
    /// Why the rule, or one that it reads, could not be evaluated while the cause was in effect: the first error.
    pub failure: Option<String>,
    /// When it went pending.
    pub pending: Option<Timestamp>,
    /// When it fired.
    pub firing: Option<Timestamp>,
    /// Timestamp of its last sample as firing.
    pub last_firing: Option<Timestamp>,
    /// When the rules first showed it as firing while no sample did.
    pub fired_unstored: Option<Timestamp>,
    /// When each channel received the firing notification.
    pub notified: BTreeMap<Channel, Timestamp>,
    /// The first firing notification of another alert with the same name on each channel: its time and labels.
    pub namesakes: BTreeMap<Channel, (Timestamp, Labels)>,
    /// When it resolved.
    pub resolved: Option<Timestamp>,
    /// When each channel received the all-clear.
    pub all_clear: BTreeMap<Channel, Timestamp>,
}
