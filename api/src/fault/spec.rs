//! What a fault does, and to which requests. It has no clock and no state: the decision for a request is a function
//! of the seed and of the number of requests before it.

use super::chance;
use crate::shares::Shares;
use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Every value of the `kind` label.
pub(super) const KINDS: &[&str] = &["abort", "delay", "panic", "memory", "pause", "model"];

/// A fault as requested.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Template of the only route it acts on; `None`: every route but the exempt ones.
    pub route: Option<&'static str>,
    /// The only method it acts on; `None`: every method.
    pub method: Option<&'static str>,
    /// Share of the requests it acts on, from 0.0 to 1.0.
    pub share: f64,
    /// Respond with this status instead of calling the handler.
    pub abort: Option<StatusCode>,
    /// Wait before the handler, or before the abort.
    pub delay: Option<Delays>,
    /// Panic instead of calling the handler.
    pub panic: bool,
    /// Bytes of memory to hold.
    pub memory: Option<u64>,
    /// Pause the ingest worker.
    pub pause_ingest: bool,
    /// Slow or fail the models.
    pub model: Option<ModelFault>,
    /// Time after which it ends by itself.
    pub ttl: Duration,
    /// Seed of the choice of requests: the same seed chooses the same ones.
    pub seed: u64,
}

/// Delays with their shares, and their source text.
#[derive(Debug, Clone, PartialEq)]
pub struct Delays {
    /// As written, such as `50ms:90,2s:10`.
    pub text: String,
    /// As parsed.
    pub shares: Shares<Duration>,
}

/// What happens to inferences.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFault {
    /// Wait before each inference.
    pub delay: Option<Delays>,
    /// Fail each one.
    pub fail: bool,
}

/// What happens to one request; at least one of the two is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Wait this long first.
    pub delay: Option<Duration>,
    /// Then end the request this way, without calling the handler.
    pub end: Option<End>,
}

/// What a request ends with instead of the handler's response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// A response with this status.
    Abort(StatusCode),
    /// A panic.
    Panic,
}

impl Spec {
    /// Whether it acts on requests.
    pub fn acts_on_traffic(&self) -> bool {
        self.abort.is_some() || self.delay.is_some() || self.panic
    }

    /// Whether it chooses from the requests of this route and method.
    pub fn covers(&self, route: &str, method: &str) -> bool {
        self.acts_on_traffic()
            && self.route.is_none_or(|own| own == route)
            && self.method.is_none_or(|own| own == method)
    }

    /// The decision for the covered request that `earlier` others came before; `None` when it is not chosen.
    pub fn decide(&self, earlier: u64) -> Option<Decision> {
        // Two draws a request: whether it is chosen, and which delay.
        let (chosen, which) = (earlier.wrapping_mul(2), earlier.wrapping_mul(2).wrapping_add(1));
        if chance::point(self.seed, chosen) >= self.share {
            return None;
        }
        let delay =
            self.delay.as_ref().and_then(|delays| delays.shares.pick(chance::point(self.seed, which)));
        let end = self.abort.map(End::Abort).or(self.panic.then_some(End::Panic));
        (delay.is_some() || end.is_some()).then_some(Decision { delay, end })
    }

    /// Its kinds, as label values.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> {
        [
            ("abort", self.abort.is_some()),
            ("delay", self.delay.is_some()),
            ("panic", self.panic),
            ("memory", self.memory.is_some()),
            ("pause", self.pause_ingest),
            ("model", self.model.is_some()),
        ]
        .into_iter()
        .filter_map(|(kind, is)| is.then_some(kind))
    }

    /// The fields in a form that can be sent again.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                fields.insert(name.to_owned(), value);
            }
        };
        let traffic = self.acts_on_traffic();
        put("route", self.route.map(Value::from));
        put("method", self.method.map(Value::from));
        put("share", traffic.then(|| self.share.into()));
        put("abort", self.abort.map(|status| status.as_u16().into()));
        put("delay", self.delay.as_ref().map(|delays| delays.text.clone().into()));
        put("panic", self.panic.then_some(true.into()));
        put("memory", self.memory.map(Value::from));
        put("pause", self.pause_ingest.then(|| "ingest".into()));
        put("model", self.model.as_ref().map(ModelFault::to_json));
        put("ttl", Some(humantime::format_duration(self.ttl).to_string().into()));
        put("seed", traffic.then(|| self.seed.into()));
        fields
    }
}

impl ModelFault {
    fn to_json(&self) -> Value {
        match &self.delay {
            Some(delays) => json!({"delay": delays.text, "fail": self.fail}),
            None => json!({"fail": self.fail}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Bounds, parse};

    fn spec(fields: Value) -> Spec {
        let mut fields = fields;
        fields["ttl"] = "1m".into();
        parse(&fields, &Bounds::example()).unwrap()
    }

    #[test]
    fn covers_only_its_route_and_method() {
        for (fields, covered) in [
            (json!({"abort": 503}), [true, true, true]),
            (json!({"abort": 503, "route": "/api/users"}), [true, true, false]),
            (json!({"abort": 503, "method": "GET"}), [true, false, true]),
            (json!({"delay": "1s", "route": "/api/users", "method": "POST"}), [false, true, false]),
            (json!({"memory": "1MB"}), [false, false, false]),
        ] {
            let spec = spec(fields.clone());
            let found = [("/api/users", "GET"), ("/api/users", "POST"), ("/slow", "GET")]
                .map(|(route, method)| spec.covers(route, method));
            assert_eq!(found, covered, "{fields}");
        }
    }

    #[test]
    fn the_same_seed_repeats_decisions_and_keeps_the_share() {
        let fields = json!({"abort": 503, "delay": "50ms:90,2s:10", "share": 0.2, "seed": 7});
        let decisions = |spec: Spec| (0..10_000).map(|n| spec.decide(n)).collect::<Vec<_>>();
        let first = decisions(spec(fields.clone()));
        assert_eq!(first, decisions(spec(fields.clone())));
        let mut other = fields;
        other["seed"] = 8.into();
        assert_ne!(first, decisions(spec(other)));
        let hits: Vec<Decision> = first.into_iter().flatten().collect();
        assert!((1_800..=2_200).contains(&hits.len()), "{}", hits.len());
        let long = hits.iter().filter(|hit| hit.delay == Some(Duration::from_secs(2))).count();
        // A tenth of 2,000: the standard deviation is 13.
        assert!((130..=270).contains(&long), "{long}");
        assert!(hits.iter().all(|hit| hit.end == Some(End::Abort(StatusCode::SERVICE_UNAVAILABLE))));
    }

    #[test]
    fn shares_of_0_and_1_and_kinds_without_decisions() {
        let count = |fields: Value| {
            let one = spec(fields);
            (0..1_000).filter(|n| one.decide(*n).is_some()).count()
        };
        assert_eq!(count(json!({"abort": 500, "share": 0})), 0);
        assert_eq!(count(json!({"abort": 500, "share": 1})), 1_000);
        assert_eq!(count(json!({"panic": true})), 1_000, "without a share, all");
        let half = count(json!({"delay": "1s:50"}));
        assert!((420..=580).contains(&half), "the rest of the delay's shares is not delayed: {half}");
        assert_eq!(
            spec(json!({"panic": true, "delay": "1s"})).decide(0),
            Some(Decision { delay: Some(Duration::from_secs(1)), end: Some(End::Panic) })
        );
    }

    #[test]
    fn the_shown_form_can_be_sent_again() {
        for fields in [
            json!({"route": "/api/users", "method": "GET", "share": 0.2, "abort": 503, "delay": "50ms:90,2s:10", "seed": 7}),
            json!({"memory": "500MB", "panic": true, "seed": 1}),
            json!({"pause": "ingest"}),
            json!({"model": {"delay": "1s", "fail": true}}),
        ] {
            let once = spec(fields);
            let again = parse(&Value::Object(once.to_json()), &Bounds::example()).unwrap();
            let seed = if once.acts_on_traffic() { once.seed } else { again.seed };
            assert_eq!(Spec { seed, ..once }, again);
        }
    }
}
