//! The inbox: replaces external receivers, so that routes can be tested without accounts. It forwards nothing and does
//! not evaluate notifications.
//!
//! A body arrives on a channel. [`receivers`] validate it and respond as the real service would. Accepted notifications
//! go to the [`store`], which is bounded and, with a data directory, persistent. The page and `GET /notifications` of
//! [`http`] show them.

#![warn(clippy::disallowed_macros)]

mod config;
pub mod heartbeat;
pub mod http;
pub mod metrics;
pub mod receivers;
pub mod store;

use std::future::Future;
use std::net::TcpListener;
use std::time::Duration;

pub use crate::config::{BODY_LIMIT, Config, MAX_WEBHOOK_LIMIT, WEBHOOK_LIMIT};
use crate::http::status::Source;
use crate::store::journal::JournalError;
use crate::store::state::State;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, PayloadConfig};
use actix_web::{App, HttpServer};
use clients::alertmanager::Alertmanager;

/// Grace period for requests in progress at shutdown, in seconds.
const DRAIN_SECONDS: u64 = 2;
/// Interval of the heartbeat check.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// Why an inbox cannot start or run.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The history on disk cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The server failed.
    #[error("inbox: {0}")]
    Server(#[from] std::io::Error),
}

/// An inbox that does not listen yet.
pub struct Inbox {
    state: Data<State>,
    webhook_limit: usize,
    alertmanager: Option<Alertmanager>,
}

impl Inbox {
    /// Opens the inbox and reads its history.
    ///
    /// # Errors
    /// When the history cannot be read or is used by another inbox.
    pub fn open(config: &Config) -> Result<Self, InboxError> {
        Ok(Self { state: Data::new(State::open(config)?), webhook_limit: WEBHOOK_LIMIT, alertmanager: None })
    }

    /// Sets the maximum size of Alertmanager webhooks, in bytes.
    #[must_use]
    pub fn with_webhook_limit(mut self, bytes: usize) -> Self {
        self.webhook_limit = bytes.min(MAX_WEBHOOK_LIMIT);
        self
    }

    /// Shows the alerts, silences and routes of this Alertmanager at `/status`.
    #[must_use]
    pub fn showing(mut self, alertmanager: Alertmanager) -> Self {
        self.alertmanager = Some(alertmanager);
        self
    }

    /// Serves HTTP, and SMTP if a listener is given, until `shutdown` completes. Requests in progress then have two
    /// seconds to finish.
    ///
    /// # Errors
    /// When the server cannot run.
    pub async fn serve(
        self,
        listener: TcpListener,
        smtp: Option<TcpListener>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), InboxError> {
        let Self { state, webhook_limit, alertmanager } = self;
        let source = Data::new(Source::new(alertmanager));
        let smtp = match smtp {
            Some(listener) => {
                listener.set_nonblocking(true)?;
                Some(tokio::net::TcpListener::from_std(listener)?)
            }
            None => None,
        };
        let background = background(smtp, state.clone());
        let bodies = Data::new(http::bodies::Bodies::default());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(bodies.clone())
                .app_data(state.clone())
                .app_data(source.clone())
                .app_data(PayloadConfig::new(BODY_LIMIT))
                .wrap(from_fn(http::bodies::limit))
                .wrap(from_fn(http::browsers::refuse_foreign_pages))
                .configure(|config| http::routes::configure(config, webhook_limit))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(DRAIN_SECONDS)
        .listen(listener)?
        .run();
        let handle = server.handle();
        let mut server = std::pin::pin!(server);
        tokio::select! {
            ended = &mut server => return Ok(ended?),
            () = background => {}
            () = shutdown => {}
        }
        // The server ends when it has drained, which requires polling both futures.
        let (_, ended) = tokio::join!(handle.stop(true), server);
        Ok(ended?)
    }
}

/// Background tasks beside the HTTP server. Never ends.
async fn background(smtp: Option<tokio::net::TcpListener>, state: Data<State>) {
    let look = async {
        let mut every = tokio::time::interval(CHECK_INTERVAL);
        loop {
            every.tick().await;
            state.look();
        }
    };
    let mail = async {
        match smtp {
            Some(listener) => receivers::smtp::serve(listener, state.clone()).await,
            None => std::future::pending().await,
        }
    };
    tokio::join!(look, mail);
}
