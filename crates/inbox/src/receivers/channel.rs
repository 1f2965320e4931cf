//! The ways in: each stands for one outside service.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use serde_json::{Value, json};

use crate::receivers::{discord, pagerduty, slack, webhook};
use clients::inbox::NotifiedAlert;

/// A kind of receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// Alertmanager's own JSON.
    Webhook,
    /// Slack's incoming webhooks.
    Slack,
    /// Discord's webhooks, their own bodies and Slack's.
    Discord,
    /// PagerDuty's Events API.
    Pagerduty,
    /// Mail, by SMTP.
    Email,
    /// The alert that always fires, as a webhook; only its stopping and coming back are kept.
    Heartbeat,
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
pub(crate) const FIRING: &str = "firing";
pub(crate) const RESOLVED: &str = "resolved";
/// A text that does not say.
pub const UNKNOWN: &str = "unknown";

impl Channel {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Webhook, Self::Slack, Self::Discord, Self::Pagerduty, Self::Email, Self::Heartbeat];

    /// Its name in JSON and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Pagerduty => "pagerduty",
            Self::Email => "email",
            Self::Heartbeat => "heartbeat",
        }
    }

    /// The channel of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }

    /// The paths to post to; mail comes another way.
    #[must_use]
    pub fn paths(self) -> &'static [&'static str] {
        match self {
            Self::Webhook => &["/webhook"],
            Self::Slack => &["/slack"],
            Self::Discord => &["/discord", DISCORD_AS_SLACK],
            Self::Pagerduty => &["/pagerduty", "/pagerduty/v2/enqueue"],
            Self::Email => &[],
            Self::Heartbeat => &["/heartbeat"],
        }
    }

    /// Checks a body that was posted to `path` as the real service would.
    ///
    /// # Errors
    /// What the service would say of it.
    pub fn read(self, path: &str, body: &[u8]) -> Result<Message, String> {
        match self {
            Self::Webhook | Self::Heartbeat => webhook::read(body),
            Self::Slack => slack::read(body),
            Self::Discord if path == DISCORD_AS_SLACK => discord::read_slack(body),
            Self::Discord => discord::read(body),
            Self::Pagerduty => pagerduty::read(body),
            Self::Email => Err("mail is taken by SMTP".to_owned()),
        }
    }

    /// The service's answer to a message it takes.
    #[must_use]
    pub fn accepted(self, path: &str, message: &Value) -> HttpResponse {
        match self {
            Self::Webhook | Self::Heartbeat | Self::Email => HttpResponse::Ok().finish(),
            Self::Slack => text(StatusCode::OK, "ok"),
            Self::Discord if path == DISCORD_AS_SLACK => text(StatusCode::OK, "ok"),
            Self::Discord => HttpResponse::NoContent().finish(),
            Self::Pagerduty => HttpResponse::Accepted().json(json!({
                "status": "success", "message": "Event processed", "dedup_key": message["dedup_key"],
            })),
        }
    }

    /// The service's answer to a body it does not take.
    #[must_use]
    pub fn refused(self, reason: &str) -> HttpResponse {
        match self {
            Self::Discord | Self::Pagerduty if reason.starts_with('{') => {
                HttpResponse::BadRequest().content_type(ContentType::json()).body(reason.to_owned())
            }
            _ => text(StatusCode::BAD_REQUEST, reason),
        }
    }
}

/// Where Discord takes Slack's bodies: the webhook's own address and `/slack`.
const DISCORD_AS_SLACK: &str = "/discord/slack";

/// A plain text answer.
pub fn text(status: StatusCode, body: &str) -> HttpResponse {
    HttpResponse::build(status).content_type(ContentType::plaintext()).body(body.to_owned())
}
