//! POST `/inference`: predictions for rows of numbers.

use super::{
    input::{self, fault as wrong},
    models,
    once::{self, Held, Key},
};
use crate::{
    fault,
    models::{Description, InferError, Inferred, LoadedModel, Rows},
    problem::{FieldError, Kind, Problem},
    state::State,
    store::{Sent, StoredResponse},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HeaderValue, RETRY_AFTER},
    web::{Bytes, Data},
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Longest body accepted, in bytes: the maximum of rows with a few hundred features.
pub(super) const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// Longest response stored under an `Idempotency-Key`, in bytes: about a thousand predictions.
const LARGEST_KEPT: usize = 64 * 1024;

/// Most errors of a body that are listed.
const MOST_FAULTS: usize = 20;

/// The input of a prediction.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read number by number against the model's shape")]
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
        (status = 413, description = "the body is larger than 4 MiB"),
        (status = 422, description = "the rows do not fit the model, the key was used with another request, or the response is too large to be stored under its key"),
        (status = 503, description = "the queue is full; try again"),
        (status = 504, description = "not ready within the deadline"),
    ),
)]
pub(super) async fn infer(
    req: HttpRequest,
    state: Data<State>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    models::available()?;
    let key = Key::of(&req, &body)?;
    let example = r#"{"model_name":"iris","input_data":[[5.1,3.5,1.4,0.2]]}"#;
    let body = input::object(&req, &body, example)?;
    let name = match body.get("model_name") {
        Some(Value::String(name)) => name,
        Some(_) => return Err(Problem::validation(vec![wrong("#/model_name", "must be a string")])),
        None => return Err(Problem::validation(vec![wrong("#/model_name", "model_name is required")])),
    };
    let model = state.models.get(name).ok_or_else(models::not_loaded)?;
    let rows = rows(&body, model.description()).map_err(Problem::validation)?;
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
        if stored.body.len() > LARGEST_KEPT {
            let detail = "the response is too large to be stored; send fewer rows, or no Idempotency-Key";
            return Err(Problem::new(Kind::Validation, detail));
        }
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

/// The rows of `input_data`, checked against the input of the model.
fn rows(body: &Map<String, Value>, model: &Description) -> Result<Rows, Vec<FieldError>> {
    const FIELD: &str = "#/input_data";
    let one = |detail: String| Err(vec![wrong(FIELD, detail)]);
    let features = model.features;
    let expected = || format!("must be rows of {features} numbers each, such as [[…],[…]]");
    let rows = match body.get("input_data") {
        None => return one("input_data is required".to_owned()),
        Some(Value::Array(rows)) if rows.is_empty() => return one("must have at least one row".to_owned()),
        Some(Value::Array(rows)) if rows.len() > model.most_rows() => {
            return one(format!("must have at most {} rows; {} were sent", model.most_rows(), rows.len()));
        }
        Some(Value::Array(rows)) if rows.len() % model.rows != 0 => {
            return one(format!(
                "must have a multiple of {} rows, which is the batch size of this model",
                model.rows
            ));
        }
        Some(Value::Array(rows)) => rows,
        Some(_) => return one(expected()),
    };
    let mut faults = Vec::new();
    let mut values = Vec::with_capacity(rows.len() * features);
    for (at, row) in rows.iter().enumerate() {
        match row {
            Value::Array(numbers) if numbers.len() == features => {
                for (column, number) in numbers.iter().enumerate() {
                    let value = number.as_f64().map(|number| number as f32).filter(|value| value.is_finite());
                    if value.is_none() && faults.len() < MOST_FAULTS {
                        let detail = match number {
                            Value::Number(_) => "must fit a 32-bit floating point number",
                            _ => "must be a number",
                        };
                        faults.push(wrong(&format!("{FIELD}/{at}/{column}"), detail));
                    }
                    values.push(value.unwrap_or_default());
                }
            }
            Value::Array(numbers) if faults.len() < MOST_FAULTS => {
                let detail = format!("must have {features} numbers; {} were sent", numbers.len());
                faults.push(wrong(&format!("{FIELD}/{at}"), detail));
            }
            _ if faults.len() < MOST_FAULTS => faults.push(wrong(&format!("{FIELD}/{at}"), expected())),
            _ => break,
        }
    }
    if faults.is_empty() { Ok(Rows { count: rows.len(), values }) } else { Err(faults) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(input: Value, at_once: usize) -> Result<Rows, Vec<String>> {
        let model = Description {
            inputs: vec![],
            outputs: vec![],
            features: 2,
            predictions: 1,
            rows: at_once,
            classes: None,
        };
        let body =
            if input.is_null() { Map::new() } else { Map::from_iter([("input_data".to_owned(), input)]) };
        rows(&body, &model).map_err(|faults| {
            faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.detail)).collect()
        })
    }

    #[test]
    fn reads_rows_in_order() {
        let found = check(json!([[1, 2.5], [-3, 1e-3]]), 1).unwrap();
        assert_eq!(found, Rows { count: 2, values: vec![1.0, 2.5, -3.0, 0.001] });
        assert_eq!(check(json!([[1, 2], [3, 4]]), 2).unwrap().count, 2);
    }

    #[test]
    fn points_at_each_wrong_value() {
        for (input, at_once, expected) in [
            (json!(null), 1, &["#/input_data input_data is required"][..]),
            (json!("1,2"), 1, &["#/input_data must be rows of 2 numbers each, such as [[…],[…]]"]),
            (json!([]), 1, &["#/input_data must have at least one row"]),
            (json!([1, 2]), 1, &["#/input_data/0 must be rows of 2", "#/input_data/1 must be rows of 2"]),
            (
                json!([[1, 2], [1], [1, 2, 3]]),
                1,
                &["#/input_data/1 must have 2 numbers; 1 were", "#/input_data/2 must have 2 numbers; 3 were"],
            ),
            (
                json!([[1, "NaN"], [null, true]]),
                1,
                &[
                    "#/input_data/0/1 must be a number",
                    "#/input_data/1/0 must be",
                    "#/input_data/1/1 must be",
                ],
            ),
            (json!([[1e39, 0], [-1e39, 0]]), 1, &["#/input_data/0/0 must fit", "#/input_data/1/0 must fit"]),
            (json!(vec![[0, 0]; 1025]), 1, &["#/input_data must have at most 1024 rows; 1025 were"]),
            (json!([[1, 2], [3, 4], [5, 6]]), 2, &["#/input_data must have a multiple of 2 rows"]),
        ] {
            let found = check(input.clone(), at_once).unwrap_err();
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.starts_with(expected), "{found} / {expected}");
            }
        }
        assert_eq!(check(json!(vec![["x", "y"]; 500]), 1).unwrap_err().len(), MOST_FAULTS);
        assert_eq!(check(json!(vec![0; 500]), 1).unwrap_err().len(), MOST_FAULTS);
    }
}
