//! The inbox: stands in for outside receivers, so that routes are exercised without accounts. It sends nothing on, and
//! judges nothing that arrives.
//!
//! A body arrives on a channel; [`receivers`] check the shape that the real service demands and answer as it would. What is
//! accepted goes into the [`store`], bounded and, with a data directory, kept in a journal; the page and
//! `GET /notifications` of [`http`] show it.

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
use crate::store::journal::JournalError;
use crate::store::state::State;
use actix_web::web::{Data, PayloadConfig};
use actix_web::{App, HttpServer};

/// How long requests in progress may take once the inbox is told to stop, in seconds.
const DRAIN_SECONDS: u64 = 2;
/// How often it is looked whether the heartbeat has stopped.
const LOOK: Duration = Duration::from_millis(250);

/// An inbox that cannot start or run.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The history on disk cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The server failed.
    #[error("inbox: {0}")]
    Server(#[from] std::io::Error),
}

/// An inbox that has all it needs but its ports.
pub struct Inbox {
    state: Data<State>,
    webhook_limit: usize,
}

impl Inbox {
    /// Reads what was kept.
    ///
    /// # Errors
    /// When the history on disk cannot be read, or is another inbox's.
    pub fn open(config: &Config) -> Result<Self, InboxError> {
        Ok(Self { state: Data::new(State::open(config)?), webhook_limit: WEBHOOK_LIMIT })
    }

    /// Takes bodies of Alertmanager's webhook up to this size, in bytes.
    #[must_use]
    pub fn with_webhook_limit(mut self, bytes: usize) -> Self {
        self.webhook_limit = bytes.min(MAX_WEBHOOK_LIMIT);
        self
    }

    /// Serves on a listener, and mail on another, until `shutdown` completes, then ends requests in progress, for two
    /// seconds at most.
    ///
    /// # Errors
    /// When the server cannot run.
    pub async fn serve(
        self,
        listener: TcpListener,
        smtp: Option<TcpListener>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), InboxError> {
        let Self { state, webhook_limit } = self;
        let smtp = match smtp {
            Some(listener) => {
                listener.set_nonblocking(true)?;
                Some(tokio::net::TcpListener::from_std(listener)?)
            }
            None => None,
        };
        let aside = aside(smtp, state.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .app_data(PayloadConfig::new(BODY_LIMIT))
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
            () = aside => {}
            () = shutdown => {}
        }
        // The server ends once it has drained; both must be polled for that.
        let (_, ended) = tokio::join!(handle.stop(true), server);
        Ok(ended?)
    }
}

/// What goes on beside the HTTP server; never ends.
async fn aside(smtp: Option<tokio::net::TcpListener>, state: Data<State>) {
    let look = async {
        let mut every = tokio::time::interval(LOOK);
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
