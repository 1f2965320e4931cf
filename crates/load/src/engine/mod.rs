//! The engine: starts a plan on its own threads and hands back a handle.

pub mod file_limit;
pub mod queue;
pub mod worker;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use crate::engine::worker::Seat;
use crate::plan::{Limits, Plan, PlanError};
use crate::record::collector::{Collector, Gathered};
use crate::record::counters::{Sums, Tally};
use crate::record::series::Series;
use crate::record::window::{Recorder, Window};
use crate::record::{Ledger, Record, Row};
use crate::schedule::Schedule;
use crate::schedule::arrivals::Spacing;
use crate::schedule::pace::Pace;
use crate::spec::load::LoadSpec;
use crate::verdict::threshold::Measured;
use crate::wire::error::Fault;

/// How long the threads may take to come up.
const START_LIMIT: Duration = Duration::from_secs(10);
/// From the last thread's readiness to the first arrival: time for all of them to hear of it.
const HEAD_START: Duration = Duration::from_millis(2);

/// Why a run did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Threads, runtimes or timers.
    #[error("cannot start the load engine: {0}; free some memory, threads or file descriptors (`ulimit -n`)")]
    System(#[from] io::Error),
}

/// Starts open-loop load on its own threads; it goes on until stopped (no duration).
///
/// # Errors
/// When the target cannot be parsed or resolved, or the mix is empty.
pub fn start_endless(target: &url::Url, load: &LoadSpec) -> Result<Running, StartError> {
    let schedule = Schedule::constant(load.rate, None);
    let pace = Pace::Open { schedule, limit: None, spacing: Spacing::Even };
    let plan = Plan::new(target, &load.requests, pace, Limits::default());
    plan.map_err(StartError::from).and_then(start)
}

/// Starts a plan on its own threads. Needs no runtime of the caller's.
///
/// # Errors
/// When threads, runtimes or timers cannot be had.
pub fn start(plan: Plan) -> Result<Running, StartError> {
    let plan = Arc::new(plan);
    let workers = plan.workers();
    let tallies: Arc<[Tally]> = (0..workers).map(|_| Tally::default()).collect();
    let (stop, stop_receiver) = watch::channel(None);
    let (full, windows) = mpsc::channel();
    let (ready, readiness) = mpsc::channel();
    let (mut threads, mut starters, mut empties) = (Vec::new(), Vec::new(), Vec::new());
    for index in 0..workers {
        let (starter, go) = mpsc::channel();
        let (empty, emptied) = mpsc::channel();
        let _ = empty.send(Window::default()); // its receiver is still here
        let seat = Seat {
            index,
            of: workers,
            plan: Arc::clone(&plan),
            tallies: Arc::clone(&tallies),
            recorder: Recorder::new(index, full.clone(), emptied),
            stop: stop_receiver.clone(),
            ready: ready.clone(),
            go,
        };
        threads.push(thread::Builder::new().name(format!("load-{index}")).spawn(|| worker::run(seat))?);
        starters.push(starter);
        empties.push(empty);
    }
    drop(full);
    for _ in 0..workers {
        let ready = readiness.recv_timeout(START_LIMIT);
        ready.map_err(|_| io::Error::other("a thread did not come up in time"))??;
    }
    let seconds = plan.pace.planned_end().map(|end| end.as_secs());
    let gathered = Arc::new(Mutex::new(Gathered::new(seconds)));
    let collector = Collector::new(Arc::clone(&gathered), empties);
    let (finish, finished) = oneshot::channel();
    let origin = Instant::now() + HEAD_START;
    let started = jiff::Timestamp::now();
    thread::Builder::new().name("load-collect".to_owned()).spawn(move || {
        collector.run(&windows);
        let _ = finish.send(join(threads)); // nobody may be waiting
    })?;
    starters.iter().for_each(|starter| {
        let _ = starter.send(origin); // a worker that is gone shows when it is joined
    });
    Ok(Running { plan, tallies, gathered, stop, finished, end: None, origin, started })
}

fn join(threads: Vec<JoinHandle<()>>) -> End {
    let broken = threads
        .into_iter()
        .enumerate()
        .filter_map(|(index, thread)| {
            thread.join().is_err().then(|| format!("thread load-{index} broke down"))
        })
        .collect();
    End { at: Instant::now(), broken }
}

#[derive(Debug, Clone)]
struct End {
    at: Instant,
    broken: Vec<String>,
}

/// A run under way. Dropping it stops the load.
#[derive(Debug)]
pub struct Running {
    plan: Arc<Plan>,
    tallies: Arc<[Tally]>,
    gathered: Arc<Mutex<Gathered>>,
    stop: watch::Sender<Option<Duration>>,
    finished: oneshot::Receiver<End>,
    end: Option<End>,
    origin: Instant,
    started: jiff::Timestamp,
}

/// Counts so far; each only grows, but for `in_flight`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Arrivals whose due time has come.
    pub scheduled: u64,
    /// Answers with an expected status.
    pub expected: u64,
    /// Answers with another status.
    pub unexpected: u64,
    /// Refused, reset, timed out, malformed.
    pub transport_errors: u64,
    /// The generator's own fault (descriptors, ports).
    pub local_errors: u64,
    /// Not sent because the in-flight limit was reached.
    pub shed: u64,
    /// Scheduled and not yet answered; after the end, those left unfinished.
    pub in_flight: u64,
}

impl Counts {
    /// Arrivals of which it is known what became of them.
    #[must_use]
    pub fn settled(&self) -> u64 {
        self.expected + self.unexpected + self.transport_errors + self.local_errors + self.shed
    }
}

impl Running {
    /// Counts at this instant.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let (mut local_errors, mut transport_errors) = (0, 0);
        for (fault, count) in self.tallies.faults() {
            *(if fault.is_local() { &mut local_errors } else { &mut transport_errors }) += count;
        }
        let mut counts = Counts {
            expected: self.tallies.sum(|tally| &tally.expected),
            unexpected: self.tallies.sum(|tally| &tally.unexpected),
            transport_errors,
            local_errors,
            shed: self.tallies.sum(|tally| &tally.shed),
            ..Counts::default()
        };
        // Read last: what was settled had been scheduled before.
        counts.scheduled = self.tallies.sum(|tally| &tally.scheduled);
        counts.in_flight = counts.scheduled.saturating_sub(counts.settled());
        counts
    }

    /// Answers by status so far, expected or not.
    #[must_use]
    pub fn statuses(&self) -> BTreeMap<u16, u64> {
        self.tallies.statuses()
    }

    /// Errors by kind so far.
    #[must_use]
    pub fn faults(&self) -> BTreeMap<Fault, u64> {
        self.tallies.faults()
    }

    /// The last complete row of the series, and how many seconds a row stands for.
    #[must_use]
    pub fn last_row(&self) -> Option<(Row, u32)> {
        let gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.rows.back().map(|row| (*row, gathered.step))
    }

    /// A view of its rows for somebody else.
    #[must_use]
    pub fn series(&self) -> Series {
        Series {
            started: self.started,
            gathered: Arc::clone(&self.gathered),
            tallies: Arc::clone(&self.tallies),
        }
    }

    /// What can be said so far: of arrivals, only those of which it is known what became of them.
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
        let rate = self.tallies.sum(|tally| &tally.sent) as f64 / seconds;
        let gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        look(&Measured { latencies: &gathered.latencies, ledger: &ledger, rate })
    }

    /// The plan that is played.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The plan, to be kept beyond the run.
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

    /// Asks for the end: no new arrivals, at most `grace` for answers in flight. Returns at once.
    pub fn request_stop(&self, grace: Duration) {
        self.stop.send_replace(Some(grace));
    }

    /// Waits for the end of the schedule, or of a stop. May be dropped and called again.
    pub async fn ended(&mut self) {
        if self.end.is_none() {
            let end = (&mut self.finished).await;
            let broken =
                || End { at: Instant::now(), broken: vec!["the collecting thread broke down".to_owned()] };
            self.end = Some(end.unwrap_or_else(|_| broken()));
        }
    }

    /// Stops new arrivals at once, waits at most `grace` for answers in flight, and gives the record.
    pub async fn stop(self, grace: Duration) -> Record {
        self.request_stop(grace);
        self.record().await
    }

    /// Waits for the end and gives the record.
    pub async fn record(mut self) -> Record {
        self.ended().await;
        let Counts { scheduled, expected, unexpected, transport_errors, local_errors, shed, .. } =
            self.counts();
        // Counted by the workers from what they were holding, not worked out from the rest: so the sum is a check.
        let unfinished = self.tallies.sum(|tally| &tally.unfinished);
        let ledger =
            Ledger { scheduled, expected, unexpected, transport_errors, local_errors, shed, unfinished };
        let latest = |count: fn(&Tally) -> u64| {
            Duration::from_nanos(self.tallies.iter().map(count).max().unwrap_or_default())
        };
        let gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        Record {
            started: self.started,
            elapsed: self.elapsed(),
            span: latest(|tally| tally.span_nanos.get()),
            ledger,
            sent: self.tallies.sum(|tally| &tally.sent),
            last_sent: latest(|tally| tally.last_sent_nanos.get()),
            retried: self.tallies.sum(|tally| &tally.retried),
            connections: self.tallies.sum(|tally| &tally.connections),
            statuses: self.statuses(),
            faults: self.faults(),
            latencies: gathered.latencies.clone(),
            rows: gathered.rows.iter().copied().collect(),
            step: gathered.step,
            workers: self.tallies.len(),
            cpu: Duration::from_nanos(self.tallies.sum(|tally| &tally.cpu_nanos)),
            broken: self.end.as_ref().map(|end| end.broken.clone()).unwrap_or_default(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.request_stop(Duration::ZERO);
    }
}
