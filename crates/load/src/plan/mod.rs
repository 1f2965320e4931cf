//! A run, checked and prepared: nothing about it can turn out wrong once it has started.

pub mod request;

use crate::error::LoadError;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::time::Duration;

use url::Url;

use crate::plan::request::Request;
use crate::schedule::mix::Mix;
use crate::schedule::pace::Pace;
use crate::spec::capture::Given;
use crate::spec::dependencies::suppliers;
use crate::spec::request::RequestSpec;
use crate::wire::target::{Target, TargetError};
use common::rng;

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
    Mix(LoadError),
    /// One request.
    #[error("requests[{index}]: {reason}")]
    Request {
        /// From 0.
        index: usize,
        /// Names the field.
        reason: LoadError,
    },
    /// The schedule.
    #[error("{0}")]
    Pace(LoadError),
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
    /// What `{{n}}` counts from.
    pub first: u64,
    /// By captured value, the request to send where it is needed and not there yet.
    pub suppliers: BTreeMap<String, usize>,
    /// Captured before the run.
    pub given: Given,
    /// Whether what is captured is given to later runs.
    pub gives: bool,
}

impl Plan {
    /// Resolves the target, prepares the requests, checks the rest.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn new(url: &Url, requests: &[RequestSpec], pace: Pace, limits: Limits) -> Result<Self, PlanError> {
        Self::to(Target::resolve(url)?, requests, pace, limits, &BTreeSet::new())
    }

    /// The same for a target that was resolved, with values that will be in `given` when the run starts.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn to(
        target: Target,
        requests: &[RequestSpec],
        pace: Pace,
        limits: Limits,
        given: &BTreeSet<String>,
    ) -> Result<Self, PlanError> {
        let weights: Vec<u32> = requests.iter().map(|request| request.weight).collect();
        let mix = Mix::new(&weights).map_err(PlanError::Mix)?;
        if let Pace::Open { schedule, .. } = &pace
            && schedule.total() == Some(0)
        {
            let reason = "the rate and the duration make less than one request: raise -q or -z";
            return Err(PlanError::Pace(LoadError::Schedule(reason.to_owned())));
        }
        let host = target.host_header();
        let suppliers = suppliers(requests, given)
            .map_err(|(index, reason)| PlanError::Request { index, reason: LoadError::Spec(reason) })?;
        let prepare = |(index, spec)| {
            Request::prepare(spec, &host, !limits.keep_alive)
                .map_err(|reason| PlanError::Request { index, reason })
        };
        let requests = requests.iter().enumerate().map(prepare).collect::<Result<_, _>>()?;
        let given = Given::default();
        Ok(Self {
            target,
            requests,
            mix,
            pace,
            limits,
            seed: rng::seed(),
            first: 0,
            suppliers,
            given,
            gives: false,
        })
    }

    /// One request, once, for what has to be done before a run; what it captures is given to it.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn once(
        target: Target,
        request: &RequestSpec,
        limits: Limits,
        given: &BTreeSet<String>,
    ) -> Result<Self, PlanError> {
        let pace = Pace::Closed { limit: Some(1), duration: None };
        let limits = Limits { connections: 1, ..limits };
        let plan = Self::to(target, std::slice::from_ref(request), pace, limits, given)?;
        Ok(Self { gives: true, ..plan })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Schedule;
    use crate::schedule::arrivals::Spacing;
    use crate::spec::method::Method;
    use common::rate::Rate;

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
