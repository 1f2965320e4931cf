//! A dashboard: its title, its variables and its rows of panels.

use crate::panel::Panel;

/// A dashboard.
#[derive(Debug, Clone)]
pub struct Dashboard {
    /// Part of its address, `/d/UID`; must not change, because alerts and people link to it.
    pub uid: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it shows, in one or two sentences.
    pub description: &'static str,
    /// Refresh interval, such as `10s`.
    pub refresh: &'static str,
    /// Start of the time range, such as `now-30m`.
    pub from: &'static str,
    /// The series whose `job` and `instance` labels the variables offer.
    pub offered: &'static str,
    /// Its panels, row by row.
    pub rows: Vec<Row>,
}

/// Panels side by side below a heading. Their widths add up to 24.
#[derive(Debug, Clone)]
pub struct Row {
    /// The heading, or an empty text.
    pub title: &'static str,
    /// Height of its panels, in units of about 38 pixels.
    pub height: u32,
    /// From left to right.
    pub panels: Vec<Panel>,
}

impl Dashboard {
    /// The name of its file.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}.json", self.uid)
    }

    /// Adds panels side by side, below a heading if it is not empty.
    #[must_use]
    pub fn row(mut self, title: &'static str, height: u32, panels: Vec<Panel>) -> Self {
        self.rows.push(Row { title, height, panels });
        self
    }
}
