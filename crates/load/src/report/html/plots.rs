//! The plots of the page.

use itertools::Itertools;
use maud::{Markup, html};

use crate::record::distribution::Distribution;
use crate::report::axis::Scale;
use crate::report::html::frame::{Curve, FOOT, Frame, LEFT, TOP};
use crate::report::html::steps::Steps;
use crate::report::model::Report;
use crate::report::plot::svg;

/// Height of an alert's row, including its name.
const ROW: f64 = 26.0;

/// Every plot that has data.
pub fn all(report: &Report, steps: &Steps<'_>) -> Markup {
    let plots = [rate(steps), percentiles(steps), spectrum(report), outcomes(steps), lag(steps)];
    html! { @for plot in plots { (plot) } @if !report.alerts.is_empty() { (alerts(report, steps)) } }
}

fn values(curves: &[Curve]) -> impl Iterator<Item = f64> + Clone {
    curves.iter().flat_map(|curve| curve.points.iter().filter_map(|(_, y)| *y))
}

fn figure(heading: &str, svg: &Markup, caption: &Markup) -> Markup {
    html! { figure { h2 { (heading) } (svg) figcaption { (caption) } } }
}

/// The legend of curves or areas.
fn key<'a>(filled: bool, all: impl IntoIterator<Item = (&'a str, &'a str)>) -> Markup {
    html! {
        @for (class, name) in all {
            span.key {
                svg viewBox="0 0 28 14" aria-hidden="true" {
                    @if filled { rect class={ "area " (class) } width="28" height="14" {} }
                    @else { path class={ "curve " (class) } style="stroke-width:3" d="M0 7H28" {} }
                }
                (name)
            }
        }
    }
}

fn of_curves(curves: &[Curve]) -> Markup {
    key(false, curves.iter().map(|curve| (curve.class, curve.name)))
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

fn rate(steps: &Steps<'_>) -> Markup {
    let per_second = |count: u32| Some(f64::from(count) / steps.grain);
    let mut curves = vec![
        steps.rates("sent", "a", |point| per_second(point.sent)),
        steps.rates("expected responses", "b", |point| per_second(point.expected)),
    ];
    let planned = steps.rates("planned", "planned", |point| point.planned_rate);
    if values(std::slice::from_ref(&planned)).next().is_some() {
        curves.push(planned);
    }
    let frame = steps.frame("Requests per second over time", Scale::linear(values(&curves)), short);
    figure("Requests per second", &frame.curves(&curves), &of_curves(&curves))
}

fn percentiles(steps: &Steps<'_>) -> Markup {
    let curves = [
        steps.worst("p50", "a", |point| point.response_p50_seconds),
        steps.worst("p95", "b", |point| point.response_p95_seconds),
        steps.worst("p99", "c", |point| point.response_p99_seconds),
    ];
    let frame = steps.frame("Response time over time", Scale::fitting(values(&curves)), short_latency);
    figure("Response time", &frame.curves(&curves), &of_curves(&curves))
}

fn lag(steps: &Steps<'_>) -> Markup {
    let curves = [steps.worst("pacer lag p99", "d", |point| point.pacer_lag_p99_seconds)];
    let frame = steps.frame("Pacer lag over time", Scale::fitting(values(&curves)), short_latency);
    let caption = html! { (of_curves(&curves)) "how late the generator sent requests" };
    figure("Generator lag", &frame.curves(&curves), &caption)
}

fn outcomes(steps: &Steps<'_>) -> Markup {
    let per_second = |count: u32| Some(f64::from(count) / steps.grain);
    let bars = [
        steps.rates("expected", "fgood", |point| per_second(point.expected)),
        steps.rates("unexpected", "fb", |point| per_second(point.unexpected)),
        steps.rates("errors", "fc", |point| per_second(point.errors)),
        steps.rates("shed", "fd", |point| per_second(point.shed)),
    ];
    let sums =
        (0..bars[0].points.len()).map(|at| bars.iter().filter_map(|bar| bar.points[at].1).sum::<f64>());
    let frame = steps.frame("Responses per second over time", Scale::linear(sums), short);
    figure(
        "Responses per second",
        &frame.stacks(steps.step, &bars),
        &key(true, bars.iter().map(|bar| (bar.class, bar.name))),
    )
}

/// One row per alert, on the same time axis as the other plots.
fn alerts(report: &Report, steps: &Steps<'_>) -> Markup {
    let names: Vec<&str> = report.alerts.iter().map(|span| span.alert.as_str()).unique().collect();
    let frame = steps.frame("Alerts over time", Scale::linear(std::iter::empty()), short);
    let bottom = TOP + ROW * names.len() as f64;
    let class = |state: &str| if state == "firing" { "fc" } else { "fb" };
    let body = html! {
        title { (frame.title) }
        @for (index, name) in names.iter().enumerate() {
            g transform={ "translate(0 " (TOP + ROW * index as f64) ")" } {
                text x=(LEFT) y="9" { (name) }
                @for span in report.alerts.iter().filter(|span| span.alert == *name) {
                    (frame.plane.band((span.from_seconds, span.to_seconds), 13.0, 9.0, class(&span.state), &span.state))
                }
            }
        }
        (frame.plane.marks(bottom, frame.across))
    };
    let key = key(true, ["pending", "firing"].map(|state| (class(state), state)));
    figure("Alerts", &svg(bottom + FOOT + 2.0, frame.title, &body), &key)
}

/// Latency by percentile. Each step to the right leaves a tenth of the requests.
fn spectrum(report: &Report) -> Markup {
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
    let ticks =
        ticks.into_iter().filter(|(x, _)| *x <= nines).map(|(x, words)| (x, words.to_owned())).collect();
    let frame =
        Frame::new("Latency by percentile", (nines, ticks), Scale::fitting(values(&curves)), short_latency);
    figure("Latency by percentile", &frame.curves(&curves), &of_curves(&curves))
}
