//! Response bodies of Prometheus 2.42 and 3.x.

use jiff::Timestamp;

use crate::prometheus::parse::*;

const RULES: &str = r#"{"status":"success","data":{"groups":[
 {"name":"api","file":"/etc/prometheus/alert_rules/api.yml","interval":10,"limit":0,"evaluationTime":0.0003,
  "lastEvaluation":"2026-05-04T12:00:01.123456789Z","rules":[
  {"name":"job:errors:ratio5m","query":"sum(rate(e[5m]))","health":"ok","evaluationTime":0.0001,
   "lastEvaluation":"2026-05-04T14:00:01.123456789+02:00","type":"recording"},
  {"state":"firing","name":"HighErrorRate","query":"job:errors:ratio5m > 0.05","duration":120,
   "labels":{"severity":"warning"},"annotations":{"summary":"s"},
   "alerts":[{"labels":{"alertname":"HighErrorRate","job":"api","severity":"warning"},"annotations":{},
     "state":"firing","activeAt":"2026-05-04T11:57:30.5Z","value":"8.1e-02"}],
   "health":"ok","evaluationTime":0.0002,"lastEvaluation":"2026-05-04T12:00:01Z","type":"alerting"},
  {"state":"inactive","name":"New","query":"x > 1","duration":1.5,"keepFiringFor":300,"labels":{},"annotations":{},
   "alerts":[],"health":"unknown","lastError":"","evaluationTime":0,"lastEvaluation":"0001-01-01T00:00:00Z",
   "type":"alerting"},
  {"state":"inactive","name":"Bad","query":"x / on() y","duration":0,"labels":{},"annotations":{},"alerts":null,
   "health":"err","lastError":"many-to-many matching not allowed","evaluationTime":0,
   "lastEvaluation":"2026-05-04T12:00:01Z","type":"alerting"}]},
 {"name":"empty","file":"e.yml","interval":60,"rules":null}]}}"#;

#[test]
fn parses_rules_of_both_major_versions() {
    let groups = rules(RULES).unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!((groups[0].name.as_str(), groups[0].interval), ("api", Duration::from_secs(10)));
    assert_eq!(groups[0].last_evaluation, Some("2026-05-04T12:00:01.123456789Z".parse().unwrap()));
    assert_eq!((groups[1].last_evaluation, groups[1].query_offset), (None, Duration::ZERO));
    assert!(groups[1].rules.is_empty());
    let [recording, firing, new, bad] = &groups[0].rules[..] else { panic!("four rules") };
    assert!(recording.alerting.is_none());
    assert_eq!(recording.last_evaluation, Some("2026-05-04T12:00:01.123456789Z".parse().unwrap()));

    let alerting = firing.alerting.as_ref().unwrap();
    assert_eq!((alerting.hold, alerting.keep_firing), (Duration::from_secs(120), Duration::ZERO));
    assert_eq!(alerting.labels["severity"], "warning");
    assert_eq!((alerting.alerts[0].value, alerting.alerts[0].state.as_str()), (0.081, "firing"));
    assert_eq!(alerting.alerts[0].active_at, "2026-05-04T11:57:30.5Z".parse().unwrap());
    assert_eq!(alerting.alerts[0].labels["job"], "api");

    assert_eq!((new.last_evaluation, new.health.as_str()), (None, "unknown"));
    let alerting = new.alerting.as_ref().unwrap();
    assert_eq!(
        (alerting.hold, alerting.keep_firing),
        (Duration::from_millis(1500), Duration::from_secs(300))
    );
    assert_eq!((bad.health.as_str(), bad.last_error.as_str()), ("err", "many-to-many matching not allowed"));
}

#[test]
fn parses_versions() {
    for (data, expected) in [
        (r#"{"version":"2.42.0+ds","goVersion":"go1.19.8"}"#, Some((2, 42))),
        (r#"{"version":"3.5.3+ds1"}"#, Some((3, 5))),
        (r#"{"version":"v1.145.0"}"#, None),
        (r#"{"version":""}"#, None),
        ("{}", None),
        ("null", None),
    ] {
        let body = format!(r#"{{"status":"success","data":{data}}}"#);
        assert_eq!(version(&body).unwrap(), expected, "{data}");
    }
}

#[test]
fn parses_targets_and_alertmanagers() {
    let body = r#"{"status":"success","data":{"activeTargets":[
      {"discoveredLabels":{"__address__":"127.0.0.1:8000"},"labels":{"instance":"127.0.0.1:8000","job":"api"},
       "scrapePool":"api","scrapeUrl":"http://127.0.0.1:8000/metrics","globalUrl":"http://host:8000/metrics",
       "lastError":"","lastScrape":"2026-05-04T12:00:00.1Z","lastScrapeDuration":0.002,"health":"up",
       "scrapeInterval":"1s500ms","scrapeTimeout":"1s"},
      {"discoveredLabels":{},"labels":{},"scrapePool":"node","scrapeUrl":"http://127.0.0.1:9100/metrics",
       "globalUrl":"","lastError":"connection refused","lastScrape":"0001-01-01T00:00:00Z",
       "lastScrapeDuration":0,"health":"unknown","scrapeInterval":"15s","scrapeTimeout":"10s"}],
      "droppedTargets":[]}}"#;
    let found = targets(body).unwrap();
    assert_eq!((found[0].job.as_str(), found[0].scrape_interval), ("api", Some(Duration::from_millis(1500))));
    assert_eq!(found[0].last_scrape, Some("2026-05-04T12:00:00.1Z".parse().unwrap()));
    assert_eq!((found[1].job.as_str(), found[1].last_scrape), ("node", None));
    assert_eq!((found[1].health.as_str(), found[1].last_error.as_str()), ("unknown", "connection refused"));

    let body = r#"{"status":"success","data":{"activeAlertmanagers":[{"url":"http://a:9093/api/v2/alerts"}],
      "droppedAlertmanagers":[]}}"#;
    assert_eq!(alertmanagers(body).unwrap(), ["http://a:9093/api/v2/alerts"]);
}

#[test]
fn parses_every_kind_of_query_result() {
    let at = |millis| Timestamp::from_millisecond(millis).unwrap();
    let vector = r#"{"status":"success","data":{"resultType":"vector","result":[
      {"metric":{"__name__":"up","job":"api"},"value":[1777896000.123,"1"]},
      {"metric":{},"value":[1777896000,"NaN"]},
      {"metric":{"h":"native"},"histogram":[1777896000,{"count":"1","sum":"2"}]}]}}"#;
    let found = series(vector).unwrap();
    assert_eq!(found[0].samples, [(at(1_777_896_000_123), 1.0)]);
    assert_eq!(found[0].labels["__name__"], "up");
    assert!(found[1].samples[0].1.is_nan());
    assert!(found[2].samples.is_empty());

    let matrix = r#"{"status":"success","warnings":["slow"],"data":{"resultType":"matrix","result":[
      {"metric":{"alertname":"A"},"values":[[1777896000.001,"1"],[1777896001.001,"+Inf"],[1777896002,"-Inf"]]}]}}"#;
    let found = series(matrix).unwrap();
    assert_eq!(
        found[0].samples,
        [
            (at(1_777_896_000_001), 1.0),
            (at(1_777_896_001_001), f64::INFINITY),
            (at(1_777_896_002_000), f64::NEG_INFINITY)
        ]
    );

    let scalar = r#"{"status":"success","data":{"resultType":"scalar","result":[1777896000,"2.5e+00"]}}"#;
    let found = series(scalar).unwrap();
    assert_eq!((found.len(), found[0].labels.len(), found[0].samples[0].1), (1, 0, 2.5));

    let empty = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
    assert!(series(empty).unwrap().is_empty());
}

#[test]
fn rejects_invalid_responses() {
    for (body, message) in [
        (
            r#"{"status":"error","errorType":"bad_data","error":"parse error at char 3"}"#,
            "bad_data: parse error at char 3",
        ),
        (r#"{"status":"success"}"#, "cannot parse the response"),
        (
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}}"#,
            "\"x\"",
        ),
        (
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1e300,"1"]}]}}"#,
            "time",
        ),
        (r#"{"status":"success","data":{"resultType":"string","result":[1,"text"]}}"#, "\"text\""),
        ("<html>", "cannot parse the response"),
        ("", "cannot parse the response"),
    ] {
        let error = series(body).unwrap_err().to_string();
        assert!(error.contains(message), "{body}: {error}");
    }
    assert!(
        rules(&RULES.replace("\"interval\":10", "\"interval\":-1")).unwrap_err().to_string().contains("-1 s")
    );
    assert!(
        rules(&RULES.replace("\"state\":\"firing\",\"name\"", "\"name\""))
            .unwrap_err()
            .to_string()
            .contains("HighErrorRate")
    );
}
