//! Events as lines: `{"timestamp":…,"level":…,"message":…,FIELDS…,"target":…}`.

use super::{json, sink::Sink};
use std::{
    cell::RefCell,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer};

/// The layer that makes a line of every event; spans are no part of it.
pub(super) struct JsonLines {
    sink: Arc<Sink>,
}

impl JsonLines {
    pub(super) fn new(sink: Arc<Sink>) -> Self {
        Self { sink }
    }
}

thread_local! {
    /// Used again for every line of a thread.
    static LINE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A line longer than this is not worth keeping its memory for.
const KEEP: usize = 4096;

impl<S: Subscriber> Layer<S> for JsonLines {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let urgent = *event.metadata().level() <= Level::WARN;
        LINE.with(|line| match line.try_borrow_mut() {
            Ok(mut line) => {
                line.clear();
                write(&mut line, event);
                self.sink.take(line.as_bytes(), urgent);
                line.shrink_to(KEEP);
            }
            // A field whose own Display logs.
            Err(_) => {
                let mut line = String::new();
                write(&mut line, event);
                self.sink.take(line.as_bytes(), urgent);
            }
        });
    }
}

fn write(line: &mut String, event: &Event<'_>) {
    let metadata = event.metadata();
    line.push_str("{\"timestamp\":\"");
    json::timestamp(line, SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO));
    line.push_str("\",\"level\":\"");
    line.push_str(metadata.level().as_str());
    line.push('"');
    let mut fields = Fields { line, logged_by: None };
    event.record(&mut fields);
    let logged_by = fields.logged_by.take();
    line.push_str(",\"target\":");
    json::string(line, logged_by.as_deref().unwrap_or(metadata.target()));
    line.push_str("}\n");
}

struct Fields<'a> {
    line: &'a mut String,
    /// The target of an event that came from the `log` crate, which has all of them under one target of its own.
    logged_by: Option<String>,
}

impl Fields<'_> {
    /// Writes a field's name; `None` for what `log` says of itself.
    fn named(&mut self, field: &Field) -> Option<&mut String> {
        if field.name().starts_with("log.") {
            return None;
        }
        self.line.push(',');
        json::string(self.line, field.name());
        self.line.push(':');
        Some(self.line)
    }

    /// A value that is JSON as it is.
    fn plain(&mut self, field: &Field, value: &str) {
        if let Some(line) = self.named(field) {
            line.push_str(value);
        }
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "log.target" {
            self.logged_by = Some(value.to_owned());
        }
        if let Some(line) = self.named(field) {
            json::string(line, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if let Some(line) = self.named(field) {
            json::displayed(line, format_args!("{value:?}"));
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if let Some(line) = self.named(field) {
            json::number(line, value);
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, itoa::Buffer::new().format(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, itoa::Buffer::new().format(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, if value { "true" } else { "false" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::{io::Write, sync::Mutex};
    use tracing_subscriber::layer::SubscriberExt;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_with_its_fields() {
        let kept = Kept::default();
        let sink = Sink::start(kept.clone());
        let subscriber = tracing_subscriber::registry().with(JsonLines::new(sink.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let (status, shown) = (200_u16, tracing::field::display("a \"b\"\n"));
            tracing::info!(request_id = "x1", status, duration_ms = 1.5, shown, fresh = true, "request");
            tracing::error!(target: "elsewhere", code = -3, "it {}", "broke");
        });
        sink.flush(Duration::from_secs(20));
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [first, second] = &lines[..] else { panic!("two lines: {text}") };
        let mut first = first.clone();
        let timestamp = first.as_object_mut().unwrap().remove("timestamp").unwrap();
        assert!(humantime::parse_rfc3339(timestamp.as_str().unwrap()).is_ok(), "{timestamp}");
        let target = module_path!();
        assert_eq!(
            first,
            json!({"level": "INFO", "message": "request", "request_id": "x1", "status": 200, "duration_ms": 1.5,
                   "shown": "a \"b\"\n", "fresh": true, "target": target})
        );
        assert_eq!(second["message"], "it broke");
        assert_eq!((&second["code"], &second["target"]), (&json!(-3), &json!("elsewhere")));
    }
}
