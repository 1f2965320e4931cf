//! Ordering the supervisor about: other processes have it stop, start, pause or signal one of its services.
//!
//! A Unix socket, whose address stands in the stack's state, takes one line an order: `stop NAME`, `start NAME`,
//! `pause NAME`, `unpause NAME`, `restart NAME` or `kill SIGNAL NAME`; the answer, once it is done, is `ok` or what
//! went wrong. The words are those of `docker` and `docker compose`, so that whoever gives orders needs only one
//! vocabulary.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::Error;

/// A service may take this long to stop and then to be ready again.
const LIMIT: Duration = Duration::from_secs(75);
/// The longest path a Unix socket may have, with its closing zero, is 108 bytes on Linux and 104 elsewhere.
const LONGEST_PATH: usize = 100;
/// How long somebody who connects may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);
/// An order is a few words; a line that is longer is none.
const LONGEST_ORDER: u64 = 1_000;

/// What to do with a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// End it in order.
    Stop,
    /// Start it when it is not running; done once it answers.
    Start,
    /// Halt its process where it stands.
    Pause,
    /// Let it go on.
    Unpause,
    /// Stop, then start.
    Restart,
    /// Send its process a signal.
    Kill(Signal),
}

/// An order for one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What to do.
    pub verb: Verb,
    /// With which service.
    pub name: String,
}

impl FromStr for Order {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self, Error> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (verb, name) = match words[..] {
            ["stop", name] => (Verb::Stop, name),
            ["start", name] => (Verb::Start, name),
            ["pause", name] => (Verb::Pause, name),
            ["unpause", name] => (Verb::Unpause, name),
            ["restart", name] => (Verb::Restart, name),
            ["kill", signal, name] => (Verb::Kill(named(signal)?), name),
            _ => {
                return Err(Error::Usage(format!(
                    "`{}` is no order: expected stop, start, pause, unpause or restart and the name of a service, or \
                     kill, a signal and the name",
                    line.trim()
                )));
            }
        };
        Ok(Self { verb, name: name.to_owned() })
    }
}

/// A signal by its name, with or without `SIG`.
fn named(text: &str) -> Result<Signal, Error> {
    let upper = text.to_ascii_uppercase();
    let full = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    Signal::from_str(&full)
        .map_err(|_| Error::Usage(format!("`{text}` is not a signal: expected a name such as HUP")))
}

/// The supervisor's side. The socket goes when this is dropped.
#[derive(Debug)]
pub struct Control {
    path: PathBuf,
    orders: mpsc::Receiver<(Order, Asker)>,
    listening: JoinHandle<()>,
}

/// Who gave an order, waiting for its answer.
#[derive(Debug)]
pub struct Asker(UnixStream);

impl Control {
    /// Listens in `dir`, or in the folder for temporary files when the path would be too long for a socket.
    ///
    /// # Errors
    /// When no socket can be made.
    pub fn bind(dir: &Path) -> Result<Self, Error> {
        let mut path = dir.join("control.sock");
        if path.as_os_str().len() > LONGEST_PATH {
            path = std::env::temp_dir().join(format!("firedrill-{}.sock", std::process::id()));
        }
        let _ = std::fs::remove_file(&path); // left by a supervisor that was killed; the lock says that it is gone
        let listener =
            UnixListener::bind(&path).map_err(Error::io(format!("the control socket {}", path.display())))?;
        // Orders are read aside: whoever waits for the next one may stop waiting in the midst of it.
        let (sender, orders) = mpsc::channel(1);
        Ok(Self { path, orders, listening: tokio::spawn(listen(listener, sender)) })
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next order; may be dropped and called again.
    pub async fn next(&mut self) -> (Order, Asker) {
        match self.orders.recv().await {
            Some(order) => order,
            // The task that sends them lives as long as this.
            None => std::future::pending().await,
        }
    }
}

/// Reads orders; what is none is answered here.
async fn listen(listener: UnixListener, orders: mpsc::Sender<(Order, Asker)>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await; // out of descriptors, say
            continue;
        };
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        let read = async { (&mut stream).take(LONGEST_ORDER).read_line(&mut line).await };
        match tokio::time::timeout(PATIENCE, read).await {
            Ok(Ok(_)) => {}
            _ => continue,
        }
        let asker = Asker(stream.into_inner());
        match line.parse() {
            Ok(order) => {
                if orders.send((order, asker)).await.is_err() {
                    return; // the supervisor is ending
                }
            }
            Err(error) => asker.answer(Err(error)).await,
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.listening.abort();
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Asker {
    /// Says how it went. Somebody who no longer waits is no loss.
    pub async fn answer(mut self, result: Result<(), Error>) {
        let line = match result {
            Ok(()) => "ok\n".to_owned(),
            Err(error) => format!("{}\n", error.to_string().replace('\n', " ")),
        };
        let _ = self.0.write_all(line.as_bytes()).await;
    }
}

/// The other side: gives an order and waits until it is done.
///
/// # Errors
/// [`Error::Usage`] with what the supervisor said, or when none listens.
pub async fn order(socket: &Path, line: &str) -> Result<(), Error> {
    line.parse::<Order>()?;
    let asked = async {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(format!("{line}\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(LIMIT, asked)
        .await
        .map_err(|_| Error::Usage(format!("`{line}` was not done within {LIMIT:?}")))?
        .map_err(Error::io(format!("the control socket {}", socket.display())))?;
    match answer.trim() {
        "ok" => Ok(()),
        "" => Err(Error::Usage(format!("`{line}`: the supervisor ended before it was done"))),
        reason => Err(Error::Usage(reason.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_order_is_not_lost_when_whoever_waits_for_it_turns_aside() {
        let dir = tempfile::tempdir().unwrap();
        let mut control = Control::bind(dir.path()).unwrap();
        let mut stream = UnixStream::connect(control.path()).await.unwrap();
        stream.write_all(b"stop ").await.unwrap();
        let turned_aside = tokio::time::timeout(Duration::from_millis(50), control.next()).await;
        assert!(turned_aside.is_err());
        stream.write_all(b"api\n").await.unwrap();
        assert_eq!(control.next().await.0, Order { verb: Verb::Stop, name: "api".into() });
    }

    #[test]
    fn orders() {
        let order = |verb, name: &str| Order { verb, name: name.to_owned() };
        for (line, expected) in [
            ("stop api\n", order(Verb::Stop, "api")),
            (" restart  redis-exporter", order(Verb::Restart, "redis-exporter")),
            ("kill HUP prometheus", order(Verb::Kill(Signal::SIGHUP), "prometheus")),
            ("kill sigterm api", order(Verb::Kill(Signal::SIGTERM), "api")),
        ] {
            assert_eq!(line.parse::<Order>().unwrap(), expected, "{line}");
        }
        for line in ["", "stop", "stop api now", "burn api", "kill api", "kill XYZ api"] {
            assert!(line.parse::<Order>().unwrap_err().to_string().contains("expected"), "{line}");
        }
    }

    #[tokio::test]
    async fn an_order_is_answered_when_it_is_done() {
        let dir = tempfile::tempdir().unwrap();
        let mut control = Control::bind(dir.path()).unwrap();
        let socket = control.path().to_owned();
        let given = tokio::spawn(async move { order(&socket, "pause redis").await });
        let (order, asker) = control.next().await;
        assert_eq!(order, Order { verb: Verb::Pause, name: "redis".into() });
        asker.answer(Err(Error::Usage("no service is called redis".into()))).await;
        let error = given.await.unwrap().unwrap_err().to_string();
        assert_eq!(error, "no service is called redis");
    }

    #[tokio::test]
    async fn a_path_too_long_for_a_socket_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("d".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        assert!(Control::bind(&deep).unwrap().path().exists());
    }
}
