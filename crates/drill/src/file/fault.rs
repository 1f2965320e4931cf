//! A fault as written in a drill file, in the fields of the gateway's `PUT /faults/{id}` without `ttl`. Mistakes that need
//! no gateway are found while reading; the gateway itself checks routes and the memory limit.

use crate::error::DrillError;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

use common::duration;

/// HTTP methods that a fault can select.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The fields of a fault.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "method")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "share")]
    share: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "abort")]
    abort: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "delay")]
    delay: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    panic: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "memory")]
    memory: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "pause")]
    pause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<Model>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(default, skip_serializing, deserialize_with = "ttl")]
    #[allow(dead_code)] // read only to be rejected with a hint
    ttl: (),
}

/// Effect of the fault on inferences.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "delay")]
    delay: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fail: Option<bool>,
}

/// A fault with an effect, as its JSON fields.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Fault(pub Map<String, Value>);

impl TryFrom<Written> for Fault {
    type Error = DrillError;

    fn try_from(written: Written) -> Result<Self, DrillError> {
        let Written { abort, delay, panic, memory, pause, model, .. } = &written;
        let panics = *panic == Some(true);
        let on_traffic = abort.is_some() || delay.is_some() || panics;
        if !on_traffic && memory.is_none() && pause.is_none() && model.is_none() {
            return Err(DrillError::Field(
                "fault has no effect: set abort, delay, panic, memory, pause or model".to_owned(),
            ));
        }
        if model.as_ref().is_some_and(|model| model.delay.is_none() && model.fail != Some(true)) {
            return Err(DrillError::Field(
                "fault.model has no effect: set delay, or `fail: true`".to_owned(),
            ));
        }
        if abort.is_some() && panics {
            return Err(DrillError::Field(
                "fault: `abort` and `panic` both end the request: remove one of them".to_owned(),
            ));
        }
        let chooses = written.route.is_some()
            || written.method.is_some()
            || written.share.is_some()
            || written.seed.is_some();
        if chooses && !on_traffic {
            let why = "select requests, but this fault has no abort, delay or panic to apply to them: set one of them";
            return Err(DrillError::Field(format!("fault: route, method, share and seed {why}")));
        }
        match serde_json::to_value(&written) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            other => Err(DrillError::Field(format!("cannot write the fault as JSON: {other:?}"))),
        }
    }
}

/// Reads text accepted by `good`, or says what is expected.
fn text<'de, D: Deserializer<'de>>(
    from: D,
    good: impl Fn(&str) -> bool,
    field: &str,
    expected: &str,
) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    if good(text.trim()) {
        Ok(Some(text.trim().to_owned()))
    } else {
        Err(de::Error::custom(format!("fault.{field}: `{text}`: expected {expected}")))
    }
}

fn method<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    text(from, |text| METHODS.contains(&text), "method", &format!("one of {}", METHODS.join(", ")))
}

fn share<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let good = |text: &str| text.parse().is_ok_and(|share: f64| (0.0..=1.0).contains(&share));
    Ok(text(from, good, "share", "a number from 0 to 1")?.and_then(|text| text.parse().ok()))
}

fn abort<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u16>, D::Error> {
    let good = |text: &str| text.parse().is_ok_and(|status: u16| (400..=599).contains(&status));
    Ok(text(from, good, "abort", "an error status from 400 to 599")?.and_then(|text| text.parse().ok()))
}

fn delay<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    text(from, delays, "delay", "a duration such as 250ms, or shares in percent such as 50ms:90,2s:10")
}

fn delays(text: &str) -> bool {
    let duration = |text: &str| duration::parse(text).is_ok();
    if !text.contains([',', ':']) {
        return duration(text);
    }
    let share = |part: &str| {
        let (time, percent) = part.split_once(':')?;
        let percent: f64 = percent.trim().parse().ok()?;
        (duration(time) && percent > 0.0).then_some(percent)
    };
    let shares: Option<Vec<f64>> = text.split(',').map(share).collect();
    shares.is_some_and(|shares| shares.iter().sum::<f64>() <= 100.0 + 1e-9)
}

fn memory<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let good = |text: &str| {
        let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = text[number.len()..].to_ascii_lowercase();
        let units = ["", "b", "kb", "mb", "gb", "tb", "kib", "mib", "gib", "tib"];
        number.trim_end().parse().is_ok_and(|size: f64| size > 0.0) && units.contains(&unit.as_str())
    };
    text(from, good, "memory", "a size such as 500MB or 512MiB")
}

fn pause<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    text(from, |text| text == "ingest", "pause", "ingest")
}

fn ttl<'de, D: Deserializer<'de>>(from: D) -> Result<(), D::Error> {
    de::IgnoredAny::deserialize(from)?;
    Err(de::Error::custom(
        "cause.fault: remove `ttl`: the drill sets it, so that the fault outlasts the drill",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value, String> {
        let fault = serde_saphyr::from_str::<Fault>(text);
        fault.map(|fault| Value::Object(fault.0)).map_err(|error| error.without_snippet().to_string())
    }

    #[test]
    fn sends_valid_faults_as_written() {
        for (text, sent) in [
            (
                "{route: /api/users, delay: 350ms}",
                serde_json::json!({"route": "/api/users", "delay": "350ms"}),
            ),
            ("{memory: 400MB}", serde_json::json!({"memory": "400MB"})),
            ("{memory: 1048576}", serde_json::json!({"memory": "1048576"})),
            ("{pause: ingest}", serde_json::json!({"pause": "ingest"})),
            ("{model: {delay: '50ms:90,2s:10'}}", serde_json::json!({"model": {"delay": "50ms:90,2s:10"}})),
            ("{model: {fail: true}}", serde_json::json!({"model": {"fail": true}})),
            (
                "{method: POST, share: 0.5, abort: 503, seed: 7}",
                serde_json::json!({"method": "POST", "share": 0.5, "abort": 503, "seed": 7}),
            ),
            ("{panic: true}", serde_json::json!({"panic": true})),
        ] {
            assert_eq!(read(text).unwrap(), sent, "{text}");
        }
    }

    #[test]
    fn errors_name_the_expected_value() {
        for (text, message) in [
            ("{}", "fault has no effect: set abort"),
            ("{panic: false}", "has no effect"),
            ("{rout: /x}", "unknown field `rout`, expected one of route, method"),
            ("{delay: 3 parsecs}", "fault.delay: `3 parsecs`: expected a duration such as 250ms"),
            ("{delay: '50ms:90,2s:20'}", "fault.delay: "),
            ("{delay: '50ms,2s:20'}", "fault.delay: "),
            ("{abort: 200}", "expected an error status from 400 to 599"),
            ("{abort: 503, panic: true}", "both end the request"),
            ("{abort: 503, share: 8%}", "fault.share: `8%`: expected a number from 0 to 1"),
            ("{abort: 503, method: get}", "expected one of GET, HEAD"),
            ("{memory: lots}", "expected a size such as 500MB"),
            ("{pause: redis}", "fault.pause: `redis`: expected ingest"),
            ("{model: {dely: 1s}}", "unknown field `dely`"),
            ("{model: {fail: false}}", "fault.model has no effect"),
            ("{memory: 1MB, route: /x}", "select requests"),
            ("{abort: 503, ttl: 5s}", "remove `ttl`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
