//! What a run says afterwards: reports, files, pages, verdicts.

mod outfiles;
mod outputs;
mod page;
mod report;
mod review;
mod verdicts;
