//! The ways in: each stands for one outside service.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use serde_json::Value;

use super::{slack, webhook};
use crate::systems::inbox::NotifiedAlert;

/// A kind of receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// Alertmanager's own JSON.
    Webhook,
    /// Slack's incoming webhooks.
    Slack,
}

/// A body that has the right shape.
#[derive(Debug, Clone)]
pub struct Message {
    /// `firing`, `resolved` or `unknown`.
    pub status: &'static str,
    /// The alerts it speaks of.
    pub alerts: Vec<NotifiedAlert>,
    /// The body as sent.
    pub body: Value,
}

/// Every value of [`Message::status`].
pub const STATUSES: [&str; 3] = [FIRING, RESOLVED, UNKNOWN];
pub(super) const FIRING: &str = "firing";
pub(super) const RESOLVED: &str = "resolved";
/// A text that does not say.
pub(super) const UNKNOWN: &str = "unknown";

impl Channel {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Webhook, Self::Slack];

    /// Its name in JSON and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
        }
    }

    /// The path to post to.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Webhook => "/webhook",
            Self::Slack => "/slack",
        }
    }

    /// Checks a body as the real service would.
    ///
    /// # Errors
    /// What the service would say of it.
    pub fn read(self, body: &[u8]) -> Result<Message, String> {
        match self {
            Self::Webhook => webhook::read(body),
            Self::Slack => slack::read(body),
        }
    }

    /// The service's answer to a message it takes.
    #[must_use]
    pub fn accepted(self) -> HttpResponse {
        match self {
            Self::Webhook => HttpResponse::Ok().finish(),
            Self::Slack => text(StatusCode::OK, "ok"),
        }
    }

    /// The service's answer to a body it does not take.
    #[must_use]
    pub fn refused(self, reason: &str) -> HttpResponse {
        text(StatusCode::BAD_REQUEST, reason)
    }
}

/// A plain text answer.
pub(super) fn text(status: StatusCode, body: &str) -> HttpResponse {
    HttpResponse::build(status).content_type(ContentType::plaintext()).body(body.to_owned())
}
