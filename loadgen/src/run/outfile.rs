//! The file of `--out`: made sure of before the run, there only when it is whole.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::report::Report;

/// A report's file in the making, under its name with `.part` behind it; removed unless it is finished.
#[derive(Debug)]
pub struct OutFile {
    path: PathBuf,
    part: PathBuf,
    file: Option<File>,
}

impl OutFile {
    /// # Errors
    /// When the name does not end in `.json` or nothing can be written there.
    pub fn create(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        if path.extension().is_none_or(|extension| extension != "json") {
            return Err(format!("--out {shown}: the report is JSON; give a name that ends in .json"));
        }
        if path.is_dir() {
            return Err(format!("--out {shown}: is a folder; give the name of a file"));
        }
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = File::create(&part)
            .map_err(|error| format!("--out {shown}: cannot write there: {error}; choose another place"))?;
        Ok(Self { path: path.to_owned(), part, file: Some(file) })
    }

    /// Writes the report and gives the file its name.
    ///
    /// # Errors
    /// When the disk is full, or the folder has gone.
    pub fn finish(mut self, report: &Report) -> Result<(), String> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let write = || -> std::io::Result<()> {
            let mut writer = BufWriter::new(file);
            serde_json::to_writer_pretty(&mut writer, report)?;
            writer.write_all(b"\n")?;
            writer.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
            fs::rename(&self.part, &self.path)
        };
        write().map_err(|error| {
            let _ = fs::remove_file(&self.part); // it may not be there
            format!("--out {}: cannot write the report: {error}", self.path.display())
        })
    }
}

impl Drop for OutFile {
    fn drop(&mut self) {
        if self.file.is_some() {
            let _ = fs::remove_file(&self.part); // it may not be there
        }
    }
}
