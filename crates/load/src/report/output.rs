//! The files of `--out`.

use std::path::{Path, PathBuf};

use crate::error::LoadError;
use crate::report::model::Report;
use crate::report::{csv, html};
use crate::report_file::ReportFile;

/// A file of `--out`, in the format of its extension.
#[derive(Debug)]
pub struct OutFile {
    /// The path as given.
    given: PathBuf,
    file: ReportFile,
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
            if let Some(other) = outs.iter().find(|other| other.file == out.file) {
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
        let file = ReportFile::at(given).map_err(|error| {
            LoadError::Output(format!("--out {shown}: cannot write the file: {error}; choose another path"))
        })?;
        Ok(Self { given: given.to_owned(), file, form })
    }

    /// Writes the report.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(self, report: &Report) -> Result<(), LoadError> {
        let written = self.file.write(|writer| match self.form {
            Form::Json => {
                serde_json::to_writer_pretty(&mut *writer, report)?;
                writer.write_all(b"\n")
            }
            Form::Html => writer.write_all(html::page(report).as_bytes()),
            Form::Csv => writer.write_all(csv::rows(report).as_bytes()),
        });
        written.map_err(|error| {
            LoadError::Output(format!("--out {}: cannot write the report: {error}", self.given.display()))
        })
    }
}
