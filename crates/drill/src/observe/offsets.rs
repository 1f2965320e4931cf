//! How far in the past the groups of the rules are evaluated that the drill's alert depends on.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::context::Context;
use crate::error::DrillError;
use crate::evidence::offset;
use crate::rule::graph::Sources;
use crate::rule::{self, RuleUnderTest};
use clients::SystemError;
use clients::prometheus::RuleGroup;

/// The first Prometheus with `query_offset`.
const FIRST: (u32, u32) = (2, 53);
/// Number of attempts per group: its samples and the time of its evaluation must belong to the same evaluation.
const LOOKS: usize = 2;

/// Sets the `query_offset` of all groups to that of the configuration, except for groups on the paths of `sources`
/// whose samples show another. Returns the names of the groups on the paths that record nothing, so that their offset
/// is unknown.
///
/// # Errors
/// Prometheus does not respond.
pub async fn read(
    context: &Context<'_>,
    groups: &mut [RuleGroup],
    sources: &Sources,
) -> Result<BTreeSet<String>, DrillError> {
    let prometheus = &context.systems.prometheus;
    // Others have delays of their own, which the groups have already.
    if !prometheus.family().await?.has_query_offset() {
        return Ok(BTreeSet::new());
    }
    let version = prometheus.version().await.ok().flatten();
    if version.is_some_and(|version| version < FIRST) {
        return Ok(BTreeSet::new());
    }
    let usual = prometheus.query_offset().await.unwrap_or_else(|error| {
        context.log.note(Timestamp::now(), format!("cannot read the default query offset of rules: {error}"));
        Duration::ZERO
    });
    groups.iter_mut().for_each(|group| group.query_offset = usual);
    let mut indices: Vec<usize> = sources.rules.iter().map(|(group, _)| *group).collect();
    indices.dedup();
    let mut unknown = BTreeSet::new();
    for index in indices {
        match shown(context, groups, index, usual).await? {
            Some(offset) => groups[index].query_offset = offset,
            None => drop(unknown.insert(groups[index].name.clone())),
        }
    }
    Ok(unknown)
}

/// The rule under test with the offsets that were not known before the cause, such as those of rules that recorded nothing
/// yet; `None` if none can be added.
pub async fn again(context: &Context<'_>, before: &RuleUnderTest) -> Option<RuleUnderTest> {
    if before.offset_unknown.is_empty() {
        return None;
    }
    let mut groups = context.log.queried("rules", context.systems.prometheus.rules().await)?;
    let gather =
        |groups: &[RuleGroup]| rule::gather(groups, &before.alert, &before.wanted, before.stated).ok();
    let sources = gather(&groups)?.sources;
    let mut offset_unknown = read(context, &mut groups, &sources).await.ok()?;
    let mut found = gather(&groups)?;
    if !before.offset_unknown.contains(&before.group) {
        offset_unknown.remove(&before.group); // its alert has shown it
        found.query_offset = before.query_offset;
    }
    let (sources, query_offset) = (found.sources, found.query_offset);
    Some(RuleUnderTest { sources, query_offset, offset_unknown, ..before.clone() })
}

/// The offset derived from the samples of a group; `None` when no recorded name is unique to it.
async fn shown(
    context: &Context<'_>,
    groups: &[RuleGroup],
    index: usize,
    usual: Duration,
) -> Result<Option<Duration>, SystemError> {
    let writers =
        |name: &str| groups.iter().filter(|group| group.rules.iter().any(|rule| rule.name == name)).count();
    let group = &groups[index];
    let mut recording = group.rules.iter().filter(|rule| rule.alerting.is_none());
    let Some(rule) = recording.find(|rule| writers(&rule.name) == 1) else { return Ok(None) };
    let query = format!("max(timestamp({{__name__={:?}}}))", rule.name);
    let mut longest = None;
    for _ in 0..LOOKS {
        let evaluated =
            context.systems.prometheus.rules().await?.into_iter().find_map(|it| {
                (it.name == group.name && it.file == group.file).then_some(it.last_evaluation)?
            });
        let found = context.systems.prometheus.query(&query, None).await?;
        let newest = found.first().and_then(|series| series.samples.first()).map(|(_, value)| *value);
        if let (Some(evaluated), Some(newest)) = (evaluated, newest)
            && let Ok(newest) = Timestamp::from_millisecond((newest * 1000.0).round() as i64)
        {
            longest = longest.max(Some(offset::of_recording(newest, evaluated, usual)));
        }
        context.wait("another sample of the recording rule").await;
    }
    Ok(longest)
}
