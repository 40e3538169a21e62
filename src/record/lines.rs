//! The lines of NDJSON: the run, findings, inputs that were not read whole, the summary.
//!
//! A catalogue, a problem or a report comes in; a record of one line goes out. The order of lines is not known here.

use super::finding::FindingRecord;
use super::{CatalogRecord, ProblemRecord, RedactionRecord, TOOL, VERSION};
use crate::report::{Report, SCHEMA_VERSION};
use crate::scan::Problem;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A line of NDJSON: the run first, then findings in the order of path, member and offset, then each input that was not
/// read whole, the summary last.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Line"))]
#[serde(untagged)]
pub enum NdjsonLine<'a> {
    /// The first line.
    Run(RunRecord<'a>),
    /// A finding.
    Finding(Box<FindingRecord<'a>>),
    /// An input that was not read whole.
    Input(InputRecord<'a>),
    /// The last line.
    Summary(SummaryRecord<'a>),
}

/// The run: the first line.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Run", deny_unknown_fields))]
pub struct RunRecord<'a> {
    /// The type of this object.
    pub r#type: RunType,
    /// The version of this shape; within one, fields are only added.
    #[cfg_attr(test, schemars(extend("const" = SCHEMA_VERSION)))]
    pub schema_version: u32,
    /// The program's name.
    #[cfg_attr(test, schemars(extend("const" = TOOL)))]
    pub tool: Cow<'a, str>,
    /// The program's version.
    pub version: Cow<'a, str>,
    /// Which catalogue was used.
    pub catalog: CatalogRecord<'a>,
    /// How names were hidden; absent if they were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redaction: Option<RedactionRecord<'a>>,
}

impl<'a> RunRecord<'a> {
    /// Returns a run with this catalogue, and with names hidden as `redaction` describes.
    pub fn new(catalog: CatalogRecord<'a>, redaction: Option<RedactionRecord<'a>>) -> RunRecord<'a> {
        let (tool, version) = (TOOL.into(), VERSION.into());
        RunRecord { r#type: RunType::Run, schema_version: SCHEMA_VERSION, tool, version, catalog, redaction }
    }
}

/// An input that was not read whole: a line.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Input", deny_unknown_fields))]
pub struct InputRecord<'a> {
    /// The type of this object.
    pub r#type: InputType,
    /// Its outcome.
    #[serde(flatten)]
    pub problem: ProblemRecord<'a>,
}

impl<'a> From<&'a Problem> for InputRecord<'a> {
    fn from(problem: &'a Problem) -> InputRecord<'a> {
        InputRecord { r#type: InputType::Input, problem: problem.into() }
    }
}

/// The sums of a run: the last line.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Summary", deny_unknown_fields))]
pub struct SummaryRecord<'a> {
    /// The type of this object.
    pub r#type: SummaryType,
    /// Whether everything asked for was read.
    pub complete: bool,
    /// The number of inputs by outcome.
    pub inputs: CountsRecord,
    /// Findings.
    pub findings: u64,
    /// Distinct failures: id, arguments, database.
    pub failures: u64,
    /// Findings that the baseline suppresses: they count in the other numbers, but fail no run.
    pub suppressed: u64,
    /// Findings by id.
    pub codes: BTreeMap<Cow<'a, str>, u64>,
}

impl<'a> From<&'a Report> for SummaryRecord<'a> {
    fn from(report: &'a Report) -> SummaryRecord<'a> {
        let (inputs, totals) = (&report.inputs, report.totals());
        SummaryRecord {
            r#type: SummaryType::Summary,
            complete: inputs.complete(),
            inputs: CountsRecord {
                scanned: inputs.scanned,
                partial: inputs.partial,
                skipped: inputs.skipped,
                failed: inputs.failed,
                bytes: inputs.bytes,
            },
            findings: totals.findings,
            failures: totals.failures,
            suppressed: totals.suppressed.findings(),
            codes: report.codes.iter().map(|code| ((&*code.id).into(), code.count)).collect(),
        }
    }
}

/// The number of inputs by outcome.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Counts", deny_unknown_fields))]
pub struct CountsRecord {
    /// Inputs that were read to their end.
    pub scanned: u64,
    /// Inputs that were read in part.
    pub partial: u64,
    /// Inputs that were skipped by rule.
    pub skipped: u64,
    /// Inputs that were not read.
    pub failed: u64,
    /// Bytes that were read, after decoding.
    pub bytes: u64,
}

macro_rules! tag {
    ($($(#[$doc:meta])* $name:ident::$variant:ident),+ $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, Serialize, Deserialize)]
            #[cfg_attr(test, derive(JsonSchema))]
            #[serde(rename_all = "lowercase")]
            #[cfg_attr(test, schemars(inline))]
            pub enum $name {
                $(#[$doc])*
                $variant,
            }
        )+
    };
}

tag! {
    /// The run: the first line.
    RunType::Run,
    /// An input that was not read whole.
    InputType::Input,
    /// The summary: the last line.
    SummaryType::Summary,
}
