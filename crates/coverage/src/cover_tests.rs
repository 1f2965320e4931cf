use std::path::Path;

use super::*;
use drill::file::drill;

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn alert(name: &str, severity: &str) -> Alert {
    Alert {
        name: name.into(),
        labels: labels(&[("severity", severity), ("service", "api")]),
        origin: "api.yml".into(),
    }
}

fn holdings() -> Holdings {
    let drill = |name: &str, proves: &str| {
        let text = format!("drill: {name}\nproves: {proves}\ncause: {{stop: api}}\n");
        (name.into(), drill::parse(Path::new("a.yaml"), &text).unwrap())
    };
    let proof = |alert: &str, drill: &str, second| Proof {
        alert: alert.into(),
        drill: drill.into(),
        proven_at: Timestamp::from_second(second).unwrap(),
        scale: 20.0,
        phases: BTreeMap::new(),
    };
    Holdings {
        suite: Suite {
            drills: vec![
                drill("down", "{alert: Down}"),
                drill("burn", "{alert: Burn, labels: {severity: critical}}"),
            ],
            ..Suite::default()
        },
        tested: vec![
            ("Down".into(), labels(&[("severity", "critical"), ("service", "api")])),
            ("Burn".into(), labels(&[("severity", "warning"), ("service", "api"), ("job", "a")])),
        ],
        runbooks: ["Down".into(), "Burn".into()].into(),
        proofs: vec![proof("Down", "down", 5), proof("Down", "gone", 9), proof("Burn", "burn", 7)],
    }
}

#[test]
fn each_rule_is_held_against_what_there_is() {
    let alerts = [
        alert("Down", "critical"),
        alert("Burn", "critical"),
        alert("Burn", "warning"),
        alert("New", "none"),
    ];
    let found = cover(&alerts, &holdings());
    let seen: Vec<_> = found
        .iter()
        .map(|it| (it.drills.len(), it.tested, it.runbook, it.last_proven.map(Timestamp::as_second)))
        .collect();
    assert_eq!(
        seen,
        [(1, true, true, Some(5)), (1, false, true, Some(7)), (0, true, true, None), (0, false, false, None),]
    );
    assert_eq!(found.iter().map(Covered::is_complete).collect::<Vec<_>>(), [true, false, false, false]);
    assert_eq!(found[1].labels, labels(&[("severity", "critical")]));
    assert!(found[0].labels.is_empty());
}

/// The four rules that share a name in kube-prometheus.
fn burn(labels_of: &[&[(&str, &str)]]) -> Vec<Alert> {
    let alert = |pairs: &&[(&str, &str)]| Alert {
        name: "Burn".into(),
        labels: labels(pairs),
        origin: "api.yml".into(),
    };
    labels_of.iter().map(alert).collect()
}

#[test]
fn what_fits_several_rules_covers_none_of_them() {
    let alerts = burn(&[
        &[("severity", "critical"), ("long", "1h"), ("short", "5m")],
        &[("severity", "critical"), ("long", "6h"), ("short", "30m")],
        &[("severity", "warning"), ("long", "1d"), ("short", "2h")],
        &[("severity", "warning"), ("long", "3d"), ("short", "6h")],
    ]);
    let mut holdings = holdings();
    holdings.tested =
        vec![("Burn".into(), alerts[0].labels.clone()), ("Burn".into(), alerts[2].labels.clone())];
    let text = "drill: slow\nproves: {alert: Burn, labels: {long: 3d}}\ncause: {stop: api}\n";
    holdings.suite.drills.push(("b.yaml".into(), drill::parse(Path::new("b.yaml"), text).unwrap()));
    let found = cover(&alerts, &holdings);
    let seen: Vec<_> =
        found.iter().map(|it| (it.drills.join(" "), it.ambiguous.join(" "), it.tested)).collect();
    let of = |drills: &str, ambiguous: &str, tested| (drills.to_owned(), ambiguous.to_owned(), tested);
    assert_eq!(seen, [of("", "burn", true), of("", "burn", false), of("", "", true), of("slow", "", false)]);
    assert!(found[0].last_proven.is_none(), "a proof of one that fits several is of neither");
    let table = crate::report::table(&found);
    let advice = "(`burn` also matches another rule of this name: add {long=\"6h\", severity=\"critical\", \
                  short=\"30m\"} to `proves.labels` in the drill)";
    assert!(table.contains(advice), "{table}");
}

#[test]
fn rules_of_one_name_and_the_same_labels_are_one_alert() {
    let mut alerts = burn(&[&[("severity", "critical")], &[("severity", "critical")]]);
    alerts[1].origin = "other.yml".into();
    let found = cover(&alerts, &holdings());
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].drills.as_slice(), found[0].origin.as_str()),
        (&["burn".to_owned()][..], "api.yml, other.yml")
    );
}
