//! The body of an error response.

use serde_json::Value;

/// Maximum length of a foreign error message.
const MAX_REASON_CHARS: usize = 300;

/// The `errors` of a problem (RFC 9457): `/delay: must be …`.
pub fn errors(problem: &Value) -> Vec<String> {
    let listed = problem.get("errors").and_then(Value::as_array).into_iter().flatten();
    let each = |error: &Value| {
        let pointer = error.get("pointer")?.as_str()?.trim_start_matches('#');
        let detail = error.get("detail")?.as_str()?;
        Some(if pointer.is_empty() { detail.to_owned() } else { format!("{pointer}: {detail}") })
    };
    listed.filter_map(each).collect()
}

/// The message in an error body, on one line: the `errors` of a problem, `error`, `message` or `detail`, a JSON string, or the
/// text.
pub fn message(body: &str) -> String {
    let found = match serde_json::from_str::<Value>(body) {
        Ok(Value::String(text)) => Some(text),
        Ok(problem) if !errors(&problem).is_empty() => Some(errors(&problem).join("; ")),
        Ok(Value::Object(map)) => {
            ["error", "message", "detail"].iter().find_map(|key| map.get(*key)?.as_str().map(str::to_owned))
        }
        _ => None,
    };
    // A server's line break would look like the end of our own line.
    let text = found.as_deref().unwrap_or(body).split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(MAX_REASON_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None if text.is_empty() => "(no body)".to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extracts_the_message_of_error_bodies() {
        for (body, expected) in [
            (r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#, "parse error"),
            (r#"{"code":601,"message":"bad filter"}"#, "bad filter"),
            (r#""silence not found""#, "silence not found"),
            ("Service Unavailable\n", "Service Unavailable"),
            ("down\nhigh-error-rate  PROVEN\r\n", "down high-error-rate PROVEN"),
            ("", "(no body)"),
            ("[1]", "[1]"),
            (
                r##"{"detail":"`errors` lists them","errors":[{"pointer":"#/delay","detail":"must be short"},{"pointer":"#","detail":"does nothing"}]}"##,
                "/delay: must be short; does nothing",
            ),
        ] {
            assert_eq!(message(body), expected, "{body}");
        }
        assert_eq!(message(&"é".repeat(400)).chars().count(), MAX_REASON_CHARS + 1);
    }
}
