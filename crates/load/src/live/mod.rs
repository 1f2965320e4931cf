//! Progress of a run: a live view on a terminal, one plain line per second elsewhere.

pub mod exposition;
pub mod screen;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::{Counts, Running};
use crate::format;
use crate::live::screen::Screen;
use crate::record::Row;
use crate::schedule::pace::Pace;
use crate::wire::error::Fault;
use common::duration;

/// A snapshot of a running load.
#[derive(Debug, Clone)]
pub struct View {
    /// Pattern and target.
    pub title: String,
    /// Time since the start.
    pub elapsed: Duration,
    /// Duration of the schedule, if it ends.
    pub planned: Option<Duration>,
    /// The last complete row and its length in seconds.
    pub row: Option<(Row, u32)>,
    /// Target rate in that row; none in a closed loop.
    pub target_rate: Option<f64>,
    /// Total counts.
    pub counts: Counts,
    /// Responses by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Errors by kind.
    pub faults: BTreeMap<Fault, u64>,
}

impl View {
    /// A snapshot of a run.
    #[must_use]
    pub fn of(running: &Running, title: &str) -> Self {
        let elapsed = running.elapsed();
        let row = running.last_row();
        let pace = &running.plan().pace;
        // The rate of the row's seconds, as the row is shown beside it: on a ramp, the current rate differs.
        let target_rate = match (pace, row) {
            (_, Some((row, step))) => pace.planned_rate(row.second, step),
            (Pace::Open { schedule, .. }, None) => Some(schedule.rate_at(elapsed.as_secs_f64())),
            (Pace::Closed { .. }, None) => None,
        };
        Self {
            title: title.to_owned(),
            elapsed,
            planned: running.plan().pace.planned_end(),
            target_rate,
            row,
            counts: running.counts(),
            statuses: running.statuses(),
            faults: running.faults(),
        }
    }

    fn sent(&self) -> Option<f64> {
        self.row.map(|(row, step)| f64::from(row.sent) / f64::from(step.max(1)))
    }

    fn percentiles(&self) -> [(&'static str, String); 4] {
        let of =
            |pick: fn(&Row) -> u32| format::latency(self.row.and_then(|(row, _)| Row::seconds(pick(&row))));
        [
            ("p50", of(|row| row.response_p50)),
            ("p95", of(|row| row.response_p95)),
            ("p99", of(|row| row.response_p99)),
            ("lag p99", of(|row| row.pacer_lag_p99)),
        ]
    }

    /// The live view, in lines of at most `width` characters.
    #[must_use]
    pub fn lines(&self, width: usize) -> Vec<String> {
        let rate = |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), format::rate);
        let [p50, p95, p99, lag] = self.percentiles().map(|(_, value)| value);
        let counts = &self.counts;
        let errors = counts.transport_errors + counts.local_errors;
        let lines = [
            self.headline(width),
            self.bar(width),
            format!(
                "rate      {:>9} target {:>9} sent     in flight {}",
                rate(self.target_rate),
                rate(self.sent()),
                format::count(counts.in_flight)
            ),
            format!("response  {p50:>9} p50   {p95:>9} p95   {p99:>9} p99   in the last second"),
            format!("pacer lag {lag:>9} p99"),
            format!("statuses  {}", format::statuses(&self.statuses)),
            format!(
                "errors    {}   unexpected {}   shed {}{}",
                format::count(errors),
                format::count(counts.unexpected),
                format::count(counts.shed),
                if errors > 0 {
                    format!("   ({})", format::faults(self.faults.clone()))
                } else {
                    String::new()
                }
            ),
        ];
        lines.into_iter().map(|line| line.chars().take(width).collect()).collect()
    }

    /// The title and the clock. The title is truncated to fit.
    fn headline(&self, width: usize) -> String {
        let clock = self.clock();
        let room = width.saturating_sub(clock.chars().count() + 2);
        if self.title.chars().count() <= room {
            return format!("{}  {clock}", self.title);
        }
        let title: String = self.title.chars().take(room.saturating_sub(1)).collect();
        format!("{title}…  {clock}")
    }

    fn clock(&self) -> String {
        let whole = |time: Duration| duration::format(Duration::from_secs(time.as_secs()));
        match self.planned {
            Some(planned) if self.elapsed < planned => {
                let left = Duration::from_secs_f64((planned - self.elapsed).as_secs_f64().ceil());
                format!("{} of {}, {} left", whole(self.elapsed), whole(planned), whole(left))
            }
            Some(_) => "waiting for the last responses".to_owned(),
            None => whole(self.elapsed),
        }
    }

    fn bar(&self, width: usize) -> String {
        let Some(planned) = self.planned.filter(|planned| !planned.is_zero()) else { return String::new() };
        let room = width.clamp(2, 80) - 2;
        let done = (self.elapsed.as_secs_f64() / planned.as_secs_f64()).min(1.0) * room as f64;
        let done = done as usize;
        format!("[{}{}]", "#".repeat(done), "-".repeat(room - done))
    }

    /// The last complete row in one line.
    #[must_use]
    pub fn plain(&self) -> String {
        let counts = &self.counts;
        let second = self.row.map_or(0, |(row, step)| row.second + step);
        let target = self.target_rate.map(|rate| format!(" of {}", format::rate(rate))).unwrap_or_default();
        let [p50, p95, p99, lag] = self.percentiles().map(|(name, value)| format!("{name} {value}"));
        let mut line = format!(
            "{second:>4}s  {}{target}  {p50} {p95} {p99}  {lag}  in flight {}  {}",
            format::rate(self.sent().unwrap_or(0.0)),
            format::count(counts.in_flight),
            format::statuses(&self.statuses),
        );
        let errors = counts.transport_errors + counts.local_errors;
        for (number, what) in [(counts.unexpected, "unexpected"), (errors, "errors"), (counts.shed, "shed")] {
            if number > 0 {
                line.push_str(&format!("  {what} {}", format::count(number)));
            }
        }
        line
    }
}

/// Prints the progress.
#[derive(Debug)]
pub struct Progress {
    screen: Screen,
    /// The second of the last plain line.
    last_shown: Option<u32>,
}

impl Progress {
    /// A live view when standard error is a terminal and `plain` is false.
    #[must_use]
    pub fn new(plain: bool) -> Self {
        Self { screen: Screen::new(plain), last_shown: None }
    }

    /// Shows the view if it is new.
    pub fn show(&mut self, view: &View) {
        if self.screen.is_live() {
            self.screen.draw(&view.lines(self.screen.size().0));
        } else if self.has_news(view.row) {
            self.last_shown = view.row.map(|(row, _)| row.second);
            self.screen.say(&view.plain());
        }
    }

    /// Whether a view with this last row would be shown: always on a terminal, else once per row.
    #[must_use]
    pub fn has_news(&self, row: Option<(Row, u32)>) -> bool {
        self.screen.is_live() || row.is_some_and(|(row, _)| self.last_shown != Some(row.second))
    }

    /// Prints a message above the view.
    pub fn say(&self, message: &str) {
        self.screen.say(message);
    }

    /// Removes the view.
    pub fn end(&self) {
        self.screen.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> View {
        let row = Row {
            second: 11,
            sent: 40,
            response_p50: 1_230,
            response_p95: 4_500,
            response_p99: 12_000,
            pacer_lag_p99: 80,
            ..Row::default()
        };
        View {
            title: "error-storm · http://127.0.0.1:8000".into(),
            elapsed: Duration::from_millis(12_300),
            planned: Some(Duration::from_secs(420)),
            target_rate: Some(40.0),
            row: Some((row, 1)),
            counts: Counts { scheduled: 492, expected: 489, in_flight: 3, ..Counts::default() },
            statuses: [(200, 450), (500, 39)].into(),
            faults: BTreeMap::new(),
        }
    }

    #[test]
    fn live_view_fits_80_columns() {
        let lines = view().lines(79);
        let text = lines.join("\n");
        for words in [
            "12s of 7m, 6m48s left",
            "40.0/s target",
            "40.0/s sent",
            "in flight 3",
            "1.23ms p50",
            "12.0ms p99",
            "0.08ms p99",
            "200: 450 · 500: 39",
            "errors    0   unexpected 0   shed 0",
        ] {
            assert!(text.contains(words), "{words} is not in\n{text}");
        }
        assert!(lines.iter().all(|line| line.chars().count() <= 79), "{text}");
    }

    #[test]
    fn live_view_never_exceeds_the_terminal() {
        let mut view = view();
        view.title = "x".repeat(200);
        view.faults = Fault::ALL.into_iter().map(|fault| (fault, u64::MAX)).collect();
        view.counts.transport_errors = u64::MAX / 2;
        view.elapsed = Duration::from_secs(9_999);
        for width in [19, 40, 79, 200] {
            let lines = view.lines(width);
            assert!(lines.iter().all(|line| line.chars().count() <= width), "{width}: {lines:?}");
            assert_eq!(lines.len(), 7);
        }
        assert!(view.lines(79)[0].ends_with("x…  waiting for the last responses"), "{}", view.lines(79)[0]);
    }

    #[test]
    fn formats_the_plain_line() {
        assert_eq!(
            view().plain(),
            "  12s  40.0/s of 40.0/s  p50 1.23ms p95 4.50ms p99 12.0ms  lag p99 0.08ms  in flight 3  200: 450 · 500: 39"
        );
    }
}
