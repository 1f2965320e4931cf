//! The gateway's errors about a drill's fault are reported before any traffic.

use std::time::Duration;

use nix::sys::signal::Signal;
use process::{Launch, Process, port, program};

use crate::leftovers::Running;
use crate::support::{self, Bed, Finished};

#[tokio::test]
async fn a_fault_rejected_by_the_gateway_is_refused_before_any_traffic() {
    let mut stack = Running::start().await;
    let names = ["Watchdog", "APINoTraffic", "HostDiskFull", "HostHighCpu", "HostMemoryLow"];
    let ambient = names.map(|name| format!("{{alert: {name}, reason: always}}"));
    stack.write("suite.yaml", &format!("suite: s\nambient: [{}]\n", ambient.join(", ")));
    let load = "{rate: 5/s, requests: [{get: /api/users}]}";
    for proves in ["{alert: HighLatency}", "{quiet: 1m}"] {
        let text = format!(
            "drill: a.b\nproves: {proves}\nbaseline: {load}\ncause: {{fault: {{route: /nowhere, memory: 900TB, delay: 10ms}}}}\n"
        );
        let file = stack.write("fault.yaml", &text);
        let output = support::finish(stack.drill(&file), Duration::from_secs(120)).await;
        let output_text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(5), "{output_text}");
        for part in
            ["REFUSED", "`cause.fault`: /route: unknown route; valid routes are", "/memory: must be at most"]
        {
            assert!(output_text.contains(part), "{part}: {output_text}");
        }
        assert!(!output_text.contains("baseline begins") && !output_text.contains("/ttl"), "{output_text}");
        assert!(stack.faults().await.is_empty());
    }
    // A valid fault is accepted, with a valid id.
    let text = format!(
        "drill: a.b\nproves: {{quiet: 1m}}\nbaseline: {load}\ncause: {{fault: {{route: /api/users, delay: 10ms}}}}\n"
    );
    let file = stack.write("fault.yaml", &text);
    let output = support::finish(stack.drill(&file), Duration::from_secs(120)).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(stack.faults().await.is_empty());
    support::signal(&stack.child, Signal::SIGTERM);
    tokio::time::timeout(Duration::from_secs(60), stack.child.wait()).await.unwrap().unwrap();
}

/// Faults go to a second gateway, whose admin listener demands a token as in containers.
#[tokio::test]
async fn a_fault_is_injected_with_the_token_of_the_admin_listener() {
    let bed = Bed::start(support::FAST).await;
    let (public, admin) = (port::free().unwrap(), port::free().unwrap());
    let mut launch = Launch::new("guarded", program::own("api").unwrap(), [""; 0]);
    launch.env = [
        ("LISTEN", format!("127.0.0.1:{public}")),
        ("ADMIN_LISTEN", format!("127.0.0.1:{admin}")),
        ("ADMIN_TOKEN", "s3cret-token".to_owned()),
        ("DATABASE_URL", format!("sqlite://{}", bed.dir.path().join("guarded.db").display())),
        ("MODELS_DIR", program::repository().join("api/models").display().to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    let mut guarded = Process::start(&launch, &bed.dir.path().join("guarded.log")).unwrap();
    let admin = format!("http://127.0.0.1:{admin}");
    let alive = || async {
        let response = reqwest::get(format!("{admin}/livez")).await?;
        response.error_for_status()
    };
    guarded.ready(Duration::from_secs(60), alive).await.unwrap();

    let file = bed.write_drill(
        "drill: guarded\nproves: {quiet: 1m}\nbaseline: {rate: 5/s, requests: [{get: /api/users}]}\n\
         cause: {fault: {route: /api/users, delay: 10ms}}\n",
    );
    let token = bed.dir.path().join("token");
    let drill = async |arguments: &[&str]| {
        let mut command = bed.drill(&[&file]);
        command.args(["--admin", &admin]).args(arguments);
        let output = support::finish(command, Duration::from_secs(120)).await;
        Finished::new(&output, &bed.report_path())
    };
    let refused = drill(&[]).await;
    let (verdict, reason) = refused.verdict();
    assert_eq!((refused.code, verdict), (Some(5), "REFUSED"), "{}", refused.text);
    assert!(reason.contains("401") && reason.ends_with("with the gateway's ADMIN_TOKEN"), "{reason}");
    assert!(reason.contains("--admin-token-file FILE") && !reason.contains("bearer-token"), "{reason}");

    std::fs::write(&token, "s3cret-token\n").unwrap();
    let done = drill(&["--admin-token-file", token.to_str().unwrap()]).await;
    assert_eq!((done.code, done.verdict().0), (Some(0), "PROVEN"), "{}", done.text);
    assert!(!done.text.contains("s3cret") && !done.report.to_string().contains("s3cret"), "{}", done.text);
    guarded.stop(Duration::from_secs(10)).await;
    bed.stack.stop().await;
}
