//! What each channel accepts and how it responds, like the real service.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use serde_json::json;

use crate::receivers::message::{Message, Refusal, Sent};
use crate::receivers::{discord, pagerduty, slack, webhook};
use clients::inbox::Channel;

/// The paths that accept POST; mail arrives by SMTP.
#[must_use]
pub fn paths(channel: Channel) -> &'static [&'static str] {
    match channel {
        Channel::Webhook => &["/webhook"],
        Channel::Slack => &["/slack"],
        Channel::Discord => &["/discord", DISCORD_AS_SLACK],
        Channel::Pagerduty => &["/pagerduty", "/pagerduty/v2/enqueue"],
        Channel::Email => &[],
        Channel::Heartbeat => &["/heartbeat"],
    }
}

/// Checks a body that was posted to `path` as the real service would.
///
/// # Errors
/// The real service's response to an invalid body.
pub fn read(channel: Channel, path: &str, body: &[u8]) -> Result<Message, Refusal> {
    match channel {
        Channel::Webhook | Channel::Heartbeat => webhook::read(body),
        Channel::Slack => slack::read(body),
        Channel::Discord if path == DISCORD_AS_SLACK => discord::read_slack(body),
        Channel::Discord => discord::read(body),
        Channel::Pagerduty => pagerduty::read(body),
        Channel::Email => Err("mail is accepted by SMTP only".into()),
    }
}

/// The service's response to a message it accepts.
#[must_use]
pub fn accepted(channel: Channel, path: &str, message: &Sent) -> HttpResponse {
    match channel {
        Channel::Webhook | Channel::Heartbeat | Channel::Email => HttpResponse::Ok().finish(),
        Channel::Slack => text(StatusCode::OK, "ok"),
        Channel::Discord if path == DISCORD_AS_SLACK => text(StatusCode::OK, "ok"),
        Channel::Discord => HttpResponse::NoContent().finish(),
        Channel::Pagerduty => HttpResponse::Accepted().json(json!({
            "status": "success", "message": "Event processed", "dedup_key": message.field("dedup_key"),
        })),
    }
}

/// The service's response to a body it rejects.
#[must_use]
pub fn refused(channel: Channel, Refusal(reason): Refusal) -> HttpResponse {
    match channel {
        Channel::Discord | Channel::Pagerduty if reason.starts_with('{') => {
            HttpResponse::BadRequest().content_type(ContentType::json()).body(reason)
        }
        _ => text(StatusCode::BAD_REQUEST, &reason),
    }
}

/// The paths where Discord accepts Slack's format: the webhook's own URL followed by `/slack`.
const DISCORD_AS_SLACK: &str = "/discord/slack";

/// A plain text response.
pub fn text(status: StatusCode, body: &str) -> HttpResponse {
    HttpResponse::build(status).content_type(ContentType::plaintext()).body(body.to_owned())
}
