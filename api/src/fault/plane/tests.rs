use super::*;
use crate::fault::{End, ModelFault, parse};
use actix_web::http::StatusCode;
use prometheus::Opts;
use serde_json::{Value, json};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn plane() -> Plane {
    plane_with(Switches::default())
}

fn plane_with(switches: Switches) -> Plane {
    let injected = IntCounterVec::new(Opts::new("injected", "x"), &["fault", "kind"]).unwrap();
    let active = IntGaugeVec::new(Opts::new("active", "x"), &["kind"]).unwrap();
    Plane::new(Bounds::example(), switches, injected, active)
}

fn put(plane: &Plane, id: &str, fields: Value, now: Instant) -> Result<bool, Refusal> {
    let mut fields = fields;
    if fields.get("ttl").is_none() {
        fields["ttl"] = "10s".into();
    }
    plane.put(id, parse(&fields, &Bounds::example()).unwrap(), now)
}

#[test]
fn faults_are_active_from_put_to_lift_or_expiry() {
    let (plane, now) = (plane(), Instant::now());
    let hits = |at| plane.decide("/api/users", "GET", at).len();
    assert!(!plane.acts_on_traffic() && plane.next_expiry().is_none());
    assert!(put(&plane, "a", json!({"abort": 503}), now).unwrap(), "new");
    assert!(!put(&plane, "a", json!({"abort": 500, "ttl": "20s"}), now).unwrap(), "replaced");
    assert!(plane.acts_on_traffic());
    assert_eq!(plane.next_expiry(), Some(now + 20 * SECOND));
    for (second, expected) in [(0, 1), (19, 1), (20, 0), (21, 0)] {
        assert_eq!(hits(now + second * SECOND), expected, "second {second}: an expired fault must not act");
    }
    let [status] = &plane.list(now + 5 * SECOND)[..] else { panic!("one") };
    assert_eq!((status.id.as_str(), status.left, status.covered), ("a", 15 * SECOND, 2));
    assert!(plane.list(now + 20 * SECOND).is_empty());

    assert!(plane.expire(now + 19 * SECOND).is_empty());
    assert_eq!(plane.expire(now + 20 * SECOND), ["a"]);
    assert!(!plane.acts_on_traffic());
    assert!(!plane.lift("a"), "not active any more");
    put(&plane, "a", json!({"delay": "1s"}), now).unwrap();
    assert!(plane.lift("a") && !plane.lift("a"));
    assert_eq!(hits(now), 0);
}

#[test]
fn hits_are_ordered_by_id_up_to_the_first_that_ends_the_request() {
    let (plane, now) = (plane(), Instant::now());
    for (id, fields) in [
        ("c", json!({"abort": 500})),
        ("b", json!({"abort": 503, "route": "/api/users"})),
        ("a", json!({"delay": "1s"})),
        ("d", json!({"abort": 404, "method": "POST"})),
    ] {
        put(&plane, id, fields, now).unwrap();
    }
    let ids = |route, method| -> Vec<String> {
        plane.decide(route, method, now).into_iter().map(|(fault, _)| fault.id.clone()).collect()
    };
    assert_eq!(ids("/api/users", "GET"), ["a", "b"]);
    assert_eq!(ids("/slow", "GET"), ["a", "c"]);
    plane.lift("c");
    assert_eq!(ids("/slow", "GET"), ["a"]);
    assert_eq!(ids("unmatched", "POST"), ["a", "d"]);
}

#[test]
fn the_same_seed_chooses_the_same_requests() {
    let now = Instant::now();
    let sequence = || {
        let plane = plane();
        put(&plane, "x", json!({"abort": 503, "share": 0.3, "seed": 42}), now).unwrap();
        (0..200).map(|_| !plane.decide("/", "GET", now).is_empty()).collect::<Vec<bool>>()
    };
    let first = sequence();
    assert_eq!(first, sequence());
    assert!(first.contains(&true) && first.contains(&false));
}

#[test]
fn ids_and_numbers_are_bounded() {
    let (plane, now) = (plane(), Instant::now());
    for id in ["", "a b", "other", &"x".repeat(41)] {
        assert!(matches!(put(&plane, id, json!({"abort": 503}), now), Err(Refusal::Id)), "{id:?}");
    }
    for n in 0..MAX {
        put(&plane, &format!("f{n}"), json!({"abort": 503}), now).unwrap();
    }
    assert!(matches!(put(&plane, "one-more", json!({"abort": 503}), now), Err(Refusal::TooMany)));
    assert!(!put(&plane, "f0", json!({"abort": 500}), now).unwrap(), "replacing adds none");

    // New ids keep coming; the label's values must not grow without bound.
    for n in 0..3 * MAX_LABELS {
        plane.lift_all();
        put(&plane, &format!("g{n}"), json!({"abort": 503, "seed": 1}), now).unwrap();
        for (fault, _) in plane.decide("/", "GET", now) {
            plane.count(&fault, "abort");
        }
    }
    let shared = plane.injected.with_label_values(&[SHARED_LABEL, "abort"]).get();
    assert_eq!(shared, (3 * MAX_LABELS - (MAX_LABELS - MAX)) as u64);
}

#[test]
fn memory_is_bounded_over_all_faults() {
    let (plane, now) = (plane(), Instant::now());
    put(&plane, "a", json!({"memory": "1MB"}), now).unwrap();
    let error = put(&plane, "b", json!({"memory": "1GB"}), now).unwrap_err().to_string();
    assert!(error.contains("1000000 bytes") && error.contains("FAULT_MAX_MEMORY"), "{error}");
    assert_eq!(plane.list(now).len(), 1, "nothing has changed");
    put(&plane, "a", json!({"memory": "2MB"}), now).unwrap();
    assert_eq!(plane.active.with_label_values(&["memory"]).get(), 1);
    assert_eq!(plane.injected.with_label_values(&["a", "memory"]).get(), 2);
    assert!(!plane.acts_on_traffic());
}

#[test]
fn switches_receive_each_change_once_and_are_reset() {
    let calls: Arc<Mutex<Vec<String>>> = Arc::default();
    let note = |calls: &Arc<Mutex<Vec<String>>>| {
        let calls = calls.clone();
        move |text: String| calls.lock().push(text)
    };
    let (ingest, models) = (note(&calls), note(&calls));
    let plane = plane_with(Switches {
        ingest: Some(Box::new(move |paused| ingest(format!("paused {paused}")))),
        models: Some(Box::new(move |faults| {
            let shown =
                |(id, fault): (String, ModelFault)| (id, fault.delay.map(|delay| delay.text), fault.fail);
            models(format!("{:?}", faults.into_iter().map(shown).collect::<Vec<_>>()));
        })),
    });
    let now = Instant::now();
    put(&plane, "a", json!({"pause": "ingest"}), now).unwrap();
    put(&plane, "b", json!({"pause": "ingest", "ttl": "5s"}), now).unwrap();
    plane.lift("a");
    put(&plane, "m", json!({"model": {"delay": "1s"}}), now).unwrap();
    put(&plane, "n", json!({"model": {"fail": true}}), now).unwrap();
    plane.expire(now + 5 * SECOND);
    plane.lift_all();
    plane.lift_all();
    let expected = [
        "paused true",
        r#"[("m", Some("1s"), false)]"#,
        r#"[("m", Some("1s"), false), ("n", None, true)]"#,
        "paused false",
        "[]",
    ];
    assert_eq!(*calls.lock(), expected);
}

#[test]
fn disallows_faults_of_parts_the_build_lacks() {
    let bounds = *plane().bounds();
    assert!(!bounds.ingest && !bounds.models);
}

#[tokio::test]
async fn lifting_ends_a_wait() {
    let (plane, now) = (Arc::new(plane()), Instant::now());
    put(&plane, "a", json!({"delay": "60s", "abort": 503}), now).unwrap();
    let (fault, decision) = plane.decide("/", "GET", now).remove(0);
    assert_eq!(decision.end, Some(End::Abort(StatusCode::SERVICE_UNAVAILABLE)));
    assert!(!fault.wait(Duration::from_millis(1)).await, "the time passed");
    let waiting = tokio::spawn(async move { fault.wait(60 * SECOND).await });
    plane.lift("a");
    assert!(tokio::time::timeout(20 * SECOND, waiting).await.unwrap().unwrap(), "lifted");
}

#[tokio::test]
async fn upkeep_lifts_expired_faults() {
    let plane = Arc::new(plane());
    let upkeep = tokio::spawn(plane.clone().upkeep());
    put(&plane, "long", json!({"abort": 503, "ttl": "1h"}), Instant::now()).unwrap();
    put(&plane, "short", json!({"abort": 503, "ttl": "50ms"}), Instant::now()).unwrap();
    let gone = async {
        while plane.book.read().contains_key("short") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(20 * SECOND, gone).await.unwrap();
    assert!(plane.book.read().contains_key("long"));
    upkeep.abort();
}
