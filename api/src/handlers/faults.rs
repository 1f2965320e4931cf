//! `/slow` and `/error`: answers that are late or wrong on purpose, to trip alerts with.

use super::{input::Query, json};
use crate::{
    problem::{Kind, Problem},
    shares::{Shares, random_point},
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// The end of a wait.
#[derive(Serialize, ToSchema)]
pub(super) struct Slow {
    message: &'static str,
    /// How long it was.
    delay_seconds: f64,
}

/// No error this time.
#[derive(Serialize, ToSchema)]
pub(super) struct NoError {
    message: &'static str,
}

/// Longest delay; longer ones are cut to it.
const LONGEST: Duration = Duration::from_secs(30);
/// Without `delay`: 2 to 3 seconds.
const USUAL: std::ops::Range<f64> = 2.0..3.0;

/// GET `/slow`: 200 after a while. `?delay=250ms`, or shares of requests as in `?delay=50ms:90,2s:10`; the rest of
/// the shares is not delayed.
#[utoipa::path(
    get,
    path = "/slow",
    tag = "faults",
    operation_id = "slow",
    summary = "Answers late on purpose",
    description = "2 to 3 seconds late, or as `delay` says: one duration, or durations with percentages of the requests \
                   as in `50ms:90,2s:10`; the rest is not delayed. 30 s at most.",
    params(("delay" = Option<String>, Query, example = "250ms")),
    responses(
        (status = 200, description = "after the delay", body = Slow),
        (status = 400, description = "`delay` cannot be understood"),
    ),
)]
pub(super) async fn slow(req: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&req)?;
    let delay = match query.get("delay") {
        None => Duration::from_secs_f64(USUAL.start + (USUAL.end - USUAL.start) * random_point()),
        Some(text) => {
            let shares = Shares::parse(text, |value| {
                humantime::parse_duration(value)
                    .map_err(|_| "expected a duration such as 250ms or 2s".to_owned())
            });
            shares
                .map_err(|error| bad("delay", &error))?
                .pick(random_point())
                .unwrap_or_default()
                .min(LONGEST)
        }
    };
    tokio::time::sleep(delay).await;
    json(StatusCode::OK, &Slow { message: "slow on purpose", delay_seconds: delay.as_secs_f64() })
}

/// GET `/error`: 500. `?status=503:20,404:10` answers those shares of requests so, and 200 otherwise.
#[utoipa::path(
    get,
    path = "/error",
    tag = "faults",
    operation_id = "error",
    summary = "Answers with an error on purpose",
    description = "500, or as `status` says: one status from 400 to 599, or statuses with percentages of the requests as \
                   in `503:20,404:10`; the rest is 200.",
    params(("status" = Option<String>, Query, example = "503:20,404:10")),
    responses(
        (status = 200, description = "no error this time", body = NoError),
        (status = 400, description = "`status` cannot be understood"),
        (status = "4XX", description = "as asked for"),
        (status = "5XX", description = "as asked for"),
    ),
)]
pub(super) async fn error(req: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&req)?;
    let status = match query.get("status") {
        None => Some(StatusCode::INTERNAL_SERVER_ERROR),
        Some(text) => {
            let shares = Shares::parse(text, |value| {
                let status = value.parse().ok().filter(|code| (400..=599).contains(code));
                let status = status.and_then(|code: u16| StatusCode::from_u16(code).ok());
                status.ok_or_else(|| "expected an error status from 400 to 599".to_owned())
            });
            shares.map_err(|error| bad("status", &error))?.pick(random_point())
        }
    };
    match status {
        Some(status) => Err(Problem::new(Kind::Requested(status), "an error on purpose, as asked for")),
        None => json(StatusCode::OK, &NoError { message: "no error this time" }),
    }
}

fn bad(parameter: &str, error: &dyn std::fmt::Display) -> Problem {
    let detail = format!(
        "`{parameter}` cannot be understood: {error}; write one value, or values with percentages such as \
         A:20,B:10"
    );
    Problem::new(Kind::BadRequest, detail)
}
