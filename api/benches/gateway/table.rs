//! The printed Markdown table.

use std::fmt;

/// A figure and its bar.
#[derive(Debug)]
struct Row {
    what: String,
    measured: String,
    bar: String,
    verdict: &'static str,
}

/// Figures in the order measured.
#[derive(Debug, Default)]
pub struct Table(Vec<Row>);

impl Table {
    /// Adds a figure that others are compared to.
    pub fn reference(&mut self, what: &str, measured: String) {
        self.add(what, measured, String::new(), "");
    }

    /// Adds a figure with an upper bar.
    pub fn at_most(&mut self, what: &str, measured: String, figure: f64, bar: f64, unit: &str) {
        self.add(what, measured, format!("≤ {bar}{unit}"), if figure <= bar { "met" } else { "missed" });
    }

    fn add(&mut self, what: &str, measured: String, bar: String, verdict: &'static str) {
        eprintln!("{what}: {measured}");
        self.0.push(Row { what: what.to_owned(), measured, bar, verdict });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| figure | measured: median (min–max) | bar | |\n| --- | --- | --- | --- |")?;
        self.0.iter().try_for_each(|Row { what, measured, bar, verdict }| {
            writeln!(f, "| {what} | {measured} | {bar} | {verdict} |")
        })
    }
}
