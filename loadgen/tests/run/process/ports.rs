//! Local ports that run out, and addresses this machine cannot speak to: the system calls both "address not available".

use std::process::{Command, Output};

use crate::command::{LOADGEN, ledger_adds_up, stderr, stdout};

/// Runs a script of `sh` in a network of its own, in which `$0` is loadgen and its inbox answers at 127.0.0.1:8025; `None`
/// where this machine does not let a test have such a network.
fn in_own_network(script: &str, folder: &std::path::Path) -> Option<Output> {
    let own = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net", "sh", "-c", script, LOADGEN]).current_dir(folder);
        command.output()
    };
    if !own("ip link set lo up").is_ok_and(|output| output.status.success()) {
        eprintln!("not shown: this takes `unshare` and `ip`, and to be allowed user namespaces");
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
fn out_of_ports_is_the_generators_own_fault() {
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
fn an_address_of_a_family_that_is_off_is_no_fault_of_ours() {
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
