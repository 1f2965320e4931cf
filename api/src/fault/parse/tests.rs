use super::*;
use serde_json::json;

#[test]
fn parses_the_documented_fault() {
    let spec = parse(
        &json!({"route":"/api/users","method":"GET","share":0.2,"abort":503,"delay":"50ms:90,2s:10","ttl":"60s","seed":7}),
        &Bounds::example(),
    )
    .unwrap();
    assert_eq!((spec.route, spec.method, spec.share), (Some("/api/users"), Some("GET"), 0.2));
    assert_eq!((spec.abort, spec.seed), (Some(StatusCode::SERVICE_UNAVAILABLE), 7));
    assert_eq!(spec.delay.unwrap().shares.pick(0.95), Some(Duration::from_secs(2)));
    assert_eq!(spec.ttl, Duration::from_secs(60));
}

#[test]
fn treats_null_as_absent() {
    let spec = parse(
        &json!({"abort": 500, "ttl": "1s", "route": null, "share": null, "pause": null}),
        &Bounds::example(),
    )
    .unwrap();
    assert_eq!((spec.route, spec.share, spec.pause_ingest), (None, 1.0, false));
}

#[test]
fn points_at_each_wrong_field() {
    for (fields, pointer, needle) in [
        (json!([]), "#", "object"),
        (json!({"ttl": "1s"}), "#", "has no effect"),
        (json!({"abort": 503}), "#/ttl", "required"),
        (json!({"abort": 503, "ttl": null}), "#/ttl", "60s"),
        (json!({"abort": 503, "ttl": 60}), "#/ttl", "60s"),
        (json!({"abort": 503, "ttl": "0s"}), "#/ttl", "60s"),
        (json!({"abort": 503, "ttl": "2h"}), "#/ttl", "FAULT_MAX_TTL"),
        (json!({"abort": 503, "ttl": "1s", "shrae": 1}), "#/shrae", "share"),
        (json!({"abort": 503, "ttl": "1s", "a/b~c d": 1}), "#/a~1b~0c%20d", "unknown field"),
        (json!({"abort": 503, "ttl": "1s", "share": 1.1}), "#/share", "0 to 1"),
        (json!({"abort": 503, "ttl": "1s", "share": -0.1}), "#/share", "0 to 1"),
        (json!({"abort": 503, "ttl": "1s", "share": "half"}), "#/share", "0 to 1"),
        (json!({"abort": 503, "ttl": "1s", "route": "/nope"}), "#/route", "/api/users"),
        (
            json!({"abort": 503, "ttl": "1s", "route": "/livez"}),
            "#/route",
            "exempt from faults; valid routes are /,",
        ),
        (json!({"abort": 503, "ttl": "1s", "route": 5}), "#/route", "such as"),
        (json!({"abort": 503, "ttl": "1s", "method": "get"}), "#/method", "GET"),
        (json!({"abort": 503, "ttl": "1s", "route": "/slow", "method": "PUT"}), "#/method", "/slow accepts"),
        (json!({"abort": 200, "ttl": "1s"}), "#/abort", "400 to 599"),
        (json!({"abort": 600, "ttl": "1s"}), "#/abort", "400 to 599"),
        (json!({"abort": "503", "ttl": "1s"}), "#/abort", "400 to 599"),
        (json!({"abort": 65_936 + 503, "ttl": "1s"}), "#/abort", "400 to 599"),
        (json!({"delay": "fast", "ttl": "1s"}), "#/delay", "250ms"),
        (json!({"delay": "1s:60,2s:60", "ttl": "1s"}), "#/delay", "120 %"),
        (json!({"delay": "2m", "ttl": "1s"}), "#/delay", "at most 1m"),
        (json!({"delay": 5, "ttl": "1s"}), "#/delay", "250ms"),
        (json!({"panic": "yes", "ttl": "1s"}), "#/panic", "true or false"),
        (json!({"panic": true, "abort": 500, "ttl": "1s"}), "#/panic", "combined with abort"),
        (json!({"memory": "lots", "ttl": "1s"}), "#/memory", "500MB"),
        (json!({"memory": 0, "ttl": "1s"}), "#/memory", "500MB"),
        (json!({"memory": "2GB", "ttl": "1s"}), "#/memory", "FAULT_MAX_MEMORY"),
        (json!({"memory": "1MB", "ttl": "1s", "route": "/slow"}), "#/route", "selects requests"),
        (json!({"pause": "all", "ttl": "1s"}), "#/pause", "ingest"),
        (json!({"model": true, "ttl": "1s"}), "#/model", "object"),
        (json!({"model": {}, "ttl": "1s"}), "#/model", "has no effect"),
        (json!({"model": {"delay": "x"}, "ttl": "1s"}), "#/model/delay", "250ms"),
        (json!({"model": {"fial": true}, "ttl": "1s"}), "#/model/fial", "delay, fail"),
        (json!({"abort": 503, "ttl": "1s", "seed": -1}), "#/seed", "an integer"),
        (json!({"abort": 503, "ttl": "1s", "seed": 1.5}), "#/seed", "an integer"),
    ] {
        let errors = parse(&fields, &Bounds::example()).unwrap_err();
        assert!(
            errors.iter().any(|error| error.pointer == pointer && error.detail.contains(needle)),
            "{fields}: {errors:?}"
        );
    }
}

#[test]
fn reports_all_errors_at_once() {
    let errors = parse(&json!({"share": 2, "abort": 1, "x": 1}), &Bounds::example()).unwrap_err();
    let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(pointers, ["#/x", "#/share", "#/abort", "#/ttl"]);
}

#[test]
fn rejects_faults_of_parts_the_build_lacks() {
    let bounds = Bounds { ingest: false, models: false, ..Bounds::example() };
    for fields in [json!({"pause": "ingest", "ttl": "1s"}), json!({"model": {"fail": true}, "ttl": "1s"})] {
        let errors = parse(&fields, &bounds).unwrap_err();
        assert!(errors[0].detail.contains("not available in this build"), "{errors:?}");
    }
}
