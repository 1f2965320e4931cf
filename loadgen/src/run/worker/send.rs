//! What a worker does with one arrival: send, wait, record.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::Worker;
use crate::run::connection::Connection;
use crate::run::fault::Fault;
use crate::run::line::Job;
use crate::run::request::Request;

impl Worker {
    /// Sends one request and records what became of it; whether an answer arrived.
    pub(super) async fn perform(&self, job: Job, kept: &mut Option<Connection>) -> bool {
        let request = &self.plan.requests[self.plan.mix.pick(job.number)];
        let written = Cell::new(None);
        let timeout = self.plan.limits.timeout;
        let deadline = self.origin + Duration::from_nanos(job.due) + timeout;
        let result = if Instant::now() >= deadline {
            Err(Fault::QueueTimeout)
        } else {
            let attempt = self.attempt(request, kept, &written);
            tokio::time::timeout_at(deadline.into(), attempt).await.unwrap_or_else(|_| {
                Err(if written.get().is_some() { Fault::Timeout } else { Fault::ConnectTimeout })
            })
        };
        if result.is_err() {
            *kept = None;
        }
        self.record(job, request, written.get(), result);
        result.is_ok()
    }

    async fn attempt(
        &self,
        request: &Request,
        kept: &mut Option<Connection>,
        written: &Cell<Option<u64>>,
    ) -> Result<u16, Fault> {
        let mut sent = false;
        loop {
            let mut used = kept.take();
            if let Some(connection) = &mut used
                && !connection.is_quiet().await
            {
                used = None; // closed by the server while it was idle
            }
            let again = used.is_some();
            let mut connection = match used {
                Some(connection) => connection,
                None => {
                    let connection = Connection::open(&self.plan.target).await?;
                    self.tally().connections.add();
                    connection
                }
            };
            let on_write = |at: Instant| {
                let now = self.nanos(at);
                written.set(Some(now));
                if !std::mem::replace(&mut sent, true) {
                    self.tally().sent.add();
                    self.tally().last_sent_nanos.set(now);
                    self.recorder.borrow_mut().at(now).sent += 1;
                }
            };
            match connection.exchange(request, on_write).await {
                Ok(arrived) => {
                    *kept = (arrived.reusable && self.plan.limits.keep_alive).then_some(connection);
                    return Ok(arrived.status);
                }
                // The server closed the kept connection just as it was used: not an error of this request.
                Err(Fault::Closed | Fault::Reset)
                    if again && !connection.heard() && request.spec.method.is_idempotent() =>
                {
                    self.tally().retried.add();
                    written.set(None);
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    fn record(&self, job: Job, request: &Request, written: Option<u64>, result: Result<u16, Fault>) {
        let now = self.now();
        let mut recorder = self.recorder.borrow_mut();
        let window = recorder.at(now);
        let end = match result {
            Ok(status) => {
                let expected = request.spec.expect.matches(status);
                self.tally().answer(status, expected);
                if expected {
                    window.expected += 1
                } else {
                    window.unexpected += 1
                }
                now
            }
            Err(fault) => {
                self.tally().fault(fault);
                window.errors += 1;
                if !fault.is_timeout() {
                    return; // no answer, so no latency: a fast refusal must not look like a fast server
                }
                // Recorded at its limit: leaving out the slowest would make the slow look fast.
                job.due + u64::try_from(self.plan.limits.timeout.as_nanos()).unwrap_or(u64::MAX)
            }
        };
        window.latencies.response.saturating_record(end.saturating_sub(job.due));
        if let Some(written) = written {
            window.latencies.service.saturating_record(end.saturating_sub(written));
            window.latencies.connection_wait.saturating_record(written.saturating_sub(job.dispatched));
        }
    }
}
