//! Settings of channels: from secret files, the environment or a `.env` file, in this order.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::channels::error::ChannelsError;

/// Settings of the channels; one that is `None` sends to the inbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `SLACK_WEBHOOK_URL`: URL of an incoming webhook.
    pub slack_url: Option<String>,
    /// `DISCORD_WEBHOOK_URL`, with `/slack` appended, where Discord accepts Slack's format.
    pub discord_url: Option<String>,
    /// `PAGERDUTY_ROUTING_KEY` of an Events API v2 integration.
    pub pagerduty_key: Option<String>,
    /// Mail settings: `SMTP_…`.
    pub mail: Option<Mail>,
}

/// A mail server, its login and the addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// `SMTP_SMARTHOST`: HOST:PORT. On port 465 TLS is implicit; on other ports STARTTLS is required.
    pub smarthost: String,
    /// `SMTP_USERNAME`; empty for no login.
    pub username: String,
    /// `SMTP_PASSWORD`.
    pub password: String,
    /// `SMTP_FROM`.
    pub from: String,
    /// `SMTP_TO`.
    pub to: String,
}

/// Sources of settings.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Directory with the files `slack_url`, `discord_url`, `pagerduty_routing_key` and `smtp_password`.
    pub secrets: Option<PathBuf>,
    /// Whether to read the environment of this process.
    pub environment: bool,
    /// A file with lines of NAME=value; it may be missing.
    pub env_file: Option<PathBuf>,
}

impl Settings {
    /// Reads and checks the settings.
    ///
    /// # Errors
    /// [`ChannelsError`] with the setting that is invalid or missing, or the file that cannot be read.
    pub fn read(sources: &Sources) -> Result<Self, ChannelsError> {
        let lines = sources.env_file.as_deref().map_or_else(|| Ok(BTreeMap::new()), env_file)?;
        let mut files = BTreeMap::new();
        if let Some(folder) = &sources.secrets {
            for (file, variable) in SECRETS {
                let path = folder.join(file);
                match std::fs::read_to_string(&path) {
                    Ok(text) => drop(files.insert(variable, (path.display().to_string(), text))),
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(unreadable(&path, &error)),
                }
            }
        }
        Self::from(|variable| {
            let file = files.get(variable).cloned();
            let named = |value: String| (variable.to_owned(), value);
            let environment = || sources.environment.then(|| std::env::var(variable).ok())?.map(named);
            let line = || lines.get(variable).cloned().map(named);
            // Empty values count as not set.
            let is_set = |given: &(String, String)| !given.1.trim().is_empty();
            file.filter(is_set).or_else(|| environment().filter(is_set)).or_else(|| line().filter(is_set))
        })
    }

    /// Checks the settings returned by `read`, which maps a variable to the name for error messages and the value.
    fn from(read: impl Fn(&str) -> Option<(String, String)>) -> Result<Self, ChannelsError> {
        let checked = |variable: &str, good: fn(&str) -> bool, expected: &str| {
            let Some((name, value)) = read(variable) else { return Ok(None) };
            let value = value.trim().to_owned();
            if good(&value) { Ok(Some(value)) } else { Err(wrong(&name, &format!("expected {expected}"))) }
        };
        let url = "a URL that starts with https:// or http://, without spaces";
        let discord = checked("DISCORD_WEBHOOK_URL", is_url, url)?.map(|url| {
            let url = url.trim_end_matches('/');
            if url.ends_with("/slack") { url.to_owned() } else { format!("{url}/slack") }
        });
        let word = |variable| checked(variable, is_word, "one word");
        let mail = |variable| checked(variable, |value| value.contains('@'), "an address with @ in it");
        let smarthost = checked("SMTP_SMARTHOST", is_host, "HOST:PORT, such as smtp.example.com:587")?;
        let line = |variable| checked(variable, |value| !value.contains('\n'), "one line");
        let (username, password) = (line("SMTP_USERNAME")?, line("SMTP_PASSWORD")?);
        let (from, to) = (mail("SMTP_FROM")?, mail("SMTP_TO")?);
        if username.is_some() != password.is_some() {
            let (there, missing) = if username.is_some() {
                ("SMTP_USERNAME", "SMTP_PASSWORD")
            } else {
                ("SMTP_PASSWORD", "SMTP_USERNAME")
            };
            return Err(beside(&read, there, missing));
        }
        let mail = match smarthost {
            None => {
                let alone = ["SMTP_PASSWORD", "SMTP_USERNAME", "SMTP_FROM", "SMTP_TO"];
                if let Some(there) = alone.into_iter().find(|variable| read(variable).is_some()) {
                    return Err(beside(&read, there, "SMTP_SMARTHOST"));
                }
                None
            }
            Some(smarthost) => Some(Mail {
                smarthost,
                username: username.unwrap_or_default(),
                password: password.unwrap_or_default(),
                from: from.ok_or_else(|| beside(&read, "SMTP_SMARTHOST", "SMTP_FROM"))?,
                to: to.ok_or_else(|| beside(&read, "SMTP_SMARTHOST", "SMTP_TO"))?,
            }),
        };
        Ok(Self {
            slack_url: checked("SLACK_WEBHOOK_URL", is_url, url)?,
            discord_url: discord,
            pagerduty_key: word("PAGERDUTY_ROUTING_KEY")?,
            mail,
        })
    }
}

/// Names of secret files and the variables that they replace.
const SECRETS: [(&str, &str); 4] = [
    ("slack_url", "SLACK_WEBHOOK_URL"),
    ("discord_url", "DISCORD_WEBHOOK_URL"),
    ("pagerduty_routing_key", "PAGERDUTY_ROUTING_KEY"),
    ("smtp_password", "SMTP_PASSWORD"),
];

fn is_url(value: &str) -> bool {
    let parsed = url::Url::parse(value).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    parsed && is_word(value)
}

fn is_word(value: &str) -> bool {
    !value.contains(char::is_whitespace)
}

fn is_host(value: &str) -> bool {
    let parts = value.rsplit_once(':');
    parts.is_some_and(|(host, port)| !host.is_empty() && is_word(host) && port.parse::<u16>().is_ok())
}

fn wrong(name: &str, reason: &str) -> ChannelsError {
    ChannelsError::Setting { name: name.to_owned(), reason: reason.to_owned() }
}

fn beside(read: &impl Fn(&str) -> Option<(String, String)>, there: &str, missing: &str) -> ChannelsError {
    let name = read(there).map_or_else(|| there.to_owned(), |(name, _)| name);
    wrong(&name, &format!("is set and {missing} is not: set both or neither"))
}

fn unreadable(path: &Path, error: &std::io::Error) -> ChannelsError {
    wrong(
        &path.display().to_string(),
        &format!("cannot read the file ({error}): make it readable or remove it"),
    )
}

fn env_file(path: &Path) -> Result<BTreeMap<String, String>, ChannelsError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(unreadable(path, &error)),
    };
    let lines: Result<_, dotenvy::Error> = dotenvy::Iter::new(text.as_bytes()).collect();
    lines.map_err(|error| {
        // Values may span lines, so the line number cannot be derived from the number of valid entries.
        let first = match &error {
            dotenvy::Error::LineParse(content, _) => content.lines().next().unwrap_or_default(),
            _ => "",
        };
        let place = text.lines().position(|line| !first.is_empty() && line.starts_with(first));
        ChannelsError::Line { file: path.display().to_string(), line: place.map_or(1, |at| at + 1) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(given: &[(&str, &str)]) -> Result<Settings, String> {
        let given: BTreeMap<&str, &str> = given.iter().copied().collect();
        Settings::from(|name| given.get(name).map(|value| (name.to_owned(), (*value).to_owned())))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn checks_each_setting_without_showing_its_value() {
        let mail = [("SMTP_SMARTHOST", "h:25"), ("SMTP_FROM", "a@b"), ("SMTP_TO", "c@d")];
        assert!(from(&mail).unwrap().mail.is_some_and(|mail| mail.username.is_empty()));
        assert_eq!(from(&[]).unwrap(), Settings::default());
        let discord = |url| from(&[("DISCORD_WEBHOOK_URL", url)]).unwrap().discord_url.unwrap();
        assert_eq!(discord("https://d/1/hush"), "https://d/1/hush/slack");
        assert_eq!(discord("https://d/1/hush/slack/ "), "https://d/1/hush/slack");
        for (given, expected) in [
            (
                &[("SLACK_WEBHOOK_URL", "hush")][..],
                "SLACK_WEBHOOK_URL: expected a URL that starts with https://",
            ),
            (&[("DISCORD_WEBHOOK_URL", "ftp://hush")], "DISCORD_WEBHOOK_URL: expected a URL"),
            (&[("PAGERDUTY_ROUTING_KEY", "hush hush")], "PAGERDUTY_ROUTING_KEY: expected one word"),
            (&[("SMTP_SMARTHOST", "hush")], "SMTP_SMARTHOST: expected HOST:PORT"),
            (&[("SMTP_TO", "hush")], "SMTP_TO: expected an address with @"),
            (&mail[..2], "SMTP_SMARTHOST: is set and SMTP_TO is not"),
            (&mail[1..], "SMTP_FROM: is set and SMTP_SMARTHOST is not"),
            (
                &[mail[0], mail[1], mail[2], ("SMTP_PASSWORD", "hush")],
                "SMTP_PASSWORD: is set and SMTP_USERNAME is not",
            ),
        ] {
            let message = from(given).unwrap_err();
            assert!(message.starts_with(expected) && !message.contains("hush"), "{message}");
        }
    }

    #[test]
    fn files_take_precedence_and_empty_values_are_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let env = dir.path().join(".env");
        let sources =
            Sources { secrets: Some(dir.path().to_owned()), environment: false, env_file: Some(env.clone()) };
        assert_eq!(Settings::read(&sources).unwrap(), Settings::default());
        std::fs::write(&env, "# c\nSLACK_WEBHOOK_URL='http://line/1'\nPAGERDUTY_ROUTING_KEY=\n").unwrap();
        let slack = || Settings::read(&sources).unwrap().slack_url;
        assert_eq!(slack().as_deref(), Some("http://line/1"));
        std::fs::write(dir.path().join("slack_url"), "http://file/1\n").unwrap();
        assert_eq!(slack().as_deref(), Some("http://file/1"));
        std::fs::write(dir.path().join("slack_url"), "\n").unwrap();
        assert_eq!(slack().as_deref(), Some("http://line/1"));

        std::fs::write(dir.path().join("smtp_password"), "hush").unwrap();
        let message = Settings::read(&sources).unwrap_err().to_string();
        assert!(message.contains("smtp_password: is set and SMTP_USERNAME is not"), "{message}");
        std::fs::write(&env, "A='two\nlines'\nSMTP_PASSWORD hush\n").unwrap();
        let message = Settings::read(&sources).unwrap_err().to_string();
        assert!(message.contains(".env:3: expected NAME=value") && !message.contains("hush"), "{message}");
    }
}
