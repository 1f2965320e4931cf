//! Why a certificate is not accepted, in words, with the way out.

use jiff::Timestamp;
use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use crate::tls::verifier::is_ca;

/// The reason and the way out, to stand behind "is not accepted: ".
#[must_use]
pub fn reason(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => {
            let way_out = "give --cacert FILE.pem with the certificate of the one that signed it, or with this one";
            format!("signed by no authority that is trusted here; {way_out}")
        }
        CertificateError::NotValidForName => "it is for another name than that of the address".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names = presented.iter().map(|name| bare(name)).collect::<Vec<_>>().join(", ");
            let names = if names.is_empty() { "no name at all".to_owned() } else { names };
            format!(
                "it is for {names}, not for {}; ask by a name it is for, or have it issued for this one",
                expected.to_str()
            )
        }
        CertificateError::Expired => "expired; renew it, or set this machine's clock right".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("expired on {}; renew it, or set this machine's clock right", day(*not_after))
        }
        CertificateError::NotValidYet => "not valid yet; set this machine's clock right".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("not valid before {}; set this machine's clock right", day(*not_before))
        }
        error if is_ca(error) => {
            "it is an authority's own (CA:TRUE), which a server may not show; give exactly this one as --cacert \
             FILE.pem, or have one issued by it"
                .to_owned()
        }
        other => {
            format!("{other}; give --cacert FILE.pem with the certificate of the authority that signed it")
        }
    }
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
