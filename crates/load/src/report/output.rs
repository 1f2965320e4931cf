//! The files of `--out`: made sure of before the run, there only when they are whole.

use crate::error::LoadError;
use std::fs::{self, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::report::model::Report;
use crate::report::{csv, html};

/// Links followed from one name to the next, as many as the kernel follows.
const LINKS: usize = 40;

/// A report's file to be. Until [`OutFile::finish`] nothing is on the disk, so that a run that is killed leaves nothing.
#[derive(Debug)]
pub struct OutFile {
    /// As it was given.
    given: PathBuf,
    /// What it means, links followed.
    path: PathBuf,
    form: Form,
}

/// By the name's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Html,
    Csv,
}

impl OutFile {
    /// All of a command, in their order.
    ///
    /// # Errors
    /// When a name ends in none of `.json`, `.html` and `.csv`, nothing can be written there, or two are the same file.
    pub fn all(paths: &[PathBuf]) -> Result<Vec<Self>, LoadError> {
        let mut outs: Vec<Self> = Vec::with_capacity(paths.len());
        for path in paths {
            let out = Self::at(path)?;
            if let Some(other) = outs.iter().find(|other| other.path == out.path) {
                return Err(LoadError::Output(format!(
                    "--out {}: is the same file as --out {}; give each report a file of its own",
                    path.display(),
                    other.given.display()
                )));
            }
            outs.push(out);
        }
        Ok(outs)
    }

    fn at(given: &Path) -> Result<Self, LoadError> {
        let shown = given.display();
        let extension = given.extension().and_then(|extension| extension.to_str());
        let form = match extension {
            Some("json") => Form::Json,
            Some("html") => Form::Html,
            Some("csv") => Form::Csv,
            _ => {
                return Err(LoadError::Output(format!(
                    "--out {shown}: give a name that ends in .json, .html or .csv"
                )));
            }
        };
        let refused = |error: io::Error| {
            LoadError::Output(format!("--out {shown}: cannot write there: {error}; choose another place"))
        };
        let path = followed(given).map_err(refused)?;
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(LoadError::Output(format!(
                    "--out {shown}: is a folder; give the name of a file"
                )));
            }
            // A report replaces what is there as a whole; of a pipe or a device nothing would be left.
            Ok(metadata) if !metadata.is_file() => {
                return Err(LoadError::Output(format!(
                    "--out {shown}: is a pipe, a socket or a device; give the name of a file"
                )));
            }
            _ => {}
        }
        part(&path).map_err(refused)?; // removed at once
        Ok(Self { given: given.to_owned(), path, form })
    }

    /// Writes the report and gives the file its name, in one step for whoever looks.
    ///
    /// # Errors
    /// When the disk is full, or the folder has gone.
    pub fn finish(self, report: &Report) -> Result<(), LoadError> {
        let write = || -> io::Result<()> {
            let mut writer = BufWriter::new(part(&self.path)?);
            match self.form {
                Form::Json => {
                    serde_json::to_writer_pretty(&mut writer, report)?;
                    writer.write_all(b"\n")?;
                }
                Form::Html => writer.write_all(html::page(report).as_bytes())?,
                Form::Csv => writer.write_all(csv::rows(report).as_bytes())?,
            }
            let part = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
            part.as_file().sync_all()?;
            part.persist(&self.path)?;
            Ok(())
        };
        write().map_err(|error| {
            LoadError::Output(format!("--out {}: cannot write the report: {error}", self.given.display()))
        })
    }
}

/// A file beside it that nobody else has, removed unless it is persisted: several runs may have the same `--out`.
fn part(path: &Path) -> io::Result<NamedTempFile> {
    let mut prefix = path.file_name().unwrap_or_default().to_owned();
    prefix.push(".");
    tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(".part")
        .permissions(Permissions::from_mode(0o666)) // less what the umask takes away, as of any new file
        .tempfile_in(path.parent().unwrap_or(Path::new(".")))
}

/// The name behind every link, in a folder without any, whether the file is there or not.
fn followed(given: &Path) -> io::Result<PathBuf> {
    let mut path = given.to_owned();
    for _ in 0..LINKS {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder.canonicalize()?,
            _ => Path::new(".").canonicalize()?,
        };
        path = folder.join(path.file_name().unwrap_or_default());
        match fs::read_link(&path) {
            Ok(target) => path = folder.join(target),
            Err(_) => return Ok(path), // it is no link, or not there
        }
    }
    Err(io::Error::other("too many links"))
}
