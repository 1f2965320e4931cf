use super::*;
use proptest::prelude::*;

fn rate(per_second: f64) -> Rate {
    Rate::new(per_second).unwrap()
}

fn seconds(count: f64) -> Duration {
    Duration::from_secs_f64(count)
}

#[test]
fn due_times_match_closed_forms() {
    let constant = Schedule::constant(rate(40.0), None);
    let up = Schedule::ramps(0.0, &[(seconds(10.0), 100.0)]).unwrap();
    let down = Schedule::ramps(100.0, &[(seconds(10.0), 0.0)]).unwrap();
    let two = Schedule::ramps(10.0, &[(seconds(1.25), 10.0), (seconds(1.0), 20.0)]).unwrap();
    for (name, schedule, k, due) in [
        ("constant", &constant, 0.0, 0.0),
        ("constant", &constant, 1.0, 0.025),
        ("constant", &constant, 4e9, 1e8),
        ("up", &up, 0.0, 0.0),
        ("up", &up, 5.0, 1.0),
        ("up", &up, 125.0, 5.0),
        ("down", &down, 375.0, 5.0),
        ("down", &down, 500.0, 10.0),
        // Half an arrival is left after 1.25 s at 10/s; the ramp completes it.
        ("two", &two, 12.0, 1.2),
        ("two", &two, 13.0, 1.25 + 2.0 * 0.5 / (10.0 + (100.0_f64 + 2.0 * 10.0 * 0.5).sqrt())),
    ] {
        assert_eq!(schedule.due_nanos(k), (due * 1e9).round() as u64, "{name} {k}");
    }
    assert_eq!((up.total(), down.total(), two.total()), (Some(500), Some(500), Some(27)));
    assert_eq!((constant.total(), constant.duration()), (None, None));
    assert_eq!((up.rate_at(5.0), up.rate_at(10.0), constant.rate_at(1e6)), (50.0, 0.0, 40.0));
}

#[test]
fn pause_between_stages_has_no_arrivals() {
    let plan = Schedule::ramps(
        2.0,
        &[
            (seconds(1.0), 2.0),
            (seconds(0.001), 0.0),
            (seconds(9.999), 0.0),
            (seconds(0.001), 2.0),
            (seconds(1.0), 2.0),
        ],
    )
    .unwrap();
    assert_eq!(plan.due_nanos(1.0), 500_000_000);
    let late = plan.due_nanos(3.0) as f64 / 1e9;
    assert!((11.4..11.6).contains(&late), "{late}");
}

#[test]
fn burst_arrivals_share_one_due_time() {
    let line = |length, rate| Segment {
        duration: Some(seconds(length)),
        shape: Shape::Line { from: rate, to: rate },
    };
    let burst = Segment { duration: Some(Duration::ZERO), shape: Shape::Burst { count: 100.0 } };
    // After 2.5 arrivals and 100 at once, the next half arrival takes 0.05 s.
    let plan = Schedule::of(vec![line(0.25, 10.0), burst, line(1.0, 10.0)]).unwrap();
    assert_eq!(plan.total(), Some(112));
    let dues: Vec<u64> = (0..112).map(|k| plan.due_nanos(f64::from(k))).collect();
    assert_eq!(dues[..4], [0, 100_000_000, 200_000_000, 250_000_000]);
    assert_eq!(dues.iter().filter(|&&due| due == 250_000_000).count(), 100);
    assert_eq!(dues[103], 300_000_000);
    assert_eq!((plan.rate_at(0.25), plan.peak()), (10.0, 10.0));
    assert_eq!([plan.count_by(0.2), plan.count_by(0.25)], [2.0, 102.5]);
    let alone = Schedule::of(vec![burst]).unwrap();
    assert_eq!(
        (alone.total(), alone.duration(), alone.due_nanos(99.0)),
        (Some(100), Some(Duration::ZERO), 0)
    );
}

#[test]
fn scaling_keeps_the_shape() {
    let wave = Shape::Sine { low: 5.0, high: 15.0, period: 10.0 };
    let plan = Schedule::of(vec![Segment { duration: Some(seconds(20.0)), shape: wave }]).unwrap();
    let scaled = plan.scaled(2.0, 0.5);
    assert_eq!((plan.total(), scaled.total(), scaled.peak()), (Some(200), Some(200), 30.0));
    assert_eq!(scaled.duration(), Some(seconds(10.0)));
    assert_eq!(scaled.rate_at(2.5), 2.0 * plan.rate_at(5.0));
}

#[test]
fn rejects_schedules_that_send_nothing() {
    assert!(Schedule::ramps(0.0, &[]).is_err());
    assert!(Schedule::ramps(0.0, &[(seconds(10.0), 0.0)]).is_err());
    assert!(Schedule::ramps(5.0, &[(seconds(0.0), 1.0)]).is_err());
    assert!(Schedule::ramps(5.0, &[(seconds(1.0), f64::NAN)]).is_err());
}

proptest! {
    #[test]
    fn due_times_rise_and_invert_the_integral(segments in prop::collection::vec(segment(), 1..6)) {
        let bursts: f64 = segments.iter().map(|segment| match segment.shape {
            Shape::Burst { count } => count,
            _ => 0.0,
        }).sum();
        let Ok(schedule) = Schedule::of(segments) else { return Ok(()) };
        let end = schedule.duration().unwrap().as_secs_f64();
        let total = schedule.total().unwrap();
        prop_assert!((schedule.count_by(end) - schedule.integral()).abs() < 1e-5);
        prop_assert_eq!(total, (schedule.integral() + 1e-9).floor() as u64);
        let mut last = 0;
        for k in 0..total {
            let due = schedule.due_nanos(k as f64);
            prop_assert!(due >= last, "arrival {} is due before the previous one", k);
            last = due;
            let seconds = due as f64 / 1e9;
            prop_assert!(seconds <= end + 1e-9);
            // Rounding to a nanosecond moves Λ by at most rate × 1 ns; a burst has all its arrivals at once.
            let by = schedule.count_by(seconds + 1e-9) - k as f64;
            prop_assert!((-1e-5..bursts + 1e-5).contains(&by), "{by}");
        }
    }
}

fn segment() -> impl Strategy<Value = Segment> {
    let line = (0.1_f64..20.0, 0.0_f64..500.0, 0.0_f64..500.0).prop_map(|(length, from, to)| Segment {
        duration: Some(seconds(length)),
        shape: Shape::Line { from, to },
    });
    let flat = (0.1_f64..20.0, 0.0_f64..500.0).prop_map(|(length, rate)| Segment {
        duration: Some(seconds(length)),
        shape: Shape::Line { from: rate, to: rate },
    });
    let sine = (0.1_f64..20.0, 0.0_f64..200.0, 0.1_f64..300.0, 0.5_f64..30.0).prop_map(
        |(length, low, over, period)| Segment {
            duration: Some(seconds(length)),
            shape: Shape::Sine { low, high: low + over, period },
        },
    );
    let burst = (1_u32..300).prop_map(|count| Segment {
        duration: Some(Duration::ZERO),
        shape: Shape::Burst { count: f64::from(count) },
    });
    prop_oneof![line, flat, sine, burst]
}
