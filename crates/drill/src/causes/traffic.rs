//! The traffic of a drill, baseline and cause, as counted by the engine second by second.

use jiff::Timestamp;

use crate::timing::clock::{self, seconds};
use load::record::Row;
use load::record::series::Series;

/// What a drill sent, and the outcomes.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    followed: Vec<(Load, Series)>,
    stretches: Vec<Stretch>,
}

/// The purpose of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Healthy traffic.
    Baseline,
    /// Traffic of the cause.
    Cause,
}

/// One load from its start to its end.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// The purpose of the load.
    pub load: Load,
    /// When the load began.
    pub began: Timestamp,
    /// Seconds in which requests were sent; `None` when the load was cut off.
    pub played: Option<f64>,
    /// Outcomes of the requests, row by row.
    pub rows: Vec<Row>,
    /// Seconds that each row covers.
    pub step: u32,
}

/// Responses per second in one interval.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rate {
    /// Start of the interval, in seconds from the origin.
    pub from: f64,
    /// End of the interval, in seconds from the origin.
    pub to: f64,
    /// Responses of the baseline with an expected status.
    pub baseline: f64,
    /// Responses of the cause with an expected status; an error that the cause requests is expected.
    pub cause: f64,
    /// Responses with another status.
    pub unexpected: f64,
    /// Requests without a response: transport errors, local errors and shed arrivals.
    pub without_response: f64,
}

impl Rate {
    /// The sum of all four rates.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.baseline + self.cause + self.unexpected + self.without_response
    }
}

impl Traffic {
    /// Adds a load that has just begun.
    pub fn follow(&mut self, load: Load, series: Series) {
        self.followed.push((load, series));
    }

    /// All loads so far.
    fn stretches(&self) -> Vec<Stretch> {
        let stretch = |(load, series): &(Load, Series)| {
            let (rows, step) = series.rows();
            let played = series.played().map(|played| played.as_secs_f64());
            Stretch { load: *load, began: series.started(), played, rows, step }
        };
        self.stretches.iter().cloned().chain(self.followed.iter().map(stretch)).collect()
    }

    /// Traffic of these loads.
    #[must_use]
    pub fn of(stretches: Vec<Stretch>) -> Self {
        Self { followed: Vec::new(), stretches }
    }

    /// When the last load ended.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        ends(&self.stretches())
    }

    /// Rates over `step` seconds each, from `origin` on, of all loads together. An incomplete interval of less than half a
    /// step at the end is omitted, since it would give no reliable rate. Empty when nothing was sent.
    #[must_use]
    pub fn rates(&self, origin: Timestamp, step: f64) -> Vec<Rate> {
        let stretches = self.stretches();
        let Some(end) = ends(&stretches).map(|end| seconds(origin, end)) else { return Vec::new() };
        let whole = (end / step + 0.5).floor().max(0.0) as u32;
        let rate = |index: u32| {
            let from = f64::from(index) * step;
            Rate { from, to: (from + step).min(end), ..Rate::default() }
        };
        let mut rates: Vec<Rate> = (0..whole).map(rate).collect();
        let spans = stretches.iter().flat_map(|stretch| stretch.spans().map(|span| (stretch.load, span)));
        for (load, (row, began, ended)) in spans {
            let (began, ended) = (seconds(origin, began), seconds(origin, ended));
            let first = (began / step).floor().max(0.0) as usize;
            for rate in rates.iter_mut().skip(first).take_while(|rate| rate.from < ended) {
                let shared = (ended.min(rate.to) - began.max(rate.from)).max(0.0);
                // The responses of the row that fall into this interval, per second.
                let part = shared / (ended - began) / (rate.to - rate.from);
                let expected = match load {
                    Load::Baseline => &mut rate.baseline,
                    Load::Cause => &mut rate.cause,
                };
                *expected += f64::from(row.expected) * part;
                rate.unexpected += f64::from(row.unexpected) * part;
                rate.without_response += f64::from(row.errors.saturating_add(row.shed)) * part;
            }
        }
        rates
    }
}

fn ends(stretches: &[Stretch]) -> Option<Timestamp> {
    stretches.iter().flat_map(|stretch| stretch.spans().map(|(_, _, to)| to)).max()
}

impl Stretch {
    /// Each row with its start and end; the last one ends when sending stopped. Rows without events are absent, so late
    /// responses after the end form rows of their own.
    fn spans(&self) -> impl Iterator<Item = (&Row, Timestamp, Timestamp)> {
        self.rows.iter().map(|row| {
            let from = f64::from(row.second);
            let whole = from + f64::from(self.step.max(1));
            let to = self.played.filter(|played| *played > from).map_or(whole, |played| whole.min(played));
            (row, self.at(from), self.at(to.max(from + 0.001)))
        })
    }

    fn at(&self, seconds: f64) -> Timestamp {
        clock::after(self.began, std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::table::tests::at;

    fn stretch(load: Load, began: f64, played: f64, counts: &[(u32, u32)]) -> Stretch {
        let row = |(second, (expected, unexpected)): (usize, &(u32, u32))| Row {
            second: second as u32,
            expected: *expected,
            unexpected: *unexpected,
            ..Row::default()
        };
        let rows = counts.iter().enumerate().map(row).collect();
        Stretch { load, began: at(began), played: Some(played), rows, step: 1 }
    }

    #[test]
    fn rates_are_steady_when_the_cause_replaces_the_baseline() {
        // 40/s, replaced in the middle of a second: 16 + 24 responses in it.
        let traffic = Traffic::of(vec![
            stretch(Load::Baseline, 0.0, 2.4, &[(40, 0), (40, 0), (16, 0)]),
            stretch(Load::Cause, 2.4, 2.6, &[(30, 10), (30, 10), (18, 6)]),
        ]);
        let rates = traffic.rates(at(0.0), 1.0);
        let wanted =
            [(40.0, 0.0, 0.0), (40.0, 0.0, 0.0), (16.0, 18.0, 6.0), (0.0, 30.0, 10.0), (0.0, 30.0, 10.0)];
        assert_eq!(rates.len(), wanted.len());
        for (rate, (baseline, cause, unexpected)) in rates.iter().zip(wanted) {
            let off = [rate.baseline - baseline, rate.cause - cause, rate.unexpected - unexpected];
            assert!(
                off.iter().all(|off| off.abs() < 0.01) && (rate.total() - 40.0).abs() < 0.01,
                "{rates:?}"
            );
        }
        assert_eq!(traffic.end(), Some(at(5.0)));
    }

    #[test]
    fn averages_wide_steps_and_omits_a_short_rest() {
        let counts = [(10, 0), (20, 0), (30, 0), (40, 0), (11, 0), (1, 0)];
        let rates = |played: f64, rows: usize| -> Vec<f64> {
            let traffic = Traffic::of(vec![stretch(Load::Baseline, 1.0, played, &counts[..rows])]);
            traffic.rates(at(1.0), 2.0).iter().map(|rate| rate.baseline.round()).collect()
        };
        assert_eq!(rates(5.2, 6), [15.0, 35.0, 10.0], "1.2 s are at least half a step");
        assert_eq!(rates(4.4, 5), [15.0, 35.0], "0.4 s are not");
    }

    #[test]
    fn counts_requests_without_response() {
        let mut without = stretch(Load::Cause, 0.0, 1.0, &[(0, 0)]);
        (without.rows[0].errors, without.rows[0].shed) = (3, 2);
        let rates = Traffic::of(vec![without]).rates(at(0.0), 1.0);
        assert_eq!((rates.len(), rates[0].without_response, rates[0].total()), (1, 5.0, 5.0));
        assert!(Traffic::default().rates(at(0.0), 1.0).is_empty());
    }
}
