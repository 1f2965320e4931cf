//! A run, checked and prepared: nothing about it can turn out wrong once it has started.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::time::Duration;

use url::Url;

use super::arrivals::Spacing;
use super::dice;
use super::mix::Mix;
use super::request::Request;
use super::schedule::Schedule;
use super::spec::RequestSpec;
use super::target::{Target, TargetError};
use crate::rate::Rate;

/// Arrivals per second one thread is given before another is started.
const RATE_OF_ONE_THREAD: f64 = 5_000.0;

/// Why there is no plan; each names the input, the reason and the way out.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The URL or its host.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The weights.
    #[error("requests: {0}")]
    Mix(String),
    /// One request.
    #[error("requests[{index}]: {reason}")]
    Request {
        /// From 0.
        index: usize,
        /// Names the field.
        reason: String,
    },
    /// The schedule.
    #[error("{0}")]
    Pace(String),
}

/// When requests are sent.
#[derive(Debug, Clone)]
pub enum Pace {
    /// On a schedule fixed beforehand, whatever the target does.
    Open {
        /// The rate over time.
        schedule: Schedule,
        /// The most arrivals.
        limit: Option<u64>,
        /// Even or Poisson.
        spacing: Spacing,
    },
    /// Each connection sends its next request when it has its answer.
    Closed {
        /// The most requests.
        limit: Option<u64>,
        /// How long.
        duration: Option<Duration>,
    },
}

impl Pace {
    /// When the last arrival is behind, as far as it can be known beforehand.
    #[must_use]
    pub fn planned_end(&self) -> Option<Duration> {
        match self {
            Self::Closed { duration, .. } => *duration,
            Self::Open { schedule, limit, .. } => {
                let by_count = limit
                    .filter(|&limit| limit as f64 <= schedule.integral())
                    .map(|limit| Duration::from_nanos(schedule.due_nanos(limit as f64)));
                by_count.or(schedule.duration())
            }
        }
    }

    /// Arrivals per second that were planned for the `step` seconds from `second`; `None` in a closed loop.
    #[must_use]
    pub fn planned_rate(&self, second: u32, step: u32) -> Option<f64> {
        let Self::Open { schedule, limit, .. } = self else { return None };
        let by =
            |second: f64| schedule.count_by(second).min(limit.map_or(f64::INFINITY, |limit| limit as f64));
        // What is due at the very end belongs to the last second before it.
        let (from, to) = (f64::from(second), f64::from(second) + f64::from(step));
        let end = self.planned_end().map_or(f64::INFINITY, |end| end.as_secs_f64());
        let until = if to >= end { by(to) } else { by(to - 1e-9) };
        let before = if second == 0 { 0.0 } else { by(from - 1e-9) };
        Some((until - before).max(0.0) / f64::from(step.max(1)))
    }

    /// What to warm up with: the rate it begins with, or its mean when it begins with nothing, for `time`.
    #[must_use]
    pub fn warm_up(&self, time: Duration) -> Self {
        let Self::Open { schedule, spacing, .. } = self else {
            return Self::Closed { limit: None, duration: Some(time) };
        };
        let mean =
            || schedule.integral() / schedule.duration().map_or(1.0, |length| length.as_secs_f64().max(1.0));
        let rates = [schedule.rate_at(0.0), mean()];
        let rate = rates.into_iter().find_map(|rate| Rate::new(rate).ok());
        let schedule = rate.map_or_else(|| schedule.clone(), |rate| Schedule::constant(rate, Some(time)));
        Self::Open { schedule, limit: None, spacing: *spacing }
    }

    /// Arrivals per second that were planned, on average over the first `span`; `None` in a closed loop.
    #[must_use]
    pub fn target_rate(&self, span: Duration) -> Option<f64> {
        match self {
            Self::Open { schedule, .. } if !span.is_zero() => {
                Some(schedule.count_by(span.as_secs_f64()) / span.as_secs_f64())
            }
            Self::Open { schedule, .. } => Some(schedule.rate_at(0.0)),
            Self::Closed { .. } => None,
        }
    }
}

/// What bounds a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The most connections, 1 or more, all threads together.
    pub connections: usize,
    /// The most arrivals waiting or sent and not yet answered, 1 or more; those beyond are shed.
    pub max_in_flight: usize,
    /// From the due time to the end of the answer.
    pub timeout: Duration,
    /// Whether connections carry more than one request.
    pub keep_alive: bool,
    /// Threads that send; by rate and processors when not given.
    pub threads: Option<NonZero<usize>>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            max_in_flight: 10_000,
            timeout: Duration::from_secs(30),
            keep_alive: true,
            threads: None,
        }
    }
}

/// Everything the workers need.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where to.
    pub target: Target,
    /// What, ready to be written.
    pub requests: Vec<Request>,
    /// Which one when.
    pub mix: Mix,
    /// When.
    pub pace: Pace,
    /// Within what.
    pub limits: Limits,
    /// Of random values in requests.
    pub seed: u64,
    /// By captured value, the request to send where it is needed and not there yet.
    pub suppliers: BTreeMap<String, usize>,
}

impl Plan {
    /// Resolves the target, prepares the requests, checks the rest.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn new(url: &Url, requests: &[RequestSpec], pace: Pace, limits: Limits) -> Result<Self, PlanError> {
        Self::to(Target::resolve(url)?, requests, pace, limits)
    }

    /// The same for a target that was resolved.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn to(
        target: Target,
        requests: &[RequestSpec],
        pace: Pace,
        limits: Limits,
    ) -> Result<Self, PlanError> {
        let weights: Vec<u32> = requests.iter().map(|request| request.weight).collect();
        let mix = Mix::new(&weights).map_err(PlanError::Mix)?;
        if let Pace::Open { schedule, .. } = &pace
            && schedule.total() == Some(0)
        {
            let reason = "the rate and the duration make less than one request: raise -q or -z";
            return Err(PlanError::Pace(reason.to_owned()));
        }
        let host = target.host_header();
        let suppliers =
            suppliers(requests).map_err(|(index, reason)| PlanError::Request { index, reason })?;
        let prepare = |(index, spec)| {
            Request::prepare(spec, &host, !limits.keep_alive)
                .map_err(|reason| PlanError::Request { index, reason })
        };
        let requests = requests.iter().enumerate().map(prepare).collect::<Result<_, _>>()?;
        Ok(Self { target, requests, mix, pace, limits, seed: dice::seed(), suppliers })
    }

    /// One request, once, for what has to be done before a run.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn once(target: Target, request: &RequestSpec, limits: Limits) -> Result<Self, PlanError> {
        let pace = Pace::Closed { limit: Some(1), duration: None };
        Self::to(target, std::slice::from_ref(request), pace, Limits { connections: 1, ..limits })
    }

    /// Threads that send: as many as the rate needs or, in a closed loop, as there are processors; never more than
    /// connections.
    #[must_use]
    pub fn workers(&self) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let useful = match (&self.pace, self.limits.threads) {
            (_, Some(threads)) => threads.get(),
            (Pace::Open { schedule, .. }, None) => {
                processors.min((schedule.peak() / RATE_OF_ONE_THREAD).ceil() as usize)
            }
            (Pace::Closed { .. }, None) => processors,
        };
        useful.min(self.limits.connections).min(self.limits.max_in_flight).max(1)
    }
}

/// For each captured value the request that captures it, such that nothing needs what could never be had.
fn suppliers(requests: &[RequestSpec]) -> Result<BTreeMap<String, usize>, (usize, String)> {
    let needs: Vec<BTreeSet<String>> = requests.iter().map(RequestSpec::needs).collect();
    let mut suppliers: BTreeMap<String, usize> = BTreeMap::new();
    // A request counts once all it needs is supplied by others before it; each round finds at least one or is the last.
    for _ in requests {
        for (index, request) in requests.iter().enumerate() {
            if needs[index].iter().all(|name| suppliers.contains_key(name)) {
                for capture in &request.capture {
                    suppliers.entry(capture.name.clone()).or_insert(index);
                }
            }
        }
    }
    let missing = needs
        .iter()
        .enumerate()
        .find_map(|(index, needs)| Some((index, needs.iter().find(|name| !suppliers.contains_key(*name))?)));
    match missing {
        None => Ok(suppliers),
        Some((index, name)) => {
            let captured = requests.iter().any(|request| request.capture.iter().any(|own| own.name == *name));
            Err((
                index,
                if captured {
                    format!(
                        "`{{{{{name}}}}}` can never be had: every request that captures it needs it first"
                    )
                } else {
                    format!(
                        "`{{{{{name}}}}}`: no request captures `{name}`; add `capture: {{{name}: /id}}` to one"
                    )
                },
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::request::Method;

    fn open(rate: f64, seconds: Option<u64>, limit: Option<u64>) -> Pace {
        let schedule = Schedule::constant(Rate::new(rate).unwrap(), seconds.map(Duration::from_secs));
        Pace::Open { schedule, limit, spacing: Spacing::Even }
    }

    #[test]
    fn the_end_is_the_earlier_of_time_and_count() {
        for (pace, end) in [
            (open(10.0, Some(5), None), Some(5.0)),
            (open(10.0, Some(5), Some(20)), Some(2.0)),
            (open(10.0, Some(5), Some(90)), Some(5.0)),
            (open(10.0, None, Some(20)), Some(2.0)),
            (open(10.0, None, None), None),
        ] {
            assert_eq!(pace.planned_end().map(|end| end.as_secs_f64()), end, "{pace:?}");
        }
    }

    #[test]
    fn what_is_needed_must_be_captured_by_another() {
        let of = |yaml: &str| suppliers(&serde_saphyr::from_str::<Vec<RequestSpec>>(yaml).unwrap());
        let chain =
            of("[{get: '/{{b}}'}, {get: '/{{a}}', capture: {b: /b}}, {get: /, capture: {a: /a}}]").unwrap();
        assert_eq!(chain, [("a".to_owned(), 2), ("b".to_owned(), 1)].into());
        for (yaml, index, words) in [
            ("[{get: /}, {get: '/{{id}}'}]", 1, "no request captures `id`"),
            ("[{get: '/{{id}}', capture: {id: /id}}]", 0, "can never be had"),
            (
                "[{get: '/{{a}}', capture: {b: /b}}, {post: /, body: '{{b}}', capture: {a: X}}]",
                0,
                "can never be had",
            ),
        ] {
            let (at, reason) = of(yaml).unwrap_err();
            assert!(at == index && reason.contains(words), "{yaml}: {at} {reason}");
        }
    }

    #[test]
    fn a_warm_up_begins_where_the_schedule_does() {
        let ramp = |from: f64| Pace::Open {
            schedule: Schedule::ramps(from, &[(Duration::from_secs(10), 40.0)]).unwrap(),
            limit: Some(7),
            spacing: Spacing::Even,
        };
        let closed = Pace::Closed { limit: Some(3), duration: None };
        for (pace, rate) in [
            (open(10.0, Some(5), None), Some(10.0)),
            (ramp(4.0), Some(4.0)),
            (ramp(0.0), Some(20.0)),
            (closed, None),
        ] {
            let warm = pace.warm_up(Duration::from_secs(2));
            assert_eq!(warm.planned_end(), Some(Duration::from_secs(2)), "{warm:?}");
            assert_eq!(warm.target_rate(Duration::from_secs(1)), rate);
        }
    }

    #[test]
    fn what_sends_nothing_is_refused_and_threads_follow_the_rate() {
        let url = Url::parse("http://127.0.0.1:1/").unwrap();
        let get = [RequestSpec::new(Method::Get, "/")];
        let error = Plan::new(&url, &get, open(0.1, Some(5), None), Limits::default()).unwrap_err();
        assert!(error.to_string().contains("less than one request"), "{error}");
        let error = Plan::new(&url, &[], open(1.0, Some(5), None), Limits::default()).unwrap_err();
        assert!(error.to_string().starts_with("requests: "), "{error}");
        let slow = Plan::new(&url, &get, open(40.0, None, None), Limits::default()).unwrap();
        assert_eq!(slow.workers(), 1);
        let limits = Limits { connections: 3, threads: NonZero::new(8), ..Limits::default() };
        assert_eq!(Plan::new(&url, &get, open(40.0, None, None), limits).unwrap().workers(), 3);
    }
}
