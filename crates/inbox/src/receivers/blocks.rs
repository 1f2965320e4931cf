//! Slack's blocks: their text, and their limits. Source: <https://docs.slack.dev/reference/block-kit/blocks>, and for
//! texts <https://docs.slack.dev/reference/block-kit/composition-objects/text-object>.

use serde_json::Value;

/// Maximum number of blocks in a message or an attachment.
const BLOCKS: usize = 50;
const BLOCK_ID: usize = 255;
/// Maximum number of characters of a text without a limit of its own.
const TEXT: usize = 3_000;
const HEADER: usize = 150;
const MARKDOWN: usize = 12_000;
const FIELDS: usize = 10;
const FIELD: usize = 2_000;
const CONTEXT: usize = 10;
const ACTIONS: usize = 25;
const ALT_TEXT: usize = 2_000;

/// Whether Slack would accept these blocks.
pub fn fit(blocks: &[Value]) -> bool {
    blocks.len() <= BLOCKS && blocks.iter().all(fits)
}

/// Blocks of an unknown kind are only checked for their type and the length of their texts.
fn fits(block: &Value) -> bool {
    let Some(kind) = block["type"].as_str() else { return false };
    let named = block.get("block_id").is_none_or(|id| length(id).is_some_and(|length| length <= BLOCK_ID));
    let own = match kind {
        "header" => block["text"]["type"] == "plain_text" && is_text(&block["text"], HEADER),
        "section" => {
            (!block["text"].is_null() || !block["fields"].is_null())
                && (block["text"].is_null() || is_text(&block["text"], TEXT))
                && (block["fields"].is_null() || is_list(&block["fields"], FIELDS, |it| is_text(it, FIELD)))
        }
        "context" => is_list(&block["elements"], CONTEXT, |it| it["type"] == "image" || is_text(it, TEXT)),
        "actions" => is_list(&block["elements"], ACTIONS, Value::is_object),
        "markdown" => length(&block["text"]).is_some_and(|length| (1..=MARKDOWN).contains(&length)),
        "image" => {
            (length(&block["image_url"]).is_some_and(|length| (1..=TEXT).contains(&length))
                || block["slack_file"].is_object())
                && length(&block["alt_text"]).is_some_and(|length| length <= ALT_TEXT)
        }
        _ => length(&block["text"]["text"]).is_none_or(|length| length <= TEXT),
    };
    named && own
}

/// The number of characters of a text; `None` if the value is not text.
fn length(value: &Value) -> Option<usize> {
    value.as_str().map(|text| text.chars().count())
}

/// Whether it is a text object of 1 to `max` characters.
fn is_text(value: &Value, max: usize) -> bool {
    matches!(value["type"].as_str(), Some("plain_text" | "mrkdwn"))
        && length(&value["text"]).is_some_and(|length| (1..=max).contains(&length))
}

/// Whether it is a list of 1 to `max` items, each of which fits.
fn is_list(value: &Value, max: usize, fits: impl Fn(&Value) -> bool) -> bool {
    value.as_array().is_some_and(|items| (1..=max).contains(&items.len()) && items.iter().all(fits))
}

/// The text of a block: every `text` in it that is a string, at any depth.
pub fn texts(block: &Value) -> Vec<&str> {
    match block {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(text) if key == "text" => vec![text.as_str()],
                deeper => texts(deeper),
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn limits_are_those_that_slack_publishes() {
        let text = |length: usize| json!({"type": "mrkdwn", "text": "x".repeat(length)});
        let plain = |length: usize| json!({"type": "plain_text", "text": "x".repeat(length)});
        let fields =
            |count: usize, length: usize| json!({"type": "section", "fields": vec![text(length); count]});
        let image = |url: usize, alt: usize| json!({"type": "image", "image_url": "x".repeat(url), "alt_text": "x".repeat(alt)});
        for (takes, refuses) in [
            (json!({"type": "header", "text": plain(150)}), json!({"type": "header", "text": plain(151)})),
            (json!({"type": "header", "text": plain(1)}), json!({"type": "header", "text": text(1)})),
            (
                json!({"type": "section", "text": text(3_000)}),
                json!({"type": "section", "text": text(3_001)}),
            ),
            (json!({"type": "section", "text": text(1)}), json!({"type": "section", "text": text(0)})),
            (fields(10, 2_000), fields(11, 1)),
            (fields(1, 1), fields(1, 2_001)),
            (fields(2, 1), fields(0, 1)),
            (fields(2, 1), json!({"type": "section"})),
            (
                json!({"type": "context", "elements": vec![text(1); 10]}),
                json!({"type": "context", "elements": vec![text(1); 11]}),
            ),
            (
                json!({"type": "actions", "elements": vec![json!({}); 25]}),
                json!({"type": "actions", "elements": vec![json!({}); 26]}),
            ),
            (
                json!({"type": "markdown", "text": "x".repeat(12_000)}),
                json!({"type": "markdown", "text": "x".repeat(12_001)}),
            ),
            (image(3_000, 2_000), image(3_001, 1)),
            (image(1, 0), image(1, 2_001)),
            (
                json!({"type": "divider", "block_id": "x".repeat(255)}),
                json!({"type": "divider", "block_id": "x".repeat(256)}),
            ),
            (json!({"type": "rich_text", "elements": []}), json!({"text": "x"})),
        ] {
            assert!(fits(&takes), "{takes}");
            assert!(!fits(&refuses), "{refuses}");
        }
    }
}
