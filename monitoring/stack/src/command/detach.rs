//! `stack up --detach`: a second process of this binary supervises in the background; this one waits until the
//! stack is ready and says where it is.

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::up_args::{Up, announce};
use super::{down, signals};
use crate::error::Error;
use crate::state::{Identity, State};
use process::tail;

/// The services' own limits add up to less; this one only keeps the wait finite.
const LIMIT: Duration = Duration::from_secs(180);

pub(super) async fn main(up: &Up) -> Result<u8, Error> {
    let settings = up.which.settings(up.scale)?;
    let dir = settings.dir;
    let logs = dir.join("logs");
    std::fs::create_dir_all(&logs).map_err(Error::io(format!("making {}", logs.display())))?;
    if let Some(state) = State::read(&dir)?
        && state.supervisor.alive()
    {
        return Err(Error::AlreadyRunning { dir, pid: state.supervisor.pid });
    }
    State::remove(&dir); // left by a supervisor that was killed; the kernel ended its services with it

    let log = logs.join("stack.log");
    let out = File::create(&log).map_err(Error::io(format!("the log {}", log.display())))?;
    let err = out.try_clone().map_err(Error::io("the log"))?;
    let exe = std::env::current_exe().map_err(Error::io("the running program's own path"))?;
    let mut signals = signals::Signals::catch(true)?;
    let mut child = tokio::process::Command::new(exe)
        .args(["up", "--background", "--port-offset", &up.which.port_offset.to_string()])
        .args(["--scale", &up.scale.to_string()])
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .process_group(0)
        .spawn()
        .map_err(Error::io("the supervisor could not be started"))?;
    let supervisor = Identity::of(child.id().map_or(-1, u32::cast_signed));

    println!("Starting the stack in {}", dir.display());
    let started = std::time::Instant::now();
    let mut look = tokio::time::interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            status = child.wait() => {
                let status = status.map_err(Error::io("waiting for the supervisor"))?;
                eprint!("{}", tail(&log, 14));
                return Ok(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1));
            }
            signal = signals.next() => {
                supervisor.signal(Signal::SIGTERM);
                down::gone(supervisor, Duration::from_secs(60)).await;
                eprintln!("stack: {signal} while starting; everything is stopped");
                return Ok(signals::exit_code(signal));
            }
            _ = look.tick() => {
                if let Some(state) = State::read(&dir)? && state.ready {
                    announce(&state, &dir);
                    println!("`make down` stops it, `stack status` shows it.");
                    return Ok(0);
                }
                if started.elapsed() > LIMIT {
                    supervisor.signal(Signal::SIGTERM);
                    down::gone(supervisor, Duration::from_secs(60)).await;
                    eprintln!("stack: not ready after {LIMIT:?}; stopped again. The end of {}:", log.display());
                    eprint!("{}", tail(&log, 8));
                    return Ok(1);
                }
            }
        }
    }
}
