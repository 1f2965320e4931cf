//! `alertmanager.yml` with the channels that are set up leading outside.

use std::path::Path;

use crate::channels::settings::{Mail, Settings};
use crate::document::editor::Editor;
use crate::document::finish::Finished;
use crate::document::report::ScaleError;
use crate::document::tree::Node;
use crate::scale::render::ALERTMANAGER_FILE;

/// Where the shipped configuration has its secrets.
const SECRETS: &str = "/run/secrets";
/// Alertmanager's own default, where PagerDuty takes events of API version 2.
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";
/// The port on which a mail server begins with TLS: Alertmanager does so itself there, and fails when STARTTLS is
/// demanded besides (its issue 980).
const IMPLICIT_TLS: &str = ":465";

/// HOST:PORT of the inbox as the configuration has it.
#[derive(Debug, Clone)]
pub struct Inbox {
    /// For what goes by HTTP.
    pub http: String,
    /// For mail.
    pub smtp: String,
}

/// Edits a configuration whose secrets will be files in `secrets`. What leads elsewhere than to the inbox is left alone.
///
/// # Errors
/// When the text is not understood, naming the line.
pub fn edit(text: &str, settings: &Settings, inbox: &Inbox, secrets: &Path) -> Result<Finished, ScaleError> {
    let mut editor = Editor::new(ALERTMANAGER_FILE, text)?;
    let root = editor.tree();
    for template in editor.list(&root, "templates", "")? {
        editor.companions.extend(template.scalar().map(str::to_owned));
    }
    move_secrets(&mut editor, &root, &secrets.display().to_string())?;
    for receiver in editor.list(&root, "receivers", "")? {
        if settings.pagerduty_key.is_some() {
            for channel in editor.list(receiver, "pagerduty_configs", "")? {
                let url = channel.get("url").filter(|url| leads_to(url, &inbox.http));
                if let Some(url) = url {
                    editor.put(url, "url", PAGERDUTY)?;
                }
            }
        }
        let Some(mail) = &settings.mail else { continue };
        for channel in editor.list(receiver, "email_configs", "")? {
            if channel.get("smarthost").and_then(Node::scalar) == Some(&inbox.smtp) {
                send_mail(&mut editor, channel, mail)?;
            }
        }
    }
    editor.finish()
}

fn send_mail(editor: &mut Editor, channel: &Node, mail: &Mail) -> Result<(), ScaleError> {
    let tls = if mail.smarthost.ends_with(IMPLICIT_TLS) { "false" } else { "true" };
    for (key, value) in [
        ("smarthost", &mail.smarthost),
        ("from", &mail.from),
        ("to", &mail.to),
        ("auth_username", &mail.username),
    ] {
        match channel.get(key) {
            Some(node) => editor.put(node, key, value)?,
            None => editor.insert(channel, key, "email_configs", &quoted(value))?,
        }
    }
    match channel.get("require_tls") {
        Some(node) => editor.put_plain(node, "require_tls", tls),
        None => editor.insert(channel, "require_tls", "email_configs", tls),
    }
}

/// A string as YAML takes it whatever it holds: JSON's form.
fn quoted(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

fn leads_to(url: &Node, address: &str) -> bool {
    let rest =
        url.scalar().and_then(|url| url.strip_prefix("http://")).and_then(|it| it.strip_prefix(address));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Every `…_file:` in [`SECRETS`] becomes one in `secrets`.
fn move_secrets(editor: &mut Editor, node: &Node, secrets: &str) -> Result<(), ScaleError> {
    node.scalars("", "", &mut |key, _, value| {
        let path = value.scalar().filter(|_| key.ends_with("_file"));
        match path.and_then(|path| path.strip_prefix(SECRETS)).filter(|rest| rest.starts_with('/')) {
            Some(rest) => editor.put(value, key, &format!("{secrets}{rest}")),
            None => Ok(()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "# to: be left alone, from: too\nreceivers:\n  - name: a\n    slack_configs:\n      - &s\n        api_url_file: \
                          /run/secrets/slack_url\n    pagerduty_configs:\n      - url: http://inbox:8025/pagerduty\n      - url: \
                          https://events.eu.pagerduty.com/v2/enqueue\n    email_configs:\n      - to: a@b\n        from: c@d\n        \
                          smarthost: inbox:1025\n        auth_username: u\n        require_tls: false\n      - {to: e@f, smarthost: \
                          'own:25'}\n  - name: b\n    slack_configs:\n      - *s\n";

    fn rendered(settings: &Settings) -> String {
        let inbox = Inbox { http: "inbox:8025".into(), smtp: "inbox:1025".into() };
        edit(CONFIG, settings, &inbox, Path::new("/x")).unwrap().text
    }

    #[test]
    fn unset_channels_lead_to_the_inbox() {
        let expected = CONFIG.replace("/run/secrets/slack_url", "\"/x/slack_url\"");
        assert_eq!(rendered(&Settings::default()), expected);
    }

    #[test]
    fn set_ones_lead_outside_and_nothing_else_changes() {
        let mut mail = Mail {
            smarthost: "smtp.example:587".into(),
            username: "who \"is\": #this".into(),
            password: "hush".into(),
            from: "f@g".into(),
            to: "On call <h@i>".into(),
        };
        let all = |mail: &Mail| Settings {
            pagerduty_key: Some("k".into()),
            mail: Some(mail.clone()),
            ..Settings::default()
        };
        let expected = CONFIG
            .replace("/run/secrets/slack_url", "\"/x/slack_url\"")
            .replace("http://inbox:8025/pagerduty", "\"https://events.pagerduty.com/v2/enqueue\"")
            .replace("to: a@b", "to: \"On call <h@i>\"")
            .replace("from: c@d", "from: \"f@g\"")
            .replace("smarthost: inbox:1025", "smarthost: \"smtp.example:587\"")
            .replace("auth_username: u", "auth_username: \"who \\\"is\\\": #this\"")
            .replace("require_tls: false", "require_tls: true");
        assert_eq!(rendered(&all(&mail)), expected);
        // There TLS comes first, and whoever gave no name does not log in.
        mail.smarthost = "smtp.example:465".into();
        mail.username = String::new();
        let text = rendered(&all(&mail));
        assert!(text.contains("require_tls: false") && text.contains("auth_username: \"\""), "{text}");
    }
}
