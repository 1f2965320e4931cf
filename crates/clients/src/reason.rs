//! Readable reasons of failed connections, with a remedy if known.

use std::error::Error;
use std::io;

use crate::error::Reason;
use common::tls::refusal;

/// The root cause of an error, without the address, which the caller adds.
pub fn of(error: &(dyn Error + 'static)) -> Reason {
    Reason::Unreachable(words(error))
}

fn words(error: &(dyn Error + 'static)) -> String {
    if let Some(error) = tls(error) {
        return of_tls(error);
    }
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = error.to_string();
        cause = error.source();
    }
    // The error of tokio-rustls when the peer closes the connection during the handshake.
    if words == "tls handshake eof" {
        words =
            "connection closed during the TLS handshake; if the server has no TLS, use an http:// address"
                .to_owned();
    }
    words
}

/// The TLS error among the causes. `source()` of an I/O error skips the error it wraps, so that is checked separately.
fn tls<'a>(mut error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    loop {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        error = match wrapped {
            Some(wrapped) => wrapped,
            None => error.source()?,
        };
    }
}

fn of_tls(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(error) => {
            format!("certificate not accepted: {}", refusal::reason(error))
        }
        rustls::Error::InvalidMessage(_) => "not a TLS server; use an http:// address".to_owned(),
        other => format!("TLS error: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use rustls::CertificateError;
    use rustls::pki_types::ServerName;

    use super::*;

    #[test]
    fn rejected_certificate_has_a_reason_and_a_remedy() {
        let other = CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("a.example").unwrap(),
            presented: vec!["DnsName(\"b.example\")".to_owned()],
        };
        for (error, reason, remedy) in [
            (CertificateError::UnknownIssuer, "issuer is not trusted", "--cacert FILE.pem"),
            (other, "valid for b.example, not for a.example", "use a valid name"),
            (CertificateError::Expired, "expired", "renew it"),
            (CertificateError::NotValidYet, "not valid yet", "clock"),
            (CertificateError::BadEncoding, "BadEncoding", "--cacert FILE.pem"),
        ] {
            // The connector wraps it twice in an I/O error.
            let error = io::Error::other(io::Error::other(rustls::Error::InvalidCertificate(error)));
            let words = words(&error);
            assert!(words.starts_with("certificate not accepted: "), "{words}");
            assert!(words.contains(reason) && words.contains(remedy), "{words}");
        }
    }

    #[test]
    fn uses_the_root_cause() {
        assert_eq!(words(&io::Error::other("refused")), "refused");
        let closed = words(&io::Error::new(io::ErrorKind::UnexpectedEof, "tls handshake eof"));
        assert!(
            closed.contains("connection closed during the TLS handshake") && closed.contains("http://"),
            "{closed}"
        );
        let plain =
            io::Error::other(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType));
        assert!(words(&plain).contains("http://"), "{}", words(&plain));
    }
}
