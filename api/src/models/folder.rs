//! The models folder: names cannot leave it, and files that are too large are not read.

use super::loading::LoadError;
use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::PathBuf,
};

/// Largest model file, in bytes.
pub(super) const LARGEST_FILE: u64 = 256 * 1024 * 1024;

/// Longest name, in bytes.
const LONGEST_NAME: usize = 64;

/// Maximum number of entries of the folder that are read.
const MAX_ENTRIES: usize = 1000;

const EXTENSION: &str = ".onnx";

/// A model's name: up to 64 ASCII letters, digits, `-` and `_`, the first a letter or digit. It cannot refer to
/// anything outside the folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModelName(String);

impl ModelName {
    /// Parses a valid name.
    pub fn parse(text: &str) -> Option<Self> {
        let first = text.bytes().next()?;
        let fine = text.len() <= LONGEST_NAME
            && first.is_ascii_alphanumeric()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        fine.then(|| Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for ModelName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The models folder.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &PathBuf {
        &self.0
    }

    /// The models with a file, sorted. A missing folder has none.
    pub(super) fn names(&self) -> Vec<ModelName> {
        let Ok(entries) = std::fs::read_dir(&self.0) else { return Vec::new() };
        let mut names: Vec<ModelName> = entries
            .take(MAX_ENTRIES)
            .filter_map(|entry| {
                let name = entry.ok()?.file_name();
                let stem = name.to_str()?.strip_suffix(EXTENSION)?.to_owned();
                let parsed = ModelName::parse(&stem);
                if parsed.is_none() {
                    tracing::debug!(file = ?name, "ignoring file, a model name may only contain letters, digits, - and _");
                }
                parsed
            })
            .collect();
        names.sort();
        names
    }

    /// A model's bytes; otherwise [`LoadError::Missing`] or [`LoadError::Unfit`].
    pub(super) fn read(&self, name: &ModelName) -> Result<Vec<u8>, LoadError> {
        let path = self.0.join(format!("{}{EXTENSION}", name.as_str()));
        let unfit = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => LoadError::Missing,
            kind => LoadError::Unfit(format!("cannot read the file ({kind})")),
        };
        // Before it is opened: opening a pipe would wait for its writer.
        let found = std::fs::metadata(&path).map_err(unfit)?;
        if !found.is_file() {
            return Err(LoadError::Unfit("not a regular file".to_owned()));
        }
        let too_large = |bytes: u64| {
            LoadError::Unfit(format!("the file has {bytes} bytes: must have at most {LARGEST_FILE}"))
        };
        if found.len() > LARGEST_FILE {
            return Err(too_large(found.len()));
        }
        let mut bytes = Vec::with_capacity(found.len() as usize);
        // The file may grow while it is read.
        File::open(&path)
            .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
            .map_err(unfit)?;
        if bytes.len() as u64 > LARGEST_FILE {
            return Err(too_large(bytes.len() as u64));
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_folder() {
        for good in ["iris", "Digits-2", "a_b", "7", &"x".repeat(64)] {
            assert!(ModelName::parse(good).is_some(), "{good}");
        }
        for bad in
            ["", ".", "..", "../x", "a/b", "a\\b", "a.b", "-a", "_a", "a b", "ä", "a\0", &"x".repeat(65)]
        {
            assert!(ModelName::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn reads_only_regular_files_below_the_size_limit() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path().to_owned());
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("small.onnx"), b"abc").unwrap();
        std::fs::write(at("not a name.onnx"), b"abc").unwrap();
        std::fs::write(at("notes.txt"), b"abc").unwrap();
        std::fs::create_dir(at("folder.onnx")).unwrap();
        File::create(at("huge.onnx")).unwrap().set_len(1 << 30).unwrap();
        let names: Vec<String> = folder.names().iter().map(|name| name.as_str().to_owned()).collect();
        assert_eq!(names, ["folder", "huge", "small"]);

        let read = |name: &str| folder.read(&ModelName::parse(name).unwrap());
        assert_eq!(read("small").unwrap(), b"abc");
        assert!(matches!(read("missing"), Err(LoadError::Missing)));
        for (name, needle) in [("huge", "1073741824 bytes"), ("folder", "regular file")] {
            match read(name) {
                Err(LoadError::Unfit(reason)) => assert!(reason.contains(needle), "{reason}"),
                other => panic!("{name}: {other:?}"),
            }
        }
        assert!(Folder::new(at("nowhere")).names().is_empty());
    }
}
