//! The targets with the series of the rule under test, and whether they are scraped often enough for it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::context::Context;
use crate::error::DrillError;
use crate::rule::RuleUnderTest;
use crate::rule::ranges::{Apart, Scrapes};
use crate::run::spacing;
use crate::timing::clock::Deadline;
use clients::backend::Family;
use clients::prometheus::Target;

/// By selector, the jobs with its series; empty where that is not known.
pub async fn jobs(
    context: &Context<'_>,
    rule_under_test: &RuleUnderTest,
) -> Result<BTreeMap<String, BTreeSet<String>>, DrillError> {
    let mut jobs = BTreeMap::new();
    for selector in &rule_under_test.sources.selectors {
        let of_selector = if let Some(job) = &selector.job {
            [job.clone()].into()
        } else {
            let query = format!("count by (job) ({{__name__={:?}}})", selector.metric);
            let found = context.systems.prometheus.query(&query, None).await?;
            found.into_iter().filter_map(|series| series.labels.get("job").cloned()).collect()
        };
        jobs.insert(selector.text.clone(), of_selector);
    }
    Ok(jobs)
}

/// Why a range on the way to the rule may be too short for its samples, if one may.
///
/// # Errors
/// A range is so short that the rule never has a result.
pub async fn ranges_hold(
    context: &Context<'_>,
    rule_under_test: &RuleUnderTest,
    jobs_of: &BTreeMap<String, BTreeSet<String>>,
    scrapes: &BTreeMap<String, Scrapes>,
) -> Result<Option<String>, DrillError> {
    if context.systems.prometheus.family().await? == Family::VictoriaMetrics {
        return Ok(None); // its functions also read the last sample before the range
    }
    let closed = context.systems.prometheus.version().await.ok().flatten().is_none_or(|(major, _)| major < 3);
    let of = |selector: &String| {
        let known = jobs_of.get(selector)?.iter().filter_map(|job| scrapes.get(job).copied());
        known.reduce(|one, other| Scrapes {
            shortest: one.shortest.min(other.shortest),
            longest: one.longest.max(other.longest),
        })
    };
    let mut unsure = None;
    for ranged in &rule_under_test.sources.ranges {
        let known = if let Apart::Scraped(selector) = &ranged.apart { of(selector) } else { None };
        let Some(short) = ranged.short(known, closed) else { continue };
        if short.never {
            let alert = &rule_under_test.alert;
            return Err(DrillError::Rule(format!("{alert} never has a result: {}", short.reason)));
        }
        context.log.note(Timestamp::now(), short.reason.clone());
        unsure = unsure.or(Some(short.reason));
    }
    Ok(unsure)
}

/// Waits until the targets of these jobs (of all jobs if empty) have been scraped; returns the longest interval, and those of
/// each job. Where no target reports it, the interval is taken from the suite or from the samples.
pub async fn targets_up(
    context: &Context<'_>,
    rule_under_test: &RuleUnderTest,
    jobs: &BTreeSet<String>,
) -> Result<(Duration, BTreeMap<String, Scrapes>), DrillError> {
    let (mut deadline, mut pushed) = (None, None);
    loop {
        let targets = context.systems.prometheus.targets().await?;
        let has_jobs = targets.iter().any(|target| jobs.contains(&target.job));
        let of_rule: Vec<&Target> =
            targets.iter().filter(|target| !has_jobs || jobs.contains(&target.job)).collect();
        let reported = of_rule.iter().map(|target| target.scrape_interval).max().filter(|_| {
            (has_jobs || jobs.is_empty()) && of_rule.iter().all(|target| target.scrape_interval.is_some())
        });
        let interval = match (reported.flatten(), pushed) {
            (Some(interval), _) | (None, Some(interval)) => interval,
            (None, None) => {
                let found = spacing::interval(context, rule_under_test).await?;
                *pushed.insert(found)
            }
        };
        let Some(bad) = of_rule.iter().find(|target| target.health != "up") else {
            let mut scrapes = BTreeMap::new();
            for Target { job, scrape_interval, .. } in &targets {
                let Some(at) = scrape_interval else { continue };
                let known = scrapes.entry(job.clone()).or_insert(Scrapes { shortest: *at, longest: *at });
                (known.shortest, known.longest) = (known.shortest.min(*at), known.longest.max(*at));
            }
            return Ok((interval, scrapes));
        };
        let limit = interval * 2 + Duration::from_secs(5);
        if deadline.get_or_insert_with(|| Deadline::within(limit)).passed() {
            return Err(DrillError::Stack(format!(
                "target {} is {}: {}",
                bad.scrape_url, bad.health, bad.last_error
            )));
        }
        let what = format!("target {}", bad.scrape_url);
        context.wait(&what).await;
    }
}
