//! Every link of a document has a target, and the site has every document.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use process::program::repository;

/// Folders that are generated, or not part of the repository.
const LEFT_OUT: [&str; 3] = ["target", "node_modules", ".git"];
/// Maximum size of the front page in bytes, which must be readable in a minute.
const FRONT_PAGE: usize = 8 * 1024;

/// Every Markdown document, relative to the repository.
fn documents() -> Vec<PathBuf> {
    let root = repository();
    let (mut found, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !LEFT_OUT.iter().any(|not| path.ends_with(not)) {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "md") {
                found.push(path.strip_prefix(&root).unwrap().to_owned());
            }
        }
    }
    assert!(found.len() > 60, "{found:?}");
    found
}

/// A document's lines outside of blocks of code.
fn prose(document: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(repository().join(document)).unwrap();
    let mut in_code = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    });
    lines.map(str::to_owned).collect()
}

/// The anchors of a document's headings, as created by GitHub and mdbook.
fn anchors(document: &Path) -> HashSet<String> {
    let mut times: HashMap<String, usize> = HashMap::new();
    let prose = prose(document);
    let headings = prose.iter().filter(|line| line.starts_with('#'));
    let named = headings.map(|line| {
        let text = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        let name: String = text.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect();
        let earlier = times.entry(name.clone()).or_default();
        *earlier += 1;
        if *earlier == 1 { name } else { format!("{name}-{}", *earlier - 1) }
    });
    named.collect()
}

/// The link targets of a document within the repository.
fn links(document: &Path) -> Vec<String> {
    let text = prose(document).join("\n");
    // Code spans are not links.
    let outside: Vec<&str> = text.split('`').step_by(2).collect();
    let joined = outside.join("code");
    let found = joined.split("](").skip(1).map(|part| part.split_once(')').unwrap().0);
    found.filter(|link| !link.contains("://")).map(str::to_owned).collect()
}

/// A path from the root, without `..`.
fn joined(document: &Path, link: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in document.parent().unwrap().join(link).components() {
        match part {
            Component::ParentDir => {
                assert!(path.pop(), "{}: {link} leaves the repository", document.display())
            }
            part => path.push(part),
        }
    }
    path
}

#[test]
fn every_link_has_a_target() {
    let (mut seen, mut dead) = (0, Vec::new());
    for document in documents() {
        for link in links(&document) {
            let (file, heading) =
                link.split_once('#').map_or((&*link, None), |(file, heading)| (file, Some(heading)));
            let target = if file.is_empty() { document.clone() } else { joined(&document, file) };
            let there = repository().join(&target).exists()
                && heading.is_none_or(|heading| anchors(&target).contains(heading));
            if !there {
                dead.push(format!("{}: {link}", document.display()));
            }
            seen += 1;
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
    assert!(seen > 200, "{seen}");
}

#[test]
fn the_site_has_every_document() {
    let summary = Path::new("docs/SUMMARY.md");
    let listed: HashSet<PathBuf> = links(summary).iter().map(|link| joined(summary, link)).collect();
    let written = documents().into_iter().filter(|it| it.starts_with("docs") && it != summary);
    let missing: Vec<_> = written.filter(|document| !listed.contains(document)).collect();
    assert!(missing.is_empty(), "docs/SUMMARY.md lacks {missing:?}");
}

#[test]
fn the_front_page_is_short() {
    let length = std::fs::metadata(repository().join("README.md")).unwrap().len();
    assert!(length <= FRONT_PAGE as u64, "README.md has {length} bytes; move text to a page in docs");
}
