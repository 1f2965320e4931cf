//! How a worker keeps time: wakes for what is due, stops when told, waits for what is in flight.

use std::rc::Rc;
use std::time::Duration;

use tokio::sync::watch;

use crate::engine::worker::Worker;
use crate::wire::timer::Timer;

/// How long a run that is stopped may go on handing out what was due.
const CATCH_UP: Duration = Duration::from_millis(100);

impl Worker {
    /// Returns when the schedule is over, or with the grace of a stop.
    pub async fn pace_open(
        self: &Rc<Self>,
        timer: &Timer,
        stop: &mut watch::Receiver<Option<Duration>>,
    ) -> Option<Duration> {
        while let Some(due) = self.dispatch_due() {
            if due <= self.now() {
                tokio::task::yield_now().await; // late as it is, what is under way and a stop must not wait
            }
            let until = self.origin + Duration::from_nanos(due);
            tokio::select! {
                biased;
                grace = stopped(stop) => {
                    self.catch_up(); // what was due before the stop counts
                    return Some(grace);
                }
                woken = timer.until(until) => if woken.is_err() {
                    tokio::time::sleep_until(until.into()).await; // coarser, and the lag will say so
                },
            }
        }
        None
    }

    /// Dispatches what is due, as far as [`CATCH_UP`] suffices: who is further behind than that cannot keep up anyhow,
    /// and the lag says so.
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
                    let _ = timer.until(self.origin + duration).await; // refused: the count or a stop ends it
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

    /// Waits for what is in flight; each has its own time limit, a stop has another.
    pub async fn drain(&self, grace: Option<Duration>, stop: &mut watch::Receiver<Option<Duration>>) {
        let mut deadline = grace.map(|grace| tokio::time::Instant::now() + grace);
        while self.in_flight() > 0 {
            tokio::select! {
                () = self.quiet.notified() => {}
                changed = stop.changed() => {
                    if changed.is_err() {
                        return; // nobody waits for these answers any more
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

/// The grace of a stop, once there is one; none when nobody is left to ask for it.
async fn stopped(stop: &mut watch::Receiver<Option<Duration>>) -> Duration {
    match stop.wait_for(Option::is_some).await {
        Ok(grace) => grace.unwrap_or_default(),
        Err(_) => Duration::ZERO,
    }
}
