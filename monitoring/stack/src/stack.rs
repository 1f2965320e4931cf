//! The running stack.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::Signal;

use crate::control::{Control, Order, Verb};
use crate::error::Error;
use crate::load::LoadTarget;
use crate::redis::Passwords;
use crate::service::{self, Service, TEXTFILES};
use crate::settings::Settings;
use crate::state::{Identity, ServiceState, State};
use crate::textfile::{self, Reported};
use crate::{port, ready, render};
use process::Process;
use process::program;

/// Time between SIGTERM and SIGKILL for a service.
const GRACE: Duration = Duration::from_secs(10);
/// Interval of the check for ended services.
const LOOK: Duration = Duration::from_millis(250);
/// Interval of the check for a run of the load generator.
const LOOK_LOAD: Duration = Duration::from_secs(1);

/// All services, running. Dropping it kills them; [`Stack::stop`] stops them gracefully.
#[derive(Debug)]
pub struct Stack {
    settings: Settings,
    redis: Passwords,
    running: Vec<Running>,
    client: reqwest::Client,
    control: Control,
    load: LoadTarget,
    /// Held while the stack runs; the system releases it when this process dies.
    _lock: File,
}

#[derive(Debug)]
struct Running {
    service: Service,
    process: Process,
    started: SystemTime,
    end_reported: bool,
}

impl Stack {
    /// Starts every service and waits until all are ready; `progress` gets a line for each. If one fails, the started
    /// ones are stopped.
    ///
    /// # Errors Before anything is started: a missing program, a port in use, or a rendering error. Later: a service
    /// that ends or is not ready in time.
    pub async fn start(settings: Settings, mut progress: impl FnMut(&str)) -> Result<Self, Error> {
        for folder in ["data", "data/models", "data/textfiles", "logs"] {
            let folder = settings.dir.join(folder);
            std::fs::create_dir_all(&folder).map_err(Error::io(format!("creating {}", folder.display())))?;
        }
        let lock = lock(&settings.dir)?;
        let config = settings.dir.join("config");
        let redis = Passwords::generate(&settings.dir)?;
        let services = service::all(&settings, &config, &redis)?;
        for service in &services {
            port::check(&service.launch.name, service.port)?;
        }
        port::check("api's admin listener", settings.ports.api_admin)?;
        port::check("the inbox's SMTP", settings.ports.inbox_smtp)?;
        render::render(&settings).await?;
        redis.write(settings.ports.redis)?;
        // A separate folder, so that a drill that breaks a model does not affect other stacks.
        copy_models(&settings.dir.join("data/models"))?;
        if settings.alone {
            // Drills keep the machine busy, which must not fire an alert in their stack.
            let path = settings.dir.join("data").join(TEXTFILES).join("allotment-cpu.prom");
            std::fs::write(&path, "host_allotment_ratio{resource=\"cpu\"} 10\n")
                .map_err(Error::io(format!("writing {}", path.display())))?;
        }
        let control = Control::bind(&settings.dir)?;
        let client =
            reqwest::Client::builder().no_proxy().build().map_err(|error| Error::Usage(error.to_string()))?;
        let load = LoadTarget::new(settings.ports.load, &config);
        let mut stack = Self { settings, redis, running: Vec::new(), client, control, load, _lock: lock };
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
            self.running.push(Running { service, process, started: SystemTime::now(), end_reported: false });
            self.write_state(false)?;
            if let Some(last) = self.running.last_mut() {
                let Service { probe, limit, .. } = &last.service;
                last.process.ready(*limit, || ready::check(&self.client, probe)).await?;
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

    /// The passwords of its Redis.
    #[must_use]
    pub fn redis(&self) -> &Passwords {
        &self.redis
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The state for `status` and `down`.
    #[must_use]
    pub fn state(&self, ready: bool) -> State {
        State {
            supervisor: Identity::of(std::process::id().cast_signed()),
            ready,
            scale: self.settings.scale,
            control: self.control.path().to_owned(),
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

    fn write_state(&mut self, ready: bool) -> Result<(), Error> {
        let report = |running: &mut Running| Reported {
            name: running.service.launch.name.clone(),
            up: running.process.ended().is_none(),
            started: running.started,
        };
        let processes: Vec<_> = self.running.iter_mut().map(report).collect();
        textfile::write(&self.settings.dir.join("data").join(TEXTFILES), &processes)?;
        self.state(ready).write(&self.settings.dir)
    }

    /// Supervises the services until dropped: carries out orders and reports ended services. Cancel-safe.
    pub async fn tend(&mut self, mut say: impl FnMut(&str)) {
        let mut look = tokio::time::interval(LOOK);
        let mut look_load = tokio::time::interval(LOOK_LOAD);
        loop {
            tokio::select! {
                (order, sender) = self.control.next() => {
                    let done = self.carry_out(&order).await;
                    // The order was carried out, but fails if the state cannot be written.
                    let written = self.write_state(true);
                    sender.reply(done.and(written)).await;
                }
                _ = look.tick() => {
                    let ended = self.newly_ended();
                    for (name, status) in &ended {
                        say(&format!("{name} ended ({status}); the other services keep running"));
                    }
                    if !ended.is_empty() && let Err(error) = self.write_state(true) {
                        say(&error.to_string());
                    }
                }
                _ = look_load.tick() => {
                    if let Err(error) = self.load.look(&self.client).await {
                        say(&error.to_string());
                    }
                }
            }
        }
    }

    async fn carry_out(&mut self, order: &Order) -> Result<(), Error> {
        let names: Vec<_> = self.running.iter().map(|running| running.service.launch.name.clone()).collect();
        let running = self.running.iter_mut().find(|running| running.service.launch.name == order.name);
        let running = running.ok_or_else(|| {
            let names = names.join(", ");
            Error::Usage(format!("unknown service `{}`: must be one of {names}", order.name))
        })?;
        match order.verb {
            Verb::Pause => running.process.signal(Signal::SIGSTOP),
            Verb::Unpause => running.process.signal(Signal::SIGCONT),
            Verb::Kill(signal) => running.process.signal(signal),
            Verb::Stop | Verb::Restart => {
                running.process.stop(GRACE).await;
                running.end_reported = true; // an order ended it
            }
            Verb::Start => {}
        }
        if !matches!(order.verb, Verb::Start | Verb::Restart) {
            return Ok(());
        }
        if running.process.ended().is_some() {
            let log = running.process.log().to_owned();
            running.process = Process::start(&running.service.launch, &log)?;
            running.started = SystemTime::now();
            running.end_reported = false;
        }
        let Service { restart_probe, limit, .. } = &running.service;
        Ok(running.process.ready(*limit, || ready::check(&self.client, restart_probe)).await?)
    }

    /// Base URL of the gateway, Prometheus, Alertmanager or inbox, by service name.
    ///
    /// # Panics
    /// When there is no such service; the names are those of [`service::all`].
    #[must_use]
    pub fn url(&self, name: &str) -> &str {
        self.running
            .iter()
            .find(|running| running.service.launch.name == name)
            .map(|running| running.service.address.as_str())
            .unwrap_or_else(|| panic!("unknown service {name}"))
    }

    /// Sends a signal to a service, by name. Used by tests.
    pub fn signal(&mut self, name: &str, signal: Signal) {
        for running in self.running.iter_mut().filter(|running| running.service.launch.name == name) {
            running.process.signal(signal);
        }
    }

    /// Services that ended since the last call, with their status. The others keep running, because alerts must report
    /// a missing service.
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

    /// Stops every service in reverse start order, and removes the state on disk.
    pub async fn stop(mut self) {
        for running in self.running.iter_mut().rev() {
            running.process.stop(GRACE).await;
        }
        State::remove(&self.settings.dir);
    }
}

fn copy_models(folder: &Path) -> Result<(), Error> {
    let source = program::repository().join("api/models");
    let entries = match std::fs::read_dir(&source) {
        Ok(entries) => entries,
        Err(_) => return Ok(()), // a stack outside the repository has no models
    };
    for entry in entries.flatten().filter(|entry| entry.path().extension().is_some_and(|it| it == "onnx")) {
        let to = folder.join(entry.file_name());
        std::fs::copy(entry.path(), &to)
            .map_err(Error::io(format!("copying a model to {}", to.display())))?;
    }
    Ok(())
}

fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join("lock");
    let what = || format!("locking {}", path.display());
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
