//! Exhausted local ports and unsupported address families: both are "address not available" errors of the system.

use std::process::{Command, Output};

use crate::command::{LOADGEN, ledger_adds_up, stderr, stdout};

/// Runs an `sh` script in its own network namespace, where `$0` is loadgen and its inbox listens on 127.0.0.1:8025;
/// `None` if this machine does not allow a test to create one.
fn in_own_network(script: &str, folder: &std::path::Path) -> Option<Output> {
    let own = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net", "sh", "-c", script, LOADGEN]).current_dir(folder);
        command.output()
    };
    if !own("ip link set lo up").is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this needs `unshare`, `ip` and user namespaces");
        return None;
    }
    let script = format!(
        "ip link set lo up
        \"$0\" inbox --no-smtp --listen 127.0.0.1:8025 >inbox.log 2>&1 &
        inbox=$!
        trap 'kill $inbox' EXIT
        for _ in $(seq 600); do
            \"$0\" run http://127.0.0.1:8025/ -c 1 -n 1 >/dev/null 2>&1 && break
            sleep 0.1
        done
        {script}"
    );
    Some(own(&script).unwrap())
}

fn report(folder: &std::path::Path) -> serde_json::Value {
    let report = serde_json::from_slice(&std::fs::read(folder.join("run.json")).unwrap()).unwrap();
    crate::schema::validate(&report);
    ledger_adds_up(&report);
    report
}

#[test]
fn exhausted_ports_are_local_errors() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo 40000 40007 >/proc/sys/net/ipv4/ip_local_port_range
        \"$0\" run http://127.0.0.1:8025/ -c 64 -n 500 --disable-keepalive --out run.json";
    let Some(output) = in_own_network(script, folder.path()) else { return };
    assert_eq!(output.status.code(), Some(4), "{}{}", stdout(&output), stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("INVALID") && text.contains("out of local ports"), "{text}");
    assert!(text.contains("keep connections alive"), "{text}");
    let report = report(folder.path());
    assert_eq!(report["valid"], false);
    assert_eq!(report["errors"]["ports"], report["ledger"]["local_errors"], "{}", report["errors"]);
    assert!(report["ledger"]["local_errors"].as_u64().unwrap() >= 100, "{}", report["ledger"]);
}

#[test]
fn unsupported_address_family_is_a_transport_error() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo 1 >/proc/sys/net/ipv6/conf/lo/disable_ipv6
        \"$0\" run http://[::1]:8025/ -c 4 -n 40 --out run.json";
    let Some(output) = in_own_network(script, folder.path()) else { return };
    assert_eq!(output.status.code(), Some(1), "{}{}", stdout(&output), stderr(&output));
    assert_eq!(
        report(folder.path())["errors"],
        serde_json::json!({"unreachable": 40}),
        "{}",
        stdout(&output)
    );
}
