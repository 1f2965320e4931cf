//! Queries how near a negative control came to the thresholds it names.

use crate::evidence::near::Near;
use crate::record::event::Event;
use crate::rule::thresholds::thresholds;
use std::time::Duration;

use clients::SystemError;
use jiff::Timestamp;

use crate::context::Context;
use crate::evidence::value::Value;
use crate::timing::clock::seconds;
use promql::Threshold;

/// Records how near each alert that the drill names came to its threshold since `start`; of several rules with one name,
/// the nearest.
///
/// # Errors
/// Prometheus does not respond, or its response cannot be read.
pub async fn reached(context: &Context<'_>, start: Timestamp) -> Result<(), SystemError> {
    if context.drill.expect.near.is_empty() {
        return Ok(());
    }
    let prometheus = &context.systems.prometheus;
    let rules = prometheus.rules().await?;
    let end = Timestamp::now();
    let step = Duration::from_secs_f64((seconds(start, end) / 240.0).max(0.5));
    for named in &context.drill.expect.near {
        let mut nearest: Option<Near> = None;
        for Threshold { left, operator, value } in thresholds(&rules, &named.value) {
            let series = prometheus.query_range(&left, start, end, step).await?;
            let threshold = Threshold { left: left.clone(), operator: operator.clone(), value };
            let best = Value::of(&left, Some(&threshold), &series).best();
            let near = Near { alert: named.value.clone(), value: best, operator, threshold: value };
            if nearest.as_ref().is_none_or(|other| near.part() > other.part()) {
                nearest = Some(near);
            }
        }
        nearest.into_iter().for_each(|near| context.log.append(Event::Near(near)));
    }
    Ok(())
}
