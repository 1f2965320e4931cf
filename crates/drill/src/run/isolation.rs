//! Isolation of counted deliveries: before the cause, no other alert may be about to use the same integrations; after it,
//! none may have used them.

use crate::error::DrillError;
use crate::record::expectation::Expectation;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::context::Context;
use crate::evidence::activation::alert_labels;
use crate::rule::RuleUnderTest;
use crate::run::other_alerts::{OtherAlert, Seen, Step, among, counted_senders, since, step};
use crate::timing::bounds::DELIVERY;
use crate::timing::clock::{self, Deadline};
use alerting::routing::tree::Routing;
use clients::prometheus::{Labels, RuleGroup};

/// Additional time for slow responses.
const SLACK: Duration = Duration::from_secs(2);

/// Where delivery is counted, waits until only the drill's own alert can be sent by its integrations.
///
/// # Errors
/// Another alert stays active, or the systems do not respond.
pub async fn settled(
    context: &Context<'_>,
    rule_under_test: &RuleUnderTest,
    expectation: &Expectation,
) -> Result<(), DrillError> {
    if !expectation.counted {
        return Ok(());
    }
    let mut held = BTreeMap::new();
    let mut waited = BTreeMap::new();
    let mut limits = None;
    loop {
        let now = Timestamp::now();
        let (found, longest) =
            look(context, rule_under_test, expectation, &rule_under_test.known, now, &mut held).await?;
        let (resolve, tell) = *limits.get_or_insert_with(|| {
            let resolve = rule_under_test.evaluation * 4 + SLACK;
            (Deadline::within(resolve), Deadline::within(resolve + longest + SLACK))
        });
        match step(&found, now, resolve.passed(), tell.passed()) {
            Step::GoOn => break,
            Step::Wait(what) => context.wait(&what).await,
            Step::Refuse(reason) => return Err(DrillError::Stack(reason)),
        }
        let open = found.into_iter().filter(|one| one.all_clear_by >= now);
        waited.extend(open.map(|one| (one.alert, one.last)));
    }
    for (alert, last) in waited {
        context.log.note(last, format!("{alert} fired before this drill, which waited until it ended"));
    }
    Ok(())
}

/// After the cause of `cause_at`: why the counters may include other alerts than the one with `own` labels; `None` if they
/// do not.
///
/// # Errors
/// The systems do not respond.
pub async fn meanwhile(
    context: &Context<'_>,
    rule_under_test: &RuleUnderTest,
    expectation: &Expectation,
    own: &Labels,
    cause_at: Timestamp,
) -> Result<Option<String>, DrillError> {
    let (found, _) = look(context, rule_under_test, expectation, own, cause_at, &mut BTreeMap::new()).await?;
    Ok(since(&found, cause_at))
}

/// Queries all alerts that may have been notified at `at` or later, and how long after its last sample that may be at most.
/// Prometheus shows what its own rules fired. Alerts that other sources send to the same Alertmanager are known only while it
/// has them, so `held` keeps when that was.
async fn look(
    context: &Context<'_>,
    rule_under_test: &RuleUnderTest,
    expectation: &Expectation,
    own: &Labels,
    at: Timestamp,
    held: &mut BTreeMap<Labels, Timestamp>,
) -> Result<(Vec<OtherAlert>, Duration), DrillError> {
    let systems = context.systems;
    let (config, counters, alerts, rules) = tokio::join!(
        systems.alertmanager.config(),
        systems.alertmanager.delivered(),
        systems.alertmanager.alerts(),
        systems.prometheus.rules(),
    );
    let routing = Routing::parse(&config?).map_err(|error| DrillError::System(error.to_string()))?;
    let named = counters?.keys().any(|sender| sender.receiver.is_some());
    let rules = rules?;
    let slowest = rules.iter().map(|group| group.interval).max().unwrap_or(rule_under_test.evaluation);
    let longest = slowest * 2 + routing.longest_interval() + DELIVERY;

    let now = Timestamp::now();
    let range = clock::seconds(clock::before(at, longest), now).ceil().max(0.0) as u64 + 1;
    let query = format!("ALERTS{{alertstate=\"firing\"}}[{range}s]");
    let history = systems.prometheus.query(&query, None).await?;
    let mut seen: Vec<Seen> = history
        .iter()
        .filter_map(|series| {
            let labels = Some(alert_labels(&series.labels)).filter(|labels| !rule_under_test.owns(labels))?;
            let (last, _) = *series.samples.last()?;
            let evaluation = evaluation(&rules, &labels).unwrap_or(slowest);
            // Alerts are routed by the labels that Alertmanager receives.
            Some(Seen { labels: expectation.outgoing.of(&labels), last, evaluation })
        })
        .collect();
    held.extend(alerts?.into_iter().map(|alert| (alert.labels, now)));
    seen.extend(held.iter().map(|(labels, last)| Seen {
        labels: labels.clone(),
        last: *last,
        evaluation: Duration::ZERO,
    }));
    seen.retain(|one| !rule_under_test.owns(&one.labels));
    let counted =
        counted_senders(&routing, &expectation.outgoing.of(own), &context.drill.expect.delivered, named);
    Ok((among(&seen, &routing, &counted, named), longest))
}

/// E of the rule that defines the alert, the longest where several do; `None` when it is no longer loaded.
fn evaluation(groups: &[RuleGroup], labels: &Labels) -> Option<Duration> {
    let name = labels.get("alertname")?;
    let defines =
        |group: &&RuleGroup| group.rules.iter().any(|rule| rule.alerting.is_some() && rule.name == *name);
    groups.iter().filter(defines).map(|group| group.interval).max()
}
