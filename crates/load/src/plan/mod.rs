//! A validated plan of a run. Invalid input is rejected here, before the run starts.

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
use crate::spec::dependencies;
use crate::spec::request::RequestSpec;
use crate::wire::target::{Target, TargetError};
use common::rng;

/// Arrivals per second for each thread.
const RATE_PER_THREAD: f64 = 5_000.0;

/// Why a plan is invalid. The message names the input and the reason.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The target is invalid or cannot be resolved.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The weights are invalid.
    #[error("requests: {0}")]
    Mix(LoadError),
    /// A request is invalid.
    #[error("requests[{index}]: {reason}")]
    Request {
        /// Its index, from 0.
        index: usize,
        /// The reason, with the name of the field.
        reason: LoadError,
    },
    /// The schedule is invalid.
    #[error("{0}")]
    Pace(LoadError),
}

/// The limits of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of connections over all threads, at least 1.
    pub connections: usize,
    /// Maximum number of requests in flight, at least 1. Arrivals above it are shed.
    pub max_in_flight: usize,
    /// Timeout from the due time to the end of the response.
    pub timeout: Duration,
    /// Whether connections are reused.
    pub keep_alive: bool,
    /// Number of sending threads; by default chosen from the rate and the number of processors.
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
    /// The target.
    pub target: Target,
    /// The prepared requests.
    pub requests: Vec<Request>,
    /// The order of requests.
    pub mix: Mix,
    /// The arrival times.
    pub pace: Pace,
    /// The limits.
    pub limits: Limits,
    /// Seed for generated values.
    pub seed: u64,
    /// The first value of `{{n}}`.
    pub first: u64,
    /// For each captured value, the request to send when the value is needed but not captured yet.
    pub dependencies: BTreeMap<String, usize>,
    /// Values captured before the run.
    pub given: Given,
    /// Whether captured values are added to `given` for later runs.
    pub gives: bool,
}

impl Plan {
    /// Resolves the target, prepares the requests and validates the rest.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn new(url: &Url, requests: &[RequestSpec], pace: Pace, limits: Limits) -> Result<Self, PlanError> {
        Self::to(Target::resolve(url)?, requests, pace, limits, &BTreeSet::new())
    }

    /// The same for a resolved target, with the names of the values that `given` will contain when the run starts.
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
            let reason = "rate times duration is less than one request: raise -q or -z";
            return Err(PlanError::Pace(LoadError::Schedule(reason.to_owned())));
        }
        let host = target.host_header();
        let dependencies = dependencies::resolve(requests, given)
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
            dependencies,
            given,
            gives: false,
        })
    }

    /// A plan that sends one request once, to prepare a run. Captured values are added to `given`.
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

    /// Number of sending threads: as many as the rate needs or, in a closed loop, one per processor; at most one per
    /// connection.
    #[must_use]
    pub fn workers(&self) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let useful = match (&self.pace, self.limits.threads) {
            (_, Some(threads)) => threads.get(),
            (Pace::Open { schedule, .. }, None) => {
                processors.min((schedule.peak() / RATE_PER_THREAD).ceil() as usize)
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
    fn planned_end_is_the_earlier_of_duration_and_count() {
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
    fn warm_up_uses_the_initial_rate() {
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
    fn rejects_empty_plans_and_sizes_threads_by_rate() {
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
