//! Preflight: checks the systems and that no alert is active. Otherwise the drill is refused before any traffic.

use crate::error::DrillError;
use crate::record::event::Event;
use crate::record::expectation::Expectation;
use crate::timing::bounds::Bounds;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::causes;
use crate::context::Context;
use crate::observe::{counted, offsets};
use crate::rule::{self, RuleUnderTest};
use crate::run::deliverable::deliverable;
use crate::run::targets::{self, targets_up};
use crate::run::{heartbeat, isolation, quiet};
use crate::timing::bounds::DELIVERY;
use crate::timing::clock::Deadline;
use alerting::routing::silence;
use alerting::routing::tree::Routing;
use clients::backend::Family;
use clients::gateway::Gateway;
use clients::inbox::Channel;
use clients::prometheus::{Outgoing, RuleGroup};
use common::duration;
use jiff::Timestamp;

/// How long to wait until Prometheus uses newly discovered targets: twice its interval of five seconds.
const DISCOVERY: Duration = Duration::from_secs(10);

/// How long Alertmanagers look for the rest of their cluster: a minute by default, and time to respond.
const SETTLING: Duration = Duration::from_secs(65);

/// Checks whether the drill can start; returns what it expects.
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

/// Preflight of a negative control.
async fn silence(context: &Context<'_>, length: Duration) -> Result<Expectation, DrillError> {
    let expectation = Expectation { quiet: Some(length), ..systems(context, Vec::new()).await? };
    causes_possible(context).await?;
    let second = Duration::from_secs(1);
    quiet::settled(context, "", second, second).await?;
    Ok(expectation)
}

/// Preflight of a drill of the heartbeat.
async fn heartbeat(context: &Context<'_>) -> Result<Expectation, DrillError> {
    let (expectation, rule_under_test) = rule(context).await?;
    causes_possible(context).await?;
    let limit = heartbeat::limit(context).await?;
    // Alertmanager resolves the alert, and sends no more heartbeats, when Prometheus has not sent it for four times the
    // resend delay; the inbox notices after its limit.
    let resend = context.systems.prometheus.resend_delay().await?;
    let bound = resend.max(rule_under_test.evaluation) * 4 + limit + peer_wait(context).await? + DELIVERY;
    let zero = Duration::ZERO;
    let bounds = Bounds { pending: zero, firing: zero, notified: bound, resolved: zero, all_clear: bound };
    Ok(Expectation { channels: vec![Channel::Heartbeat], bounds: Some(bounds), ..expectation })
}

/// Preflight of a drill that follows an alert from pending to resolved.
async fn alert(context: &Context<'_>) -> Result<Expectation, DrillError> {
    let systems = context.systems;
    if systems.inbox.is_none()
        && let Some(why) = counted::needs_inbox(context.drill)
    {
        return Err(DrillError::Stack(format!("this drill needs an inbox (--inbox URL): {why}")));
    }
    let (expectation, rule_under_test) = rule(context).await?;
    causes_possible(context).await?;
    let jobs_of = targets::jobs(context, &rule_under_test).await?;
    let jobs: BTreeSet<String> = jobs_of.values().flatten().cloned().collect();
    let (scrape, scrapes) = targets_up(context, &rule_under_test, &jobs).await?;
    let short_range = targets::ranges_hold(context, &rule_under_test, &jobs_of, &scrapes).await?;
    let peer_wait = peer_wait(context).await?;
    let config = systems.alertmanager.config().await?;
    let routing = Routing::parse(&config)
        .map_err(|error| DrillError::System(format!("cannot read Alertmanager's configuration: {error}")))?;
    // A missing heartbeat is noticed only after one has arrived, and a stack that has just started has not sent one yet.
    let heartbeat_limit = if context.drill.expect.delivered.contains(&Channel::Heartbeat) {
        Some(heartbeat::limit(context).await?)
    } else {
        None
    };
    let expectation = Expectation { heartbeat_limit, jobs, short_range, peer_wait, ..expectation };
    let expectation = expectation.routed(&routing, &rule_under_test.known, scrape, context.drill, false);
    context.log.append(Event::Expected(Box::new(expectation.clone())));
    let known = expectation.outgoing.of(&rule_under_test.known);
    if !expectation.outgoing.rewrites() {
        deliverable(&routing, &known, context.drill)?;
    }
    let silences = systems.alertmanager.silences().await?;
    if let Some(silence) = silences.iter().find(|silence| silence::covers(silence, &known)) {
        return Err(DrillError::Stack(format!(
            "silence {} ({}) covers {}: expire the silence first",
            silence.id, silence.comment, rule_under_test.alert
        )));
    }
    quiet::settled(context, &rule_under_test.alert, rule_under_test.evaluation, scrape).await?;
    quiet::forgotten(context, &rule_under_test, expectation.group_interval()).await?;
    isolation::settled(context, &rule_under_test, &expectation).await?;
    Ok(expectation)
}

/// Checks that the systems respond; notifications are expected on these channels.
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

/// Checks the systems and the rule under test.
async fn rule(context: &Context<'_>) -> Result<(Expectation, RuleUnderTest), DrillError> {
    let expectation = systems(context, context.drill.expect.delivered.clone()).await?;
    let mut rules = evaluated(context).await?;
    let gather = |rules: &[RuleGroup]| {
        let proves = &context.drill.proves;
        let stated = proves.lookback.map(|lookback| lookback.div_f64(context.scale));
        rule::gather(rules, &proves.alert.value, &proves.labels, stated)
    };
    let rule_under_test = gather(&rules)?;
    if let Some(failure) = rule_under_test.failure(&rules) {
        return Err(DrillError::Rule(failure));
    }
    let offset_unknown = offsets::read(context, &mut rules, &rule_under_test.sources).await?;
    let mut rule_under_test = RuleUnderTest { offset_unknown, ..gather(&rules)? };
    let outgoing = context.systems.prometheus.outgoing().await.unwrap_or_else(|error| {
        // Some implementations of its API serve no configuration; those add no labels.
        context.log.note(Timestamp::now(), format!("cannot read Prometheus' external labels: {error}"));
        Outgoing::default()
    });
    // Prometheus' own samples lack the labels that are added when alerts are sent.
    rule_under_test.wanted.retain(|name, value| !outgoing.adds(name, value));
    let expectation = Expectation { rule_under_test: Some(rule_under_test.clone()), outgoing, ..expectation };
    context.log.append(Event::Expected(Box::new(expectation.clone())));
    Ok((expectation, rule_under_test))
}

/// Checks that everything the cause needs exists, as far as that can be known without applying it.
///
/// # Errors
/// What is missing.
async fn causes_possible(context: &Context<'_>) -> Result<(), DrillError> {
    let stack = context.undo_list.stack();
    if context.drill.cause.needs_control() && stack.control.is_empty() {
        return Err(DrillError::Stack("the cause stops, pauses or restarts a service, but no command is configured for that: set --control, \
                    such as \"stack service\" or deploy/compose/service.sh"
            .to_owned()));
    }
    if let Some(fault) = &context.drill.cause.fault {
        let gateway = Gateway::new(&stack.admin, &stack.http)?;
        gateway.alive().await?;
        let id = causes::fault_id(&context.drill.drill.value);
        let against = gateway.against_fault(&id, &fault.0).await?;
        if !against.is_empty() {
            return Err(DrillError::Cause(format!(
                "the gateway rejects `cause.fault`: {}",
                against.join("; ")
            )));
        }
    }
    if !context.drill.cause.inbox.is_empty() && stack.inbox.is_none() {
        return Err(DrillError::Stack(
            "the cause makes the inbox fail, but no inbox is configured: set --inbox URL".to_owned(),
        ));
    }
    Ok(())
}

/// Waits until Prometheus knows an Alertmanager; after a reload this takes a few seconds.
async fn sends_alerts(context: &Context<'_>) -> Result<(), DrillError> {
    let deadline = Deadline::within(DISCOVERY);
    loop {
        if context.systems.prometheus.sends().await? != Some(false) {
            return Ok(());
        }
        if deadline.passed() {
            let how = match context.systems.prometheus.family().await? {
                Family::VictoriaMetrics => "vmalert sends alerts to no Alertmanager: set -notifier.url",
                _ => {
                    "Prometheus sends alerts to no Alertmanager: set `alerting.alertmanagers` in its configuration"
                }
            };
            return Err(DrillError::Stack(how.to_owned()));
        }
        context.wait("Prometheus to find its Alertmanager").await;
    }
}

/// Waits for the rule's first evaluation; a rule that fails is an error.
async fn evaluated(context: &Context<'_>) -> Result<Vec<RuleGroup>, DrillError> {
    let (alert, wanted) = (&context.drill.proves.alert.value, &context.drill.proves.labels);
    let mut deadline = None;
    loop {
        let rules = context.systems.prometheus.rules().await?;
        let (group, rule, _) = rule::find(&rules, alert, wanted)?;
        if rule.health == "err" {
            return Err(DrillError::Rule(format!(
                "the rule `{alert}` cannot be evaluated: {}",
                rule.last_error
            )));
        }
        if rule.last_evaluation.is_some() && rule.health != "unknown" {
            return Ok(rules);
        }
        let limit = group.interval * 2 + Duration::from_secs(10);
        if deadline.get_or_insert_with(|| Deadline::within(limit)).passed() {
            return Err(DrillError::Rule(format!(
                "the rule `{alert}` was not evaluated within {}",
                duration::format(limit)
            )));
        }
        context.wait("the rule's first evaluation").await;
    }
}

/// The longest wait of an Alertmanager for those before it in its cluster, once the cluster has settled.
async fn peer_wait(context: &Context<'_>) -> Result<Duration, DrillError> {
    let deadline = Deadline::within(SETTLING);
    loop {
        let cluster = context.systems.alertmanager.cluster().await?;
        if !cluster.settling {
            return Ok(context.undo_list.stack().peer_timeout * (cluster.members - 1));
        }
        if deadline.passed() {
            return Err(DrillError::Stack(format!(
                "Alertmanager's cluster did not settle within {}, and Alertmanager sends nothing before that: check --cluster.peer",
                duration::format(SETTLING)
            )));
        }
        context.wait("Alertmanager's cluster to settle").await;
    }
}
