//! Text with placeholders that are filled in for each request: `/api/users/{{take user}}`, `"w-{{n 200}}"`.

mod place;
mod read;
mod value;

use crate::error::LoadError;
pub use crate::spec::template::place::Place;
pub use crate::spec::template::read::{WORDS, is_name};
pub use crate::spec::template::value::{Moment, Value};

/// A sequence of text and placeholders.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(Vec<Part>);

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Literal text.
    Text(String),
    /// A placeholder.
    Value(Value),
}

impl Template {
    /// Parses text that may contain `{{…}}`.
    ///
    /// # Errors
    /// When a placeholder is invalid; the error names it and what was expected.
    pub fn parse(text: &str) -> Result<Self, LoadError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            let (inside, after) = behind
                .split_once("}}")
                .ok_or_else(|| LoadError::Spec(format!("`{{{{{behind}` is not closed: expected `}}}}`")))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Value(Value::read(inside)?));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Literal text without placeholders.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }

    /// Its parts, in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The names of the captured values it needs.
    pub fn needs(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Value(Value::Captured { name, .. }) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The text with a 0 in place of every placeholder.
    #[must_use]
    pub fn sample(&self) -> String {
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Value(_) => "0".to_owned(),
        };
        self.0.iter().map(text).collect()
    }

    /// For JSON text: removes the quotes around a string that is only a number, so that `"{{int 1 6}}"` becomes 4.
    #[must_use]
    pub fn with_bare_numbers(mut self) -> Self {
        for at in 1..self.0.len().saturating_sub(1) {
            let [Part::Text(before), Part::Value(value), Part::Text(after)] = &mut self.0[at - 1..=at + 1]
            else {
                continue;
            };
            if value.is_number()
                && before.ends_with('"')
                && !before.ends_with("\\\"")
                && after.starts_with('"')
            {
                before.pop();
                after.remove(0);
            }
        }
        self
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
