//! Why a certificate is not accepted, in words.

use std::io;

use jiff::Timestamp;
use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use crate::trust::is_ca;

/// The reason and the way out, if it is the certificate that a handshake failed for.
pub(super) fn reason(error: &io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let rustls::Error::InvalidCertificate(certificate) = error else { return None };
    let reason = match certificate {
        CertificateError::UnknownIssuer => {
            "nobody who is trusted has signed it; give it, or the CA's that did, as --cacert FILE.pem".to_owned()
        }
        _ if is_ca(error) => {
            "it is a CA's own (CA:TRUE), no server's; give exactly this certificate as --cacert FILE.pem, or have \
             one made with CA:FALSE"
                .to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names = match presented.as_slice() {
                [] => "no name at all".to_owned(),
                names => names.iter().map(|name| bare(name)).collect::<Vec<_>>().join(", "),
            };
            format!(
                "it is for {names}, not for {}; use its name in the URL, with --connect-to where that leads elsewhere",
                expected.to_str()
            )
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("it expired on {}; renew it", day(*not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("it is valid from {} on only; look at the clocks", day(*not_before))
        }
        other => other.to_string(),
    };
    Some(format!("the certificate was not accepted: {reason}; --insecure accepts any"))
}

/// `DnsName("a.example")` and `IpAddress(127.0.0.1)` are webpki's spelling.
fn bare(name: &str) -> &str {
    let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.map_or(name, |inside| inside.trim_matches('"'))
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).strftime("%Y-%m-%d").to_string()
}
