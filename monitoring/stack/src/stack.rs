//! The running stack.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::process::Process;
use crate::service::{self, Service};
use crate::state::{Identity, ServiceState, State};
use crate::{Error, Settings, port, ready, render};

/// Time a service has to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// All services, running. Dropping it kills them; [`Stack::stop`] ends them in order.
#[derive(Debug)]
pub struct Stack {
    settings: Settings,
    running: Vec<Running>,
    client: reqwest::Client,
    /// Held while the stack runs; the system gives it back when this process dies.
    _lock: File,
}

#[derive(Debug)]
struct Running {
    service: Service,
    process: Process,
    end_reported: bool,
}

impl Stack {
    /// Starts every service and waits until all are ready; `progress` gets a line for each. When one fails, those
    /// already started are stopped.
    ///
    /// # Errors
    /// A missing program, a taken port, a file that cannot be rendered, before anything is started; a service
    /// that ends or is not ready in time.
    pub async fn start(settings: Settings, mut progress: impl FnMut(&str)) -> Result<Self, Error> {
        for folder in ["data", "logs"] {
            let folder = settings.dir.join(folder);
            std::fs::create_dir_all(&folder).map_err(Error::io(format!("making {}", folder.display())))?;
        }
        let lock = lock(&settings.dir)?;
        let config = settings.dir.join("config");
        let services = service::all(&settings, &config)?;
        for service in &services {
            port::check(&service.launch.name, service.port)?;
        }
        port::check("api's admin listener", settings.ports.api_admin)?;
        render::render(&settings).await?;
        let client =
            reqwest::Client::builder().no_proxy().build().map_err(|error| Error::Usage(error.to_string()))?;
        let mut stack = Self { settings, running: Vec::new(), client, _lock: lock };
        match stack.start_each(services, &mut progress).await {
            Ok(()) => Ok(stack),
            Err(error) => {
                stack.stop().await;
                Err(error)
            }
        }
    }

    async fn start_each(
        &mut self,
        services: Vec<Service>,
        progress: &mut impl FnMut(&str),
    ) -> Result<(), Error> {
        for service in services {
            let started = Instant::now();
            let log = self.settings.dir.join("logs").join(format!("{}.log", service.launch.name));
            let process = Process::start(&service.launch, &log)?;
            self.running.push(Running { service, process, end_reported: false });
            self.write_state(false)?;
            if let Some(last) = self.running.last_mut() {
                wait_ready(&self.client, last).await?;
                let line = format!(
                    "  {:<15} {}  ready after {:.1} s",
                    last.service.launch.name,
                    last.service.address,
                    started.elapsed().as_secs_f64()
                );
                progress(&line);
            }
        }
        self.write_state(true)
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What `status` and `down` will read.
    #[must_use]
    pub fn state(&self, ready: bool) -> State {
        State {
            supervisor: Identity::of(std::process::id().cast_signed()),
            ready,
            scale: self.settings.scale,
            services: self
                .running
                .iter()
                .map(|running| ServiceState {
                    name: running.service.launch.name.clone(),
                    process: Identity::of(running.process.pid()),
                    address: running.service.address.clone(),
                    log: running.process.log().to_owned(),
                })
                .collect(),
        }
    }

    fn write_state(&self, ready: bool) -> Result<(), Error> {
        self.state(ready).write(&self.settings.dir)
    }

    /// Base URL of the gateway, Prometheus, Alertmanager or inbox, by service name.
    ///
    /// # Panics
    /// When there is no such service: the names are those of [`service::all`].
    #[must_use]
    pub fn url(&self, name: &str) -> &str {
        self.running
            .iter()
            .find(|running| running.service.launch.name == name)
            .map(|running| running.service.address.as_str())
            .unwrap_or_else(|| panic!("no service is called {name}"))
    }

    /// Sends a signal to a service, by name; used by tests and by people who stop one by hand.
    pub fn signal(&mut self, name: &str, signal: Signal) {
        for running in self.running.iter_mut().filter(|running| running.service.launch.name == name) {
            running.process.signal(signal);
        }
    }

    /// Services that ended since the last call, with their status. The others go on: a stack with a part missing
    /// is what alerts are for.
    pub fn newly_ended(&mut self) -> Vec<(String, ExitStatus)> {
        let mut ended = Vec::new();
        for running in self.running.iter_mut().filter(|running| !running.end_reported) {
            if let Some(status) = running.process.ended() {
                running.end_reported = true;
                ended.push((running.service.launch.name.clone(), status));
            }
        }
        ended
    }

    /// Stops every service, last started first, and forgets the state on disk.
    pub async fn stop(mut self) {
        for running in self.running.iter_mut().rev() {
            running.process.stop(GRACE).await;
        }
        State::remove(&self.settings.dir);
    }
}

async fn wait_ready(client: &reqwest::Client, running: &mut Running) -> Result<(), Error> {
    let started = Instant::now();
    let limit = running.service.limit;
    loop {
        if let Some(status) = running.process.ended() {
            return Err(running.process.ended_error(status));
        }
        match ready::ask(client, &running.service.probe).await {
            Ok(()) => return Ok(()),
            Err(reason) if started.elapsed() > limit => {
                let log = running.process.log().to_owned();
                return Err(Error::NotReady {
                    service: running.service.launch.name.clone(),
                    limit,
                    reason,
                    log,
                });
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join("lock");
    let what = || format!("the lock {}", path.display());
    let file = File::options().create(true).append(true).open(&path).map_err(Error::io(what()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let pid = State::read(dir).ok().flatten().map_or(0, |state| state.supervisor.pid);
            Err(Error::AlreadyRunning { dir: dir.to_owned(), pid })
        }
        Err(TryLockError::Error(error)) => Err(Error::io(what())(error)),
    }
}
