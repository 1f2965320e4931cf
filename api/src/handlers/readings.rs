//! GET `/api/readings`: what was ingested.

use super::{
    input::{self, Query},
    resource::json,
};
use crate::{
    pipeline,
    problem::Problem,
    routes,
    state::State,
    store::{Cursor, Reading, ReadingsQuery, Stream},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{HeaderValue, LINK},
    },
    web::Data,
};
use serde::Serialize;
use utoipa::ToSchema;

/// Readings on a page when the client names no number.
const PAGE: i64 = 100;
/// Most readings on a page.
const LARGEST_PAGE: i64 = 1000;

/// Some readings, in the order device, stream, time.
#[derive(Serialize, ToSchema)]
pub(super) struct ReadingPage {
    readings: Vec<Reading>,
    /// How many are on this page.
    count: usize,
}

/// GET `/api/readings`: a page in the order device, stream, time, with `Link: rel="next"` where more follow. `device`,
/// `stream`, `from` and `to` (seconds, both included) narrow it down.
#[utoipa::path(
    get,
    path = "/api/readings",
    tag = "readings",
    operation_id = "list_readings",
    summary = "Readings, in pages by device, stream and time",
    params(
        ("device" = Option<String>, Query, description = "only this device's", min_length = 1, max_length = 64),
        ("stream" = inline(Option<Stream>), Query, description = "only this stream's"),
        ("from" = Option<i64>, Query, description = "not before, in seconds since 1970", minimum = 0),
        ("to" = Option<i64>, Query, description = "not after, in seconds since 1970", minimum = 0),
        ("limit" = Option<u32>, Query, description = "most readings on the page; 100 without it", minimum = 1, maximum = 1000),
        ("after" = Option<String>, Query, description = "readings after this one, DEVICE,STREAM,SECONDS, as `Link` gives it"),
    ),
    responses(
        (
            status = 200,
            description = "a page",
            body = ReadingPage,
            headers(("Link" = String, description = "the next page, as `<…>; rel=\"next\"`; absent on the last"))
        ),
        (status = 422, description = "a parameter is not valid"),
    ),
)]
pub(super) async fn list(req: HttpRequest, state: Data<State>) -> Result<HttpResponse, Problem> {
    let query = Query::of(&req)?;
    let limit = input::number(&query, "limit", 1, LARGEST_PAGE)?.unwrap_or(PAGE);
    let wanted = wanted(&query, limit)?;
    let mut readings = state.store.readings(wanted).await?;
    let more = readings.len() as i64 > limit;
    readings.truncate(limit as usize);
    let next = readings.last().filter(|_| more).map(|last| next(&query, limit, &Cursor::from(last)));
    let mut response = json(StatusCode::OK, &ReadingPage { count: readings.len(), readings })?;
    if let Some(next) = next {
        let link = format!("<{}?{next}>; rel=\"next\"", routes::READINGS.path);
        response.headers_mut().insert(LINK, HeaderValue::try_from(link).map_err(Problem::internal)?);
    }
    Ok(response)
}

fn wanted(query: &Query, limit: i64) -> Result<ReadingsQuery, Problem> {
    let mut errors = Vec::new();
    let device = query.get("device").map(str::to_owned);
    errors.extend(
        device.as_deref().and_then(pipeline::device_fault).map(|detail| input::fault("#/device", detail)),
    );
    let stream = query.get("stream").map(|name| Stream::of(name).ok_or_else(pipeline::unknown_stream));
    let stream = stream.transpose().unwrap_or_else(|detail| {
        errors.push(input::fault("#/stream", detail));
        None
    });
    let after = query.get("after").map(|text| {
        Cursor::parse(text).filter(|cursor| pipeline::device_fault(&cursor.device).is_none()).ok_or_else(
            || {
                "must be DEVICE,STREAM,SECONDS, as `Link` gives it, such as d1,heart_rate,1790000000"
                    .to_owned()
            },
        )
    });
    let after = after.transpose().unwrap_or_else(|detail| {
        errors.push(input::fault("#/after", detail));
        None
    });
    if !errors.is_empty() {
        return Err(Problem::validation(errors));
    }
    let from = input::number(query, "from", 0, i64::MAX)?.unwrap_or(0);
    let to = input::number(query, "to", 0, i64::MAX)?.unwrap_or(i64::MAX);
    // One more than the page tells whether there is a next one.
    Ok(ReadingsQuery { device, stream, from, to, after, limit: limit as u32 + 1 })
}

/// The query of the next page: the same readings, after the last one of this page.
fn next(query: &Query, limit: i64, last: &Cursor) -> String {
    let mut next = url::form_urlencoded::Serializer::new(String::new());
    for name in ["device", "stream", "from", "to"] {
        if let Some(value) = query.get(name) {
            next.append_pair(name, value.trim());
        }
    }
    next.append_pair("limit", &limit.to_string()).append_pair("after", &last.to_string());
    next.finish()
}
