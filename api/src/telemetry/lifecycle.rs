//! The phase of the process, for `/readyz` and for responses during a drain.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// A process's phases, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not ready for traffic yet.
    Starting,
    /// Serving.
    Ready,
    /// Serving, but not to receive new traffic: about to stop, or draining on request.
    Draining,
}

/// The current phase, shared by all workers.
#[derive(Debug, Default)]
pub struct Lifecycle {
    phase: AtomicU8,
    drain_requested: AtomicBool,
}

impl Lifecycle {
    /// The current phase.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Starting,
            1 if !self.drain_requested.load(Ordering::Relaxed) => Phase::Ready,
            _ => Phase::Draining,
        }
    }

    /// Moves to a phase.
    pub fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Starts or ends a drain that does not stop the process.
    pub fn request_drain(&self, on: bool) {
        self.drain_requested.store(on, Ordering::Relaxed);
    }

    /// Whether the process is about to stop, which cannot be reversed.
    pub fn is_stopping(&self) -> bool {
        self.phase.load(Ordering::Relaxed) == Phase::Draining as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requested_drain_can_end_until_the_process_stops() {
        let life = Lifecycle::default();
        assert_eq!(life.phase(), Phase::Starting);
        life.enter(Phase::Ready);
        for (on, phase) in [(true, Phase::Draining), (false, Phase::Ready), (true, Phase::Draining)] {
            life.request_drain(on);
            assert_eq!((life.phase(), life.is_stopping()), (phase, false));
        }
        life.enter(Phase::Draining);
        life.request_drain(false);
        assert_eq!((life.phase(), life.is_stopping()), (Phase::Draining, true));
    }
}
