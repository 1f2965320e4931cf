//! The tables of a Markdown document, for tests that compare them with the program.

use std::path::Path;

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    /// The nearest heading above it, without `#`.
    pub heading: String,
    /// Its rows without the header.
    pub rows: Vec<Vec<String>>,
}

/// Every table of a document, whose path is relative to the repository.
pub fn tables(repository: &Path, document: &str) -> Vec<Table> {
    let path = repository.join(document);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut found: Vec<Table> = Vec::new();
    let (mut heading, mut inside, mut in_code) = (String::new(), false, false);
    for line in text.lines() {
        in_code ^= line.trim_start().starts_with("```");
        if in_code {
            continue;
        }
        if line.starts_with('#') {
            heading = line.trim_start_matches('#').trim().to_owned();
        }
        let row = line.strip_prefix('|').and_then(|line| line.trim_end().strip_suffix('|'));
        match (row, inside) {
            (None, _) => inside = false,
            (Some(_), false) => {
                inside = true;
                found.push(Table { heading: heading.clone(), rows: Vec::new() });
            }
            (Some(row), true) if !row.trim().starts_with("---") => {
                let cells = row.split('|').map(|cell| cell.trim().to_owned()).collect();
                found.last_mut().unwrap().rows.push(cells);
            }
            (Some(_), true) => {}
        }
    }
    found
}

/// The rows of every table under this heading.
pub fn rows_under(repository: &Path, document: &str, heading: &str) -> Vec<Vec<String>> {
    let all = tables(repository, document);
    let rows: Vec<_> = all.into_iter().filter(|it| it.heading == heading).flat_map(|it| it.rows).collect();
    assert!(!rows.is_empty(), "{document} has no table under `{heading}`");
    rows
}

/// The code spans of a cell.
pub fn codes(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
