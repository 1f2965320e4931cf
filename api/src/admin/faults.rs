//! `/faults`: list, start and lift faults.

use crate::{
    fault::{self, Refusal, Status},
    handlers::{input, resource::json},
    problem::{FieldError, Kind, Problem},
    state::State,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{HeaderValue, LOCATION},
    },
    web::{self, Bytes, Data, Path},
};
use serde_json::{Value, json};
use std::time::Instant;

/// GET `/faults`.
pub(super) async fn list(state: Data<State>) -> Result<HttpResponse, Problem> {
    let faults: Vec<Value> = state.faults.list(Instant::now()).iter().map(shown).collect();
    json(StatusCode::OK, &json!({"count": faults.len(), "faults": faults}))
}

/// GET `/faults/{id}`.
pub(super) async fn get(state: Data<State>, id: Path<String>) -> Result<HttpResponse, Problem> {
    match find(&state, &id) {
        Some(status) => json(StatusCode::OK, &shown(&status)),
        None => Err(missing(&id)),
    }
}

/// PUT `/faults/{id}`: 201 for a new id, 200 when it replaces a fault. Responds once the fault is active.
pub(super) async fn put(
    req: HttpRequest,
    state: Data<State>,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    let value = input::json_value(&req, &body)?;
    let spec = fault::parse(&value, state.faults.bounds()).map_err(Problem::validation)?;
    let (id, faults) = (id.into_inner(), state.faults.clone());
    let name = id.clone();
    // Writing to gigabytes takes a while, and the listener has one worker.
    let new = web::block(move || faults.put(&name, spec, Instant::now()))
        .await
        .map_err(Problem::internal)?
        .map_err(refused)?;
    // A time to live of milliseconds may have passed already.
    let status = find(&state, &id);
    tracing::warn!(id, fault = %status.as_ref().map(shown).unwrap_or_default(), "fault active");
    let body = status.as_ref().map_or_else(|| json!({"id": id}), shown);
    let mut response = json(if new { StatusCode::CREATED } else { StatusCode::OK }, &body)?;
    if new {
        let location = HeaderValue::from_str(&format!("/faults/{id}")).map_err(Problem::internal)?;
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// DELETE `/faults/{id}`: 204 once its effect has ended.
pub(super) async fn lift(state: Data<State>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let (id, faults) = (id.into_inner(), state.faults.clone());
    let name = id.clone();
    if !web::block(move || faults.lift(&name)).await.map_err(Problem::internal)? {
        return Err(missing(&id));
    }
    tracing::info!(id, "fault lifted");
    Ok(HttpResponse::NoContent().finish())
}

fn find(state: &State, id: &str) -> Option<Status> {
    state.faults.list(Instant::now()).into_iter().find(|status| status.id == id)
}

fn shown(status: &Status) -> Value {
    let mut fields = serde_json::Map::new();
    fields.insert("id".to_owned(), status.id.clone().into());
    fields.extend(status.spec.to_json());
    let left = (status.left.as_secs_f64() * 1000.0).round() / 1000.0;
    fields.insert("expires_in_seconds".to_owned(), left.into());
    if status.spec.acts_on_traffic() {
        fields.insert("requests_seen".to_owned(), status.covered.into());
    }
    Value::Object(fields)
}

fn missing(id: &str) -> Problem {
    let known = fault::acceptable_id(id);
    let detail = if known { format!("no fault {id} is active") } else { "no such fault".to_owned() };
    Problem::new(Kind::NotFound, detail)
}

fn refused(refusal: Refusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        Refusal::Id => Problem::new(Kind::Validation, detail),
        Refusal::TooMany => Problem::new(Kind::Conflict, detail),
        Refusal::Memory { .. } => {
            Problem::validation(vec![FieldError { detail, pointer: "#/memory".to_owned() }])
        }
        Refusal::NoMemory(cause) => Problem::unavailable(detail).caused_by(cause),
    }
}
