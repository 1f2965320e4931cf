//! Renders the configuration for the ports and the time scale of a stack, with `loadgen scale`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::{error::Error, load, port::Ports, settings::Settings, tokens};
use process::program;

/// The container names of services in the files, and their local ports.
fn addresses(ports: &Ports) -> [(&'static str, u16); 9] {
    [
        ("api:8000", ports.api),
        ("api:8001", ports.api_admin),
        ("redis-exporter:9121", ports.redis_exporter),
        ("prometheus:9090", ports.prometheus),
        ("alertmanager:9093", ports.alertmanager),
        ("inbox:8025", ports.inbox),
        ("inbox:1025", ports.inbox_smtp),
        ("node-exporter:9100", ports.node_exporter),
        // Links in notifications, which are opened on this machine.
        ("127.0.0.1:8025", ports.inbox),
    ]
}

/// Renders into `settings.dir/config` and returns that folder.
///
/// # Errors
/// [`Error::Render`] with the error of `loadgen scale`, or when it did not end within thirty seconds.
pub async fn render(settings: &Settings) -> Result<PathBuf, Error> {
    let out = settings.dir.join("config");
    if out.exists() {
        std::fs::remove_dir_all(&out).map_err(Error::io(format!("clearing {}", out.display())))?;
    }
    let mut command = loadgen("scale")?;
    command.arg("--by").arg(settings.scale.to_string()).arg("--quiet").arg("--out").arg(&out);
    for (name, port) in addresses(&settings.ports) {
        command.arg("--address").arg(format!("{name}=127.0.0.1:{port}"));
    }
    ended(command.arg(&settings.monitoring)).await?;
    let mut command = loadgen("channels")?;
    if settings.outside {
        command.arg("--environment").arg("--env-file").arg(program::repository().join(".env"));
    }
    command.arg("--inbox").arg(format!("127.0.0.1:{}", settings.ports.inbox));
    command.arg("--inbox-smtp").arg(format!("127.0.0.1:{}", settings.ports.inbox_smtp));
    ended(command.arg("--out").arg(&out).arg(&out)).await?;
    // `loadgen channels` has created the folder of secrets.
    tokens::write(&out, tokens::metrics_token(settings).as_deref())?;
    if settings.outside {
        dashboards(&out.join("alert_rules"), tokens::setting(settings, GRAFANA_URL).as_deref())?;
    }
    let targets = load::folder(&out);
    std::fs::create_dir(&targets).map_err(Error::io(format!("creating {}", targets.display())))?;
    let path = out.join("prometheus.yml");
    std::fs::read_to_string(&path)
        .and_then(|text| std::fs::write(&path, without_names(&text)))
        .map_err(Error::io(format!("completing {}", path.display())))?;
    Ok(out)
}

fn loadgen(verb: &str) -> Result<Command, Error> {
    let mut command = Command::new(program::own("loadgen")?);
    command.arg(verb).stdin(Stdio::null()).kill_on_drop(true);
    Ok(command)
}

/// Waits until a rendering command succeeds.
async fn ended(command: &mut Command) -> Result<(), Error> {
    let output = tokio::time::timeout(Duration::from_secs(30), command.output())
        .await
        .map_err(|_| Error::Render("`loadgen` did not end within 30 s".to_owned()))?
        .map_err(Error::io("starting `loadgen`"))?;
    if output.status.success() {
        Ok(())
    } else {
        let message = String::from_utf8_lossy(&output.stderr);
        Err(Error::Render(message.trim().trim_start_matches("error: ").to_owned()))
    }
}

/// Where the user's Grafana is, without a path at its end.
pub const GRAFANA_URL: &str = "GRAFANA_URL";
/// The Grafana of the rule files, which runs in containers only.
const GRAFANA: &str = "http://127.0.0.1:3000";

/// Lets the links to dashboards lead to this Grafana; without one, removes them.
fn dashboards(rules: &Path, grafana: Option<&str>) -> Result<(), Error> {
    let failed = || Error::io(format!("adapting the links in {}", rules.display()));
    for entry in std::fs::read_dir(rules).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        let text = std::fs::read_to_string(&path).map_err(failed())?;
        std::fs::write(&path, linked(&text, grafana)).map_err(failed())?;
    }
    Ok(())
}

fn linked(text: &str, grafana: Option<&str>) -> String {
    let is_link = |line: &str| line.trim_start().starts_with("dashboard_url: ");
    let line = |line: &str| match grafana {
        Some(grafana) if is_link(line) => Some(line.replace(GRAFANA, grafana.trim_end_matches('/'))),
        None if is_link(line) => None,
        _ => Some(line.to_owned()),
    };
    text.lines().filter_map(line).flat_map(|line| [line, "\n".to_owned()]).collect()
}

/// Removes targets that are discovered by DNS name: these are names of containers, and a local host with such a name is
/// not part of the stack.
fn without_names(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut within = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        within = within.filter(|begin| indent > *begin || line.trim().is_empty());
        if within.is_none() && line.trim_start().starts_with("dns_sd_configs:") {
            within = Some(indent);
        }
        if within.is_none() {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The inbox's heartbeat limit: five minutes, scaled. The heartbeat arrives every one or two minutes.
#[must_use]
pub fn heartbeat_limit(scale: f64) -> String {
    format!("{}ms", Duration::from_secs_f64((300.0 / scale).max(5.0)).as_millis())
}

/// The interval at which Prometheus resends alerts to Alertmanager: a minute, scaled. Alertmanager treats an alert as
/// resolved if it was not resent for four times as long.
#[must_use]
pub fn resend_delay(scale: f64) -> String {
    format!("{}ms", Duration::from_secs_f64((60.0 / scale).max(1.0)).as_millis())
}

/// The rendered file of a service.
#[must_use]
pub fn file(config: &Path, name: &str) -> String {
    config.join(name).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_targets_discovered_by_name() {
        let text = "jobs:\n  - name: a\n    dns_sd_configs:\n      - names: [x]\n        port: 1\n\n  - name: b\n    static: []\n";
        assert_eq!(without_names(text), "jobs:\n  - name: a\n  - name: b\n    static: []\n");
        let shipped =
            std::fs::read_to_string(program::repository().join("monitoring/prometheus.yml")).unwrap();
        assert!(shipped.contains("dns_sd_configs"));
        let kept = without_names(&shipped);
        assert!(
            !kept.contains("dns_sd")
                && kept.contains("targets/load*.json")
                && kept.contains("job_name: cadvisor")
        );
    }

    #[test]
    fn links_lead_to_the_grafana_there_is() {
        let rules = program::repository().join("monitoring/alert_rules/orders.yml");
        let text = std::fs::read_to_string(rules).unwrap();
        assert!(text.contains("dashboard_url: http://127.0.0.1:3000/d/firedrill-business\n"));
        let without = linked(&text, None);
        assert_eq!(without.lines().count(), text.lines().count() - 1);
        assert!(!without.contains("dashboard_url") && without.contains("runbook_url"), "{without}");
        let with = linked(&text, Some("https://grafana.example/"));
        assert!(with.contains("dashboard_url: https://grafana.example/d/firedrill-business\n"), "{with}");
        assert_eq!(with.lines().count(), text.lines().count());
    }

    #[test]
    fn the_resend_delay_scales_down_to_a_second() {
        assert_eq!(resend_delay(1.0), "60000ms");
        assert_eq!(resend_delay(20.0), "3000ms");
        assert_eq!(resend_delay(1_000.0), "1000ms");
    }
}
