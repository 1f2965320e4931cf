//! Handling of one arrival: send the request, wait for the response, record the result.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::engine::queue::Job;
use crate::engine::worker::Worker;
use crate::plan::request::Request;
use crate::spec::method::Method;
use crate::spec::template::Moment;
use crate::wire::connection::Connection;
use crate::wire::deadline::RequestDeadline;
use crate::wire::error::Fault;
use crate::wire::response::Response;
use common::rng::Rng;

/// A complete response.
#[derive(Debug, Clone, Copy)]
struct Arrived {
    status: u16,
    /// Whether it contained every value to capture.
    complete: bool,
}

/// A request in flight. When the run is stopped it is dropped, which records it as unfinished.
struct Unfinished<'a> {
    worker: &'a Worker,
    /// `None` once the result is known.
    due: Option<u64>,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(due) = self.due {
            self.worker.record_unfinished(due);
        }
    }
}

impl Worker {
    /// Sends one request and records the result. Returns whether a response arrived.
    pub async fn perform(
        &self,
        job: Job,
        kept: &mut Option<Connection>,
        request_deadline: &mut RequestDeadline,
    ) -> bool {
        let mut made = Vec::new();
        let (request, bytes) = self.compose(job, &mut made);
        let mut unfinished = Unfinished { worker: self, due: Some(job.due) };
        let written = Cell::new(None);
        let timeout = self.plan.limits.timeout;
        let deadline = self.origin + Duration::from_nanos(job.due) + timeout;
        let result = if Instant::now() >= deadline {
            Err(Fault::QueueTimeout)
        } else {
            let attempt = std::pin::pin!(self.attempt(request, bytes, kept, &written));
            let timed_out =
                || Err(if written.get().is_some() { Fault::Timeout } else { Fault::ConnectTimeout });
            request_deadline.within(deadline, attempt).await.unwrap_or_else(timed_out)
        };
        if result.is_err() {
            *kept = None;
        }
        unfinished.due = None;
        self.record(job, request, written.get(), result);
        result.is_ok()
    }

    async fn attempt(
        &self,
        request: &Request,
        bytes: &[u8],
        kept: &mut Option<Connection>,
        written: &Cell<Option<u64>>,
    ) -> Result<Arrived, Fault> {
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
                    self.counters().connections.add();
                    connection
                }
            };
            let on_write = |at: Instant| {
                let now = self.nanos(at);
                written.set(Some(now));
                if !std::mem::replace(&mut sent, true) {
                    self.counters().sent.add();
                    self.counters().last_sent_nanos.set(now);
                    self.recorder.borrow_mut().at(now).sent += 1;
                }
            };
            let mut response = Response::new(request.spec.method == Method::Head);
            if !request.spec.capture.is_empty() {
                response = response.keeping();
            }
            match connection.exchange(bytes, &mut response, on_write).await {
                Ok(reusable) => {
                    *kept = (reusable && self.plan.limits.keep_alive).then_some(connection);
                    return Ok(Arrived {
                        status: response.status(),
                        complete: self.capture(request, &response),
                    });
                }
                // The server closed the kept connection just as it was used, which is not an error of this request.
                Err(Fault::Closed | Fault::Reset)
                    if again && !connection.heard() && request.spec.method.is_idempotent() =>
                {
                    self.counters().retried.add();
                    written.set(None);
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    /// The request of an arrival, and its bytes. If it needs a value that was not captured yet, the request that
    /// captures this value is sent instead.
    fn compose<'a>(&'a self, job: Job, made: &'a mut Vec<u8>) -> (&'a Request, &'a [u8]) {
        let plan = &*self.plan;
        let mut request = &plan.requests[plan.mix.pick(job.number)];
        while request.is_made() {
            let mut moment = Moment {
                number: self.plan.first.wrapping_add(job.number),
                elapsed: Duration::from_nanos(job.due),
                timestamp: jiff::Timestamp::now().as_second(),
                rng: Rng::of(plan.seed, job.number),
                pools: &self.pools,
            };
            made.clear();
            match request.make(&mut moment, made) {
                Ok(()) => return (request, made),
                Err(missing) => request = &plan.requests[plan.dependencies[missing]],
            }
        }
        (request, &request.bytes)
    }

    /// Stores the values that later requests need. Returns false when a 2xx response lacks one; responses with other
    /// expected statuses, such as 404, may lack them.
    fn capture(&self, request: &Request, response: &Response) -> bool {
        let status = response.status();
        let good = (200..300).contains(&status);
        let Some(kept) = response.kept().filter(|_| good || request.spec.expect.matches(status)) else {
            return true;
        };
        request.spec.capture.iter().fold(true, |complete, capture| match kept.find(&capture.source) {
            Some(value) => {
                if self.plan.gives {
                    self.plan.given.put(&capture.name, value.clone());
                }
                self.pools.put(&capture.name, value);
                complete
            }
            None => complete && !good,
        })
    }

    /// Records an unfinished request with the time it has waited so far, a lower bound of its response time. Without
    /// it, a target that stops responding would look as fast as before.
    pub fn record_unfinished(&self, due: u64) {
        let now = self.now();
        self.recorder.borrow_mut().at(now).latencies.response.saturating_record(now.saturating_sub(due));
    }

    fn record(&self, job: Job, request: &Request, written: Option<u64>, result: Result<Arrived, Fault>) {
        let now = self.now();
        let mut recorder = self.recorder.borrow_mut();
        let window = recorder.at(now);
        let end = match result {
            Ok(Arrived { status, complete }) => {
                let expected = complete && request.spec.expect.matches(status);
                self.counters().response(status, expected);
                if expected {
                    window.expected += 1
                } else {
                    window.unexpected += 1
                }
                now
            }
            Err(fault) => {
                self.counters().fault(fault);
                window.errors += 1;
                if !fault.is_timeout() {
                    return; // no response, so no latency: a fast refusal must not look like a fast server
                }
                // Recorded at the timeout: leaving out the slowest requests would make a slow target look fast.
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
