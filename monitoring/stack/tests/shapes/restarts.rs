//! A system that is started anew in any phase of a drill: the verdict is right, or INCONCLUSIVE with the reason.

use std::process::Stdio;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::BESIDE;
use crate::chain::Chain;
use crate::support::Finished;
use crate::table::shapes;

const PHASES: [&str; 6] = ["baseline", "pending", "firing", "notified", "resolved", "all_clear"];

/// What a drill comes to when `system` is restarted as `phase` begins.
async fn restarted(system: &str, phase: &str) -> Finished {
    let shape = shapes().into_iter().find(|shape| shape.name == "for").unwrap();
    let mut chain = Chain::start(&shape, None).await;
    let mut command = chain.command(&chain.drill_file(&shape, None), &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (begins, mut done) = (format!("for: {phase}"), false);
    let mut said = String::new();
    let all = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if !done && line.contains(&begins) {
                chain.restart(system).await;
                done = true;
            }
            said.push_str(&line);
            said.push('\n');
        }
        child.wait_with_output().await.unwrap()
    };
    let mut output = tokio::time::timeout(Duration::from_secs(240), all).await.expect("the drill ends");
    output.stderr = said.into_bytes();
    let finished = Finished::new(&output, &chain.report());
    assert!(done, "{system} was not restarted in {phase}: {}", finished.text);
    chain.stop().await;
    finished
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_in_any_phase_is_no_wrong_verdict() {
    let cases = ["prometheus", "alertmanager-0", "inbox"].into_iter();
    let cases = cases.flat_map(|system| PHASES.map(|phase| (system, phase)));
    let run = |(system, phase)| async move { (system, phase, restarted(system, phase).await) };
    let all: Vec<_> = stream::iter(cases).map(run).buffer_unordered(BESIDE).collect().await;
    let mut wrong = Vec::new();
    for (system, phase, finished) in &all {
        let (verdict, reason) = finished.verdict();
        println!("{system:<15} {phase:<10} {verdict:<13} {reason}");
        let fine = match verdict {
            "PROVEN" => *system != "inbox",
            "INCONCLUSIVE" => reason.contains("was restarted at") || reason.contains("queries failed"),
            _ => false,
        };
        if !fine {
            wrong.push(format!("{system} in {phase}: {verdict}: {reason}\n{}", finished.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
