//! Records: the shapes of the JSON outputs, each defined once for writing, reading and describing it.
//!
//! A [`Report`], a finding or an input comes in; a record that borrows from it goes out, and serde writes it.
//! The fields have the contract's order. [`read`] reads a JSON report back into the same record,
//! [`ReportRecord::outcome`] turns that into an outcome that can be merged, and [`schema`] describes the
//! shapes. Files and layouts are not known here.

pub(crate) mod args;
mod baseline;
mod code;
mod consistency;
mod finding;
mod lines;
mod outcome;
pub mod read;
pub mod schema;
mod timeline;

pub use baseline::SuppressionRecord;
pub use code::{ArgSetRecord, CodeRecord, DatabaseRecord, DriftRecord, GradesRecord};
pub use finding::FindingRecord;
pub use lines::{CountsRecord, InputRecord, NdjsonLine, RunRecord, SummaryRecord};
pub use timeline::{BucketRecord, TimelineRecord};

use crate::context::Time;
use crate::report::{CatalogStamp, Pivots, Plan, Report, SCHEMA_VERSION, Support, Verdict};
use crate::scan::{Problem, Status};
use crate::source::Origin;
use crate::summary::Attempt;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// The program's name in outputs.
pub const TOOL: &str = "migsift";
/// The program's version in outputs.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The findings of a scan, summed up, and what to do about them: one JSON document.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Report", deny_unknown_fields))]
pub struct ReportRecord<'a> {
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
    /// Whether everything asked for was read.
    pub complete: bool,
    /// The outcome of the inputs.
    pub inputs: InputsRecord<'a>,
    /// The times of the first and last dated finding.
    pub window: WindowRecord,
    /// Sums over all codes.
    pub totals: TotalsRecord,
    /// How many failures block the migration, and who can fix them.
    pub verdict: Verdict,
    /// The rules of the baseline in their order, and what each suppresses; absent without a baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Vec<SuppressionRecord<'a>>>,
    /// The findings by code, ordered by severity, count and id.
    pub codes: Vec<CodeRecord<'a>>,
    /// What to do, in order.
    pub plan: Cow<'a, Plan>,
    /// What a support case needs.
    pub support: Cow<'a, Support>,
    /// Failures by extension, database and server.
    pub pivots: Cow<'a, Pivots>,
    /// The attempts that the findings belong to, the last one last.
    pub attempts: Cow<'a, [Attempt]>,
    /// Whether there were more attempts.
    pub attempts_truncated: bool,
}

/// Which catalogue was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Catalog", deny_unknown_fields))]
pub struct CatalogRecord<'a> {
    /// The edition of the published table.
    pub edition: Cow<'a, str>,
    /// How many entries it has.
    pub entries: usize,
    /// A stable hash of everything in the catalogue that affects findings and advice.
    pub fingerprint: Cow<'a, str>,
}

impl<'a> From<&'a CatalogStamp> for CatalogRecord<'a> {
    fn from(stamp: &'a CatalogStamp) -> CatalogRecord<'a> {
        CatalogRecord {
            edition: stamp.edition.as_str().into(),
            entries: stamp.entries,
            fingerprint: stamp.fingerprint.as_str().into(),
        }
    }
}

/// How names were hidden: names of servers, databases, roles and the like are tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Redaction", deny_unknown_fields))]
pub struct RedactionRecord<'a> {
    /// Identifies the secret key: a name has the same token only under the same key.
    pub key: Cow<'a, str>,
}

impl<'a> From<&'a str> for RedactionRecord<'a> {
    fn from(key: &'a str) -> RedactionRecord<'a> {
        RedactionRecord { key: key.into() }
    }
}

impl ReportRecord<'_> {
    /// Returns why its names cannot be compared with those of `other`, a report called `name`; none if they
    /// can.
    pub fn redaction_mismatch(&self, name: &str, other: Option<&RedactionRecord<'_>>) -> Option<String> {
        let describe = |redaction: Option<&RedactionRecord<'_>>| match redaction {
            Some(redaction) => format!("redacted with key {}", redaction.key),
            None => "not redacted".to_string(),
        };
        let mine = self.redaction.as_ref();
        (mine != other).then(|| {
            let (mine, theirs) = (describe(mine), describe(other));
            format!("{mine}, but {name} is {theirs}: their names cannot be compared; redact both with one --redact=MAPFILE")
        })
    }
}

/// The edition and the fingerprint: enough for people to recognise a catalogue.
impl fmt::Display for CatalogRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.edition, self.fingerprint)
    }
}

/// The outcome of the inputs.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Inputs", deny_unknown_fields))]
pub struct InputsRecord<'a> {
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
    /// Each input that was not read whole.
    pub problems: Vec<ProblemRecord<'a>>,
}

/// An input that was not read whole.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Problem", deny_unknown_fields))]
pub struct ProblemRecord<'a> {
    /// The input as walked.
    pub path: Cow<'a, str>,
    /// The member inside an archive.
    pub member: Option<Cow<'a, str>>,
    /// Its outcome.
    pub status: Status,
    /// Why, in words.
    pub reason: Cow<'a, str>,
    /// Bytes of it that were read.
    pub bytes: u64,
}

impl<'a> From<&'a Problem> for ProblemRecord<'a> {
    fn from(problem: &'a Problem) -> ProblemRecord<'a> {
        let Origin { path, member } = &*problem.origin;
        ProblemRecord {
            path: path.to_string_lossy(),
            member: member.as_deref().map(Cow::Borrowed),
            status: problem.status,
            reason: problem.reason.as_str().into(),
            bytes: problem.bytes,
        }
    }
}

/// The times of the first and last dated finding.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Window", deny_unknown_fields))]
pub struct WindowRecord {
    /// The earliest.
    pub first: Option<Time>,
    /// The latest.
    pub last: Option<Time>,
}

/// Sums over all codes.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Totals", deny_unknown_fields))]
pub struct TotalsRecord {
    /// Findings.
    pub findings: u64,
    /// Distinct failures: id, arguments, database.
    pub failures: u64,
    /// Whether there may be more failures, because merged reports do not list all of theirs.
    pub failures_truncated: bool,
    /// Findings that are errors.
    pub error: u64,
    /// Findings that are warnings.
    pub warning: u64,
    /// Findings of codes that the catalogue does not list.
    pub unknown: u64,
    /// Findings that the baseline suppresses: they count in the other numbers, but fail no run.
    #[serde(default)]
    pub suppressed: u64,
    /// Distinct failures that the baseline suppresses.
    #[serde(default)]
    pub suppressed_failures: u64,
}

impl<'a> From<&'a Report> for ReportRecord<'a> {
    fn from(report: &'a Report) -> ReportRecord<'a> {
        let (inputs, totals) = (&report.inputs, report.totals());
        ReportRecord {
            schema_version: SCHEMA_VERSION,
            tool: TOOL.into(),
            version: VERSION.into(),
            catalog: (&report.catalog).into(),
            redaction: report.redaction.as_deref().map(Into::into),
            complete: inputs.complete(),
            inputs: InputsRecord {
                scanned: inputs.scanned,
                partial: inputs.partial,
                skipped: inputs.skipped,
                failed: inputs.failed,
                bytes: inputs.bytes,
                problems: inputs.problems.iter().map(Into::into).collect(),
            },
            window: WindowRecord { first: report.window.first, last: report.window.last },
            totals: TotalsRecord {
                findings: totals.findings,
                failures: totals.failures,
                failures_truncated: totals.failures_truncated,
                error: totals.errors,
                warning: totals.warnings,
                unknown: totals.unknown,
                suppressed: totals.suppressed.findings(),
                suppressed_failures: totals.suppressed.failures,
            },
            verdict: report.verdict(),
            baseline: report.baseline.as_ref().map(|rules| rules.iter().map(Into::into).collect()),
            codes: report.codes.iter().map(Into::into).collect(),
            plan: Cow::Borrowed(&report.plan),
            support: Cow::Borrowed(&report.support),
            pivots: Cow::Borrowed(&report.pivots),
            attempts: Cow::Borrowed(&report.attempts),
            attempts_truncated: report.attempts_truncated,
        }
    }
}
