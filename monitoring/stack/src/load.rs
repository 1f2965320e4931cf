//! A run of the load generator as a target of Prometheus, for as long as it shows its figures.
//!
//! A run comes and goes, and none is no outage: the job `load` of prometheus.yml reads its targets from a file, which is
//! there while something answers as a run does.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::error::Error;

/// A family that every run has from its first moment on.
const MARK: &str = "loadgen_scheduled_total";
/// How long somebody who listens may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The target, there or not.
#[derive(Debug)]
pub struct LoadTarget {
    port: u16,
    file: PathBuf,
    listed: bool,
}

impl LoadTarget {
    /// For runs that show their figures on this port of 127.0.0.1; `config` is the folder of prometheus.yml.
    #[must_use]
    pub fn new(port: u16, config: &Path) -> Self {
        Self { port, file: folder(config).join("load.json"), listed: false }
    }

    /// Looks who listens, and writes or removes the file when that has changed. May be dropped at any time.
    ///
    /// # Errors
    /// When the file cannot be written or removed.
    pub async fn look(&mut self, client: &reqwest::Client) -> Result<(), Error> {
        let open = TcpStream::connect(("127.0.0.1", self.port)).await.is_ok();
        // Whoever is none may be a run that has nothing to show yet.
        let run = open && (self.listed || self.is_run(client).await);
        if run != self.listed {
            let done = if run { self.write() } else { std::fs::remove_file(&self.file) };
            done.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
                .map_err(Error::io(format!("the target of a load, {}", self.file.display())))?;
            self.listed = run;
        }
        Ok(())
    }

    async fn is_run(&self, client: &reqwest::Client) -> bool {
        let asked = client.get(format!("http://127.0.0.1:{}/metrics", self.port)).timeout(PATIENCE).send();
        match asked.await {
            Ok(answer) => answer.text().await.is_ok_and(|text| text.contains(MARK)),
            Err(_) => false,
        }
    }

    /// Whole or not at all: Prometheus reads as soon as something changes.
    fn write(&self) -> std::io::Result<()> {
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("[{{\"targets\": [\"127.0.0.1:{}\"]}}]\n", self.port))?;
        std::fs::rename(&new, &self.file)
    }
}

/// The folder beside prometheus.yml that it reads targets from; there before Prometheus is, which watches it.
#[must_use]
pub fn folder(config: &Path) -> PathBuf {
    config.join("targets")
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn answer(listener: &TcpListener, body: &str) {
        // Once for the look whether anybody is there, once for the question.
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            let _ = stream.write_all(text.as_bytes()).await;
        }
    }

    #[tokio::test]
    async fn a_run_is_a_target_while_it_lasts_and_somebody_else_is_none() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder(dir.path())).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        for (body, expected) in
            [("# HELP loadgen_scheduled_total x\n", true), ("# HELP other_total x\n", false)]
        {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let mut target = LoadTarget::new(port, dir.path());
            let (looked, ()) = tokio::join!(target.look(&client), answer(&listener, body));
            looked.unwrap();
            let written = std::fs::read_to_string(dir.path().join("targets/load.json")).ok();
            let listed = expected.then(|| format!("[{{\"targets\": [\"127.0.0.1:{port}\"]}}]\n"));
            assert_eq!(written, listed, "{body}");

            drop(listener);
            target.look(&client).await.unwrap();
            assert!(!dir.path().join("targets/load.json").exists());
        }
    }
}
