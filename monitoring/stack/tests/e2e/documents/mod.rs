//! The documented commands do what the documents say, in a checkout as a reader has it. Each is run here, or listed in
//! [`elsewhere`] with the test that runs it or the reason.

mod elsewhere;
mod fresh;
mod links;
#[path = "../../common/markdown.rs"]
mod markdown;
mod reference;
mod site;
#[path = "../../common/tables.rs"]
mod tables;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::Duration;

use process::program::repository;

use self::elsewhere::{AROUND, ELSEWHERE, EXPECTED, NEVER};
use self::fresh::Checkout;
use self::markdown::{Given, commands, documents};
use crate::support;

const WALKTHROUGH: &str = "docs/guide/walkthrough.md";
/// Timeout of a command other than a load, a drill or a start of a stack.
const SOON: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(300);

/// Every command of every document.
fn all() -> Vec<Given> {
    documents(&repository()).iter().flat_map(|document| commands(&repository(), document)).collect()
}

fn is_elsewhere(given: &Given) -> bool {
    let begins = |words: &&str| given.text.starts_with(*words);
    ELSEWHERE.iter().map(|(words, _, _)| words).chain(NEVER.iter().map(|(words, _)| words)).any(begins)
}

/// A name, such as `loadgen drill` or `make up OFFSET=10000` in a sentence: [`every_mentioned_command_exists`].
fn is_name(given: &Given) -> bool {
    let own = ["api ", "loadgen ", "stack ", "make "].iter().any(|program| given.text.starts_with(program));
    given.inline && own && !given.text.starts_with("stack service ")
}

#[tokio::test]
async fn every_command_in_the_documents_works() {
    let checkout = Checkout::new();
    let up = format!("stack up --detach --scale {} --port-offset {}", support::FAST, checkout.offset());
    let (code, text) = checkout.run(&up, LONG).await;
    assert_eq!(code, 0, "{text}");
    // Creates the series that runbooks query.
    for request in [
        "-X PUT http://127.0.0.1:8000/models/iris",
        "-X POST http://127.0.0.1:8000/inference -H 'Content-Type: application/json' \
         -d '{\"model_name\":\"iris\",\"input_data\":[[5.1,3.5,1.4,0.2]]}'",
        "-X POST http://127.0.0.1:8000/api/ingest -H 'Content-Type: application/json' \
         -d '{\"readings\":[{\"device\":\"d1\",\"stream\":\"hrv_rmssd\",\"timestamp\":1790000000,\"value\":42}]}'",
        "-X POST 'http://127.0.0.1:8000/api/orders?amount=1999&currency=EUR'",
        "-X PATCH 'http://127.0.0.1:8000/api/orders/1?status=paid'",
    ] {
        let (code, text) = checkout.run(&checkout.here(&format!("curl -s {request}")), SOON).await;
        assert_eq!(code, 0, "{request}\n{text}");
    }

    let mut run = 0;
    let mut wrong = Vec::new();
    let mut queried = HashSet::new();
    let (drills, others): (Vec<_>, Vec<_>) = all()
        .into_iter()
        .filter(|given| !given.place.starts_with(WALKTHROUGH) && !is_elsewhere(given) && !is_name(given))
        .partition(|given| given.text.starts_with("loadgen drill"));
    // Drills first, because they need a stack where nothing fires.
    for given in drills.iter().chain(&others) {
        if given.text.starts_with("loadgen drill") {
            quiet(&checkout).await;
        }
        wrong.extend(checkout.obey(given, LONG).await.err());
        queried.extend(Checkout::queried_metrics(&given.text));
        run += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(run >= 80, "only {run} commands were run");

    assert!(queried.len() > 25, "{queried:?}");
    for name in queried.iter().filter(|name| !name.starts_with("container_")) {
        let url = format!("{}/api/v1/series", checkout.url(9090));
        let url = reqwest::Url::parse_with_params(&url, [("match[]", format!("{{__name__=~\"{name}\"}}"))])
            .unwrap();
        support::eventually(&format!("a series of {name}"), SOON, || async {
            let series = support::get_json(url.as_str()).await?;
            series["data"].as_array().is_some_and(|all| !all.is_empty()).then_some(())
        })
        .await;
    }
}

/// Waits until the alert of an earlier drill has resolved.
async fn quiet(checkout: &Checkout) {
    let url = format!("{}/api/v1/alerts", checkout.url(9090));
    support::eventually("RateLimitHits to be over", SOON, || async {
        let alerts = support::get_json(&url).await?;
        let tripped = |alert: &serde_json::Value| alert["labels"]["alertname"] == "RateLimitHits";
        (!alerts["data"]["alerts"].as_array()?.iter().any(tripped)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_walkthrough_works_word_by_word() {
    let checkout = Checkout::new();
    let mut run = 0;
    let mut wrong = Vec::new();
    for given in commands(&repository(), Path::new(WALKTHROUGH)) {
        if !is_name(&given) {
            wrong.extend(checkout.obey(&given, LONG).await.err());
        }
        if given.text == "make demo" {
            assert!(checkout.path().join("target/demo/report.html").exists());
        }
        run += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(run >= 15, "only {run} commands were run");
    let rules = "monitoring/alert_rules/api.yml";
    let [there, here] = [checkout.path().join(rules), repository().join(rules)].map(std::fs::read_to_string);
    assert_eq!(there.unwrap(), here.unwrap(), "it reverts its changes");
}

/// Every entry of the lists matches a document and an existing test.
#[test]
fn every_list_entry_matches_a_command() {
    let all = all();
    let beginnings = ELSEWHERE.iter().map(|(words, _, _)| words).chain(NEVER.iter().map(|(words, _)| words));
    for words in beginnings {
        assert!(all.iter().any(|given| given.text.starts_with(words)), "no document has `{words} …`");
    }
    let parts = EXPECTED.iter().map(|(words, _, _)| words).chain(AROUND.iter().map(|(words, _, _)| words));
    for words in parts {
        assert!(all.iter().any(|given| given.text.contains(words)), "no document has `… {words} …`");
    }
    for (words, file, shown_by) in ELSEWHERE {
        let text = std::fs::read_to_string(repository().join(file)).unwrap();
        assert!(text.contains(shown_by), "`{words}`: {file} does not contain {shown_by}");
    }
}

/// Every mentioned command exists, with its flags, targets and drills.
#[tokio::test]
async fn every_mentioned_command_exists() {
    let makefile = std::fs::read_to_string(repository().join("Makefile")).unwrap();
    let mut helps = BTreeMap::new();
    let mut seen = 0;
    let all = all();
    for given in &all {
        let words: Vec<&str> = given.text.split_whitespace().take_while(|word| *word != "#").collect();
        match words[..] {
            ["make", ref rest @ ..] => {
                for word in rest.iter().filter(|word| !word.starts_with('#')) {
                    match word.split_once('=') {
                        None => {
                            assert!(makefile.contains(&format!("\n{word}:")), "{}: make {word}", given.place)
                        }
                        Some(("DRILL", "NAME")) => {}
                        Some(("DRILL", drill)) => {
                            let file = support::drills().join(drill).with_extension("yaml");
                            assert!(file.exists(), "{}: no drill {drill}", given.place);
                        }
                        Some((variable, _)) => {
                            assert!(
                                makefile.contains(&format!("\n{variable} ")),
                                "{}: {variable}",
                                given.place
                            );
                        }
                    }
                }
                seen += 1;
            }
            [program @ ("api" | "loadgen" | "stack"), ref rest @ ..] => {
                let verb = rest.first().filter(|word| !word.starts_with('-'));
                let command_line: Vec<&str> = [program].into_iter().chain(verb.copied()).collect();
                if !helps.contains_key(&command_line) {
                    let mut command = tokio::process::Command::new(process::program::own(program).unwrap());
                    command.args(&command_line[1..]).arg("--help").kill_on_drop(true);
                    let output = support::finish(command, SOON).await;
                    assert!(output.status.success(), "{}: {}", given.place, given.text);
                    helps.insert(command_line.clone(), String::from_utf8_lossy(&output.stdout).into_owned());
                }
                let help = &helps[&command_line];
                for flag in rest.iter().filter(|word| word.starts_with("--")) {
                    let flag = flag.split('=').next().unwrap();
                    assert!(help.contains(flag), "{}: {} has no {flag}", given.place, command_line.join(" "));
                }
                seen += 1;
            }
            _ => {}
        }
    }
    assert!(seen >= 60, "{seen}");
}
