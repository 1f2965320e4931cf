//! Is everything there, and quiet? Otherwise the drill is refused before any traffic.

use crate::context::wait;
use crate::observe::expected::plan;
use crate::run::heartbeat::beating;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::causes;
use crate::context::Context;
use crate::file::channel::Channel;
use crate::file::drill::Drill;
use crate::observe::counted;
use crate::record::Record;
use crate::rule::selectors::Selector;
use crate::rule::{self, Subject};
use crate::run::deliverable::deliverable;
use crate::run::isolation;
use crate::run::quiet;
use crate::timing::clock::Deadline;
use alerting::routing::silence;
use alerting::routing::tree::Routing;
use clients::gateway::Gateway;
use clients::prometheus::{RuleGroup, Target};
use common::duration;

/// Prometheus takes up what it discovered every five seconds; twice that is enough.
const DISCOVERY: Duration = Duration::from_secs(10);

/// Goes through the list; fills in the record's subject, routes, inputs and bounds. Gives the subject and the
/// jobs whose targets the rule reads (empty for all).
///
/// # Errors
/// The reason why the drill is refused.
pub async fn check(
    context: &Context<'_>,
    drill: &Drill,
    record: &mut Record,
) -> Result<(Subject, BTreeSet<String>), String> {
    let systems = context.systems;
    if context.systems.inbox.is_none()
        && let Some(why) = counted::needs_inbox(drill)
    {
        return Err(format!("this drill needs an inbox (--inbox URL): {why}"));
    }
    let (subject, _) = rule(context, drill, record).await?;
    causes_possible(context, drill).await?;
    let jobs = jobs(context, &subject.selectors).await?;
    let scrape = targets_up(context, &jobs, record).await?;
    let config = systems.alertmanager.config().await.map_err(|error| error.to_string())?;
    let routing = Routing::parse(&config)
        .map_err(|error| format!("Alertmanager's configuration cannot be read: {error}"))?;
    record.heartbeat_limit = heartbeat_limit(context, drill, record).await?;
    plan(record, &routing, &subject, &subject.known, scrape, drill, false);
    if !record.outgoing.rewrites() {
        deliverable(&routing, &record.outgoing.of(&subject.known), drill)?;
    }
    let silences = systems.alertmanager.silences().await.map_err(|error| error.to_string())?;
    let known = record.outgoing.of(&subject.known);
    if let Some(silence) = silences.iter().find(|silence| silence::covers(silence, &known)) {
        return Err(format!(
            "silence {} ({}) covers {}: expire it first",
            silence.id, silence.comment, subject.alert
        ));
    }
    quiet::settled(context, &subject, scrape, record).await?;
    quiet::forgotten(context, &subject, record).await?;
    isolation::told(context, drill, &subject, record).await?;
    Ok((subject, jobs))
}

/// Asks the systems whether they are there.
///
/// # Errors
/// Which is not.
pub async fn systems(context: &Context<'_>, record: &mut Record) -> Result<(), String> {
    let systems = context.systems;
    record.counted = systems.inbox.is_none();
    let inbox = async {
        match &systems.inbox {
            Some(inbox) => inbox.ready().await,
            None => systems.alertmanager.delivered().await.map(drop),
        }
    };
    let (prometheus, alertmanager, inbox) =
        tokio::join!(systems.prometheus.ready(), systems.alertmanager.ready(), inbox);
    for ready in [prometheus, alertmanager, inbox] {
        ready.map_err(|error| error.to_string())?;
    }
    sends_alerts(context, record).await
}

/// The systems and the rule under proof; fills in the record's subject.
///
/// # Errors
/// The reason why the drill is refused.
pub async fn rule(
    context: &Context<'_>,
    drill: &Drill,
    record: &mut Record,
) -> Result<(Subject, Vec<RuleGroup>), String> {
    systems(context, record).await?;
    let rules = evaluated(context, drill, record).await?;
    let mut subject = rule::gather(&rules, &drill.proves.alert.value, &drill.proves.labels)?;
    match context.systems.prometheus.outgoing().await {
        Ok(outgoing) => record.outgoing = outgoing,
        // Some that speak its API have no configuration to show, and those add no labels.
        Err(error) => record.event(jiff::Timestamp::now(), format!("external labels are not known: {error}")),
    }
    // What is added on the way is not among the labels that Prometheus's own samples have.
    subject.wanted.retain(|name, value| !record.outgoing.adds(name, value));
    record.subject = Some(subject.clone());
    Ok((subject, rules))
}

/// Whether what the cause needs is there, as far as that can be known without doing it.
///
/// # Errors
/// What is not.
pub async fn causes_possible(context: &Context<'_>, drill: &Drill) -> Result<(), String> {
    let place = context.undoing.place();
    if drill.cause.needs_control() && place.control.is_empty() {
        return Err("the cause orders a service of the stack about, and nothing is known that could: give --control, \
                    such as \"stack service\" or deploy/compose/service.sh"
            .to_owned());
    }
    if let Some(fault) = &drill.cause.fault {
        let gateway = Gateway::new(&place.admin, &place.http).map_err(|error| error.to_string())?;
        gateway.alive().await.map_err(|error| error.to_string())?;
        let id = causes::fault_id(&drill.drill.value);
        let against = gateway.against_fault(&id, &fault.0).await.map_err(|error| error.to_string())?;
        if !against.is_empty() {
            return Err(format!("the gateway does not take `cause.fault`: {}", against.join("; ")));
        }
    }
    if !drill.cause.inbox.is_empty() && place.inbox.is_none() {
        return Err("the cause makes the inbox fail, and there is none: give --inbox URL".to_owned());
    }
    Ok(())
}

/// After how long the inbox misses the heartbeat, for drills whose news is that.
async fn heartbeat_limit(
    context: &Context<'_>,
    drill: &Drill,
    record: &mut Record,
) -> Result<Option<Duration>, String> {
    if !drill.expect.delivered.contains(&Channel::Heartbeat) {
        return Ok(None);
    }
    let beats = context.systems.heartbeat().await?;
    let limit = Duration::try_from_secs_f64(beats.limit_seconds).map_err(|error| error.to_string())?;
    // Its absence is news only where it beats, and a stack that has just started has yet to begin.
    beating(context, record, limit).await?;
    Ok(Some(limit))
}

/// Waits until Prometheus knows an Alertmanager to send to; after a reload it takes a few seconds to look again.
async fn sends_alerts(context: &Context<'_>, record: &mut Record) -> Result<(), String> {
    let deadline = Deadline::within(DISCOVERY);
    loop {
        let known = context.systems.prometheus.alertmanagers().await.map_err(|error| error.to_string())?;
        if !known.is_empty() {
            return Ok(());
        }
        if deadline.passed() {
            return Err(
                "Prometheus sends to no Alertmanager: its configuration needs `alerting.alertmanagers`"
                    .into(),
            );
        }
        wait(context, record, "Prometheus to find its Alertmanager").await;
    }
}

/// Waits for the rule's first evaluation; refuses a rule that fails.
async fn evaluated(
    context: &Context<'_>,
    drill: &Drill,
    record: &mut Record,
) -> Result<Vec<RuleGroup>, String> {
    let (alert, wanted) = (&drill.proves.alert.value, &drill.proves.labels);
    let mut deadline = None;
    loop {
        let rules = context.systems.prometheus.rules().await.map_err(|error| error.to_string())?;
        let (group, rule, _) = rule::find(&rules, alert, wanted)?;
        if rule.health == "err" {
            return Err(format!("the rule {alert} fails: {}", rule.last_error));
        }
        if rule.last_evaluation.is_some() && rule.health != "unknown" {
            return Ok(rules);
        }
        let limit = group.interval * 2 + Duration::from_secs(10);
        if deadline.get_or_insert_with(|| Deadline::within(limit)).passed() {
            return Err(format!("the rule {alert} was not evaluated within {}", duration::format(limit)));
        }
        wait(context, record, "the rule's first evaluation").await;
    }
}

/// The jobs that have the series an expression reads; empty when that cannot be told.
async fn jobs(context: &Context<'_>, selectors: &[Selector]) -> Result<BTreeSet<String>, String> {
    let mut jobs = BTreeSet::new();
    for selector in selectors {
        if let Some(job) = &selector.job {
            jobs.insert(job.clone());
            continue;
        }
        let query = format!("count by (job) ({{__name__={:?}}})", selector.metric);
        let found =
            context.systems.prometheus.query(&query, None).await.map_err(|error| error.to_string())?;
        jobs.extend(found.into_iter().filter_map(|series| series.labels.get("job").cloned()));
    }
    Ok(jobs)
}

/// Waits until the targets of these jobs (all, when empty) have been scraped, and gives the longest interval.
async fn targets_up(
    context: &Context<'_>,
    jobs: &BTreeSet<String>,
    record: &mut Record,
) -> Result<Duration, String> {
    let mut deadline = None;
    loop {
        let targets = context.systems.prometheus.targets().await.map_err(|error| error.to_string())?;
        let has_jobs = targets.iter().any(|target| jobs.contains(&target.job));
        let of_rule: Vec<&Target> =
            targets.iter().filter(|target| !has_jobs || jobs.contains(&target.job)).collect();
        let Some(interval) = of_rule.iter().map(|target| target.scrape_interval).max() else {
            return Err("Prometheus has no target to scrape".into());
        };
        let Some(bad) = of_rule.iter().find(|target| target.health != "up") else { return Ok(interval) };
        let limit = interval * 2 + Duration::from_secs(5);
        if deadline.get_or_insert_with(|| Deadline::within(limit)).passed() {
            return Err(format!("target {} is {}: {}", bad.scrape_url, bad.health, bad.last_error));
        }
        let what = format!("target {}", bad.scrape_url);
        wait(context, record, &what).await;
    }
}
