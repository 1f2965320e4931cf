//! One row of the table.

use crate::{MEMORY, fault::Fault, load::Window, world::Kind};
use std::{fmt, time::Duration};

pub struct Row {
    kind: Kind,
    fault: Fault,
    lost: usize,
    wrong: Option<String>,
    requests: usize,
    server_errors: usize,
    refused: usize,
    unanswered: usize,
    p99: Duration,
    recovered: Option<Duration>,
    peak: u64,
}

impl Row {
    pub const HEAD: &str = "| database | fault | answered writes lost | requests | 5xx | refused | without response | p99 | recovered after | memory peak | counters |\n\
        | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |";

    pub fn new(
        kind: Kind,
        fault: Fault,
        window: &Window<'_>,
        lost: usize,
        wrong: Option<String>,
        recovered: anyhow::Result<Duration>,
        peak: u64,
    ) -> Self {
        Self {
            kind,
            fault,
            lost,
            wrong,
            requests: window.requests(),
            server_errors: window.server_errors(),
            refused: window.refused(),
            unanswered: window.unanswered(),
            p99: window.p99(),
            recovered: recovered.ok(),
            peak,
        }
    }

    pub fn is_good(&self) -> bool {
        self.lost == 0 && self.wrong.is_none() && self.recovered.is_some() && self.peak < MEMORY
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recovered =
            self.recovered.map_or_else(|| "not".to_owned(), |took| format!("{:.2} s", took.as_secs_f64()));
        write!(
            f,
            "| {} | {} | {} | {} | {} | {} | {} | {} ms | {recovered} | {} MiB | {} |",
            self.kind,
            self.fault,
            self.lost,
            self.requests,
            self.server_errors,
            self.refused,
            self.unanswered,
            self.p99.as_millis(),
            self.peak >> 20,
            self.wrong.as_deref().unwrap_or("right"),
        )
    }
}
