//! Shapes of rules and routes as people write them, each on a small chain of its own: a server whose metrics a request
//! changes, Prometheus, Alertmanager and the inbox, at intervals of a second. A healthy chain is PROVEN within its bounds; a
//! broken one is not, and the reason says what is broken.
//!
//! `SHAPE=name` runs one of them, `ROUNDS=3` all of them three times.

#![allow(clippy::unwrap_used)] // a test fails by panicking

mod chain;
mod exporter;
mod restarts;
mod routes;
mod rules;
mod runs;
#[path = "../e2e/support.rs"]
#[allow(dead_code, reason = "e2e needs more of it")]
mod support;
mod table;

use futures_util::{StreamExt, stream};

use self::chain::Chain;
use self::table::{Break, Shape, shapes};

/// Chains that run beside each other: each is idle most of the time.
const BESIDE: usize = 6;

fn chosen() -> Vec<Shape> {
    let name = std::env::var("SHAPE").ok();
    let version = chain::version();
    let named = shapes().into_iter().filter(|shape| name.as_ref().is_none_or(|name| shape.name == name));
    let (all, newer): (Vec<_>, Vec<_>) = named.partition(|shape| shape.since <= version);
    newer.iter().for_each(Chain::refuses);
    all
}

fn rounds() -> usize {
    std::env::var("ROUNDS").ok().map_or(1, |rounds| rounds.parse().expect("ROUNDS is a number"))
}

/// What is wrong with a shape's verdict, if something is.
async fn wrong(shape: &Shape, broken: Option<&Break>) -> Option<String> {
    let chain = Chain::start(shape, broken).await;
    let finished = chain.drill(shape, broken).await;
    let (verdict, reason) = finished.verdict();
    let (expected, says) =
        broken.map_or(("PROVEN", "every phase was within its bound"), |it| (it.verdict, it.says));
    let fine = verdict == expected && reason.contains(says);
    chain.stop().await;
    let how = broken.map_or("healthy", |it| it.name);
    (!fine).then(|| {
        format!(
            "{}, {how}: expected {expected} ({says}), is {verdict}: {reason}\n{}",
            shape.name, finished.text
        )
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn healthy_chains_are_proven() {
    let shapes: Vec<Shape> = chosen();
    let all = (0..rounds()).flat_map(|_| &shapes);
    let found: Vec<_> =
        stream::iter(all).map(|shape| wrong(shape, None)).buffer_unordered(BESIDE).collect().await;
    let wrong: Vec<_> = found.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_chains_are_not_and_the_reason_says_what_is_broken() {
    let shapes: Vec<Shape> = chosen();
    let all =
        (0..rounds()).flat_map(|_| &shapes).flat_map(|shape| shape.breaks.iter().map(move |it| (shape, it)));
    let found: Vec<_> =
        stream::iter(all).map(|(shape, it)| wrong(shape, Some(it))).buffer_unordered(BESIDE).collect().await;
    let wrong: Vec<_> = found.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Found out before the first drill where that can be, and afterwards where the folder goes away meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_that_cannot_be_kept_is_exit_1() {
    let shape = &shapes()[0];
    let chain = Chain::start(shape, None).await;
    let url = &chain.exporter.url;
    let start = format!("curl -sSf '{url}/set?{}' && rm -r proofs && touch proofs", shape.cause);
    let drill = serde_json::json!({
        "drill": "kept",
        "proves": {"alert": shape.alert},
        "summary": "the folder of proofs goes away",
        "cause": {"run": {
            "start": ["sh", "-ec", start],
            "undo": ["curl", "-sSf", format!("{url}/set?{}", shape.undo)],
        }},
        "expect": {"delivered": ["webhook"]},
    });
    let finished = chain.run(&drill, &["--proofs", "proofs"]).await;
    assert_eq!((finished.code, finished.verdict().0), (Some(1), "PROVEN"), "{}", finished.text);
    assert!(finished.text.contains("cannot store the proof of kept in proofs: "), "{}", finished.text);
    std::fs::remove_file(chain.dir.path().join("proofs")).unwrap();
    chain.stop().await;
}
