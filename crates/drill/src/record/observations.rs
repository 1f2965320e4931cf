//! What the witnesses show of the alert.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::evidence::activation::Activation;
use clients::inbox::Channel;
use clients::prometheus::Labels;

/// What was seen so far of the alert that is followed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observations {
    /// Its labels.
    pub labels: Option<Labels>,
    /// Alertmanager's fingerprint of it.
    pub fingerprint: Option<String>,
    /// Every activation of the rule's alerts.
    pub activations: Vec<Activation>,
    /// When it went pending.
    pub pending: Option<Timestamp>,
    /// When it fired.
    pub firing: Option<Timestamp>,
    /// The last sample of it as firing.
    pub last_firing: Option<Timestamp>,
    /// When each channel received it firing.
    pub notified: BTreeMap<Channel, Timestamp>,
    /// When and with which labels each channel received another alert of its name firing.
    pub namesakes: BTreeMap<Channel, (Timestamp, Labels)>,
    /// When it resolved.
    pub resolved: Option<Timestamp>,
    /// When each channel received it resolved.
    pub all_clear: BTreeMap<Channel, Timestamp>,
}
