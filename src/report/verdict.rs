//! The verdict: how many failures block the migration, in how many databases, and who can fix them.
//!
//! A report comes in, a few numbers go out. A failure that a baseline accepts does not count here.

use super::{CodeReport, Report};
use crate::catalog::{Actor, Entry, Severity, Subject};
use crate::summary::ArgSet;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The numbers at the top of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct Verdict {
    /// Failures of codes that stop the migration.
    pub blockers: u64,
    /// Failures of codes that only warn.
    pub warnings: u64,
    /// Databases with a blocker.
    pub blocked_databases: u64,
    /// All known databases; none if no migration's resource lists its databases.
    pub databases: Option<u64>,
    /// Blockers that the customer can fix.
    pub customer: u64,
    /// Blockers for the vendor's support.
    pub support: u64,
    /// Blockers that the service does not support.
    pub unsupported: u64,
    /// Blockers that no catalogue lists.
    pub unknown: u64,
    /// Failures that a baseline accepts. The other numbers leave them out, except `databases`.
    pub suppressed: u64,
    /// Whether the numbers are lower bounds, because a list was truncated.
    pub at_least: bool,
}

impl Report {
    /// The verdict of the report.
    pub fn verdict(&self) -> Verdict {
        let mut verdict = Verdict { at_least: self.support.truncated, ..Verdict::default() };
        let mut blocked = BTreeSet::new();
        let mut known: BTreeSet<&str> = self.support.databases.iter().map(String::as_str).collect();
        let named = !known.is_empty();
        for code in &self.codes {
            verdict.at_least |= code.args_truncated || code.failures_truncated;
            known.extend(code.args.iter().flat_map(|set| databases(code.entry.as_deref(), set)));
            verdict.suppressed += code.suppressed.failures;
            if code.severity == Severity::Warning {
                verdict.warnings += code.open_failures();
                continue;
            }
            verdict.blockers += code.open_failures();
            blocked.extend(code.open_databases());
            *match code.actor() {
                Some(Actor::Customer) => &mut verdict.customer,
                Some(Actor::Support) => &mut verdict.support,
                Some(Actor::Unsupported) => &mut verdict.unsupported,
                None => &mut verdict.unknown,
            } += code.open_failures();
        }
        verdict.blocked_databases = blocked.len() as u64;
        verdict.databases = named.then_some(known.len() as u64);
        verdict
    }
}

/// The databases of an argument set: those in whose records it was found, else the one that an argument of
/// `entry` names.
pub(crate) fn databases<'a>(
    entry: Option<&Entry>,
    set: &'a ArgSet,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let named = entry.filter(|_| set.databases.is_empty());
    let named = named.and_then(|entry| entry.value_of(Subject::Database, &set.args));
    set.databases.keys().map(String::as_str).chain(named)
}

/// The databases of a code, in order.
pub(super) fn databases_of(code: &CodeReport) -> BTreeSet<&str> {
    code.args.iter().flat_map(|set| databases(code.entry.as_deref(), set)).collect()
}
