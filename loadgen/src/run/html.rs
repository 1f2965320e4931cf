//! The report as one HTML file that needs no network, readable on a telephone and in the dark.

use std::fmt::Write;
use std::time::Duration;

use super::axis::{Scale, time_ticks};
use super::distribution::Distribution;
use super::fault::Fault;
use super::human;
use super::plot::{Bar, Curve, Frame, key};
use super::point::Point;
use super::report::{Loop, Report};
use super::threshold::Threshold;
use super::verdict::Outcome;
use crate::duration;
use crate::markup::escape;

const STYLE: &str = include_str!("html/style.css");
/// The most points of a curve: as many as a narrow screen has pixels.
const POINTS: usize = 360;

/// The page.
#[must_use]
pub fn page(report: &Report) -> String {
    let name = report.pattern.as_deref().map(|name| format!("{name} · ")).unwrap_or_default();
    let title = escape(&format!("{name}{}", report.target));
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
    );
    text.push_str(&heading(report));
    text.push_str(&figures(report));
    text.push_str("<div class=\"grid\">\n");
    let steps = Steps::of(report);
    for figure in [rate(&steps), percentiles(&steps), spectrum(report), outcomes(&steps), lag(&steps)] {
        text.push_str(&figure);
    }
    text.push_str(&alerts(report, &steps));
    text.push_str("</div>\n");
    text.push_str(&tables(report));
    text.push_str("</body></html>\n");
    text
}

fn heading(report: &Report) -> String {
    let (class, words) = match Outcome::of(report) {
        Outcome::Fine => ("good", "Fine: every answer was as expected.".to_owned()),
        Outcome::Failed(why) => ("bad", format!("FAILED: {why}.")),
        Outcome::LedgerBroken(why) => ("bad", format!("FAILED: the ledger does not add up: {why}.")),
        Outcome::Threshold(which) => ("bad", format!("THRESHOLD crossed: {which}.")),
        Outcome::Invalid => ("bad", "INVALID: these figures say little about the target.".to_owned()),
        Outcome::Interrupted(signal) => ("bad", format!("Interrupted by {signal}: the report is partial.")),
    };
    let mut text = format!("<p class=\"{class}\">{}</p>\n", escape(&words));
    for cause in &report.invalid_because {
        let _ = writeln!(text, "<p class=\"bad\">{}</p>", escape(cause)); // writing to a String cannot fail, here and below
    }
    let kind = match report.r#loop {
        Loop::Open => "open loop",
        Loop::Closed => "CLOSED loop: each connection waits for its answer, which flatters the target",
    };
    let seed = report.seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
    let merged = if report.runs > 1 { format!(", {} runs merged", report.runs) } else { String::new() };
    let _ = writeln!(
        text,
        "<p class=\"soft\">{}; {kind}{seed}{merged}. {} UTC, {}, from {}.</p>",
        escape(&report.planned),
        report.started_at.strftime("%Y-%m-%d %H:%M:%S"),
        duration::format(Duration::from_secs(report.elapsed_seconds.round() as u64)),
        escape(&report.host.name)
    );
    text
}

/// Latencies and what they are held against.
fn figures(report: &Report) -> String {
    let latency = &report.latency_seconds;
    let mut text = String::from("<div class=\"scroll\"><table><tr><th></th>");
    for column in ["min", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"] {
        let _ = write!(text, "<th>{column}</th>");
    }
    text.push_str("</tr>\n");
    for (name, distribution) in [
        ("response time", &latency.response),
        ("service time", &latency.service),
        ("pacer lag", &latency.pacer_lag),
        ("connection wait", &latency.connection_wait),
    ] {
        let Distribution { min, mean, p50, p90, p95, p99, p999, max, .. } = *distribution;
        let _ = write!(text, "<tr><td>{name}</td>");
        for value in [min, mean, p50, p90, p95, p99, p999, max] {
            let _ = write!(text, "<td>{}</td>", human::latency(value));
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</table></div>\n<p class=\"soft\">Response time counts from when a request was due, service time from when it was sent.</p>\n");
    if !report.thresholds.is_empty() {
        text.push_str("<div class=\"scroll\"><table><tr><th>threshold</th><th>is</th><th></th></tr>\n");
        for held in &report.thresholds {
            let value = held
                .threshold
                .parse::<Threshold>()
                .map_or_else(|_| String::new(), |t| t.readable(held.value));
            let (class, word) = if held.ok { ("good", "kept") } else { ("bad", "crossed") };
            let threshold = escape(&held.threshold);
            let _ = writeln!(
                text,
                "<tr><td>{threshold}</td><td>{value}</td><td class=\"{class}\">{word}</td></tr>"
            );
        }
        text.push_str("</table></div>\n");
    }
    text
}

/// The series in as many steps as can be seen.
struct Steps<'a> {
    /// Each with the points that fall into it; empty where the runs that were merged leave a gap.
    steps: Vec<(f64, &'a [Point])>,
    /// Seconds each stands for.
    step: f64,
    /// Seconds the axis is long.
    length: f64,
    /// Seconds each point stands for.
    grain: f64,
}

impl<'a> Steps<'a> {
    fn of(report: &'a Report) -> Self {
        let points = &report.series;
        let grain = f64::from(report.series_step_seconds.max(1));
        let last = points.last().map_or(0.0, |point| f64::from(point.at_seconds) + grain);
        let many = (last / grain / POINTS as f64).ceil().max(1.0);
        let step = many * grain;
        let mut rest = points.as_slice();
        let count = (last / step).ceil() as u32;
        let steps = (0..count)
            .map(|index| {
                let end = f64::from(index + 1) * step;
                let within = rest.partition_point(|point| f64::from(point.at_seconds) < end);
                let (these, others) = rest.split_at(within);
                rest = others;
                (f64::from(index) * step, these)
            })
            .collect();
        Self { steps, step, length: last.max(1.0), grain }
    }

    /// A mean rate per second over each step.
    fn rates(&self, name: &'static str, class: &'static str, of: impl Fn(&Point) -> Option<f64>) -> Curve {
        let mean = |points: &[Point]| {
            let sum: Option<f64> = points.iter().map(&of).sum();
            sum.filter(|_| !points.is_empty()).map(|sum| sum / points.len() as f64)
        };
        let points = self.steps.iter().map(|&(at, points)| (at, mean(points))).collect();
        Curve { name, class, points }
    }

    /// The worst of each step.
    fn worst(&self, name: &'static str, class: &'static str, of: impl Fn(&Point) -> Option<f64>) -> Curve {
        let worst = |points: &[Point]| points.iter().filter_map(&of).reduce(f64::max);
        let points = self.steps.iter().map(|&(at, points)| (at, worst(points))).collect();
        Curve { name, class, points }
    }

    fn frame(&self, title: &'static str, y: Scale, words: impl Fn(f64) -> String) -> Frame {
        let ticks = time_ticks(self.length);
        let time = |seconds: f64| duration::format(Duration::from_secs_f64(seconds));
        Frame {
            x: Scale { low: 0.0, high: self.length, log: false },
            y,
            x_ticks: ticks.into_iter().map(|tick| (tick, time(tick))).collect(),
            y_ticks: y.ticks().into_iter().map(|tick| (tick, words(tick))).collect(),
            title,
        }
    }
}

fn values(curves: &[Curve]) -> impl Iterator<Item = f64> + Clone {
    curves.iter().flat_map(|curve| curve.points.iter().filter_map(|(_, y)| *y))
}

fn figure(heading: &str, svg: &str, caption: &str) -> String {
    format!("<figure><h2>{heading}</h2>{svg}<figcaption>{caption}</figcaption></figure>\n")
}

fn short(number: f64) -> String {
    match number {
        n if n >= 1e6 => format!("{}M", n / 1e6),
        n if n >= 1e4 => format!("{}k", n / 1e3),
        n => format!("{}", (n * 1e3).round() / 1e3),
    }
}

fn short_latency(seconds: f64) -> String {
    let (number, unit) = match seconds {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s if s > 0.0 => (s * 1e6, "µs"),
        _ => return "0".to_owned(),
    };
    format!("{}{unit}", (number * 1e3).round() / 1e3)
}

fn rate(steps: &Steps<'_>) -> String {
    let per_second = |count: u32| Some(f64::from(count) / steps.grain);
    let mut curves = vec![
        steps.rates("sent", "a", |point| per_second(point.sent)),
        steps.rates("answered as expected", "b", |point| per_second(point.expected)),
    ];
    let planned = steps.rates("planned", "planned", |point| point.planned_rate);
    if values(std::slice::from_ref(&planned)).next().is_some() {
        curves.push(planned);
    }
    let frame = steps.frame("Requests per second over time", Scale::straight(values(&curves)), short);
    figure("Requests per second", &frame.curves(&curves), &key(&curves, false))
}

fn percentiles(steps: &Steps<'_>) -> String {
    let curves = [
        steps.worst("p50", "a", |point| point.response_p50_seconds),
        steps.worst("p95", "b", |point| point.response_p95_seconds),
        steps.worst("p99", "c", |point| point.response_p99_seconds),
    ];
    let frame = steps.frame("Response time over time", Scale::fitting(values(&curves)), short_latency);
    figure("Response time", &frame.curves(&curves), &key(&curves, false))
}

fn lag(steps: &Steps<'_>) -> String {
    let curves = [steps.worst("pacer lag p99", "d", |point| point.pacer_lag_p99_seconds)];
    let frame = steps.frame("Pacer lag over time", Scale::fitting(values(&curves)), short_latency);
    let caption = key(&curves, false) + "how late the generator itself was";
    figure("The generator's own lag", &frame.curves(&curves), &caption)
}

fn outcomes(steps: &Steps<'_>) -> String {
    let per_second = |count: u32| Some(f64::from(count) / steps.grain);
    let bars = [
        steps.rates("expected", "fgood", |point| per_second(point.expected)),
        steps.rates("unexpected", "fb", |point| per_second(point.unexpected)),
        steps.rates("errors", "fc", |point| per_second(point.errors)),
        steps.rates("shed", "fd", |point| per_second(point.shed)),
    ];
    let sums =
        (0..bars[0].points.len()).map(|at| bars.iter().filter_map(|bar| bar.points[at].1).sum::<f64>());
    let frame = steps.frame("Answers per second over time", Scale::straight(sums), short);
    figure("Answers per second", &frame.stacks(steps.step, &bars), &key(&bars, true))
}

/// A row for each alert, on the time axis of the other plots.
fn alerts(report: &Report, steps: &Steps<'_>) -> String {
    if report.alerts.is_empty() {
        return String::new();
    }
    let mut names: Vec<&str> = Vec::new();
    report.alerts.iter().for_each(|span| {
        if !names.contains(&span.alert.as_str()) {
            names.push(&span.alert);
        }
    });
    let row = |name: &str| {
        let spans = report.alerts.iter().filter(|span| span.alert == name);
        let bars = spans.map(|span| Bar {
            class: if span.state == "firing" { "fc" } else { "fb" },
            from: span.from_seconds,
            to: span.to_seconds,
        });
        (escape(name), bars.collect())
    };
    let rows: Vec<(String, Vec<Bar>)> = names.into_iter().map(row).collect();
    let frame = steps.frame("Alerts over time", Scale::straight(std::iter::empty()), short);
    let curve = |name, class| Curve { name, class, points: Vec::new() };
    let caption = key(&[curve("pending", "fb"), curve("firing", "fc")], true);
    figure("Alerts", &frame.rows(&rows), &caption)
}

/// Latency by percentile; equal steps across are ten times fewer requests beyond.
fn spectrum(report: &Report) -> String {
    let latency = &report.latency_seconds;
    let most = latency.response.count.max(10) as f64;
    let nines = most.log10().clamp(1.0, 7.0);
    let curve = |name, class, distribution: &Distribution| {
        let histogram = distribution.histogram().ok().filter(|histogram| !histogram.is_empty());
        let points = histogram.map(|histogram| {
            let steps = 0..=200;
            let at = steps.map(|step| nines * f64::from(step) / 200.0);
            let value = |x: f64| histogram.value_at_quantile(1.0 - 10_f64.powf(-x)) as f64 / 1e9;
            at.map(|x| (x, Some(value(x)))).collect()
        });
        Curve { name, class, points: points.unwrap_or_default() }
    };
    let curves =
        [curve("response time", "a", &latency.response), curve("service time", "b", &latency.service)];
    let y = Scale::fitting(values(&curves));
    let ticks = [
        (0.0, "0"),
        (std::f64::consts::LOG10_2, "50"),
        (1.0, "90"),
        (2.0, "99"),
        (3.0, "99.9"),
        (4.0, "99.99"),
        (5.0, "99.999"),
        (6.0, "99.9999"),
    ];
    let frame = Frame {
        x: Scale { low: 0.0, high: nines, log: false },
        y,
        x_ticks: ticks
            .into_iter()
            .filter(|(x, _)| *x <= nines)
            .map(|(x, words)| (x, words.to_owned()))
            .collect(),
        y_ticks: y.ticks().into_iter().map(|tick| (tick, short_latency(tick))).collect(),
        title: "Latency by percentile",
    };
    figure("Latency by percentile", &frame.curves(&curves), &key(&curves, false))
}

/// Where the arrivals went, answers by status, errors by kind.
fn tables(report: &Report) -> String {
    let ledger = &report.ledger;
    let mut rows = vec![
        ("scheduled".to_owned(), ledger.scheduled),
        ("= expected".to_owned(), ledger.expected),
        ("+ unexpected".to_owned(), ledger.unexpected),
        ("+ transport errors".to_owned(), ledger.transport_errors),
        ("+ local errors".to_owned(), ledger.local_errors),
        ("+ shed".to_owned(), ledger.shed),
        ("+ unfinished".to_owned(), ledger.unfinished),
    ];
    let mut text = String::from("<div class=\"grid\">\n");
    text.push_str(&counts("Where the requests went", &rows, ledger.scheduled));
    rows = report.statuses.iter().map(|(status, count)| (format!("status {status}"), *count)).collect();
    rows.extend(
        Fault::ALL
            .iter()
            .filter_map(|fault| Some((fault.meaning().to_owned(), *report.errors.get(fault.name())?))),
    );
    text.push_str(&counts("Statuses and errors", &rows, ledger.scheduled));
    text.push_str("</div>\n");
    text
}

fn counts(heading: &str, rows: &[(String, u64)], whole: u64) -> String {
    let mut text = format!("<section><h2>{heading}</h2><div class=\"scroll\"><table>\n");
    for (name, count) in rows {
        let _ = writeln!(
            text,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(name),
            human::count(*count),
            human::share(*count, whole)
        );
    }
    text + "</table></div></section>\n"
}
