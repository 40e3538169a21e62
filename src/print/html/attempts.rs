//! Attempts: which tries of a migration the findings are of, and which of them have not ended.

use super::super::steps;
use super::plural;
use super::text::Log;
use crate::report::Report;
use maud::{Markup, html};

/// The attempts; none where there is one that has ended.
pub fn all(report: &Report) -> Option<Markup> {
    let attempts = steps::attempts(&report.attempts)?;
    Some(html! {
        @if attempts.count > 1 {
            p { "The findings are of " (plural(attempts.count, "attempt")) "; " code { "--last-attempt" } " counts the last alone." }
        }
        @if attempts.before > 0 { p { (plural(attempts.before, "attempt")) " before these." } }
        ul { @for attempt in &attempts.shown { li { bdi { (Log(&steps::attempt(attempt))) } } } }
    })
}
