//! Readable reasons why a certificate is not accepted, with a remedy.

use jiff::Timestamp;
use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use crate::tls::verifier::is_ca;

/// The reason and the remedy, to be used after "not accepted: ".
#[must_use]
pub fn reason(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => {
            "issuer is not trusted; use --cacert FILE.pem with the certificate of the issuer or with this certificate"
                .to_owned()
        }
        CertificateError::NotValidForName => "not valid for the host name of the address".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names = presented.iter().map(|name| bare(name)).collect::<Vec<_>>().join(", ");
            let names = if names.is_empty() { "no name".to_owned() } else { names };
            format!(
                "valid for {names}, not for {}; use a valid name in the address or issue a certificate for this name",
                expected.to_str()
            )
        }
        CertificateError::Expired => "expired; renew it or correct this machine's clock".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("expired on {}; renew it or correct this machine's clock", day(*not_after))
        }
        CertificateError::NotValidYet => "not valid yet; correct this machine's clock".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("not valid before {}; correct this machine's clock", day(*not_before))
        }
        error if is_ca(error) => {
            "it is a CA certificate (CA:TRUE), which a server must not present; use --cacert FILE.pem with exactly this \
             certificate, or issue a server certificate with it"
                .to_owned()
        }
        other => {
            format!("{other}; use --cacert FILE.pem with the certificate of the issuer")
        }
    }
}

/// Extracts the name from webpki's `DnsName("a.example")` and `IpAddress(127.0.0.1)`.
fn bare(name: &str) -> &str {
    let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.map_or(name, |inside| inside.trim_matches('"'))
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).strftime("%Y-%m-%d").to_string()
}
