//! Discord's webhooks: <https://docs.discord.com/developers/resources/webhook#execute-webhook>. Below `/slack` they
//! accept Slack's format. An Alertmanager whose own Discord receiver would show the URL, a secret, in its configuration
//! uses that.

use serde_json::Value;
use url::Url;

use crate::receivers::message::{Message, Refusal};
use crate::receivers::{heading, slack};

/// Maximum number of characters of a message's `content`.
const CONTENT: usize = 2_000;
/// Maximum number of embeds in a message.
const EMBEDS: usize = 10;
/// Maximum number of characters of an embed's parts, and of all embeds of a message together:
/// <https://docs.discord.com/developers/resources/message#embed-object-embed-limits>.
const TITLE: usize = 256;
const DESCRIPTION: usize = 4_096;
const ALTOGETHER: usize = 6_000;
/// Maximum number of characters of a link.
const LINK: usize = 2_048;

/// Maximum number of fields of an embed, and of characters of their parts, its footer and its author.
const FIELDS: usize = 25;
const FIELD_NAME: usize = 256;
const FIELD_VALUE: usize = 1_024;
const FOOTER: usize = 2_048;
const AUTHOR: usize = 256;

/// Names of the parts of a message; footer and author have the names of the object and of the key in it, if they are
/// objects.
struct Names {
    content: &'static str,
    list: &'static str,
    title: &'static str,
    description: &'static str,
    link: &'static str,
    field: &'static str,
    footer: (&'static str, Option<&'static str>),
    author: (&'static str, Option<&'static str>),
}

const OWN: Names = Names {
    content: "content",
    list: "embeds",
    title: "title",
    description: "description",
    link: "url",
    field: "name",
    footer: ("footer", Some("text")),
    author: ("author", Some("name")),
};

const OF_SLACK: Names = Names {
    content: "text",
    list: "attachments",
    title: "title",
    description: "text",
    link: "title_link",
    field: "title",
    footer: ("footer", None),
    author: ("author_name", None),
};

/// A message in Discord's format.
///
/// # Errors
/// Discord's response, as JSON.
pub fn read(bytes: &[u8]) -> Result<Message, Refusal> {
    let color = |color: &Value| color.as_u64().is_some_and(|it| it <= 0xff_ffff);
    let body = checked(bytes, &OWN, color, "a number up to 16777215")?;
    let embeds = objects(&body, "embeds", EMBEDS)?;
    let content = text(&body, "content")?;
    // An embed without text may be an image.
    let shows = |embed: &Value| {
        embed.as_object().is_some_and(|parts| {
            parts.iter().any(|(key, part)| match part {
                Value::String(text) => {
                    matches!(key.as_str(), "title" | "description") && !text.trim().is_empty()
                }
                Value::Array(items) => !items.is_empty(),
                other => other.is_object(),
            })
        })
    };
    if content.trim().is_empty() && !embeds.iter().any(shows) {
        return Err(bad(50006, "Cannot send an empty message"));
    }
    let texts = embeds.iter().flat_map(|embed| {
        let fields = embed["fields"].as_array().into_iter().flatten();
        let fields = fields.flat_map(|field| [&field["name"], &field["value"]]);
        [&embed["title"], &embed["description"]].into_iter().chain(fields).filter_map(Value::as_str)
    });
    let (status, alerts) = heading::alerts_in([content].into_iter().chain(texts));
    Ok(Message { status, alerts, body: body.into() })
}

/// A body in Slack's format, posted below `/slack`: its attachments become embeds, whose limits apply. A colour must
/// have hexadecimal digits; Slack's names of colours are invalid.
///
/// # Errors
/// Discord's response.
pub fn read_slack(bytes: &[u8]) -> Result<Message, Refusal> {
    checked(bytes, &OF_SLACK, |color| color.as_str().is_some_and(is_hex), "#RRGGBB or #RGB")?;
    slack::read(bytes)
}

/// Reads a body whose content and embeds have these names, and checks the limits.
fn checked(
    bytes: &[u8],
    names: &Names,
    is_color: impl Fn(&Value) -> bool,
    expected: &str,
) -> Result<Value, Refusal> {
    let body: Value =
        serde_json::from_slice(bytes).map_err(|_| bad(50109, "The request body contains invalid JSON."))?;
    if !body.is_object() {
        return Err(bad(50035, "Invalid Form Body"));
    }
    let list = names.list;
    length(&body, "", names.content, CONTENT)?;
    let mut altogether = 0;
    for embed in objects(&body, list, EMBEDS)? {
        if !embed.get("color").is_none_or(|color| color.is_null() || is_color(color)) {
            return Err(form(&format!("{list}: color: expected {expected}")));
        }
        altogether += length(embed, "embeds: ", names.title, TITLE)?;
        altogether += length(embed, "embeds: ", names.description, DESCRIPTION)?;
        for field in objects(embed, "fields", FIELDS)? {
            for (key, max) in [(names.field, FIELD_NAME), ("value", FIELD_VALUE)] {
                let characters = length(field, "embeds: fields: ", key, max)?;
                if characters == 0 && names.list == OWN.list {
                    return Err(form(&format!("embeds: fields: {key}: This field is required")));
                }
                altogether += characters;
            }
        }
        for ((key, inner), max) in [(names.footer, FOOTER), (names.author, AUTHOR)] {
            altogether += match (inner, embed.get(key)) {
                (Some(inner), Some(part)) if !part.is_null() => length(part, "embeds: ", inner, max)?,
                (Some(_), _) => 0,
                (None, _) => length(embed, "embeds: ", key, max)?,
            };
        }
        let link = text(embed, names.link)?;
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

fn objects<'a>(value: &'a Value, key: &str, max: usize) -> Result<&'a [Value], Refusal> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) if items.len() <= max && items.iter().all(Value::is_object) => Ok(items),
        Some(_) => Err(form(&format!("{key}: expected at most {max} objects"))),
    }
}

/// The number of characters of a text, if it is within the limit.
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
            json!({"embeds": [{"fields": [{"name": "Alert", "value": "[FIRING:1] APIDown"}]}]}),
        ] {
            let message = read(body.to_string().as_bytes()).unwrap();
            assert_eq!((message.status, message.alerts[0].alert.as_str()), ("firing", "APIDown"), "{body}");
        }
    }

    #[test]
    fn refuses_what_discord_refuses() {
        let title = |length: usize| json!({"title": "x".repeat(length), "description": "x".repeat(4_096)});
        assert!(read(json!({"embeds": [title(256)]}).to_string().as_bytes()).is_ok());
        let fields = |count: usize, name: usize, value: usize| {
            let field = json!({"name": "n".repeat(name), "value": "v".repeat(value)});
            json!({"embeds": [{"fields": vec![field; count]}]})
        };
        let part = |key: &str, inner: &str, length: usize| json!({"embeds": [{"title": "x", key: {inner: "x".repeat(length)}}]});
        for body in [
            fields(25, 1, 1),
            fields(1, 256, 1_024),
            part("footer", "text", 2_048),
            part("author", "name", 256),
            part("image", "url", 9),
            json!({"embeds": [{"image": {"url": "https://127.0.0.1/x.png"}}]}),
        ] {
            assert!(read(body.to_string().as_bytes()).is_ok(), "{body}");
        }
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
            (fields(26, 1, 1).to_string(), "25"),
            (fields(1, 257, 1).to_string(), "256"),
            (fields(1, 1, 1_025).to_string(), "1024"),
            (fields(1, 0, 1).to_string(), "required"),
            (fields(1, 1, 0).to_string(), "required"),
            (fields(6, 1, 1_000).to_string(), "6000"),
            (part("footer", "text", 2_049).to_string(), "2048"),
            (part("author", "name", 257).to_string(), "256"),
            (json!({"embeds": [{}]}).to_string(), "50006"),
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
        let fields = |count: usize| {
            let field = json!({"title": "Alert", "value": "[FIRING:1] APIDown", "short": true});
            json!({"attachments": [{"fields": vec![field; count], "footer": "x"}]}).to_string()
        };
        assert!(read_slack(fields(25).as_bytes()).is_ok() && read_slack(fields(26).as_bytes()).is_err());
        assert!(read_slack(json!({"text": "x".repeat(2_001)}).to_string().as_bytes()).is_err());
        assert_eq!(read_slack(b"{}").unwrap_err().0, "no_text");
    }
}
