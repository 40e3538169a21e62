//! JSON: the report as one document, and the records that NDJSON prints.
//!
//! The shapes here are the contract's; they are written by serde from plain structs, so that the fields stand in one
//! place and in the contract's order.

use super::safe::{Compact, Pretty};
use crate::catalog::{ArgValue, Severity};
use crate::context::{Context, Time};
use crate::finding::{Args, Finding};
use crate::matcher::wording::Grade;
use crate::report::{CatalogStamp, CodeReport, Pivots, Plan, Report, SCHEMA_VERSION, Support, Verdict};
use crate::scan::Problem;
use crate::source::Origin;
use crate::summary::timeline::{Bucket, Timeline};
use crate::summary::{ArgSet, Attempt};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Arc;

/// The program's name in outputs.
pub const TOOL: &str = "migsift";
/// The program's version in outputs.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Writes the report as one indented document.
///
/// # Errors
///
/// What the writer gives.
pub fn write_report(report: &Report, writer: &mut dyn Write) -> io::Result<()> {
    write_pretty(&ReportRecord::new(report), writer)
}

/// Writes `value` as one indented document.
///
/// # Errors
///
/// What the writer gives.
pub fn write_pretty<T: Serialize>(value: &T, mut writer: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut writer, Pretty::default()))?;
    writeln!(writer)
}

/// Writes `value` as one line, which is put together in `line`: many small pieces, one write.
///
/// # Errors
///
/// What the writer gives.
pub fn write_line<T: Serialize>(value: &T, line: &mut Vec<u8>, writer: &mut dyn Write) -> io::Result<()> {
    line.clear();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *line, Compact))?;
    line.push(b'\n');
    writer.write_all(line)
}

/// A finding as it is printed.
#[derive(Serialize)]
pub struct FindingRecord<'a> {
    r#type: &'static str,
    id: &'a str,
    code: Option<&'a str>,
    known: bool,
    severity: Severity,
    title: &'a str,
    code_in_log: bool,
    wording: Grade,
    #[serde(serialize_with = "named")]
    args: &'a Args,
    time: Option<Time>,
    path: Cow<'a, str>,
    member: Option<&'a str>,
    line: u64,
    offset: u64,
    length: u64,
    context: &'a Context,
    text: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    lossy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a [Arc<str>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a [Arc<str>]>,
}

impl<'a> From<&'a Finding> for FindingRecord<'a> {
    fn from(finding: &'a Finding) -> FindingRecord<'a> {
        let neighbours = finding.neighbours.as_deref();
        FindingRecord {
            r#type: "finding",
            id: &finding.id,
            code: finding.code.as_deref(),
            known: finding.known,
            severity: finding.severity,
            title: &finding.title,
            code_in_log: finding.code_in_log,
            wording: finding.wording,
            args: &finding.args,
            time: finding.time,
            path: finding.origin.path.to_string_lossy(),
            member: finding.origin.member.as_deref(),
            line: finding.line,
            offset: finding.offset,
            length: finding.length,
            context: &finding.context,
            text: &finding.text,
            lossy: finding.lossy,
            before: neighbours.map(|lines| &lines.before[..]),
            after: neighbours.map(|lines| &lines.after[..]),
        }
    }
}

fn named<S: Serializer>(args: &Args, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(args.iter().map(|(name, value)| (&**name, value)))
}

/// Which catalogue was used.
#[derive(Serialize)]
pub struct CatalogRecord<'a> {
    edition: &'a str,
    entries: usize,
    fingerprint: &'a str,
}

impl<'a> From<&'a CatalogStamp> for CatalogRecord<'a> {
    fn from(stamp: &'a CatalogStamp) -> CatalogRecord<'a> {
        CatalogRecord { edition: &stamp.edition, entries: stamp.entries, fingerprint: &stamp.fingerprint }
    }
}

/// An input that was not read whole.
#[derive(Serialize)]
pub struct ProblemRecord<'a> {
    path: Cow<'a, str>,
    member: Option<&'a str>,
    status: &'static str,
    reason: &'a str,
    bytes: u64,
}

impl<'a> From<&'a Problem> for ProblemRecord<'a> {
    fn from(problem: &'a Problem) -> ProblemRecord<'a> {
        let Origin { path, member } = &*problem.origin;
        ProblemRecord {
            path: path.to_string_lossy(),
            member: member.as_deref(),
            status: problem.status.name(),
            reason: &problem.reason,
            bytes: problem.bytes,
        }
    }
}

#[derive(Serialize)]
struct ReportRecord<'a> {
    schema_version: u32,
    tool: &'static str,
    version: &'static str,
    catalog: CatalogRecord<'a>,
    complete: bool,
    inputs: InputsRecord<'a>,
    window: WindowRecord,
    totals: TotalsRecord,
    verdict: Verdict,
    codes: Vec<CodeRecord<'a>>,
    plan: &'a Plan,
    support: &'a Support,
    pivots: &'a Pivots,
    attempts: &'a [Attempt],
    attempts_truncated: bool,
}

#[derive(Serialize)]
struct InputsRecord<'a> {
    scanned: u64,
    partial: u64,
    skipped: u64,
    failed: u64,
    bytes: u64,
    problems: Vec<ProblemRecord<'a>>,
}

#[derive(Serialize)]
struct WindowRecord {
    first: Option<Time>,
    last: Option<Time>,
}

#[derive(Serialize)]
struct TotalsRecord {
    findings: u64,
    failures: u64,
    error: u64,
    warning: u64,
    unknown: u64,
}

#[derive(Serialize)]
struct CodeRecord<'a> {
    id: &'a str,
    code: Option<&'a str>,
    title: &'a str,
    known: bool,
    severity: Severity,
    count: u64,
    failures: u64,
    failures_truncated: bool,
    first: Option<Time>,
    last: Option<Time>,
    timeline: TimelineRecord,
    files: u64,
    wording: GradesRecord,
    drift: Option<DriftRecord<'a>>,
    args: Vec<ArgSetRecord<'a>>,
    args_distinct: u64,
    args_truncated: bool,
    servers: &'a BTreeMap<String, u64>,
    resolutions: &'a [String],
    links: &'a [String],
    scope: Option<crate::catalog::Scope>,
    side: Option<crate::catalog::Side>,
    actor: Option<crate::catalog::Actor>,
    restart: bool,
    samples: Vec<FindingRecord<'a>>,
}

/// How many dated findings there were when: a bucket is that wide and begins there.
#[derive(Serialize)]
struct TimelineRecord {
    bucket_seconds: i64,
    buckets: Vec<BucketRecord>,
}

#[derive(Serialize)]
struct BucketRecord {
    start: Time,
    count: u64,
}

impl From<&Timeline> for TimelineRecord {
    fn from(timeline: &Timeline) -> TimelineRecord {
        let record = |bucket: Bucket| BucketRecord {
            // The begin of a wide bucket may lie before all times there are.
            start: Time {
                instant: Timestamp::from_second(bucket.start).unwrap_or(Timestamp::MIN),
                digits: 3,
            },
            count: bucket.count,
        };
        TimelineRecord {
            bucket_seconds: timeline.width_seconds(),
            buckets: timeline.buckets().map(record).collect(),
        }
    }
}

#[derive(Serialize)]
struct GradesRecord {
    exact: u64,
    normalized: u64,
    drifted: u64,
    absent: u64,
}

/// Hits whose wording is not the catalogue's, and what the log says instead.
#[derive(Serialize)]
struct DriftRecord<'a> {
    hits: u64,
    exact: u64,
    drifted: u64,
    says: &'a str,
}

#[derive(Serialize)]
struct ArgSetRecord<'a> {
    #[serde(serialize_with = "named")]
    args: &'a Args,
    databases: &'a BTreeSet<String>,
    databases_truncated: bool,
    count: u64,
    first: Option<Time>,
    last: Option<Time>,
}

impl<'a> ReportRecord<'a> {
    fn new(report: &'a Report) -> ReportRecord<'a> {
        let (inputs, totals) = (&report.inputs, report.totals());
        ReportRecord {
            schema_version: SCHEMA_VERSION,
            tool: TOOL,
            version: VERSION,
            catalog: (&report.catalog).into(),
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
                error: totals.errors,
                warning: totals.warnings,
                unknown: totals.unknown,
            },
            verdict: report.verdict(),
            codes: report.codes.iter().map(CodeRecord::new).collect(),
            plan: &report.plan,
            support: &report.support,
            pivots: &report.pivots,
            attempts: &report.attempts,
            attempts_truncated: report.attempts_truncated,
        }
    }
}

impl<'a> CodeRecord<'a> {
    fn new(code: &'a CodeReport) -> CodeRecord<'a> {
        let set = |set: &'a ArgSet| ArgSetRecord {
            args: &set.args,
            databases: &set.databases,
            databases_truncated: set.databases_truncated,
            count: set.count,
            first: set.times.first,
            last: set.times.last,
        };
        CodeRecord {
            id: &code.id,
            code: code.code.as_deref(),
            title: &code.title,
            known: code.known,
            severity: code.severity,
            count: code.count,
            failures: code.failures,
            failures_truncated: code.failures_truncated,
            first: code.times.first,
            last: code.times.last,
            timeline: (&code.timeline).into(),
            files: code.files,
            wording: GradesRecord {
                exact: code.graded(Grade::Exact),
                normalized: code.graded(Grade::Normalized),
                drifted: code.graded(Grade::Drifted),
                absent: code.graded(Grade::Absent),
            },
            drift: code.drift.as_ref().map(|drift| DriftRecord {
                hits: code.count,
                exact: code.graded(Grade::Exact),
                drifted: code.graded(Grade::Drifted),
                says: &drift.text,
            }),
            args: code.args.iter().map(set).collect(),
            args_distinct: code.args_distinct,
            args_truncated: code.args_truncated,
            servers: &code.servers,
            resolutions: &code.resolutions,
            links: code.entry.as_ref().map(|entry| &entry.links[..]).unwrap_or_default(),
            scope: code.scope(),
            side: code.side(),
            actor: code.actor(),
            restart: code.entry.as_ref().is_some_and(|entry| entry.restart),
            samples: code.samples.iter().map(Into::into).collect(),
        }
    }
}

/// Arguments as one line of text: `name: value`, lists joined.
pub fn args_line(args: &Args) -> String {
    let show = |(name, value): &(Arc<str>, ArgValue)| format!("{name}: {value}");
    args.iter().map(show).collect::<Vec<_>>().join(", ")
}
