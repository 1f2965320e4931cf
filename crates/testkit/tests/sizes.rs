//! Rules without a lint that keep the workspace readable: small folders, and errors that can be matched.

#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Maximum number of source files in one folder.
const FILES: usize = 15;
/// Maximum number of `Result<_, String>` in the workspace.
const STRING_ERRORS: usize = 30;

/// Every Rust file below a `src` of the workspace, relative to its root, with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") {
                let short = path.strip_prefix(root).unwrap();
                if short.iter().any(|part| part == "src") {
                    found.push((short.to_owned(), fs::read_to_string(&path).unwrap()));
                }
            }
        }
    }
    assert!(found.len() > 100, "the workspace was not read: {} files", found.len());
    found
}

/// The positions of `Result<_, String>` in a text, with any type in place of the underscore.
fn string_errors(text: &str) -> Vec<usize> {
    let is_one = |at: &usize| {
        let inside = &text[at + "Result<".len()..];
        let mut depth = 0_i32;
        for (index, sign) in inside.char_indices() {
            match sign {
                // The arrow of a closure type is not a closing bracket.
                '>' if inside[..index].ends_with('-') => {}
                '<' | '(' | '[' => depth += 1,
                '>' | ')' | ']' if depth > 0 => depth -= 1,
                ',' if depth == 0 => {
                    let error = inside[index + 1..].trim_start();
                    return error
                        .strip_prefix("String")
                        .is_some_and(|rest| rest.trim_start_matches([',', '\n', ' ']).starts_with('>'));
                }
                '>' => return false,
                _ => {}
            }
        }
        false
    };
    text.match_indices("Result<").map(|(at, _)| at).filter(is_one).collect()
}

/// Whether this position is in the signature of a function that other files may call.
fn in_public_signature(text: &str, at: usize) -> bool {
    let Some(begin) = text[..at].rfind("fn ") else { return false };
    let line = text[..begin].rfind('\n').map_or(0, |end| end + 1);
    let body = text[begin..at].contains(['{', ';']);
    !body && text[line..begin].trim_start().starts_with("pub")
}

#[test]
fn folders_can_be_held_in_mind() {
    let mut folders: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for (path, _) in sources() {
        *folders.entry(path.parent().unwrap().to_owned()).or_default() += 1;
    }
    folders.retain(|_, files| *files > FILES);
    assert!(folders.is_empty(), "more than {FILES} source files: {folders:?}");
}

#[test]
fn errors_are_types_where_others_meet_them() {
    let mut all = 0;
    let mut public = Vec::new();
    for (path, text) in sources() {
        let found = string_errors(&text);
        all += found.len();
        for at in found.into_iter().filter(|at| in_public_signature(&text, *at)) {
            public.push(format!("{}:{}", path.display(), text[..at].lines().count()));
        }
    }
    assert!(public.is_empty(), "Result<_, String> in {} public signatures: {public:#?}", public.len());
    assert!(all <= STRING_ERRORS, "{all} times Result<_, String>, at most {STRING_ERRORS}");
}

#[test]
fn string_errors_are_recognised() {
    for (text, found, public) in [
        ("pub fn a(b: u8) -> Result<(), String> {", 1, true),
        ("    pub(super) async fn a(\n        b: u8,\n    ) -> Result<Vec<(u8, u8)>, String> {", 1, true),
        ("fn a() -> Result<BTreeMap<u8, [u8; 2]>, String> {", 1, false),
        ("pub fn a() {\n    let b = |c: u8| -> Result<u8, String> { Ok(c) };", 1, false),
        ("pub fn a() -> Result<String, Error> {", 0, false),
        ("pub fn a() -> Result<u8> { Ok(b(c, String::new())) }", 0, false),
        ("pub fn a() -> Result<Box<dyn Fn(u8) -> u8>, String>", 1, true),
    ] {
        let at = string_errors(text);
        assert_eq!((at.len(), at.iter().any(|at| in_public_signature(text, *at))), (found, public), "{text}");
    }
}
