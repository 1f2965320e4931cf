//! A buffer for log lines. A system call per line would cost a request more than its handler, and a reader of standard
//! output that stops reading must not block the workers.
//!
//! Lines are written within [`GATHER`], or at once when there are many or one is urgent. Lines beyond [`MAX`] bytes
//! are dropped and counted, and a later line has their number.

use parking_lot::{Condvar, Mutex};
use std::{
    io::Write,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// Maximum time a line waits for others.
const GATHER: Duration = Duration::from_millis(50);
/// Number of bytes that is written without waiting for more.
const ENOUGH: usize = 64 * 1024;
/// Maximum number of bytes buffered for a slow reader.
const MAX: usize = 8 * 1024 * 1024;

/// Buffers lines for a thread that writes them.
#[derive(Debug, Default)]
pub(super) struct Sink {
    pending: Mutex<Pending>,
    /// There is something to write, or it has become urgent.
    wake: Condvar,
    /// Something was written.
    written: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    lines: Vec<u8>,
    urgent: bool,
    dropped: u64,
    /// Bytes ever accepted, and how many of them are written or given up.
    taken: u64,
    done: u64,
}

impl Sink {
    /// A sink, and its thread, which ends with the process.
    pub(super) fn start(output: impl Write + Send + 'static) -> Arc<Self> {
        let sink = Arc::new(Self::default());
        let writer = sink.clone();
        let started = thread::Builder::new().name("log".to_owned()).spawn(move || writer.write(output));
        if let Err(error) = started {
            let mut stderr = std::io::stderr();
            // A failure here has no one left to report it to.
            let _ = writeln!(stderr, "error: logging is disabled: cannot start its thread ({error})");
        }
        sink
    }

    /// Accepts a line, which ends in a line feed. Never waits for the output.
    pub(super) fn take(&self, line: &[u8], urgent: bool) {
        let mut pending = self.pending.lock();
        if pending.lines.len() + line.len() > MAX {
            pending.dropped += 1;
            return;
        }
        let before = pending.lines.len();
        pending.lines.extend_from_slice(line);
        pending.taken += line.len() as u64;
        let enough = before < ENOUGH && pending.lines.len() >= ENOUGH;
        let hurry = urgent && !pending.urgent;
        pending.urgent |= urgent;
        drop(pending);
        if before == 0 || enough || hurry {
            self.wake.notify_one();
        }
    }

    /// Waits until every accepted line is written, up to this limit.
    pub(super) fn flush(&self, limit: Duration) {
        let mut pending = self.pending.lock();
        pending.urgent = true;
        self.wake.notify_one();
        let (all, deadline) = (pending.taken, Instant::now() + limit);
        while pending.done < all {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.written.wait_for(&mut pending, left);
        }
    }

    fn write(&self, mut output: impl Write) {
        let mut lines = Vec::with_capacity(2 * ENOUGH);
        loop {
            let dropped = self.gather(&mut lines);
            // An error means that standard output is closed: there is nowhere to report it.
            let _ = output.write_all(&lines).and_then(|()| output.flush());
            let mut pending = self.pending.lock();
            pending.done += lines.len() as u64;
            drop(pending);
            self.written.notify_all();
            lines.clear();
            lines.shrink_to(2 * ENOUGH);
            if dropped > 0 {
                tracing::warn!(dropped, "log lines dropped, standard output is not read fast enough");
            }
        }
    }

    /// Waits until it is time to write, and moves the buffered lines into `lines`, which is empty. Returns the number
    /// of lines dropped until then.
    fn gather(&self, lines: &mut Vec<u8>) -> u64 {
        let mut pending = self.pending.lock();
        self.wake.wait_while(&mut pending, |pending| pending.lines.is_empty());
        let early = |pending: &mut Pending| !pending.urgent && pending.lines.len() < ENOUGH;
        self.wake.wait_while_for(&mut pending, early, GATHER);
        pending.urgent = false;
        std::mem::swap(lines, &mut pending.lines);
        std::mem::take(&mut pending.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// An output that reports each write and completes it only when allowed to.
    struct Slow {
        reported: Sender<Vec<u8>>,
        allowed: Receiver<()>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.reported.send(bytes.to_vec()).unwrap();
            self.allowed.recv().unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (Arc<Sink>, Receiver<Vec<u8>>, Sender<()>) {
        let ((reported, writes), (allow, allowed)) = (channel(), channel());
        (Sink::start(Slow { reported, allowed }), writes, allow)
    }

    #[test]
    fn lines_are_buffered_and_written_in_order() {
        let (sink, writes, allow) = slow();
        allow.send(()).unwrap();
        sink.take(b"one\n", false);
        sink.take(b"two\n", false);
        let mut written = writes.recv().unwrap();
        if written == b"one\n" {
            // The thread was awake already, so the second line is written separately.
            allow.send(()).unwrap();
            written.extend(writes.recv().unwrap());
        }
        assert_eq!(written, b"one\ntwo\n");
        sink.flush(Duration::from_secs(20));
        assert_eq!(sink.pending.lock().done, 8);
    }

    #[test]
    fn a_stalled_reader_blocks_no_caller_and_drops_are_reported() {
        let (sink, writes, allow) = slow();
        sink.take(b"first\n", true);
        assert_eq!(writes.recv().unwrap(), b"first\n");
        // The output is blocked from here on.
        let line = [b'x'; 1024];
        for _ in 0..MAX / line.len() + 5 {
            sink.take(&line, false);
        }
        let started = Instant::now();
        sink.flush(Duration::from_millis(20));
        assert!(started.elapsed() < Duration::from_secs(10), "a flush has a limit");
        let (waiting, dropped) = {
            let pending = sink.pending.lock();
            (pending.lines.len(), pending.dropped)
        };
        assert_eq!((waiting, dropped), (MAX, 5));
        allow.send(()).unwrap();
        assert_eq!(writes.recv().unwrap().len(), MAX, "buffered lines are written once the output continues");
    }
}
