//! The baseline: healthy traffic until rates are steady, so that the effect of the cause stands out.

use crate::error::DrillError;
use crate::observe::arrivals::Arrivals;
use crate::observe::watch::Watch;
use crate::record::event::Event;
use crate::record::expectation::Expectation;
use crate::timing::clock::readable;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use crate::causes::traffic::Load;
use crate::context::Context;
use crate::record::stage::Stage;
use crate::rule::RuleUnderTest;
use crate::run::{isolation, quiet};
use crate::timing::bounds;
use crate::timing::clock::Deadline;
use load::engine::{self, Counts, Running};

/// Number of consecutive seconds at the stated rate that count as steady.
const STEADY_SECONDS: u32 = 2;
/// Required scrapes of every target since the baseline began: a rate needs two, and the first may have come too early.
const SCRAPES: usize = 3;

/// Whether the number of responses matches the rate: within a tenth, or within one request, since whole requests are
/// counted.
#[must_use]
pub fn near(responses: u64, seconds: f64, rate: f64) -> bool {
    let due = rate * seconds;
    (responses as f64 - due).abs() <= (due * 0.1).max(1.0)
}

/// The baseline in effect, and the watch that observes it.
#[derive(Debug)]
pub struct Steady<'a> {
    /// The traffic, if the drill has any.
    pub running: Option<Running>,
    /// The watch, which began with the baseline.
    pub watch: Watch<'a>,
}

/// Starts the baseline and waits until it is steady.
///
/// # Errors
/// The baseline did not become steady, or the systems failed.
pub async fn baseline<'a>(
    context: &'a Context<'a>,
    expectation: &Expectation,
) -> Result<Steady<'a>, DrillError> {
    let arrivals = Arrivals::after(&context.systems.position().await?);
    let started = Timestamp::now();
    context.log.append(Event::Baseline(started));
    let mut since = started;
    let running = match &expectation.rule_under_test {
        _ if context.drill.proves.stops => None,
        None => paced(context, started).await?,
        Some(rule_under_test) => {
            let running = steady(context, rule_under_test, expectation, started).await?;
            // Baseline traffic may have ended an activation (such as of an alert on its absence), which is not the one to follow.
            if quiet::forgotten(context, rule_under_test, expectation.group_interval()).await? {
                since = Timestamp::now();
            }
            // Other alerts may have come and gone while the baseline became steady.
            isolation::settled(context, rule_under_test, expectation).await?;
            running
        }
    };
    let mut watch = Watch::new(context, expectation.clone(), (started, since), arrivals);
    watch.count().await;
    Ok(Steady { running, watch })
}

/// Starts the traffic and records it in the log.
fn start(context: &Context<'_>) -> Result<Option<Running>, DrillError> {
    let Some(load) = &context.drill.baseline else { return Ok(None) };
    let running = engine::start_endless(context.target(), load)
        .map_err(|error| DrillError::Cause(error.to_string()))?;
    context.log.append(Event::Traffic(Load::Baseline, running.series()));
    Ok(Some(running))
}

/// Waits until the rate is reached, the targets are scraped and the rule is evaluated.
async fn steady(
    context: &Context<'_>,
    rule_under_test: &RuleUnderTest,
    expectation: &Expectation,
    started: Timestamp,
) -> Result<Option<Running>, DrillError> {
    context.enter(Stage::Baseline, started);
    let running = start(context)?;
    let (inputs, jobs) = (expectation.inputs, &expectation.jobs);
    let interval = inputs.map_or(Duration::from_secs(15), |inputs| inputs.scrape);
    let least = inputs.as_ref().filter(|_| context.drill.baseline.is_some()).map(bounds::baseline);
    let least = least.unwrap_or_default();
    let limit = interval * 6 + rule_under_test.evaluation * 3 + least + Duration::from_secs(20);
    let deadline = Deadline::after(started, limit);
    let mut pace = context
        .drill
        .baseline
        .as_ref()
        .zip(running.as_ref())
        .map(|(load, running)| Pace::new(running.counts(), load.rate.per_second()));
    let mut scrapes: BTreeMap<String, BTreeSet<Timestamp>> = BTreeMap::new();
    let mut scraped_at = None;
    let filled = Deadline::after(started, least);
    let pushed = Deadline::after(started, interval * u32::try_from(SCRAPES).unwrap_or(u32::MAX));
    loop {
        if let (Some(pace), Some(running)) = (&mut pace, &running) {
            pace.look(running.counts());
        }
        let waiting = if let Some(pace) = pace.as_ref().filter(|pace| pace.good < STEADY_SECONDS) {
            Some(format!("baseline traffic is not steady: {}", pace.message))
        } else if scraped_at.is_none() {
            match context.systems.prometheus.targets().await {
                Err(error) => Some(error.to_string()),
                Ok(targets) => {
                    let mut known = targets
                        .iter()
                        .filter(|target| jobs.is_empty() || jobs.contains(&target.job))
                        .peekable();
                    // Nobody is known to scrape: samples arrive by themselves.
                    let pushed = known.peek().is_none() && !pushed.passed();
                    for target in known {
                        let seen = scrapes.entry(target.scrape_url.clone()).or_default();
                        seen.extend(target.last_scrape.filter(|at| *at > started));
                    }
                    let slowest = scrapes.iter().min_by_key(|(_, seen)| seen.len());
                    match slowest {
                        _ if pushed => Some("samples of the baseline may not be stored yet".to_owned()),
                        Some((url, seen)) if seen.len() < SCRAPES => Some(format!(
                            "{url} was scraped {} of {SCRAPES} times during the baseline",
                            seen.len()
                        )),
                        _ => {
                            scraped_at = Some(Timestamp::now());
                            Some("the rule was not evaluated during the baseline".to_owned())
                        }
                    }
                }
            }
        } else {
            evaluated(context, rule_under_test, scraped_at).await
        };
        let waiting = waiting.or_else(|| {
            (!filled.passed())
                .then(|| "the rule's window still contains traffic from before the baseline".to_owned())
        });
        context.log.append(Event::Waiting(waiting.clone()));
        let Some(waiting) = waiting else { return Ok(running) };
        if deadline.passed() {
            return Err(DrillError::Stack(format!("{waiting} (waited {})", readable(limit.as_secs_f64()))));
        }
        sleep(Duration::from_millis(250)).await;
    }
}

/// Waits until the rate of a negative control's baseline is reached.
async fn paced(context: &Context<'_>, started: Timestamp) -> Result<Option<Running>, DrillError> {
    context.enter(Stage::Baseline, started);
    let (Some(load), Some(running)) = (&context.drill.baseline, start(context)?) else { return Ok(None) };
    let mut pace = Pace::new(running.counts(), load.rate.per_second());
    let deadline = Deadline::within(Duration::from_secs(30));
    loop {
        pace.look(running.counts());
        if pace.good >= STEADY_SECONDS {
            return Ok(Some(running));
        }
        if deadline.passed() {
            return Err(DrillError::Stack(format!("baseline traffic is not steady: {}", pace.message)));
        }
        sleep(Duration::from_millis(250)).await;
    }
}

/// What is still missing: an evaluation after `since` with the alert inactive.
async fn evaluated(
    context: &Context<'_>,
    rule_under_test: &RuleUnderTest,
    since: Option<Timestamp>,
) -> Option<String> {
    let rules = match context.systems.prometheus.rules().await {
        Ok(rules) => rules,
        Err(error) => return Some(error.to_string()),
    };
    let Some((rule, alerting)) = rule_under_test.loaded(&rules) else {
        return Some(format!("the rule `{}` is no longer loaded", rule_under_test.alert));
    };
    if let Some(failure) = rule_under_test.failure(&rules) {
        return Some(failure);
    }
    if rule.last_evaluation <= since {
        return Some("the rule was not evaluated during the baseline".to_owned());
    }
    let active = alerting.alerts.iter().find(|alert| rule_under_test.owns(&alert.labels))?;
    Some(format!("{} is {} during the baseline, before the cause", rule_under_test.alert, active.state))
}

/// Whether the responses are healthy: nine in ten with a status the drill expects.
fn healthy(unexpected: u64, responses: u64) -> bool {
    unexpected as f64 <= responses as f64 * 0.1
}

/// Responses second by second.
struct Pace {
    rate: f64,
    responses: u64,
    unexpected: u64,
    since: Instant,
    good: u32,
    message: String,
}

impl Pace {
    fn new(counts: Counts, rate: f64) -> Self {
        let responses = counts.expected + counts.unexpected;
        let message = format!("no responses yet, expected {rate} per second");
        Self { rate, responses, unexpected: counts.unexpected, since: Instant::now(), good: 0, message }
    }

    fn look(&mut self, counts: Counts) {
        let seconds = self.since.elapsed().as_secs_f64();
        if seconds < 1.0 {
            return;
        }
        let responses = counts.expected + counts.unexpected;
        let fresh = responses - self.responses;
        let odd = counts.unexpected - self.unexpected;
        let good = near(fresh, seconds, self.rate) && healthy(odd, fresh);
        self.good = if good { self.good + 1 } else { 0 };
        self.message = format!(
            "{:.1} of {} responses per second, {odd} of {fresh} with an unexpected status, {} transport errors, \
             {} requests not sent by the generator",
            fresh as f64 / seconds,
            self.rate,
            counts.transport_errors,
            counts.local_errors + counts.shed
        );
        (self.responses, self.unexpected, self.since) = (responses, counts.unexpected, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_a_baseline_of_errors() {
        for (unexpected, responses, expected) in
            [(0, 0, true), (4, 40, true), (5, 40, false), (40, 40, false)]
        {
            assert_eq!(healthy(unexpected, responses), expected, "{unexpected} of {responses}");
        }
    }

    #[test]
    fn a_second_of_errors_is_not_steady_and_is_reported() {
        let counts = |expected, unexpected| Counts { expected, unexpected, ..Counts::default() };
        let mut pace = Pace::new(counts(0, 0), 40.0);
        for (expected, unexpected, good, message) in [
            (40, 0, 1, "0 of 40 with an unexpected status"),
            (80, 0, 2, "0 of 40 with"),
            (80, 40, 0, "40 of 40 with an unexpected status"),
            (119, 41, 1, "1 of 40 with"),
        ] {
            pace.since -= Duration::from_secs(1); // simulates the elapsed time
            pace.look(counts(expected, unexpected));
            assert_eq!(pace.good, good, "{}", pace.message);
            assert!(pace.message.contains(message), "{}", pace.message);
        }
    }

    #[test]
    fn near_allows_a_tenth_or_one_request() {
        for (responses, seconds, rate, expected) in [
            (40, 1.0, 40.0, true),
            (36, 1.0, 40.0, true),
            (35, 1.0, 40.0, false),
            (45, 1.0, 40.0, false),
            (48, 1.2, 40.0, true),
            (0, 1.0, 0.5, true),
            (1, 1.0, 0.5, true),
            (2, 1.0, 0.5, false),
            (0, 1.0, 40.0, false),
        ] {
            assert_eq!(near(responses, seconds, rate), expected, "{responses} in {seconds} s at {rate}/s");
        }
    }
}
