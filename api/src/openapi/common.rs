//! The common parts of operations.

use crate::{problem::MEDIA_TYPE, routes::Endpoint};
use utoipa::openapi::{
    Content, Header, Object, Ref, RefOr, Required, Response, ResponseBuilder, Type,
    path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
    schema::{Schema, SchemaType},
};

/// Headers of every limited response.
const LIMIT_HEADERS: &[(&str, Type, &str)] = &[
    ("RateLimit-Policy", Type::String, "the policies that apply: quota `q` in a window of `w` seconds"),
    (
        "RateLimit",
        Type::String,
        "for each policy, the remaining quota `r` and the seconds `t` until it is full again",
    ),
    ("X-RateLimit-Limit", Type::Integer, "the quota of the policy closest to its limit"),
    ("X-RateLimit-Remaining", Type::Integer, "the remaining quota of that policy"),
    ("X-RateLimit-Reset", Type::Integer, "seconds until that quota is full again"),
];

/// Adds the statuses that any operation of its kind may return, and to every response its common parts.
pub(super) fn complete(operation: &mut Operation, endpoint: &Endpoint, method: &str) {
    // A browser's preflight is not limited.
    let limited = endpoint.limited && method != "OPTIONS";
    // OpenAPI 3.1 writes the type of an optional parameter as "or null", but no query or header can be null.
    for parameter in operation.parameters.iter_mut().flatten() {
        never_null(parameter);
    }
    for content in operation.request_body.iter_mut().flat_map(|body| body.content.values_mut()) {
        alone(&mut content.schema);
    }
    let tagged = |tag: &str| operation.tags.iter().flatten().any(|own| own == tag);
    let stored = ["users", "orders", "readings"].into_iter().any(tagged);
    let models = tagged("models");
    let responses = &mut operation.responses.responses;
    let mut also = |status: u16, reason: &str| {
        responses
            .entry(status.to_string())
            .or_insert_with(|| ResponseBuilder::new().description(reason).build().into());
    };
    also(500, "internal error");
    if operation.request_body.is_some() {
        also(400, "the body is not valid JSON");
        also(413, "the body is larger than 64 KiB");
        also(415, "the body is not application/json");
        also(408, "the body was not complete in time");
    }
    if stored {
        also(503, "the database is busy or unavailable");
    }
    if models {
        also(501, "this build does not include models");
    }
    if limited {
        also(401, "the API key is unknown, or a key is required");
        if !matches!(method, "GET" | "HEAD") || endpoint.writes_on_get() {
            also(403, "a page of another site sends it");
        }
        also(429, "rate limit exceeded; wait for `Retry-After`");
    }
    for (status, response) in responses {
        if let RefOr::T(response) = response {
            common_parts(response, status, limited);
        }
    }
}

/// HEAD: like GET, without a body.
pub(super) fn head(get: &Operation) -> Operation {
    let mut head = get.clone();
    head.operation_id = get.operation_id.as_ref().map(|id| format!("{id}_head"));
    head.summary = Some("Like GET, without a body".to_owned());
    head.description = None;
    for response in head.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            response.content.clear();
        }
    }
    head
}

/// OPTIONS: the supported methods.
pub(super) fn options(endpoint: &Endpoint) -> Operation {
    let mut response = ResponseBuilder::new().description("see `Allow`").build();
    response.headers.insert("Allow".to_owned(), header(Type::String, endpoint.allow));
    let words: Vec<&str> =
        endpoint.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut operation = OperationBuilder::new()
        .operation_id(Some(["options", &words.join("_")].join("_").trim_end_matches('_').to_owned()))
        .summary(Some("The methods of this route"))
        .response("204", response)
        .build();
    // Every method must describe the parameters of the path.
    let names = endpoint.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let parameters: Vec<Parameter> = names
        .map(|name| {
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(Object::with_type(Type::String)))
                .build()
        })
        .collect();
    if !parameters.is_empty() {
        operation.parameters = Some(parameters);
    }
    complete(&mut operation, endpoint, "OPTIONS");
    operation
}

/// Headers that any request may have.
pub(super) fn parameters() -> Vec<Parameter> {
    let header = |name: &str, description: &str| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(Object::with_type(Type::String)))
            .build()
    };
    vec![
        header(
            "X-Request-Id",
            "accepted if it has 1 to 64 letters, digits, `-`, `_` or `.`; otherwise replaced",
        ),
        header("traceparent", "the caller's W3C trace context; continued if valid"),
    ]
}

fn common_parts(response: &mut Response, status: &str, limited: bool) {
    response.headers.insert("X-Request-Id".to_owned(), header(Type::String, "id of the request in the log"));
    if limited {
        for (name, kind, description) in LIMIT_HEADERS {
            response.headers.insert((*name).to_owned(), header(kind.clone(), description));
        }
    }
    if status == "429" || status == "503" {
        let retry = header(Type::Integer, "seconds to wait before a retry");
        response.headers.insert("Retry-After".to_owned(), retry);
    }
    if status == "401" {
        let challenge = header(Type::String, "how to authenticate");
        response.headers.insert("WWW-Authenticate".to_owned(), challenge);
    }
    if status.starts_with(['4', '5']) {
        let trace = header(Type::String, "the trace and span of the request (W3C trace context)");
        response.headers.insert("traceresponse".to_owned(), trace);
        let problem: RefOr<Schema> = Ref::from_schema_name("Problem").into();
        response.content.insert(MEDIA_TYPE.to_owned(), Content::new(Some(problem)));
    }
}

fn header(kind: Type, description: &str) -> Header {
    let mut header = Header::new(Object::with_type(kind));
    header.description = Some(description.to_owned());
    header
}

/// An optional body is absent, not null: removes the null alternative of its schema.
fn alone(schema: &mut Option<RefOr<Schema>>) {
    if let Some(RefOr::T(Schema::OneOf(choice))) = schema {
        choice.items.retain(|item| matches!(item, RefOr::Ref(_)));
        if let [only] = choice.items.as_slice() {
            *schema = Some(only.clone());
        }
    }
}

fn never_null(parameter: &mut Parameter) {
    if let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema
        && let SchemaType::Array(types) = &mut object.schema_type
    {
        types.retain(|one| *one != Type::Null);
        if let [only] = types.as_slice() {
            object.schema_type = SchemaType::Type(only.clone());
        }
    }
}
