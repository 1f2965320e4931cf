//! Prometheus and Alertmanager behind TLS with a private certificate authority, and with passwords.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use tempfile::TempDir;

use super::assert_proven;
use super::bed::{Foreign, drill};
use crate::support::{Finished, replace};

/// Credentials. The password has characters that a URL must escape.
const USER: &str = "team";
const PASSWORD: &str = "fire&drill:1";
const PASSWORD_IN_URL: &str = "fire%26drill%3A1";
/// The password's hash, by bcrypt at its lowest cost, which is enough for a test.
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuuckBrty1T7IdIfLkkeG.Ly4yJgKH0pfu";

/// The files of such a stack: `ca.pem`, and `web.yml` for `--web.config.file`.
pub struct Secured {
    folder: TempDir,
}

impl Secured {
    /// Writes them.
    pub fn write(folder: TempDir) -> Self {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let server = server.signed_by(&key, &authority).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("ca.pem", &authority.pem());
        write("server.pem", &server.pem());
        write("server.key", &key.serialize_pem());
        write(
            "web.yml",
            &format!(
                "tls_server_config: {{cert_file: server.pem, key_file: server.key}}\n\
                 basic_auth_users: {{{USER}: {HASH}}}\n"
            ),
        );
        Self { folder }
    }

    /// The file of that name.
    pub fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Configures Prometheus to access Alertmanager the same way.
    pub fn tell_prometheus(&self, config: &Path) {
        let entry = "  alertmanagers:\n    - ";
        let more = format!(
            "{entry}scheme: https\n      tls_config: {{ca_file: {}}}\n      \
             basic_auth: {{username: {USER}, password: \"{PASSWORD}\"}}\n      ",
            self.file("ca.pem")
        );
        replace(&config.join("prometheus.yml"), entry, &more);
    }

    /// The address with user and password.
    pub fn url(port: u16) -> String {
        format!("https://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{port}")
    }
}

/// Every output of a run, none of which may show the password in either spelling.
fn assert_discreet(finished: &Finished) {
    for all in [&finished.text, &finished.report.to_string()] {
        assert!(!all.contains(PASSWORD) && !all.contains(PASSWORD_IN_URL), "{all}");
    }
}

#[tokio::test]
async fn proves_alerts_behind_tls_and_passwords() {
    let mut foreign = Foreign::secured().await;
    let finished = foreign.drill(&[drill("redis-down")]).await;
    assert_proven(&finished, "seen", 1);
    assert_discreet(&finished);

    // Without an inbox as well.
    let inbox = foreign.inbox.take();
    let finished = foreign.drill(&[drill("redis-down")]).await;
    assert_proven(&finished, "counted", 1);
    assert_discreet(&finished);
    foreign.inbox = inbox;

    // A wrong password, and a certificate of an unknown authority.
    let right = std::mem::take(&mut foreign.alertmanager);
    foreign.alertmanager = right.replace(PASSWORD_IN_URL, "secret");
    let finished = foreign.drill(&[drill("redis-down")]).await;
    let (verdict, reason) = finished.verdict();
    assert_eq!((finished.code, verdict), (Some(5), "REFUSED"), "{}", finished.text);
    assert!(reason.starts_with("Alertmanager at https://127.0.0.1:"), "{reason}");
    assert!(reason.contains("responded 401 Unauthorized") && reason.contains("user or password"), "{reason}");
    assert!(!finished.text.contains("secret"), "{}", finished.text);
    foreign.alertmanager = right;

    let cacert = foreign.secured.take();
    let finished = foreign.drill(&[drill("redis-down")]).await;
    let (verdict, reason) = finished.verdict();
    assert_eq!((finished.code, verdict), (Some(5), "REFUSED"), "{}", finished.text);
    assert!(reason.starts_with("Prometheus at https://127.0.0.1:"), "{reason}");
    assert!(reason.contains("issuer is not trusted; use --cacert FILE.pem"), "{reason}");
    assert_discreet(&finished);

    // The reverse: a server without TLS.
    foreign.secured = cacert;
    foreign.prometheus = format!("https://127.0.0.1:{}", foreign.nginx);
    let finished = foreign.drill(&[drill("redis-down")]).await;
    assert!(finished.verdict().1.contains("not a TLS server; use an http:// address"), "{}", finished.text);
    foreign.stop().await;
}

#[tokio::test]
async fn a_command_gets_the_password_but_its_output_is_masked() {
    let foreign = Foreign::secured().await;
    let file = foreign.dir.path().join("talkative.yaml");
    let text = std::fs::read_to_string(drill("redis-down")).unwrap();
    let start = text.lines().find(|line| line.trim_start().starts_with("start:")).unwrap();
    let talkative = "    start: [sh, -ec, 'echo \"called by $PROMETHEUS_URL\" >&2; exit 1']";
    std::fs::write(&file, text.replace(start, talkative)).unwrap();
    let finished = foreign.drill(&[file]).await;
    let (verdict, reason) = finished.verdict();
    assert_eq!((finished.code, verdict), (Some(5), "INCONCLUSIVE"), "{}", finished.text);
    assert!(reason.contains("called by https://team:…@127.0.0.1:"), "{reason}");
    assert_discreet(&finished);
    foreign.stop().await;
}
