//! POST `/api/ingest`: batches of readings.

use super::{
    input,
    once::{self, Key},
};
use crate::{
    pipeline::{self, Batch, Rejection},
    problem::{FieldError, Problem},
    state::State,
    store::{Reading, Sent, StoredResponse},
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, Data},
};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use utoipa::ToSchema;

/// Readings to ingest, at most 1000.
#[derive(ToSchema)]
#[expect(dead_code, reason = "used only in the API description; the body is parsed reading by reading")]
pub(super) struct Readings {
    #[schema(min_items = 1, max_items = 1000)]
    readings: Vec<Reading>,
}

/// The part of a body that matters, as text.
#[derive(Deserialize)]
struct Parts<'a> {
    #[serde(borrow)]
    readings: Option<&'a RawValue>,
}

const EXAMPLE: &str =
    r#"{"readings":[{"device":"d1","stream":"heart_rate","timestamp":1790000000,"value":61}]}"#;

/// Result of a batch.
#[derive(Serialize, ToSchema)]
pub(super) struct Ingested {
    /// How many readings are committed.
    accepted: usize,
    /// The rejected readings and their errors.
    rejected: Vec<Rejection>,
}

/// POST `/api/ingest`: 202 once the valid readings are committed, with the errors of the others; 422 when none is
/// valid.
#[utoipa::path(
    post,
    path = "/api/ingest",
    tag = "readings",
    operation_id = "ingest",
    summary = "Ingests a batch of readings",
    description = "Responds once the valid readings are committed. Of several readings for one device, stream and second, the last one is kept.",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "a request repeated with this key within a day gets the first response again", min_length = 1, max_length = 255),
    ),
    request_body = Readings,
    responses(
        (status = 202, description = "at least one reading is committed", body = Ingested),
        (status = 400, description = "the body is not JSON, or the idempotency key is not valid"),
        (status = 409, description = "the first request with this key is still in progress"),
        (status = 413, description = "the body is larger than 512 KiB"),
        (status = 422, description = "no reading is valid, the key was used with another request, or the response is too large to be stored under its key"),
        (status = 503, description = "the queue is full, or the database is busy or unavailable"),
    ),
)]
pub(super) async fn ingest(
    req: HttpRequest,
    state: Data<State>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    let key = Key::of(&req, &body)?;
    let parts: Parts<'_> = input::parts(&req, &body, EXAMPLE)?;
    let Batch { readings, rejected } = pipeline::check(parts.readings.map(RawValue::get))
        .map_err(|fault| Problem::validation(vec![fault]))?;
    state.pipeline.note_rejected(&rejected);
    if readings.is_empty() {
        let errors = rejected
            .iter()
            .map(|rejection| FieldError {
                detail: rejection.detail.clone(),
                pointer: rejection.pointer.clone(),
            })
            .collect();
        return Err(Problem::validation(errors).with("accepted", 0).with("rejected", json!(rejected)));
    }
    let held = key.map(|key| key.hold(&state.store)).transpose()?;
    let body =
        serde_json::to_vec(&Ingested { accepted: readings.len(), rejected }).map_err(Problem::internal)?;
    let stored = StoredResponse { status: 202, headers: Vec::new(), body };
    if held.is_some() {
        once::storable(&stored)?;
    }
    let once = held.as_ref().map(|held| (held.once, stored.clone()));
    match state.pipeline.submit(readings, once).await? {
        Sent::First(()) => once::respond(stored),
        again => once::again(again),
    }
}
