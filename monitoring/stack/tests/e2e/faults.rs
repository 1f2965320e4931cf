//! The gateway's errors about a drill's fault are reported before any traffic.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::leftovers::Running;
use crate::support;

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
