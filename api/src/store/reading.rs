//! Readings of wearables.

use sqlx::{Database, FromRow, Row};
use std::ops::RangeInclusive;

/// What a device measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Beats per minute.
    HeartRate,
    /// Heart rate variability: root mean square of successive differences, in milliseconds.
    HrvRmssd,
    /// Steps since the device's last reading.
    Steps,
    /// Blood oxygen saturation in percent.
    Spo2,
}

impl Stream {
    /// Every stream.
    pub const ALL: [Self; 4] = [Self::HeartRate, Self::HrvRmssd, Self::Steps, Self::Spo2];

    /// Its name in the API, the database and metric labels.
    pub fn name(self) -> &'static str {
        match self {
            Self::HeartRate => "heart_rate",
            Self::HrvRmssd => "hrv_rmssd",
            Self::Steps => "steps",
            Self::Spo2 => "spo2",
        }
    }

    /// The stream with this name, if any.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stream| stream.name() == name)
    }

    /// Values that a working device can report. They go beyond healthy values, because those are what people want
    /// alerts for.
    pub fn range(self) -> RangeInclusive<f64> {
        match self {
            Self::HeartRate => 20.0..=250.0,
            Self::HrvRmssd => 0.0..=1000.0,
            Self::Steps => 0.0..=100_000.0,
            Self::Spo2 => 50.0..=100.0,
        }
    }

    /// The unit, for messages.
    pub fn unit(self) -> &'static str {
        match self {
            Self::HeartRate => "beats per minute",
            Self::HrvRmssd => "milliseconds",
            Self::Steps => "steps",
            Self::Spo2 => "percent",
        }
    }

    /// Whether only integers are valid.
    pub fn is_counted(self) -> bool {
        self == Self::Steps
    }
}

/// One value at one time.
#[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
pub struct Reading {
    /// The device: 1 to 64 letters, digits, `.`, `_`, `:` or `-`.
    pub device: String,
    /// What was measured.
    pub stream: Stream,
    /// Time in seconds since 1970.
    pub timestamp: i64,
    /// The value, in the stream's unit and range.
    pub value: f64,
}

impl Reading {
    /// Its key: there is one value for each.
    pub fn key(&self) -> (&str, Stream, i64) {
        (&self.device, self.stream, self.timestamp)
    }
}

impl<'r, R: Row> FromRow<'r, R> for Reading
where
    usize: sqlx::ColumnIndex<R>,
    String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    f64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    R::Database: Database,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let name: String = row.try_get(1)?;
        let stream = Stream::of(&name)
            .ok_or_else(|| sqlx::Error::Decode(format!("a reading has the unknown stream {name}").into()))?;
        Ok(Self { device: row.try_get(0)?, stream, timestamp: row.try_get(2)?, value: row.try_get(3)? })
    }
}

/// A filter of readings.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadingsQuery {
    /// Only of this device.
    pub device: Option<String>,
    /// Only of this stream.
    pub stream: Option<Stream>,
    /// From this second.
    pub from: i64,
    /// Up to and including this second.
    pub to: i64,
    /// Only after this position in the order device, stream, time.
    pub after: Option<Cursor>,
    /// At most this many.
    pub limit: u32,
}

/// A position in the order of readings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The device.
    pub device: String,
    /// The stream.
    pub stream: Stream,
    /// The time, in seconds since 1970.
    pub timestamp: i64,
}

impl Cursor {
    /// Parses `DEVICE,STREAM,SECONDS`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(',');
        let cursor = Self {
            device: parts.next()?.to_owned(),
            stream: Stream::of(parts.next()?)?,
            timestamp: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(cursor)
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{},{},{}", self.device, self.stream.name(), self.timestamp)
    }
}

impl From<&Reading> for Cursor {
    fn from(reading: &Reading) -> Self {
        Self { device: reading.device.clone(), stream: reading.stream, timestamp: reading.timestamp }
    }
}
