//! Scenario files: stages of load and the request mix.
//!
//! ```yaml
//! scenario: lunch
//! summary: quiet, then the whole office at once
//! before: [{put: /models/iris}]                                # sent once each, in this order, before the schedule starts
//! stages:
//!   - {duration: 1m, rate: 20/s}                               # constant
//!   - {duration: 30s, rate: 90/s, shape: linear}               # starts at the previous rate, or at `from:`
//!   - {duration: 5m, from: 10/s, rate: 60/s, shape: sine, period: 1m}
//!   - {burst: 150}                                             # all at once
//! requests:
//!   - {weight: 9, get: /api/users}
//!   - {weight: 1, get: /api/error, expect: 500}
//! ```

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};
use serde_saphyr::Spanned;

use crate::schedule::Schedule;
use crate::schedule::segment::{Segment, Shape};
use crate::spec::dependencies;
use crate::spec::request::RequestSpec;
use common::duration;
use common::rate::Rate;
use common::source_error::FileError;
use common::yaml;

/// A validated scenario.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// A one-sentence description; may be empty.
    pub summary: String,
    /// The alerts it trips; may be empty.
    pub trips: String,
    /// Requests sent once each, in order, before the schedule starts.
    pub before: Vec<RequestSpec>,
    /// When requests are due.
    pub schedule: Schedule,
    /// The request mix; at least one request.
    pub requests: Vec<RequestSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    scenario: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    trips: String,
    #[serde(default)]
    before: Vec<Spanned<RequestSpec>>,
    stages: Spanned<Vec<Spanned<Stage>>>,
    requests: Spanned<Vec<Spanned<RequestSpec>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stage {
    #[serde(default, deserialize_with = "duration::deserialize_option")]
    duration: Option<Duration>,
    #[serde(default, deserialize_with = "rate_or_zero")]
    rate: Option<f64>,
    #[serde(default, deserialize_with = "rate_or_zero")]
    from: Option<f64>,
    shape: Option<Form>,
    #[serde(default, deserialize_with = "duration::deserialize_option")]
    period: Option<Duration>,
    burst: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    Constant,
    Linear,
    Sine,
}

impl Scenario {
    /// Parses a scenario. `path` is used in error messages.
    ///
    /// # Errors
    /// With the file, the line and what was expected.
    pub fn parse(path: &Path, text: &str) -> Result<Self, FileError> {
        let written: Written = yaml::document(text).map_err(|error| FileError::yaml(path, &error))?;
        let mut segments = Vec::with_capacity(written.stages.value.len());
        let mut before = 0.0;
        for stage in &written.stages.value {
            let segment = stage.value.segment(before);
            let segment = segment.map_err(|reason| FileError::at(path, stage.referenced, reason))?;
            before = match segment.shape {
                Shape::Burst { .. } => before,
                _ => segment.rate(segment.seconds()),
            };
            segments.push(segment);
        }
        let schedule = Schedule::of(segments)
            .map_err(|reason| FileError::at(path, written.stages.referenced, format!("stages: {reason}")))?;
        let Written { scenario: name, summary, trips, before, requests, .. } = written;
        if requests.value.is_empty() {
            let reason = "requests: at least one request is needed, such as {get: /api/users}".to_owned();
            return Err(FileError::at(path, requests.referenced, reason));
        }
        let mut given = BTreeSet::new();
        for request in &before {
            check_dependencies(path, std::slice::from_ref(request), &given)?;
            given.extend(request.value.capture.iter().map(|capture| capture.name.clone()));
        }
        check_dependencies(path, &requests.value, &given)?;
        let [before, requests] = [before, requests.value]
            .map(|requests| requests.into_iter().map(|request| request.value).collect());
        Ok(Self { name, summary, trips, before, schedule, requests })
    }
}

/// Checks that every value a request needs is captured by another request or is in `given`.
fn check_dependencies(
    path: &Path,
    requests: &[Spanned<RequestSpec>],
    given: &BTreeSet<String>,
) -> Result<(), FileError> {
    let bare: Vec<RequestSpec> = requests.iter().map(|request| request.value.clone()).collect();
    let mistake = dependencies::resolve(&bare, given).err();
    mistake.map_or(Ok(()), |(index, reason)| Err(FileError::at(path, requests[index].referenced, reason)))
}

impl Stage {
    /// `before` is the rate at the end of the previous stage.
    fn segment(&self, before: f64) -> Result<Segment, String> {
        if let Some(count) = self.burst {
            let alone = self.duration.is_none() && self.rate.is_none() && self.from.is_none();
            if !alone || self.shape.is_some() || self.period.is_some() {
                return Err("a burst cannot have other keys: expected {burst: 100}".to_owned());
            }
            if count == 0 {
                return Err("burst: must be at least 1, found 0".to_owned());
            }
            let shape = Shape::Burst { count: f64::from(count) };
            return Ok(Segment { duration: Some(Duration::ZERO), shape });
        }
        let (Some(duration), Some(rate)) = (self.duration, self.rate) else {
            return Err("a stage needs a duration and a rate, such as {duration: 30s, rate: 100/s}, or a burst, such as {burst: 100}"
                .to_owned());
        };
        let form = self.shape.unwrap_or(Form::Constant);
        if self.from.is_some() && form == Form::Constant {
            return Err("`from` needs `shape: linear` or `shape: sine`".to_owned());
        }
        if self.period.is_some() && form != Form::Sine {
            return Err("`period` needs `shape: sine`".to_owned());
        }
        let from = self.from.unwrap_or(before);
        let shape = match form {
            Form::Constant => Shape::Line { from: rate, to: rate },
            Form::Linear => Shape::Line { from, to: rate },
            Form::Sine => {
                let period = self.period.unwrap_or(duration).as_secs_f64();
                if period == 0.0 {
                    return Err("invalid period \"0s\": must be at least 1ms".to_owned());
                }
                if from > rate {
                    return Err(format!(
                        "`from` ({from}/s) must be at most `rate` ({rate}/s) with `shape: sine`"
                    ));
                }
                Shape::Sine { low: from, high: rate, period }
            }
        };
        Ok(Segment { duration: Some(duration), shape })
    }
}

/// A rate, or `0` for a pause.
fn rate_or_zero<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    // YAML numbers deserialize as text too, so one parser serves both.
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| match text.trim() {
        "0" | "0/s" => Ok(0.0),
        text => text.parse::<Rate>().map(Rate::per_second).map_err(de::Error::custom),
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Scenario, String> {
        Scenario::parse(Path::new("a.yaml"), text).map_err(|error| error.to_string())
    }

    fn with(stages: &str) -> Result<Scenario, String> {
        read(&format!("scenario: a\nstages:\n{stages}\nrequests: [{{get: /}}]\n"))
    }

    #[test]
    fn parses_every_shape() {
        let scenario = with(
            "  - {duration: 10s, rate: 20/s}
  - {duration: 10s, rate: 120/m, shape: linear}
  - {duration: 20s, rate: 10, shape: sine, period: 10s}
  - {burst: 50}
  - {duration: 5s, rate: 0}
  - {duration: 10s, from: 4/s, rate: 0, shape: linear}",
        )
        .unwrap();
        let schedule = &scenario.schedule;
        assert_eq!(schedule.duration(), Some(Duration::from_secs(55)));
        // 200 + 110 + 120 + 50 + 0 + 20
        assert_eq!(schedule.total(), Some(500));
        for (seconds, rate) in [
            (5.0, 20.0),
            (15.0, 11.0),
            (20.0, 2.0),
            (25.0, 10.0),
            (30.0, 2.0),
            (42.0, 0.0),
            (45.0, 4.0),
            (50.0, 2.0),
        ] {
            assert!(
                (schedule.rate_at(seconds) - rate).abs() < 1e-9,
                "{seconds}: {}",
                schedule.rate_at(seconds)
            );
        }
    }

    #[test]
    fn an_empty_document_may_follow() {
        let text = "scenario: a\nstages: [{burst: 3}]\nrequests: [{get: /}]\n---\n";
        assert_eq!(read(text).unwrap().schedule.total(), Some(3));
        assert!(read(&format!("{text}scenario: b\n")).unwrap_err().contains("second document"));
    }

    #[test]
    fn errors_have_file_line_and_column() {
        for (stages, words) in [
            ("  - {duration: 10s}", "a.yaml:3:5: a stage needs a duration and a rate"),
            ("  - {duration: 10s, rate: 40/d}", "`40/d` is not a rate"),
            ("  - {duration: 10, rate: 40/s}", "`10` is not a duration"),
            ("  - {duration: 0s, rate: 40/s}", "a.yaml:3:3: stages: invalid duration \"0s\" of a stage"),
            ("  - {duration: 10s, rate: 0}", "less than one request"),
            ("  - {burst: 5, rate: 4/s}", "expected {burst: 100}"),
            ("  - {burst: 0}", "burst: must be at least 1, found 0"),
            ("  - {duration: 10s, rate: 4/s, from: 2/s}", "`from` needs"),
            ("  - {duration: 10s, rate: 4/s, period: 2s}", "`period` needs"),
            (
                "  - {duration: 10s, rate: 4/s, from: 9/s, shape: sine}",
                "`from` (9/s) must be at most `rate` (4/s)",
            ),
            ("  - {duration: 10s, rate: 4/s, from: 1/s, shape: sine, period: 0s}", "invalid period \"0s\""),
            ("  - {duration: 10s, rate: 4/s, shape: square}", "square"),
            ("  - {duration: 10s, rate: 4/s, sharp: linear}", "sharp"),
            ("  []", "less than one request"),
        ] {
            let error = with(stages).unwrap_err();
            assert!(error.starts_with("a.yaml:") && error.contains(words), "{stages}: {error}");
        }
        for (requests, words) in [
            ("requests: []", "a.yaml:3:11: requests: at least one request"),
            (
                "requests:\n  - {get: /}\n  - {get: '/{{user}}'}",
                "a.yaml:5:5: `{{user}}`: no request captures `user`",
            ),
            (
                "requests:\n  - {get: '/{{a}}', capture: {a: /id}}",
                "a.yaml:4:5: `{{a}}` can never be captured",
            ),
            (
                "requests: [{get: /}]\nbefore: [{post: /, capture: {a: /id}}, {put: '/{{b}}'}]",
                "a.yaml:4:40: `{{b}}`",
            ),
            (
                "requests: [{get: /, capture: {'a b': /id}}]",
                "a.yaml:3:12: capture: `a b` is not a valid name",
            ),
            ("requests: [{get: /, expect: {a: 1}}]", "a.yaml:3:29: expect: `{\"a\":1}` is not a status"),
        ] {
            let error = read(&format!("scenario: a\nstages: [{{duration: 1s, rate: 4/s}}]\n{requests}\n"))
                .unwrap_err();
            assert!(error.starts_with(words), "{error}");
        }
        let given = "scenario: a\nstages: [{duration: 1s, rate: 4/s}]\nbefore: [{post: /, capture: {a: /id}}]\n\
                     requests: [{get: '/{{a}}'}]\n";
        assert_eq!(read(given).unwrap().requests.len(), 1, "captured before the run");
    }
}
