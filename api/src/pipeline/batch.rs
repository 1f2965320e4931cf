//! Checks a batch reading by reading: an invalid reading does not affect the others. Pure functions.

use crate::{
    json,
    problem::FieldError,
    store::{Reading, Stream},
};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// Maximum number of readings in a batch.
pub const MAX_READINGS: usize = 1000;
/// Longest text of a reading, in bytes.
const LONGEST_READING: usize = 4096;
/// Longest device name, in characters.
const LONGEST_DEVICE: usize = 64;
/// Valid times: the years 2000 to 2099. Milliseconds are far outside.
const TIMES: RangeInclusive<i64> = 946_684_800..=4_102_444_799;

/// A checked batch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// The valid readings, in the order given.
    pub readings: Vec<Reading>,
    /// The invalid readings.
    pub rejected: Vec<Rejection>,
}

/// Why a reading was rejected.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Rejection {
    /// Its index in the batch, from 0.
    pub index: usize,
    /// JSON pointer of the invalid field as a URI fragment, such as `#/readings/3/value`.
    pub pointer: String,
    /// What is wrong and what is expected.
    pub detail: String,
    /// Its stream if known, for the metrics.
    #[serde(skip)]
    pub stream: Option<Stream>,
}

/// Checks the JSON text of a list of readings. Readings beyond the maximum are only counted.
///
/// # Errors
/// When it is missing, not a list, empty or too long.
pub fn check(readings: Option<&str>) -> Result<Batch, FieldError> {
    let fault = |detail: String| FieldError { detail, pointer: "#/readings".to_owned() };
    let readings = readings.ok_or_else(|| fault("readings is required".to_owned()))?;
    if !json::is_list(readings) {
        return Err(fault("must be a list of readings".to_owned()));
    }
    let (mut batch, mut count) = (Batch::default(), 0);
    let read = json::each(readings, |text| {
        if count < MAX_READINGS {
            batch.add(count, text);
        }
        count += 1;
    });
    read.map_err(|error| fault(error.to_string()))?;
    if !(1..=MAX_READINGS).contains(&count) {
        return Err(fault(format!("must have 1 to {MAX_READINGS} readings; {count} were sent")));
    }
    Ok(batch)
}

impl Batch {
    fn add(&mut self, index: usize, text: &str) {
        // A longer one is not parsed: as a value it could take a hundred times its size.
        let value = if text.len() <= LONGEST_READING {
            serde_json::from_str(text).unwrap_or_default()
        } else {
            Value::Null
        };
        let stream = value.get("stream").and_then(Value::as_str).and_then(Stream::of);
        match reading(value) {
            Ok(reading) => self.readings.push(reading),
            Err((field, detail)) => {
                let pointer = format!("#/readings/{index}{field}");
                self.rejected.push(Rejection { index, pointer, detail, stream });
            }
        }
    }
}

/// One reading, or the invalid field (`/value`; empty for the reading itself) and the reason.
fn reading(value: Value) -> Result<Reading, (&'static str, String)> {
    let Value::Object(fields) = value else {
        let detail = format!(
            "must be an object with device, stream, timestamp and value, of at most {LONGEST_READING} bytes"
        );
        return Err(("", detail));
    };
    let device = text(&fields, "device").map_err(|detail| ("/device", detail))?;
    if let Some(detail) = device_fault(device) {
        return Err(("/device", detail));
    }
    let stream = text(&fields, "stream").map_err(|detail| ("/stream", detail))?;
    let stream = Stream::of(stream).ok_or_else(|| ("/stream", unknown_stream()))?;
    let timestamp = timestamp(&fields).map_err(|detail| ("/timestamp", detail))?;
    let value = measured(&fields, stream).map_err(|detail| ("/value", detail))?;
    Ok(Reading { device: device.to_owned(), stream, timestamp, value })
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, String> {
    match fields.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err("must be a string".to_owned()),
        None => Err(format!("{name} is required")),
    }
}

/// The error in a device's name, if any.
pub fn device_fault(device: &str) -> Option<String> {
    let clean = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-');
    let fine = (1..=LONGEST_DEVICE).contains(&device.len()) && device.chars().all(clean);
    (!fine).then(|| format!("must be 1 to {LONGEST_DEVICE} letters, digits, `.`, `_`, `:` or `-`"))
}

/// The error for an unknown stream.
pub fn unknown_stream() -> String {
    format!("must be one of {}", Stream::ALL.map(Stream::name).join(", "))
}

fn timestamp(fields: &Map<String, Value>) -> Result<i64, String> {
    let given = fields.get("timestamp").ok_or("timestamp is required")?;
    given
        .as_i64()
        .filter(|seconds| TIMES.contains(seconds))
        .ok_or_else(|| "must be an integer: seconds since 1970, in the years 2000 to 2099".to_owned())
}

fn measured(fields: &Map<String, Value>, stream: Stream) -> Result<f64, String> {
    let given = fields.get("value").ok_or("value is required")?;
    let (range, number) = (stream.range(), if stream.is_counted() { "an integer" } else { "a number" });
    given
        .as_f64()
        .filter(|value| range.contains(value) && (!stream.is_counted() || value.fract() == 0.0))
        .ok_or_else(|| {
            format!("must be {number} from {} to {} ({})", range.start(), range.end(), stream.unit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(body: Value) -> Result<Batch, FieldError> {
        super::check(body.get("readings").map(Value::to_string).as_deref())
    }

    fn one(reading: Value) -> Batch {
        check(json!({"readings": [reading]})).unwrap()
    }

    #[test]
    fn accepts_each_stream_up_to_the_ends_of_its_range() {
        for (stream, value, taken) in [
            ("heart_rate", json!(20), true),
            ("heart_rate", json!(250.0), true),
            ("heart_rate", json!(19.9), false),
            ("heart_rate", json!(251), false),
            ("hrv_rmssd", json!(0), true),
            ("hrv_rmssd", json!(14.9), true),
            ("hrv_rmssd", json!(300), true),
            ("hrv_rmssd", json!(-0.1), false),
            ("hrv_rmssd", json!(1000.5), false),
            ("steps", json!(0), true),
            ("steps", json!(12.0), true),
            ("steps", json!(12.5), false),
            ("steps", json!(100_001), false),
            ("spo2", json!(50), true),
            ("spo2", json!(100.1), false),
            ("spo2", json!("97"), false),
            ("spo2", json!(null), false),
        ] {
            let batch =
                one(json!({"device": "d1", "stream": stream, "timestamp": 1_790_000_000, "value": value}));
            assert_eq!(batch.readings.len() == 1, taken, "{stream} {value}");
            if !taken {
                assert_eq!(batch.rejected[0].pointer, "#/readings/0/value");
                assert_eq!(batch.rejected[0].stream, Stream::of(stream));
            }
        }
    }

    #[test]
    fn every_error_points_at_its_field() {
        let good = json!({"device": "d1", "stream": "spo2", "timestamp": 1_790_000_000, "value": 97});
        let with = |field: &str, value: Value| {
            let mut reading = good.clone();
            reading[field] = value;
            reading
        };
        let without = |field: &str| {
            let mut reading = good.clone();
            reading.as_object_mut().unwrap().remove(field);
            reading
        };
        for (reading, field) in [
            (json!(7), ""),
            (json!([]), ""),
            (without("device"), "/device"),
            (with("device", json!("")), "/device"),
            (with("device", json!("a b")), "/device"),
            (with("device", json!("x".repeat(65))), "/device"),
            (with("device", json!(1)), "/device"),
            (without("stream"), "/stream"),
            (with("stream", json!("pulse")), "/stream"),
            (without("timestamp"), "/timestamp"),
            (with("timestamp", json!(1_790_000_000_000_i64)), "/timestamp"),
            (with("timestamp", json!(1_790_000_000.5)), "/timestamp"),
            (with("timestamp", json!(-1)), "/timestamp"),
            (without("value"), "/value"),
        ] {
            let batch = one(reading.clone());
            assert_eq!(batch.readings, [], "{reading}");
            let [rejection] = &batch.rejected[..] else { panic!("{batch:?}") };
            assert_eq!(rejection.pointer, format!("#/readings/0{field}"), "{reading}");
            assert!(!rejection.detail.is_empty());
        }
    }

    #[test]
    fn an_invalid_reading_does_not_affect_the_others() {
        let good = json!({"device": "d1", "stream": "spo2", "timestamp": 1_790_000_000, "value": 97});
        let batch = check(json!({"readings": [good, {}, good, 1]})).unwrap();
        assert_eq!(batch.readings.len(), 2);
        assert_eq!(batch.rejected.iter().map(|r| r.index).collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn rejects_what_is_not_a_batch() {
        let many = vec![json!({}); MAX_READINGS + 1];
        for (body, pointer) in [
            (json!({}), "#/readings"),
            (json!({"readings": {}}), "#/readings"),
            (json!({"readings": []}), "#/readings"),
            (json!({"readings": many}), "#/readings"),
        ] {
            assert_eq!(check(body).unwrap_err().pointer, pointer);
        }
    }

    #[test]
    fn a_long_reading_is_not_parsed() {
        let reading = |length: usize| json!({"device": "d1", "stream": "spo2", "timestamp": 1_790_000_000, "value": 97, "x": "x".repeat(length)});
        assert_eq!(one(reading(100)).readings.len(), 1);
        let rejected = &one(reading(LONGEST_READING)).rejected[0];
        assert!(rejected.pointer == "#/readings/0" && rejected.detail.contains("4096"), "{rejected:?}");
    }
}
