//! A valid body, in the form that the history stores.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use clients::inbox::NotifiedAlert;

/// A valid body.
#[derive(Debug, Clone)]
pub struct Message {
    /// `firing`, `resolved` or `unknown`.
    pub status: &'static str,
    /// The alerts it contains.
    pub alerts: Vec<NotifiedAlert>,
    /// The body as sent.
    pub body: Sent,
}

/// A body as sent.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Sent {
    /// A small one.
    Value(Value),
    /// On one line, without spaces between values: as values, large ones would take a hundred times their size.
    Text(Box<RawValue>),
}

impl Sent {
    /// A large body, from its text.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn text(json: &str) -> serde_json::Result<Self> {
        let (mut line, mut quoted, mut escaped) = (String::with_capacity(json.len()), false, false);
        for sign in json.chars() {
            if !quoted && sign.is_ascii_whitespace() {
                continue;
            }
            quoted ^= sign == '"' && !escaped;
            escaped = quoted && sign == '\\' && !escaped;
            line.push(sign);
        }
        RawValue::from_string(line).map(Self::Text)
    }

    /// A field of a small body.
    pub(crate) fn field(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Value(value) => value.get(name),
            Self::Text(_) => None,
        }
    }
}

impl From<Value> for Sent {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

/// Every value of [`Message::status`].
pub const STATUSES: [&str; 3] = [FIRING, RESOLVED, UNKNOWN];
pub(crate) const FIRING: &str = "firing";
pub(crate) const RESOLVED: &str = "resolved";
/// The status of a text without one.
pub const UNKNOWN: &str = "unknown";

/// The real service's response to an invalid body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

impl From<&str> for Refusal {
    fn from(response: &str) -> Self {
        Self(response.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_body_is_one_line_and_otherwise_as_sent() {
        for (sent, line) in [
            (" { \"a\" : [ 1 ,\n\t\"b c\" ] }\r\n", "{\"a\":[1,\"b c\"]}"),
            ("\"say \\\"a b\\\" \\\\\" ", "\"say \\\"a b\\\" \\\\\""),
            ("1e3", "1e3"),
        ] {
            let Ok(Sent::Text(text)) = Sent::text(sent) else { panic!("{sent}") };
            assert_eq!(text.get(), line);
        }
        assert!(Sent::text("[1").is_err() && Sent::text("").is_err());
    }
}
