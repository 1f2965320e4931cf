//! The arguments of `stack up`, and its output once all services are ready.

use std::path::Path;

use clap::Args;

use super::which::Which;
use crate::state::State;

/// Arguments of `stack up`.
#[derive(Debug, Args)]
pub struct Up {
    #[command(flatten)]
    pub(super) which: Which,
    /// Divide every duration of the monitoring files by N; 1 keeps the production timings
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub(super) scale: f64,
    /// Run in the background once all services are ready; stop it with `stack down`
    #[arg(long)]
    pub(super) detach: bool,
    /// Run as the process in the background
    #[arg(long, hide = true)]
    pub(super) background: bool,
}

/// Prints the addresses of all services.
pub(super) fn announce(state: &State, dir: &Path, grafana: Option<&str>) {
    let scale = if state.scale > 1.0 { format!(" at time scale {}", state.scale) } else { String::new() };
    println!("The stack is ready{scale}:");
    for service in &state.services {
        println!("  {:<15} {}", service.name, service.address);
    }
    let grafana = grafana.unwrap_or("runs in containers (STACK=docker make up); GRAFANA_URL names another");
    println!("  {:<15} {grafana}", "grafana");
    println!("  {:<15} {}", "logs", dir.join("logs").display());
}
