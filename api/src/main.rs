//! The gateway's binary: .env, settings, logs, prepare, bind, serve, drain; and the small commands.

use api::{
    Config, Gateway, Listeners, StartError,
    cli::{Cli, Command, dotenv, print},
    file_limit, listen,
    middleware::panics,
    reload::{Reloaded, Reloader},
    telemetry,
};
use clap::{CommandFactory, FromArgMatches};
use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

fn main() -> ExitCode {
    if let Err(error) = dotenv::load(Path::new(".env")) {
        return refused(error, 2);
    }
    let mut command = Cli::command();
    let matches = command.get_matches_mut();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.format(&mut command).exit(),
    };
    if cli.print_config {
        let lines = print::lines(&command, &matches).join("\n");
        // The reader may have closed the pipe.
        let _ = writeln!(io::stdout(), "{lines}");
        return ExitCode::SUCCESS;
    }
    match &cli.command {
        Some(Command::HashKey(hash_key)) => {
            let outcome = hash_key.run(io::stdin(), io::stdout(), io::stderr());
            outcome.map_or_else(|reason| refused(reason, 2), |()| ExitCode::SUCCESS)
        }
        Some(Command::Healthcheck(check)) => {
            let outcome = check.run(&cli.config);
            outcome.map_or_else(|reason| refused(reason, 1), |()| ExitCode::SUCCESS)
        }
        None => serve(&cli.config),
    }
}

fn refused(reason: impl std::fmt::Display, code: u8) -> ExitCode {
    eprintln!("error: {reason}");
    ExitCode::from(code)
}

fn serve(config: &Config) -> ExitCode {
    let _logs = telemetry::init_logs(&config.logs);
    panics::log_panics();
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = error.downcast_ref::<StartError>().map_or(1, StartError::exit_code);
            refused(error, code)
        }
    }
}

// The workers have runtimes of their own; this one runs the Redis connection and the background tasks.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn run(config: &Config) -> anyhow::Result<()> {
    let terminate = signal(SignalKind::terminate())?;
    let interrupt = signal(SignalKind::interrupt())?;
    let hangup = signal(SignalKind::hangup())?;
    file_limit::raise();
    let gateway = Gateway::prepare(config).await?;
    let bind = |address, flag| listen::bind(address, flag).map_err(StartError::from);
    let public = bind(config.server.listen, "--listen (LISTEN)")?;
    let admin = bind(config.admin.admin_listen, "--admin-listen (ADMIN_LISTEN)")?;
    tracing::info!(address = %public.local_addr()?, admin = %admin.local_addr()?, "listening");

    let (stop, stopped) = oneshot::channel();
    tokio::spawn(watch_signals(terminate, interrupt, stop));
    tokio::spawn(reload_on(hangup, gateway.reloader()));
    gateway.serve(Listeners { public, admin }, async { stopped.await.unwrap_or(()) }).await?;
    Ok(())
}

/// Reloads rate limits, API keys and the certificate on each SIGHUP.
async fn reload_on(mut hangup: Signal, reloader: Reloader) {
    while hangup.recv().await.is_some() {
        let reloader = reloader.clone();
        match tokio::task::spawn_blocking(move || reloader.reload()).await {
            Ok(reloaded) => report(reloaded),
            Err(reason) => tracing::error!(error = %reason, "reload task failed"),
        }
    }
}

fn report(reloaded: Reloaded) {
    match reloaded.limits {
        Some(Ok(policies)) => tracing::info!(policies, "rate limits reloaded"),
        Some(Err(error)) => tracing::error!(%error, "rate limit reload failed, keeping current policies"),
        None => {}
    }
    match reloaded.keys {
        Some(Ok(keys)) => tracing::info!(keys, "API keys reloaded"),
        Some(Err(error)) => tracing::error!(%error, "API key reload failed, keeping current keys"),
        None => {}
    }
    match reloaded.certificate {
        Some(Ok(())) => tracing::info!("TLS certificate reloaded"),
        Some(Err(error)) => tracing::error!(%error, "TLS certificate reload failed, keeping the current one"),
        None => {}
    }
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
    // The receiver is gone when the server has already ended; then there is nothing to stop.
    let _ = stop.send(());
    let number = either(&mut terminate, &mut interrupt).await;
    telemetry::flush_logs();
    std::process::exit(128 + number);
}
