//! `stack up --detach`: a second process of this binary supervises the stack in the background; this one waits until
//! the stack is ready and prints its addresses.

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::up_args::{Up, announce};
use super::{down, signals};
use crate::error::Error;
use crate::render::GRAFANA_URL;
use crate::state::{Identity, State};
use crate::tokens;
use common::console::visible;
use process::tail;

/// The limits of the services sum up to less; this one only bounds the wait.
const LIMIT: Duration = Duration::from_secs(180);

pub(super) async fn main(up: &Up) -> Result<u8, Error> {
    let settings = up.which.settings(up.scale)?;
    let grafana = tokens::setting(&settings, GRAFANA_URL);
    let dir = settings.dir;
    let logs = dir.join("logs");
    std::fs::create_dir_all(&logs).map_err(Error::io(format!("creating {}", logs.display())))?;
    if let Some(state) = State::read(&dir)?
        && state.supervisor.alive()
    {
        return Err(Error::AlreadyRunning { dir, pid: state.supervisor.pid });
    }
    State::remove(&dir); // left by a killed supervisor; the kernel ended its services with it

    let log = logs.join("stack.log");
    let out = File::create(&log).map_err(Error::io(format!("opening the log {}", log.display())))?;
    let err = out.try_clone().map_err(Error::io("opening the log"))?;
    let exe = std::env::current_exe().map_err(Error::io("finding the path of this program"))?;
    let mut signals = signals::Signals::catch(true)?;
    let mut child = tokio::process::Command::new(exe)
        .args(["up", "--background", "--port-offset", &up.which.port_offset.to_string()])
        .args(["--scale", &up.scale.to_string()])
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .process_group(0)
        .spawn()
        .map_err(Error::io("starting the supervisor"))?;
    let supervisor = Identity::of(child.id().map_or(-1, u32::cast_signed));

    println!("Starting the stack in {}", dir.display());
    let started = std::time::Instant::now();
    let mut look = tokio::time::interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            status = child.wait() => {
                let status = status.map_err(Error::io("waiting for the supervisor"))?;
                eprint!("{}", visible(&tail(&log, 14)));
                return Ok(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1));
            }
            signal = signals.next() => {
                supervisor.signal(Signal::SIGTERM);
                down::gone(supervisor, Duration::from_secs(60)).await;
                eprintln!("stack: {signal} during the start; all services are stopped");
                return Ok(signals::exit_code(signal));
            }
            _ = look.tick() => {
                if let Some(state) = State::read(&dir)? && state.ready {
                    announce(&state, &dir, grafana.as_deref());
                    println!("Stop it with `make down`; show it with `stack status`.");
                    return Ok(0);
                }
                if started.elapsed() > LIMIT {
                    supervisor.signal(Signal::SIGTERM);
                    down::gone(supervisor, Duration::from_secs(60)).await;
                    eprintln!("stack: not ready after {LIMIT:?}, so it was stopped; last lines of {}:", log.display());
                    eprint!("{}", visible(&tail(&log, 8)));
                    return Ok(1);
                }
            }
        }
    }
}
