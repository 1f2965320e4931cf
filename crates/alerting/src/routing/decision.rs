//! What Alertmanager does with one alert at one time: its routes, what mutes them, what inhibits the alert.

use jiff::Timestamp;

use crate::routing::error::RoutingError;
use crate::routing::matcher::Matcher;
use crate::routing::tree::{Route, Routing};
use clients::prometheus::Labels;

/// What Alertmanager does with an alert.
#[derive(Debug)]
pub struct Decision<'a> {
    /// Its routes in order; a receiver may be named by several.
    pub routes: Vec<Taken<'a>>,
    /// Index of the inhibit rule in the configuration, and the active alert that inhibits this one.
    pub inhibited: Option<(usize, &'a Labels)>,
}

/// A route that the alert takes.
#[derive(Debug)]
pub struct Taken<'a> {
    /// Position of the route in the configuration, such as `route.routes[1]`.
    pub path: &'a str,
    /// Its matchers, without those of the routes above.
    pub matchers: &'a [Matcher],
    /// The route.
    pub route: &'a Route,
    /// Kinds of the receiver's integrations, such as `webhook`; none for a receiver that discards.
    pub kinds: &'a [String],
    /// The labels of the alert's group.
    pub group: Labels,
    /// Why the route sends nothing at this time.
    pub muted: Option<String>,
}

impl Decision<'_> {
    /// The receivers that are notified, in the order of the routes, each once.
    #[must_use]
    pub fn notified(&self) -> Vec<&str> {
        if self.inhibited.is_some() {
            return Vec::new();
        }
        self.receivers(|taken| taken.muted.is_none())
    }

    /// The receivers of the routes that a time interval mutes, in order, each once.
    #[must_use]
    pub fn muted(&self) -> Vec<&str> {
        self.receivers(|taken| taken.muted.is_some())
    }

    /// Whether the result would differ at another time.
    #[must_use]
    pub fn depends_on_time(&self) -> bool {
        self.routes.iter().any(|taken| {
            let intervals = &taken.route.time_intervals;
            !intervals.mute.is_empty() || !intervals.active.is_empty()
        })
    }

    fn receivers(&self, chosen: impl Fn(&Taken) -> bool) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for taken in self.routes.iter().filter(|taken| chosen(taken)) {
            if !found.contains(&taken.route.receiver.as_str()) {
                found.push(&taken.route.receiver);
            }
        }
        found
    }
}

impl Routing {
    /// What is done with an alert at `now`, while the `active` alerts fire. Silences are not part of the configuration.
    ///
    /// # Errors
    /// A receiver or time interval is not defined, or a time interval cannot be evaluated.
    pub fn decide<'a>(
        &'a self,
        alert: &Labels,
        active: &'a [Labels],
        now: Timestamp,
    ) -> Result<Decision<'a>, RoutingError> {
        let take = |(path, matchers, route): (&'a str, &'a [Matcher], &'a Route)| {
            let kinds = self.kinds(&route.receiver);
            Ok(Taken {
                path,
                matchers,
                route,
                kinds: kinds.ok_or_else(|| RoutingError::Receiver(route.receiver.clone()))?,
                group: route.group(alert),
                muted: self.mute_reason(route, now)?,
            })
        };
        let routes = self.matched(alert).map(take).collect::<Result<_, _>>()?;
        Ok(Decision { routes, inhibited: self.inhibitor(alert, active) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::labels;

    const CONFIG: &str = r#"
route:
  receiver: default
  group_by: [alertname]
  routes:
    - {matchers: [severity="critical"], receiver: pager, continue: true, group_by: ['...']}
    - {matchers: [severity="critical"], receiver: chat, continue: true, mute_time_intervals: [nights]}
    - {matchers: [team="db"], receiver: pager, group_by: []}
receivers: [{name: default}, {name: pager, webhook_configs: [{url: "http://localhost"}]}, {name: chat}]
inhibit_rules: [{source_matchers: [alertname="Down"], target_matchers: [team="db"]}]
time_intervals: [{name: nights, time_intervals: [{times: [{start_time: "00:00", end_time: "06:00"}]}]}]
"#;

    #[test]
    fn decides_who_is_notified() {
        let routing = Routing::parse(CONFIG).unwrap();
        let down = [labels::parse("Down").unwrap()];
        for (alert, active, hour, notified, muted) in [
            ("A,severity=critical,team=db", &[][..], 12, &["pager", "chat"][..], &[][..]),
            ("A,severity=critical", &[], 3, &["pager"], &["chat"]),
            ("A,severity=critical,team=db", &down, 12, &[], &[]),
            ("A,severity=critical", &down, 12, &["pager", "chat"], &[]),
            ("A", &[], 3, &["default"], &[]),
        ] {
            let now = Timestamp::from_second(hour * 3600).unwrap();
            let alert = labels::parse(alert).unwrap();
            let decision = routing.decide(&alert, active, now).unwrap();
            assert_eq!(decision.notified(), notified, "{alert:?} at {hour}:00");
            assert_eq!(decision.muted(), muted, "{alert:?} at {hour}:00");
        }
    }

    #[test]
    fn names_the_route_and_its_group() {
        let routing = Routing::parse(CONFIG).unwrap();
        let alert = labels::parse("A,severity=critical,team=db").unwrap();
        let decision = routing.decide(&alert, &[], Timestamp::UNIX_EPOCH).unwrap();
        let paths: Vec<_> = decision.routes.iter().map(|taken| taken.path).collect();
        assert_eq!(paths, ["route.routes[0]", "route.routes[1]", "route.routes[2]"]);
        let groups: Vec<_> = decision.routes.iter().map(|taken| taken.group.len()).collect();
        assert_eq!(groups, [3, 1, 0]);
        assert_eq!(decision.routes[0].kinds, ["webhook"]);
        assert_eq!(decision.routes[0].matchers[0].to_string(), "severity=\"critical\"");
        assert!(decision.depends_on_time());
    }
}
