//! A finding in JSON: a line of NDJSON, a sample in a report, and a row of the store.
//!
//! A [`Finding`] comes in and a [`FindingRecord`] goes out, or the other way round.

use super::args;
use crate::catalog::{Code, Severity};
use crate::context::{Context, ContextLines, Time};
use crate::finding::{Args, Finding};
use crate::matcher::MatchQuality;
use crate::source::Origin;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// One occurrence of a condition in a source.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Finding", deny_unknown_fields))]
pub struct FindingRecord<'a> {
    /// The type of this object.
    pub r#type: FindingType,
    /// The catalogue entry: its code, or a slug if the service has none; for an unknown code, the code.
    pub id: Cow<'a, str>,
    /// The entry's code, also when the log does not print it.
    pub code: Option<Code>,
    /// Whether the catalogue lists it.
    pub known: bool,
    /// The entry's severity, lowered to warning if the context says so.
    pub severity: Severity,
    /// The entry's title.
    pub title: Cow<'a, str>,
    /// Whether the log prints the code with the message.
    pub code_in_log: bool,
    /// How well the text matches the catalogue.
    pub wording: MatchQuality,
    /// The arguments in the text, by name in the template's order; lists are arrays, all others strings as logged.
    #[serde(with = "args")]
    #[cfg_attr(test, schemars(with = "args::Described"))]
    pub args: Cow<'a, Args>,
    /// The record's own time.
    pub time: Option<Time>,
    /// The input as walked; `-` is standard input.
    pub path: Cow<'a, str>,
    /// The member inside an archive.
    pub member: Option<Cow<'a, str>>,
    /// 1-based line of the first byte.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub line: u64,
    /// Offset of the first byte in the source, decoded.
    pub offset: u64,
    /// Bytes from the first to the last of code and text.
    pub length: u64,
    /// What the record and document around it say.
    pub context: Cow<'a, Context>,
    /// Those bytes with escapes undone, at most 1,024 characters.
    pub text: Cow<'a, str>,
    /// Whether `text` has replacement characters for bytes that are not UTF-8; absent if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lossy: bool,
    /// The lines before it; absent if they were not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Cow<'a, [Arc<str>]>>,
    /// The lines after it; absent if they were not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Cow<'a, [Arc<str>]>>,
}

/// The type of a finding.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, schemars(inline))]
pub enum FindingType {
    /// A finding.
    Finding,
}

impl<'a> From<&'a Finding> for FindingRecord<'a> {
    fn from(finding: &'a Finding) -> FindingRecord<'a> {
        let context_lines = finding.context_lines.as_deref();
        FindingRecord {
            r#type: FindingType::Finding,
            id: (&*finding.id).into(),
            code: finding.code,
            known: finding.known,
            severity: finding.severity,
            title: (&*finding.title).into(),
            code_in_log: finding.code_in_log,
            wording: finding.wording,
            args: Cow::Borrowed(&finding.args),
            time: finding.time,
            path: finding.origin.path.to_string_lossy(),
            member: finding.origin.member.as_deref().map(Cow::Borrowed),
            line: finding.line,
            offset: finding.offset,
            length: finding.length,
            context: Cow::Borrowed(&finding.context),
            text: finding.text.as_str().into(),
            lossy: finding.lossy,
            before: context_lines.map(|lines| lines.before.as_slice().into()),
            after: context_lines.map(|lines| lines.after.as_slice().into()),
        }
    }
}

impl From<FindingRecord<'_>> for Finding {
    fn from(record: FindingRecord<'_>) -> Finding {
        let lines = |lines: Option<Cow<'_, [Arc<str>]>>| lines.map(Cow::into_owned).unwrap_or_default();
        let asked = record.before.is_some() || record.after.is_some();
        let context_lines = asked
            .then(|| Box::new(ContextLines { before: lines(record.before), after: lines(record.after) }));
        Finding {
            id: record.id.into(),
            code: record.code,
            known: record.known,
            severity: record.severity,
            title: record.title.into(),
            code_in_log: record.code_in_log,
            wording: record.wording,
            args: record.args.into_owned(),
            time: record.time,
            origin: origin(&record.path, record.member),
            line: record.line,
            offset: record.offset,
            length: record.length,
            context: record.context.into_owned(),
            text: record.text.into_owned(),
            lossy: record.lossy,
            // The facts that it states about the migration were counted when the report was made.
            migration_info: None,
            context_lines,
        }
    }
}

/// The name of a source from a record.
pub(super) fn origin(path: &str, member: Option<Cow<'_, str>>) -> Arc<Origin> {
    Arc::new(Origin { path: path.into(), member: member.map(Cow::into_owned) })
}
