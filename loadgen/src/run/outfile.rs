//! The files of `--out`: made sure of before the run, there only when they are whole.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::report::Report;
use super::{csv, html};

/// A report's file in the making, under its name with `.part` behind it; removed unless it is finished.
#[derive(Debug)]
pub struct OutFile {
    path: PathBuf,
    part: PathBuf,
    form: Form,
    file: Option<File>,
}

/// By the name's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Html,
    Csv,
}

impl OutFile {
    /// # Errors
    /// When the name ends in none of `.json`, `.html` and `.csv`, or nothing can be written there.
    pub fn create(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let extension = path.extension().and_then(|extension| extension.to_str());
        let form = match extension {
            Some("json") => Form::Json,
            Some("html") => Form::Html,
            Some("csv") => Form::Csv,
            _ => return Err(format!("--out {shown}: give a name that ends in .json, .html or .csv")),
        };
        if path.is_dir() {
            return Err(format!("--out {shown}: is a folder; give the name of a file"));
        }
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = File::create(&part)
            .map_err(|error| format!("--out {shown}: cannot write there: {error}; choose another place"))?;
        Ok(Self { path: path.to_owned(), part, form, file: Some(file) })
    }

    /// Writes the report and gives the file its name.
    ///
    /// # Errors
    /// When the disk is full, or the folder has gone.
    pub fn finish(mut self, report: &Report) -> Result<(), String> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let write = || -> std::io::Result<()> {
            let mut writer = BufWriter::new(file);
            match self.form {
                Form::Json => {
                    serde_json::to_writer_pretty(&mut writer, report)?;
                    writer.write_all(b"\n")?;
                }
                Form::Html => writer.write_all(html::page(report).as_bytes())?,
                Form::Csv => writer.write_all(csv::rows(report).as_bytes())?,
            }
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
