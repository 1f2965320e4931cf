//! `/update` and `/cpu`: two gauges that requests set.

use super::{
    input::{Query, fault},
    resource::json,
};
use crate::{problem::Problem, state::State};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

/// The gauge's new value.
#[derive(Serialize, ToSchema)]
pub(super) struct ActiveUsers {
    app_active_users: i64,
}

/// The gauge's new value.
#[derive(Serialize, ToSchema)]
pub(super) struct CpuUsage {
    app_cpu_usage_percent: f64,
}

/// GET `/update?users=N`: sets `app_active_users`.
#[utoipa::path(
    get,
    path = "/update",
    tag = "gauges",
    operation_id = "set_active_users",
    summary = "Sets app_active_users",
    params(("users" = i64, Query, minimum = 0, example = 42)),
    responses(
        (status = 200, description = "set", body = ActiveUsers),
        (status = 422, description = "`users` is missing or not an integer of 0 or more"),
    ),
)]
pub(super) async fn active_users(req: HttpRequest, state: Data<State>) -> Result<HttpResponse, Problem> {
    let query = Query::of(&req)?;
    let users =
        query.get("users").and_then(|text| text.trim().parse::<i64>().ok()).filter(|users| *users >= 0);
    let users = users.ok_or_else(|| {
        Problem::validation(vec![fault("#/users", "must be an integer of 0 or more, such as ?users=42")])
    })?;
    state.metrics.active_users.set(users);
    json(StatusCode::OK, &ActiveUsers { app_active_users: users })
}

/// GET `/cpu?value=F`: sets `app_cpu_usage_percent`.
#[utoipa::path(
    get,
    path = "/cpu",
    tag = "gauges",
    operation_id = "set_cpu_usage",
    summary = "Sets app_cpu_usage_percent",
    params(("value" = f64, Query, minimum = 0, maximum = 100, example = 87.5)),
    responses(
        (status = 200, description = "set", body = CpuUsage),
        (status = 422, description = "`value` is missing or not a number from 0 to 100"),
    ),
)]
pub(super) async fn cpu_usage(req: HttpRequest, state: Data<State>) -> Result<HttpResponse, Problem> {
    let query = Query::of(&req)?;
    let value = query.get("value").and_then(|text| text.trim().parse::<f64>().ok());
    let value = value.filter(|value| (0.0..=100.0).contains(value)).ok_or_else(|| {
        Problem::validation(vec![fault("#/value", "must be a number from 0 to 100, such as ?value=87.5")])
    })?;
    state.metrics.cpu_usage.set(value);
    json(StatusCode::OK, &CpuUsage { app_cpu_usage_percent: value })
}
