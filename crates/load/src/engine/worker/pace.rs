//! Pacing of a worker: wakes for due arrivals, stops on request, waits for requests in flight.

use std::rc::Rc;
use std::time::Duration;

use tokio::sync::watch;

use crate::engine::worker::Worker;
use crate::wire::timer::Timer;

/// How long a stopped run may continue to dispatch arrivals that were already due.
const CATCH_UP: Duration = Duration::from_millis(100);

impl Worker {
    /// Returns when the schedule ends, or with the grace period of a stop.
    pub async fn pace_open(
        self: &Rc<Self>,
        timer: &Timer,
        stop: &mut watch::Receiver<Option<Duration>>,
    ) -> Option<Duration> {
        while let Some(due) = self.dispatch_due() {
            if due <= self.now() {
                tokio::task::yield_now().await; // even a late worker must serve requests in flight and notice a stop
            }
            let until = self.origin + Duration::from_nanos(due);
            tokio::select! {
                biased;
                grace = stopped(stop) => {
                    self.catch_up(); // arrivals due before the stop count
                    return Some(grace);
                }
                woken = timer.until(until) => if woken.is_err() {
                    tokio::time::sleep_until(until.into()).await; // coarser; the lag shows it
                },
            }
        }
        None
    }

    /// Dispatches due arrivals for at most [`CATCH_UP`]. A worker that is further behind cannot keep up anyway, and the
    /// lag shows it.
    fn catch_up(self: &Rc<Self>) {
        let now = self.now();
        let until = now.saturating_add(u64::try_from(CATCH_UP.as_nanos()).unwrap_or(u64::MAX));
        while self.dispatch_due().is_some_and(|due| due <= now) && self.now() < until {}
    }

    pub async fn pace_closed(
        self: &Rc<Self>,
        duration: Option<Duration>,
        timer: &Timer,
        stop: &mut watch::Receiver<Option<Duration>>,
    ) -> Option<Duration> {
        (0..self.connections).for_each(|_| self.start_connection());
        let over = async {
            match duration {
                Some(duration) => {
                    let _ = timer.until(self.origin + duration).await; // on an error, the count or a stop ends the run
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            grace = stopped(stop) => Some(grace),
            () = over => None,
            () = self.quiet.notified() => None,
        }
    }

    /// Waits for requests in flight. Each has its own timeout; a stop adds a grace period.
    pub async fn drain(&self, grace: Option<Duration>, stop: &mut watch::Receiver<Option<Duration>>) {
        let mut deadline = grace.map(|grace| tokio::time::Instant::now() + grace);
        while self.in_flight() > 0 {
            tokio::select! {
                () = self.quiet.notified() => {}
                changed = stop.changed() => {
                    if changed.is_err() {
                        return; // the run was dropped
                    }
                    let grace = stop.borrow_and_update().unwrap_or_default();
                    deadline = Some(tokio::time::Instant::now() + grace);
                }
                () = async {
                    match deadline {
                        Some(deadline) => tokio::time::sleep_until(deadline).await,
                        None => std::future::pending().await,
                    }
                } => return,
            }
        }
    }
}

/// Waits for a stop and returns its grace period; zero when the run was dropped.
async fn stopped(stop: &mut watch::Receiver<Option<Duration>>) -> Duration {
    match stop.wait_for(Option::is_some).await {
        Ok(grace) => grace.unwrap_or_default(),
        Err(_) => Duration::ZERO,
    }
}
