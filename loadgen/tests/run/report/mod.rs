//! Results of a run: reports, files, pages, verdicts.

mod ledger;
mod outfiles;
mod outputs;
mod page;
mod review;
mod verdicts;
