//! The rules of a baseline in JSON, and what each suppresses.

use super::args;
use crate::finding::Args;
use crate::report::Suppression;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A rule of the baseline, and what it suppresses.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Suppression", deny_unknown_fields))]
pub struct SuppressionRecord<'a> {
    /// The line of the rule in its file.
    pub line: usize,
    /// The catalogue entry.
    pub id: Cow<'a, str>,
    /// Arguments that must be equal; others may have any value.
    #[serde(with = "args")]
    #[cfg_attr(test, schemars(with = "args::Described"))]
    pub args: Cow<'a, Args>,
    /// The database; null if any, or none, matches.
    pub database: Option<Cow<'a, str>>,
    /// The reason.
    pub reason: Cow<'a, str>,
    /// The last day on which it holds; null if it holds for ever.
    #[cfg_attr(test, schemars(extend("format" = "date")))]
    pub until: Option<String>,
    /// Whether that day is over: what the rule matches counts again.
    pub expired: bool,
    /// Findings that it matches.
    pub findings: u64,
    /// Distinct failures that it matches.
    pub failures: u64,
}

impl<'a> From<&'a Suppression> for SuppressionRecord<'a> {
    fn from(rule: &'a Suppression) -> SuppressionRecord<'a> {
        SuppressionRecord {
            line: rule.line,
            id: (&*rule.id).into(),
            args: Cow::Borrowed(&rule.args),
            database: rule.database.as_deref().map(Cow::Borrowed),
            reason: rule.reason.as_str().into(),
            until: rule.until.map(|day| day.to_string()),
            expired: rule.expired,
            findings: rule.suppressed.findings(),
            failures: rule.suppressed.failures,
        }
    }
}
