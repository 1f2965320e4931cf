//! `/slow` and `/error`: answers that are late or wrong on purpose, to trip alerts with.

use super::{input::Query, resource::json};
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
    let delay = delay(query.get("delay"), random_point())?;
    tokio::time::sleep(delay).await;
    json(StatusCode::OK, &Slow { message: "slow on purpose", delay_seconds: delay.as_secs_f64() })
}

/// The delay that `text` asks for at `point`, a number from 0.0 to 1.0: the usual one without a text.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_the_usual_or_as_asked_for_and_end() {
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
