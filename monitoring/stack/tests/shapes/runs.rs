//! Two runs of drills on one stack: the second is REFUSED and names the first; a killed run blocks no other.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};

use crate::chain::Chain;
use crate::table::shapes;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_run_is_refused_and_names_the_first() {
    let shape = shapes().into_iter().find(|shape| shape.name == "for").unwrap();
    let chain = Chain::start(&shape, None).await;
    let drill = chain.drill_file(&shape, None);
    let mut first = chain.command(&drill, &[]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(first.stderr.take().unwrap()).lines();
    while !lines.next_line().await.unwrap().expect("it comes to the cause").contains("pending") {}
    let said = format!("another drill run is using this stack: process {} on ", first.id().unwrap());
    // By the locked file, and, as from another host, by the inbox alone.
    for more in [&[][..], &["--leftovers", "elsewhere"]] {
        let second = chain.run(&drill, more).await;
        let (verdict, reason) = second.verdict();
        assert_eq!((second.code, verdict), (Some(5), "REFUSED"), "{}", second.text);
        assert!(reason.starts_with(&said), "{reason}");
    }
    first.kill().await.unwrap();
    for more in [&[][..], &["--leftovers", "elsewhere"]] {
        let after = chain.run(&drill, more).await;
        let (verdict, reason) = after.verdict();
        // What the killed run left may still be active when the next one begins.
        assert!(verdict == "PROVEN" || reason.contains("is already"), "{}", after.text);
    }
    chain.stop().await;
}
