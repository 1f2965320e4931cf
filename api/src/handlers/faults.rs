//! `/slow` and `/error`: late responses and errors on request, to trigger alerts.

use super::{input::Query, resource::json};
use crate::{
    problem::{Kind, Problem},
    shares::{Shares, random_point},
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// The response after a delay.
#[derive(Serialize, ToSchema)]
pub(super) struct Slow {
    message: &'static str,
    /// The delay in seconds.
    delay_seconds: f64,
}

/// The response to a request without an error.
#[derive(Serialize, ToSchema)]
pub(super) struct NoError {
    message: &'static str,
}

/// Maximum delay; longer ones are reduced to it.
const LONGEST: Duration = Duration::from_secs(30);
/// The delay without a parameter: 2 to 3 seconds.
const USUAL: std::ops::Range<f64> = 2.0..3.0;

/// GET `/slow`: 200 after a delay. `?delay=250ms`, or shares of requests as in `?delay=50ms:90,2s:10`; the remaining
/// requests are not delayed.
#[utoipa::path(
    get,
    path = "/slow",
    tag = "faults",
    operation_id = "slow",
    summary = "Responds after a delay",
    description = "The delay is 2 to 3 seconds, or `delay`: one duration, or durations with percentages of the requests, such as `50ms:90,2s:10`; the remaining requests are not delayed. The maximum is 30 s.",
    params(("delay" = Option<String>, Query, example = "250ms")),
    responses(
        (status = 200, description = "after the delay", body = Slow),
        (status = 400, description = "`delay` is invalid"),
    ),
)]
pub(super) async fn slow(req: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&req)?;
    let delay = delay(query.get("delay"), random_point())?;
    tokio::time::sleep(delay).await;
    json(StatusCode::OK, &Slow { message: "delayed response", delay_seconds: delay.as_secs_f64() })
}

/// The delay in `text` at `point`, a number from 0.0 to 1.0; the default one without a text.
fn delay(text: Option<&str>, point: f64) -> Result<Duration, Problem> {
    let Some(text) = text else {
        return Ok(Duration::from_secs_f64(USUAL.start + (USUAL.end - USUAL.start) * point));
    };
    let shares = Shares::parse(text, |value| {
        humantime::parse_duration(value).map_err(|_| "expected a duration such as 250ms or 2s".to_owned())
    });
    let delay = shares.map_err(|error| bad("delay", &error))?.pick(point);
    Ok(delay.unwrap_or_default().min(LONGEST))
}

/// GET `/error`: 500. `?status=503:20,404:10` responds to those shares of requests with these statuses, else with 200.
#[utoipa::path(
    get,
    path = "/error",
    tag = "faults",
    operation_id = "error",
    summary = "Responds with an error",
    description = "The status is 500, or `status`: one status from 400 to 599, or statuses with percentages of the requests, such as `503:20,404:10`; the remaining requests get 200.",
    params(("status" = Option<String>, Query, example = "503:20,404:10")),
    responses(
        (status = 200, description = "no error for this request", body = NoError),
        (status = 400, description = "`status` is invalid"),
        (status = "4XX", description = "the requested status"),
        (status = "5XX", description = "the requested status"),
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
        Some(status) => Err(Problem::new(Kind::Requested(status), "error requested by the client")),
        None => json(StatusCode::OK, &NoError { message: "no error this time" }),
    }
}

fn bad(parameter: &str, error: &dyn std::fmt::Display) -> Problem {
    let detail = format!(
        "invalid `{parameter}`: {error}; use one value, or values with percentages such as \
         A:20,B:10"
    );
    Problem::new(Kind::BadRequest, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_the_default_or_as_requested_and_bounded() {
        let millis = |text, point| delay(text, point).unwrap().as_millis();
        for (text, point, expected) in [
            (None, 0.0, 2_000),
            (None, 0.5, 2_500),
            (Some("250ms"), 0.99, 250),
            (Some("50ms:90,2s:10"), 0.89, 50),
            (Some("50ms:90,2s:10"), 0.91, 2_000),
            (Some("2s:10"), 0.5, 0),
            (Some("30s"), 0.0, 30_000),
            (Some("31s"), 0.0, 30_000),
            (Some("1year:100"), 0.3, 30_000),
        ] {
            assert_eq!(millis(text, point), expected, "{text:?} at {point}");
        }
        for text in ["", "fast", "-1s", "1s:0", "1s:60,2s:50", "1s,2s"] {
            assert_eq!(delay(Some(text), 0.0).unwrap_err().kind.status(), StatusCode::BAD_REQUEST, "{text}");
        }
    }
}
