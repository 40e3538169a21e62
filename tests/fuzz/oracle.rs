//! The properties of `tests/oracle`, compiled once for all fuzz targets.
#[path = "../oracle/mod.rs"]
pub mod oracle;
