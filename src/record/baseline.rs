//! The rules of a baseline in JSON, and what each takes.

use super::args;
use crate::finding::Args;
use crate::report::Suppression;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Failures that are known and accepted, and what was found of them.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(rename = "Suppression", deny_unknown_fields))]
pub struct SuppressionRecord<'a> {
    /// The line of the rule in its file.
    pub line: usize,
    /// The catalogue entry.
    pub id: Cow<'a, str>,
    /// Arguments that must be the same; others may be any.
    #[serde(with = "args")]
    #[cfg_attr(test, schemars(with = "args::Described"))]
    pub args: Cow<'a, Args>,
    /// The database; null where it may be any, or none.
    pub database: Option<Cow<'a, str>>,
    /// Why it is accepted.
    pub reason: Cow<'a, str>,
    /// The last day on which it is; null where that is for ever.
    #[cfg_attr(test, schemars(extend("format" = "date")))]
    pub until: Option<String>,
    /// Whether that day is over: what the rule takes counts again.
    pub expired: bool,
    /// Findings that it takes.
    pub findings: u64,
    /// Distinct failures that it takes.
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
