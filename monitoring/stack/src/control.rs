//! Control of a running stack: other processes make the supervisor stop, start, pause or signal one of its services.
//!
//! A Unix socket, whose path is in the stack's state, accepts one order per line: `stop NAME`, `start NAME`, `pause
//! NAME`, `unpause NAME`, `restart NAME` or `kill SIGNAL NAME`. The reply, sent once the order is done, is `ok` or an
//! error. The verbs are those of `docker` and `docker compose`, so that callers need only one vocabulary.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::Error;

/// Timeout for a service to stop and to be ready again.
const LIMIT: Duration = Duration::from_secs(75);
/// Longest path of a Unix socket including its closing zero: 108 bytes on Linux and 104 elsewhere.
const LONGEST_PATH: usize = 100;
/// Timeout for a client to send its order.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest order, in bytes.
const LONGEST_ORDER: u64 = 1_000;

/// An action on a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Stop it gracefully.
    Stop,
    /// Start it if it is not running; done once it responds.
    Start,
    /// Pause its process.
    Pause,
    /// Resume its process.
    Unpause,
    /// Stop, then start.
    Restart,
    /// Send its process a signal.
    Kill(Signal),
}

/// An order for one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The action.
    pub verb: Verb,
    /// The service.
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
                    "invalid command `{}`: expected stop, start, pause, unpause or restart and the name of a service, or \
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
        .map_err(|_| Error::Usage(format!("invalid signal `{text}`: expected a name such as HUP")))
}

/// The supervisor's side. The socket is removed on drop.
#[derive(Debug)]
pub struct Control {
    path: PathBuf,
    orders: mpsc::Receiver<(Order, Sender)>,
    listening: JoinHandle<()>,
}

/// The sender of an order, waiting for the reply.
#[derive(Debug)]
pub struct Sender(UnixStream);

impl Control {
    /// Listens in `dir`, or in the folder of temporary files if the path would be too long for a socket.
    ///
    /// # Errors
    /// When the socket cannot be created.
    pub fn bind(dir: &Path) -> Result<Self, Error> {
        let mut path = dir.join("control.sock");
        if path.as_os_str().len() > LONGEST_PATH {
            path = std::env::temp_dir().join(format!("firedrill-{}.sock", std::process::id()));
        }
        let _ = std::fs::remove_file(&path); // left by a killed supervisor; this process holds the lock
        let listener = UnixListener::bind(&path)
            .map_err(Error::io(format!("opening the control socket {}", path.display())))?;
        // A separate task reads orders, because the wait for the next one may be cancelled in the middle of a line.
        let (sender, orders) = mpsc::channel(1);
        Ok(Self { path, orders, listening: tokio::spawn(listen(listener, sender)) })
    }

    /// The path of its socket.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next order. Cancel-safe.
    pub async fn next(&mut self) -> (Order, Sender) {
        match self.orders.recv().await {
            Some(order) => order,
            // The task that sends them lives as long as this.
            None => std::future::pending().await,
        }
    }
}

/// Reads orders, and replies to invalid ones.
async fn listen(listener: UnixListener, orders: mpsc::Sender<(Order, Sender)>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await; // for example when out of descriptors
            continue;
        };
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        let read = async { (&mut stream).take(LONGEST_ORDER).read_line(&mut line).await };
        match tokio::time::timeout(PATIENCE, read).await {
            Ok(Ok(_)) => {}
            _ => continue,
        }
        let sender = Sender(stream.into_inner());
        match line.parse() {
            Ok(order) => {
                if orders.send((order, sender)).await.is_err() {
                    return; // the supervisor is ending
                }
            }
            Err(error) => sender.reply(Err(error)).await,
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.listening.abort();
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Sender {
    /// Sends the result. A sender that has left is ignored.
    pub async fn reply(mut self, result: Result<(), Error>) {
        let line = match result {
            Ok(()) => "ok\n".to_owned(),
            Err(error) => format!("{}\n", error.to_string().replace('\n', " ")),
        };
        let _ = self.0.write_all(line.as_bytes()).await;
    }
}

/// The client's side: sends an order and waits until it is done.
///
/// # Errors
/// [`Error::Usage`] with the supervisor's error, or when none listens.
pub async fn order(socket: &Path, line: &str) -> Result<(), Error> {
    line.parse::<Order>()?;
    let exchange = async {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(format!("{line}\n").as_bytes()).await?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await?;
        Ok::<_, std::io::Error>(reply)
    };
    let reply = tokio::time::timeout(LIMIT, exchange)
        .await
        .map_err(|_| Error::Usage(format!("`{line}` did not finish within {LIMIT:?}")))?
        .map_err(Error::io(format!("using the control socket {}", socket.display())))?;
    match reply.trim() {
        "ok" => Ok(()),
        "" => Err(Error::Usage(format!("`{line}`: the supervisor ended before the command was done"))),
        reason => Err(Error::Usage(reason.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cancelled_wait_loses_no_order() {
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
    async fn replies_when_the_order_is_done() {
        let dir = tempfile::tempdir().unwrap();
        let mut control = Control::bind(dir.path()).unwrap();
        let socket = control.path().to_owned();
        let given = tokio::spawn(async move { order(&socket, "pause redis").await });
        let (order, sender) = control.next().await;
        assert_eq!(order, Order { verb: Verb::Pause, name: "redis".into() });
        sender.reply(Err(Error::Usage("unknown service redis".into()))).await;
        let error = given.await.unwrap().unwrap_err().to_string();
        assert_eq!(error, "unknown service redis");
    }

    #[tokio::test]
    async fn uses_a_short_path_for_a_long_folder() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("d".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        assert!(Control::bind(&deep).unwrap().path().exists());
    }
}
