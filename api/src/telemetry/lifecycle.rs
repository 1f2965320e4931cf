//! Where the process is in its life, for `/readyz` and for answers given while draining.

use std::sync::atomic::{AtomicU8, Ordering};

/// A process's phases, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not ready for traffic yet.
    Starting,
    /// Serving.
    Ready,
    /// Serving, but about to stop: send no new traffic.
    Draining,
}

/// The current phase, shared by all workers.
#[derive(Debug, Default)]
pub struct Lifecycle(AtomicU8);

impl Lifecycle {
    /// The current phase.
    pub fn phase(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            _ => Phase::Draining,
        }
    }

    /// Moves to a phase.
    pub fn enter(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }
}
