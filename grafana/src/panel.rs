//! A panel: a picture of one or more queries.

/// How a panel draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Lines over time.
    Lines,
    /// Areas over time, one upon the other.
    Stacked,
    /// The last value as a number, with its course behind it.
    Stat,
    /// The last value on a dial.
    Gauge,
    /// Last values as bars.
    Bars,
    /// Shares of the whole.
    Pie,
    /// States over time.
    States,
    /// A row a series.
    Table,
}

/// A colour from a value on.
pub type Step = (f64, &'static str);

/// A query and what its series are called.
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
    /// Its heading.
    pub title: &'static str,
    /// What it shows and what to make of it.
    pub description: &'static str,
    /// How it draws.
    pub kind: Kind,
    /// Grafana's name of the unit, such as `reqps` or `percentunit`.
    pub unit: &'static str,
    /// Of 24 columns.
    pub width: u32,
    /// What it asks.
    pub queries: Vec<Query>,
    /// Colours by value, ascending; below the first it is green, unless [`Panel::bad_below`] says otherwise.
    pub steps: Vec<Step>,
    /// Colour below the first step.
    pub base: &'static str,
    /// Whether the steps are also drawn as lines.
    pub marked: bool,
    /// Ends of the scale.
    pub scale: (Option<f64>, Option<f64>),
    /// Values spelled out, with a colour.
    pub words: Vec<(&'static str, &'static str, &'static str)>,
    /// Series of fixed colour: name, colour.
    pub colors: Vec<(&'static str, &'static str)>,
    /// Columns a table leaves out.
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

    /// A number.
    #[must_use]
    pub fn stat(title: &'static str, unit: &'static str, width: u32, description: &'static str) -> Self {
        Self::new(Kind::Stat, title, unit, width, description)
    }

    /// A dial.
    #[must_use]
    pub fn gauge(title: &'static str, unit: &'static str, width: u32, description: &'static str) -> Self {
        Self::new(Kind::Gauge, title, unit, width, description)
    }

    /// A bar a series.
    #[must_use]
    pub fn bars(title: &'static str, unit: &'static str, width: u32, description: &'static str) -> Self {
        Self::new(Kind::Bars, title, unit, width, description)
    }

    /// A pie.
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

    /// Asks this as well.
    #[must_use]
    pub fn ask(mut self, legend: &'static str, expr: &'static str) -> Self {
        self.queries.push(Query { expr, legend });
        self
    }

    /// Colours from these values on, ascending.
    #[must_use]
    pub fn steps(mut self, steps: &[Step]) -> Self {
        self.steps = steps.to_vec();
        self
    }

    /// Red below the first step, instead of green.
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

    /// The end of the scale.
    #[must_use]
    pub fn up_to(mut self, max: f64) -> Self {
        self.scale.1 = Some(max);
        self
    }

    /// The scale need not begin at 0.
    #[must_use]
    pub fn any_sign(mut self) -> Self {
        self.scale.0 = None;
        self
    }

    /// A value in words.
    #[must_use]
    pub fn word(mut self, value: &'static str, text: &'static str, color: &'static str) -> Self {
        self.words.push((value, text, color));
        self
    }

    /// A series of fixed colour.
    #[must_use]
    pub fn color(mut self, series: &'static str, color: &'static str) -> Self {
        self.colors.push((series, color));
        self
    }

    /// Columns the table leaves out.
    #[must_use]
    pub fn hide(mut self, columns: &[&'static str]) -> Self {
        self.hidden = columns.to_vec();
        self
    }
}
