//! One run at a time on a stack: two would take each other's alerts and notifications for their own. On one host a locked
//! file says so, which the kernel lets go of with the process; across hosts a lease of the inbox, which expires.

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

/// How long the inbox keeps the lease of a run that it does not hear of.
const TTL_SECONDS: u64 = 30;
const RENEWAL: Duration = Duration::from_secs(TTL_SECONDS / 3);

/// A stack that this run has to itself.
#[derive(Debug)]
pub struct Lease {
    holder: Holder,
    inbox: Option<Inbox>,
    renewal: Option<JoinHandle<()>>,
    path: PathBuf,
    /// Locked as long as it is open.
    _file: File,
}

impl Lease {
    /// Takes the stack; the file lies in `dir`, among the lists of what has to be undone.
    ///
    /// # Errors
    /// Which other run has it, or why the file cannot be written.
    pub async fn take(dir: &Path, stack: &Stack, inbox: Option<&Inbox>) -> Result<Self, DrillError> {
        let host =
            nix::unistd::gethostname().map_or_else(|_| String::new(), |it| it.to_string_lossy().into_owned());
        let holder = Holder { host, pid: std::process::id(), since: Timestamp::now() };
        let (file, path) = locked(dir, stack, &holder)?;
        let mut lease = Self { holder, inbox: None, renewal: None, path, _file: file };
        let Some(inbox) = inbox else { return Ok(lease) };
        // An inbox that does not answer, or knows no lease, is preflight's business, or nobody's.
        let Ok(other) = inbox.lease(&lease.holder, TTL_SECONDS, None).await else { return Ok(lease) };
        if let Some(other) = other {
            // With the file of this host locked by us, another run of this host would have to use another folder.
            let ended = other.host == lease.holder.host && !lives(other.pid);
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
                let _ = renewed.lease(&holder, TTL_SECONDS, None).await; // the next one may get through
            }
        }));
        lease.inbox = Some(inbox.clone());
        Ok(lease)
    }

    /// Gives the stack back.
    pub async fn release(mut self) {
        if let Some(inbox) = self.inbox.take() {
            let _ = inbox.lease(&self.holder, 0, None).await; // otherwise it expires
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(renewal) = self.renewal.take() {
            renewal.abort();
        }
        let _ = std::fs::remove_file(&self.path); // one that stays is not locked
    }
}

fn busy(other: &Holder) -> DrillError {
    DrillError::Stack(format!(
        "another run of drills has this stack: process {} on {}, since {}; wait until it has ended",
        other.pid,
        other.host,
        time_of_day(other.since)
    ))
}

/// Whether a process of this host is there.
fn lives(pid: u32) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None) != Err(nix::errno::Errno::ESRCH)
}

/// The locked file of a stack, with its holder in it.
fn locked(dir: &Path, stack: &Stack, holder: &Holder) -> Result<(File, PathBuf), DrillError> {
    let place = |url: &Url| {
        let port = url.port_or_known_default().unwrap_or_default();
        format!(
            "{}-{port}",
            url.host_str().unwrap_or_default().replace(|it: char| !it.is_alphanumeric(), ".")
        )
    };
    let path = dir.join(format!("running-{}-{}.lock", place(&stack.prometheus), place(&stack.alertmanager)));
    let failed = |error: std::io::Error| DrillError::Leftovers(format!("{}: {error}", path.display()));
    leftovers::prepare(dir)?;
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true).mode(0o600);
    let mut file = loop {
        let mut file = options.open(&path).map_err(failed)?;
        if file.try_lock().is_err() {
            let mut text = String::new();
            file.read_to_string(&mut text).map_err(failed)?;
            // It is empty for the moment between the lock and the name.
            let unknown = Holder { host: holder.host.clone(), pid: 0, since: Timestamp::now() };
            return Err(busy(&serde_json::from_str(&text).unwrap_or(unknown)));
        }
        // The run that had it may have removed it between the two calls.
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
            inbox: None,
            control: Vec::new(),
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
        let said = format!("another run of drills has this stack: process {pid} on {host}, since ");
        assert!(refused.starts_with(&said), "{refused}");
        let beside = take("http://127.0.0.1:9091").await.unwrap();
        first.release().await;
        take("http://127.0.0.1:9090").await.unwrap();
        drop(beside);
    }

    #[test]
    fn a_process_that_is_not_there_does_not_live() {
        assert!(lives(std::process::id()));
        assert!(!lives(0x7fff_fff0));
    }
}
