//! JSON Schemas (draft 2020-12) of what the program writes, made from the records themselves.

use super::{Line, ReportRecord};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

/// What a line of NDJSON looks like: a finding, the run before all findings, inputs and the summary behind them.
pub fn finding() -> Schema {
    schema::<Line<'_>>()
}

/// What a JSON report looks like.
pub fn report() -> Schema {
    schema::<ReportRecord<'_>>()
}

/// Of what is written: a field that is always written is required, whatever reading takes.
fn schema<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}
