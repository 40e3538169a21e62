//! The findings of one code in JSON.
//!
//! A [`CodeReport`] comes in; a [`CodeRecord`] that borrows from it goes out.

use super::{FindingRecord, TimelineRecord, args};
use crate::catalog::{Actor, Code, Scope, Severity, Side};
use crate::context::Time;
use crate::finding::Args;
use crate::matcher::MatchQuality;
use crate::report::CodeReport;
use crate::summary::{ArgSet, SeverityCounts};
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The findings of one code.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Code", deny_unknown_fields))]
pub struct CodeRecord<'a> {
    /// The catalogue entry: its code, or a slug if the service has none; for an unknown code, the code.
    pub id: Cow<'a, str>,
    /// The entry's code.
    pub code: Option<Code>,
    /// The entry's title.
    pub title: Cow<'a, str>,
    /// Whether the catalogue lists it.
    pub known: bool,
    /// The worst severity found.
    pub severity: Severity,
    /// Findings.
    pub count: u64,
    /// Findings that are errors.
    pub error: u64,
    /// Findings that are warnings.
    pub warning: u64,
    /// Distinct failures: arguments and database.
    pub failures: u64,
    /// Whether there may be more failures, because merged reports do not list all of theirs.
    pub failures_truncated: bool,
    /// Findings that the baseline suppresses: they count in the other numbers, but fail no run.
    #[serde(default)]
    pub suppressed: u64,
    /// Distinct failures that the baseline suppresses.
    #[serde(default)]
    pub suppressed_failures: u64,
    /// The time of the first dated finding.
    pub first: Option<Time>,
    /// The time of the last dated finding.
    pub last: Option<Time>,
    /// Dated findings by time.
    pub timeline: TimelineRecord,
    /// The number of sources it was found in.
    pub files: u64,
    /// Findings by how well the text matches the catalogue.
    pub wording: GradesRecord,
    /// What the log says if the catalogue's wording no longer fits.
    pub drift: Option<DriftRecord<'a>>,
    /// Distinct argument sets, most frequent first.
    pub args: Vec<ArgSetRecord<'a>>,
    /// The number of distinct argument sets.
    pub args_distinct: u64,
    /// Whether there may be more, because merged reports do not list all of theirs.
    pub args_distinct_truncated: bool,
    /// Whether `args` does not list all of them.
    pub args_truncated: bool,
    /// Findings by the server that the arguments or the context name, at most 1,000; other findings name none.
    pub servers: Cow<'a, BTreeMap<String, u64>>,
    /// What to do, arguments filled in.
    pub resolutions: Cow<'a, [String]>,
    /// Where to read more.
    pub links: Cow<'a, [String]>,
    /// The kind of thing that it concerns.
    pub scope: Option<Scope>,
    /// Where it is fixed.
    pub side: Option<Side>,
    /// Who can fix it.
    pub actor: Option<Actor>,
    /// Whether the fix restarts a server.
    pub restart: bool,
    /// The first few findings by path, member and offset.
    pub samples: Vec<FindingRecord<'a>>,
}

/// Findings by how well the text matches the catalogue.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Grades", deny_unknown_fields))]
pub struct GradesRecord {
    /// A catalogued wording, quotes around arguments aside.
    pub exact: u64,
    /// Equal after normalization.
    pub normalized: u64,
    /// The code is in the log; the wording is not in the catalogue.
    pub drifted: u64,
    /// Code only.
    pub absent: u64,
}

impl GradesRecord {
    /// Returns the counts in the order of [`MatchQuality::ALL`].
    pub fn counts(&self) -> [u64; 4] {
        [self.exact, self.normalized, self.drifted, self.absent]
    }
}

/// Findings with another wording than the catalogue's, and what the log says instead.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Drift", deny_unknown_fields))]
pub struct DriftRecord<'a> {
    /// Findings of the code.
    pub hits: u64,
    /// Findings with a catalogued wording.
    pub exact: u64,
    /// Findings with another wording.
    pub drifted: u64,
    /// The text of the first of these.
    pub says: Cow<'a, str>,
    /// The input it was found in.
    pub path: Cow<'a, str>,
    /// The member inside an archive.
    pub member: Option<Cow<'a, str>>,
    /// Its offset in the source.
    pub offset: u64,
}

/// A distinct argument set.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "ArgSet", deny_unknown_fields))]
pub struct ArgSetRecord<'a> {
    /// The arguments by name, in the template's order.
    #[serde(with = "args")]
    #[cfg_attr(test, schemars(with = "args::Described"))]
    pub args: Cow<'a, Args>,
    /// The databases they were found in, at most 1,000.
    pub databases: Vec<Cow<'a, str>>,
    /// Whether there are more databases.
    pub databases_truncated: bool,
    /// Findings.
    pub count: u64,
    /// Findings that are errors.
    pub error: u64,
    /// Findings that are warnings.
    pub warning: u64,
    /// Findings by database: those in `databases`, then those without a known database.
    pub by_database: Vec<DatabaseRecord<'a>>,
    /// The time of the first dated finding.
    pub first: Option<Time>,
    /// The time of the last dated finding.
    pub last: Option<Time>,
}

/// Findings with the same arguments in one database.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Database", deny_unknown_fields))]
pub struct DatabaseRecord<'a> {
    /// The database; null if none is known.
    pub database: Option<Cow<'a, str>>,
    /// Findings that are errors.
    pub error: u64,
    /// Findings that are warnings.
    pub warning: u64,
}

impl<'a> From<&'a ArgSet> for ArgSetRecord<'a> {
    fn from(set: &'a ArgSet) -> ArgSetRecord<'a> {
        let SeverityCounts { warnings: warning, errors: error } = set.by_severity();
        let databases = set.databases.iter().map(|(name, found)| (Some(name.as_str().into()), *found));
        let without_database = Some((None, set.without_database)).filter(|(_, counts)| !counts.is_empty());
        ArgSetRecord {
            args: Cow::Borrowed(&set.args),
            databases: set.databases.keys().map(|name| name.as_str().into()).collect(),
            databases_truncated: set.databases_truncated(),
            count: set.count,
            error,
            warning,
            by_database: databases
                .chain(without_database)
                .map(|(database, counts): (_, SeverityCounts)| DatabaseRecord {
                    database,
                    error: counts.errors,
                    warning: counts.warnings,
                })
                .collect(),
            first: set.times.first,
            last: set.times.last,
        }
    }
}

impl<'a> From<&'a CodeReport> for CodeRecord<'a> {
    fn from(code: &'a CodeReport) -> CodeRecord<'a> {
        let SeverityCounts { warnings: warning, errors: error } = code.by_severity;
        CodeRecord {
            id: (&*code.id).into(),
            code: code.code,
            title: (&*code.title).into(),
            known: code.known,
            severity: code.severity,
            count: code.count,
            error,
            warning,
            failures: code.failures,
            failures_truncated: code.failures_truncated,
            suppressed: code.suppressed.findings(),
            suppressed_failures: code.suppressed.failures,
            first: code.times.first,
            last: code.times.last,
            timeline: (&code.timeline).into(),
            files: code.files,
            wording: GradesRecord {
                exact: code.graded(MatchQuality::Exact),
                normalized: code.graded(MatchQuality::Normalized),
                drifted: code.graded(MatchQuality::Drifted),
                absent: code.graded(MatchQuality::Absent),
            },
            drift: code.drift.as_ref().map(|drift| DriftRecord {
                hits: code.count,
                exact: code.graded(MatchQuality::Exact),
                drifted: code.graded(MatchQuality::Drifted),
                says: drift.text.as_str().into(),
                path: drift.origin.path.to_string_lossy(),
                member: drift.origin.member.as_deref().map(Cow::Borrowed),
                offset: drift.offset,
            }),
            args: code.args.iter().map(Into::into).collect(),
            args_distinct: code.args_distinct,
            args_distinct_truncated: code.args_distinct_truncated,
            args_truncated: code.args_truncated,
            servers: Cow::Borrowed(&code.servers),
            resolutions: code.resolutions.as_slice().into(),
            links: code.entry.as_ref().map(|entry| &entry.links[..]).unwrap_or_default().into(),
            scope: code.scope(),
            side: code.side(),
            actor: code.actor(),
            restart: code.entry.as_ref().is_some_and(|entry| entry.restart),
            samples: code.samples.iter().map(Into::into).collect(),
        }
    }
}
