//! Durations that stay as they are, so that none of them does so in silence.

use crate::document::editor::Editor;
use crate::document::tree::{Kind, Node, element, join};
use crate::scale::factor::Factor;
use common::duration;

/// Below these keys stands what a person chose freely: a label of `5m` is no duration.
const FREE: [&str; 19] = [
    "alert_relabel_configs",
    "annotations",
    "credentials",
    "custom_fields",
    "details",
    "external_labels",
    "fields",
    "headers",
    "http_headers",
    "job_name",
    "labels",
    "match",
    "match_re",
    "matchers",
    "metric_relabel_configs",
    "name",
    "params",
    "relabel_configs",
    "write_relabel_configs",
];

/// Warns of each duration in the file that was not divided. Source: the durations of Prometheus's reference, such as
/// `out_of_order_time_window`, the timings of `remote_write` and `tracing.timeout`, and of Alertmanager's, such as `ttl`.
pub fn warn(editor: &mut Editor, factor: Factor) {
    if !factor.is_one() {
        walk(editor, &editor.tree(), "");
    }
}

fn walk(editor: &mut Editor, node: &Node, field: &str) {
    match &node.kind {
        Kind::Map { entries, .. } => {
            for (key, value) in entries.iter().filter(|(key, _)| !FREE.contains(&key.as_str())) {
                walk(editor, value, &join(field, key));
            }
        }
        Kind::List(items) => {
            for (at, item) in items.iter().enumerate() {
                let name = item.get("job_name").or_else(|| item.get("name"));
                walk(editor, item, &element(field, name, at));
            }
        }
        Kind::Scalar { value, .. } => {
            let lasts = duration::parse(value).is_ok_and(|it| !it.is_zero());
            if lasts && !editor.is_divided(node) {
                editor.warn(field, "is left as it is: this duration is not divided");
            }
        }
    }
}
