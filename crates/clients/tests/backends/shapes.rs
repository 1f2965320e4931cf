//! The responses of each family. Those of Prometheus and vmalert are as Debian's 2.42 and 1.79 give them; the others follow
//! the documentation of their APIs.

use clients::backend::Family;

pub struct Shape {
    pub name: &'static str,
    pub family: Family,
    /// The path of the address that a user gives.
    pub base: &'static str,
    pub pages: &'static [(&'static str, &'static str)],
    /// How late its rules see samples, and others what they record, in seconds.
    pub delays: (u64, Option<u64>),
    pub sends: Option<bool>,
    /// The scrape interval of each target in seconds.
    pub targets: &'static [Option<u64>],
    pub ready: Result<(), &'static str>,
}

const ONE: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1795992735,"1"]}]}}"#;
const PROMETHEUS: &str = r#"{"status":"success","data":{"version":"2.42.0+ds","revision":"2.42.0+ds-5+b6","branch":"debian/sid","buildUser":"team","buildDate":"20230714","goVersion":"go1.19.8"}}"#;
const THANOS: &str = r#"{"status":"success","data":{"version":"0.36.1","revision":"abc","branch":"HEAD","buildUser":"root@x","buildDate":"20240814","goVersion":"go1.22.5"}}"#;
const MIMIR: &str = r#"{"status":"success","data":{"application":"Grafana Mimir","version":"2.14.1","revision":"abc","branch":"HEAD","goVersion":"go1.22.8","features":{"ruler_config_api":"true","alertmanager_config_api":"true","query_sharding":"false","federated_rules":"false"}}}"#;
const RULES: &str = r#"{"status":"success","data":{"groups":[{"name":"api","file":"/etc/rules.yml","interval":30,"limit":0,"evaluationTime":0.001,"lastEvaluation":"2026-11-29T22:52:14.9Z","partialResponseStrategy":"WARN","sourceTenants":null,"rules":[
 {"name":"r","query":"max by (job) (up)","health":"ok","evaluationTime":0.001,"lastEvaluation":"2026-11-29T22:52:14.9Z","type":"recording"},
 {"state":"firing","name":"Down","query":"r == 0","duration":60,"keepFiringFor":120,"labels":{"severity":"page"},"annotations":{},"alerts":[{"labels":{"alertname":"Down","job":"api","severity":"page"},"annotations":{},"state":"firing","activeAt":"2026-11-29T22:50:44.9Z","value":"0e+00","partialResponseStrategy":"WARN"}],"health":"ok","lastError":"","evaluationTime":0.001,"lastEvaluation":"2026-11-29T22:52:14.9Z","type":"alerting"}]}]}}"#;
const VMALERT: &str = r#"{"status":"success","data":{"groups":[{"name":"api","rules":[
 {"state":"","name":"r","query":"max by (job) (up)","duration":0,"lastError":"","evaluationTime":0.01,"lastEvaluation":"2026-11-29T22:52:14.902714557Z","health":"ok","type":"recording","datasourceType":"prometheus","lastSamples":0,"id":"4695431419790634495","group_id":"8280805475443947346"},
 {"state":"firing","name":"Down","query":"r == 0","duration":60,"keep_firing_for":120,"labels":{"severity":"page"},"alerts":[{"state":"firing","name":"Down","value":"0","labels":{"alertgroup":"api","alertname":"Down","job":"api","severity":"page"},"annotations":{},"activeAt":"2026-11-29T22:50:44.912Z","id":"1","rule_id":"2","group_id":"3","expression":"r == 0","source":"","restored":false}],"lastError":"","evaluationTime":0.0005,"lastEvaluation":"2026-11-29T22:52:14.912464496Z","health":"ok","type":"alerting","datasourceType":"prometheus","lastSamples":0,"id":"16631096952366516937","group_id":"8280805475443947346"}],"interval":30,"lastEvaluation":"2026-11-29T22:52:14.912459459Z","type":"prometheus","id":"8280805475443947346","file":"rules.yml","concurrency":1,"eval_delay":20}]}}"#;
const GRAFANA: &str = r#"{"status":"success","data":{"groups":[{"name":"api","file":"Production","folderUid":"f","interval":30,"lastEvaluation":"2026-11-29T22:52:14Z","evaluationTime":0.01,"rules":[
 {"state":"firing","name":"Down","folderUid":"f","uid":"u","query":"r","duration":60,"keepFiringFor":120,"annotations":{},"labels":{"severity":"page"},"alerts":[
  {"labels":{"alertname":"Down","grafana_folder":"Production","job":"api"},"annotations":{},"state":"Alerting","activeAt":"2026-11-29T22:50:40Z","value":"0e+00"},
  {"labels":{"alertname":"Down","grafana_folder":"Production","job":"other"},"annotations":{},"state":"Normal","activeAt":"0001-01-01T00:00:00Z","value":""}],
 "totals":{"alerting":1,"normal":1},"health":"ok","type":"alerting","lastEvaluation":"2026-11-29T22:52:14Z","evaluationTime":0.01}],"totals":{"alerting":1}}],"totals":{"alerting":1}}}"#;
const FLAGS: &str = r#"vm_app_version{version="", short_version=""} 1
process_start_time_seconds 1795992723
flag{name="datasource.url", value="secret", is_set="true"} 1
flag{name="notifier.url", value="http://127.0.0.1:9093", is_set="true"} 1
flag{name="remoteWrite.url", value="secret", is_set="true"} 1
flag{name="remoteWrite.flushInterval", value="5s", is_set="false"} 1
flag{name="rule.evalDelay", value="30s", is_set="false"} 1
flag{name="search.latencyOffset", value="30s", is_set="false"} 1
"#;
const TARGET: &str = r#"{"discoveredLabels":{"__address__":"127.0.0.1:8000","__scrape_interval__":"15s","job":"api"},"labels":{"instance":"127.0.0.1:8000","job":"api"},"scrapePool":"api","scrapeUrl":"http://127.0.0.1:8000/metrics","lastError":"","lastScrape":"2026-11-29T22:52:14.626Z","lastScrapeDuration":0.005,"health":"up"}"#;

pub fn all() -> Vec<Shape> {
    let targets: &'static str =
        format!(r#"{{"status":"success","data":{{"activeTargets":[{TARGET}],"droppedTargets":[]}}}}"#).leak();
    let prometheus = vec![
        ("/-/ready", "Prometheus Server is Ready.\n"),
        ("/metrics", "process_start_time_seconds 1795992723\n"),
        ("/api/v1/status/buildinfo", PROMETHEUS),
        ("/api/v1/rules", RULES),
        ("/api/v1/query", ONE),
        ("/api/v1/targets", targets),
        (
            "/api/v1/alertmanagers",
            r#"{"status":"success","data":{"activeAlertmanagers":[{"url":"http://a:9093/api/v2/alerts"}],"droppedAlertmanagers":[]}}"#,
        ),
    ];
    let shape = |name, family, pages: Vec<(&'static str, &'static str)>| Shape {
        name,
        family,
        base: "",
        pages: pages.leak(),
        delays: (0, None),
        sends: None,
        targets: &[],
        ready: Ok(()),
    };
    vec![
        Shape {
            sends: Some(true),
            targets: &[Some(15)],
            ..shape("Prometheus", Family::Prometheus, prometheus)
        },
        Shape {
            delays: (50, Some(20)),
            sends: Some(true),
            targets: &[Some(15)],
            ..shape(
                "vmalert, with the API of its storage",
                Family::VictoriaMetrics,
                vec![
                    ("/metrics", FLAGS),
                    ("/api/v1/rules", VMALERT),
                    ("/api/v1/query", ONE),
                    ("/api/v1/targets", targets),
                ],
            )
        },
        Shape {
            base: "/select/0/prometheus",
            delays: (50, Some(20)),
            sends: Some(true),
            targets: &[Some(15)],
            ..shape(
                "the paths of a VictoriaMetrics cluster",
                Family::VictoriaMetrics,
                vec![
                    ("/metrics", FLAGS),
                    (
                        "/select/0/prometheus/api/v1/status/buildinfo",
                        r#"{"status":"success","data":{"version":"2.24.0"}}"#,
                    ),
                    ("/select/0/prometheus/api/v1/rules", VMALERT),
                    ("/select/0/prometheus/api/v1/query", ONE),
                    ("/select/0/prometheus/api/v1/targets", targets),
                ],
            )
        },
        Shape {
            targets: &[Some(15)],
            ..shape(
                "Thanos",
                Family::Thanos,
                vec![
                    ("/api/v1/status/buildinfo", THANOS),
                    ("/api/v1/rules", RULES),
                    ("/api/v1/query", ONE),
                    ("/api/v1/targets", targets),
                ],
            )
        },
        shape(
            "Mimir",
            Family::Mimir,
            vec![
                ("/prometheus/api/v1/status/buildinfo", MIMIR),
                ("/prometheus/api/v1/rules", RULES),
                ("/prometheus/api/v1/query", ONE),
            ],
        ),
        Shape {
            base: "/api/prom",
            ..shape(
                "Grafana Cloud",
                Family::Mimir,
                vec![
                    ("/api/prom/api/v1/status/buildinfo", MIMIR),
                    ("/api/prom/api/v1/rules", RULES),
                    ("/api/prom/api/v1/query", ONE),
                ],
            )
        },
        Shape {
            ready: Err("alerts that Grafana manages cannot be drilled yet"),
            ..shape(
                "Grafana",
                Family::Grafana,
                vec![
                    ("/api/health", r#"{"commit":"abc","database":"ok","version":"11.3.0"}"#),
                    ("/api/prometheus/grafana/api/v1/rules", GRAFANA),
                ],
            )
        },
    ]
}
