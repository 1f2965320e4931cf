//! GET `/api/readings`: lists ingested readings.

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

/// Default number of readings on a page.
const PAGE: i64 = 100;
/// Maximum number of readings on a page.
const LARGEST_PAGE: i64 = 1000;

/// A page of readings, ordered by device, stream and time.
#[derive(Serialize, ToSchema)]
pub(super) struct ReadingPage {
    readings: Vec<Reading>,
    /// Number of readings on this page.
    count: usize,
}

/// GET `/api/readings`: a page ordered by device, stream and time, with `Link: rel="next"` if there are more. `device`,
/// `stream`, `from` and `to` (seconds, both included) filter it.
#[utoipa::path(
    get,
    path = "/api/readings",
    tag = "readings",
    operation_id = "list_readings",
    summary = "Readings, in pages by device, stream and time",
    params(
        ("device" = Option<String>, Query, description = "only readings of this device", min_length = 1, max_length = 64),
        ("stream" = inline(Option<Stream>), Query, description = "only readings of this stream"),
        ("from" = Option<i64>, Query, description = "earliest time, in seconds since 1970", minimum = 0),
        ("to" = Option<i64>, Query, description = "latest time, in seconds since 1970", minimum = 0),
        ("limit" = Option<u32>, Query, description = "maximum number of readings on the page; default 100", minimum = 1, maximum = 1000),
        ("after" = Option<String>, Query, description = "readings after this one, DEVICE,STREAM,SECONDS, as in `Link`"),
    ),
    responses(
        (
            status = 200,
            description = "a page",
            body = ReadingPage,
            headers(("Link" = String, description = "the next page, as `<…>; rel=\"next\"`; absent on the last"))
        ),
        (status = 422, description = "a parameter is invalid"),
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
            || "must be DEVICE,STREAM,SECONDS as in `Link`, such as d1,heart_rate,1790000000".to_owned(),
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
    // One more than the page shows whether there is a next page.
    Ok(ReadingsQuery { device, stream, from, to, after, limit: limit as u32 + 1 })
}

/// The query of the next page: the same filters, starting after the last reading of this page.
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
