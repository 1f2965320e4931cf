//! Watches a run: shows its progress, and ends it early on signals, thresholds and the deadline.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::run::error::{CommandError, start};
use crate::run::resolve::Resolved;
use common::hangup::Hangup;
use common::rng;
use common::{duration, exit};
use load::engine::Running;
use load::format;
use load::live::exposition::{self, Exposition};
use load::live::{Progress, View};
use load::plan::Plan;
use load::record::{Ledger, Record};
use load::verdict::threshold::Threshold;

/// Grace period for requests in flight after an interrupt.
const GRACE: Duration = Duration::from_secs(1);
/// First value of `{{n}}` during warm-up, beyond the range of any run.
const FIRST_OF_WARM_UP: u64 = 1 << 40;
/// Refresh interval of the progress.
const REFRESH: Duration = Duration::from_millis(100);
/// Minimum number of completed requests before a threshold may end the run, and the maximum wait for them.
const MINIMUM: (u64, Duration) = (100, Duration::from_secs(10));

/// Conditions that end a run early.
pub struct Ending<'a> {
    /// Title of the live view.
    pub title: &'a str,
    /// Time after which the run ends.
    pub deadline: Option<Duration>,
    /// Thresholds that end the run when crossed.
    pub thresholds: &'a [Threshold],
    /// Whether its metrics are exported; false for warm-up and `before` requests.
    pub counted: bool,
}

impl Ending<'_> {
    fn early(&self, running: &Running) -> Option<&'static str> {
        if self.deadline.is_some_and(|deadline| running.elapsed() >= deadline) {
            return Some("deadline");
        }
        if self.thresholds.is_empty() {
            return None;
        }
        let (minimum, wait) = MINIMUM;
        if running.counts().settled() < minimum && running.elapsed() < wait {
            return None;
        }
        running.measured(|measured| {
            let mut thresholds = self.thresholds.iter().filter(|threshold| threshold.may_abort());
            let crossed = thresholds.any(|threshold| {
                let value = threshold.value(measured);
                value.is_some() && !threshold.holds(value)
            });
            crossed.then_some("threshold")
        })
    }
}

/// How a run ended.
#[derive(Default)]
pub struct Ended {
    /// The first signal.
    pub interrupted_by: Option<&'static str>,
    /// `deadline` or `threshold`.
    pub early: Option<&'static str>,
    /// Whether a second signal arrived, after which alerts are not queried.
    pub hurried: bool,
    /// The exit code of a third signal, after which the process exits at once.
    pub at_once: Option<u8>,
}

/// Connects a run to the user.
pub struct Watcher {
    /// The progress display.
    pub progress: Progress,
    /// The signals.
    pub signals: Signals,
    /// The exported metrics.
    pub exposition: Option<Exposition>,
}

impl Watcher {
    /// Shows the run until its end. The first signal stops it, the second skips waiting for responses, the third exits
    /// at once.
    pub async fn watch(&mut self, running: &mut Running, ending: &Ending<'_>) -> Ended {
        let mut refresh = tokio::time::interval(REFRESH);
        let mut ended = Ended::default();
        let mut signals = 0;
        loop {
            tokio::select! {
                () = running.ended() => break,
                (name, code) = self.signals.next() => {
                    signals += 1;
                    match signals {
                        1 => {
                            ended.interrupted_by = Some(name);
                            running.request_stop(GRACE);
                            self.progress.say(&format!(
                                "{name}: stopping, waiting up to {} for requests in flight; send a second signal to skip",
                                duration::format(GRACE)
                            ));
                        }
                        2 => {
                            ended.hurried = true;
                            running.request_stop(Duration::ZERO);
                        }
                        _ => {
                            ended.at_once = Some(code);
                            break;
                        }
                    }
                }
                _ = refresh.tick() => {
                    // Drawing takes CPU time from the sender on a shared core.
                    if self.progress.has_news(running.last_row()) {
                        self.progress.show(&View::of(running, ending.title));
                    }
                    self.expose(running, ending);
                    if ended.interrupted_by.is_none() && ended.early.is_none() {
                        ended.early = ending.early(running);
                        match ended.early {
                            Some("deadline") => running.request_stop(Duration::ZERO),
                            Some(_) => running.request_stop(GRACE),
                            None => {}
                        }
                    }
                }
            }
        }
        self.progress.end();
        self.expose(running, ending);
        ended
    }

    fn expose(&self, running: &Running, ending: &Ending<'_>) {
        if let Some(exposition) = self.exposition.as_ref().filter(|_| ending.counted)
            && let Ok(text) = exposition::text(running)
        {
            exposition.show(text);
        }
    }

    /// Runs a plan before the actual run. Returns its record, or an exit code when interrupted.
    pub async fn send_before(
        &mut self,
        plan: Plan,
        title: &str,
        deadline: Option<Duration>,
    ) -> Result<Result<Record, u8>, CommandError> {
        let mut running = start(plan)?;
        let ending = Ending { title, deadline, thresholds: &[], counted: false };
        let Ended { interrupted_by, at_once, .. } = self.watch(&mut running, &ending).await;
        let Some(name) = interrupted_by else { return Ok(Ok(running.record().await)) };
        self.progress.say(&format!("{name} before the start of the run: nothing was measured"));
        let code = exit::interrupted_by(name);
        Ok(Err(at_once.unwrap_or(code)))
    }

    /// Sends the same requests at the initial rate, counted separately. Returns an exit code when interrupted.
    pub async fn warm_up(
        &mut self,
        resolved: &Resolved,
        time: Duration,
        deadline: Option<Duration>,
    ) -> Result<Result<Ledger, u8>, CommandError> {
        // The warm-up has its own generated values, which must not collide with those of the run.
        let seed = rng::derived(resolved.plan.seed, 0);
        let plan = Plan {
            pace: resolved.plan.pace.warm_up(time),
            seed,
            first: FIRST_OF_WARM_UP,
            ..resolved.plan.clone()
        };
        let title = format!("warm-up · {}", resolved.title());
        let ledger = match self.send_before(plan, &title, deadline).await? {
            Ok(record) => record.ledger,
            Err(code) => return Ok(Err(code)),
        };
        let sent = format::count(ledger.scheduled);
        self.progress.say(&format!(
            "warmed up with {sent} requests in {}, not included in the report",
            duration::format(time)
        ));
        Ok(Ok(ledger))
    }
}

/// The signals that end a run.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Hangup,
}

impl Signals {
    pub fn new() -> std::io::Result<Self> {
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate, hangup: Hangup::new()? })
    }

    async fn next(&mut self) -> (&'static str, u8) {
        tokio::select! {
            _ = self.interrupt.recv() => ("SIGINT", exit::INTERRUPTED),
            _ = self.terminate.recv() => ("SIGTERM", exit::TERMINATED),
            () = self.hangup.recv() => ("SIGHUP", exit::HUNG_UP),
        }
    }
}
