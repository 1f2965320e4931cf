//! What a shape is, and what can be broken in any of them.

use crate::routes::routes;
use crate::rules::rules;

/// A rule and the way of its alert.
pub struct Shape {
    pub name: &'static str,
    /// The rule file.
    pub rules: &'static str,
    /// Alertmanager's file; `INBOX` stands for the inbox's URL.
    pub alertmanager: &'static str,
    pub alertmanagers: usize,
    /// Whether Prometheus sends to one Alertmanager only: the one that waits for all others of the cluster.
    pub only_last: bool,
    /// Further text of Prometheus's `global`, beginning with a comma.
    pub global: &'static str,
    /// What is scraped; `TARGET` stands for the exporter.
    pub scrapes: &'static str,
    /// The first Prometheus that knows what the files use.
    pub since: (u32, u32),
    /// What the exporter shows at first.
    pub series: &'static [(&'static str, f64)],
    /// What is set to trip the alert, and to end that.
    pub cause: &'static str,
    pub undo: &'static str,
    pub alert: &'static str,
    pub labels: &'static [(&'static str, &'static str)],
    pub delivered: &'static [&'static str],
    pub also: &'static [&'static str],
    pub breaks: Vec<Break>,
}

/// One thing that is wrong, and what the drill is to say then.
pub struct Break {
    pub name: &'static str,
    /// Text of rules and routes, and what stands there instead.
    pub edits: &'static [(&'static str, &'static str)],
    /// What is set instead of the shape's cause.
    pub cause: Option<&'static str>,
    pub verdict: &'static str,
    pub says: &'static str,
}

const ROUTE: &str = "\
route: {receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 3s, repeat_interval: 1h}
receivers:
  - name: hook
    webhook_configs: [{url: INBOX/webhook, send_resolved: true}]
";

pub const NOWHERE: Break = Break {
    name: "a route to nowhere",
    edits: &[
        ("webhook_configs: [{url: INBOX/webhook, send_resolved: true}]", ""),
        ("webhook_configs:", "# webhook_configs:"),
    ],
    cause: None,
    verdict: "REFUSED",
    says: "its route sends to receiver `hook`, which has no webhook_configs",
};

pub const NO_ALL_CLEAR: Break = Break {
    name: "no all-clear",
    edits: &[("send_resolved: true", "send_resolved: false")],
    cause: None,
    verdict: "MISSED",
    says: "`webhook` received no all-clear",
};

pub const TWICE: Break = Break {
    name: "two routes to one receiver",
    edits: &[(
        "route: {receiver: hook,",
        "route: {routes: [{receiver: hook, continue: true, matchers: ['alertname=\"A\"']}, {receiver: hook}], receiver: hook,",
    )],
    cause: None,
    verdict: "UNEXPECTED",
    says: "a duplicate",
};

pub const fn weak(cause: &'static str, says: &'static str) -> Break {
    Break { name: "a cause that does nothing", edits: &[], cause: Some(cause), verdict: "MISSED", says }
}

pub const NOT_REACHED: Break =
    weak("test_value=0", "the cause did not affect the metrics of the rule as needed");

pub const MISSPELT: Break = Break {
    name: "a metric misspelt",
    edits: &[("test_value", "test_valeu")],
    cause: None,
    verdict: "MISSED",
    says: "Prometheus has no series of `test_valeu`: check the spelling of metrics and labels",
};

/// A gauge of 0 or 1 and one webhook.
pub fn gauge() -> Shape {
    Shape {
        name: "",
        rules: "",
        alertmanager: ROUTE,
        alertmanagers: 1,
        only_last: false,
        global: "",
        scrapes: "[{job_name: test, static_configs: [{targets: [TARGET]}]}]",
        since: (2, 42),
        series: &[("test_value", 0.0)],
        cause: "test_value=1",
        undo: "test_value=0",
        alert: "A",
        labels: &[],
        delivered: &["webhook"],
        also: &[],
        breaks: vec![NOT_REACHED, MISSPELT],
    }
}

/// All of them.
pub fn shapes() -> Vec<Shape> {
    let mut all = rules();
    all.extend(routes());
    all
}
