use crate::helpers::{PATIENCE, eventually, header, policy, spawn_app, spawn_with};
use std::{
    io::Write,
    net::TcpStream,
    time::{SystemTime, UNIX_EPOCH},
};

#[tokio::test]
async fn what_alerts_and_panels_need_exists_from_the_start() {
    let app = spawn_app().await;
    let response = app.get("/metrics").await;
    assert_eq!(response.status(), 200);
    assert_eq!(header(&response, "content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = response.text().await.unwrap();
    for line in [
        r#"http_requests_total{method="GET",route="/api/users",status="503"} 0"#,
        r#"http_requests_total{method="GET",route="/error",status="500"} 0"#,
        r#"http_requests_total{method="POST",route="/inference",status="504"} 0"#,
        r#"http_requests_in_progress{method="GET",route="/metrics"} 1"#,
        r#"api_errors_total{error_type="internal"} 0"#,
        r#"rate_limit_hits_total{policy="default"} 0"#,
        r#"rate_limit_decisions_total{backend="local",decision="refused",policy="default"} 0"#,
        "app_requests_total 0",
        "request_count_total 0",
        "app_active_users 0",
        "app_cpu_usage_percent 0",
        "users_registered_total 0",
        "app_memory_alert_bytes 7000000000",
        &format!(r#"app_build_info{{revision="unknown",version="{}"}} 1"#, env!("CARGO_PKG_VERSION")),
        "# TYPE http_requests_total counter",
        "# TYPE http_requests_in_progress gauge",
        "# TYPE rate_limit_check_duration_seconds histogram",
        "# TYPE rate_limit_keys gauge",
    ] {
        assert!(text.lines().any(|found| found == line), "missing: {line}\n{text}");
    }
    if cfg!(target_os = "linux") {
        assert!(
            text.contains("\nprocess_cpu_seconds_total ") && text.contains("\nprocess_open_fds "),
            "{text}"
        );
    }
    let types: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
    let mut unique = types.clone();
    unique.dedup();
    assert_eq!(types, unique, "each family once");
    // A route without requests has no durations: a mean over it would be 0/0.
    let early: Vec<&str> =
        text.lines().filter(|line| line.starts_with("http_request_duration_seconds")).collect();
    assert_eq!(early, [] as [&str; 0]);
    let statuses = text.lines().filter(|line| line.starts_with("http_requests_total{"));
    let early: Vec<&str> = statuses.filter(|line| !line.contains("status=\"5")).collect();
    assert_eq!(early, [] as [&str; 0], "only server errors start at zero");
}

#[tokio::test]
async fn countries_are_counted_as_a_trusted_proxy_names_them() {
    let app = spawn_with(
        &policy("p", "1000/s", 1000),
        &["--trusted-proxies", "127.0.0.1", "--country-header", "CF-IPCountry"],
    )
    .await;
    for country in ["DE", "DE", "FR", "nonsense"] {
        app.request("GET", "/api/users").header("cf-ipcountry", country).send().await.unwrap();
    }
    app.get("/health").await;
    let metrics = app.metrics().await;
    for (country, count) in [("DE", 2.0), ("FR", 1.0), ("unknown", 1.0)] {
        let series = format!("requests_by_country_total{{country=\"{country}\"}}");
        assert_eq!(metrics.get(&series), Some(count), "{country}");
    }
    let without = spawn_app().await;
    without.request("GET", "/api/users").header("cf-ipcountry", "DE").send().await.unwrap();
    assert_eq!(without.metrics().await.sum("requests_by_country_total"), 0.0, "off by default");
}

#[tokio::test]
async fn durations_are_summed_over_statuses() {
    let app = spawn_app().await;
    for status in [500, 500, 503] {
        assert_eq!(app.get(&format!("/api/error?status={status}")).await.status(), status);
    }
    let metrics = app.metrics().await;
    let count = r#"http_request_duration_seconds_count{method="GET",route="/api/error"}"#;
    assert_eq!(metrics.get(count), Some(3.0));
    assert_eq!(metrics.requests("GET", "/api/error", 500), 2.0);
}

#[tokio::test]
async fn duration_buckets_match_the_documentation() {
    let app = spawn_app().await;
    app.get("/").await;
    let metrics = app.metrics().await;
    for bound in ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"] {
        let series =
            format!("http_request_duration_seconds_bucket{{method=\"GET\",route=\"/\",le=\"{bound}\"}}");
        assert!(metrics.get(&series).is_some(), "{series}");
    }
    let buckets = metrics.series("http_request_duration_seconds_bucket");
    assert_eq!(buckets.filter(|(series, _)| series.contains(r#"route="/","#)).count(), 12);
}

#[tokio::test]
async fn durations_are_seconds_in_the_right_bucket() {
    let app = spawn_app().await;
    assert_eq!(app.get("/slow?delay=300ms").await.status(), 200);
    let metrics = app.metrics().await;
    let of = |suffix: &str, label: &str| {
        let labels = r#"method="GET",route="/slow""#;
        metrics.get(&format!("http_request_duration_seconds_{suffix}{{{labels}{label}}}")).unwrap()
    };
    // A busy machine makes it longer; it cannot be shorter.
    assert_eq!((of("bucket", r#",le="0.25""#), of("bucket", r#",le="+Inf""#)), (0.0, 1.0));
    assert!((0.3..20.0).contains(&of("sum", "")), "{}", of("sum", ""));
    assert_eq!(of("count", ""), 1.0);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn process_metrics_are_of_this_process() {
    let metrics = spawn_app().await.metrics().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    for (name, range) in [
        ("process_start_time_seconds", now - 3600.0..now + 1.0),
        ("process_resident_memory_bytes", 5e6..5e9),
        ("process_virtual_memory_bytes", 5e6..1e15),
        ("process_open_fds", 10.0..1e6),
        ("process_max_fds", 10.0..1e10),
        ("process_threads", 3.0..1e4),
        ("process_cpu_seconds_total", 0.0..1e6),
    ] {
        let value = metrics.get(name).unwrap_or_else(|| panic!("no {name}"));
        assert!(range.contains(&value), "{name} is {value}");
    }
}

#[tokio::test]
async fn counts_requests_exactly() {
    let app = spawn_with(&policy("tight", "1/d", 40), &[]).await;
    let mixture = [
        ("GET", "/api/users", 7, "/api/users", 200),
        ("GET", "/error", 5, "/error", 500),
        ("GET", "/api/error?status=503", 3, "/api/error", 503),
        ("GET", "/api/users/999", 2, "/api/users/{id}", 404),
        ("POST", "/api/users", 4, "/api/users", 422),
        ("PUT", "/api/users?name=x", 2, "/api/users", 405),
        ("GET", "/no/such/path", 3, "unmatched", 404),
        ("BREW", "/", 2, "/", 405),
        ("MELT", "/other", 2, "unmatched", 404),
        ("GET", "/cpu?value=nope", 1, "/cpu", 422),
        ("HEAD", "/", 2, "/", 200),
        ("GET", "/livez", 6, "/livez", 200),
        // 33 of the burst of 40 are used: probes are exempt.
        ("GET", "/", 7, "/", 200),
        ("GET", "/", 9, "/", 429),
    ];
    for (method, path, times, _, status) in mixture {
        for _ in 0..times {
            assert_eq!(app.send(method, path).await.status(), status, "{method} {path}");
        }
    }
    let metrics = app.metrics().await;
    let label = |method: &'static str| if ["BREW", "MELT"].contains(&method) { "OTHER" } else { method };
    for (method, path, times, route, status) in mixture {
        assert_eq!(
            metrics.requests(label(method), route, status),
            f64::from(times),
            "{method} {path} {status}"
        );
    }
    let total: u32 = mixture.iter().map(|row| row.2).sum();
    assert_eq!(
        metrics.sum("http_requests_total"),
        f64::from(total),
        "nothing is counted twice or under other labels"
    );
    assert_eq!(metrics.sum("http_request_duration_seconds_count"), f64::from(total));
    assert_eq!(metrics.get("app_requests_total"), Some(f64::from(total)));
    assert_eq!(metrics.get("request_count_total"), Some(f64::from(total)));
    let errors = f64::from(5 + 3 + 2 + 4 + 2 + 3 + 2 + 2 + 1 + 9);
    assert_eq!(metrics.sum("api_errors_total"), errors);
    assert_eq!(metrics.get(r#"rate_limit_hits_total{policy="tight"}"#), Some(9.0));
    let decisions = |decision: &str| {
        metrics.get(&format!(
            "rate_limit_decisions_total{{backend=\"local\",decision=\"{decision}\",policy=\"tight\"}}"
        ))
    };
    assert_eq!((decisions("admitted"), decisions("refused")), (Some(40.0), Some(9.0)));
    assert_eq!(metrics.get(r#"rate_limit_check_duration_seconds_count{backend="local"}"#), Some(49.0));
    assert_eq!(metrics.get(r#"rate_limit_keys{store="local"}"#), Some(1.0));
    // Only the scrape itself is in progress.
    assert_eq!(metrics.sum("http_requests_in_progress"), 1.0);
}

#[tokio::test]
async fn counts_a_disconnected_client_and_leaves_nothing_in_progress() {
    let app = spawn_app().await;
    let in_progress = r#"http_requests_in_progress{method="GET",route="/slow"}"#;
    let mut socket = TcpStream::connect(app.base.trim_start_matches("http://")).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket.write_all(b"GET /slow?delay=30s HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    eventually("the request is in progress", || async { app.metrics().await.get(in_progress) == Some(1.0) })
        .await;
    drop(socket);
    eventually("the disconnect is counted", || async {
        let metrics = app.metrics().await;
        metrics.requests("GET", "/slow", 499) == 1.0 && metrics.get(in_progress) == Some(0.0)
    })
    .await;
    let metrics = app.metrics().await;
    let count = r#"http_request_duration_seconds_count{method="GET",route="/slow"}"#;
    assert_eq!(metrics.get(count), Some(1.0));
}
