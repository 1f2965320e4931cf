//! Where notifications go: the inbox, but for the channels that a person has set up in the environment or in `.env`.
//!
//! The configuration names secrets as files in /run/secrets, where containers have them; here they are files in the
//! folder of the rendered configuration, and the paths are rewritten to it.

use std::path::Path;

use crate::Error;

/// The channels that lead outside; an empty one leads to the inbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channels {
    /// `SLACK_WEBHOOK_URL`.
    pub slack_url: String,
    /// `DISCORD_WEBHOOK_URL`, with or without `/slack` at its end.
    pub discord_url: String,
    /// `PAGERDUTY_ROUTING_KEY`, of an Events API v2 integration.
    pub pagerduty_key: String,
    /// `SMTP_SMARTHOST`, such as `smtp.example.com:587`.
    pub smarthost: String,
    /// `SMTP_USERNAME`.
    pub smtp_username: String,
    /// `SMTP_PASSWORD`.
    pub smtp_password: String,
    /// `SMTP_FROM`.
    pub smtp_from: String,
    /// `SMTP_TO`.
    pub smtp_to: String,
}

impl Channels {
    /// As the environment and then `.env` in the repository have them.
    #[must_use]
    pub fn from_env(repository: &Path) -> Self {
        let file: Vec<(String, String)> =
            dotenvy::from_path_iter(repository.join(".env")).into_iter().flatten().flatten().collect();
        Self::from(|name| {
            let given = std::env::var(name).ok().filter(|value| !value.is_empty());
            given.or_else(|| file.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()))
        })
    }

    fn from(read: impl Fn(&str) -> Option<String>) -> Self {
        let read = |name| read(name).unwrap_or_default().trim().to_owned();
        Self {
            slack_url: read("SLACK_WEBHOOK_URL"),
            discord_url: read("DISCORD_WEBHOOK_URL"),
            pagerduty_key: read("PAGERDUTY_ROUTING_KEY"),
            smarthost: read("SMTP_SMARTHOST"),
            smtp_username: read("SMTP_USERNAME"),
            smtp_password: read("SMTP_PASSWORD"),
            smtp_from: read("SMTP_FROM"),
            smtp_to: read("SMTP_TO"),
        }
    }

    /// The secret files: name and content.
    fn secrets(&self, inbox: u16) -> [(&'static str, String); 4] {
        let or = |value: &str, inbox: String| if value.is_empty() { inbox } else { value.to_owned() };
        let discord = match self.discord_url.trim_end_matches('/') {
            url if url.is_empty() || url.ends_with("/slack") => url.to_owned(),
            url => format!("{url}/slack"),
        };
        [
            ("slack_url", or(&self.slack_url, format!("http://127.0.0.1:{inbox}/slack"))),
            ("discord_url", or(&discord, format!("http://127.0.0.1:{inbox}/discord/slack"))),
            // As long as a real one, which is checked.
            ("pagerduty_routing_key", or(&self.pagerduty_key, "0".repeat(32))),
            ("smtp_password", or(&self.smtp_password, "inbox".to_owned())),
        ]
    }

    /// The configuration with what is not secret put in its place.
    fn configure(&self, text: &str, secrets: &Path, inbox: u16) -> String {
        let mut text = text.replace("/run/secrets", &secrets.display().to_string());
        if !self.pagerduty_key.is_empty() {
            text = text.replace(
                &format!("http://127.0.0.1:{inbox}/pagerduty"),
                "https://events.pagerduty.com/v2/enqueue",
            );
        }
        if !self.smarthost.is_empty() {
            let mut lines: Vec<String> = Vec::new();
            for line in text.lines() {
                let value = |key: &str, value: &str| {
                    let at = line.find(key).filter(|_| !value.is_empty())?;
                    Some(format!("{}{key} {value:?}", &line[..at]))
                };
                let changed = value("smarthost:", &self.smarthost)
                    .or_else(|| value("auth_username:", &self.smtp_username))
                    .or_else(|| value("from:", &self.smtp_from))
                    .or_else(|| value("- to:", &self.smtp_to))
                    .or_else(|| line.contains("require_tls:").then(|| line.replace("false", "true")));
                lines.push(changed.unwrap_or_else(|| line.to_owned()));
            }
            text = lines.join("\n") + "\n";
        }
        text
    }
}

/// Writes the secrets beside the rendered configuration and completes that.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write(config: &Path, inbox: u16, channels: &Channels) -> Result<(), Error> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    let what = |path: &Path| Error::io(format!("writing {}", path.display()));
    let folder = config.join("secrets");
    std::fs::DirBuilder::new().mode(0o700).create(&folder).map_err(what(&folder))?;
    for (name, content) in channels.secrets(inbox) {
        let path = folder.join(name);
        let file =
            std::fs::OpenOptions::new().mode(0o600).create(true).write(true).truncate(true).open(&path);
        let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, content.as_bytes()));
        written.map_err(what(&path))?;
    }
    let path = config.join("alertmanager.yml");
    let text = std::fs::read_to_string(&path).map_err(Error::io(format!("reading {}", path.display())))?;
    std::fs::write(&path, channels.configure(&text, &folder, inbox)).map_err(what(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "- api_url_file: /run/secrets/slack_url\n- url: http://127.0.0.1:8025/pagerduty\n- to: a@b\n  \
                          from: c@d\n  smarthost: 127.0.0.1:1025\n  auth_username: u\n  require_tls: false\n";

    #[test]
    fn unset_channels_lead_to_the_inbox_and_set_ones_outside() {
        let none = Channels::default();
        assert_eq!(none.secrets(9)[0].1, "http://127.0.0.1:9/slack");
        assert_eq!(none.secrets(9)[1].1, "http://127.0.0.1:9/discord/slack");
        let same = none.configure(CONFIG, Path::new("/x"), 8025);
        assert_eq!(same, CONFIG.replace("/run/secrets", "/x"));

        let set = Channels::from(|name| Some(format!("{}.example", name.to_lowercase())));
        assert_eq!(set.secrets(9)[0].1, "slack_webhook_url.example");
        assert_eq!(set.secrets(9)[1].1, "discord_webhook_url.example/slack");
        let text = set.configure(CONFIG, Path::new("/x"), 8025);
        for part in [
            "- api_url_file: /x/slack_url\n",
            "- url: https://events.pagerduty.com/v2/enqueue\n",
            "- to: \"smtp_to.example\"\n",
            "  from: \"smtp_from.example\"\n",
            "  smarthost: \"smtp_smarthost.example\"\n",
            "  auth_username: \"smtp_username.example\"\n",
            "  require_tls: true\n",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
