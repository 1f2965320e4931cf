//! A worker: a thread with its own single-threaded runtime, its own share of the schedule and of the connections.
//! Workers share only counters, so throughput scales with the number of cores.

mod pace;
mod send;

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::task::LocalSet;

use crate::engine::queue::{Job, JobQueue};
use crate::plan::Plan;
use crate::record::counters::Counters;
use crate::record::window::Recorder;
use crate::schedule::arrivals::{Arrival, Arrivals};
use crate::schedule::pace::Pace;
use crate::spec::capture::Pools;
use crate::wire::deadline::RequestDeadline;
use crate::wire::timer::Timer;

/// Everything a worker needs to run.
pub struct WorkerContext {
    pub(crate) index: usize,
    pub(crate) of: usize,
    pub(crate) plan: Arc<Plan>,
    pub(crate) worker_counters: Arc<[Counters]>,
    pub(crate) recorder: Recorder,
    /// Set to the grace period for requests in flight when the run is stopped.
    pub stop: watch::Receiver<Option<Duration>>,
    /// Reports that the worker is ready, or why not.
    pub ready: mpsc::Sender<io::Result<()>>,
    /// Receives the start of the run, which is the same for all workers.
    pub go: mpsc::Receiver<Instant>,
}

/// Runs to the end of the schedule or until stopped.
pub fn run(context: WorkerContext) {
    let made = tokio::runtime::Builder::new_current_thread().enable_all().build().and_then(|runtime| {
        let timer = runtime.block_on(async { Timer::new() })?;
        Ok((runtime, timer))
    });
    let (runtime, timer) = match made {
        Ok(made) => made,
        Err(error) => {
            let _ = context.ready.send(Err(error)); // a closed channel means the run was dropped
            return;
        }
    };
    if context.ready.send(Ok(())).is_err() {
        return;
    }
    let Ok(origin) = context.go.recv() else { return };
    let mut stop = context.stop.clone();
    let worker = Rc::new(Worker::new(context, origin));
    let local = LocalSet::new();
    local.block_on(&runtime, Rc::clone(&worker).play(&timer, &mut stop));
    drop(local); // drops requests in flight, which were counted as unfinished
    drop(runtime);
    match Rc::try_unwrap(worker) {
        Ok(worker) => worker.recorder.into_inner().finish(),
        Err(_) => unreachable!("every task that held the worker was dropped with its LocalSet"),
    }
}

/// Maximum number of arrivals dispatched at once, so that a worker that is behind still notices a stop.
const AT_ONCE: usize = 1_024;

/// Where jobs come from.
enum Source {
    Open { arrivals: Arrivals, next: Option<Arrival> },
    Closed { next: u64, limit: u64 },
}

struct Worker {
    index: usize,
    of: usize,
    plan: Arc<Plan>,
    worker_counters: Arc<[Counters]>,
    origin: Instant,
    source: RefCell<Source>,
    queue: JobQueue,
    connections: usize,
    max_in_flight: usize,
    started: Cell<usize>,
    active: Cell<usize>,
    recorder: RefCell<Recorder>,
    pools: Pools,
    /// Notified when the last job in flight is done, or when a closed loop has sent all its requests.
    quiet: Notify,
}

impl Worker {
    fn new(context: WorkerContext, origin: Instant) -> Self {
        let WorkerContext { index, of, plan, worker_counters, recorder, .. } = context;
        let source = match &plan.pace {
            Pace::Open { schedule, limit, spacing } => {
                let mut arrivals = Arrivals::new(schedule, *spacing, *limit, index, of);
                Source::Open { next: arrivals.next(), arrivals }
            }
            Pace::Closed { limit, .. } => {
                Source::Closed { next: index as u64, limit: limit.unwrap_or(u64::MAX) }
            }
        };
        let pools = Pools::with(&plan.given);
        let part = |whole: usize| whole / of + usize::from(index < whole % of);
        let connections = part(plan.limits.connections);
        Self {
            index,
            of,
            source: RefCell::new(source),
            queue: JobQueue::new(connections),
            connections,
            max_in_flight: part(plan.limits.max_in_flight),
            plan,
            worker_counters,
            origin,
            started: Cell::new(0),
            active: Cell::new(0),
            recorder: RefCell::new(recorder),
            pools,
            quiet: Notify::new(),
        }
    }

    fn now(&self) -> u64 {
        self.nanos(Instant::now())
    }

    fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.origin).as_nanos()).unwrap_or(u64::MAX)
    }

    fn counters(&self) -> &Counters {
        &self.worker_counters[self.index]
    }

    fn in_flight(&self) -> usize {
        self.queue.len() + self.active.get()
    }

    async fn play(self: Rc<Self>, timer: &Timer, stop: &mut watch::Receiver<Option<Duration>>) {
        let _ = timer.until(self.origin).await; // on an error the run starts slightly early
        tokio::task::spawn_local(Rc::clone(&self).hand_over_seconds());
        let grace = match &self.plan.pace {
            Pace::Open { .. } => self.pace_open(timer, stop).await,
            Pace::Closed { duration, .. } => self.pace_closed(*duration, timer, stop).await,
        };
        let whole = self.plan.pace.planned_end().filter(|_| grace.is_none());
        let span = whole.map_or_else(|| self.now(), |end| u64::try_from(end.as_nanos()).unwrap_or(u64::MAX));
        // A limited number of requests may be sent before the planned end, as in a closed loop. The run then ends now.
        let span = if self.plan.pace.keeps_to_its_end() { span } else { span.min(self.now()) };
        self.queue.close();
        self.drain(grace, stop).await;
        let counters = self.counters();
        counters.span_nanos.set(span);
        counters.unfinished.set(self.in_flight() as u64);
        self.queue.waiting().into_iter().for_each(|job| self.record_unfinished(job.due));
        counters.cpu_nanos.set(thread_cpu_nanos());
    }

    /// Dispatches at most [`AT_ONCE`] due arrivals and returns when the next one is or was due. Also called between
    /// requests, so that a busy worker keeps its schedule.
    fn dispatch_due(self: &Rc<Self>) -> Option<u64> {
        let mut source = self.source.borrow_mut();
        let Source::Open { arrivals, next } = &mut *source else { return None };
        if self.queue.is_closed() {
            return None;
        }
        for _ in 0..AT_ONCE {
            let arrival = (*next)?;
            let now = self.now();
            if arrival.due > now {
                return Some(arrival.due);
            }
            *next = arrivals.next();
            self.dispatch(arrival, now);
        }
        next.map(|arrival| arrival.due)
    }

    fn dispatch(self: &Rc<Self>, arrival: Arrival, now: u64) {
        let Arrival { number, due } = arrival;
        let shed = self.in_flight() >= self.max_in_flight;
        {
            let mut recorder = self.recorder.borrow_mut();
            let window = recorder.at(now);
            window.scheduled += 1;
            window.shed += u32::from(shed);
            window.latencies.pacer_lag.saturating_record(now - due);
        }
        self.counters().scheduled.add();
        if shed {
            self.counters().shed.add();
        } else if !self.queue.push(Job { number, due, dispatched: now }) {
            self.start_connection();
        }
    }

    fn start_connection(self: &Rc<Self>) {
        let connection = self.started.get();
        if connection < self.connections {
            self.started.set(connection + 1);
            tokio::task::spawn_local(Rc::clone(self).serve(connection));
        }
    }

    /// Serves jobs on one connection, which is reopened when it breaks.
    async fn serve(self: Rc<Self>, connection: usize) {
        let mut kept = None;
        let mut request_deadline = RequestDeadline::default();
        while let Some(job) = self.queue.next(connection, || self.closed_loop_job()).await {
            self.active.set(self.active.get() + 1);
            let arrived = self.perform(job, &mut kept, &mut request_deadline).await;
            self.active.set(self.active.get() - 1);
            self.dispatch_due();
            if self.queue.is_closed() && self.in_flight() == 0 {
                self.quiet.notify_one();
            }
            if !arrived {
                tokio::task::yield_now().await; // requests that fail at once must not starve the other connections
            }
        }
    }

    fn closed_loop_job(&self) -> Option<Job> {
        let mut source = self.source.borrow_mut();
        let Source::Closed { next, limit } = &mut *source else { return None };
        if *next >= *limit {
            self.quiet.notify_one();
            return None;
        }
        let number = *next;
        *next += self.of as u64;
        let now = self.now();
        self.recorder.borrow_mut().at(now).scheduled += 1;
        self.counters().scheduled.add();
        Some(Job { number, due: now, dispatched: now })
    }

    /// Ends each second, even when no request is recorded in it.
    async fn hand_over_seconds(self: Rc<Self>) {
        let second = Duration::from_secs(1);
        let mut ticks = tokio::time::interval_at((self.origin + second).into(), second);
        loop {
            ticks.tick().await;
            let now = self.now();
            self.recorder.borrow_mut().at(now);
        }
    }
}

fn thread_cpu_nanos() -> u64 {
    let spent = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID);
    spent.map_or(0, |spent| Duration::from(spent).as_nanos().try_into().unwrap_or(u64::MAX))
}
