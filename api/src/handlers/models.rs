//! The models resource: list, load and unload models.

use super::resource::json;
use crate::{
    models::{self, Description, LoadError, LoadedModel, ModelName},
    problem::{Kind, Problem},
    routes,
    state::State,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{HeaderValue, LOCATION, RETRY_AFTER},
    },
    web::{Bytes, Data},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A loaded model with its inputs and outputs.
#[derive(Serialize, ToSchema)]
pub(super) struct Model<'a> {
    name: &'a str,
    /// Size of its file.
    size_bytes: u64,
    #[serde(flatten)]
    description: &'a Description,
}

/// Every loaded model.
#[derive(Serialize, ToSchema)]
pub(super) struct Loaded<'a> {
    models: Vec<Model<'a>>,
    count: usize,
}

/// GET `/models`: every loaded model with its inputs and outputs.
#[utoipa::path(
    get,
    path = "/models",
    tag = "models",
    operation_id = "list_models",
    summary = "Loaded models with their inputs and outputs",
    responses(
        (status = 200, description = "every loaded model", body = Loaded),
    ),
)]
pub(super) async fn list(state: Data<State>) -> Result<HttpResponse, Problem> {
    available()?;
    let loaded = state.models.list();
    let models: Vec<Model<'_>> = loaded.iter().map(|model| shown(model)).collect();
    json(StatusCode::OK, &Loaded { count: models.len(), models })
}

/// GET `/models/{name}`: one loaded model.
#[utoipa::path(
    get,
    path = "/models/{name}",
    tag = "models",
    operation_id = "get_model",
    summary = "One loaded model",
    params(("name" = String, Path, description = "letters, digits, `-` and `_`")),
    responses(
        (status = 200, description = "the model", body = Model),
        (status = 404, description = "no model of this name is loaded"),
    ),
)]
pub(super) async fn get(req: HttpRequest, state: Data<State>) -> Result<HttpResponse, Problem> {
    available()?;
    let model = state.models.get(req.match_info().query("name")).ok_or_else(not_loaded)?;
    json(StatusCode::OK, &shown(&model))
}

/// PUT `/models/{name}`: loads NAME.onnx from the models folder; 201, or 200 when it replaces a loaded model.
#[utoipa::path(
    put,
    path = "/models/{name}",
    tag = "models",
    operation_id = "load_model",
    summary = "Loads NAME.onnx from the models folder",
    params(("name" = String, Path, description = "letters, digits, `-` and `_`")),
    responses(
        (status = 200, description = "replaced the loaded model of that name", body = Model),
        (
            status = 201,
            description = "loaded",
            body = Model,
            headers(("Location" = String, description = "the path of the model"))
        ),
        (status = 400, description = "the request has a body; send none, because the model is loaded from the models folder"),
        (status = 404, description = "no such file"),
        (status = 409, description = "too many models are loaded"),
        (status = 413, description = "the request has a large body; send none"),
        (status = 422, description = "the file is not a usable model"),
        (status = 503, description = "other models are being loaded; try again"),
        (status = 504, description = "loading took too long"),
    ),
)]
pub(super) async fn load(req: HttpRequest, state: Data<State>, body: Bytes) -> Result<HttpResponse, Problem> {
    available()?;
    // A client that sends the file itself must not believe that it was accepted.
    if !matches!(body.trim_ascii(), b"" | b"{}") {
        let detail = "send no body; put the file into the models folder as NAME.onnx and repeat the request";
        return Err(Problem::new(Kind::BadRequest, detail));
    }
    // An invalid name cannot be the name of a file.
    let name = ModelName::parse(req.match_info().query("name")).ok_or(LoadError::Missing)?;
    let (model, new) = state.models.load(name).await?;
    if !new {
        return json(StatusCode::OK, &shown(&model));
    }
    let mut response = json(StatusCode::CREATED, &shown(&model))?;
    let location = HeaderValue::try_from(format!("{}/{}", routes::MODELS.path, model.name()));
    response.headers_mut().insert(LOCATION, location.expect("a model name is valid in a header"));
    Ok(response)
}

/// DELETE `/models/{name}`: unloads the model with 204; the file stays.
#[utoipa::path(
    delete,
    path = "/models/{name}",
    tag = "models",
    operation_id = "unload_model",
    summary = "Unloads a model; its file stays",
    params(("name" = String, Path, description = "letters, digits, `-` and `_`")),
    responses(
        (status = 204, description = "unloaded"),
        (status = 401, description = "the request has no API key (UNLOAD_MODELS)"),
        (status = 403, description = "the gateway has no API keys (UNLOAD_MODELS)"),
        (status = 404, description = "no model of this name is loaded"),
    ),
)]
pub(super) async fn unload(req: HttpRequest, state: Data<State>) -> Result<HttpResponse, Problem> {
    available()?;
    if state.models.unload(req.match_info().query("name")) {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(not_loaded())
    }
}

/// Whether this build runs models.
pub(super) fn available() -> Result<(), Problem> {
    if models::AVAILABLE {
        return Ok(());
    }
    Err(Problem::new(
        Kind::NotImplemented,
        "this gateway was built without models (cargo feature `inference`)",
    ))
}

pub(super) fn not_loaded() -> Problem {
    Problem::new(Kind::NotFound, "no model of this name is loaded; GET /models lists those that are")
}

fn shown(model: &LoadedModel) -> Model<'_> {
    Model { name: model.name(), size_bytes: model.size(), description: model.description() }
}

impl From<LoadError> for Problem {
    fn from(error: LoadError) -> Self {
        let detail = error.to_string();
        match error {
            LoadError::Missing => Self::new(Kind::NotFound, detail),
            LoadError::Unfit(_) => Self::new(Kind::Validation, detail),
            LoadError::TooMany => Self::new(Kind::Conflict, detail),
            LoadError::Busy => Self::unavailable(detail).header(RETRY_AFTER, HeaderValue::from_static("5")),
            LoadError::TooSlow(_) => Self::new(Kind::DeadlineExceeded, detail),
        }
    }
}
