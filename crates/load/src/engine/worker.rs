//! One worker: a thread with its own single-threaded runtime, its own part of the schedule and of the connections.
//! Nothing is shared with other workers but counts, so a core more is a worker more.

mod pace;
mod send;

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::task::LocalSet;

use crate::engine::queue::{Job, Line};
use crate::plan::Plan;
use crate::record::counters::Tally;
use crate::record::window::Recorder;
use crate::schedule::arrivals::{Arrival, Arrivals};
use crate::schedule::pace::Pace;
use crate::spec::capture::Pools;
use crate::wire::deadline::Watchdog;
use crate::wire::timer::Timer;

/// What a worker is given.
pub struct Seat {
    pub(crate) index: usize,
    pub(crate) of: usize,
    pub(crate) plan: Arc<Plan>,
    pub(crate) tallies: Arc<[Tally]>,
    pub(crate) recorder: Recorder,
    /// Set to the time left for answers in flight when the run is to stop.
    pub stop: watch::Receiver<Option<Duration>>,
    /// Says that everything it needs is there, or why not.
    pub ready: mpsc::Sender<io::Result<()>>,
    /// The start of the run, common to all.
    pub go: mpsc::Receiver<Instant>,
}

/// Runs to the end of the schedule or until stopped.
pub fn run(seat: Seat) {
    let made = tokio::runtime::Builder::new_current_thread().enable_all().build().and_then(|runtime| {
        let timer = runtime.block_on(async { Timer::new() })?;
        Ok((runtime, timer))
    });
    let (runtime, timer) = match made {
        Ok(made) => made,
        Err(error) => {
            let _ = seat.ready.send(Err(error)); // whoever asked has gone: nothing to start either
            return;
        }
    };
    if seat.ready.send(Ok(())).is_err() {
        return;
    }
    let Ok(origin) = seat.go.recv() else { return };
    let mut stop = seat.stop.clone();
    let worker = Rc::new(Worker::new(seat, origin));
    let local = LocalSet::new();
    local.block_on(&runtime, Rc::clone(&worker).play(&timer, &mut stop));
    drop(local); // what is still in flight is dropped, and was counted as unfinished
    drop(runtime);
    match Rc::try_unwrap(worker) {
        Ok(worker) => worker.recorder.into_inner().finish(),
        Err(_) => unreachable!("every task that held the worker was dropped with its LocalSet"),
    }
}

/// Arrivals that are dispatched before anything else gets its turn: a worker that is behind must still hear of a stop.
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
    tallies: Arc<[Tally]>,
    origin: Instant,
    source: RefCell<Source>,
    line: Line,
    connections: usize,
    max_in_flight: usize,
    started: Cell<usize>,
    active: Cell<usize>,
    recorder: RefCell<Recorder>,
    pools: Pools,
    /// Told when the last job in flight is done, or a closed loop has used up its count.
    quiet: Notify,
}

impl Worker {
    fn new(seat: Seat, origin: Instant) -> Self {
        let Seat { index, of, plan, tallies, recorder, .. } = seat;
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
            line: Line::new(connections),
            connections,
            max_in_flight: part(plan.limits.max_in_flight),
            plan,
            tallies,
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

    fn tally(&self) -> &Tally {
        &self.tallies[self.index]
    }

    fn in_flight(&self) -> usize {
        self.line.len() + self.active.get()
    }

    async fn play(self: Rc<Self>, timer: &Timer, stop: &mut watch::Receiver<Option<Duration>>) {
        let _ = timer.until(self.origin).await; // refused: the run starts a moment early
        tokio::task::spawn_local(Rc::clone(&self).hand_over_seconds());
        let grace = match &self.plan.pace {
            Pace::Open { .. } => self.pace_open(timer, stop).await,
            Pace::Closed { duration, .. } => self.pace_closed(*duration, timer, stop).await,
        };
        let whole = self.plan.pace.planned_end().filter(|_| grace.is_none());
        let span = whole.map_or_else(|| self.now(), |end| u64::try_from(end.as_nanos()).unwrap_or(u64::MAX));
        // Where a count may come to its end before the time does, as in a closed loop, it may have ended now.
        let span = if self.plan.pace.keeps_to_its_end() { span } else { span.min(self.now()) };
        self.line.close();
        self.drain(grace, stop).await;
        let tally = self.tally();
        tally.span_nanos.set(span);
        tally.unfinished.set(self.in_flight() as u64);
        self.line.waiting().into_iter().for_each(|job| self.record_unfinished(job.due));
        tally.cpu_nanos.set(thread_cpu_nanos());
    }

    /// Dispatches arrivals that are due, at most [`AT_ONCE`] of them, and says when the next one is or was. Also called
    /// between requests, so that a busy worker keeps its schedule.
    fn dispatch_due(self: &Rc<Self>) -> Option<u64> {
        let mut source = self.source.borrow_mut();
        let Source::Open { arrivals, next } = &mut *source else { return None };
        if self.line.is_closed() {
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
        self.tally().scheduled.add();
        if shed {
            self.tally().shed.add();
        } else if !self.line.push(Job { number, due, dispatched: now }) {
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

    /// The life of one connection: job after job, opened anew when it breaks.
    async fn serve(self: Rc<Self>, connection: usize) {
        let mut kept = None;
        let mut watchdog = Watchdog::default();
        while let Some(job) = self.line.next(connection, || self.closed_loop_job()).await {
            self.active.set(self.active.get() + 1);
            let arrived = self.perform(job, &mut kept, &mut watchdog).await;
            self.active.set(self.active.get() - 1);
            self.dispatch_due();
            if self.line.is_closed() && self.in_flight() == 0 {
                self.quiet.notify_one();
            }
            if !arrived {
                tokio::task::yield_now().await; // a failure that needs no waiting must not keep others from theirs
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
        self.tally().scheduled.add();
        Some(Job { number, due: now, dispatched: now })
    }

    /// Ends seconds in which nothing happens.
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
