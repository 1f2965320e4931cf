//! A YAML file as a tree with the position of each scalar in the text.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::document::report::ScaleError;
use granit_parser::{Event, Parser, Span, StructureStyle};

/// Maximum depth, above that of any real configuration, so that no file can exhaust the stack.
const MAX_DEPTH: usize = 64;
/// Maximum number of nodes, so that nested aliases cannot exhaust the memory.
const MAX_NODES: usize = 500_000;

/// The spellings of null.
const NULLS: [&str; 5] = ["", "~", "null", "Null", "NULL"];

/// A node and its position.
#[derive(Debug, Clone)]
pub struct Node {
    /// Line number, from 1.
    pub line: usize,
    /// Bytes of a scalar in the text, quotes included; for lists and maps the position of their start.
    pub span: Range<usize>,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// A scalar: the unquoted value, and whether it was written without quotes.
    Scalar {
        value: String,
        plain: bool,
    },
    List(Vec<Node>),
    /// A map, in file order. `flow`: written as `{…}`.
    Map {
        entries: Vec<(String, Node)>,
        flow: bool,
    },
}

impl Node {
    /// The value under a key of a map.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The entries of a map; empty for other nodes.
    pub fn entries(&self) -> &[(String, Node)] {
        match &self.kind {
            Kind::Map { entries, .. } => entries,
            _ => &[],
        }
    }

    /// Whether the node is a map, which may be empty.
    pub fn is_map(&self) -> bool {
        matches!(self.kind, Kind::Map { .. })
    }

    /// The items of a list; `None` for other nodes.
    pub fn items(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    /// The value of a scalar; `None` for other nodes.
    pub fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { value, .. } => Some(value),
            _ => None,
        }
    }

    /// Calls `show` for every scalar below, with its key (or that of the list it is in) and its field.
    pub fn scalars(
        &self,
        key: &str,
        field: &str,
        show: &mut dyn FnMut(&str, &str, &Node) -> Result<(), ScaleError>,
    ) -> Result<(), ScaleError> {
        match &self.kind {
            Kind::Map { entries, .. } => {
                entries.iter().try_for_each(|(key, value)| value.scalars(key, &join(field, key), show))
            }
            Kind::List(items) => items
                .iter()
                .enumerate()
                .try_for_each(|(at, item)| item.scalars(key, &element(field, None, at), show)),
            Kind::Scalar { .. } => show(key, field, self),
        }
    }

    /// Whether the node is null: `null`, or a key without a value.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { value, plain: true } if NULLS.contains(&value.as_str()))
    }
}

/// Parses a text with one document. An empty second document, which a `---` at the end starts, is ignored.
///
/// # Errors
/// Line number and reason.
pub fn parse(text: &str) -> Result<Node, (usize, String)> {
    let mut reader = Reader { text, events: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0 };
    let mut root = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::DocumentStart(..) => {
                let line = span.start.line();
                let (event, span) = reader.next()?;
                let node = reader.node(event, span, 0)?;
                match root {
                    None => root = Some(node),
                    Some(_) if node.is_null() => {}
                    Some(_) => {
                        return Err((line, "second document (`---`): use one file per document".to_owned()));
                    }
                }
            }
            _ => {}
        }
    }
    root.ok_or_else(|| (1, "empty: expected a map".to_owned()))
}

/// Whether a text consists of blanks and comments only.
pub fn is_empty(text: &str) -> bool {
    text.lines()
        .map(str::trim_start)
        .all(|line| line.is_empty() || line.starts_with('#') || line.trim_end() == "---")
}

struct Reader<'a> {
    text: &'a str,
    events: Parser<'a, granit_parser::StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    /// The next event that is data rather than presentation.
    fn next(&mut self) -> Result<(Event<'a>, Span), (usize, String)> {
        loop {
            match self.events.next() {
                None => return Ok((Event::StreamEnd, Span::default())),
                Some(Err(error)) => return Err((error.marker().line(), error.info().to_owned())),
                Some(Ok((event, span))) if is_data(&event) => return Ok((event, span)),
                Some(Ok(_)) => {}
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, (usize, String)> {
        let line = span.start.line();
        self.count(1, depth, line)?;
        let (anchor, kind) = match event {
            Event::Alias(id) => {
                let target = self.anchors.get(&id).cloned();
                let target =
                    target.ok_or_else(|| (line, "an alias refers to a node that contains it".to_owned()))?;
                self.count(size(&target), depth, line)?;
                return Ok(target);
            }
            Event::Scalar(value, style, anchor, _) => {
                let plain = style == granit_parser::ScalarStyle::Plain;
                (anchor, Kind::Scalar { value: value.into_owned(), plain })
            }
            Event::SequenceStart(_, anchor, _) => (anchor, Kind::List(self.list(depth)?)),
            Event::MappingStart(style, anchor, _) => {
                (anchor, Kind::Map { entries: self.map(depth)?, flow: style == StructureStyle::Flow })
            }
            _ => return Err((line, "expected a value".to_owned())),
        };
        let span_bytes = span.byte_range().ok_or_else(|| (line, "position unknown".to_owned()))?;
        let node = Node { line, span: span_bytes, kind };
        if anchor > 0 {
            self.count(size(&node), depth, line)?; // nested anchors hold a copy of the same nodes each
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn count(&mut self, nodes: usize, depth: usize, line: usize) -> Result<(), (usize, String)> {
        self.nodes += nodes;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            return Err((line, "nested too deeply or too large".to_owned()));
        }
        Ok(())
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, (usize, String)> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<(String, Node)>, (usize, String)> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        let mut names: HashSet<String> = HashSet::new();
        let mut merged = Vec::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, _) => break,
                (event, span) => self.node(event, span, depth + 1)?,
            };
            let (event, span) = self.next()?;
            let mut value = self.node(event, span, depth + 1)?;
            if value.is_null() && value.span.is_empty() {
                // The parser places an empty value at the next token; an edit must write it after the colon.
                let colon = self.text[key.span.end..].find(':').map(|at| key.span.end + at + 1);
                value.span = colon.map_or(value.span, |at| at..at);
            }
            match key.kind {
                Kind::Scalar { value: name, plain: true } if name == "<<" => merged.push(value),
                Kind::Scalar { value: name, .. } if names.insert(name.clone()) => entries.push((name, value)),
                Kind::Scalar { value: name, .. } => {
                    return Err((key.line, format!("duplicate key `{name}`")));
                }
                _ => return Err((key.line, "expected a key before the colon".to_owned())),
            }
        }
        // Merge keys (`<<: *defaults`) add the entries that the map does not have itself.
        for value in merged {
            let sources = match value.kind {
                Kind::List(items) => items,
                _ => vec![value],
            };
            for (name, node) in sources.iter().flat_map(Node::entries) {
                if names.insert(name.clone()) {
                    entries.push((name.clone(), node.clone()));
                }
            }
        }
        Ok(entries)
    }
}

/// Whether an event is data; comments and the like are not.
fn is_data(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::Alias(_)
            | Event::Scalar(..)
            | Event::SequenceStart(..)
            | Event::SequenceEnd
            | Event::MappingStart(..)
            | Event::MappingEnd
    )
}

fn size(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::Scalar { .. } => 0,
        Kind::List(items) => items.iter().map(size).sum(),
        Kind::Map { entries, .. } => entries.iter().map(|(_, node)| size(node)).sum(),
    }
}

/// Joins `a` and `b` to `a.b`, and `` and `b` to `b`.
pub fn join(field: &str, key: &str) -> String {
    if field.is_empty() { key.to_owned() } else { format!("{field}.{key}") }
}

/// Formats `list[name]`, or `list[2]` (from 0) for an item without a name.
pub fn element(list: &str, name: Option<&Node>, at: usize) -> String {
    match name.and_then(Node::scalar) {
        Some(name) => format!("{list}[{name}]"),
        None => format!("{list}[{at}]"),
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
