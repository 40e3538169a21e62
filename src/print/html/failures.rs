//! The table of failures: each distinct argument set of a code, with its databases.
//!
//! Codes of a report come in; a table goes out, cut at [`MAX_ROWS`]. The cells carry what the script sorts
//! by.

use super::text::{LogText, anchor, arguments, severity, values};
use super::{plural, seconds, thousands};
use crate::catalog::Severity;
use crate::context::Time;
use crate::report::{CodeReport, Report};
use crate::summary::ArgSet;
use maud::{Markup, html};

/// The most rows; the worst and most frequent codes come first.
const MAX_ROWS: usize = 1_000;
/// The most databases named in one row.
const MAX_NAMED: usize = 10;

/// The table; none if nothing was found.
pub fn table(report: &Report) -> Option<Markup> {
    let all: u64 = report.codes.iter().map(|code| code.args_distinct).sum();
    let rows = report.codes.iter().flat_map(|code| code.args.iter().map(move |set| (code, set)));
    let shown = rows.clone().take(MAX_ROWS).count() as u64;
    if shown == 0 {
        return None;
    }
    Some(html! {
        div class="scroll" role="region" aria-labelledby="failures-caption" tabindex="0" {
            table data-table {
                caption id="failures-caption" {
                    (plural(shown, "set")) " of arguments, each with its databases"
                    @if shown < all {
                        "; " (thousands(all - shown)) " more are not shown (--format json has them)"
                    }
                }
                thead {
                    tr {
                        th scope="col" data-sort="number" { "Severity" }
                        th scope="col" data-sort="text" { "Code" }
                        th scope="col" data-sort="text" { "Arguments" }
                        th scope="col" data-sort="text" { "Databases" }
                        th scope="col" data-sort="number" class="number" { "Count" }
                        th scope="col" data-sort="text" { "First (UTC)" }
                        th scope="col" data-sort="text" { "Last (UTC)" }
                    }
                }
                tbody { @for (code, set) in rows.take(MAX_ROWS) { (row(code, set)) } }
            }
        }
    })
}

fn row(code: &CodeReport, set: &ArgSet) -> Markup {
    let rank = if code.severity == Severity::Error { 0 } else { 1 };
    html! {
        tr {
            td data-key=(rank) { (severity(code.severity)) }
            th scope="row" { a href={ "#" (anchor(&code.id)) } title=(LogText(&code.title)) { (LogText(&code.id)) } }
            td class="wide" { (arguments(&set.args)) }
            td { (values(set.databases.keys().map(String::as_str), MAX_NAMED)) }
            td class="number" data-key=(set.count) { (thousands(set.count)) }
            (stamp(set.times.first))
            (stamp(set.times.last))
        }
    }
}

fn stamp(time: Option<Time>) -> Markup {
    html! { td class="when" { @if let Some(time) = time { time datetime=(time) { (seconds(time)) } } } }
}
