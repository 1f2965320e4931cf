//! Discord's webhooks: <https://docs.discord.com/developers/resources/webhook#execute-webhook>. Below `/slack` they take
//! Slack's bodies, which is how an Alertmanager reaches them whose own Discord receiver has its address in the open.

use serde_json::Value;
use url::Url;

use crate::receivers::message::{Message, Refusal};
use crate::receivers::{heading, slack};

/// Most characters of a message's `content`.
const CONTENT: usize = 2_000;
/// Most embeds of a message.
const EMBEDS: usize = 10;
/// Most characters of an embed's parts, and of all embeds of a message together:
/// <https://docs.discord.com/developers/resources/message#embed-object-embed-limits>.
const TITLE: usize = 256;
const DESCRIPTION: usize = 4_096;
const ALTOGETHER: usize = 6_000;
/// Most characters of a link.
const LINK: usize = 2_048;

/// A message of Discord's own.
///
/// # Errors
/// What Discord would answer, as JSON.
pub fn read(bytes: &[u8]) -> Result<Message, Refusal> {
    let color = |color: &Value| color.as_u64().is_some_and(|it| it <= 0xff_ffff);
    let names = ["content", "embeds", "title", "description", "url"];
    let body = checked(bytes, names, color, "a number up to 16777215")?;
    let embeds = embeds(&body, "embeds")?;
    let titles = embeds.iter().flat_map(|embed| [embed.get("title"), embed.get("description")]);
    let content = text(&body, "content")?;
    let texts: Vec<&str> = [content].into_iter().chain(titles.flatten().filter_map(Value::as_str)).collect();
    if texts.iter().all(|text| text.trim().is_empty()) {
        return Err(bad(50006, "Cannot send an empty message"));
    }
    let (status, alerts) = heading::told_by(texts.iter().copied());
    Ok(Message { status, alerts, body })
}

/// A body of Slack's, posted below `/slack`: its attachments become embeds, whose limits hold. A colour is one in
/// hexadecimal digits, not one of Slack's words.
///
/// # Errors
/// What Discord would answer.
pub fn read_slack(bytes: &[u8]) -> Result<Message, Refusal> {
    let color = |color: &Value| color.as_str().is_some_and(is_hex);
    checked(bytes, ["text", "attachments", "title", "text", "title_link"], color, "#RRGGBB or #RGB")?;
    slack::read(bytes)
}

/// Reads a body whose content and embeds have these names, and holds it against the limits.
fn checked(
    bytes: &[u8],
    [content, list, title, description, link]: [&str; 5],
    is_color: impl Fn(&Value) -> bool,
    expected: &str,
) -> Result<Value, Refusal> {
    let body: Value =
        serde_json::from_slice(bytes).map_err(|_| bad(50109, "The request body contains invalid JSON."))?;
    if !body.is_object() {
        return Err(bad(50035, "Invalid Form Body"));
    }
    length(&body, "", content, CONTENT)?;
    let mut altogether = 0;
    for embed in embeds(&body, list)? {
        if !embed.get("color").is_none_or(|color| color.is_null() || is_color(color)) {
            return Err(form(&format!("{list}: color: expected {expected}")));
        }
        altogether += length(embed, "embeds: ", title, TITLE)?;
        altogether += length(embed, "embeds: ", description, DESCRIPTION)?;
        let link = text(embed, link)?;
        if !link.is_empty() && (link.chars().count() > LINK || Url::parse(link).is_err()) {
            return Err(form("embeds: Not a well formed URL."));
        }
    }
    match altogether > ALTOGETHER {
        true => Err(form(&format!("embeds: Embed size exceeds maximum size of {ALTOGETHER}"))),
        false => Ok(body),
    }
}

fn bad(code: u32, message: &str) -> Refusal {
    Refusal(format!("{{\"message\": {message:?}, \"code\": {code}}}"))
}

fn form(reason: &str) -> Refusal {
    bad(50035, &format!("Invalid Form Body: {reason}"))
}

fn embeds<'a>(body: &'a Value, key: &str) -> Result<&'a [Value], Refusal> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(embeds)) if embeds.len() <= EMBEDS && embeds.iter().all(Value::is_object) => {
            Ok(embeds)
        }
        Some(_) => Err(form(&format!("{key}: expected at most {EMBEDS} objects"))),
    }
}

/// How many characters a text has, if it has no more than it may.
fn length(value: &Value, place: &str, key: &str, limit: usize) -> Result<usize, Refusal> {
    let count = text(value, key)?.chars().count();
    match count > limit {
        true => Err(form(&format!("{place}{key}: Must be {limit} or fewer in length."))),
        false => Ok(count),
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, Refusal> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(form(&format!("{key}: Could not interpret as string."))),
    }
}

/// `#RGB` or `#RRGGBB`.
fn is_hex(color: &str) -> bool {
    let digits = color.strip_prefix('#').unwrap_or_default();
    matches!(digits.len(), 3 | 6) && digits.chars().all(|digit| digit.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_headings_of_content_and_embeds() {
        for body in [
            json!({"content": "[FIRING:1] APIDown (critical)"}),
            json!({"embeds": [{"title": "[FIRING:1] APIDown (critical)", "description": "gone", "color": 1}]}),
        ] {
            let message = read(body.to_string().as_bytes()).unwrap();
            assert_eq!((message.status, message.alerts[0].alert.as_str()), ("firing", "APIDown"), "{body}");
        }
    }

    #[test]
    fn refuses_what_discord_refuses() {
        let title = |length: usize| json!({"title": "x".repeat(length), "description": "x".repeat(4_096)});
        assert!(read(json!({"embeds": [title(256)]}).to_string().as_bytes()).is_ok());
        for (body, code) in [
            ("{".to_owned(), "50109"),
            (json!([]).to_string(), "50035"),
            (json!({"content": ""}).to_string(), "50006"),
            (json!({"content": 5}).to_string(), "50035"),
            (json!({"content": "x".repeat(2_001)}).to_string(), "50035"),
            (json!({"embeds": vec![json!({"title": "x"}); 11]}).to_string(), "50035"),
            (json!({"embeds": [title(257)]}).to_string(), "50035"),
            (json!({"embeds": [{"description": "x".repeat(4_097)}]}).to_string(), "50035"),
            (json!({"embeds": [title(1), title(1)]}).to_string(), "6000"),
            (json!({"embeds": [{"title": "x", "color": "red"}]}).to_string(), "color"),
            (json!({"embeds": [{"title": "x", "url": "nowhere"}]}).to_string(), "URL"),
        ] {
            assert!(read(body.as_bytes()).unwrap_err().0.contains(code), "{body}");
        }
    }

    #[test]
    fn a_body_of_slacks_has_discords_limits() {
        let attachment = |key: &str, value: &str| {
            let mut attachment = json!({"title": "[FIRING:1] APIDown", "text": "gone", "color": "#d72b3f"});
            attachment[key] = json!(value);
            json!({"attachments": [attachment]}).to_string()
        };
        for (key, value, fits) in [
            ("color", "#abc", true),
            ("color", "danger", false),
            ("title", &*"x".repeat(256), true),
            ("title", &*"x".repeat(257), false),
            ("text", &*"x".repeat(4_096), true),
            ("text", &*"x".repeat(4_097), false),
            ("title_link", "http://127.0.0.1/d/x", true),
            ("title_link", "d/x", false),
        ] {
            let body = attachment(key, value);
            assert_eq!(read_slack(body.as_bytes()).is_ok(), fits, "{key}: {} characters", value.len());
        }
        assert!(read_slack(json!({"text": "x".repeat(2_001)}).to_string().as_bytes()).is_err());
        assert_eq!(read_slack(b"{}").unwrap_err().0, "no_text");
    }
}
