//! POST `/api/ingest`: batches of readings.

use super::{
    input,
    once::{self, Key},
};
use crate::{
    pipeline::{self, Batch},
    problem::{FieldError, Problem},
    server::State,
    store::{Answer, Sent},
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, Data},
};
use serde_json::json;

/// POST `/api/ingest`: 202 once the good readings are committed, with what is wrong with each of the others; 422 when
/// none is good.
pub(super) async fn ingest(
    req: HttpRequest,
    state: Data<State>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    let key = Key::of(&req, &body)?;
    let Batch { readings, rejected } =
        pipeline::check(input::json_value(&req, &body)?).map_err(|fault| Problem::validation(vec![fault]))?;
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
    let body = json!({"accepted": readings.len(), "rejected": rejected}).to_string();
    let answer = Answer { status: 202, headers: Vec::new(), body: body.into() };
    let once = held.as_ref().map(|held| (held.once, answer.clone()));
    match state.pipeline.submit(readings, once).await? {
        Sent::First(()) => once::answer(answer),
        again => once::again(again),
    }
}
