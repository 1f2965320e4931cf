//! Why a call failed, in words, with the way out where there is one.

use std::error::Error;
use std::io;

use crate::error::Reason;
use common::tls::refusal;

/// The last cause of an error, without the address, which stands beside it already.
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
    // What tokio-rustls calls it when the other side hangs up over a handshake it does not understand.
    if words == "tls handshake eof" {
        words = "it closed the connection in the TLS handshake; is it an http:// address?".to_owned();
    }
    words
}

/// The TLS error among the causes. An I/O error passes over what it wraps when asked for its own cause.
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
            format!("its certificate is not accepted: {}", refusal::reason(error))
        }
        rustls::Error::InvalidMessage(_) => "it does not speak TLS; is it an http:// address?".to_owned(),
        other => format!("TLS failed: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use rustls::CertificateError;
    use rustls::pki_types::ServerName;

    use super::*;

    #[test]
    fn a_certificate_that_is_not_accepted_says_why_and_what_to_do() {
        let other = CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("a.example").unwrap(),
            presented: vec!["DnsName(\"b.example\")".to_owned()],
        };
        for (error, said, way_out) in [
            (CertificateError::UnknownIssuer, "no authority that is trusted", "--cacert FILE.pem"),
            (other, "it is for b.example, not for a.example", "ask by a name"),
            (CertificateError::Expired, "expired", "renew it"),
            (CertificateError::NotValidYet, "not valid yet", "clock"),
            (CertificateError::BadEncoding, "BadEncoding", "--cacert FILE.pem"),
        ] {
            // As it comes out of the connector: in an I/O error in an I/O error.
            let error = io::Error::other(io::Error::other(rustls::Error::InvalidCertificate(error)));
            let words = words(&error);
            assert!(words.starts_with("its certificate is not accepted: "), "{words}");
            assert!(words.contains(said) && words.contains(way_out), "{words}");
        }
    }

    #[test]
    fn the_last_cause_stands_for_all() {
        assert_eq!(words(&io::Error::other("refused")), "refused");
        let closed = words(&io::Error::new(io::ErrorKind::UnexpectedEof, "tls handshake eof"));
        assert!(
            closed.contains("closed the connection in the TLS handshake") && closed.contains("http://"),
            "{closed}"
        );
        let plain =
            io::Error::other(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType));
        assert!(words(&plain).contains("http://"), "{}", words(&plain));
    }
}
