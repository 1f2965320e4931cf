use super::*;

fn at(seconds: f64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + (seconds * 1000.0) as i64).unwrap()
}

fn labels(job: &str) -> Labels {
    Labels::from([("alertname".into(), "A".into()), ("job".into(), job.into())])
}

fn series(job: &str, state: &str, times: &[f64]) -> Series {
    let mut all = labels(job);
    all.insert("__name__".into(), "ALERTS".into());
    all.insert("alertstate".into(), state.into());
    Series { labels: all, samples: times.iter().map(|time| (at(*time), 1.0)).collect() }
}

/// (began, fired, last) of each activation, in seconds.
fn seen(history: &[Series], hold: u64) -> Vec<(f64, Option<f64>, f64)> {
    let activations = activations(history, Duration::from_secs(1), Duration::from_secs(hold));
    let of = |time: Timestamp| clock::seconds(at(0.0), time);
    activations
        .iter()
        .map(|activation| (of(activation.began), activation.fired.map(of), of(activation.last)))
        .collect()
}

type Case<'a> = (&'a str, Vec<Series>, u64, Vec<(f64, Option<f64>, f64)>);

#[test]
fn finds_activations_in_samples() {
    let cases: Vec<Case> = vec![
        ("no samples", vec![], 2, vec![]),
        ("pending only", vec![series("a", "pending", &[1.0, 2.0])], 2, vec![(1.0, None, 2.0)]),
        (
            "pending, then firing",
            vec![series("a", "firing", &[3.0, 4.0]), series("a", "pending", &[1.0, 2.0])],
            2,
            vec![(1.0, Some(3.0), 4.0)],
        ),
        ("for: 0", vec![series("a", "firing", &[3.0, 4.0])], 0, vec![(3.0, Some(3.0), 4.0)]),
        (
            "pending, then inactive, then pending again",
            vec![series("a", "pending", &[1.0, 2.0, 6.0, 7.0])],
            9,
            vec![(1.0, None, 2.0), (6.0, None, 7.0)],
        ),
        (
            "an evaluation skipped while firing",
            vec![series("a", "pending", &[1.0, 2.0]), series("a", "firing", &[3.0, 6.0])],
            2,
            vec![(1.0, Some(3.0), 6.0)],
        ),
        (
            "an evaluation skipped before firing",
            vec![series("a", "pending", &[1.0, 2.0]), series("a", "firing", &[5.0])],
            2,
            vec![(1.0, Some(5.0), 5.0)],
        ),
        (
            "fired twice",
            vec![series("a", "pending", &[1.0, 5.0]), series("a", "firing", &[2.0, 3.0, 6.0])],
            1,
            vec![(1.0, Some(2.0), 3.0), (5.0, Some(6.0), 6.0)],
        ),
        (
            "for: 0, fired twice",
            vec![series("a", "firing", &[1.0, 2.0, 5.0])],
            0,
            vec![(1.0, Some(1.0), 2.0), (5.0, Some(5.0), 5.0)],
        ),
        (
            "two alerts of one rule",
            vec![series("b", "pending", &[2.0, 3.0]), series("a", "pending", &[1.0, 2.0])],
            9,
            vec![(1.0, None, 2.0), (2.0, None, 3.0)],
        ),
    ];
    for (name, history, hold, expected) in cases {
        assert_eq!(seen(&history, hold), expected, "{name}");
    }
}

fn active(job: &str, since: f64) -> ActiveAlert {
    ActiveAlert { labels: labels(job), state: "pending".into(), active_at: at(since), value: 1.0 }
}

#[test]
fn follows_the_first_that_fired() {
    let history = [
        series("a", "pending", &[1.0, 2.0, 3.0, 4.0]),
        series("b", "pending", &[2.0]),
        series("b", "firing", &[3.0, 4.0]),
    ];
    let activations = activations(&history, Duration::from_secs(1), Duration::from_secs(1));
    let followed = follow(&activations, &[active("a", 1.0), active("b", 1.9995)]).unwrap();
    assert_eq!(followed.labels, labels("b"));
    // `activeAt` is more precise than the sample's milliseconds.
    assert_eq!(followed.pending, at(1.9995));
    assert_eq!((followed.firing, followed.last_firing), (Some(at(3.0)), Some(at(4.0))));
}

#[test]
fn follows_an_active_alert_without_samples() {
    let followed = follow(&[], &[active("b", 2.0), active("a", 1.0)]).unwrap();
    assert_eq!((followed.labels, followed.pending, followed.firing), (labels("a"), at(1.0), None));
    assert_eq!(follow(&[], &[]), None);
}

#[test]
fn active_at_bridges_a_skipped_evaluation_but_not_another_activation() {
    let skipped =
        activations(&[series("a", "pending", &[1.0, 4.0])], Duration::from_secs(1), Duration::from_secs(9));
    assert_eq!(follow(&skipped, &[active("a", 1.0)]).unwrap().pending, at(1.0));
    assert_eq!(follow(&skipped, &[active("a", 4.0)]).unwrap().pending, at(4.0));
    let twice = [series("a", "pending", &[1.0, 5.0]), series("a", "firing", &[2.0, 3.0, 6.0])];
    let twice = activations(&twice, Duration::from_secs(1), Duration::from_secs(1));
    let followed = follow(&twice, &[active("a", 5.0)]).unwrap();
    assert_eq!(
        (followed.pending, followed.firing, followed.last_firing),
        (at(1.0), Some(at(2.0)), Some(at(6.0)))
    );
}

#[test]
fn what_several_replicas_saw_is_one_activation() {
    let labels = |name: &str| Labels::from([("alertname".to_owned(), name.to_owned())]);
    let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
    let one = |name, began, fired: Option<i64>, last| Activation {
        labels: labels(name),
        began: at(began),
        fired: fired.map(at),
        last: at(last),
    };
    let of = |replicas| together(replicas, Duration::from_secs(5));
    let first = vec![one("A", 10, Some(30), 50), one("B", 10, None, 20)];
    assert_eq!(of(vec![first.clone()]), first);
    let second = vec![one("A", 13, Some(28), 53), one("A", 90, None, 95)];
    let expected = vec![one("A", 10, Some(28), 53), one("B", 10, None, 20), one("A", 90, None, 95)];
    assert_eq!(of(vec![first.clone(), second]), expected);
    assert_eq!(of(vec![first.clone(), Vec::new()]), first, "the other was started anew");
    assert_eq!(of(Vec::new()), []);
}
