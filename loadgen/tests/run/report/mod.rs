//! What a run says afterwards: reports, files, pages, verdicts.

mod ledger;
mod outfiles;
mod outputs;
mod page;
mod review;
mod verdicts;
