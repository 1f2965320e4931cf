//! POST `/inference`: predictions for rows of numbers.

mod body;

use super::{
    input::{self, fault as wrong},
    models,
    once::{self, Held, Key},
};
use crate::{
    fault,
    models::{InferError, Inferred, LoadedModel, Models, Rows},
    problem::{Kind, Problem},
    state::State,
    store::{Sent, StoredResponse},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HeaderValue, RETRY_AFTER},
    web::{self, Bytes, Data},
};
use body::Body;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Longest body accepted, in bytes: the maximum of rows with a hundred features. Each model has its own limit within it.
pub(super) const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// Longest body that is read on a serving thread, in bytes; longer ones would delay other requests.
const READ_AT_ONCE: usize = 16 * 1024;

/// The input of a prediction.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "used only in the API description; the body is parsed number by number against the model's shape"
)]
pub(super) struct InferenceRequest {
    #[schema(examples("iris"))]
    model_name: String,
    /// Rows with as many numbers as the model expects.
    #[schema(examples(json!([[5.1, 3.5, 1.4, 0.2]])), min_items = 1, max_items = 1024)]
    input_data: Vec<Vec<f32>>,
}

/// Predictions. Serialized as `f32`, so that a number has only the digits its 32 bits need.
#[derive(Serialize, ToSchema)]
pub(super) struct Predictions<'a> {
    model_name: &'a str,
    /// One row for each input row.
    predictions: &'a [Vec<f32>],
    /// The most likely class of each row, if the model names its classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    predicted_classes: Option<Vec<&'a str>>,
}

/// POST `/inference`.
#[utoipa::path(
    post,
    path = "/inference",
    tag = "models",
    operation_id = "infer",
    summary = "Predicts with a loaded model",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "a request repeated with this key within a day gets the first response again", min_length = 1, max_length = 255),
    ),
    request_body = InferenceRequest,
    responses(
        (status = 200, description = "the predictions", body = Predictions),
        (status = 400, description = "the body is not JSON, or the idempotency key is not valid"),
        (status = 404, description = "no model of this name is loaded"),
        (status = 409, description = "the first request with this key is still in progress"),
        (status = 413, description = "the body is larger than 4 MiB, or than the maximum for the model"),
        (status = 422, description = "the rows do not fit the model, the key was used with another request, or the response is too large to be stored under its key"),
        (status = 503, description = "the queue is full; try again"),
        (status = 504, description = "the predictions were not ready within the deadline"),
    ),
)]
pub(super) async fn infer(
    req: HttpRequest,
    state: Data<State>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    models::available()?;
    input::expect_json(&req)?;
    let (model, rows) = if body.len() <= READ_AT_ONCE {
        read(&state.models, &body)?
    } else {
        let (models, body) = (state.models.clone(), body.clone());
        web::block(move || read(&models, &body)).await.map_err(Problem::internal)??
    };
    let key = Key::of(&req, &body)?;
    drop(body);
    let held = key.map(|key| key.hold(&state.store)).transpose()?;
    if let Some(Held { once, .. }) = &held
        && let Some(sent) = state.store.kept(*once).await?
    {
        return once::again(sent);
    }
    let Inferred { outcome, faults } = state.models.infer(model.clone(), rows).await;
    state.faults.count_models(&faults);
    let acted = (!faults.is_empty()).then(|| fault::names(faults.iter().map(String::as_str)));
    let rows = match (outcome, &acted) {
        (Ok(rows), _) => rows,
        (Err(error), None) => return Err(error.into()),
        (Err(error), Some(acted)) => return Err(Problem::from(error).header(fault::HEADER, acted.clone())),
    };
    let stored = predictions_response(&model, &rows)?;
    if let Some(Held { once, .. }) = &held {
        once::storable(&stored)?;
        match state.store.keep(*once, stored.clone()).await? {
            Sent::First(()) => {}
            again => return once::again(again),
        }
    }
    let mut response = once::respond(stored)?;
    if let Some(acted) = acted {
        response.headers_mut().insert(fault::HEADER, acted);
    }
    Ok(response)
}

/// The model of a request, and its rows.
fn read(loaded: &Models, body: &[u8]) -> Result<(Arc<LoadedModel>, Rows), Problem> {
    let parts = Body::read(body)?;
    let model = loaded.get(&parts.model_name()?).ok_or_else(models::not_loaded)?;
    let description = model.description();
    if body.len() > description.largest_body() {
        let detail = format!(
            "the body has {} bytes: must have at most {}, the maximum for {} rows of {} numbers",
            body.len(),
            description.largest_body(),
            description.max_rows(),
            description.features,
        );
        return Err(Problem::new(Kind::PayloadTooLarge, detail));
    }
    let rows = parts.rows(description).map_err(Problem::validation)?;
    Ok((model, rows))
}

fn predictions_response(model: &LoadedModel, rows: &[Vec<f32>]) -> Result<StoredResponse, Problem> {
    let description = model.description();
    let predictions = Predictions {
        model_name: model.name(),
        predictions: rows,
        predicted_classes: rows.iter().map(|row| description.class_of(row)).collect(),
    };
    let body = serde_json::to_vec(&predictions).map_err(Problem::internal)?;
    Ok(StoredResponse { status: 200, headers: Vec::new(), body })
}

impl From<InferError> for Problem {
    fn from(error: InferError) -> Self {
        let soon = |detail| Self::unavailable(detail).header(RETRY_AFTER, HeaderValue::from_static("1"));
        match error {
            InferError::Full => soon("the inference queue is full; try again shortly"),
            InferError::Stopped => soon("the gateway is stopping; try again shortly"),
            InferError::Late => {
                Self::new(Kind::DeadlineExceeded, "the predictions were not ready within the deadline")
            }
            InferError::Injected | InferError::Failed(_) => Self::internal(error),
            InferError::NotFinite(row) => Self::validation(vec![wrong(
                &format!("#/input_data/{row}"),
                "the prediction is not finite: the numbers are out of range for this model",
            )]),
        }
    }
}
