//! Broken receivers of Alertmanager: each of their channels without the all-clear.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::drills::Drill;
use super::mutant::{Kind, Mutant, parsed, place, replaced};
use super::routes::Routes;
use crate::error::Error;

/// A key of the file, not in a comment. Receivers have many kinds of channels, but all have this key.
static SENDS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^[^#\n]*\bsend_resolved:\s*(true)\b").expect("the pattern is a valid constant")
});

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    receivers: Vec<Receiver>,
}

#[derive(Deserialize)]
struct Receiver {
    name: Spanned<String>,
}

/// Every mutant of the receivers. What an alias repeats is changed with its anchor.
///
/// # Errors
/// A receiver that no drill uses, so that no drill could notice.
pub fn mutants(file: &str, text: &str, routes: &Routes<'_>, drills: &[Drill]) -> Result<Vec<Mutant>, Error> {
    let receivers = parsed::<Config>(file, text)?.receivers;
    let starts: Vec<(usize, &str)> =
        receivers.iter().map(|it| (place(&it.name).start, it.name.value.as_str())).collect();
    let mut found = Vec::new();
    for value in SENDS.captures_iter(text).filter_map(|found| found.get(1)) {
        let Some((_, receiver)) = starts.iter().rev().find(|(start, _)| *start < value.start()) else {
            continue;
        };
        let drill = routes.drill_of(drills, receiver).ok_or_else(|| {
            let reason = "is used by no drill, so no drill can notice its mutation";
            Error::Usage(format!("{file}: the receiver `{receiver}` {reason}"))
        })?;
        let at: Range<usize> = value.range();
        let line = text[..at.start].matches('\n').count() + 1;
        found.push(Mutant {
            kind: Kind::Resolved,
            of: format!("receiver {receiver}"),
            change: format!("line {line}: true -> false"),
            alerts: vec![drill.alert.clone()],
            drills: vec![drill.name.clone()],
            file: file.to_owned(),
            text: replaced(text, &at, "false"),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::mutate::drills::Expect;

    const FILE: &str = "route:
  receiver: quiet
receivers:
  - name: none
    webhook_configs:
      - send_resolved: false
  - name: quiet # send_resolved: true
    webhook_configs:
      - url: x
        send_resolved: true
    slack_configs:
      - {send_resolved: true, channel: y}
";

    #[test]
    fn turns_off_every_all_clear() {
        let drill = Drill {
            name: "a".into(),
            path: PathBuf::new(),
            alert: "A".into(),
            labels: BTreeMap::new(),
            promised: Duration::ZERO,
            expect: Expect::default(),
        };
        let routes = Routes::read("am.yml", FILE).unwrap();
        let found = mutants("am.yml", FILE, &routes, &[drill]).unwrap();
        let changes: Vec<_> =
            found.iter().map(|it| (it.of.as_str(), it.change.as_str(), it.drills[0].as_str())).collect();
        assert_eq!(
            changes,
            [
                ("receiver quiet", "line 10: true -> false", "a"),
                ("receiver quiet", "line 12: true -> false", "a")
            ]
        );
        assert_eq!(
            found[0].text,
            FILE.replace("        send_resolved: true", "        send_resolved: false")
        );
        assert_eq!(found[1].text, FILE.replace("{send_resolved: true", "{send_resolved: false"));
        let error = mutants("am.yml", FILE, &routes, &[]).unwrap_err().to_string();
        assert!(error.contains("the receiver `quiet` is used by no drill"), "{error}");
    }
}
