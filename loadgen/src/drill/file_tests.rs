use super::*;

const GOOD: &str = "\
drill: high-error-rate
proves: {alert: HighErrorRate, labels: {severity: warning}}
summary: 8 % of answers are 5xx
baseline: {rate: 40/s, requests: [{get: /api/users}]}
cause:
  load: {rate: 40/s, requests: [{weight: 92, get: /api/users}, {weight: 8, get: /api/error, expect: 500}]}
  share: 8%
objective: {notified: 10m, told_resolved: 20m}
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
    assert_eq!(drill.baseline.rate.per_second(), 40.0);
    assert_eq!(drill.cause.share.as_ref().unwrap().value, Share(0.08));
    assert_eq!(drill.objective.notified, Some(Duration::from_secs(600)));
    assert_eq!(drill.objective.told_resolved, Some(Duration::from_secs(1200)));
    assert_eq!(drill.expect.delivered, [Channel::Webhook, Channel::Slack]);
    assert_eq!(drill.expect.silent[0].value, "CriticalErrorRate");
    assert_eq!(drill.expect.silent[0].referenced.line(), 9);
    assert_eq!(drill.expect.also[0].value, "ExcessiveHttp500");
}

#[test]
fn what_is_left_out_has_a_default() {
    let drill = read(
        "drill: a\nproves: {alert: A}\nbaseline: {rate: 1/s, requests: [{get: /}]}\ncause: {load: {rate: 2/s, requests: [{get: /}]}}\n",
    )
    .unwrap();
    assert_eq!(drill.expect.delivered, [Channel::Webhook]);
    assert!(drill.objective.notified.is_none() && drill.cause.share.is_none());
}

#[test]
fn a_mistake_is_told_with_file_line_and_what_was_expected() {
    for (from, to, line, said) in [
        ("summary:", "sumary:", 3, "expected one of drill, proves, summary"),
        ("  share: 8%", "  shaer: 8%", 7, "unknown field `shaer`, expected one of load, share"),
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
        ("[webhook, slack]", "[]", 1, "expected at least one of webhook, slack"),
        ("drill: high-error-rate", "drill: high error", 1, "`high error` is not a drill's name: expected"),
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
        assert!(text.contains(said), "{to}: {text}");
        assert!(!text.contains('\n'), "one line each: {text}");
    }
}

#[test]
fn an_empty_cause_is_a_mistake() {
    let text = "drill: a\nproves: {alert: A}\nbaseline: {rate: 1/s, requests: [{get: /}]}\ncause: {}\n";
    assert!(read(text).unwrap_err().to_string().contains("the cause is empty: expected `load:"));
}

#[test]
fn shares() {
    for (text, expected) in [("8%", 0.08), ("8 %", 0.08), ("0.08", 0.08), ("240", 240.0)] {
        assert_eq!(text.parse::<Share>().unwrap(), Share(expected), "{text}");
    }
    for text in ["", "%", "-1", "NaN", "inf", "0"] {
        assert!(text.parse::<Share>().unwrap_err().contains("is not a share"), "{text}");
    }
}
