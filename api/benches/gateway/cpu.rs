//! CPU per request, floor and gateways in alternation.

use crate::{
    Args,
    machine::Machine,
    server::{Load, Server, Settings},
    spread::{Spread, count},
    table::Table,
};
use std::path::Path;
use testkit::Redis;

/// Microseconds of CPU per request and requests per second, one value per round.
#[derive(Default)]
struct Rounds {
    micros: Vec<f64>,
    rate: Vec<f64>,
}

impl Rounds {
    async fn add(&mut self, server: &Server, load: &Load, dir: &Path) -> anyhow::Result<()> {
        let before = server.cpu_seconds()?;
        let (responses, seconds) = server.load(load, dir).await?;
        self.micros.push((server.cpu_seconds()? - before) * 1e6 / responses as f64);
        self.rate.push(responses as f64 / seconds);
        Ok(())
    }

    /// The ratio to another's, round by round.
    fn over(&self, other: &Self) -> Spread {
        Spread::of(self.micros.iter().zip(&other.micros).map(|(mine, theirs)| mine / theirs))
    }

    fn text(&self) -> String {
        let (micros, rate) = (Spread::of(self.micros.iter().copied()), Spread::of(self.rate.iter().copied()));
        format!("{} µs, {} requests/s", micros.text(1), count(rate.median))
    }
}

pub async fn measure(args: &Args, machine: &Machine, dir: &Path, table: &mut Table) -> anyhow::Result<()> {
    let redis = Redis::start().await?;
    let redis_url = redis.url();
    let gateway = async |name: &str, redis_url: &str| {
        let database = dir.join(format!("{name}.db"));
        let server = Server::gateway(name, &Settings::roomy(redis_url, &database), machine, dir).await?;
        let body = server.user().await?;
        anyhow::Ok((server, body))
    };
    let (embedded, body) = gateway("embedded", "").await?;
    let (shared, _) = gateway("shared", &redis_url).await?;
    let floor = Server::floor(&body, machine, dir).await?;

    let servers = [&floor, &embedded, &shared];
    for server in servers {
        server.load(&Load::Seconds(1), dir).await?;
    }
    let mut rounds = [Rounds::default(), Rounds::default(), Rounds::default()];
    for round in 1..=args.rounds {
        for (server, rounds) in servers.iter().zip(&mut rounds) {
            rounds.add(server, &Load::Seconds(args.seconds), dir).await?;
        }
        let [floor, embedded, shared] =
            rounds.each_ref().map(|rounds| rounds.micros[rounds.micros.len() - 1]);
        eprintln!(
            "round {round}: floor {floor:.1} µs, embedded limits {embedded:.1} µs, Redis limits {shared:.1} µs"
        );
    }
    let [floor_rounds, embedded_rounds, shared_rounds] = &rounds;
    table.reference(
        "CPU per request: the floor, a bare actix-web handler with the same body",
        floor_rounds.text(),
    );
    for (what, rounds, bar) in [
        ("GET `/api/users/{id}`, embedded limits", embedded_rounds, 2.0),
        ("GET `/api/users/{id}`, Redis limits", shared_rounds, 2.5),
    ] {
        let ratio = rounds.over(floor_rounds);
        let measured = format!("{}; {}× the floor", rounds.text(), ratio.text(2));
        table.at_most(what, measured, ratio.median, bar, "×");
    }
    let ratio = shared_rounds.over(embedded_rounds);
    table.at_most(
        "Redis limits compared to embedded ones",
        format!("{}×", ratio.text(2)),
        ratio.median,
        1.75,
        "×",
    );
    for server in [embedded, shared, floor] {
        server.stop().await;
    }
    Ok(())
}
