//! The printed Markdown table, and medians.

use std::fmt;

/// A measurement and its target.
#[derive(Debug)]
struct Row {
    what: String,
    measured: String,
    bar: String,
    verdict: &'static str,
}

/// Measurements in order.
#[derive(Debug, Default)]
pub struct Table(Vec<Row>);

impl Table {
    /// Adds a measurement for reference.
    pub fn reference(&mut self, what: &str, measured: &str) {
        self.add(what, measured, "", "");
    }

    /// Adds a measurement with a target.
    pub fn bar(&mut self, what: &str, measured: &str, bar: &str, met: bool) {
        self.add(what, measured, bar, if met { "met" } else { "missed" });
    }

    fn add(&mut self, what: &str, measured: &str, bar: &str, verdict: &'static str) {
        eprintln!("{what}: {measured}");
        self.0.push(Row {
            what: what.to_owned(),
            measured: measured.to_owned(),
            bar: bar.to_owned(),
            verdict,
        });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| figure | measured | bar | |\n| --- | --- | --- | --- |")?;
        self.0.iter().try_for_each(|Row { what, measured, bar, verdict }| {
            writeln!(f, "| {what} | {measured} | {bar} | {verdict} |")
        })
    }
}

/// The median of at least one value.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}
