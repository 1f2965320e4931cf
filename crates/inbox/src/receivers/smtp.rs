//! A mail server that accepts all mail and forwards none: RFC 5321 with AUTH (RFC 4954) by PLAIN and LOGIN.
//!
//! It requires AUTH, as the servers for alert e-mail do, but accepts any user and password, so that no account is
//! needed.

use std::time::Duration;

use actix_web::web::Data;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};

use crate::config::BODY_LIMIT;
use crate::receivers::mail;
use crate::store::failure::Failure;
use crate::store::state::State;
use clients::inbox::Channel;

/// Time limit for a line, and for a message.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time limit of a session, excluding injected failures. Together with [`CLIENTS`] it prevents a few idle clients from
/// blocking mail.
const SESSION: Duration = Duration::from_secs(300);
/// RFC 5321, 4.5.3.1.5 and RFC 4954, 4.
const LINE: u64 = 12_288;
/// Maximum number of clients served at once; further ones wait.
const CLIENTS: usize = 64;

/// Serves until it is dropped.
pub async fn serve(listener: TcpListener, state: Data<State>) {
    let room = std::sync::Arc::new(tokio::sync::Semaphore::new(CLIENTS));
    let mut clients = tokio::task::JoinSet::new();
    loop {
        while clients.try_join_next().is_some() {}
        let Ok(permit) = std::sync::Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let state = state.clone();
                clients.spawn(async move {
                    // A client that disconnected gets no reply.
                    let _ = Session::new(stream, state, SESSION).run().await;
                    drop(permit);
                });
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await, // out of descriptors, say
        }
    }
}

struct Session {
    stream: BufReader<TcpStream>,
    state: Data<State>,
    until: Instant,
    greeted: bool,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

impl Session {
    fn new(stream: TcpStream, state: Data<State>, limit: Duration) -> Self {
        let until = Instant::now() + limit;
        let stream = BufReader::new(stream);
        Self { stream, state, until, greeted: false, user: None, from: None, to: Vec::new() }
    }

    async fn run(&mut self) -> std::io::Result<()> {
        self.say("220 inbox ESMTP").await?;
        while let Some(line) = self.line().await? {
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => {
                    self.greeted = true;
                    // LOGIN first: Alertmanager uses the first mechanism it supports, and refuses PLAIN without TLS
                    // except on loopback.
                    self.say(&format!(
                        "250-inbox\r\n250-AUTH LOGIN PLAIN\r\n250-8BITMIME\r\n250 SIZE {BODY_LIMIT}"
                    ))
                    .await?;
                }
                "HELO" => {
                    self.greeted = true;
                    self.say("250 inbox").await?;
                }
                "AUTH" => self.auth(rest).await?,
                "MAIL" => self.mail(rest).await?,
                "RCPT" => self.rcpt(rest).await?,
                "DATA" => self.data().await?,
                "RSET" => {
                    self.forget();
                    self.say("250 2.0.0 reset").await?;
                }
                "NOOP" => self.say("250 2.0.0 ok").await?,
                "QUIT" => return self.say("221 2.0.0 bye").await,
                _ => self.say("500 5.5.2 no such command").await?,
            }
        }
        Ok(())
    }

    async fn auth(&mut self, rest: &str) -> std::io::Result<()> {
        let mut words = rest.split_whitespace();
        let (mechanism, first) = (words.next().unwrap_or_default().to_ascii_uppercase(), words.next());
        if !self.greeted {
            return self.say("503 5.5.1 send EHLO first").await;
        }
        let user = match mechanism.as_str() {
            "PLAIN" => {
                let reply = match first {
                    Some(first) => decode(first),
                    None => self.challenge("").await?,
                };
                // Authorization identity, user and password, separated by zero bytes.
                reply.and_then(|text| {
                    let parts: Vec<&str> = text.split('\0').collect();
                    (parts.len() == 3 && !parts[1].is_empty() && !parts[2].is_empty())
                        .then(|| parts[1].to_owned())
                })
            }
            "LOGIN" => {
                let user = match first {
                    Some(first) => decode(first),
                    None => self.challenge("Username:").await?,
                };
                let password = self.challenge("Password:").await?;
                user.filter(|user| !user.is_empty() && password.is_some_and(|password| !password.is_empty()))
            }
            _ => return self.say("504 5.5.4 unsupported mechanism; use PLAIN or LOGIN").await,
        };
        self.user = user;
        if self.user.is_some() {
            self.say("235 2.7.0 authentication succeeded").await
        } else {
            self.say("535 5.7.8 user or password is missing").await
        }
    }

    async fn challenge(&mut self, words: &str) -> std::io::Result<Option<String>> {
        self.say(&format!("334 {}", BASE64.encode(words))).await?;
        Ok(self.line().await?.as_deref().and_then(decode))
    }

    async fn mail(&mut self, rest: &str) -> std::io::Result<()> {
        if self.user.is_none() {
            self.state.refused(Channel::Email);
            return self.say("530 5.7.0 authentication required").await;
        }
        match address(rest, "FROM:") {
            Some(from) => {
                self.forget();
                self.from = Some(from);
                self.say("250 2.1.0 ok").await
            }
            None => self.say("501 5.5.4 expected MAIL FROM:<address>").await,
        }
    }

    async fn rcpt(&mut self, rest: &str) -> std::io::Result<()> {
        match address(rest, "TO:").filter(|to| to.contains('@')) {
            _ if self.from.is_none() => self.say("503 5.5.1 send MAIL first").await,
            Some(_) if self.to.len() >= 100 => self.say("452 4.5.3 too many recipients").await,
            Some(to) => {
                self.to.push(to);
                self.say("250 2.1.5 ok").await
            }
            None => self.say("501 5.5.4 expected RCPT TO:<address>").await,
        }
    }

    async fn data(&mut self) -> std::io::Result<()> {
        let Some(from) = self.from.clone().filter(|_| !self.to.is_empty()) else {
            return self.say("503 5.5.1 send MAIL and RCPT first").await;
        };
        self.say("354 end the message with <CRLF>.<CRLF>").await?;
        let Some(raw) =
            timeout_at(self.deadline(), self.content()).await.map_err(|_| std::io::ErrorKind::TimedOut)??
        else {
            self.state.refused(Channel::Email);
            return self.say("552 5.3.4 the message is too large").await;
        };
        match self.state.failure(Channel::Email) {
            Some((Failure::Hang, until)) => {
                tokio::time::sleep_until(until).await;
                self.until = self.until.max(Instant::now() + PATIENCE);
            }
            Some((Failure::Status(status), _)) => {
                let reply =
                    if status < 500 { "451 4.3.0 injected failure" } else { "554 5.3.0 injected failure" };
                return self.say(reply).await;
            }
            None => {}
        }
        match mail::read(&from, &self.to, self.user.as_deref(), &raw) {
            Ok(message) => {
                let saved = self.state.accept(Channel::Email, message);
                self.forget();
                match saved {
                    Ok(()) => self.say("250 2.0.0 accepted").await,
                    Err(error) => self.say(&format!("452 4.3.1 the message was not saved: {error}")).await,
                }
            }
            Err(refusal) => {
                self.state.refused(Channel::Email);
                self.say(&refusal.0).await
            }
        }
    }

    /// The message up to the final dot, with dot-stuffing removed; `None` when it is too large. Only CRLF ends a line
    /// (RFC 5321, 4.1.1.4): a server that also accepts a bare LF can be made to read one message as two.
    async fn content(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let (mut raw, mut part, mut fits) = (Vec::new(), Vec::new(), true);
        // Whether the parts so far end a line, and whether they end in a CR.
        let (mut ended, mut cr) = (true, false);
        loop {
            part.clear();
            if (&mut self.stream).take(BODY_LIMIT as u64).read_until(b'\n', &mut part).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let begins = std::mem::replace(&mut ended, part.ends_with(b"\r\n") || (cr && part == b"\n"));
            cr = part.ends_with(b"\r");
            if begins && part == b".\r\n" {
                return Ok(fits.then_some(raw));
            }
            fits &= raw.len() + part.len() <= BODY_LIMIT;
            if fits {
                raw.extend_from_slice(part.strip_prefix(b".").filter(|_| begins).unwrap_or(&part));
            }
        }
    }

    fn forget(&mut self) {
        self.from = None;
        self.to.clear();
    }

    /// The next line without its end; `None` when the session ends: the client disconnected, sent no line in time, or
    /// sent one that is too long.
    async fn line(&mut self) -> std::io::Result<Option<String>> {
        let mut line = Vec::new();
        let read =
            timeout_at(self.deadline(), (&mut self.stream).take(LINE).read_until(b'\n', &mut line)).await;
        match read {
            Ok(Ok(_)) if line.ends_with(b"\n") => {
                Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()))
            }
            Ok(Ok(count)) if count as u64 == LINE => {
                self.say("500 5.5.6 the line is too long").await.map(|()| None)
            }
            Ok(Ok(_)) => Ok(None),
            Err(_) => self.say("421 4.4.2 timeout").await.map(|()| None),
            Ok(Err(error)) => Err(error),
        }
    }

    /// Deadline for the data that is read next.
    fn deadline(&self) -> Instant {
        self.until.min(Instant::now() + PATIENCE)
    }

    async fn say(&mut self, reply: &str) -> std::io::Result<()> {
        let reply = format!("{reply}\r\n");
        timeout(PATIENCE, self.stream.get_mut().write_all(reply.as_bytes()))
            .await
            .map_err(|_| std::io::ErrorKind::TimedOut)?
    }
}

fn decode(text: &str) -> Option<String> {
    String::from_utf8(BASE64.decode(text.trim()).ok()?).ok()
}

/// `a@b` of `FROM:<a@b> SIZE=5`.
fn address(rest: &str, prefix: &str) -> Option<String> {
    let head = rest.get(..prefix.len()).filter(|head| head.eq_ignore_ascii_case(prefix))?;
    let inner = rest[head.len()..].trim_start().strip_prefix('<')?;
    inner.split_once('>').map(|(address, _)| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::history::Limits;

    #[tokio::test]
    async fn a_session_ends_although_its_client_keeps_talking() {
        let config = crate::Config {
            limits: Limits { count: 1, bytes: 1 << 10 },
            data_dir: None,
            heartbeat_limit: PATIENCE,
            allowed_hosts: common::allowed_hosts::AllowedHosts::default(),
            proofs: None,
            runbooks: None,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let state = Data::new(State::open(&config).unwrap());
        let mut session = Session::new(listener.accept().await.unwrap().0, state, Duration::from_millis(200));
        let talk = async {
            let mut replies = String::new();
            loop {
                let mut part = [0; 256];
                match client.read(&mut part).await.unwrap() {
                    0 => break replies,
                    read => replies.push_str(std::str::from_utf8(&part[..read]).unwrap()),
                }
                let _ = client.write_all(b"NOOP\r\n").await; // the session may just have ended
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let ending = async {
            session.run().await.unwrap();
            drop(session);
        };
        let both = async { tokio::join!(talk, ending) };
        let (replies, ()) = timeout(Duration::from_secs(20), both).await.expect("the session ends");
        assert!(replies.starts_with("220 ") && replies.contains("\r\n250 2.0.0 ok\r\n"), "{replies}");
        assert!(replies.ends_with("\r\n421 4.4.2 timeout\r\n"), "{replies}");
    }
}
