//! The planned rate as a sparkline.

use crate::schedule::due_times::Schedule;

const NANO: f64 = 1e-9;
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The rate over time in `columns` characters. The highest rate is a full block, a rate of 0 a blank.
#[must_use]
pub fn of(schedule: &Schedule, columns: u32) -> String {
    let seconds = schedule.duration().map_or(1.0, |duration| duration.as_secs_f64()).max(1e-3);
    let edge = |column: u32| seconds * f64::from(column) / f64::from(columns);
    let counts: Vec<f64> = (0..columns)
        .map(|column| {
            // Arrivals on the last edge belong to the last column, arrivals on another edge to the column after it.
            let until = if column + 1 == columns { edge(column + 1) } else { edge(column + 1) - NANO };
            let from = if column == 0 { 0.0 } else { schedule.count_by(edge(column) - NANO) };
            schedule.count_by(until) - from
        })
        .collect();
    let most = counts.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    counts
        .into_iter()
        .map(|count| {
            let part = count / most;
            if part < 1e-6 { ' ' } else { BLOCKS[((part * 8.0 - 1e-6).ceil() as usize).clamp(1, 8) - 1] }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::segment::{Segment, Shape};
    use std::time::Duration;

    fn line(seconds: u64, from: f64, to: f64) -> Segment {
        Segment { duration: Some(Duration::from_secs(seconds)), shape: Shape::Line { from, to } }
    }

    #[test]
    fn draws_rates_as_heights() {
        let burst = Segment { duration: Some(Duration::ZERO), shape: Shape::Burst { count: 80.0 } };
        for (segments, sparkline) in [
            (vec![line(10, 5.0, 5.0)], "████████"),
            (vec![line(8, 0.0, 16.0)], "▁▂▃▄▅▆▇█"),
            (vec![line(4, 8.0, 8.0), line(2, 0.0, 0.0), line(2, 1.0, 1.0)], "████  ▁▁"),
            (vec![line(4, 10.0, 10.0), burst, line(4, 10.0, 10.0)], "▁▁▁▁█▁▁▁"),
            (vec![line(8, 10.0, 10.0), burst], "▁▁▁▁▁▁▁█"),
        ] {
            assert_eq!(of(&Schedule::of(segments).unwrap(), 8), sparkline);
        }
    }
}
