//! Writes the configuration and its secrets as files.

use std::fs;
use std::path::Path;

use crate::channels::error::ChannelsError;
use crate::channels::render::{self, Inbox};
use crate::channels::settings::Settings;
use crate::scale::files::{self, FilesError};
use crate::scale::render::ALERTMANAGER_FILE;

/// Names and contents of the secret files. Channels that are not set up get the inbox's values.
fn secrets(settings: &Settings, inbox: &Inbox) -> [(&'static str, String); 4] {
    let or = |value: &Option<String>, path| {
        value.clone().unwrap_or_else(|| format!("http://{}/{path}", inbox.http))
    };
    [
        ("slack_url", or(&settings.slack_url, "slack")),
        ("discord_url", or(&settings.discord_url, "discord/slack")),
        // Alertmanager checks that the key is as long as a real one.
        ("pagerduty_routing_key", settings.pagerduty_key.clone().unwrap_or_else(|| "0".repeat(32))),
        (
            "smtp_password",
            settings.mail.as_ref().map_or_else(|| "inbox".into(), |mail| mail.password.clone()),
        ),
    ]
}

/// Writes `alertmanager.yml` of `from` with its templates into `out`, which may be `from`, and the secrets into
/// `out/secrets`. `at` is the path of `out` as Alertmanager sees it. Secrets are readable by this user only or, with
/// `readable`, by all.
///
/// # Errors
/// A file cannot be read or written, or is invalid.
pub fn write(
    from: &Path,
    out: &Path,
    at: &Path,
    settings: &Settings,
    inbox: &Inbox,
    readable: bool,
) -> Result<(), ChannelsError> {
    let source = from.join(ALERTMANAGER_FILE);
    let text = fs::read_to_string(&source).map_err(files::io(&source))?;
    let finished = render::edit(&text, settings, inbox, &at.join("secrets"))?;
    fs::create_dir_all(out).map_err(files::io(out))?;
    if fs::canonicalize(from).ok() != fs::canonicalize(out).ok() {
        files::mirror(&finished.companions, from, out)?;
    }
    let folder = out.join("secrets");
    fs::create_dir_all(&folder).map_err(files::io(&folder))?;
    mode(&folder, if readable { 0o755 } else { 0o700 })?;
    for (name, content) in secrets(settings, inbox) {
        let path = folder.join(name);
        files::replace(&path, |path| files::private(path, &content))?;
        mode(&path, if readable { 0o444 } else { 0o600 })?;
    }
    let path = out.join(ALERTMANAGER_FILE);
    files::replace(&path, |path| fs::write(path, &finished.text))?;
    Ok(())
}

fn mode(path: &Path, mode: u32) -> Result<(), FilesError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(files::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn writes_secrets_and_templates() {
        let dir = tempfile::tempdir().unwrap();
        let (from, out) = (dir.path().join("from"), dir.path().join("out"));
        fs::create_dir_all(from.join("templates")).unwrap();
        fs::create_dir_all(out.join("templates")).unwrap();
        fs::write(from.join("templates/a.tmpl"), "new").unwrap();
        fs::write(out.join("templates/gone.tmpl"), "old").unwrap();
        fs::write(from.join(ALERTMANAGER_FILE), "templates: [templates/*.tmpl]\nreceivers: []\n").unwrap();
        let inbox = Inbox { http: "inbox:1".into(), smtp: "inbox:2".into() };
        let slack_url = Some("http://hush".to_owned());
        let settings = Settings { slack_url, ..Settings::default() };
        let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
        let of = |name: &str| fs::metadata(out.join(name)).unwrap().permissions().mode() & 0o777;
        // Twice, because read-only files must be replaced.
        for readable in [true, true, false] {
            write(&from, &out, Path::new("/at"), &settings, &inbox, readable).unwrap();
            assert_eq!(
                (read("secrets/slack_url"), read("templates/a.tmpl")),
                ("http://hush".into(), "new".into())
            );
            assert_eq!(read("secrets/discord_url"), "http://inbox:1/discord/slack");
            assert_eq!(of("secrets/slack_url"), if readable { 0o444 } else { 0o600 });
            assert_eq!(of("secrets"), if readable { 0o755 } else { 0o700 });
        }
        assert!(
            !out.join("templates/gone.tmpl").exists(),
            "a template removed at the source would still be loaded"
        );
    }
}
