//! The HTTP side: bodies in, JSON, metrics and the page out.

use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, Query, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::channel::{Channel, text};
use super::history::History;
use super::journal::{Journal, JournalError};
use super::metrics::Metrics;
use super::{BODY_LIMIT, Config, page};
use crate::systems::inbox::Notification;

/// What all requests share.
pub(super) struct State {
    book: Mutex<Book>,
    metrics: Metrics,
}

struct Book {
    history: History,
    journal: Option<Journal>,
    /// Why the last notification is not on disk, when it is not.
    not_kept: Option<String>,
}

impl State {
    pub(super) fn open(config: &Config) -> Result<Self, JournalError> {
        let capacity = config.capacity.max(1);
        let (journal, earlier) = match &config.data_dir {
            Some(dir) => Journal::open(dir, capacity).map(|(journal, earlier)| (Some(journal), earlier))?,
            None => (None, Vec::new()),
        };
        let book = Book { history: History::new(capacity, earlier), journal, not_kept: None };
        Ok(Self { book: Mutex::new(book), metrics: Metrics::new() })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Every change to the book is whole by itself, so one that panicked left it usable.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn configure(config: &mut ServiceConfig) {
    for channel in Channel::ALL {
        let receive = move |state, body| async move { receive(channel, state, body) };
        config.route(channel.path(), web::post().to(receive));
    }
    config
        .route("/notifications", web::get().to(notifications))
        .route("/metrics", web::get().to(metrics))
        .route("/livez", web::get().to(livez))
        .route("/readyz", web::get().to(readyz))
        .configure(page::configure);
}

fn receive(channel: Channel, state: Data<State>, body: Result<Bytes, actix_web::Error>) -> HttpResponse {
    let refuse = || state.metrics.bad_requests.with_label_values(&[channel.name()]).inc();
    let body = match body {
        Ok(body) => body,
        Err(error) => {
            refuse();
            return match error.as_response_error().status_code() {
                StatusCode::PAYLOAD_TOO_LARGE => text(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    &format!("body too large: at most {BODY_LIMIT} bytes are taken"),
                ),
                status => text(status, &error.to_string()),
            };
        }
    };
    let message = match channel.read(&body) {
        Ok(message) => message,
        Err(reason) => {
            refuse();
            return channel.refused(&reason);
        }
    };
    let status = message.status;
    state.book().add(channel, message);
    state.metrics.notifications.with_label_values(&[channel.name(), status]).inc();
    channel.accepted()
}

impl Book {
    fn add(&mut self, channel: Channel, message: super::channel::Message) {
        let added = self.history.add(channel, message, Timestamp::now()).clone();
        let Some(journal) = &mut self.journal else { return };
        let capacity = self.history.capacity();
        self.not_kept = journal
            .append(&added, capacity, self.history.after(0, capacity))
            .err()
            .map(|error| error.to_string());
    }
}

#[derive(Deserialize)]
struct Range {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Listing<'a> {
    /// The newest id ever given; below `after` when the inbox began anew.
    last: u64,
    notifications: Vec<&'a Notification>,
}

async fn notifications(state: Data<State>, range: Result<Query<Range>, actix_web::Error>) -> HttpResponse {
    let range = match range {
        Ok(range) => range,
        Err(error) => {
            let reason =
                format!("{error}: expected ?after=ID&limit=COUNT, both whole numbers, both optional");
            return text(StatusCode::BAD_REQUEST, &reason);
        }
    };
    let book = state.book();
    let notifications = book.history.after(range.after, range.limit.unwrap_or(usize::MAX)).collect();
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(Listing { last: book.history.last_id(), notifications })
}

async fn metrics(state: Data<State>) -> HttpResponse {
    match state.metrics.text() {
        Ok(body) => HttpResponse::Ok().content_type(prometheus::TEXT_FORMAT).body(body),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

async fn livez() -> impl Responder {
    text(StatusCode::OK, "alive\n")
}

async fn readyz(state: Data<State>) -> HttpResponse {
    match &state.book().not_kept {
        None => text(StatusCode::OK, "ready\n"),
        Some(reason) => {
            text(StatusCode::SERVICE_UNAVAILABLE, &format!("notifications are not kept: {reason}\n"))
        }
    }
}
