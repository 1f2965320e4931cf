//! Only one run at a time may use a stack: two would mistake each other's alerts and notifications for their own. On one
//! host a locked file ensures this, and the kernel releases it with the process. Across hosts the inbox grants a lease,
//! which expires.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;
use url::Url;

use crate::causes::leftovers;
use crate::causes::stack::Stack;
use crate::error::DrillError;
use crate::timing::clock::time_of_day;
use clients::inbox::{Holder, Inbox};

/// How long the inbox keeps a lease that is not renewed.
const TTL_SECONDS: u64 = 30;
const RENEWAL: Duration = Duration::from_secs(TTL_SECONDS / 3);

/// Exclusive use of a stack by this run.
#[derive(Debug)]
pub struct Lease {
    holder: Holder,
    inbox: Option<Inbox>,
    renewal: Option<JoinHandle<()>>,
    path: PathBuf,
    /// The lock file; it stays locked while it is open.
    _file: File,
}

impl Lease {
    /// Takes the stack. The lock file is in `dir`, the directory of the undo lists.
    ///
    /// # Errors
    /// Another run has the stack (the error names it), or the lock file cannot be written.
    pub async fn take(dir: &Path, stack: &Stack, inbox: Option<&Inbox>) -> Result<Self, DrillError> {
        let host =
            nix::unistd::gethostname().map_or_else(|_| String::new(), |it| it.to_string_lossy().into_owned());
        let (pid, since) = (std::process::id(), Timestamp::now());
        let holder = Holder { host, pid, since, processes: processes().unwrap_or_default() };
        let (file, path) = locked(dir, stack, &holder)?;
        let mut lease = Self { holder, inbox: None, renewal: None, path, _file: file };
        let Some(inbox) = inbox else { return Ok(lease) };
        // Preflight reports an inbox that does not respond; one that supports no leases is no error.
        let Ok(other) = inbox.lease(&lease.holder, TTL_SECONDS, None).await else { return Ok(lease) };
        if let Some(other) = other {
            // This run holds the lock file of this host, so a process of this host can hold the lease only if it uses
            // another directory.
            let ended = ended(&lease.holder, &other);
            let again = if ended {
                inbox.lease(&lease.holder, TTL_SECONDS, Some(&other)).await
            } else {
                Ok(Some(other))
            };
            if let Ok(Some(other)) = again {
                return Err(busy(&other));
            }
        }
        let (renewed, holder) = (inbox.clone(), lease.holder.clone());
        lease.renewal = Some(tokio::spawn(async move {
            loop {
                tokio::time::sleep(RENEWAL).await;
                let _ = renewed.lease(&holder, TTL_SECONDS, None).await; // a failed renewal is repeated at the next interval
            }
        }));
        lease.inbox = Some(inbox.clone());
        Ok(lease)
    }

    /// Releases the stack.
    pub async fn release(mut self) {
        if let Some(inbox) = self.inbox.take() {
            let _ = inbox.lease(&self.holder, 0, None).await; // if the request fails, the lease expires
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(renewal) = self.renewal.take() {
            renewal.abort();
        }
        let _ = std::fs::remove_file(&self.path); // a file that remains is not locked
    }
}

fn busy(other: &Holder) -> DrillError {
    DrillError::Stack(format!(
        "another drill run is using this stack: process {} on {}, since {}; wait until it has ended",
        other.pid,
        other.host,
        time_of_day(other.since)
    ))
}

/// Whether the process of `other` is known to have ended. A process ID says nothing in another container, even one of the
/// same host name; the lease of a run there expires.
fn ended(own: &Holder, other: &Holder) -> bool {
    !own.processes.is_empty() && own.processes == other.processes && !lives(other.pid)
}

/// [`Holder::processes`] of this process; `None` where there is no `/proc`.
fn processes() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", boot.trim(), namespace.display()))
}

/// Whether a process exists in the namespace of this one.
fn lives(pid: u32) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None) != Err(nix::errno::Errno::ESRCH)
}

/// Opens and locks the file of a stack, and writes the holder into it.
fn locked(dir: &Path, stack: &Stack, holder: &Holder) -> Result<(File, PathBuf), DrillError> {
    let address = |url: &Url| {
        let port = url.port_or_known_default().unwrap_or_default();
        format!(
            "{}-{port}",
            url.host_str().unwrap_or_default().replace(|it: char| !it.is_alphanumeric(), ".")
        )
    };
    let path =
        dir.join(format!("running-{}-{}.lock", address(&stack.prometheus), address(&stack.alertmanager)));
    let failed = |error: std::io::Error| DrillError::Leftovers(format!("{}: {error}", path.display()));
    leftovers::prepare(dir)?;
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true).mode(0o600);
    let mut file = loop {
        let mut file = options.open(&path).map_err(failed)?;
        if file.try_lock().is_err() {
            let mut text = String::new();
            file.read_to_string(&mut text).map_err(failed)?;
            // The file is empty between locking it and writing the holder.
            let unknown = Holder { pid: 0, since: Timestamp::now(), ..holder.clone() };
            return Err(busy(&serde_json::from_str(&text).unwrap_or(unknown)));
        }
        // The previous holder may have removed the file between these two calls.
        if file.metadata().map_err(failed)?.nlink() > 0 {
            break file;
        }
    };
    file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(failed)?;
    file.write_all(&serde_json::to_vec(holder).unwrap_or_default()).map_err(failed)?;
    Ok((file, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(prometheus: &str) -> Stack {
        let url = |text: &str| Url::parse(text).unwrap();
        Stack {
            target: url("http://127.0.0.1:1"),
            admin: url("http://127.0.0.1:1"),
            prometheus: url(prometheus),
            alertmanager: url("http://[::1]:9093"),
            alertmanagers: Vec::new(),
            backend: clients::backend::BackendConfig::default(),
            inbox: None,
            control: Vec::new(),
            peer_timeout: std::time::Duration::ZERO,
            http: clients::HttpConfig::default(),
            env: std::collections::BTreeMap::new(),
        }
    }

    #[tokio::test]
    async fn the_second_run_on_one_host_is_refused_and_names_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let take =
            async |prometheus: &str| Lease::take(&dir.path().join("left"), &stack(prometheus), None).await;
        let first = take("http://127.0.0.1:9090").await.unwrap();
        let refused = take("http://127.0.0.1:9090/").await.unwrap_err().to_string();
        let (pid, host) = (std::process::id(), &first.holder.host);
        let expected = format!("another drill run is using this stack: process {pid} on {host}, since ");
        assert!(refused.starts_with(&expected), "{refused}");
        let beside = take("http://127.0.0.1:9091").await.unwrap();
        first.release().await;
        take("http://127.0.0.1:9090").await.unwrap();
        drop(beside);
    }

    #[test]
    fn only_a_process_of_the_same_namespace_is_known_to_have_ended() {
        let own = Holder {
            host: "ci".into(),
            pid: std::process::id(),
            since: Timestamp::now(),
            processes: processes().expect("Linux has /proc"),
        };
        let gone = Holder { pid: 0x7fff_fff0, ..own.clone() };
        assert!(ended(&own, &gone));
        assert!(!ended(&own, &own));
        let beside = Holder { processes: "0/pid:[1]".into(), ..gone.clone() };
        assert!(!ended(&own, &beside), "the same host name, another container");
        let unknown = |holder: &Holder| Holder { processes: String::new(), ..holder.clone() };
        assert!(!ended(&unknown(&own), &unknown(&gone)));
    }

    #[test]
    fn finds_only_processes_that_exist() {
        assert!(lives(std::process::id()));
        assert!(!lives(0x7fff_fff0));
    }
}
