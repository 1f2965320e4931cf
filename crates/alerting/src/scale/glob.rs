//! Path patterns of Prometheus and Alertmanager, which are Go's: `*` matches any characters, `?` one, `[a-z]` and `[^a-z]` one
//! of a set, `\` escapes a character; none of them matches `/`.
//! Source: <https://pkg.go.dev/path/filepath#Match>.

use std::path::Path;
use std::{fs, io};

use regex::Regex;

/// A pattern that is invalid, so no path can match it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a pattern: it has a `[` without `]`, an empty set or a `\\` at the end")]
pub struct BadPattern;

/// The expression for a pattern without `/`, which matches names without one. Names that start with a dot are not special.
fn expression(pattern: &str) -> Result<Regex, BadPattern> {
    let mut rest = pattern.chars().peekable();
    let mut text = String::from("^(?s:");
    while let Some(character) = rest.next() {
        match character {
            '*' => text.push_str(".*"),
            '?' => text.push('.'),
            '\\' => text += &escaped(rest.next())?,
            '[' => {
                text.push_str(if rest.next_if_eq(&'^').is_some() { "[^" } else { "[" });
                loop {
                    text += &member(&mut rest)?;
                    if rest.next_if_eq(&'-').is_some() {
                        text = text + "-" + &member(&mut rest)?;
                    }
                    if rest.next_if_eq(&']').is_some() {
                        break;
                    }
                }
                text.push(']');
            }
            other => text += &escaped(Some(other))?,
        }
    }
    Regex::new(&(text + ")$")).map_err(|_| BadPattern)
}

/// Reads a character of a set.
fn member(rest: &mut impl Iterator<Item = char>) -> Result<String, BadPattern> {
    match rest.next() {
        Some('-' | ']') => Err(BadPattern),
        Some('\\') => escaped(rest.next()),
        other => escaped(other),
    }
}

fn escaped(character: Option<char>) -> Result<String, BadPattern> {
    character.map(|character| regex::escape(&character.to_string())).ok_or(BadPattern)
}

/// Checks that a pattern is valid.
pub fn check(pattern: &str) -> Result<(), BadPattern> {
    expression(pattern).map(drop)
}

/// Whether a pattern names files outside its base directory.
pub fn leads_outside(pattern: &str) -> bool {
    pattern.starts_with('/') || pattern.split('/').any(|part| part == "..")
}

/// The files below `dir` that match, relative and sorted.
pub fn files(dir: &Path, pattern: &str) -> io::Result<Vec<String>> {
    let mut found = vec![String::new()];
    let names: Vec<&str> = pattern.split('/').filter(|name| !name.is_empty()).collect();
    for (at, name) in names.iter().enumerate() {
        let last = at + 1 == names.len();
        let name = expression(name).map_err(|error| io::Error::other(format!("`{pattern}` {error}")))?;
        let mut deeper = Vec::new();
        for folder in &found {
            let path = dir.join(folder);
            for entry in fs::read_dir(&path)? {
                let entry = entry?;
                let (path, entry) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
                if name.is_match(&entry) && if last { path.is_file() } else { path.is_dir() } {
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
    fn matches_names_as_go_does() {
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
            // `!` is not special.
            ("[!z].yml", "z.yml", true),
            ("[!z].yml", "a.yml", false),
            ("*[0-9b]", "a1b", true),
            ("{a,b}.yml", "{a,b}.yml", true),
            (r"\*.yml", "*.yml", true),
            (r"\*.yml", "a.yml", false),
            (r"[\]x]", "]", true),
            (r"[.&&~^-z]", "_", true),
            ("a.c", "abc", false),
        ] {
            assert_eq!(expression(pattern).unwrap().is_match(name), expected, "{pattern} {name}");
        }
        for pattern in ["[a", "[]a]", "[a-]", "[-a]", "[]", "[z-a]", "a\\", "[a\\"] {
            assert_eq!(check(pattern), Err(BadPattern), "{pattern}");
        }
    }

    #[test]
    fn finds_files_in_matching_folders() {
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
