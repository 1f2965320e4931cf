//! A panel: a visualization of one or more queries.

/// Type of visualization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Lines over time.
    Lines,
    /// Stacked areas over time.
    Stacked,
    /// The last value as a number, with a sparkline.
    Stat,
    /// The last value on a gauge.
    Gauge,
    /// The last values as bars.
    Bars,
    /// Shares of the total.
    Pie,
    /// States over time.
    States,
    /// One row per series.
    Table,
}

/// A colour that applies from a value upwards.
pub type Step = (f64, &'static str);

/// A query and the names of its series.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    /// PromQL with variables.
    pub expr: &'static str,
    /// Name of each series, with `{{label}}` filled in.
    pub legend: &'static str,
}

/// A panel.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Its title.
    pub title: &'static str,
    /// What it shows and how to interpret it.
    pub description: &'static str,
    /// Its type of visualization.
    pub kind: Kind,
    /// Grafana's name of the unit, such as `reqps` or `percentunit`.
    pub unit: &'static str,
    /// Width in columns of 24.
    pub width: u32,
    /// Its queries.
    pub queries: Vec<Query>,
    /// Colours by value, ascending. Below the first step it is green, unless [`Panel::bad_below`] is set.
    pub steps: Vec<Step>,
    /// Colour below the first step.
    pub base: &'static str,
    /// Whether to draw the steps as lines.
    pub marked: bool,
    /// Ends of the scale.
    pub scale: (Option<f64>, Option<f64>),
    /// Texts and colours of values.
    pub words: Vec<(&'static str, &'static str, &'static str)>,
    /// Series with a fixed colour: name, colour.
    pub colors: Vec<(&'static str, &'static str)>,
    /// Hidden columns of a table.
    pub hidden: Vec<&'static str>,
}

impl Panel {
    fn new(
        kind: Kind,
        title: &'static str,
        unit: &'static str,
        width: u32,
        description: &'static str,
    ) -> Self {
        Self {
            title,
            description,
            kind,
            unit,
            width,
            queries: Vec::new(),
            steps: Vec::new(),
            base: "green",
            marked: false,
            scale: (Some(0.0), None),
            words: Vec::new(),
            colors: Vec::new(),
            hidden: Vec::new(),
        }
    }

    /// Lines over time.
    #[must_use]
    pub fn lines(title: &'static str, unit: &'static str, width: u32, description: &'static str) -> Self {
        Self::new(Kind::Lines, title, unit, width, description)
    }

    /// Stacked areas over time.
    #[must_use]
    pub fn stacked(title: &'static str, unit: &'static str, width: u32, description: &'static str) -> Self {
        Self::new(Kind::Stacked, title, unit, width, description)
    }

    /// The last value as a number.
    #[must_use]
    pub fn stat(title: &'static str, unit: &'static str, width: u32, description: &'static str) -> Self {
        Self::new(Kind::Stat, title, unit, width, description)
    }

    /// A gauge.
    #[must_use]
    pub fn gauge(title: &'static str, unit: &'static str, width: u32, description: &'static str) -> Self {
        Self::new(Kind::Gauge, title, unit, width, description)
    }

    /// One bar per series.
    #[must_use]
    pub fn bars(title: &'static str, unit: &'static str, width: u32, description: &'static str) -> Self {
        Self::new(Kind::Bars, title, unit, width, description)
    }

    /// A pie chart.
    #[must_use]
    pub fn pie(title: &'static str, unit: &'static str, width: u32, description: &'static str) -> Self {
        Self::new(Kind::Pie, title, unit, width, description)
    }

    /// States over time.
    #[must_use]
    pub fn states(title: &'static str, width: u32, description: &'static str) -> Self {
        Self::new(Kind::States, title, "none", width, description)
    }

    /// A table.
    #[must_use]
    pub fn table(title: &'static str, unit: &'static str, width: u32, description: &'static str) -> Self {
        Self::new(Kind::Table, title, unit, width, description)
    }

    /// Adds a query.
    #[must_use]
    pub fn query(mut self, legend: &'static str, expr: &'static str) -> Self {
        self.queries.push(Query { expr, legend });
        self
    }

    /// Sets colours from these values upwards, ascending.
    #[must_use]
    pub fn steps(mut self, steps: &[Step]) -> Self {
        self.steps = steps.to_vec();
        self
    }

    /// Makes it red below the first step, instead of green.
    #[must_use]
    pub fn bad_below(mut self) -> Self {
        self.base = "red";
        self
    }

    /// Draws the steps as lines.
    #[must_use]
    pub fn marked(mut self) -> Self {
        self.marked = true;
        self
    }

    /// Sets the end of the scale.
    #[must_use]
    pub fn up_to(mut self, max: f64) -> Self {
        self.scale.1 = Some(max);
        self
    }

    /// Allows a scale that does not begin at 0.
    #[must_use]
    pub fn any_sign(mut self) -> Self {
        self.scale.0 = None;
        self
    }

    /// Sets the text of a value.
    #[must_use]
    pub fn word(mut self, value: &'static str, text: &'static str, color: &'static str) -> Self {
        self.words.push((value, text, color));
        self
    }

    /// Sets the colour of a series.
    #[must_use]
    pub fn color(mut self, series: &'static str, color: &'static str) -> Self {
        self.colors.push((series, color));
        self
    }

    /// Hides columns of the table.
    #[must_use]
    pub fn hide(mut self, columns: &[&'static str]) -> Self {
        self.hidden = columns.to_vec();
        self
    }
}
