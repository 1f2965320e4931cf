use super::*;

const CONFIG: &str = r#"
global: {resolve_timeout: 5m, slack_api_url: <secret>}
route:
  receiver: default
  group_by: [alertname, job]
  group_interval: 2m
  routes:
    - receiver: heartbeat
      matchers: ['alertname="Watchdog"']
      group_wait: 0s
    - receiver: pager
      matchers: [severity=~"critical|page"]
      group_wait: 10s
      group_interval: 1m
      continue: true
      routes:
        - match: {team: db}
          receiver: dba
    - receiver: chat
      match_re: {severity: crit.*|warning}
      group_by: ['...']
    - receiver: 'null'
      matchers: [silly != "", 'env!~"prod.*"']
receivers:
  - name: default
  - name: heartbeat
    webhook_configs: [{url: "http://localhost/watch"}]
  - name: pager
    webhook_configs: [{url: "http://localhost/x"}]
    slack_configs: [{channel: '#alerts'}]
  - name: dba
    email_configs: []
  - name: chat
    slack_configs: [{channel: '#chat'}]
  - name: 'null'
"#;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn finds_the_routes_of_labels() {
    let routing = Routing::parse(CONFIG).unwrap();
    type Found = (&'static str, u64, u64);
    type Pairs = &'static [(&'static str, &'static str)];
    let cases: &[(Pairs, &[Found])] = &[
        (&[("alertname", "Watchdog"), ("severity", "critical")], &[("heartbeat", 0, 120)]),
        (&[("alertname", "A"), ("severity", "critical")], &[("pager", 10, 60), ("chat", 30, 120)]),
        (&[("alertname", "A"), ("severity", "page")], &[("pager", 10, 60)]),
        (
            &[("alertname", "A"), ("severity", "critical"), ("team", "db")],
            &[("dba", 10, 60), ("chat", 30, 120)],
        ),
        (&[("alertname", "A"), ("severity", "warning")], &[("chat", 30, 120)]),
        (&[("alertname", "A"), ("severity", "a warning")], &[("default", 30, 120)]),
        (&[("alertname", "A")], &[("default", 30, 120)]),
        (&[("alertname", "A"), ("silly", "x")], &[("null", 30, 120)]),
        (&[("alertname", "A"), ("silly", "x"), ("env", "production")], &[("default", 30, 120)]),
    ];
    for (given, expected) in cases {
        let found: Vec<_> = routing
            .of(&labels(given))
            .into_iter()
            .map(|route| {
                (route.receiver.as_str(), route.group_wait.as_secs(), route.group_interval.as_secs())
            })
            .collect();
        assert_eq!(found, *expected, "{given:?}");
    }
}

#[test]
fn groups_by_inherited_labels() {
    let routing = Routing::parse(CONFIG).unwrap();
    let route = |severity| routing.of(&labels(&[("alertname", "A"), ("severity", severity)]))[0].clone();
    let one = labels(&[("alertname", "A"), ("job", "api"), ("route", "/")]);
    let other = labels(&[("alertname", "A"), ("job", "api"), ("route", "/x")]);
    let third = labels(&[("alertname", "A"), ("job", "redis"), ("route", "/")]);
    let page = route("page");
    assert_eq!(page.group_by, ["alertname", "job"]);
    assert!(page.groups_together(&one, &other));
    assert!(!page.groups_together(&one, &third));
    let all = route("warning");
    assert!(!all.groups_together(&one, &other));
    assert!(all.groups_together(&one, &one));
}

#[test]
fn lists_the_kinds_of_receivers() {
    let routing = Routing::parse(CONFIG).unwrap();
    assert_eq!(routing.kinds("pager").unwrap(), ["slack", "webhook"]);
    assert!(routing.kinds("null").unwrap().is_empty());
    assert!(routing.kinds("dba").unwrap().is_empty());
    assert!(routing.kinds("nobody").is_none());
}

#[test]
fn uses_defaults_for_omitted_settings() {
    let routing = Routing::parse("route: {receiver: a}\nreceivers: [{name: a}]\n").unwrap();
    let route = routing.of(&Labels::new())[0];
    assert_eq!((route.group_wait, route.group_interval), (Duration::from_secs(30), Duration::from_secs(300)));
    assert!(route.group_by.is_empty());
    assert!(Routing::parse("receivers: []").is_err());
}

#[test]
fn finds_the_longest_interval_of_all_routes() {
    let longest = |text: &str| Routing::parse(text).unwrap().longest_interval().as_secs();
    assert_eq!(longest(CONFIG), 120);
    assert_eq!(longest("route: {receiver: a}"), 300, "the default");
    let nested =
        "{receiver: a, group_interval: 1m, routes: [{group_interval: 2m, routes: [{group_interval: 1h}]}]}";
    assert_eq!(longest(&format!("route: {nested}")), 3600);
}

#[test]
fn finds_possible_routes_for_incomplete_labels() {
    let routing = Routing::parse(CONFIG).unwrap();
    let all = |given: &[(&str, &str)]| -> Vec<_> {
        let known = labels(given);
        routing.possible(&known).into_iter().map(|route| route.receiver.clone()).collect()
    };
    assert_eq!(
        all(&[("alertname", "Watchdog")]),
        ["heartbeat"],
        "this route matches whatever the other labels are"
    );
    let critical = all(&[("alertname", "A"), ("severity", "critical")]);
    for receiver in ["pager", "chat", "dba"] {
        assert!(critical.iter().any(|it| it == receiver), "{receiver}: {critical:?}");
    }
    assert!(!critical.iter().any(|it| it == "heartbeat"), "{critical:?}");
    let known = [("alertname", "A"), ("severity", "page"), ("team", "web"), ("silly", ""), ("env", "x")];
    assert_eq!(all(&known), ["pager"], "all labels that matter are known");
}

#[test]
fn time_intervals_are_not_inherited() {
    let yaml = "
route:
  receiver: a
  routes:
    - matchers: [x=\"1\"]
      mute_time_intervals: [always]
      routes: [{matchers: [y=\"1\"]}]
    - {matchers: [x=\"2\"], active_time_intervals: [never]}
receivers: [{name: a}]
time_intervals: [{name: always, time_intervals: [{}]}]
mute_time_intervals: [{name: never, time_intervals: []}]
";
    let routing = Routing::parse(yaml).unwrap();
    let muted = |given: &[(&str, &str)]| {
        let labels = labels(given);
        routing.mute_reason(routing.of(&labels)[0], Timestamp::UNIX_EPOCH).unwrap()
    };
    assert_eq!(muted(&[]), None);
    assert!(muted(&[("x", "1")]).unwrap().contains("`always`"));
    assert_eq!(muted(&[("x", "1"), ("y", "1")]), None, "a child does not inherit it");
    assert!(muted(&[("x", "2")]).unwrap().contains("active only in the time interval `never`"));
}

#[test]
fn keys_without_values_count_as_missing() {
    let yaml = "
global:
route:
  receiver: a
  group_wait:
  group_by:
  continue:
  matchers:
  routes:
    - {match: {team: }, match_re: {env: ~}, receiver: b, continue: , group_interval: , mute_time_intervals: , routes: }
receivers: [{name: a, slack_configs: }, {name: b}]
time_intervals:
inhibit_rules:
---
# nothing more
";
    let routing = Routing::parse(yaml).unwrap();
    let receiver = |given: &[(&str, &str)]| routing.of(&labels(given))[0].receiver.clone();
    assert_eq!((receiver(&[]), receiver(&[("team", "x")])), ("b".to_owned(), "a".to_owned()));
    assert_eq!(routing.of(&labels(&[]))[0].group_wait, Duration::from_secs(30));
    for (yaml, says) in [
        ("", "expected `route:`"),
        ("route: {receiver: a}\n---\nroute: {receiver: b}\n", "second document"),
        ("route: {receiver: a, continue: maybe}\n", "expected true or false at line 1, column 32"),
    ] {
        let reason = Routing::parse(yaml).unwrap_err().to_string();
        assert!(reason.contains(says), "{yaml}: {reason}");
    }
}
