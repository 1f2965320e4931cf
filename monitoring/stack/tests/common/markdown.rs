//! The commands in Markdown documents.

use std::path::{Path, PathBuf};

/// A command in a document.
#[derive(Debug, Clone)]
pub struct Given {
    /// Document (relative to the repository) and line.
    pub place: String,
    /// Its text, including its comment.
    pub text: String,
    /// Whether it is part of a sentence.
    pub inline: bool,
    /// The lines of its output that the document shows.
    pub shown: Vec<String>,
}

/// Words that start a command within a sentence.
const PROGRAMS: [&str; 13] = [
    "amtool",
    "api",
    "cargo",
    "curl",
    "docker",
    "docker-compose",
    "gdb",
    "kubectl",
    "loadgen",
    "make",
    "promtool",
    "redis-cli",
    "stack",
];

/// Folders of documents with commands for readers; decision records have none.
const FOLDERS: [&str; 6] =
    ["docs", "docs/guide", "docs/concepts", "docs/reference", "docs/operations", "docs/runbooks"];

/// Every document for readers, relative to the repository; the runbooks last.
pub fn documents(repository: &Path) -> Vec<PathBuf> {
    let mut documents: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "deploy/secrets/README.md", "deploy/kubernetes/README.md"]
            .map(PathBuf::from)
            .into();
    for folder in FOLDERS {
        let entries = std::fs::read_dir(repository.join(folder)).unwrap();
        let mut files: Vec<PathBuf> = entries
            .map(|entry| Path::new(folder).join(entry.unwrap().file_name()))
            .filter(|file| file.extension().is_some_and(|it| it == "md"))
            .collect();
        files.sort();
        documents.extend(files);
    }
    documents
}

/// The commands of a document: text after `$ ` in `console` blocks, after `run: ` in `yaml` blocks, and inline code
/// that starts with a program and has arguments.
pub fn commands(repository: &Path, document: &Path) -> Vec<Given> {
    let text = std::fs::read_to_string(repository.join(document)).unwrap();
    let mut found: Vec<Given> = Vec::new();
    let mut block = None;
    let mut begun = String::new(); // code that continues on the next line
    for (index, line) in text.lines().enumerate() {
        let place = format!("{}:{}", document.display(), index + 1);
        let line = line.trim_start();
        let given = |text: &str, inline| Given {
            place: place.clone(),
            text: text.to_owned(),
            inline,
            shown: Vec::new(),
        };
        if let Some(kind) = line.strip_prefix("```") {
            block = if block.is_some() { None } else { Some(kind.to_owned()) };
            continue;
        }
        match block.as_deref() {
            Some("console") => match (line.strip_prefix("$ "), found.last_mut()) {
                (Some(command), _) => found.push(given(command, false)),
                (None, Some(last)) if is_open(&last.text) => last.text += &format!("\n{line}"),
                (None, Some(last)) => last.shown.push(line.to_owned()),
                (None, None) => panic!("{place}: output before any command"),
            },
            Some("yaml") => {
                let command = line.trim_start_matches("- ").strip_prefix("run: ");
                found.extend(command.map(|command| given(command, false)));
            }
            Some(_) => {}
            None => {
                if line.is_empty() {
                    begun.clear();
                }
                let joined = format!("{begun}{line}");
                let mut codes: Vec<&str> = joined.split('`').skip(1).step_by(2).collect();
                let open = if joined.matches('`').count() % 2 == 1 { codes.pop() } else { None };
                found.extend(codes.into_iter().filter(|code| is_command(code)).map(|code| given(code, true)));
                begun = open.map_or_else(String::new, |code| format!("`{code} "));
            }
        }
    }
    found
}

/// Whether a quotation continues on the next line.
fn is_open(command: &str) -> bool {
    command.matches('\'').count() % 2 == 1
}

fn is_command(code: &str) -> bool {
    code.split_once(' ').is_some_and(|(program, _)| PROGRAMS.contains(&program))
}
