//! Coverage: the inputs that were read, and those that were not, with the reasons.
//!
//! The inputs of a report come in; counts and a table of problems go out. Inputs that could not be read come
//! before those that were skipped by rule. The table is cut at [`MAX_ROWS`].

use super::text::LogText;
use super::{bytes, plural, thousands};
use crate::report::Report;
use crate::scan::{Problem, Status};
use maud::{Markup, html};

/// The most inputs listed that were not read to their end.
const MAX_ROWS: usize = 500;

/// Counts and problems.
pub fn all(report: &Report) -> Option<Markup> {
    let inputs = &report.inputs;
    let mut problems: Vec<&Problem> = inputs.problems.iter().collect();
    // A stable sort: within a status they stay in the order of their paths.
    problems.sort_by_key(|problem| match problem.status {
        Status::Failed => 0,
        Status::Partial => 1,
        Status::Skipped => 2,
    });
    let more = problems.len().saturating_sub(MAX_ROWS);
    Some(html! {
        p {
            @if inputs.complete() {
                strong class="ok" { "Complete." } " Everything was read to its end."
            } @else {
                strong class="error" { "Incomplete." }
                " Some inputs could not be read to their end, so there may be more failures."
            }
        }
        dl class="tiles" {
            (tile("Read to the end", inputs.scanned))
            (tile("Read in part", inputs.partial))
            (tile("Not read", inputs.failed))
            (tile("Skipped by rule", inputs.skipped))
            div { dt { "Size" } dd { (bytes(inputs.bytes)) } }
        }
        @if !problems.is_empty() {
            div class="scroll" role="region" aria-labelledby="problems-caption" tabindex="0" {
                table {
                    caption id="problems-caption" {
                        (plural(problems.len() as u64, "input")) " not read in full"
                        @if more > 0 {
                            "; " (thousands(more as u64)) " of them are not shown (--format json has them)"
                        }
                    }
                    thead {
                        tr {
                            th scope="col" { "Status" }
                            th scope="col" { "Input" }
                            th scope="col" { "Reason" }
                            th scope="col" class="number" { "Bytes read" }
                        }
                    }
                    tbody { @for problem in problems.iter().take(MAX_ROWS) { (row(problem)) } }
                }
            }
        }
    })
}

fn tile(name: &str, number: u64) -> Markup {
    html! { div { dt { (name) } dd { (thousands(number)) } } }
}

fn row(problem: &Problem) -> Markup {
    let class = match problem.status {
        Status::Failed => "badge error",
        Status::Partial => "badge warning",
        Status::Skipped => "badge",
    };
    html! {
        tr {
            td { span class=(class) { (problem.status.name()) } }
            th scope="row" class="wide" { bdi class="value" { (LogText(&problem.origin.to_string())) } }
            td class="wide" { (LogText(&problem.reason)) }
            td class="number" { (thousands(problem.bytes)) }
        }
    }
}
