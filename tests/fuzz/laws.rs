//! The laws, compiled once for all targets.
#[path = "../oracle/mod.rs"]
pub mod oracle;
