//! Prometheus and Alertmanager behind a gateway that demands a client certificate and a tenant.

use process::port;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use stack::ready::Probe;

use crate::bed::{Bed, ROUTE, assert_verdict, http};

const RULES: &str = "groups: [{name: g, interval: 1s, rules: [{alert: Guarded, expr: v > 0}]}]";

/// Writes `ca.pem`, and `server` and `client` as `.pem` and `.key`.
fn certificates(bed: &Bed) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    bed.write("ca.pem", &authority.pem());
    for (name, usage) in
        [("server", ExtendedKeyUsagePurpose::ServerAuth), ("client", ExtendedKeyUsagePurpose::ClientAuth)]
    {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        // With the name of the authority, it would look as if it had signed itself.
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![usage];
        bed.write(&format!("{name}.pem"), &params.signed_by(&key, &authority).unwrap().pem());
        bed.write(&format!("{name}.key"), &key.serialize_pem());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_behind_a_gateway_is_proven_with_certificate_and_tenant() {
    let mut bed = Bed::start(&[("v", 0.0)], 1, ROUTE).await;
    let (prometheus, gateway, plain) = (port::free().unwrap(), port::free().unwrap(), port::free().unwrap());
    let rules = bed.write("rules.yml", RULES);
    let target = bed.alertmanagers[0].trim_start_matches("http://").to_owned();
    let config = format!(
        "{}rule_files: ['{rules}']\nalerting: {{alertmanagers: [{{static_configs: [{{targets: ['{target}']}}]}}]}}\n",
        bed.scrape()
    );
    let config = bed.write("prometheus.yml", &config);
    let args = vec![
        format!("--config.file={config}"),
        format!("--storage.tsdb.path={}", bed.path("prometheus")),
        format!("--web.listen-address=127.0.0.1:{prometheus}"),
        "--rules.alert.resend-delay=3s".to_owned(),
    ];
    bed.run("prometheus", "prometheus", args, &Probe::PrometheusTargets(http(prometheus))).await;
    certificates(&bed);
    let conf = format!(
        "daemon off; pid nginx.pid; events {{}}\nhttp {{\n  access_log off; client_body_temp_path body; proxy_temp_path proxy;\n  \
         fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n  \
         server {{ listen 127.0.0.1:{plain}; return 200; }}\n  server {{\n    listen 127.0.0.1:{gateway} ssl;\n    \
         ssl_certificate server.pem; ssl_certificate_key server.key;\n    ssl_client_certificate ca.pem; ssl_verify_client on;\n    \
         if ($http_x_scope_orgid != team) {{ return 403; }}\n    location /prom/ {{ proxy_pass {}/; }}\n    \
         location /am/ {{ proxy_pass {}/; }}\n  }}\n}}\n",
        http(prometheus),
        bed.alertmanagers[0]
    );
    bed.write("nginx.conf", &conf);
    let here = bed.dir.path().display().to_string();
    let args = ["-p", &here, "-c", "nginx.conf", "-e", "nginx.log"].map(str::to_owned).to_vec();
    bed.run("nginx", "nginx", args, &Probe::Http(http(plain))).await;
    bed.alertmanagers = vec![format!("https://127.0.0.1:{gateway}/am")];
    let headers = bed.write("headers", "X-Scope-OrgID: team\n");

    let url = format!("https://127.0.0.1:{gateway}/prom/");
    let (ca, cert, key) = (bed.path("ca.pem"), bed.path("client.pem"), bed.path("client.key"));
    let trusted = ["--prometheus", &url, "--cacert", &ca];
    let identified = ["--cert", &cert, "--key", &key];
    let drill = [bed.drill("Guarded", "v=1", "v=0")];
    let finished =
        bed.drills(&drill, &[&trusted[..], &identified, &["--header-file", &headers]].concat()).await;
    assert_verdict(&finished, 1, "PROVEN", "every phase was within its bound");
    for (args, says) in [
        ([&trusted[..], &identified, &["--header", "X-Scope-OrgID: other"]].concat(), "responded 403"),
        ([&trusted[..], &["--header-file", &headers]].concat(), "SSL certificate"),
        ([&trusted[..], &["--cert", &cert, "--key", &ca]].concat(), "--key "),
    ] {
        assert_verdict_or_usage(&bed.drills(&drill, &args).await, says);
    }
    bed.stop().await;
}

/// Refused by the server, or a file that cannot be used.
fn assert_verdict_or_usage(finished: &crate::support::Finished, says: &str) {
    let refused = finished.verdict().0 == "REFUSED" || finished.code == Some(2);
    assert!(refused && finished.text.contains(says), "{says}: {}", finished.text);
}
