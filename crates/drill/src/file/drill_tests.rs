use super::*;
use crate::file::share::Share;
use clients::inbox::Channel;

const GOOD: &str = "\
drill: high-error-rate
proves: {alert: HighErrorRate, labels: {severity: warning}}
summary: 8 % of responses are 5xx
baseline: {rate: 40/s, requests: [{get: /api/users}]}
cause:
  load: {rate: 40/s, requests: [{weight: 92, get: /api/users}, {weight: 8, get: /api/error, expect: 500}]}
  share: 8%
objective: {notified: 10m, all_clear: 20m}
expect: {delivered: [webhook, slack], silent: [CriticalErrorRate], also: [ExcessiveHttp500]}
";

fn read(text: &str) -> Result<Drill, FileError> {
    parse(Path::new("drills/a.yaml"), text)
}

#[test]
fn reads_the_whole_file() {
    let drill = read(GOOD).unwrap();
    assert_eq!(drill.drill.value, "high-error-rate");
    assert_eq!(drill.proves.alert.value, "HighErrorRate");
    assert_eq!(drill.proves.labels["severity"], "warning");
    assert_eq!(drill.baseline.as_ref().unwrap().rate.per_second(), 40.0);
    assert_eq!(drill.cause.share.as_ref().unwrap().value, Share(0.08));
    assert_eq!(drill.objective.notified, Some(Duration::from_secs(600)));
    assert_eq!(drill.objective.all_clear, Some(Duration::from_secs(1200)));
    assert_eq!(drill.expect.delivered, [Channel::Webhook, Channel::Slack]);
    assert_eq!(drill.expect.silent[0].value, "CriticalErrorRate");
    assert_eq!(drill.expect.silent[0].referenced.line(), 9);
    assert_eq!(drill.expect.also[0].value, "ExcessiveHttp500");
}

#[test]
fn omitted_fields_have_defaults() {
    let drill = read(
        "drill: a\nproves: {alert: A}\nbaseline: {rate: 1/s, requests: [{get: /}]}\ncause: {load: {rate: 2/s, requests: [{get: /}]}}\n",
    )
    .unwrap();
    assert_eq!(drill.expect.delivered, [Channel::Webhook]);
    assert!(drill.objective.notified.is_none() && drill.cause.share.is_none());
}

#[test]
fn errors_name_file_line_and_expected_value() {
    for (from, to, line, message) in [
        ("summary:", "sumary:", 3, "expected one of drill, proves, summary"),
        ("  share: 8%", "  shaer: 8%", 7, "unknown field `shaer`, expected one of load, idle, fault"),
        ("  share: 8%", "  share: many", 7, "`many` is not a share: expected a positive number"),
        ("  share: 8%", "  share: 0%", 7, "expected a positive number"),
        ("notified: 10m", "notified: ten", 8, "`ten` is not a duration: expected"),
        (
            "rate: 40/s, requests: [{get: /api/users}]",
            "rate: 0/s, requests: [{get: /api/users}]",
            4,
            "is not a rate: expected",
        ),
        ("[webhook, slack]", "[webhook, fax]", 9, "slack"),
        ("[webhook, slack]", "[webhook, slack, webhook]", 9, "expect.delivered: duplicate channel `webhook`"),
        ("notified: 10m", "notified: 0s", 8, "objective.notified is 0: expected"),
        ("all_clear: 20m", "all_clear: 9m", 8, "all_clear (9m) must be at least notified (10m)"),
        ("[webhook, slack]", "[]", 1, "expected at least one of webhook, slack"),
        ("drill: high-error-rate", "drill: high error", 1, "invalid drill name `high error`: expected"),
        ("silent: [CriticalErrorRate]", "silent: [HighErrorRate]", 9, "stay silent and to fire"),
        ("also: [ExcessiveHttp500]", "also: [CriticalErrorRate]", 9, "stay silent and to fire"),
        ("proves: {alert: HighErrorRate,", "proves: {alrt: HighErrorRate,", 2, "unknown field `alrt`"),
        ("summary: 8 % of", "summary: [8 % of", 0, ""),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let error = read(&GOOD.replacen(from, to, 1)).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("drills/a.yaml:"), "{text}");
        if line > 0 {
            assert_eq!(error.at.map(|(line, _)| line), Some(line), "{text}");
        }
        assert!(text.contains(message), "{to}: {text}");
        assert!(!text.contains('\n'), "one line each: {text}");
    }
}

#[test]
fn rejects_the_proven_alert_among_other_alerts_unless_labels_differ() {
    for list in ["also", "inhibited"] {
        let text = |labels: &str| {
            format!(
                "drill: a\nproves: {{alert: A{labels}}}\ncause: {{idle: true}}\nexpect: {{{list}: [A]}}\n"
            )
        };
        let message = read(&text("")).unwrap_err().to_string();
        assert!(
            message.contains("a.yaml:4:") && message.contains("`A` is the alert this drill proves"),
            "{message}"
        );
        assert!(read(&text(", labels: {severity: critical}")).is_ok());
    }
}

#[test]
fn an_empty_document_may_follow() {
    let stops =
        "drill: a\nproves: {alert: A, stops: true}\ncause: {idle: true}\nexpect: {delivered: [heartbeat]}\n";
    for text in [GOOD, stops, "drill: q\nproves: {quiet: 10m}\n"] {
        let ended = format!("{text}---\n# the end\n");
        assert_eq!(read(&ended).unwrap().drill.value, read(text).unwrap().drill.value);
        assert!(read(&format!("{text}---\n{text}")).unwrap_err().to_string().contains("second document"));
    }
    let unfilled = "drill: a\nproves: {alert: A}\ncause: {}\n---\n";
    assert_eq!(without_cause(unfilled).unwrap().proves.alert.value, "A");
}

#[test]
fn a_grouping_needs_a_webhook() {
    let text = |delivered: &str| {
        format!(
            "drill: a\nproves: {{alert: A}}\ncause: {{idle: true}}\nexpect: {{delivered: [{delivered}], grouped_by: [job]}}\n"
        )
    };
    assert_eq!(read(&text("slack, webhook")).unwrap().expect.grouped_by, Some(vec!["job".to_owned()]));
    let message = read(&text("slack")).unwrap_err().to_string();
    assert!(message.contains("add webhook to `delivered`"), "{message}");
}

#[test]
fn rejects_an_empty_file() {
    let message = read("").unwrap_err().to_string();
    assert!(message.contains("unexpected end of file: the file is empty"), "{message}");
}

#[test]
fn rejects_an_empty_cause() {
    let text = "drill: a\nproves: {alert: A}\nbaseline: {rate: 1/s, requests: [{get: /}]}\ncause: {}\n";
    assert!(read(text).unwrap_err().to_string().contains("the cause is empty: expected `load:"));
}

#[test]
fn reads_shares() {
    for (text, expected) in [("8%", 0.08), ("8 %", 0.08), ("0.08", 0.08), ("240", 240.0)] {
        assert_eq!(text.parse::<Share>().unwrap(), Share(expected), "{text}");
    }
    for text in ["", "%", "-1", "NaN", "inf", "0"] {
        assert!(text.parse::<Share>().unwrap_err().to_string().contains("is not a share"), "{text}");
    }
}

#[test]
fn reads_every_kind_of_cause() {
    let text = "\
drill: a
proves: {alert: A}
cause:
  fault: {route: /x, delay: 200ms}
  stop: api
  pause: redis
  restart: {name: api, times: 3}
  run: {start: [sh, -c, 'true'], undo: ['true'], hold: true}
  inbox: {slack: 500, email: hang}
expect: {delivered: [heartbeat, discord, pagerduty, email], inhibited: [B]}
";
    let drill = read(text).unwrap();
    assert!(drill.baseline.is_none());
    let cause = drill.cause;
    assert_eq!(cause.fault.as_ref().unwrap().0["delay"], "200ms");
    assert_eq!((cause.stop.as_deref(), cause.pause.as_deref()), (Some("api"), Some("redis")));
    assert_eq!(cause.restart.as_ref().unwrap().times, 3);
    assert!(cause.run.as_ref().unwrap().hold && cause.needs_control());
    use crate::file::cause::InboxFailure;
    assert_eq!(cause.inbox[&Channel::Slack], InboxFailure::Status(500));
    assert_eq!(cause.inbox[&Channel::Email], InboxFailure::Hang);
    assert_eq!(drill.expect.inhibited[0].value, "B");
    for (cause, message) in [
        ("{fault: {ttl: 5s}}", "remove `ttl`"),
        ("{restart: {name: api, times: 0}}", "restart.times is 0: expected 1 to 100"),
        ("{restart: {name: api, times: 300}}", "restart.times is 300: expected 1 to 100"),
        ("{restart: {name: ''}}", "empty service name"),
        ("{stop: ''}", "empty service name"),
        ("{pause: ' '}", "empty service name"),
        ("{fault: {}}", ":3:"),
        ("{fault: {rout: /x, dely: 3 parsecs}}", "unknown field `rout`, expected one of route"),
        ("{run: {start: sh -c true}}", "`sh -c true`: expected a list [program, argument, …]"),
        ("{run: {start: ['true'], undo: rm x}}", "such as [sh, -c, 'rm x']"),
        ("{run: sh -c true}", "expected fields with their values"),
        ("{load: {rate: 1/s, requests: [{get: '/{{nope}}'}]}}", "no request captures `nope`"),
        ("{run: {start: []}}", "run.start is empty"),
        ("{inbox: {slack: 200}}", "expected a status from 400 to 599, or hang"),
        ("{idle: true, load: {rate: 1/s, requests: [{get: /}]}}", "cannot be combined"),
        ("{halt: api}", "unknown field `halt`"),
    ] {
        let text = format!("drill: a\nproves: {{alert: A}}\ncause: {cause}\n");
        let error = read(&text).unwrap_err().to_string();
        assert!(error.contains(message), "{cause}: {error}");
        assert!(
            [":3:", ":1:"].iter().any(|line| error.starts_with(&format!("drills/a.yaml{line}"))),
            "{error}"
        );
    }
}

#[test]
fn a_negative_control_names_no_alert_and_may_have_no_cause() {
    let text = "drill: a\nproves: {quiet: 10m}\nbaseline: {rate: 1/s, requests: [{get: /}]}\n";
    assert_eq!(read(text).unwrap().proves.quiet, Some(Duration::from_secs(600)));
    for (field, line, message) in [
        ("objective: {notified: 1m}", 3, "`objective` applies to drills of an alert"),
        ("expect: {delivered: [email]}", 3, "`expect.delivered` applies to drills of an alert"),
        ("expect: {inhibited: [X]}", 3, "`expect.inhibited` applies to drills of an alert"),
        ("expect: {grouped_by: [job]}", 3, "`expect.grouped_by` applies to drills of an alert"),
        ("expect: {delivered: []}", 3, "`expect.delivered` applies to drills of an alert"),
    ] {
        let error = read(&format!("drill: a\nproves: {{quiet: 10m}}\n{field}\n")).unwrap_err();
        assert_eq!(error.at.map(|(line, _)| line), Some(line), "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
    let labels = read("drill: a\nproves: {quiet: 10m, labels: {a: b}}\n").unwrap_err().to_string();
    assert!(labels.contains("remove `alert`, `stops`, `labels` and `lookback`"), "{labels}");
    let lookback = read("drill: a\nproves: {quiet: 10m, lookback: 5m}\n").unwrap_err().to_string();
    assert!(lookback.contains("and `lookback`"), "{lookback}");
    let stated = read("drill: a\nproves: {alert: A, lookback: 5m}\ncause: {idle: true}\n").unwrap();
    assert_eq!(stated.proves.lookback, Some(Duration::from_secs(300)));
    let stops =
        "drill: a\nproves: {alert: A, stops: true}\ncause: {idle: true}\nexpect: {delivered: [slack]}\n";
    let stops = read(stops).unwrap_err().to_string();
    assert!(stops.contains(":4:") && stops.contains("expected [heartbeat]"), "{stops}");
    let none = read("drill: a\nproves: {quiet: 0s}\n").unwrap_err().to_string();
    assert!(none.contains("proves.quiet is 0: expected"), "{none}");
    let both = read("drill: a\nproves: {quiet: 10m, alert: A}\n").unwrap_err().to_string();
    assert!(both.contains("remove `alert`"), "{both}");
    let near = read("drill: a\nproves: {quiet: 10m}\nexpect: {near: [A, B]}\n").unwrap().expect.near;
    assert_eq!(near.iter().map(|it| it.value.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    let no_control = "drill: a\nproves: {alert: A}\ncause: {idle: true}\nexpect: {near: [B]}\n";
    let message = read(no_control).unwrap_err().to_string();
    assert!(message.contains(":4:") && message.contains("`near` applies to negative controls"), "{message}");
}
