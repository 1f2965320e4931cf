//! The shipped drills prove their alerts, each phase within its bound.

use std::time::Duration;

use crate::support::{self, Bed, DEMO, Finished};

#[tokio::test]
async fn every_shipped_drill_is_proven_within_its_bounds() {
    let bed = Bed::start(DEMO).await;
    let output = support::finish(bed.drill(&[&support::drills()]), Duration::from_secs(420)).await;
    let finished = Finished::new(&output, &bed.report_path());
    assert_eq!(finished.code, Some(0), "{}", finished.text);

    let drills = finished.report["drills"].as_array().unwrap();
    let files = std::fs::read_dir(support::drills()).unwrap().count() - 1; // one is the suite file
    assert_eq!(drills.len(), files, "{}", finished.text);
    for drill in drills {
        assert_eq!(drill["verdict"], "PROVEN", "{drill:#}");
        for phase in ["pending", "firing", "notified", "resolved", "told"] {
            let figure = |name: &str| {
                drill["phases"][phase][name].as_f64().unwrap_or_else(|| panic!("{phase} {drill:#}"))
            };
            let (seconds, bound) = (figure("seconds"), figure("bound_seconds"));
            assert!((0.0..=bound).contains(&seconds), "{phase}: {seconds} of {bound} in {drill:#}");
        }
    }
    bed.stack.stop().await;
}
