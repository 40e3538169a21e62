//! The verdict in words: the first lines of every report for people.
//!
//! A report comes in; the headline, who must act, and how many inputs were read go out as plain text. Each
//! format sets them in its own type and escapes them: the name of the support comes from a pattern file.

use super::words::{bytes, plural, thousands};
use crate::report::{Report, Verdict};
use crate::scan::Inputs;

/// How many failures block the migration, and in how many databases: `9 blockers in 2 of 8 databases, 1
/// warning`.
pub(super) fn headline(report: &Report) -> String {
    if report.totals().findings > 0 {
        return counts(&report.verdict());
    }
    let everything = report.inputs.complete();
    if everything { "Nothing found".into() } else { "Nothing found in what was read".into() }
}

fn counts(verdict: &Verdict) -> String {
    let least = if verdict.at_least { "at least " } else { "" };
    let warnings = plural(verdict.warnings, "warning");
    let known = match verdict.suppressed {
        0 => String::new(),
        many => format!(", {} known and accepted", plural(many, "failure")),
    };
    if verdict.blockers == 0 {
        return format!("No blockers, {least}{warnings}{known}");
    }
    let mut text = format!("{least}{}", plural(verdict.blockers, "blocker"));
    match (verdict.blocked_databases, verdict.databases) {
        (0, _) => {}
        (blocked, None) => text += &format!(" in {}", plural(blocked, "database")),
        (blocked, Some(all)) => text += &format!(" in {} of {}", thousands(blocked), plural(all, "database")),
    }
    if verdict.warnings > 0 {
        text += &format!(", {warnings}");
    }
    text + &known
}

/// Who must act on the blockers: `4 yours to fix, 1 for Microsoft support`. None without a blocker.
/// `support` is the name of the vendor's support.
pub(super) fn who_acts(verdict: &Verdict, support: &str) -> Option<String> {
    let parts = [
        (verdict.customer, "yours to fix"),
        (verdict.support, &format!("for {support}")),
        (verdict.unsupported, "not supported by the service"),
        (verdict.unknown, "not in the catalogue"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, what)| format!("{} {what}", thousands(count))).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// How many of the inputs were read: `1,204 of 1,207 inputs read (34.8 kB)`.
pub(super) fn inputs_read(inputs: &Inputs) -> String {
    format!("{} ({})", inputs_counted(inputs), bytes(inputs.bytes))
}

/// The same without the size.
pub(super) fn inputs_counted(inputs: &Inputs) -> String {
    format!("{} of {} read", thousands(inputs.scanned), plural(asked(inputs), "input"))
}

/// The number of inputs that should be read: all except those skipped by rule.
pub(super) fn asked(inputs: &Inputs) -> u64 {
    inputs.scanned + inputs.partial + inputs.failed
}
