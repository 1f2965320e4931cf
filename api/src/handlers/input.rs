//! Input of clients: query parameters, and fields from a JSON body or from the query.

use crate::{
    json,
    problem::{FieldError, Kind, Problem},
    store::Changes,
};
use actix_web::{HttpMessage, HttpRequest, web};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use unicode_security::MixedScript;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

const BOTH_FORMS: &str =
    "send the body as application/json, or the fields as query parameters without a body";

/// Longest name, in characters.
const NAME_LIMIT: usize = 200;
/// Longest e-mail address of a mail path (RFC 5321, 4.5.3.1.3, without the angle brackets).
const EMAIL_LIMIT: usize = 254;

/// Changes of a user; fields that are not given keep their values.
#[derive(Deserialize, ToSchema)]
pub(super) struct UserChanges {
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, min_length = 1, max_length = 200, example = "Ada Lovelace")]
    name: Option<Value>,
    /// Unique, ignoring case.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, format = Email, max_length = 254, example = "ada@example.com")]
    email: Option<Value>,
}

/// Accepts any value, even null, so that a wrong one does not prevent the check of the other fields.
pub(super) fn given<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(field).map(Some)
}

/// The schema for creating a user: the same fields, all required.
pub(super) struct NewUser;

impl ToSchema for NewUser {}

impl PartialSchema for NewUser {
    fn schema() -> RefOr<Schema> {
        let mut schema = UserChanges::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.description = Some("Fields of a new user.".to_owned());
            object.required = object.properties.keys().cloned().collect();
        }
        schema
    }
}

/// A request's query parameters.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(req: &HttpRequest) -> Result<Self, Problem> {
        web::Query::<Vec<(String, String)>>::from_query(req.query_string())
            .map(|pairs| Self(pairs.into_inner()))
            .map_err(|error| Problem::new(Kind::BadRequest, "malformed query string").caused_by(error))
    }

    /// The first value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Fields from the JSON body if there is one, else from the query; errors show `example`.
pub(super) fn fields(req: &HttpRequest, body: &[u8], example: &str) -> Result<Map<String, Value>, Problem> {
    if body.is_empty() {
        // The first of several parameters counts, as everywhere else.
        let pairs = Query::of(req)?.0.into_iter().rev();
        return Ok(pairs.map(|(name, value)| (name, Value::String(value))).collect());
    }
    object(req, body, example).map_err(|problem| match problem.kind {
        Kind::UnsupportedMediaType => Problem::new(problem.kind, BOTH_FORMS),
        _ => problem,
    })
}

/// A user's fields, from the JSON body if there is one, else from the query. All returned fields are valid.
pub(super) fn user_fields(req: &HttpRequest, body: &[u8]) -> Result<Changes, Problem> {
    let fields = fields(req, body, r#"{"name":"Ada","email":"ada@example.com"}"#)?;
    let UserChanges { name, email } = UserChanges::deserialize(fields).map_err(Problem::internal)?;
    let mut errors = Vec::new();
    let name = text(name, "#/name", name_fault, &mut errors);
    let email = text(email, "#/email", email_fault, &mut errors);
    if errors.is_empty() { Ok(Changes { name, email }) } else { Err(Problem::validation(errors)) }
}

/// Name and e-mail address of a new user; both are required.
pub(super) fn required(fields: Changes) -> Result<(String, String), Problem> {
    match (fields.name, fields.email) {
        (Some(name), Some(email)) => Ok((name, email)),
        (name, email) => {
            let missing =
                [("name", name.is_none()), ("email", email.is_none())].into_iter().filter(|(_, gone)| *gone);
            Err(Problem::validation(
                missing
                    .map(|(field, _)| fault(&format!("#/{field}"), format!("{field} is required")))
                    .collect(),
            ))
        }
    }
}

/// Parses the body as a JSON object; errors show `example`.
pub(super) fn object(req: &HttpRequest, body: &[u8], example: &str) -> Result<Map<String, Value>, Problem> {
    match json_value(req, body)? {
        Value::Object(object) => Ok(object),
        _ => Err(not_an_object(example)),
    }
}

/// The parts of a body that matter, without the rest of it; errors show `example`.
///
/// # Errors
/// 400 when the body is not JSON, 415 when its media type is another, 422 when it is not an object.
pub(super) fn parts<'a, T: Deserialize<'a>>(
    req: &HttpRequest,
    body: &'a [u8],
    example: &str,
) -> Result<T, Problem> {
    expect_json(req)?;
    object_parts(body, example)
}

/// Same for a body whose media type is JSON.
pub(super) fn object_parts<'a, T: Deserialize<'a>>(body: &'a [u8], example: &str) -> Result<T, Problem> {
    // A struct could be read from a list as well.
    if body.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        json::check(body).map_err(|error| malformed(&error))?;
        return Err(not_an_object(example));
    }
    serde_json::from_slice(body).map_err(|error| malformed(&error))
}

/// 422 for a body that is JSON but not an object; shows `example`.
fn not_an_object(example: &str) -> Problem {
    Problem::validation(vec![fault("#", format!("must be a JSON object such as {example}"))])
}

/// The body as JSON.
pub(crate) fn json_value(req: &HttpRequest, body: &[u8]) -> Result<Value, Problem> {
    expect_json(req)?;
    serde_json::from_slice(body).map_err(|error| malformed(&error))
}

/// Whether the body's media type is JSON.
pub(super) fn expect_json(req: &HttpRequest) -> Result<(), Problem> {
    let media_type = req.content_type();
    if media_type != "application/json" && !media_type.ends_with("+json") {
        return Err(Problem::new(Kind::UnsupportedMediaType, "send the body as application/json"));
    }
    Ok(())
}

/// 400 for a body that is not JSON, or has a field twice.
fn malformed(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let detail = if error.is_data() {
        format!("the body has a duplicate field: line {line}, column {column}")
    } else {
        format!("the body is not valid JSON: line {line}, column {column}")
    };
    Problem::new(Kind::BadRequest, detail)
}

/// An integer query parameter.
pub(super) fn number(query: &Query, name: &str, min: i64, max: i64) -> Result<Option<i64>, Problem> {
    let Some(text) = query.get(name) else { return Ok(None) };
    match text.trim().parse() {
        Ok(number) if (min..=max).contains(&number) => Ok(Some(number)),
        _ => {
            let detail = format!("must be an integer from {min} to {max}");
            Err(Problem::validation(vec![fault(&format!("#/{name}"), detail)]))
        }
    }
}

/// An error of one field.
pub(super) fn fault(pointer: &str, detail: impl Into<String>) -> FieldError {
    FieldError { detail: detail.into(), pointer: pointer.to_owned() }
}

/// The trimmed text of a given field; records its error, if any.
fn text(
    field: Option<Value>,
    pointer: &str,
    check: fn(&str) -> Option<String>,
    errors: &mut Vec<FieldError>,
) -> Option<String> {
    let text = field?.as_str().map(|text| text.trim().to_owned());
    let detail = text.as_deref().map_or_else(|| Some("must be a string".to_owned()), check);
    errors.extend(detail.map(|detail| fault(pointer, detail)));
    text
}

fn name_fault(name: &str) -> Option<String> {
    if name.is_empty() {
        Some("must not be empty".to_owned())
    } else if name.chars().count() > NAME_LIMIT {
        Some(format!("must be at most {NAME_LIMIT} characters"))
    } else if name.chars().any(|c| c.is_control() || is_invisible(c) && !matches!(c, '\u{200c}' | '\u{200d}'))
    {
        // The two joiners are letters' parts in several scripts.
        Some("must not contain control characters or invisible ones, such as U+202E".to_owned())
    } else {
        None
    }
}

/// Catches typos, not every invalid address: only sending a mail could do that.
fn email_fault(email: &str) -> Option<String> {
    let wrong = || Some("must be an e-mail address such as ada@example.com".to_owned());
    if email.len() > EMAIL_LIMIT {
        return Some(format!("must be at most {EMAIL_LIMIT} bytes"));
    }
    let Some((local, domain)) = email.rsplit_once('@') else { return wrong() };
    let odd = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || is_invisible(c)
            || matches!(c, '@' | '<' | '>' | ',' | ';' | '"')
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    // No dot at an end, no two in a row (RFC 5322, 3.2.3).
    if local.split('.').any(|atom| atom.is_empty() || atom.contains(odd)) || !domain.split('.').all(label) {
        return wrong();
    }
    // `pаypal` with a Cyrillic `а` is another address that looks the same.
    if !email.split(['@', '.']).all(MixedScript::is_single_script) {
        return Some("must not mix scripts, such as Latin and Cyrillic letters, within one part".to_owned());
    }
    None
}

/// Characters without a shape of their own that change how the text around them looks: Unicode's format characters that
/// occur in no name, and the direction of text.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_mistyped_addresses() {
        for good in [
            "a@b.c",
            "ada.l+x@example.com",
            "root@localhost",
            "ä@exämple.org",
            "мария@пример.рф",
            "user.мария@x.y",
        ] {
            assert_eq!(email_fault(good), None, "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a b@c.d",
            "a..b@x.y",
            ".a@x.y",
            "a.@x.y",
            "a\u{202e}b@x.y",
            "p\u{430}ypal@x.y",
            "a@\u{430}pple.com",
            "a@b..c",
            "a@-b.c",
            "a@@b.c",
            "<a@b.c>",
            "a@b,c",
            &long,
        ] {
            assert!(email_fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn names_are_bounded() {
        for (name, fine) in [
            ("Ada", true),
            ("", false),
            (&"x".repeat(200), true),
            (&"x".repeat(201), false),
            ("a\nb", false),
            ("a\u{202e}b", false),
            ("a\u{feff}b", false),
            ("نامه\u{200c}ای", true),
        ] {
            assert_eq!(name_fault(name).is_none(), fine, "{name:?}");
        }
    }
}
