//! The gateway's binary: config, logs, prepare, bind, serve, drain.

use api::{Config, Gateway, Listeners, StartError, file_limit, listen, telemetry};
use clap::Parser;
use std::process::ExitCode;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

fn main() -> ExitCode {
    let config = Config::parse();
    telemetry::init_logs(&config.logs);
    match run(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.downcast_ref::<StartError>().map_or(1, StartError::exit_code))
        }
    }
}

// The workers have runtimes of their own; this one carries the Redis connection and the upkeep.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn run(config: &Config) -> anyhow::Result<()> {
    let terminate = signal(SignalKind::terminate())?;
    let interrupt = signal(SignalKind::interrupt())?;
    file_limit::raise();
    let gateway = Gateway::prepare(config).await?;
    let bind = |address, flag| listen::bind(address, flag).map_err(StartError::from);
    let public = bind(config.server.listen, "--listen (LISTEN)")?;
    let admin = bind(config.admin.admin_listen, "--admin-listen (ADMIN_LISTEN)")?;
    tracing::info!(address = %public.local_addr()?, admin = %admin.local_addr()?, "listening");

    let (stop, stopped) = oneshot::channel();
    tokio::spawn(watch_signals(terminate, interrupt, stop));
    gateway.serve(Listeners { public, admin }, async { stopped.await.unwrap_or(()) }).await?;
    Ok(())
}

/// The first SIGTERM or SIGINT starts the shutdown, the second ends the process at once.
async fn watch_signals(mut terminate: Signal, mut interrupt: Signal, stop: oneshot::Sender<()>) {
    async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> i32 {
        tokio::select! {
            _ = terminate.recv() => SignalKind::terminate().as_raw_value(),
            _ = interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        }
    }
    either(&mut terminate, &mut interrupt).await;
    // Nobody listens any more when the server has already ended; then there is nothing to stop.
    let _ = stop.send(());
    let number = either(&mut terminate, &mut interrupt).await;
    std::process::exit(128 + number);
}
