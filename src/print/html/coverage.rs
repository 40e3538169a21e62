//! Coverage: what was read, what was not, and why.
//!
//! The inputs of a report come in; counts and a table of problems go out, what could not be read before what was passed
//! over by rule, cut at [`MAX_ROWS`].

use super::text::Log;
use super::{bytes, plural, thousands};
use crate::report::Report;
use crate::scan::{Problem, Status};
use maud::{Markup, html};

/// The most inputs listed that were not read whole.
const MAX_ROWS: usize = 500;

/// Counts and problems.
pub fn all(report: &Report) -> Option<Markup> {
    let inputs = &report.inputs;
    let mut problems: Vec<&Problem> = inputs.problems.iter().collect();
    // Stable: within a status they stay in the order of their paths.
    problems.sort_by_key(|problem| match problem.status {
        Status::Failed => 0,
        Status::Partial => 1,
        Status::Skipped => 2,
    });
    let more = problems.len().saturating_sub(MAX_ROWS);
    Some(html! {
        p {
            @if inputs.complete() {
                strong class="ok" { "Complete." } " Everything that was asked for was read to its end."
            } @else {
                strong class="error" { "Not complete." }
                " Something could not be read to its end, and may hold more."
            }
        }
        dl class="tiles" {
            (tile("Read whole", inputs.scanned))
            (tile("Read in part", inputs.partial))
            (tile("Not read", inputs.failed))
            (tile("Skipped by rule", inputs.skipped))
            div { dt { "Size" } dd { (bytes(inputs.bytes)) } }
        }
        @if !problems.is_empty() {
            div class="scroll" role="region" aria-labelledby="problems-caption" tabindex="0" {
                table {
                    caption id="problems-caption" {
                        (plural(problems.len() as u64, "input")) " not read whole"
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
            th scope="row" class="wide" { bdi class="value" { (Log(&problem.origin.to_string())) } }
            td class="wide" { (Log(&problem.reason)) }
            td class="number" { (thousands(problem.bytes)) }
        }
    }
}
