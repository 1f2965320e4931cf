//! A run of the load generator as a target of Prometheus, while it exports metrics.
//!
//! A load is temporary, and its end is not an outage: the job `load` of prometheus.yml reads its targets from a file
//! that exists only while a run responds.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::error::Error;

/// A metric that every run exports from the start.
const MARK: &str = "loadgen_scheduled_total";
/// Timeout of the check.
const PATIENCE: Duration = Duration::from_secs(2);

/// The target of a run.
#[derive(Debug)]
pub struct LoadTarget {
    port: u16,
    file: PathBuf,
    listed: bool,
}

impl LoadTarget {
    /// For runs that export metrics on this port of 127.0.0.1; `config` is the folder of prometheus.yml.
    #[must_use]
    pub fn new(port: u16, config: &Path) -> Self {
        Self { port, file: folder(config).join("load.json"), listed: false }
    }

    /// Checks for a run, and writes or removes the file on a change. Cancel-safe.
    ///
    /// # Errors
    /// When the file cannot be written or removed.
    pub async fn look(&mut self, client: &reqwest::Client) -> Result<(), Error> {
        let open = TcpStream::connect(("127.0.0.1", self.port)).await.is_ok();
        // Another listener may be a run that exports nothing yet.
        let run = open && (self.listed || self.is_run(client).await);
        if run != self.listed {
            let done = if run { self.write() } else { std::fs::remove_file(&self.file) };
            done.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
                .map_err(Error::io(format!("updating the scrape target file {}", self.file.display())))?;
            self.listed = run;
        }
        Ok(())
    }

    async fn is_run(&self, client: &reqwest::Client) -> bool {
        let response = client.get(format!("http://127.0.0.1:{}/metrics", self.port)).timeout(PATIENCE).send();
        match response.await {
            Ok(response) => response.text().await.is_ok_and(|text| text.contains(MARK)),
            Err(_) => false,
        }
    }

    /// Writes the file atomically, because Prometheus reads it on every change.
    fn write(&self) -> std::io::Result<()> {
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("[{{\"targets\": [\"127.0.0.1:{}\"]}}]\n", self.port))?;
        std::fs::rename(&new, &self.file)
    }
}

/// The folder of target files beside prometheus.yml. It must exist before Prometheus starts, which watches it.
#[must_use]
pub fn folder(config: &Path) -> PathBuf {
    config.join("targets")
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn respond(listener: &TcpListener, body: &str) {
        // One connection for the check of the port, one for the request.
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            let _ = stream.write_all(text.as_bytes()).await;
        }
    }

    #[tokio::test]
    async fn only_a_run_is_a_target_while_it_lasts() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder(dir.path())).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        for (body, expected) in
            [("# HELP loadgen_scheduled_total x\n", true), ("# HELP other_total x\n", false)]
        {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let mut target = LoadTarget::new(port, dir.path());
            let (looked, ()) = tokio::join!(target.look(&client), respond(&listener, body));
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
