//! JSON Schemas (draft 2020-12) of what the program writes.
//!
//! They are texts in `schemas/`, so that only tests compile what generates them. A test generates them from the records
//! and compares; `BLESS=1 cargo test` writes them anew. The schema of a pattern file is the catalogue's, and the same
//! test compares it.

/// The schema of a line of NDJSON: the run, a finding, an input that was not read whole, or the summary.
pub fn finding() -> &'static str {
    include_str!("schemas/finding.json")
}

/// The schema of a JSON report.
pub fn report() -> &'static str {
    include_str!("schemas/report.json")
}

#[cfg(test)]
mod tests {
    use crate::record::{NdjsonLine, ReportRecord};
    use schemars::generate::SchemaSettings;
    use schemars::{JsonSchema, Schema};
    use std::path::Path;

    /// The schema of what is written: a field that is always written is required, whatever reading accepts.
    fn written<T: JsonSchema>() -> Schema {
        SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
    }

    #[test]
    fn the_schemas_are_generated_from_the_records() {
        for (file, schema, text) in [
            ("record/schemas/finding.json", written::<NdjsonLine<'_>>(), super::finding()),
            ("record/schemas/report.json", written::<ReportRecord<'_>>(), super::report()),
            ("catalog/schema.json", crate::catalog::generated_schema(), crate::catalog::schema()),
        ] {
            let generated = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
            if std::env::var_os("BLESS").is_some() {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
                std::fs::write(path, &generated).expect("writes the schema");
            } else {
                let text = text.replace("\r\n", "\n");
                assert_eq!(
                    text, generated,
                    "src/{file} is out of date: run BLESS=1 cargo test and read the difference"
                );
            }
        }
    }
}
