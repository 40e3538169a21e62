//! The attempts of a migration that the findings belong to.

use super::super::steps;
use super::plural;
use super::text::LogText;
use crate::report::Report;
use maud::{Markup, html};

/// The attempts; none if there is a single one that has ended.
pub fn all(report: &Report) -> Option<Markup> {
    let attempts = steps::attempts(&report.attempts)?;
    Some(html! {
        @if attempts.count > 1 {
            p {
                "The findings belong to " (plural(attempts.count, "attempt")) "; "
                code { "--last-attempt" } " counts only the last."
            }
        }
        @if attempts.before > 0 { p { (plural(attempts.before, "attempt")) " before these." } }
        ul { @for attempt in &attempts.shown { li { bdi { (LogText(&steps::attempt(attempt))) } } } }
    })
}
