//! Ports: defaults, offsets, free ports for tests, and the owner of a port in use.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use process::port::free;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The ports of all services, on 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// The gateway.
    pub api: u16,
    /// The gateway's admin listener.
    pub api_admin: u16,
    /// Redis.
    pub redis: u16,
    /// Redis's exporter.
    pub redis_exporter: u16,
    /// Prometheus.
    pub prometheus: u16,
    /// Alertmanager.
    pub alertmanager: u16,
    /// The inbox's pages and receivers.
    pub inbox: u16,
    /// The inbox's SMTP.
    pub inbox_smtp: u16,
    /// The node exporter.
    pub node_exporter: u16,
    /// The metrics of a run of the load generator, which is not a service of the stack.
    pub load: u16,
}

impl Ports {
    /// The documented ports.
    pub const DEFAULT: Self = Self {
        api: 8000,
        api_admin: 8001,
        redis: 6379,
        redis_exporter: 9121,
        prometheus: 9090,
        alertmanager: 9093,
        inbox: 8025,
        inbox_smtp: 1025,
        node_exporter: 9100,
        load: 9464,
    };

    /// The documented ports plus `offset`.
    ///
    /// # Errors
    /// [`Error::Usage`] when one exceeds 65535.
    pub fn offset(offset: u16) -> Result<Self, Error> {
        let moved = |port: u16| {
            port.checked_add(offset).ok_or_else(|| {
                Error::Usage(format!(
                    "invalid --port-offset {offset}: port {port} would exceed 65535; use at most {}",
                    65_535 - Self::DEFAULT.load
                ))
            })
        };
        Self::DEFAULT.each(moved)
    }

    /// Applies the function to each port.
    fn each(self, mut put: impl FnMut(u16) -> Result<u16, Error>) -> Result<Self, Error> {
        Ok(Self {
            api: put(self.api)?,
            api_admin: put(self.api_admin)?,
            redis: put(self.redis)?,
            redis_exporter: put(self.redis_exporter)?,
            prometheus: put(self.prometheus)?,
            alertmanager: put(self.alertmanager)?,
            inbox: put(self.inbox)?,
            inbox_smtp: put(self.inbox_smtp)?,
            node_exporter: put(self.node_exporter)?,
            load: put(self.load)?,
        })
    }

    /// All ports.
    #[must_use]
    pub fn all(&self) -> [u16; 10] {
        [
            self.api,
            self.api_admin,
            self.redis,
            self.redis_exporter,
            self.prometheus,
            self.alertmanager,
            self.inbox,
            self.inbox_smtp,
            self.node_exporter,
            self.load,
        ]
    }

    /// Currently free ports, handed out only once in this process.
    ///
    /// # Errors
    /// When the machine has no free ports.
    pub fn free() -> Result<Self, Error> {
        Self::DEFAULT.each(|_| Ok(free()?))
    }
}

/// Longest wait for a port in use without an owner: the port of a killed program may stay in use until its last threads
/// have ended.
const CLOSING: Duration = Duration::from_secs(2);

/// Checks that the port is free.
///
/// # Errors
/// [`Error::PortTaken`], with the owner if known.
pub fn check(service: &str, port: u16) -> Result<(), Error> {
    let started = Instant::now();
    while TcpListener::bind(("127.0.0.1", port)).is_err() {
        let owner = owner(port);
        if !owner.is_empty() || started.elapsed() > CLOSING {
            return Err(Error::PortTaken { port, service: service.to_owned(), owner });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn owner(port: u16) -> String {
    listeners::get_process_by_port(port, listeners::Protocol::TCP)
        .map(|process| format!(" by {} (pid {})", process.name, process.pid))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_offset_moves_every_port_or_is_rejected() {
        let moved = Ports::offset(10_000).unwrap();
        assert_eq!((moved.api, moved.api_admin, moved.redis, moved.inbox), (18_000, 18_001, 16_379, 18_025));
        let error = Ports::offset(60_000).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("--port-offset 60000"), "{error}");
    }

    #[test]
    fn names_the_owner_of_a_taken_port() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let text = check("api", port).unwrap_err().to_string();
        assert!(text.contains(&format!("port {port}")) && text.contains("api"), "{text}");
        assert!(text.contains(&format!("pid {}", std::process::id())), "{text}");
    }

    #[test]
    fn free_ports_differ() {
        let ports = Ports::free().unwrap();
        let all = ports.all();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }
}
