//! The files of drawn configurations.

use std::fmt::Write as _;

use crate::draw::Configuration;
use crate::model::{Read, Reading, Rule, Source};

fn ms(micros: i64) -> String {
    format!("{}ms", micros / 1000)
}

/// The name of a rule.
pub fn name(configuration: &Configuration, number: usize, alert: bool) -> String {
    format!("c{}_{}{number}", configuration.number, if alert { "a" } else { "r" })
}

/// The metric that a group records first, to show when it is evaluated.
pub fn clock(configuration: &Configuration, group: usize) -> String {
    format!("c{}_g{group}", configuration.number)
}

/// `- name: …` of each group.
pub fn rules(configuration: &Configuration) -> String {
    let mut text = String::new();
    let mut number = 0;
    for (index, group) in configuration.model.groups.iter().enumerate() {
        let clock = clock(configuration, index);
        let _ = writeln!(text, "  - name: {clock}\n    interval: {}", ms(group.interval));
        if group.behind > 0 {
            let _ = writeln!(text, "    query_offset: {}", ms(group.behind));
        }
        let _ = writeln!(text, "    rules:\n      - {{record: {clock}, expr: vector(0)}}");
        for rule in &group.rules {
            let expr = expression(configuration, rule);
            let name = name(configuration, number, rule.alert.is_some());
            let _ = match rule.alert {
                None => writeln!(text, "      - {{record: {name}, expr: '{expr}'}}"),
                Some((hold, keep)) => writeln!(
                    text,
                    "      - {{alert: {name}, expr: '{expr} > 0', for: {}, keep_firing_for: {}}}",
                    ms(hold),
                    ms(keep)
                ),
            };
            number += 1;
        }
    }
    text
}

/// Always with a value: zero where nothing is read.
fn expression(configuration: &Configuration, rule: &Rule) -> String {
    let read = |read: &Read| {
        let alert = |number, state: &str| {
            format!("ALERTS{{alertname=\"{}\"{state}}}", name(configuration, number, true))
        };
        let selector = match read.source {
            Source::Scraped => configuration.series(),
            Source::Recorded(number) => name(configuration, number, false),
            Source::Firing(number) => alert(number, ",alertstate=\"firing\""),
            Source::Active(number) => alert(number, ""),
        };
        let offset = if read.offset > 0 { format!(" offset {}", ms(read.offset)) } else { String::new() };
        let steps =
            |range, step| format!("(max({selector}) or vector(0))[{}:{}]{offset}", ms(range), ms(step));
        let value = match read.reading {
            Reading::Instant => format!("{selector}{offset}"),
            Reading::Min(range) => format!("min_over_time({selector}[{}]{offset})", ms(range)),
            Reading::Max(range) => format!("max_over_time({selector}[{}]{offset})", ms(range)),
            Reading::MinSteps(range, step) => format!("min_over_time({})", steps(range, step)),
            Reading::MaxSteps(range, step) => format!("max_over_time({})", steps(range, step)),
        };
        format!("(max({value}) or vector(0))")
    };
    let reads: Vec<String> = rule.reads.iter().map(read).collect();
    format!("({})", reads.join(if rule.all { " * " } else { " + " }))
}

/// A job for each series.
pub fn scrapes(configurations: &[Configuration]) -> String {
    let jobs = configurations.iter().map(|it| {
        let (series, every) = (it.series(), ms(it.model.scrape));
        format!(
            "{{job_name: {series}, scrape_interval: {every}, scrape_timeout: {every}, static_configs: [{{targets: [TARGET]}}], \
             metric_relabel_configs: [{{source_labels: [__name__], regex: {series}, action: keep}}]}}"
        )
    });
    format!("[{}]", jobs.collect::<Vec<_>>().join(", "))
}

/// A route for the last alert of each.
pub fn routes(configurations: &[Configuration]) -> String {
    let mut text = "route:\n  receiver: nobody\n  routes:\n".to_owned();
    for it in configurations {
        let _ = writeln!(
            text,
            "    - {{receiver: hook, matchers: ['alertname=\"{}\"'], group_wait: {}, group_interval: {}, repeat_interval: 1h}}",
            name(it, it.last(), true),
            ms(it.route.wait),
            ms(it.route.interval)
        );
    }
    text.push_str(
        "receivers:\n  - name: nobody\n  - name: hook\n    webhook_configs: [{url: INBOX/webhook, send_resolved: true}]\n",
    );
    text
}
