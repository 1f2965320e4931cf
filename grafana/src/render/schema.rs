//! What the format has by name.

/// The version of the format.
pub const SCHEMA_VERSION: u32 = 42;
/// What every panel, variable and annotation asks: the value of the variable `datasource`.
pub const DATASOURCE: &str = "${datasource}";
/// The data source that [the provisioning](../../provisioning) defines.
pub const PROMETHEUS_UID: &str = "firedrill-prometheus";
