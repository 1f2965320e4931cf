//! Whether what is expected to arrive can: known from Alertmanager's configuration before anything is caused.

use crate::error::DrillError;
use jiff::Timestamp;

use crate::evidence::held::Receiver;
use crate::file::drill::Drill;
use alerting::routing::tree::{Route, Routing};
use clients::inbox::Channel;
use clients::prometheus::Labels;

/// Whether each expected channel can be reached by a route that the alert may take; `known` are the labels it is known to
/// arrive with.
///
/// # Errors
/// Which channel cannot, and why.
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
                "{alert} is expected on {channel}, and its route leads to receiver {}, which has no {channel}_configs: \
                 add them, or leave {channel} out of `delivered`",
                names.join(" or ")
            )));
        }
        let mut why = None;
        for route in &leading {
            match routing.muted(route, Timestamp::now()) {
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
