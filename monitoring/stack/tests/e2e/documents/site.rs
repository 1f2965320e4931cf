//! The documents as a site, if mdbook is installed: it is self-contained, has no dead links, and can be searched.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use process::program::repository;
use regex::Regex;

/// Every page of a site: fetched resources, links and anchors.
#[derive(Debug, Default)]
struct Page {
    fetched: Vec<String>,
    linked: Vec<String>,
    names: HashSet<String>,
}

fn pages(folder: &Path, found: &mut HashMap<PathBuf, Page>) {
    let tag = Regex::new(r#"<(\w+)[^>]*?\s(href|src)="([^"]*)""#).unwrap();
    let name = Regex::new(r#"\sid="([^"]*)""#).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages(&path, found);
        } else if path.extension().is_some_and(|it| it == "html") && !path.ends_with("404.html") {
            let text = std::fs::read_to_string(&path).unwrap();
            let mut page = Page::default();
            for part in tag.captures_iter(&text) {
                let links = if &part[1] == "a" { &mut page.linked } else { &mut page.fetched };
                links.push(part[3].to_owned());
            }
            page.names = name.captures_iter(&text).map(|part| part[1].to_owned()).collect();
            found.insert(path.canonicalize().unwrap(), page);
        }
    }
}

#[test]
fn the_site_is_self_contained() {
    if Command::new("mdbook").arg("--version").output().is_err() {
        eprintln!("skipped: no mdbook on the PATH");
        return;
    }
    let built = Command::new(repository().join("docs/site.sh")).output().unwrap();
    assert!(built.status.success(), "{built:?}");
    let site = repository().join("target/docs");
    let mut all = HashMap::new();
    pages(&site, &mut all);
    assert!(all.len() > 60, "{:?}", all.keys());

    let mut wrong = Vec::new();
    for (path, page) in &all {
        for link in page.fetched.iter().filter(|link| link.contains("://")) {
            wrong.push(format!("{} fetches {link}", path.display()));
        }
        for link in page.linked.iter().chain(&page.fetched).filter(|link| !link.contains("://")) {
            let (file, name) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let there = target.canonicalize().is_ok_and(|target| {
                name.is_empty() || all.get(&target).is_some_and(|page| page.names.contains(name))
            });
            if !there {
                wrong.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let indexed = std::fs::read_to_string(site.join("searchindex.js")).unwrap();
    assert!(indexed.contains("group_interval"), "the search index lacks the pages");
}
