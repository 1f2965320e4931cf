//! Watches a run: shows it, and ends it early where someone or something wants that.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::run::error::{CommandError, start};
use crate::run::resolve::Asked;
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

/// How long an interrupted run waits for what is in flight.
const GRACE: Duration = Duration::from_secs(1);
/// What `{{n}}` counts from while warming up: no run gets as far.
const FIRST_OF_WARM_UP: u64 = 1 << 40;
/// How often it is looked at whether there is something new to show.
const REFRESH: Duration = Duration::from_millis(100);
/// Requests of which it must be known what became of them before a threshold may end the run, and how long it may take
/// until then.
const ENOUGH: (u64, Duration) = (100, Duration::from_secs(10));

/// What may end a run before its schedule does.
pub struct Ending<'a> {
    /// Shown above the figures.
    pub title: &'a str,
    /// When the whole run ends at the latest.
    pub deadline: Option<Duration>,
    /// Those that end the run when they are crossed.
    pub thresholds: &'a [Threshold],
    /// Whether its figures are the run's, to be shown to whoever scrapes them.
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
        let (enough, patience) = ENOUGH;
        if running.counts().settled() < enough && running.elapsed() < patience {
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

/// How watching ended.
#[derive(Default)]
pub struct Ended {
    /// The signal that was first.
    pub interrupted_by: Option<&'static str>,
    /// `deadline` or `threshold`.
    pub early: Option<&'static str>,
    /// Whether there was a second signal: nothing more is asked of anybody.
    pub hurried: bool,
    /// The exit code of a third signal, after which nothing is waited for.
    pub at_once: Option<u8>,
}

/// What stands between a run and the person who started it.
pub struct Watcher {
    /// What they see.
    pub progress: Progress,
    /// What they say.
    pub signals: Signals,
    /// What their Prometheus sees.
    pub exposition: Option<Exposition>,
}

impl Watcher {
    /// Shows the run until its end: the first signal asks for it, the second no longer waits for answers, the third
    /// waits for nothing.
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
                                "{name}: stopping; up to {} for answers in flight, a second signal waits for none",
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
                    // Looking costs the sender time where they share a core.
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

    /// What is sent before the run that counts; its record, or an exit code when it was interrupted.
    pub async fn beforehand(
        &mut self,
        plan: Plan,
        title: &str,
        deadline: Option<Duration>,
    ) -> Result<Result<Record, u8>, CommandError> {
        let mut running = start(plan)?;
        let ending = Ending { title, deadline, thresholds: &[], counted: false };
        let Ended { interrupted_by, at_once, .. } = self.watch(&mut running, &ending).await;
        let Some(name) = interrupted_by else { return Ok(Ok(running.record().await)) };
        self.progress.say(&format!("{name} before the run began: nothing was measured"));
        let code = exit::interrupted_by(name);
        Ok(Err(at_once.unwrap_or(code)))
    }

    /// The same requests at the rate the schedule begins with, counted apart; an exit code when it was interrupted.
    pub async fn warm_up(
        &mut self,
        asked: &Asked,
        time: Duration,
        deadline: Option<Duration>,
    ) -> Result<Result<Ledger, u8>, CommandError> {
        // Values of its own: what it creates must not stand in the way of what the run creates.
        let seed = rng::derived(asked.plan.seed, 0);
        let plan =
            Plan { pace: asked.plan.pace.warm_up(time), seed, first: FIRST_OF_WARM_UP, ..asked.plan.clone() };
        let title = format!("warm-up · {}", asked.title());
        let ledger = match self.beforehand(plan, &title, deadline).await? {
            Ok(record) => record.ledger,
            Err(code) => return Ok(Err(code)),
        };
        let sent = format::count(ledger.scheduled);
        self.progress
            .say(&format!("warmed up with {sent} requests in {}, not counted", duration::format(time)));
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
