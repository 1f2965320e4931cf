//! A time limit for consecutive requests that costs almost nothing while it is met.
//!
//! A timer per request would be added to the runtime's wheel and removed again each time. The deadlines of a connection
//! only grow, so one timer stays armed for an earlier deadline; when it fires too early, it is rearmed for the current
//! one.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

/// The timer of one task. It must not be moved to another task, because it wakes the task that used it first.
#[derive(Debug)]
pub struct RequestDeadline {
    sleep: Pin<Box<Sleep>>,
    armed_for: Option<Instant>,
}

impl Default for RequestDeadline {
    /// Needs a running tokio runtime with time.
    fn default() -> Self {
        Self { sleep: Box::pin(tokio::time::sleep(Duration::ZERO)), armed_for: None }
    }
}

impl RequestDeadline {
    /// The result of `future`; `None` when `deadline` passes first, with tokio's resolution of a millisecond.
    pub async fn within<F: Future>(
        &mut self,
        deadline: Instant,
        mut future: Pin<&mut F>,
    ) -> Option<F::Output> {
        std::future::poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => self.poll_passed(deadline, context).map(|()| None),
        })
        .await
    }

    fn poll_passed(&mut self, deadline: Instant, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let armed = self.armed_for.is_some_and(|armed| armed <= deadline);
            if armed && !self.sleep.is_elapsed() {
                return Poll::Pending; // it will wake this task
            }
            if armed && Instant::now() >= deadline {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(deadline.into());
            self.armed_for = Some(deadline);
            if self.sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;

    #[tokio::test]
    async fn each_deadline_holds_and_what_is_ready_wins() {
        let mut request_deadline = RequestDeadline::default();
        let after = |millis| Instant::now() + Duration::from_millis(millis);
        for round in 0..3 {
            let late = after(3_600_000);
            assert_eq!(request_deadline.within(late, pin!(async { round })).await, Some(round));
            // A shorter deadline after a longer one, and several in a row.
            let begun = Instant::now();
            let deadline = after(20);
            assert_eq!(request_deadline.within(deadline, pin!(std::future::pending::<()>())).await, None);
            assert!(Instant::now() >= deadline && begun.elapsed() < Duration::from_secs(20));
            // The timer goes off for the earlier one while this one goes on.
            let short = async { tokio::time::sleep(Duration::from_millis(5)).await };
            assert_eq!(request_deadline.within(after(10), pin!(short)).await, Some(()));
            let long = async { tokio::time::sleep(Duration::from_millis(60)).await };
            assert_eq!(request_deadline.within(after(60_000), pin!(long)).await, Some(()));
            assert_eq!(
                request_deadline.within(Instant::now(), pin!(std::future::pending::<()>())).await,
                None
            );
        }
    }
}
