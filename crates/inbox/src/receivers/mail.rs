//! An e-mail received by SMTP, decoded as a mail program does.

use mail_parser::MessageParser;
use serde_json::json;

use crate::receivers::heading;
use crate::receivers::message::{Message, Refusal};

/// Maximum number of characters of a line without its end: RFC 5322, 2.1.1.
const LINE: usize = 998;

/// # Errors
/// Why mail servers would reject it.
pub fn read(from: &str, to: &[String], user: Option<&str>, raw: &[u8]) -> Result<Message, Refusal> {
    if raw.split(|byte| *byte == b'\n').any(|line| line.strip_suffix(b"\r").unwrap_or(line).len() > LINE) {
        let reason = format!("554 5.6.0 a line has more than {LINE} characters (RFC 5322, 2.1.1)");
        return Err(Refusal(reason));
    }
    let mail = MessageParser::default().parse(raw).ok_or("554 5.6.0 the message has no headers")?;
    let subject = mail.subject().unwrap_or_default().to_owned();
    if mail.from().is_none() || mail.date().is_none() {
        return Err("554 5.6.0 From and Date are required (RFC 5322, 3.6)".into());
    }
    let (status, alerts) = heading::alerts_in([subject.as_str()].into_iter());
    let body = json!({
        "from": from, "to": to, "user": user, "subject": subject,
        "text": mail.body_text(0), "html": mail.body_html(0),
        "message_id": mail.message_id(),
    });
    Ok(Message { status, alerts, body: body.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_says_which_alert_it_is_about() {
        let raw = "From: a@b.example\r\nTo: c@d.example\r\nDate: Mon, 04 May 2026 12:00:00 +0000\r\n\
                   Subject: =?utf-8?Q?[FIRING:1]_APIDown_(critical)?=\r\nContent-Type: text/html\r\n\
                   Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>gone =C2=B7</p>\r\n";
        let message = read("a@b.example", &["c@d.example".into()], Some("u"), raw.as_bytes()).unwrap();
        assert_eq!((message.status, message.alerts[0].alert.as_str()), ("firing", "APIDown"));
        assert_eq!(message.body.field("html").unwrap(), "<p>gone ·</p>\r\n");
        assert!(read("a", &[], None, b"Subject: x\r\n\r\nx").unwrap_err().0.starts_with("554"));
        for (length, fits) in [(998, true), (999, false)] {
            let long = format!("{raw}{}\r\n", "x".repeat(length));
            assert_eq!(read("a", &[], None, long.as_bytes()).is_ok(), fits, "{length}");
        }
    }
}
