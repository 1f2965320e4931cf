//! The kinds of failed requests, a closed set.

use std::io;

use strum::{EnumCount, IntoStaticStr, VariantArray};

/// Why a request has no response. The names are the keys of `errors` in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumCount, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Fault {
    /// Nothing listens on the address.
    Refused,
    /// No route to the host or its network.
    Unreachable,
    /// The target's certificate is not accepted.
    Certificate,
    /// The TLS handshake failed for another reason, or the data after it is not TLS.
    Tls,
    /// The time limit passed while connecting.
    ConnectTimeout,
    /// The time limit passed while all connections were busy with earlier requests.
    QueueTimeout,
    /// The time limit passed after the request was sent.
    Timeout,
    /// The connection was reset.
    Reset,
    /// The connection was closed before the response was complete.
    Closed,
    /// The response is not HTTP/1.
    Malformed,
    /// The head or the body exceeded its limit.
    TooLarge,
    /// Another failure of the connection.
    Network,
    /// Generator error: out of file descriptors.
    Descriptors,
    /// Generator error: out of local ports.
    Ports,
    /// Generator error: the operating system is out of memory or buffers.
    Memory,
}

impl Fault {
    /// Every kind, in report order.
    pub const ALL: [Self; Self::COUNT] =
        *Self::VARIANTS.first_chunk().expect("COUNT is the number of variants");

    /// The key in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The kind in words, after a count: `12 × connection refused`.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Refused => "connection refused",
            Self::Unreachable => "host or network unreachable",
            Self::Certificate => "TLS certificate not accepted",
            Self::Tls => "TLS failed",
            Self::ConnectTimeout => "timed out while connecting",
            Self::QueueTimeout => "timed out waiting for a free connection",
            Self::Timeout => "timed out waiting for the response",
            Self::Reset => "connection reset",
            Self::Closed => "closed before the response was complete",
            Self::Malformed => "response was not HTTP/1",
            Self::TooLarge => "response too large",
            Self::Network => "connection failed",
            Self::Descriptors => "out of file descriptors",
            Self::Ports => "out of local ports",
            Self::Memory => "out of memory or buffers",
        }
    }

    /// Whether the generator, not the target or the network, is at fault.
    #[must_use]
    pub fn is_local(self) -> bool {
        matches!(self, Self::Descriptors | Self::Ports | Self::Memory)
    }

    /// Whether a time limit passed.
    #[must_use]
    pub fn is_timeout(self) -> bool {
        matches!(self, Self::ConnectTimeout | Self::QueueTimeout | Self::Timeout)
    }

    /// The kind of an operating system error.
    #[must_use]
    pub fn of(error: &io::Error) -> Self {
        if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return match error {
                rustls::Error::InvalidCertificate(_) => Self::Certificate,
                _ => Self::Tls,
            };
        }
        match error.raw_os_error() {
            Some(libc::EMFILE | libc::ENFILE) => return Self::Descriptors,
            Some(libc::EADDRNOTAVAIL) => return Self::Ports,
            Some(libc::ENOMEM | libc::ENOBUFS) => return Self::Memory,
            _ => {}
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
                Self::Reset
            }
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Self::Unreachable,
            io::ErrorKind::TimedOut => Self::ConnectTimeout,
            io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Network,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_have_their_kinds() {
        for (number, kind) in [
            (libc::ECONNREFUSED, Fault::Refused),
            (libc::ECONNRESET, Fault::Reset),
            (libc::EPIPE, Fault::Reset),
            (libc::EHOSTUNREACH, Fault::Unreachable),
            (libc::ETIMEDOUT, Fault::ConnectTimeout),
            (libc::EMFILE, Fault::Descriptors),
            (libc::EADDRNOTAVAIL, Fault::Ports),
            (libc::ENOBUFS, Fault::Memory),
            (libc::EACCES, Fault::Network),
        ] {
            assert_eq!(Fault::of(&io::Error::from_raw_os_error(number)), kind, "{number}");
        }
    }

    #[test]
    fn the_list_is_in_order_and_the_names_differ() {
        assert!(Fault::ALL.iter().enumerate().all(|(index, fault)| *fault as usize == index));
        let names: std::collections::BTreeSet<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        assert_eq!(names.len(), Fault::ALL.len());
    }
}
