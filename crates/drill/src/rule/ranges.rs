//! Ranges that are too short for the samples in them, which no threshold or traffic can make up for.

use std::time::Duration;

use common::duration;
use promql::Read;

/// How far apart the samples of a range are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Apart {
    /// The scrape interval of the targets with this selector's series.
    Scraped(String),
    /// The interval of the group that records them.
    Recorded {
        /// The interval.
        interval: Duration,
        /// For a range of the same group: the exact age of the newest sample at each evaluation.
        newest: Option<Duration>,
        /// Length of the end of the range that is not visible yet, because of the groups' `query_offset`.
        unseen: Duration,
    },
    /// The step of a subquery.
    Step(Duration),
}

/// A range on the way to a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ranged {
    /// The function and its range, as `rate(x[5s])`.
    pub text: String,
    length: Duration,
    needs: u32,
    /// How far apart its samples are.
    pub apart: Apart,
    /// Whether the rule can have a result without it.
    optional: bool,
}

/// The scrape intervals of the targets with the series of a selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrapes {
    /// The shortest.
    pub shortest: Duration,
    /// The longest.
    pub longest: Duration,
}

/// A range that is too short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Short {
    /// Why, and what to do.
    pub reason: String,
    /// Whether the rule never has a result; if not, it may have none now and then.
    pub never: bool,
}

impl Ranged {
    /// The ranges of a read.
    pub fn all(read: &Read, apart: Apart, optional: bool) -> Vec<Self> {
        let ranged = |range: &promql::Range| Self {
            text: range.text.clone(),
            length: range.length,
            needs: range.needs,
            apart: range.step.map_or_else(|| apart.clone(), Apart::Step),
            optional,
        };
        read.ranges.iter().map(ranged).collect()
    }

    /// The same for a rule that is read by another, which may have a result without it.
    #[must_use]
    pub fn within(self, optional: bool) -> Self {
        Self { optional: self.optional || optional, ..self }
    }

    /// Why the range is too short, if it is; `scrapes` are those of its selector, and `None` where they are not known.
    /// Prometheus 2 counts a sample at the start of a range (`closed`), Prometheus 3 does not.
    #[must_use]
    pub fn short(&self, scrapes: Option<Scrapes>, closed: bool) -> Option<Short> {
        // How far apart, how much of the end is empty, and the minimum and maximum number of samples.
        let (apart, empty, (min, max)) = match self.apart {
            Apart::Scraped(_) => {
                let Scrapes { shortest, longest } = scrapes?;
                let (min, max) = (anywhere(self.length, longest).0, anywhere(self.length, shortest).1);
                (longest, Duration::ZERO, (min, max))
            }
            Apart::Recorded { interval, newest: Some(newest), .. } => {
                let count = at(self.length, interval, newest, closed);
                (interval, newest, (count, count))
            }
            Apart::Recorded { interval, newest: None, unseen } => {
                (interval, unseen, anywhere(self.length.saturating_sub(unseen), interval))
            }
            Apart::Step(step) => (step, Duration::ZERO, anywhere(self.length, step)),
        };
        let needs = u128::from(self.needs);
        (min < needs && !apart.is_zero()).then(|| {
            let enough = duration::format(apart * self.needs + empty);
            let (text, length, apart) = (&self.text, duration::format(self.length), duration::format(apart));
            let samples = if self.needs == 1 { "a sample" } else { "two samples" };
            let holds = if max < needs { "never has that many" } else { "does not always have that many" };
            let reason = format!(
                "`{text}` needs {samples}, but a range of {length} {holds}, because they are {apart} apart: use a range \
                 of {enough} or longer"
            );
            Short { reason, never: max < needs && !self.optional }
        })
    }
}

/// The minimum and maximum number of samples `apart` in a range of this `length`, wherever the samples are. A sample at
/// the very start of the range is ignored: neither scrapes nor evaluations of two groups are that exact.
fn anywhere(length: Duration, apart: Duration) -> (u128, u128) {
    let (length, apart) = (length.as_nanos(), apart.as_nanos().max(1));
    (length / apart, length.div_ceil(apart))
}

/// The number of samples in a range whose newest is `newest` before its end.
fn at(length: Duration, apart: Duration, newest: Duration, closed: bool) -> u128 {
    let Some(rest) = length.checked_sub(newest) else { return 0 };
    let (rest, apart) = (rest.as_nanos(), apart.as_nanos().max(1));
    if closed { rest / apart + 1 } else { rest.div_ceil(apart) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn of(expr: &str, apart: Apart) -> Ranged {
        let reads = promql::reads(expr, s(60)).unwrap();
        Ranged::all(&reads[0], apart, reads[0].optional).remove(0)
    }

    /// `Some` if the range is too short: whether it never has enough samples.
    fn short(expr: &str, apart: Apart, scrape: (u64, u64), closed: bool) -> Option<bool> {
        let scrapes = Scrapes { shortest: s(scrape.0), longest: s(scrape.1) };
        of(expr, apart).short(Some(scrapes), closed).map(|short| short.never)
    }

    #[test]
    fn a_scraped_range_needs_as_many_intervals_as_samples() {
        for (expr, scrape, expected) in [
            ("rate(x[5s])", (5, 5), Some(true)),
            ("rate(x[4s])", (5, 5), Some(true)),
            ("rate(x[9s])", (5, 5), Some(false)),
            ("rate(x[10s])", (5, 5), None),
            ("rate(x[10s])", (5, 15), Some(false)),
            ("max_over_time(x[5s])", (5, 5), None),
            ("max_over_time(x[4s])", (5, 5), Some(false)),
            ("rate(x[5s]) or y", (5, 5), Some(false)),
            ("rate(x[1m:1m])", (5, 5), Some(true)),
            ("rate(x[2m:1m])", (5, 5), None),
        ] {
            for closed in [true, false] {
                assert_eq!(
                    short(expr, Apart::Scraped("x".into()), scrape, closed),
                    expected,
                    "{expr} {scrape:?}"
                );
            }
        }
        assert_eq!(of("rate(x[5s])", Apart::Scraped("x".into())).short(None, true), None, "unknown");
    }

    #[test]
    fn the_start_of_a_range_counts_in_prometheus_2_only() {
        let recorded = |newest| Apart::Recorded { interval: s(5), newest, unseen: s(0) };
        let before = recorded(Some(s(0)));
        for (expr, apart, closed, open) in [
            ("rate(x[5s])", before.clone(), None, Some(true)),
            ("rate(x[6s])", before, None, None),
            ("rate(x[10s])", recorded(Some(s(5))), None, Some(true)),
            ("rate(x[9s])", recorded(Some(s(5))), Some(true), Some(true)),
            ("max_over_time(x[4s])", recorded(Some(s(5))), Some(true), Some(true)),
            ("rate(x[5s])", recorded(None), Some(true), Some(true)),
            ("rate(x[11s])", recorded(None), None, None),
            (
                "rate(x[11s])",
                Apart::Recorded { interval: s(5), newest: None, unseen: s(3) },
                Some(false),
                Some(false),
            ),
        ] {
            assert_eq!(short(expr, apart.clone(), (1, 1), true), closed, "closed: {expr} {apart:?}");
            assert_eq!(short(expr, apart.clone(), (1, 1), false), open, "left-open: {expr} {apart:?}");
        }
    }

    #[test]
    fn the_reason_names_the_range_and_the_way_out() {
        let scrapes = Scrapes { shortest: s(5), longest: s(5) };
        let short = of("rate(x[5s])", Apart::Scraped("x".into())).short(Some(scrapes), true).unwrap();
        assert_eq!(
            short.reason,
            "`rate(x[5s])` needs two samples, but a range of 5s never has that many, because they are 5s apart: use a range \
             of 10s or longer"
        );
    }
}
