//! Single servers for tests: real, on a free port, gone when dropped.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::process::{Launch, Process};
use crate::ready::{self, Probe};
use crate::{Error, port, program};

/// A private Redis that keeps nothing on disk.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    launch: Launch,
    dir: tempfile::TempDir,
    process: Process,
}

impl Redis {
    /// Starts one and waits until it answers PING.
    ///
    /// # Errors
    /// When redis-server is missing or does not answer within ten seconds.
    pub async fn start() -> Result<Self, Error> {
        let port = port::free()?;
        let dir = tempfile::tempdir().map_err(Error::io("a temporary folder"))?;
        let launch = Launch {
            name: "redis".to_owned(),
            program: program::external("redis-server")?,
            args: crate::service::redis_args(port, dir.path()),
            env: Vec::new(),
        };
        let process = Process::start(&launch, &dir.path().join("redis.log"))?;
        let mut redis = Self { port, launch, dir, process };
        redis.answering().await?;
        Ok(redis)
    }

    /// `redis://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// SIGKILL, and waits until it is gone.
    pub async fn kill(&mut self) {
        self.process.signal(Signal::SIGKILL);
        let _ = self.process.wait().await; // the only failure is that somebody else waited
    }

    /// SIGSTOP: connections stay open, nothing is answered.
    pub fn pause(&mut self) {
        self.process.signal(Signal::SIGSTOP);
    }

    /// SIGCONT.
    pub fn resume(&mut self) {
        self.process.signal(Signal::SIGCONT);
    }

    /// Starts it again on the same port, empty, after [`Self::kill`].
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn restart(&mut self) -> Result<(), Error> {
        self.kill().await;
        self.process = Process::start(&self.launch, &self.dir.path().join("redis.log"))?;
        self.answering().await
    }

    async fn answering(&mut self) -> Result<(), Error> {
        let limit = Duration::from_secs(10);
        let started = Instant::now();
        let client = reqwest::Client::new();
        loop {
            if let Some(status) = self.process.ended() {
                return Err(self.process.ended_error(status));
            }
            match ready::ask(&client, &Probe::RedisPing(self.port)).await {
                Ok(()) => return Ok(()),
                Err(reason) if started.elapsed() > limit => {
                    let log = self.process.log().to_owned();
                    return Err(Error::NotReady { service: "redis".to_owned(), limit, reason, log });
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_killed_redis_comes_back_on_the_same_port() {
        let mut redis = Redis::start().await.unwrap();
        let url = redis.url();
        redis.kill().await;
        let probe = Probe::RedisPing(redis.port);
        let client = reqwest::Client::new();
        assert!(ready::ask(&client, &probe).await.is_err());
        redis.restart().await.unwrap();
        assert_eq!(redis.url(), url);
        ready::ask(&client, &probe).await.unwrap();
    }
}
