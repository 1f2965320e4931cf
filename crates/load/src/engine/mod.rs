//! The engine: runs a plan on its own threads and returns a handle.

pub mod file_limit;
pub mod queue;
pub mod worker;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use crate::engine::worker::WorkerContext;
use crate::plan::{Limits, Plan, PlanError};
use crate::record::collector::{Collector, Gathered};
use crate::record::counters::{Counters, Sums};
use crate::record::series::Series;
use crate::record::window::{Recorder, Window};
use crate::record::{Ledger, Record, Row};
use crate::schedule::Schedule;
use crate::schedule::arrivals::Spacing;
use crate::schedule::pace::Pace;
use crate::spec::load::LoadSpec;
use crate::verdict::threshold::Measured;
use crate::wire::error::Fault;

/// How long the threads may take to start.
const START_LIMIT: Duration = Duration::from_secs(10);
/// Time from the readiness of the last thread to the first arrival, so that every thread knows the start in time.
const HEAD_START: Duration = Duration::from_millis(2);

/// Why a run did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The plan is invalid.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A thread, runtime or timer cannot be created.
    #[error("cannot start the load engine: {0}; free some memory, threads or file descriptors (`ulimit -n`)")]
    System(#[from] io::Error),
}

/// Starts open-loop load on its own threads. It runs until stopped.
///
/// # Errors
/// When the target cannot be parsed or resolved, or the mix is empty.
pub fn start_endless(target: &url::Url, load: &LoadSpec) -> Result<Running, StartError> {
    let schedule = Schedule::constant(load.rate, None);
    let pace = Pace::Open { schedule, limit: None, spacing: Spacing::Even };
    let plan = Plan::new(target, &load.requests, pace, Limits::default());
    plan.map_err(StartError::from).and_then(start)
}

/// Starts a plan on its own threads. The caller needs no runtime.
///
/// # Errors
/// When a thread, runtime or timer cannot be created.
pub fn start(plan: Plan) -> Result<Running, StartError> {
    let plan = Arc::new(plan);
    let workers = plan.workers();
    let worker_counters: Arc<[Counters]> = (0..workers).map(|_| Counters::default()).collect();
    let (stop, stop_receiver) = watch::channel(None);
    let (full, windows) = mpsc::channel();
    let (ready, readiness) = mpsc::channel();
    let (mut threads, mut starters, mut empties) = (Vec::new(), Vec::new(), Vec::new());
    for index in 0..workers {
        let (starter, go) = mpsc::channel();
        let (empty, emptied) = mpsc::channel();
        let _ = empty.send(Window::default()); // the receiver is still alive
        let context = WorkerContext {
            index,
            of: workers,
            plan: Arc::clone(&plan),
            worker_counters: Arc::clone(&worker_counters),
            recorder: Recorder::new(index, full.clone(), emptied),
            stop: stop_receiver.clone(),
            ready: ready.clone(),
            go,
        };
        threads.push(thread::Builder::new().name(format!("load-{index}")).spawn(|| worker::run(context))?);
        starters.push(starter);
        empties.push(empty);
    }
    drop(full);
    for _ in 0..workers {
        let ready = readiness.recv_timeout(START_LIMIT);
        ready.map_err(|_| io::Error::other(format!("a thread did not start within {START_LIMIT:?}")))??;
    }
    let seconds = plan.pace.planned_end().map(|end| end.as_secs());
    let gathered = Arc::new(Mutex::new(Gathered::new(seconds)));
    let collector = Collector::new(Arc::clone(&gathered), empties);
    let (finish, finished) = oneshot::channel();
    let origin = Instant::now() + HEAD_START;
    let started = jiff::Timestamp::now();
    thread::Builder::new().name("load-collect".to_owned()).spawn(move || {
        collector.run(&windows);
        let _ = finish.send(join(threads)); // the run may have been dropped
    })?;
    starters.iter().for_each(|starter| {
        let _ = starter.send(origin); // a dead worker is noticed when it is joined
    });
    Ok(Running { plan, worker_counters, gathered, stop, finished, end: None, origin, started })
}

fn join(threads: Vec<JoinHandle<()>>) -> End {
    let broken = threads
        .into_iter()
        .enumerate()
        .filter_map(|(index, thread)| thread.join().is_err().then(|| format!("thread load-{index} panicked")))
        .collect();
    End { at: Instant::now(), broken }
}

#[derive(Debug, Clone)]
struct End {
    at: Instant,
    broken: Vec<String>,
}

/// A run in progress. Dropping it stops the load.
#[derive(Debug)]
pub struct Running {
    plan: Arc<Plan>,
    worker_counters: Arc<[Counters]>,
    gathered: Arc<Mutex<Gathered>>,
    stop: watch::Sender<Option<Duration>>,
    finished: oneshot::Receiver<End>,
    end: Option<End>,
    origin: Instant,
    started: jiff::Timestamp,
}

/// Counts so far. All of them only grow, except `in_flight`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Arrivals that are or were due.
    pub scheduled: u64,
    /// Responses with an expected status.
    pub expected: u64,
    /// Responses with an unexpected status.
    pub unexpected: u64,
    /// Transport errors: refused, reset, timed out, malformed.
    pub transport_errors: u64,
    /// Errors of the generator itself, such as no free descriptors or ports.
    pub local_errors: u64,
    /// Not sent because the in-flight limit was reached.
    pub shed: u64,
    /// Scheduled and not yet completed; after the end, the unfinished requests.
    pub in_flight: u64,
}

impl Counts {
    /// Completed arrivals, whatever their outcome.
    #[must_use]
    pub fn settled(&self) -> u64 {
        self.expected + self.unexpected + self.transport_errors + self.local_errors + self.shed
    }
}

impl Running {
    /// The current counts.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let (mut local_errors, mut transport_errors) = (0, 0);
        for (fault, count) in self.worker_counters.faults() {
            *(if fault.is_local() { &mut local_errors } else { &mut transport_errors }) += count;
        }
        let mut counts = Counts {
            expected: self.worker_counters.sum(|counters| &counters.expected),
            unexpected: self.worker_counters.sum(|counters| &counters.unexpected),
            transport_errors,
            local_errors,
            shed: self.worker_counters.sum(|counters| &counters.shed),
            ..Counts::default()
        };
        // Read last, so that it is never below the completed ones.
        counts.scheduled = self.worker_counters.sum(|counters| &counters.scheduled);
        counts.in_flight = counts.scheduled.saturating_sub(counts.settled());
        counts
    }

    /// Responses by status so far.
    #[must_use]
    pub fn statuses(&self) -> BTreeMap<u16, u64> {
        self.worker_counters.statuses()
    }

    /// Errors by kind so far.
    #[must_use]
    pub fn faults(&self) -> BTreeMap<Fault, u64> {
        self.worker_counters.faults()
    }

    /// The last complete row of the series, and the seconds per row.
    #[must_use]
    pub fn last_row(&self) -> Option<(Row, u32)> {
        let gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.rows.back().map(|row| (*row, gathered.step))
    }

    /// A shared view of its rows.
    #[must_use]
    pub fn series(&self) -> Series {
        Series {
            started: self.started,
            gathered: Arc::clone(&self.gathered),
            worker_counters: Arc::clone(&self.worker_counters),
        }
    }

    /// The measurements so far, with completed arrivals only.
    pub fn measured<T>(&self, look: impl FnOnce(&Measured<'_>) -> T) -> T {
        let counts = self.counts();
        let ledger = Ledger {
            scheduled: counts.settled(),
            expected: counts.expected,
            unexpected: counts.unexpected,
            transport_errors: counts.transport_errors,
            local_errors: counts.local_errors,
            shed: counts.shed,
            unfinished: 0,
        };
        let seconds = self.elapsed().as_secs_f64().max(1e-3);
        let rate = self.worker_counters.sum(|counters| &counters.sent) as f64 / seconds;
        let gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        look(&Measured { latencies: &gathered.latencies, ledger: &ledger, rate })
    }

    /// The plan of this run.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The plan, for use after the run.
    #[must_use]
    pub fn plan_handle(&self) -> Arc<Plan> {
        Arc::clone(&self.plan)
    }

    /// Time since the first arrival was due.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        let now = self.end.as_ref().map_or_else(Instant::now, |end| end.at);
        now.saturating_duration_since(self.origin)
    }

    /// Requests a stop: no new arrivals, at most `grace` for requests in flight. Returns at once.
    pub fn request_stop(&self, grace: Duration) {
        self.stop.send_replace(Some(grace));
    }

    /// Waits for the end of the run. May be dropped and called again.
    pub async fn ended(&mut self) {
        if self.end.is_none() {
            let end = (&mut self.finished).await;
            let broken =
                || End { at: Instant::now(), broken: vec!["the collector thread panicked".to_owned()] };
            self.end = Some(end.unwrap_or_else(|_| broken()));
        }
    }

    /// Stops new arrivals at once, waits at most `grace` for requests in flight, and returns the record.
    pub async fn stop(self, grace: Duration) -> Record {
        self.request_stop(grace);
        self.record().await
    }

    /// Waits for the end and returns the record.
    pub async fn record(mut self) -> Record {
        self.ended().await;
        let Counts { scheduled, expected, unexpected, transport_errors, local_errors, shed, .. } =
            self.counts();
        // Counted by the workers and not derived from the other counts, so that the sum is a real check.
        let unfinished = self.worker_counters.sum(|counters| &counters.unfinished);
        let ledger =
            Ledger { scheduled, expected, unexpected, transport_errors, local_errors, shed, unfinished };
        let latest = |count: fn(&Counters) -> u64| {
            Duration::from_nanos(self.worker_counters.iter().map(count).max().unwrap_or_default())
        };
        let gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        Record {
            started: self.started,
            elapsed: self.elapsed(),
            span: latest(|counters| counters.span_nanos.get()),
            ledger,
            sent: self.worker_counters.sum(|counters| &counters.sent),
            last_sent: latest(|counters| counters.last_sent_nanos.get()),
            retried: self.worker_counters.sum(|counters| &counters.retried),
            connections: self.worker_counters.sum(|counters| &counters.connections),
            statuses: self.statuses(),
            faults: self.faults(),
            latencies: gathered.latencies.clone(),
            rows: gathered.rows.iter().copied().collect(),
            step: gathered.step,
            workers: self.worker_counters.len(),
            cpu: Duration::from_nanos(self.worker_counters.sum(|counters| &counters.cpu_nanos)),
            broken: self.end.as_ref().map(|end| end.broken.clone()).unwrap_or_default(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.request_stop(Duration::ZERO);
    }
}
