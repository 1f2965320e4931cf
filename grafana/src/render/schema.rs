//! Constants of the format.

/// The version of the format.
pub const SCHEMA_VERSION: u32 = 42;
/// The data source of every panel, variable and annotation: the variable `datasource`.
pub const DATASOURCE: &str = "${datasource}";
/// The data source that [the provisioning](../../provisioning) defines.
pub const PROMETHEUS_UID: &str = "firedrill-prometheus";
