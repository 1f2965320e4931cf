//! The files of `--out`: checked before the run, and created only when complete.

use crate::error::LoadError;
use std::fs::{self, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::report::model::Report;
use crate::report::{csv, html};

/// Maximum number of symbolic links to follow, as in the kernel.
const LINKS: usize = 40;

/// A report file to be written. Nothing is on disk until [`OutFile::finish`], so a killed run leaves no file behind.
#[derive(Debug)]
pub struct OutFile {
    /// The path as given.
    given: PathBuf,
    /// The path with links resolved.
    path: PathBuf,
    form: Form,
}

/// The format, from the file extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Html,
    Csv,
}

impl OutFile {
    /// Checks all `--out` paths of a command, in order.
    ///
    /// # Errors
    /// When a path has an unknown extension, is not writable, or is given twice.
    pub fn all(paths: &[PathBuf]) -> Result<Vec<Self>, LoadError> {
        let mut outs: Vec<Self> = Vec::with_capacity(paths.len());
        for path in paths {
            let out = Self::at(path)?;
            if let Some(other) = outs.iter().find(|other| other.path == out.path) {
                return Err(LoadError::Output(format!(
                    "--out {}: same file as --out {}; use a different file for each report",
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
                    "--out {shown}: unknown extension: use .json, .html or .csv"
                )));
            }
        };
        let refused = |error: io::Error| {
            LoadError::Output(format!("--out {shown}: cannot write the file: {error}; choose another path"))
        };
        let path = followed(given).map_err(refused)?;
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(LoadError::Output(format!("--out {shown}: is a directory; use a file path")));
            }
            // Writing replaces the file, which would remove a pipe or a device.
            Ok(metadata) if !metadata.is_file() => {
                return Err(LoadError::Output(format!(
                    "--out {shown}: is a pipe, a socket or a device; use a file path"
                )));
            }
            _ => {}
        }
        part(&path).map_err(refused)?; // removed at once; this only checks that the directory is writable
        Ok(Self { given: given.to_owned(), path, form })
    }

    /// Writes the report and renames it into place atomically.
    ///
    /// # Errors
    /// When the file cannot be written.
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

/// A unique temporary file in the same directory, removed unless it is persisted. Several runs may use the same
/// `--out`.
fn part(path: &Path) -> io::Result<NamedTempFile> {
    let mut prefix = path.file_name().unwrap_or_default().to_owned();
    prefix.push(".");
    tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(".part")
        .permissions(Permissions::from_mode(0o666)) // the umask applies
        .tempfile_in(path.parent().unwrap_or(Path::new(".")))
}

/// The path with all symbolic links resolved. The file need not exist.
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
            Err(_) => return Ok(path), // not a link, or missing
        }
    }
    Err(io::Error::other("too many symbolic links"))
}
