//! The gateway as a process that can be stopped and started again on the same port.

use anyhow::Context;
use nix::sys::signal::Signal;
use process::{Launch, Process};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

/// What the load knows of it.
#[derive(Clone)]
pub struct Shared {
    pub address: SocketAddr,
    incarnation: Arc<AtomicU32>,
}

impl Shared {
    /// Changes while no gateway runs.
    pub fn incarnation(&self) -> u32 {
        self.incarnation.load(SeqCst)
    }
}

pub struct Gateway {
    shared: Shared,
    launch: Launch,
    log: PathBuf,
    process: Process,
    /// Peak of those that have ended.
    peak: AtomicU64,
}

impl Gateway {
    pub fn start(launch: Launch, address: SocketAddr, dir: &Path) -> anyhow::Result<Self> {
        let log = dir.join("api.log");
        let process = Process::start(&launch, &log)?;
        let shared = Shared { address, incarnation: Arc::default() };
        Ok(Self { shared, launch, log, process, peak: AtomicU64::new(0) })
    }

    pub fn shared(&self) -> Shared {
        self.shared.clone()
    }

    pub fn incarnation(&self) -> u32 {
        self.shared.incarnation()
    }

    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    pub fn signal(&mut self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Ends it by this signal.
    pub async fn end(&mut self, signal: Signal) -> anyhow::Result<()> {
        self.peak.store(self.peak(), SeqCst);
        self.process.signal(signal);
        tokio::time::timeout(Duration::from_secs(40), self.process.wait())
            .await
            .context("it does not end")??;
        self.shared.incarnation.fetch_add(1, SeqCst);
        Ok(())
    }

    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.process = Process::start(&self.launch, &self.log)?;
        Ok(())
    }

    /// The most memory it has had since [`Self::forget_peak`], in bytes.
    pub fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
        let now = line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024;
        now.max(self.peak.load(SeqCst))
    }

    pub fn forget_peak(&self) -> anyhow::Result<()> {
        self.peak.store(0, SeqCst);
        fs::write(format!("/proc/{}/clear_refs", self.pid()), "5").context("resetting the peak of memory")
    }
}
