//! Replaces the variables of a query by values, as Grafana does before it sends the query to Prometheus.
//!
//! Source: Grafana's documentation of dashboard variables and of the Prometheus data source. A variable with several
//! values becomes an alternation of regular expressions, All becomes the "custom all value" of the variable, and a name
//! that is not a variable stays as it is.

/// Values of the variables.
#[derive(Debug, Clone)]
pub struct Values {
    /// Value of `$job`: a regular expression.
    pub job: String,
    /// Value of `$instance`: a regular expression.
    pub instance: String,
    /// Value of `$route`: a regular expression.
    pub route: String,
    /// Value of `$__rate_interval`: at least four scrapes.
    pub rate_interval: String,
    /// Value of `$__range`: the length of the time range.
    pub range: String,
}

/// The value of All in [`Values::job`], [`Values::instance`] and [`Values::route`].
pub const ALL: &str = ".+";

impl Values {
    /// All jobs and instances, at production timings, over half an hour.
    #[must_use]
    pub fn all() -> Self {
        Self {
            job: ALL.to_owned(),
            instance: ALL.to_owned(),
            route: ALL.to_owned(),
            rate_interval: "1m".to_owned(),
            range: "30m".to_owned(),
        }
    }

    fn of(&self, name: &str) -> Option<&str> {
        match name {
            "job" => Some(&self.job),
            "instance" => Some(&self.instance),
            "route" => Some(&self.route),
            "__rate_interval" => Some(&self.rate_interval),
            "__range" => Some(&self.range),
            _ => None,
        }
    }

    /// The query with all variables replaced.
    #[must_use]
    pub fn fill(&self, query: &str) -> String {
        let mut filled = String::with_capacity(query.len());
        let mut rest = query;
        while let Some(at) = rest.find('$') {
            let (before, after) = rest.split_at(at);
            filled.push_str(before);
            let braced = after.starts_with("${");
            let begin = if braced { 2 } else { 1 };
            let length = after[begin..]
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(after.len() - begin);
            let end = begin + length + usize::from(braced);
            match self.of(&after[begin..begin + length]) {
                Some(value) if !braced || after[begin + length..].starts_with('}') => {
                    filled.push_str(value);
                    rest = &after[end..];
                }
                _ => {
                    filled.push('$');
                    rest = &after[1..];
                }
            }
        }
        filled + rest
    }
}

/// A value as part of a regular expression in a PromQL string.
#[must_use]
pub fn escaped(value: &str) -> String {
    value
        .chars()
        .flat_map(|c| if r".+*?()[]{}^$|\".contains(c) { vec!['\\', '\\', c] } else { vec![c] })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_variables_only() {
        let values = Values { job: "api".into(), instance: "a|b".into(), ..Values::all() };
        for (query, expected) in [
            (r#"up{job=~"$job"}"#, r#"up{job=~"api"}"#),
            (r#"up{job=~"${job}",instance=~"$instance"}"#, r#"up{job=~"api",instance=~"a|b"}"#),
            ("rate(x[$__rate_interval])", "rate(x[1m])"),
            ("increase(x[$__range])", "increase(x[30m])"),
            (
                r#"label_replace(x, "class", "${1}xx", "status", "(.)..")"#,
                r#"label_replace(x, "class", "${1}xx", "status", "(.)..")"#,
            ),
            ("$jobs ${job", "$jobs ${job"),
            ("$", "$"),
        ] {
            assert_eq!(values.fill(query), expected, "{query}");
        }
    }

    #[test]
    fn escapes_regular_expressions() {
        assert_eq!(escaped("127.0.0.1:8000"), r"127\\.0\\.0\\.1:8000");
    }
}
