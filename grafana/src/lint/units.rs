//! Grafana's names of the units that metrics of a service may have.
//!
//! Source: `packages/grafana-data/src/valueFormats/categories.ts` of Grafana.

/// The names.
pub(super) const UNITS: &[&str] = &[
    // plain
    "none",
    "string",
    "short",
    "percent",
    "percentunit",
    "sci",
    "locale",
    // yes and no
    "bool",
    "bool_yes_no",
    "bool_on_off",
    // amounts and rates of data
    "bytes",
    "decbytes",
    "bits",
    "decbits",
    "Bps",
    "binBps",
    "bps",
    "binbps",
    "pps",
    // dates
    "dateTimeAsIso",
    "dateTimeAsIsoNoDateIfToday",
    "dateTimeAsLocal",
    "dateTimeAsSystem",
    "dateTimeFromNow",
    // time
    "hertz",
    "ns",
    "µs",
    "ms",
    "s",
    "m",
    "h",
    "d",
    "dtdurationms",
    "dtdurations",
    // events per second or minute
    "cps",
    "ops",
    "reqps",
    "rps",
    "wps",
    "iops",
    "cpm",
    "opm",
    "rpm",
    "wpm",
];
