//! Alertmanager's time intervals, in which a route sends nothing.
//!
//! Source: <https://prometheus.io/docs/alerting/latest/configuration/#time-interval-settings>. Times are in UTC unless an
//! interval names a location.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::routing::error::RoutingError;

/// A named interval: `{name: nights, time_intervals: […]}`.
#[derive(Debug, Clone, Deserialize)]
pub struct Named {
    name: String,
    #[serde(default)]
    time_intervals: Vec<Interval>,
}

/// One interval. All of its fields must match, and each field matches if one of its ranges does.
#[derive(Debug, Clone, Default, Deserialize)]
struct Interval {
    times: Option<Vec<Times>>,
    weekdays: Option<Vec<String>>,
    days_of_month: Option<Vec<String>>,
    months: Option<Vec<String>>,
    years: Option<Vec<String>>,
    location: Option<String>,
}

/// A time range: `{start_time: '22:00', end_time: '24:00'}`.
#[derive(Debug, Clone, Deserialize)]
struct Times {
    start_time: String,
    end_time: String,
}

/// The names of the time intervals of a route.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct TimeIntervals {
    /// The route is muted in any of these intervals.
    pub mute: Vec<String>,
    /// The route is muted outside of all of these intervals, if there are any.
    pub active: Vec<String>,
}

/// The time intervals of a configuration.
#[derive(Debug, Clone, Default)]
pub struct Intervals(BTreeMap<String, Vec<Interval>>);

impl Intervals {
    /// Collects the intervals that a configuration lists.
    #[must_use]
    pub fn new(listed: Vec<Named>) -> Self {
        Self(listed.into_iter().map(|named| (named.name, named.time_intervals)).collect())
    }

    /// Why a route is muted at this time; `None` when it is not.
    ///
    /// # Errors
    /// The interval is not defined or cannot be evaluated.
    pub fn mute_reason(
        &self,
        time_intervals: &TimeIntervals,
        now: Timestamp,
    ) -> Result<Option<String>, RoutingError> {
        for name in &time_intervals.mute {
            if self.contains(name, now)? {
                return Ok(Some(format!("muted by the time interval `{name}`")));
            }
        }
        for name in &time_intervals.active {
            if self.contains(name, now)? {
                return Ok(None);
            }
        }
        let names: Vec<_> = time_intervals.active.iter().map(|name| format!("`{name}`")).collect();
        Ok((!names.is_empty()).then(|| format!("active only in the time interval {}", names.join(" or "))))
    }

    /// Checks that the intervals of a route are defined.
    pub(super) fn check(&self, time_intervals: &TimeIntervals) -> Result<(), RoutingError> {
        let mut names = time_intervals.mute.iter().chain(&time_intervals.active);
        let missing = names.find(|name| !self.0.contains_key(*name));
        missing.map_or(Ok(()), |name| Err(RoutingError::Unnamed(name.clone())))
    }

    fn contains(&self, name: &str, now: Timestamp) -> Result<bool, RoutingError> {
        let intervals = self.0.get(name).ok_or_else(|| RoutingError::Unnamed(name.to_owned()))?;
        any(intervals, |interval| interval.contains(now))
            .map_err(|reason| RoutingError::Interval { name: name.to_owned(), reason: reason.0 })
    }
}

/// The part of an interval that is invalid.
struct Unclear(String);

/// Whether `holds` is true for one item; the first error ends the search.
fn any<'a, T: 'a>(
    all: impl IntoIterator<Item = &'a T>,
    holds: impl Fn(&'a T) -> Result<bool, Unclear>,
) -> Result<bool, Unclear> {
    for one in all {
        if holds(one)? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Interval {
    fn contains(&self, now: Timestamp) -> Result<bool, Unclear> {
        let zone = match self.location.as_deref() {
            None | Some("" | "UTC") => TimeZone::UTC,
            Some("Local") => {
                return Err(Unclear(
                    "its location is Alertmanager's local time zone, which its API does not show".to_owned(),
                ));
            }
            Some(name) => TimeZone::get(name).map_err(|error| Unclear(error.to_string()))?,
        };
        let now = now.to_zoned(zone);
        let date = now.date();
        let number = |text: &str| text.parse::<i32>().ok();
        let weekday = |text: &str| {
            let weekday = strtime::parse("%A", text).ok()?.weekday()?;
            Some(i32::from(weekday.to_sunday_zero_offset()))
        };
        let month =
            |text: &str| number(text).or_else(|| strtime::parse("%B", text).ok()?.month().map(i32::from));
        // Negative days count from the end of the month; days are limited to the month.
        let last = i32::from(date.days_in_month());
        let day = |text: &str| number(text).map(|day| if day < 0 { last + day + 1 } else { day });
        let minute = i32::from(now.hour()) * 60 + i32::from(now.minute());
        let in_times = |it: &Times| Ok((clock(&it.start_time)?..clock(&it.end_time)?).contains(&minute));
        Ok(self.times.as_ref().map_or(Ok(true), |times| any(times, in_times))?
            && in_ranges(self.weekdays.as_ref(), i32::from(date.weekday().to_sunday_zero_offset()), weekday)?
            && in_ranges(self.days_of_month.as_ref(), i32::from(now.day()), day)?
            && in_ranges(self.months.as_ref(), i32::from(date.month()), month)?
            && in_ranges(self.years.as_ref(), i32::from(date.year()), number)?)
    }
}

fn in_ranges(
    ranges: Option<&Vec<String>>,
    value: i32,
    read: impl Fn(&str) -> Option<i32>,
) -> Result<bool, Unclear> {
    ranges.map_or(Ok(true), |ranges| {
        any(ranges, |text| range(text, &read).map(|(from, to)| (from..=to).contains(&value)))
    })
}

/// Parses a range such as `monday:friday`, or a single value.
fn range(text: &str, read: impl Fn(&str) -> Option<i32>) -> Result<(i32, i32), Unclear> {
    let (from, to) = text.split_once(':').unwrap_or((text, text));
    let read = |part: &str| read(part.trim()).ok_or_else(|| unclear(text));
    Ok((read(from)?, read(to)?))
}

fn unclear(text: &str) -> Unclear {
    Unclear(format!("invalid value `{text}`"))
}

/// Parses a time such as `09:30` to minutes since midnight.
fn clock(text: &str) -> Result<i32, Unclear> {
    let parts = text
        .split_once(':')
        .and_then(|(hours, minutes)| Some((hours.parse::<i32>().ok()?, minutes.parse::<i32>().ok()?)));
    parts.map(|(hours, minutes)| hours * 60 + minutes).ok_or_else(|| unclear(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intervals() -> Intervals {
        let yaml = r#"
- name: always
  time_intervals: [{times: [{start_time: "00:00", end_time: "24:00"}]}]
- name: office
  time_intervals:
  - times: [{start_time: "09:00", end_time: "17:30"}]
    weekdays: ['monday:friday']
    location: Europe/Berlin
- name: ends
  time_intervals: [{days_of_month: ["1:2", '-2:-1']}]
- name: spring
  time_intervals: [{months: ["3:4", may]}, {years: ['2030:2031']}]
- name: sundays
  time_intervals: [{weekdays: [Sunday]}]
- name: here
  time_intervals: [{location: Local, times: [{start_time: "00:00", end_time: "24:00"}]}]
- name: atlantis
  time_intervals: [{location: Europe/Atlantis}]
- name: bad
  time_intervals: [{weekdays: [mon]}]
"#;
        Intervals::new(serde_saphyr::from_str(yaml).unwrap())
    }

    #[test]
    fn finds_times_inside_intervals() {
        for (name, at, inside) in [
            ("always", "2026-11-21T23:59:59Z", true),
            // A Saturday. Berlin is one hour ahead of UTC in winter and two in summer.
            ("office", "2026-11-21T12:00:00Z", false),
            ("office", "2026-11-20T08:00:00Z", true),
            ("office", "2026-11-20T07:59:59Z", false),
            ("office", "2026-11-20T16:29:59Z", true),
            ("office", "2026-11-20T16:30:00Z", false),
            ("office", "2026-07-17T07:00:00Z", true),
            ("ends", "2026-02-27T12:00:00Z", true),
            ("ends", "2026-02-26T12:00:00Z", false),
            ("ends", "2028-02-27T12:00:00Z", false),
            ("ends", "2026-03-02T12:00:00Z", true),
            ("spring", "2026-05-31T12:00:00Z", true),
            ("spring", "2026-02-28T12:00:00Z", false),
            ("spring", "2030-12-31T12:00:00Z", true),
            ("sundays", "2026-11-22T00:00:00Z", true),
            ("sundays", "2026-11-21T23:59:00Z", false),
        ] {
            assert_eq!(intervals().contains(name, at.parse().unwrap()), Ok(inside), "{name} {at}");
        }
    }

    #[test]
    fn intervals_mute_or_activate_a_route() {
        let at = "2026-11-21T12:00:00Z".parse().unwrap();
        let muted = |mute: &[&str], active: &[&str]| {
            let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            intervals().mute_reason(&TimeIntervals { mute: names(mute), active: names(active) }, at)
        };
        assert_eq!(muted(&[], &[]), Ok(None));
        assert_eq!(muted(&["office"], &["sundays", "always"]), Ok(None));
        assert_eq!(muted(&["office", "always"], &[]), Ok(Some("muted by the time interval `always`".into())));
        let only = "active only in the time interval `office` or `sundays`".to_owned();
        assert_eq!(muted(&[], &["office", "sundays"]), Ok(Some(only)));
        for (name, message) in [
            ("here", "which its API does not show"),
            ("atlantis", "Europe/Atlantis"),
            ("bad", "invalid value `mon`"),
            ("none", "no time interval is named `none`"),
        ] {
            assert!(muted(&[name], &[]).unwrap_err().to_string().contains(message), "{name}");
        }
    }
}
