//! Report files: checked before a run, and created only when complete.

use std::fs::{self, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Maximum number of symbolic links to follow, as in the kernel.
const LINKS: usize = 40;

/// A report file to be written. Nothing is on disk until [`ReportFile::write`], so a killed run leaves no file behind, and the
/// report of the run before stays complete.
#[derive(Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// The path with links resolved.
    path: PathBuf,
}

impl ReportFile {
    /// Checks that the file can be written.
    ///
    /// # Errors
    /// Why it cannot, without the path.
    pub fn at(given: &Path) -> io::Result<Self> {
        let path = followed(given)?;
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => Err(io::Error::other("is a directory")),
            // Writing replaces the file, which would remove a pipe or a device.
            Ok(metadata) if !metadata.is_file() => Err(io::Error::other("is a pipe, a socket or a device")),
            _ => {
                part(&path)?; // removed at once; this only checks that the directory is writable
                Ok(Self { path })
            }
        }
    }

    /// Writes the file and renames it into place atomically.
    ///
    /// # Errors
    /// When it cannot be written; an earlier file is then unchanged.
    pub fn write(&self, text: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut writer = BufWriter::new(part(&self.path)?);
        text(&mut writer)?;
        let part = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        part.as_file().sync_all()?;
        part.persist(&self.path)?;
        Ok(())
    }
}

/// A unique temporary file in the same directory, removed unless it is persisted. Several runs may use the same path.
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
