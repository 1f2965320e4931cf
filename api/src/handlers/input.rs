//! What a client sends: query parameters, and fields from a JSON body or from the query.

use crate::{
    problem::{FieldError, Kind, Problem},
    store::Changes,
};
use actix_web::{HttpMessage, HttpRequest, web};
use serde_json::{Map, Value};

const BOTH_FORMS: &str =
    "send the body as application/json, or the fields as query parameters without a body";

/// Longest name, in characters.
const NAME_LIMIT: usize = 200;
/// Longest address a mail path takes (RFC 5321, 4.5.3.1.3, without the angle brackets).
const EMAIL_LIMIT: usize = 254;

// The two below are for the description only: `user_fields` reads both forms and names every fault at once.

/// What creates a user.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what is read by hand")]
pub(super) struct NewUser {
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    name: String,
    /// Unique, whatever its case.
    #[schema(format = Email, max_length = 254, example = "ada@example.com")]
    email: String,
}

/// What changes a user; a field that is not given keeps its value.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what is read by hand")]
pub(super) struct UserChanges {
    #[schema(required = false, min_length = 1, max_length = 200, example = "Ada Lovelace")]
    name: String,
    /// Unique, whatever its case.
    #[schema(required = false, format = Email, max_length = 254, example = "ada@example.com")]
    email: String,
}

/// A request's query parameters.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(req: &HttpRequest) -> Result<Self, Problem> {
        web::Query::<Vec<(String, String)>>::from_query(req.query_string())
            .map(|pairs| Self(pairs.into_inner()))
            .map_err(|error| {
                Problem::new(Kind::BadRequest, "the query string cannot be understood").caused_by(error)
            })
    }

    /// The first value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A user's fields, from the JSON body where there is one, else from the query. Every field given is valid.
pub(super) fn user_fields(req: &HttpRequest, body: &[u8]) -> Result<Changes, Problem> {
    let mut errors = Vec::new();
    let mut fields = if body.is_empty() {
        let query = Query::of(req)?;
        Changes { name: query.get("name").map(str::to_owned), email: query.get("email").map(str::to_owned) }
    } else {
        from_json(req, body, &mut errors)?
    };
    clean(&mut fields.name, "#/name", name_fault, &mut errors);
    clean(&mut fields.email, "#/email", email_fault, &mut errors);
    if errors.is_empty() { Ok(fields) } else { Err(Problem::validation(errors)) }
}

/// Name and e-mail of a user to create: both are needed.
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

/// The JSON object a body holds; `example` shows one in the complaint about anything else.
pub(super) fn object(req: &HttpRequest, body: &[u8], example: &str) -> Result<Map<String, Value>, Problem> {
    match json_value(req, body)? {
        Value::Object(object) => Ok(object),
        _ => Err(Problem::validation(vec![fault("#", format!("must be an object such as {example}"))])),
    }
}

fn from_json(req: &HttpRequest, body: &[u8], errors: &mut Vec<FieldError>) -> Result<Changes, Problem> {
    let object = object(req, body, r#"{"name":"Ada","email":"ada@example.com"}"#);
    let mut object = object.map_err(|problem| match problem.kind {
        Kind::UnsupportedMediaType => Problem::new(problem.kind, BOTH_FORMS),
        _ => problem,
    })?;
    let mut take = |field: &str| match object.remove(field) {
        None => None,
        Some(Value::String(text)) => Some(text),
        Some(_) => {
            errors.push(fault(&format!("#/{field}"), "must be a string"));
            None
        }
    };
    Ok(Changes { name: take("name"), email: take("email") })
}

/// The body as JSON.
pub(super) fn json_value(req: &HttpRequest, body: &[u8]) -> Result<Value, Problem> {
    let media_type = req.content_type();
    if media_type != "application/json" && !media_type.ends_with("+json") {
        return Err(Problem::new(Kind::UnsupportedMediaType, "send the body as application/json"));
    }
    serde_json::from_slice(body).map_err(|error| {
        let detail = format!("the body is not JSON: line {}, column {}", error.line(), error.column());
        Problem::new(Kind::BadRequest, detail)
    })
}

/// A whole number among the query parameters.
pub(super) fn number(query: &Query, name: &str, least: i64, most: i64) -> Result<Option<i64>, Problem> {
    let Some(text) = query.get(name) else { return Ok(None) };
    match text.trim().parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
        _ => {
            let detail = format!("must be a whole number from {least} to {most}");
            Err(Problem::validation(vec![fault(&format!("#/{name}"), detail)]))
        }
    }
}

/// A fault of one field.
pub(super) fn fault(pointer: &str, detail: impl Into<String>) -> FieldError {
    FieldError { detail: detail.into(), pointer: pointer.to_owned() }
}

/// Trims a field that was given and notes what is wrong with it.
fn clean(
    field: &mut Option<String>,
    pointer: &str,
    check: fn(&str) -> Option<String>,
    errors: &mut Vec<FieldError>,
) {
    if let Some(text) = field {
        *text = text.trim().to_owned();
        errors.extend(check(text).map(|detail| fault(pointer, detail)));
    }
}

fn name_fault(name: &str) -> Option<String> {
    if name.is_empty() {
        Some("must not be empty".to_owned())
    } else if name.chars().count() > NAME_LIMIT {
        Some(format!("must be at most {NAME_LIMIT} characters"))
    } else if name.chars().any(char::is_control) {
        Some("must not contain control characters".to_owned())
    } else {
        None
    }
}

/// Catches slips, not every address that no server would take: only a mail to it could tell.
fn email_fault(email: &str) -> Option<String> {
    let wrong = || Some("must be an e-mail address such as ada@example.com".to_owned());
    if email.len() > EMAIL_LIMIT {
        return Some(format!("must be at most {EMAIL_LIMIT} bytes"));
    }
    let Some((local, domain)) = email.rsplit_once('@') else { return wrong() };
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '<' | '>' | ',' | ';' | '"');
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    if local.is_empty() || local.contains(odd) || !domain.split('.').all(label) { wrong() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_in_addresses_are_caught() {
        for good in ["a@b.c", "ada.l+x@example.com", "root@localhost", "ä@exämple.org"] {
            assert_eq!(email_fault(good), None, "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for bad in ["", "a", "@b", "a@", "a b@c.d", "a@b..c", "a@-b.c", "a@@b.c", "<a@b.c>", "a@b,c", &long] {
            assert!(email_fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn names_are_bounded() {
        for (name, fine) in
            [("Ada", true), ("", false), (&"x".repeat(200), true), (&"x".repeat(201), false), ("a\nb", false)]
        {
            assert_eq!(name_fault(name).is_none(), fine, "{name:?}");
        }
    }
}
