//! TLS to PostgreSQL by `sslmode` in `DATABASE_URL`.

use crate::{
    backend::Database,
    connections::tls::certify_for,
    helpers::{binary, roomy, spawn_at},
};
use testkit::{Durability, Postgres};

/// Whether the gateway has connections to this database with TLS, and without.
async fn connections(database: &Database) -> (bool, bool) {
    let with = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                WHERE application_name = 'firedrill' AND datname = current_database() AND ssl";
    let without = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                   WHERE application_name = 'firedrill' AND datname = current_database() AND NOT ssl";
    (database.number(with).await > 0, database.number(without).await > 0)
}

/// The error message of the binary for an unusable database.
async fn refusal(url: String) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut command = binary(dir.path());
    command.args(["--listen", "127.0.0.1:0"]).env("DATABASE_URL", url);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(!text.contains("letmein"), "{text}");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_encrypted_and_verified_as_configured() {
    let dir = tempfile::tempdir().unwrap();
    let made = |name: &str, host: &str| {
        let folder = dir.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        certify_for(&folder, host);
        folder
    };
    let (ours, elsewhere) = (made("ours", "127.0.0.1"), made("elsewhere", "db.example.com"));
    let start = |folder: &std::path::Path| {
        Postgres::start_with_tls(Durability::None, &folder.join("cert.pem"), &folder.join("key.pem")).unwrap()
    };
    let root = |folder: &std::path::Path| format!("sslrootcert={}", folder.join("cert.pem").display());

    let server = start(&ours);
    for (mode, encrypted) in [
        ("sslmode=disable".to_owned(), false),
        ("sslmode=prefer".to_owned(), true),
        ("sslmode=require".to_owned(), true),
        (format!("sslmode=verify-ca&{}", root(&ours)), true),
        (format!("sslmode=verify-full&{}", root(&ours)), true),
    ] {
        let database = Database::on(&server).await;
        let app = spawn_at(Some(&format!("{}?{mode}", database.url)), &roomy(), &[]).await;
        let created = app.send("POST", "/api/users?name=Ada&email=ada@example.com").await;
        assert_eq!(created.status(), 201, "{mode}");
        assert_eq!(app.get("/api/users/1").await.status(), 200, "{mode}");
        assert_eq!(connections(&database).await, (encrypted, !encrypted), "{mode}");
        app.shut_down().await;
    }

    let url = server.url("postgres");
    for (mode, needle) in [
        ("sslmode=verify-full".to_owned(), "certificate"),
        (format!("sslmode=verify-ca&{}", root(&elsewhere)), "certificate"),
        ("sslmode=verify-full&sslrootcert=/nowhere.pem".to_owned(), "No such file"),
        ("sslmode=always".to_owned(), "always"),
    ] {
        let text = refusal(format!("{url}?{mode}")).await;
        assert!(
            text.contains("DATABASE_URL=postgres://firedrill:***@") && text.contains(needle),
            "{mode}: {text}"
        );
        assert!(text.contains("sslmode"), "names the fix: {text}");
    }
    drop(server);

    // The certificate is trusted, but names another host.
    let server = start(&elsewhere);
    let url = server.url("postgres");
    let text = refusal(format!("{url}?sslmode=verify-full&{}", root(&elsewhere))).await;
    assert!(text.contains("certificate") && text.contains("127.0.0.1"), "{text}");
    drop(server);

    let plain = Postgres::start(Durability::None).unwrap();
    let text = refusal(format!("{}?sslmode=require", plain.url("postgres"))).await;
    assert!(text.contains("does not support TLS"), "{text}");
}
