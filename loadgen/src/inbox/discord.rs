//! Discord's webhooks: <https://docs.discord.com/developers/resources/webhook#execute-webhook>. Below `/slack` they take
//! Slack's bodies, which is how an Alertmanager reaches them whose own Discord receiver has its address in the open.

use serde_json::Value;

use super::channel::Message;
use super::slack;

/// Most characters of a message's `content`.
const CONTENT: usize = 2_000;
/// Most embeds of a message.
const EMBEDS: usize = 10;

/// # Errors
/// What Discord would answer, as JSON.
pub(super) fn read(bytes: &[u8]) -> Result<Message, String> {
    let bad = |code: u32, message: &str| format!("{{\"message\": {message:?}, \"code\": {code}}}");
    let body: Value =
        serde_json::from_slice(bytes).map_err(|_| bad(50109, "The request body contains invalid JSON."))?;
    if !body.is_object() {
        return Err(bad(50035, "Invalid Form Body"));
    }
    let content = match body.get("content") {
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text,
        Some(_) => return Err(bad(50035, "Invalid Form Body: content: Could not interpret as string.")),
    };
    if content.chars().count() > CONTENT {
        return Err(bad(50035, "Invalid Form Body: content: Must be 2000 or fewer in length."));
    }
    let embeds = match body.get("embeds") {
        None | Some(Value::Null) => &[][..],
        Some(Value::Array(embeds)) if embeds.len() <= EMBEDS && embeds.iter().all(Value::is_object) => embeds,
        Some(_) => return Err(bad(50035, "Invalid Form Body: embeds: expected at most 10 objects")),
    };
    let titles = embeds.iter().flat_map(|embed| [embed.get("title"), embed.get("description")]);
    let texts: Vec<&str> = [content].into_iter().chain(titles.flatten().filter_map(Value::as_str)).collect();
    if texts.iter().all(|text| text.trim().is_empty()) {
        return Err(bad(50006, "Cannot send an empty message"));
    }
    let (status, alerts) = slack::told_by(texts.iter().copied());
    Ok(Message { status, alerts, body })
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
        for (body, code) in [
            ("{".to_owned(), "50109"),
            (json!([]).to_string(), "50035"),
            (json!({"content": ""}).to_string(), "50006"),
            (json!({"content": 5}).to_string(), "50035"),
            (json!({"content": "x".repeat(2_001)}).to_string(), "50035"),
            (json!({"embeds": vec![json!({"title": "x"}); 11]}).to_string(), "50035"),
        ] {
            assert!(read(body.as_bytes()).unwrap_err().contains(code), "{body}");
        }
    }
}
