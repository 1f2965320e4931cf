//! How far apart samples are that nobody is known to scrape, such as those of a remote write.

use std::time::Duration;

use jiff::Timestamp;

use crate::context::Context;
use crate::error::DrillError;
use crate::rule::RuleUnderTest;
use crate::rule::graph::Selector;
use crate::timing::clock::{self, Deadline};
use clients::SystemError;
use clients::prometheus::Series;
use common::duration;

/// How far back samples are read.
const WINDOW: Duration = Duration::from_secs(600);
/// How long the age of the newest sample is watched, at least: some senders collect samples for five seconds.
const WATCHED: Duration = Duration::from_secs(12);

/// The longest time until a change of what the rule reads is stored: that of the suite file, or what the samples show.
///
/// # Errors
/// Neither says so, or the server does not respond.
pub async fn interval(
    context: &Context<'_>,
    rule_under_test: &RuleUnderTest,
) -> Result<Duration, DrillError> {
    if let Some(stated) = context.suite.scrape_interval {
        return Ok(stated.div_f64(context.scale));
    }
    let unknown = |what: &str| {
        DrillError::Stack(format!(
            "the scrape interval is unknown: no target reports it, and {what}; state `scrape_interval: 15s` in a suite file, \
             with the delay of the sender"
        ))
    };
    let selectors = &rule_under_test.sources.selectors;
    let mut longest = None;
    for selector in selectors {
        let found = of(context, selector).await?;
        let Some(found) = found else {
            return Err(unknown(&format!(
                "`{}` has no two samples in the last {}",
                selector.text,
                duration::format(WINDOW)
            )));
        };
        longest = longest.max(Some(found));
    }
    let Some(spacing) = longest else { return Err(unknown("the rule names no series")) };
    let mut interval = spacing;
    let deadline = Deadline::within(WATCHED.max(spacing * 2));
    while !deadline.passed() {
        for selector in selectors {
            interval = interval.max(age(context, selector).await?.unwrap_or_default());
        }
        context.wait("samples, to see how late they arrive").await;
    }
    // Whole seconds, as the age was looked at now and then only.
    let interval = Duration::from_secs(interval.as_secs() + 1);
    context.log.note(
        Timestamp::now(),
        format!(
            "no target reports its scrape interval: samples are {} apart and stored within {}",
            duration::format(spacing),
            duration::format(interval)
        ),
    );
    Ok(interval)
}

/// How far apart the samples of a selector are; if it has none yet, those of the metric.
async fn of(context: &Context<'_>, selector: &Selector) -> Result<Option<Duration>, SystemError> {
    for text in [selector.text.clone(), format!("{{__name__={:?}}}", selector.metric)] {
        let query = format!("{text}[{}]", duration::format(WINDOW));
        let series = context.systems.prometheus.query(&query, None).await?;
        if let Some(found) = series.iter().filter_map(typical).max() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The median distance of the samples of a series.
fn typical(series: &Series) -> Option<Duration> {
    let mut apart: Vec<f64> = series
        .samples
        .windows(2)
        .map(|two| clock::seconds(two[0].0, two[1].0))
        .filter(|it| *it > 0.0)
        .collect();
    apart.sort_by(f64::total_cmp);
    let median = *apart.get(apart.len() / 2)?;
    Some(Duration::from_secs_f64(median))
}

/// The age of the newest sample.
async fn age(context: &Context<'_>, selector: &Selector) -> Result<Option<Duration>, SystemError> {
    let query = format!("max(timestamp({{__name__={:?}}}))", selector.metric);
    let found = context.systems.prometheus.query(&query, None).await?;
    let now = Timestamp::now().as_millisecond() as f64 / 1000.0;
    let newest = found.iter().flat_map(|series| &series.samples).map(|(_, value)| *value).reduce(f64::max);
    Ok(newest.and_then(|newest| Duration::try_from_secs_f64(now - newest).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clients::prometheus::Labels;

    #[test]
    fn a_missing_sample_does_not_change_the_typical_distance() {
        let series = |seconds: &[f64]| Series {
            labels: Labels::new(),
            samples: seconds
                .iter()
                .map(|at| (Timestamp::from_millisecond((at * 1000.0) as i64).unwrap(), 1.0))
                .collect(),
        };
        for (seconds, expected) in [
            (&[0.0, 15.0, 30.0, 60.0, 75.0][..], Some(15_000)),
            (&[0.0, 14.9, 30.1, 45.0], Some(15_100)),
            (&[0.0, 1.0], Some(1_000)),
            (&[0.0], None),
            (&[], None),
        ] {
            let found = typical(&series(seconds)).map(|it| it.as_millis());
            assert!(
                found == expected || found.zip(expected).is_some_and(|(a, b)| a.abs_diff(b) < 300),
                "{seconds:?}: {found:?}"
            );
            assert_eq!(found.is_some(), expected.is_some(), "{seconds:?}");
        }
    }
}
