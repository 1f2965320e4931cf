//! A dashboard: what it is called, which series its variables offer, its rows of panels.

use crate::panel::Panel;

/// A dashboard.
#[derive(Debug, Clone)]
pub struct Dashboard {
    /// Part of its address, `/d/UID`; never changes, since alerts and people link to it.
    pub uid: &'static str,
    /// Its name.
    pub title: &'static str,
    /// What it answers, in a sentence or two.
    pub description: &'static str,
    /// How often it reloads, such as `10s`.
    pub refresh: &'static str,
    /// How far back it looks, such as `now-30m`.
    pub from: &'static str,
    /// The series whose `job` and `instance` labels the variables offer.
    pub offered: &'static str,
    /// Its panels, row by row.
    pub rows: Vec<Row>,
}

/// Panels side by side below a heading. The widths of a row add up to 24.
#[derive(Debug, Clone)]
pub struct Row {
    /// The heading; empty for none.
    pub title: &'static str,
    /// Height of its panels, in units of about 38 pixels.
    pub height: u32,
    /// From left to right.
    pub panels: Vec<Panel>,
}

impl Dashboard {
    /// The file it is kept in.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}.json", self.uid)
    }

    /// Adds panels side by side, below a heading when that is not empty.
    #[must_use]
    pub fn row(mut self, title: &'static str, height: u32, panels: Vec<Panel>) -> Self {
        self.rows.push(Row { title, height, panels });
        self
    }
}
