//! Any text is parsed or rejected as PromQL. Rewriting changes durations only, and a selector that is printed to be queried
//! selects the same as before.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use promql::{durations, reads, rewrite_durations, stays, threshold};

const STEP: Duration = Duration::from_secs(60);

fuzz_target!(|expr: &str| {
    let Ok(found) = durations(expr) else {
        assert!(stays(expr).is_err() && reads(expr, STEP).is_err() && threshold(expr).is_none());
        return;
    };
    assert!(stays(expr).is_ok());
    for read in reads(expr, STEP).expect("durations() parsed it") {
        let again = reads(&read.text, STEP).unwrap_or_else(|error| panic!("{expr}: {error}"));
        let [again] = &again[..] else { panic!("{expr}: {again:?}") };
        assert_eq!((&again.text, &again.metric, again.lookback_ms), (&read.text, &read.metric, 0));
    }
    let _ = threshold(expr);
    if let Ok((same, changes)) = rewrite_durations(expr, |it| it.from) {
        assert!(same == expr && changes.is_empty(), "{expr}: {changes:?}");
    }
    if let Ok((longer, changes)) = rewrite_durations(expr, |it| it.from.saturating_add(STEP)) {
        // Around the changes the text is the same.
        let mut rest = longer.as_str();
        let mut done = 0;
        for change in &changes {
            rest = rest.strip_prefix(&expr[done..change.at.start]).expect("the text between durations stays");
            rest = rest.trim_start_matches(|it: char| it.is_ascii_alphanumeric());
            done = change.at.end;
        }
        assert_eq!(rest, &expr[done..]);
        let to: Vec<_> = durations(&longer).expect("it was PromQL before").iter().map(|it| it.from).collect();
        assert_eq!(to.len(), found.len(), "{longer}");
    }
});
