//! The failures that a baseline accepts, with the reasons.
//!
//! The rules of a report come in; a list of the rules that matched goes out, cut at [`MAX_RULES`], and the
//! number of rules that matched nothing.

use super::super::words::{accepted, rule_words};
use super::text::LogText;
use super::{plural, thousands};
use crate::report::{Report, Suppressed};
use maud::{Markup, html};

/// The most rules listed.
const MAX_RULES: usize = 200;

/// The rules; none without a baseline.
pub fn rules(report: &Report) -> Option<Markup> {
    let (idle, taking): (Vec<_>, Vec<_>) =
        report.baseline.as_ref()?.iter().partition(|rule| rule.suppressed == Suppressed::default());
    let more = taking.len().saturating_sub(MAX_RULES);
    Some(html! {
        p { "The baseline accepts these failures. They do not count for the verdict; all other numbers include them." }
        ul {
            @for rule in taking.iter().take(MAX_RULES) {
                li {
                    (LogText(&rule_words(rule))) " ("
                    @if rule.expired { strong class="warning" { "expired, counted again" } ": " }
                    (accepted(rule.suppressed)) "): " (LogText(&rule.reason))
                }
            }
            @if more > 0 { li { "and " (thousands(more as u64)) " more" } }
        }
        @if !idle.is_empty() { p { (plural(idle.len() as u64, "rule")) " of the baseline matched nothing." } }
    })
}
