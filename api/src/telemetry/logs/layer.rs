//! Events as lines: `{"timestamp":…,"level":…,"message":…,FIELDS…,"target":…}`.

use super::sink::Sink;
use serde::{Serialize, Serializer};
use std::{
    cell::RefCell,
    fmt,
    io::{self, Write},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer};

/// The layer that writes one line per event. It ignores spans.
pub(super) struct JsonLines {
    sink: Arc<Sink>,
}

impl JsonLines {
    pub(super) fn new(sink: Arc<Sink>) -> Self {
        Self { sink }
    }
}

thread_local! {
    /// One buffer per thread, reused for every line.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A buffer larger than this is freed after the line.
const KEEP: usize = 4096;

impl<S: Subscriber> Layer<S> for JsonLines {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let urgent = *event.metadata().level() <= Level::WARN;
        // Taken out while the line is written, because the Display of a field may log too.
        let mut line = LINE.take();
        line.clear();
        write(&mut line, event).expect("writing to a Vec cannot fail");
        self.sink.take(&line, urgent);
        line.shrink_to(KEEP);
        LINE.set(line);
    }
}

fn write(line: &mut Vec<u8>, event: &Event<'_>) -> io::Result<()> {
    let metadata = event.metadata();
    let now = humantime::format_rfc3339_micros(SystemTime::now().max(UNIX_EPOCH));
    write!(line, "{{\"timestamp\":\"{now}\",\"level\":\"{}\"", metadata.level())?;
    let mut fields = Fields { line, logged_by: None };
    event.record(&mut fields);
    let logged_by = fields.logged_by.take();
    line.extend_from_slice(b",\"target\":");
    serde_json::to_writer(&mut *line, logged_by.as_deref().unwrap_or(metadata.target()))?;
    line.extend_from_slice(b"}\n");
    Ok(())
}

struct Fields<'a> {
    line: &'a mut Vec<u8>,
    /// The target of an event from the `log` crate, whose events all share one target.
    logged_by: Option<String>,
}

/// The debug format of a value, as a JSON string.
struct Shown<'a>(&'a dyn fmt::Debug);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&fmt::from_fn(|f| {
            // When the value's own Debug fails the string ends early; the line stays well-formed.
            let _ = write!(f, "{:?}", self.0);
            Ok(())
        }))
    }
}

impl Fields<'_> {
    /// Writes a field, except the metadata that `log` adds.
    fn put(&mut self, field: &Field, value: impl Serialize) {
        if field.name().starts_with("log.") {
            return;
        }
        self.line.push(b',');
        let written = serde_json::to_writer(&mut *self.line, field.name()).and_then(|()| {
            self.line.push(b':');
            serde_json::to_writer(&mut *self.line, &value)
        });
        written.expect("writing to a Vec cannot fail");
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "log.target" {
            self.logged_by = Some(value.to_owned());
        }
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, Shown(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::{io::Write, sync::Mutex, time::Duration};
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
    fn writes_an_event_as_one_line_with_its_fields() {
        let kept = Kept::default();
        let sink = Sink::start(kept.clone());
        let subscriber = tracing_subscriber::registry().with(JsonLines::new(sink.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let (status, shown) = (200_u16, tracing::field::display("a \"b\"\n"));
            tracing::info!(request_id = "x1", status, duration_ms = 1.5, shown, fresh = true, "request");
            tracing::error!(target: "elsewhere", code = -3, ratio = f64::NAN, "it {}", "broke");
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
        assert_eq!(second["ratio"], Value::Null, "JSON has no NaN");
    }
}
