//! Checks, from Alertmanager's configuration and before the cause, that the expected notifications can arrive.

use crate::error::DrillError;
use jiff::Timestamp;

use crate::evidence::held::Receiver;
use crate::file::drill::Drill;
use alerting::routing::tree::{Route, Routing};
use clients::inbox::Channel;
use clients::prometheus::Labels;

/// Checks that a route the alert may take reaches each expected channel; `known` are the labels it will certainly have.
///
/// # Errors
/// A channel that cannot be reached, and why.
pub fn deliverable(routing: &Routing, known: &Labels, drill: &Drill) -> Result<(), DrillError> {
    let alert = &drill.proves.alert.value;
    let receiver = |route: &Route| {
        let kinds = routing.kinds(&route.receiver).map(<[String]>::to_vec);
        Receiver { name: route.receiver.clone(), kinds }
    };
    let possible = routing.possible(known);
    for channel in drill.expect.delivered.iter().filter(|channel| **channel != Channel::Heartbeat) {
        let leading: Vec<_> = possible.iter().filter(|route| receiver(route).has(*channel)).collect();
        if leading.is_empty() {
            let mut names: Vec<_> = possible.iter().map(|route| format!("`{}`", route.receiver)).collect();
            names.sort();
            names.dedup();
            return Err(DrillError::Stack(format!(
                "{alert} is expected on {channel}, but its route sends to receiver {}, which has no {channel}_configs: \
                 add them, or remove {channel} from `delivered`",
                names.join(" or ")
            )));
        }
        let mut why = None;
        for route in &leading {
            match routing.mute_reason(route, Timestamp::now()) {
                Ok(None) => why = Some(Ok(())),
                Ok(Some(muted)) => why = why.or(Some(Err((route, muted)))),
                Err(unknown) => why = why.or(Some(Err((route, format!("perhaps muted: {unknown}"))))),
            }
        }
        if let Some(Err((route, muted))) = why {
            return Err(DrillError::Stack(format!(
                "{alert} would not arrive on {channel}: the route to receiver `{}` is {muted}",
                route.receiver
            )));
        }
    }
    Ok(())
}
