//! Slack's incoming webhooks: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.
//!
//! Slack has no alerts, only text. The alert of a message is read from its [`heading`].

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::receivers::message::{Message, Refusal};
use crate::receivers::{blocks, heading};

/// Slack's responses to a body it cannot parse, and to a message with nothing to show.
const INVALID_PAYLOAD: &str = "invalid_payload";
const NO_TEXT: &str = "no_text";
/// Slack's responses to a message above its limits: 100 attachments
/// (<https://docs.slack.dev/reference/methods/chat.postMessage>), and the limits of [`blocks`]. Slack truncates longer
/// texts of a message or an attachment without an error.
const TOO_MANY_ATTACHMENTS: &str = "too_many_attachments";
const INVALID_BLOCKS: &str = "invalid_blocks";
const ATTACHMENTS: usize = 100;

/// The fields of a message that are checked. Other fields may have any value; the catch-all field makes serde reject
/// lists.
#[derive(Deserialize)]
struct Body {
    text: Option<String>,
    attachments: Option<Vec<Attachment>>,
    blocks: Option<Vec<Value>>,
    #[serde(flatten)]
    _rest: IgnoredAny,
}

#[derive(Deserialize)]
struct Attachment {
    title: Option<String>,
    fallback: Option<String>,
    pretext: Option<String>,
    text: Option<String>,
    fields: Option<Vec<Field>>,
    blocks: Option<Vec<Value>>,
    #[serde(flatten)]
    _rest: IgnoredAny,
}

impl Attachment {
    /// Its text. Fields and blocks have different headings, so their texts are joined to one.
    fn texts(&self) -> Vec<String> {
        let fields = self.fields.iter().flatten().flat_map(|field| [&field.title, &field.value]).flatten();
        let fields = joined(fields.map(String::as_str));
        let blocks = joined(self.blocks.iter().flatten().flat_map(blocks::texts));
        let texts = [&self.title, &self.fallback, &self.pretext, &self.text].into_iter().flatten().cloned();
        texts.chain([fields, blocks]).collect()
    }
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.collect::<Vec<_>>().join("\n")
}

/// Fields of an attachment; Slack documents no maximum.
#[derive(Deserialize)]
struct Field {
    title: Option<String>,
    value: Option<String>,
    #[serde(flatten)]
    _rest: IgnoredAny,
}

/// # Errors
/// Slack's response.
pub fn read(bytes: &[u8]) -> Result<Message, Refusal> {
    // A body is JSON, or a form whose `payload` is JSON. JSON does not begin with the letter p.
    let form = bytes.starts_with(b"payload=").then(|| url::form_urlencoded::parse(bytes).next()).flatten();
    let json = form.as_ref().map_or(bytes, |(_, payload)| payload.as_bytes());
    let body: Value = serde_json::from_slice(json).map_err(|_| INVALID_PAYLOAD)?;
    let Body { text, attachments, blocks, .. } = Body::deserialize(&body).map_err(|_| INVALID_PAYLOAD)?;
    let (attachments, blocks) = (attachments.unwrap_or_default(), blocks.unwrap_or_default());
    let own = text.into_iter().chain([joined(blocks.iter().flat_map(blocks::texts))]).collect();
    let shown: Vec<Vec<String>> = attachments.iter().map(Attachment::texts).chain([own]).collect();
    let silent = shown.iter().flatten().all(|text| text.trim().is_empty());
    if silent
        && blocks.is_empty()
        && attachments.iter().all(|it| it.blocks.as_ref().is_none_or(Vec::is_empty))
    {
        return Err(NO_TEXT.into());
    }
    if attachments.len() > ATTACHMENTS {
        return Err(TOO_MANY_ATTACHMENTS.into());
    }
    let mut lists = attachments.iter().filter_map(|it| it.blocks.as_deref()).chain([&blocks[..]]);
    if !lists.all(blocks::fit) {
        return Err(INVALID_BLOCKS.into());
    }
    // Title and fallback have the same heading: only the first text with a heading counts, once per part.
    let found = shown.iter().flat_map(|texts| {
        texts.iter().map(|text| heading::all(text)).find(|found| !found.is_empty()).unwrap_or_default()
    });
    let (status, alerts) = heading::summed_up(found.collect());
    Ok(Message { status, alerts, body: body.into() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn summary(body: &str) -> String {
        match read(body.as_bytes()) {
            Err(refusal) => refusal.0,
            Ok(message) => {
                let alerts: Vec<String> =
                    message.alerts.iter().map(|it| format!("{}={}", it.alert, it.status)).collect();
                format!("{}: {}", message.status, alerts.join(" "))
            }
        }
    }

    #[test]
    fn reads_alerts_from_the_headings() {
        for (body, expected) in [
            (
                r#"{"attachments":[{"title":"[FIRING:1] HighErrorRate (warning)","fallback":"[FIRING:1] HighErrorRate"}]}"#,
                "firing: HighErrorRate=firing",
            ),
            (
                r#"{"attachments":[{"title":"[RESOLVED:2] HighErrorRate (warning)","text":"fine again"}]}"#,
                "resolved: HighErrorRate=resolved",
            ),
            (
                r#"{"channel":"a","username":"b","attachments":[{"title":"[FIRING:1] HighErrorRate api (10.0.0.1 warning)","title_link":"http://x","text":"","fallback":"[FIRING:1] HighErrorRate api | http://x","color":"danger","mrkdwn_in":["fallback"]}]}"#,
                "firing: HighErrorRate=firing",
            ),
            (
                r#"{"attachments":[{"title":"[RESOLVED] HighErrorRate api","color":"good"}]}"#,
                "resolved: HighErrorRate=resolved",
            ),
            (
                r#"{"attachments":[{"fallback":"[FIRING:1] A"},{"fallback":"[RESOLVED] B"}]}"#,
                "firing: A=firing B=resolved",
            ),
            (
                r#"{"text":"*[FIRING:3] RateLimitHits*\nand <http://x|[RESOLVED] APIDown>"}"#,
                "firing: RateLimitHits=firing APIDown=resolved",
            ),
            (r#"{"text":"[RESOLVED] A, [RESOLVED] B"}"#, "resolved: A=resolved B=resolved"),
            (r#"{"text":"lunch is ready [FIRING soon] [x] y"}"#, "unknown: "),
            (r#"{"text":"[FIRING:many] A"}"#, "unknown: "),
            (r#"{"text":"hi","attachments":null}"#, "unknown: "),
            (r#"{"blocks":[{"type":"divider"}]}"#, "unknown: "),
            // Blocks or fields alone are enough.
            (
                r##"{"attachments":[{"color":"#f00","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"[FIRING:1] X"}}]}]}"##,
                "firing: X=firing",
            ),
            (r#"{"attachments":[{"color":"good","blocks":[{"type":"divider"}]}]}"#, "unknown: "),
            (
                r#"{"attachments":[{"fields":[{"title":"Alert","value":"[FIRING:1] X","short":true}]}]}"#,
                "firing: X=firing",
            ),
            (
                r#"{"text":"[FIRING:1] A","blocks":[{"type":"header","text":{"type":"plain_text","text":"[FIRING:1] A"}}]}"#,
                "firing: A=firing",
            ),
            (
                r#"{"blocks":[{"type":"section","fields":[{"type":"mrkdwn","text":"[FIRING:1] A"},{"type":"mrkdwn","text":"[RESOLVED] B"}]}]}"#,
                "firing: A=firing B=resolved",
            ),
            // As a form, as in Slack's older examples.
            (
                "payload=%7B%22text%22%3A+%22%5BFIRING%3A1%5D+API+Down+%28critical%29+%26+more%22%7D",
                "firing: API Down=firing",
            ),
        ] {
            assert_eq!(summary(body), expected, "{body}");
        }
    }

    #[test]
    fn refuses_as_slack_does() {
        for body in [
            "",
            "text",
            "[]",
            "5",
            r#"{"text":5}"#,
            "payload=",
            "payload=%7B",
            r#"{"attachments":{}}"#,
            r#"{"attachments":["x"]}"#,
            r#"{"attachments":[{"title":7}]}"#,
            r#"{"blocks":"x"}"#,
            r#"{"attachments":[{"fields":"x"}]}"#,
            r#"{"attachments":[{"blocks":{}}]}"#,
        ] {
            assert_eq!(summary(body), INVALID_PAYLOAD, "{body}");
        }
        for body in [
            "{}",
            r#"{"text":" "}"#,
            r#"{"attachments":[]}"#,
            r#"{"attachments":[{"color":"good"}]}"#,
            r#"{"attachments":[{"fields":[],"blocks":[]}]}"#,
        ] {
            assert_eq!(summary(body), NO_TEXT, "{body}");
        }
        let attachments =
            |count: usize| json!({"attachments": vec![json!({"text": "x"}); count]}).to_string();
        assert_eq!(summary(&attachments(100)), "unknown: ");
        assert_eq!(summary(&attachments(101)), TOO_MANY_ATTACHMENTS);
        let section = |length: usize| json!({"type": "section", "text": {"type": "mrkdwn", "text": "x".repeat(length)}});
        let blocks =
            |count: usize, length: usize| json!({"blocks": vec![section(length); count]}).to_string();
        assert_eq!(summary(&blocks(50, 3_000)), "unknown: ");
        assert_eq!(summary(&blocks(51, 1)), INVALID_BLOCKS);
        assert_eq!(summary(&blocks(1, 3_001)), INVALID_BLOCKS);
        assert_eq!(summary(r#"{"blocks":[{"text":"x"}]}"#), INVALID_BLOCKS);
        let attached =
            |count: usize| json!({"attachments": [{"blocks": vec![section(1); count]}]}).to_string();
        assert_eq!(
            (summary(&attached(50)), summary(&attached(51))),
            ("unknown: ".to_owned(), INVALID_BLOCKS.to_owned())
        );
    }
}
