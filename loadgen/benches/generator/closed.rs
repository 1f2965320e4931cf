//! Closed loop on 64 kept-alive connections: each tool in turn, in several rounds.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;

use crate::Args;
use crate::cores::Cores;
use crate::server::Server;
use crate::table::{Table, median};
use crate::tool::{self, Cost, OTHERS};

/// Results of a tool.
struct Rounds {
    name: String,
    /// CPU time per request in microseconds.
    micros: Vec<f64>,
    /// Requests per second.
    rate: Vec<f64>,
    /// Requests per second of CPU time.
    per_cpu: Vec<f64>,
    mebibytes: f64,
}

pub fn measure(args: &Args, cores: &Arc<Cores>, table: &mut Table) -> anyhow::Result<()> {
    let server = Server::start(cores, false)?;
    let mut tools = vec![env!("CARGO_BIN_EXE_loadgen")];
    tools.extend(tool::others());
    let absent: Vec<&str> = OTHERS.into_iter().filter(|name| !tools.contains(name)).collect();
    if !absent.is_empty() {
        eprintln!("note: not compared, as not on the PATH: {}", absent.join(", "));
    }
    let mut all: Vec<Rounds> = tools.iter().map(|tool| Rounds::of(tool)).collect();
    for round in 1..=args.rounds {
        for (tool, rounds) in tools.iter().zip(&mut all) {
            let before = server.served();
            let mut command = cores.generator(tool);
            command.args(tool::arguments(tool, &server.url(), args.seconds));
            let limit = Duration::from_secs(u64::from(args.seconds)) + Duration::from_secs(30);
            let cost = tool::run(command, limit, &[0])?;
            let served = server.served() - before;
            ensure!(served > 0, "{tool} sent nothing");
            rounds.add(served as f64, cost);
            let micros = rounds.micros[rounds.micros.len() - 1];
            eprintln!("round {round}: {}: {micros:.2} µs per request", rounds.name);
        }
    }
    let [own, others @ ..] = &all[..] else { return Ok(()) };
    for other in others {
        table.reference(&format!("closed loop, 64 connections: {}", other.name), &other.text());
    }
    table.reference("closed loop, 64 connections: loadgen", &own.text());
    for other in others {
        // Compared per round, as a disturbance likely affects both tools of a round.
        let over = |mine: &[f64], theirs: &[f64]| {
            median(mine.iter().zip(theirs).map(|(mine, theirs)| mine / theirs))
        };
        let cpu = over(&own.micros, &other.micros);
        let rate = over(&own.rate, &other.rate);
        let per_cpu = over(&own.per_cpu, &other.per_cpu);
        match other.name.as_str() {
            "wrk" => {
                table.bar("CPU per request beside wrk's", &format!("{cpu:.2}×"), "≤ 1×", cpu <= 1.0);
                table.bar("requests/s beside wrk's", &format!("{rate:.2}×"), "≥ 1×", rate >= 1.0);
            }
            "oha" => {
                let text = format!("{per_cpu:.2}×");
                table.bar("requests per generator CPU second beside oha's", &text, "≥ 1.5×", per_cpu >= 1.5);
            }
            name => table.reference(&format!("CPU per request beside {name}'s"), &format!("{cpu:.2}×")),
        }
    }
    Ok(())
}

impl Rounds {
    fn of(tool: &str) -> Self {
        let name = if tool.contains('/') { "loadgen" } else { tool }.to_owned();
        Self { name, micros: Vec::new(), rate: Vec::new(), per_cpu: Vec::new(), mebibytes: 0.0 }
    }

    fn add(&mut self, served: f64, cost: Cost) {
        self.micros.push(cost.cpu_seconds * 1e6 / served);
        self.rate.push(served / cost.seconds);
        self.per_cpu.push(served / cost.cpu_seconds);
        self.mebibytes = self.mebibytes.max(cost.mebibytes);
    }

    fn text(&self) -> String {
        let of = |values: &[f64]| median(values.iter().copied());
        format!(
            "{:.2} µs CPU a request, {:.0} requests/s, {:.0} MiB",
            of(&self.micros),
            of(&self.rate),
            self.mebibytes
        )
    }
}
