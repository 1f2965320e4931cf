//! Broken inhibit rules of Alertmanager: each without effect, and with one label fewer that must be equal.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::drills::Drill;
use super::mutant::{Kind, Mutant, parsed, place, replaced};
use crate::error::Error;

static MATCHER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"^(\w+)(!?=)"([^"]+)"$"#).expect("the pattern is a valid constant"));

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    inhibit_rules: Vec<Written>,
}

#[derive(Deserialize)]
struct Written {
    source_matchers: Vec<Spanned<String>>,
    target_matchers: Vec<Spanned<String>>,
    #[serde(default)]
    equal: Vec<Spanned<String>>,
}

/// An alert with the labels that its rule sets, `alertname` among them.
pub type Alert = BTreeMap<String, String>;

/// Every mutant of the inhibit rules; `alerts` are those of the rule files. A mutant has no drills if none inhibits by the rule,
/// or, for an equal label, none proves an alert beside one that must not inhibit it.
///
/// # Errors
/// A matcher that is not `label="value"` or `label!="value"`.
pub fn mutants(file: &str, text: &str, alerts: &[Alert], drills: &[Drill]) -> Result<Vec<Mutant>, Error> {
    let mut found = Vec::new();
    for (index, rule) in parsed::<Config>(file, text)?.inhibit_rules.iter().enumerate() {
        let [source, target] = [&rule.source_matchers, &rule.target_matchers].map(|matchers| {
            matchers.iter().map(|written| read(file, written)).collect::<Result<Vec<_>, _>>()
        });
        let (source, target) = (source?, target?);
        let of = format!("inhibit rule {}", index + 1);
        let mutant = |kind, change: String, at: usize, alerts: Vec<String>, drills: Vec<&Drill>| Mutant {
            kind,
            of: of.clone(),
            change,
            alerts,
            drills: drills.into_iter().map(|drill| drill.name.clone()).collect(),
            file: file.to_owned(),
            text: replaced(text, &(at..at), "x"),
        };
        // Whether an alert of the first names inhibits one of the second, if every equal label but `except` agrees.
        let inhibits = |sources: &[String], targets: &[String], except: Option<&str>| {
            let named = |names: &[String], side: &[Matcher]| -> Vec<&Alert> {
                alerts.iter().filter(|it| names.contains(&it["alertname"]) && matches(side, it)).collect()
            };
            let targets = named(targets, &target);
            named(sources, &source).iter().any(|source| {
                targets.iter().any(|target| {
                    rule.equal.iter().all(|label| {
                        let differ =
                            source.get(&label.value).zip(target.get(&label.value)).map(|(a, b)| a != b);
                        differ.is_none_or(|differ| differ == (except == Some(label.value.as_str())))
                    })
                })
            })
        };
        let quickest = |chosen: &dyn Fn(&Drill) -> bool| {
            let mut chosen: Vec<&Drill> = drills.iter().filter(|drill| chosen(drill)).collect();
            chosen.sort_by_key(|drill| drill.promised);
            chosen
        };
        if let Some(first) = rule.source_matchers.first() {
            let inhibiting = quickest(&|drill| {
                inhibits(std::slice::from_ref(&drill.alert), &drill.expect.inhibited, None)
            });
            let inhibited = inhibiting.iter().flat_map(|drill| drill.expect.inhibited.iter().cloned());
            let end = place(first).end;
            // Within the quotes of the matcher's value.
            let at = text[..end].rfind('"').unwrap_or(end);
            let change = format!("source {}", &text[place(first)]);
            found.push(mutant(Kind::Inhibition, change, at, inhibited.collect(), inhibiting.clone()));
        }
        for label in &rule.equal {
            let beside = quickest(&|drill| {
                inhibits(&drill.expect.also, std::slice::from_ref(&drill.alert), Some(&label.value))
            });
            let proven = beside.iter().map(|drill| drill.alert.clone()).collect();
            let change = format!("equal: {0} -> {0}x", label.value);
            found.push(mutant(Kind::Equal, change, place(label).end, proven, beside));
        }
    }
    Ok(found)
}

/// Label, whether the value has to be equal, value.
type Matcher = (String, bool, String);

fn read(file: &str, written: &Spanned<String>) -> Result<Matcher, Error> {
    let found = MATCHER.captures(&written.value).ok_or_else(|| {
        let reason = "write label=\"value\" or label!=\"value\"";
        Error::Usage(format!("{file}: the matcher `{}` of an inhibit rule: {reason}", written.value))
    })?;
    Ok((found[1].to_owned(), &found[2] == "=", found[3].to_owned()))
}

/// Whether an alert can match. A label that its rule does not set may have any value.
fn matches(matchers: &[Matcher], alert: &Alert) -> bool {
    matchers.iter().all(|(label, equal, value)| alert.get(label).is_none_or(|own| (own == value) == *equal))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::mutate::drills::Expect;

    const FILE: &str = "inhibit_rules:
  - source_matchers: [severity=\"critical\"]
    target_matchers: [severity=\"warning\"]
    equal: [job, symptom]
  - source_matchers: [alertname=\"Down\"]
    target_matchers: [service=\"api\", alertname!=\"Down\"]
";

    fn alert(name: &str, severity: &str, symptom: &str) -> Alert {
        let labels = [("alertname", name), ("severity", severity), ("service", "api"), ("symptom", symptom)];
        labels.map(|(label, value)| (label.to_owned(), value.to_owned())).into()
    }

    fn drill(name: &str, alert: &str, inhibited: &[&str], also: &[&str]) -> Drill {
        let names = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect();
        Drill {
            name: name.into(),
            path: PathBuf::new(),
            alert: alert.into(),
            labels: BTreeMap::new(),
            promised: Duration::ZERO,
            expect: Expect { inhibited: names(inhibited), also: names(also), ..Expect::default() },
        }
    }

    #[test]
    fn breaks_every_rule_for_the_drills_that_show_it() {
        let alerts = [
            alert("Down", "critical", "down"),
            alert("Bad", "critical", "errors"),
            alert("Meh", "warning", "errors"),
        ];
        let drills = [
            drill("bad", "Bad", &["Meh"], &[]),
            // Neither shows anything: the symptoms differ, so that another rule inhibits; they agree, so that it must inhibit.
            drill("down", "Bad", &["Down"], &[]),
            drill("same", "Meh", &[], &["Bad"]),
            drill("meh", "Meh", &[], &["Down"]),
        ];
        let found = mutants("am.yml", FILE, &alerts, &drills).unwrap();
        let changes: Vec<_> = found
            .iter()
            .map(|it| (it.kind, it.of.as_str(), it.change.as_str(), it.drills.join(" "), it.alerts.join(" ")))
            .collect();
        let expected = [
            (Kind::Inhibition, "inhibit rule 1", "source severity=\"critical\"", "bad", "Meh"),
            (Kind::Equal, "inhibit rule 1", "equal: job -> jobx", "same", "Meh"),
            (Kind::Equal, "inhibit rule 1", "equal: symptom -> symptomx", "meh", "Meh"),
            (Kind::Inhibition, "inhibit rule 2", "source alertname=\"Down\"", "", ""),
        ];
        let expected = expected.map(|(kind, of, change, drills, alerts)| {
            (kind, of, change, drills.to_owned(), alerts.to_owned())
        });
        assert_eq!(changes, expected);
        assert_eq!(found[0].text, FILE.replacen("\"critical\"", "\"criticalx\"", 1));
        assert_eq!(found[2].text, FILE.replace("symptom]", "symptomx]"));
        assert_eq!(found[3].text, FILE.replacen("\"Down\"", "\"Downx\"", 1));
        let regex = FILE.replace("severity=\"warning\"", "severity=~\"w.*\"");
        let error = mutants("am.yml", &regex, &alerts, &drills).unwrap_err().to_string();
        assert!(error.contains("the matcher `severity=~\"w.*\"`"), "{error}");
    }
}
