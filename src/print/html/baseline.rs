//! The baseline: what is known and accepted, and why.
//!
//! The rules of a report come in; a list goes out of those that took something, cut at [`MAX_RULES`], and the number of
//! those that took nothing.

use super::super::words::{accepted, taken};
use super::text::Log;
use super::{plural, thousands};
use crate::report::{Report, Suppressed};
use maud::{Markup, html};

/// The most rules listed.
const MAX_RULES: usize = 200;

/// The rules; none where no baseline was given.
pub fn rules(report: &Report) -> Option<Markup> {
    let (idle, taking): (Vec<_>, Vec<_>) =
        report.baseline.as_ref()?.iter().partition(|rule| rule.suppressed == Suppressed::default());
    let more = taking.len().saturating_sub(MAX_RULES);
    Some(html! {
        p { "A baseline says that these do not count for the verdict. They stand in all other numbers." }
        ul {
            @for rule in taking.iter().take(MAX_RULES) {
                li {
                    (Log(&taken(rule))) " ("
                    @if rule.expired { strong class="warning" { "expired, counts again" } ": " }
                    (accepted(rule.suppressed)) "): " (Log(&rule.reason))
                }
            }
            @if more > 0 { li { "and " (thousands(more as u64)) " more" } }
        }
        @if !idle.is_empty() { p { (plural(idle.len() as u64, "rule")) " of the baseline found nothing." } }
    })
}
