//! Draws Alertmanager configurations: route trees in all notations of matchers, inhibit rules, time intervals, and alerts
//! for them.

use std::fmt::Write;

use common::rng::Rng;
use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::Labels;

const NAMES: [&str; 4] = ["alertname", "severity", "team", "job"];
const VALUES: [&str; 6] = ["a", "b", "ab", "x y", "b-1", "q\"c"];
const PATTERNS: [&str; 7] = ["a|b", "a.*", "[ab]+", ".*", "b-\\d", "(x|y) y", ""];
pub const RECEIVERS: [&str; 4] = ["first", "second", "third", "fourth"];

/// A configuration and alerts.
#[derive(Debug)]
pub struct Drawn {
    pub yaml: String,
    pub alerts: Vec<Labels>,
}

struct Draw {
    rng: Rng,
    /// Names of time intervals that a route may have.
    intervals: Vec<&'static str>,
}

/// The configuration of this number, the same for a seed. `url` is where webhooks of receiver NAME are sent: `url/NAME`.
pub fn configuration(seed: u64, number: u64, url: &str) -> Drawn {
    let now = jiff::Timestamp::now().to_zoned(TimeZone::UTC);
    let intervals = intervals(&now);
    let names = intervals.iter().map(|(name, _)| *name).collect();
    let mut draw = Draw { rng: Rng::of(seed, number), intervals: names };
    let mut yaml = String::from("route:\n  receiver: first\n  group_wait: 1s\n  group_interval: 1s\n");
    draw.grouping(&mut yaml, 2);
    draw.routes(&mut yaml, 2, 0);
    let _ = writeln!(yaml, "receivers:");
    for name in RECEIVERS {
        let _ = writeln!(yaml, "  - name: {name}\n    webhook_configs: [{{url: \"{url}/{name}\"}}]");
    }
    let _ = writeln!(yaml, "inhibit_rules:");
    for _ in 0..=draw.rng.below(3) {
        draw.inhibit_rule(&mut yaml);
    }
    let _ = writeln!(yaml, "time_intervals:");
    for (name, text) in &intervals {
        let _ = writeln!(yaml, "  - name: {name}\n    time_intervals: [{text}]");
    }
    let alerts = (0..8).map(|_| draw.alert()).collect();
    Drawn { yaml, alerts }
}

/// Time intervals that hold, or do not hold, for the minutes of a test around now.
fn intervals(now: &Zoned) -> Vec<(&'static str, String)> {
    let day = |days: i64| {
        now.saturating_add(jiff::Span::new().days(days)).strftime("%A").to_string().to_lowercase()
    };
    let hour = i64::from(now.hour());
    // Not within an hour of either end.
    let around = format!("{:02}:00", (hour - 1).max(0))..format!("{:02}:00", (hour + 2).min(24));
    let before =
        if hour >= 3 { ("00:00", format!("{:02}:30", hour - 2)) } else { ("12:00", "13:30".to_owned()) };
    vec![
        ("always", "{times: [{start_time: '00:00', end_time: '24:00'}]}".to_owned()),
        ("never", "{years: ['2000:2020']}".to_owned()),
        ("days", format!("{{weekdays: [{}, {}, {}]}}", day(-1), day(0), day(1))),
        ("other-days", format!("{{weekdays: [{}, {}], months: ['1:12']}}", day(3), day(-3))),
        ("month", "{days_of_month: ['-31:-1'], months: ['january:december']}".to_owned()),
        ("hours", format!("{{times: [{{start_time: '{}', end_time: '{}'}}]}}", around.start, around.end)),
        ("earlier", format!("{{times: [{{start_time: '{}', end_time: '{}'}}]}}", before.0, before.1)),
    ]
}

impl Draw {
    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.rng.below(all.len() as u64)).expect("an index")]
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.rng.below(count) == 0
    }

    /// One to three labels without repetition; a value may be empty.
    fn alert(&mut self) -> Labels {
        let mut labels = Labels::new();
        labels.insert("alertname".to_owned(), self.one_of(&VALUES).to_owned());
        for name in &NAMES[1..] {
            if !self.one_in(3) {
                labels.insert((*name).to_owned(), self.one_of(&VALUES).to_owned());
            }
        }
        labels
    }

    /// Matchers in one of the notations, for the keys `matchers`, `match` and `match_re` behind a prefix.
    fn matchers(&mut self, to: &mut String, prefix: &str, indent: &str) {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let name = self.one_of(&NAMES);
        match self.rng.below(4) {
            0 => {
                let _ = writeln!(to, "{indent}{prefix}match: {{{name}: {}}}", quoted(self.one_of(&VALUES)));
            }
            1 => {
                let _ =
                    writeln!(to, "{indent}{prefix}match_re: {{{name}: {}}}", quoted(self.one_of(&PATTERNS)));
            }
            _ => {
                let mut all = Vec::new();
                for _ in 0..=self.rng.below(2) {
                    let name = self.one_of(&NAMES);
                    let operator = self.one_of(&["=", "!=", "=~", "!~"]);
                    let value =
                        if operator.contains('~') { self.one_of(&PATTERNS) } else { self.one_of(&VALUES) };
                    // Quotes and backslashes are escaped in the matcher, and again in YAML.
                    let space = if self.one_in(2) { " " } else { "" };
                    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
                    all.push(quoted(&format!("{name}{space}{operator}{space}\"{escaped}\"")));
                }
                let _ = writeln!(to, "{indent}{prefix}matchers: [{}]", all.join(", "));
            }
        }
    }

    fn grouping(&mut self, to: &mut String, indent: usize) {
        let grouping = self.one_of(&["", "[alertname]", "['...']", "[team, job]", "[]"]);
        if !grouping.is_empty() {
            let _ = writeln!(to, "{:indent$}group_by: {grouping}", "");
        }
    }

    fn routes(&mut self, to: &mut String, indent: usize, depth: u32) {
        let count = self.rng.below(if depth == 0 { 4 } else { 3 }) + u64::from(depth == 0);
        if count == 0 {
            return;
        }
        let _ = writeln!(to, "{:indent$}routes:", "");
        for _ in 0..count {
            let _ = writeln!(to, "{:indent$}  - continue: {}", "", self.one_in(2));
            let inner = indent + 4;
            self.matchers(to, "", &" ".repeat(inner));
            if !self.one_in(4) {
                let _ = writeln!(to, "{:inner$}receiver: {}", "", self.one_of(&RECEIVERS));
            }
            self.grouping(to, inner);
            if self.one_in(4) {
                let key = self.one_of(&["mute_time_intervals", "active_time_intervals"]);
                let intervals = self.intervals.clone();
                let _ = writeln!(to, "{:inner$}{key}: [{}]", "", self.one_of(&intervals));
            }
            if depth < 2 {
                self.routes(to, inner, depth + 1);
            }
        }
    }

    fn inhibit_rule(&mut self, to: &mut String) {
        let equal = self.one_of(&["[]", "[team]", "[team, job]", "[none]"]);
        let _ = writeln!(to, "  - equal: {equal}");
        self.matchers(to, "source_", "    ");
        self.matchers(to, "target_", "    ");
    }
}
