//! Is everything there, and quiet? Otherwise the drill is refused before any traffic.

use crate::error::DrillError;
use crate::record::event::Event;
use crate::record::expectation::Expectation;
use crate::timing::bounds::Bounds;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::causes;
use crate::context::Context;
use crate::observe::counted;
use crate::rule::graph::Selector;
use crate::rule::{self, Subject};
use crate::run::deliverable::deliverable;
use crate::run::quiet;
use crate::run::{heartbeat, isolation};
use crate::timing::bounds::DELIVERY;
use crate::timing::clock::Deadline;
use alerting::routing::silence;
use alerting::routing::tree::Routing;
use clients::gateway::Gateway;
use clients::inbox::Channel;
use clients::prometheus::{Outgoing, RuleGroup, Target};
use common::duration;
use jiff::Timestamp;

/// Prometheus takes up what it discovered every five seconds; twice that is enough.
const DISCOVERY: Duration = Duration::from_secs(10);

/// Whether the drill can begin; gives what is then expected.
///
/// # Errors
/// The reason why the drill is refused.
pub async fn preflight(context: &Context<'_>) -> Result<Expectation, DrillError> {
    let expectation = match (context.drill.proves.quiet, context.drill.proves.stops) {
        (Some(length), _) => silence(context, length.div_f64(context.scale)).await?,
        (None, true) => heartbeat(context).await?,
        (None, false) => alert(context).await?,
    };
    context.log.append(Event::Expected(Box::new(expectation.clone())));
    Ok(expectation)
}

/// Of a negative control.
async fn silence(context: &Context<'_>, length: Duration) -> Result<Expectation, DrillError> {
    let expectation = Expectation { quiet: Some(length), ..systems(context, Vec::new()).await? };
    causes_possible(context).await?;
    let second = Duration::from_secs(1);
    quiet::settled(context, "", second, second).await?;
    Ok(expectation)
}

/// Of a heartbeat that stops.
async fn heartbeat(context: &Context<'_>) -> Result<Expectation, DrillError> {
    let (expectation, subject) = rule(context).await?;
    causes_possible(context).await?;
    let limit = heartbeat::limit(context).await?;
    // Alertmanager takes the alert as resolved, and sends no more beats, once Prometheus has not sent it again for
    // four times the resend delay; the inbox notices after its limit.
    let resend = context.systems.prometheus.resend_delay().await?;
    let bound = resend.max(subject.evaluation) * 4 + limit + DELIVERY;
    let zero = Duration::ZERO;
    let bounds = Bounds { pending: zero, firing: zero, notified: bound, resolved: zero, all_clear: bound };
    Ok(Expectation { channels: vec![Channel::Heartbeat], bounds: Some(bounds), ..expectation })
}

/// Of an alert that is followed from pending to resolved.
async fn alert(context: &Context<'_>) -> Result<Expectation, DrillError> {
    let systems = context.systems;
    if systems.inbox.is_none()
        && let Some(why) = counted::needs_inbox(context.drill)
    {
        return Err(DrillError::Stack(format!("this drill needs an inbox (--inbox URL): {why}")));
    }
    let (expectation, subject) = rule(context).await?;
    causes_possible(context).await?;
    let jobs = jobs(context, &subject.sources.selectors).await?;
    let scrape = targets_up(context, &jobs).await?;
    let config = systems.alertmanager.config().await?;
    let routing = Routing::parse(&config).map_err(|error| {
        DrillError::System(format!("Alertmanager's configuration cannot be read: {error}"))
    })?;
    // Its absence is news only where it beats, and a stack that has just started has yet to begin.
    let heartbeat_limit = if context.drill.expect.delivered.contains(&Channel::Heartbeat) {
        Some(heartbeat::limit(context).await?)
    } else {
        None
    };
    let expectation = Expectation { heartbeat_limit, jobs, ..expectation }.routed(
        &routing,
        &subject.known,
        scrape,
        context.drill,
        false,
    );
    context.log.append(Event::Expected(Box::new(expectation.clone())));
    let known = expectation.outgoing.of(&subject.known);
    if !expectation.outgoing.rewrites() {
        deliverable(&routing, &known, context.drill)?;
    }
    let silences = systems.alertmanager.silences().await?;
    if let Some(silence) = silences.iter().find(|silence| silence::covers(silence, &known)) {
        return Err(DrillError::Stack(format!(
            "silence {} ({}) covers {}: expire it first",
            silence.id, silence.comment, subject.alert
        )));
    }
    quiet::settled(context, &subject.alert, subject.evaluation, scrape).await?;
    quiet::forgotten(context, &subject, expectation.group_interval()).await?;
    isolation::settled(context, &subject, &expectation).await?;
    Ok(expectation)
}

/// Asks the systems whether they are there; what is expected arrives on these channels.
async fn systems(context: &Context<'_>, channels: Vec<Channel>) -> Result<Expectation, DrillError> {
    let systems = context.systems;
    let expectation = Expectation { counted: systems.inbox.is_none(), channels, ..Expectation::default() };
    context.log.append(Event::Expected(Box::new(expectation.clone())));
    let inbox = async {
        match &systems.inbox {
            Some(inbox) => inbox.ready().await,
            None => systems.alertmanager.delivered().await.map(drop),
        }
    };
    let (prometheus, alertmanager, inbox) =
        tokio::join!(systems.prometheus.ready(), systems.alertmanager.ready(), inbox);
    for ready in [prometheus, alertmanager, inbox] {
        ready?;
    }
    sends_alerts(context).await?;
    Ok(expectation)
}

/// The systems and the rule under test.
async fn rule(context: &Context<'_>) -> Result<(Expectation, Subject), DrillError> {
    let expectation = systems(context, context.drill.expect.delivered.clone()).await?;
    let rules = evaluated(context).await?;
    let mut subject = rule::gather(&rules, &context.drill.proves.alert.value, &context.drill.proves.labels)?;
    let outgoing = context.systems.prometheus.outgoing().await.unwrap_or_else(|error| {
        // Some that speak its API have no configuration to show, and those add no labels.
        context.log.note(Timestamp::now(), format!("external labels are not known: {error}"));
        Outgoing::default()
    });
    // What is added on the way is not among the labels that Prometheus's own samples have.
    subject.wanted.retain(|name, value| !outgoing.adds(name, value));
    let expectation = Expectation { subject: Some(subject.clone()), outgoing, ..expectation };
    context.log.append(Event::Expected(Box::new(expectation.clone())));
    Ok((expectation, subject))
}

/// Whether what the cause needs is there, as far as that can be known without doing it.
///
/// # Errors
/// What is not.
async fn causes_possible(context: &Context<'_>) -> Result<(), DrillError> {
    let place = context.undoing.place();
    if context.drill.cause.needs_control() && place.control.is_empty() {
        return Err(DrillError::Stack("the cause orders a service of the stack about, and nothing is known that could: give --control, \
                    such as \"stack service\" or deploy/compose/service.sh"
            .to_owned()));
    }
    if let Some(fault) = &context.drill.cause.fault {
        let gateway = Gateway::new(&place.admin, &place.http)?;
        gateway.alive().await?;
        let id = causes::fault_id(&context.drill.drill.value);
        let against = gateway.against_fault(&id, &fault.0).await?;
        if !against.is_empty() {
            return Err(DrillError::Cause(format!(
                "the gateway does not take `cause.fault`: {}",
                against.join("; ")
            )));
        }
    }
    if !context.drill.cause.inbox.is_empty() && place.inbox.is_none() {
        return Err(DrillError::Stack(
            "the cause makes the inbox fail, and there is none: give --inbox URL".to_owned(),
        ));
    }
    Ok(())
}

/// Waits until Prometheus knows an Alertmanager to send to; after a reload it takes a few seconds to look again.
async fn sends_alerts(context: &Context<'_>) -> Result<(), DrillError> {
    let deadline = Deadline::within(DISCOVERY);
    loop {
        let known = context.systems.prometheus.alertmanagers().await?;
        if !known.is_empty() {
            return Ok(());
        }
        if deadline.passed() {
            return Err(DrillError::Stack(
                "Prometheus sends to no Alertmanager: its configuration needs `alerting.alertmanagers`"
                    .into(),
            ));
        }
        context.wait("Prometheus to find its Alertmanager").await;
    }
}

/// Waits for the rule's first evaluation; refuses a rule that fails.
async fn evaluated(context: &Context<'_>) -> Result<Vec<RuleGroup>, DrillError> {
    let (alert, wanted) = (&context.drill.proves.alert.value, &context.drill.proves.labels);
    let mut deadline = None;
    loop {
        let rules = context.systems.prometheus.rules().await?;
        let (group, rule, _) = rule::find(&rules, alert, wanted)?;
        if rule.health == "err" {
            return Err(DrillError::Rule(format!("the rule {alert} fails: {}", rule.last_error)));
        }
        if rule.last_evaluation.is_some() && rule.health != "unknown" {
            return Ok(rules);
        }
        let limit = group.interval * 2 + Duration::from_secs(10);
        if deadline.get_or_insert_with(|| Deadline::within(limit)).passed() {
            return Err(DrillError::Rule(format!(
                "the rule {alert} was not evaluated within {}",
                duration::format(limit)
            )));
        }
        context.wait("the rule's first evaluation").await;
    }
}

/// The jobs that have the series an expression reads; empty when that cannot be told.
async fn jobs(context: &Context<'_>, selectors: &BTreeSet<Selector>) -> Result<BTreeSet<String>, DrillError> {
    let mut jobs = BTreeSet::new();
    for selector in selectors {
        if let Some(job) = &selector.job {
            jobs.insert(job.clone());
            continue;
        }
        let query = format!("count by (job) ({{__name__={:?}}})", selector.metric);
        let found = context.systems.prometheus.query(&query, None).await?;
        jobs.extend(found.into_iter().filter_map(|series| series.labels.get("job").cloned()));
    }
    Ok(jobs)
}

/// Waits until the targets of these jobs (all, when empty) have been scraped, and gives the longest interval.
async fn targets_up(context: &Context<'_>, jobs: &BTreeSet<String>) -> Result<Duration, DrillError> {
    let mut deadline = None;
    loop {
        let targets = context.systems.prometheus.targets().await?;
        let has_jobs = targets.iter().any(|target| jobs.contains(&target.job));
        let of_rule: Vec<&Target> =
            targets.iter().filter(|target| !has_jobs || jobs.contains(&target.job)).collect();
        let Some(interval) = of_rule.iter().map(|target| target.scrape_interval).max() else {
            return Err(DrillError::Stack("Prometheus has no target to scrape".into()));
        };
        let Some(bad) = of_rule.iter().find(|target| target.health != "up") else { return Ok(interval) };
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
