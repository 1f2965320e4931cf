//! Patterns of paths as Prometheus and Alertmanager have them, which are Go's: `*` for any characters, `?` for one, `[a-z]` and
//! `[^a-z]` for one of a set, `\` before a character that means itself; none of them matches `/`.
//! Source: <https://pkg.go.dev/path/filepath#Match>.

use std::path::Path;
use std::{fs, io};

/// One step of a pattern.
enum Part {
    Star,
    Any,
    /// Whether it is the characters outside the ranges.
    Set(bool, Vec<(char, char)>),
    Only(char),
}

/// Why no path can match a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a pattern: a `[` without its `]`, an empty set or a `\\` at the end")]
pub struct BadPattern;

fn parts(pattern: &str) -> Result<Vec<Part>, BadPattern> {
    let mut rest = pattern.chars().peekable();
    let mut parts = Vec::new();
    while let Some(character) = rest.next() {
        parts.push(match character {
            '*' => Part::Star,
            '?' => Part::Any,
            '\\' => Part::Only(rest.next().ok_or(BadPattern)?),
            '[' => {
                let outside = rest.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                while ranges.is_empty() || rest.next_if_eq(&']').is_none() {
                    let from = member(&mut rest)?;
                    let to = if rest.next_if_eq(&'-').is_some() { member(&mut rest)? } else { from };
                    ranges.push((from, to));
                }
                Part::Set(outside, ranges)
            }
            other => Part::Only(other),
        });
    }
    Ok(parts)
}

/// A character of a set.
fn member(rest: &mut impl Iterator<Item = char>) -> Result<char, BadPattern> {
    match rest.next().ok_or(BadPattern)? {
        '-' | ']' => Err(BadPattern),
        '\\' => rest.next().ok_or(BadPattern),
        other => Ok(other),
    }
}

/// Whether a name, one without `/`, matches a pattern without one. A name that begins with a dot is matched like any other.
fn matches(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let (pattern, name): (Vec<Part>, Vec<char>) = (parts(pattern)?, name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last star was and how much of the name it has taken: more when the rest does not fit.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let fits = match pattern.get(p) {
            Some(Part::Star) => {
                star = Some((p, n));
                p += 1;
                continue;
            }
            Some(Part::Any) => true,
            Some(Part::Only(only)) => *only == name[n],
            Some(Part::Set(outside, ranges)) => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&name[n])) != *outside
            }
            None => false,
        };
        match star {
            _ if fits => {
                p += 1;
                n += 1;
            }
            Some((at, taken)) => {
                star = Some((at, taken + 1));
                p = at + 1;
                n = taken + 1;
            }
            None => return Ok(false),
        }
    }
    Ok(pattern[p..].iter().all(|part| matches!(part, Part::Star)))
}

/// Whether it can be a pattern at all.
pub fn check(pattern: &str) -> Result<(), BadPattern> {
    parts(pattern).map(|_| ())
}

/// The files below `dir` that match, relative and sorted.
pub fn files(dir: &Path, pattern: &str) -> io::Result<Vec<String>> {
    let mut found = vec![String::new()];
    let names: Vec<&str> = pattern.split('/').filter(|name| !name.is_empty()).collect();
    for (at, name) in names.iter().enumerate() {
        let last = at + 1 == names.len();
        let mut deeper = Vec::new();
        for folder in &found {
            let path = dir.join(folder);
            for entry in fs::read_dir(&path)? {
                let entry = entry?;
                let (path, entry) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
                let fits = matches(name, &entry)
                    .map_err(|error| io::Error::other(format!("`{pattern}` {error}")))?;
                if fits && if last { path.is_file() } else { path.is_dir() } {
                    deeper.push(if folder.is_empty() { entry } else { format!("{folder}/{entry}") });
                }
            }
        }
        found = deeper;
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_go() {
        for (pattern, name, expected) in [
            ("*.yml", "api.yml", true),
            ("*.yml", "api.yml.bak", false),
            ("*.y*ml", "api.yaml", true),
            ("a*b*c", "axxbyybzc", true),
            ("a*b*c", "axxbyybz", false),
            ("?.yml", "a.yml", true),
            ("?.yml", "ab.yml", false),
            ("api.yml", "api.yml", true),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("[a-z]*.yml", "api.yml", true),
            ("[a-z]*.yml", "Api.yml", false),
            ("[^a-y]*.yml", "z.yml", true),
            ("[^a-y]*.yml", "api.yml", false),
            // `!` is a character like any other.
            ("[!z].yml", "z.yml", true),
            ("[!z].yml", "a.yml", false),
            ("*[0-9b]", "a1b", true),
            ("{a,b}.yml", "{a,b}.yml", true),
            (r"\*.yml", "*.yml", true),
            (r"\*.yml", "a.yml", false),
            (r"[\]x]", "]", true),
        ] {
            assert_eq!(matches(pattern, name), Ok(expected), "{pattern} {name}");
        }
        for pattern in ["[a", "[]a]", "[a-]", "[-a]", "[]", "a\\", "[a\\"] {
            assert_eq!(check(pattern), Err(BadPattern), "{pattern}");
        }
    }

    #[test]
    fn files_are_found_in_folders_that_match() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["rules/a/x.yml", "rules/b/y.yml", "rules/z.yml", "top.yml"] {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        for (pattern, expected) in [
            ("*.yml", &["top.yml"][..]),
            ("rules/*.yml", &["rules/z.yml"]),
            ("rules/[^a]/*.yml", &["rules/b/y.yml"]),
            ("rules/*/*.yml", &["rules/a/x.yml", "rules/b/y.yml"]),
            ("rules/?/x.yml", &["rules/a/x.yml"]),
            ("rules/a", &[]),
            ("none/*.yml", &[]),
        ] {
            assert_eq!(files(dir.path(), pattern).unwrap(), expected, "{pattern}");
        }
    }
}
