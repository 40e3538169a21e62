//! Matrices of extensions by databases, and of servers by codes.
//!
//! The pivots of a report come in; tables go out, cut at [`MAX_ROWS`] and [`MAX_COLUMNS`]. Codes are rows,
//! because there are many codes and few servers.

use super::text::{LogText, anchor, commas, value};
use super::{plural, thousands};
use crate::catalog::Severity;
use crate::print::words::side;
use crate::report::Report;
use crate::report::pivot::{ExtensionMatrix, ServerMatrix};
use maud::{Markup, html};

/// The most rows of a matrix.
const MAX_ROWS: usize = 200;
/// The most columns of a matrix.
const MAX_COLUMNS: usize = 30;

/// Both matrices; none if both are empty.
pub fn all(report: &Report) -> Option<Markup> {
    let (extensions, servers) = (&report.pivots.extensions, &report.pivots.servers);
    let markup = html! {
        @if !extensions.rows.is_empty() { (by_database(extensions, report)) }
        @if !servers.rows.is_empty() { (by_server(servers, report)) }
    };
    (!markup.0.is_empty()).then_some(markup)
}

fn by_database(matrix: &ExtensionMatrix, report: &Report) -> Markup {
    let has_others = matrix.rows.iter().any(|row| !row.without_database.is_empty());
    let cut = matrix.truncated || matrix.rows.len() > MAX_ROWS || matrix.databases.len() > MAX_COLUMNS;
    html! {
        div class="scroll" role="region" aria-labelledby="extensions-caption" tabindex="0" {
            table class="matrix" {
                caption id="extensions-caption" { "Codes by extension and database" (cut_off(cut)) }
                thead {
                    tr {
                        th scope="col" { "Extension" }
                        @for database in matrix.databases.iter().take(MAX_COLUMNS) {
                            th scope="col" { (value(database)) }
                        }
                        @if has_others { th scope="col" { "without a database" } }
                    }
                }
                tbody {
                    @for row in matrix.rows.iter().take(MAX_ROWS) {
                        tr {
                            th scope="row" { (value(&row.extension)) }
                            @for ids in row.cells.iter().take(MAX_COLUMNS) { (codes(ids, report)) }
                            @if has_others { (codes(&row.without_database, report)) }
                        }
                    }
                }
            }
        }
    }
}

/// A cell of codes, which link to their cards.
fn codes(ids: &[String], report: &Report) -> Markup {
    html! {
        td class=[tone(ids, report)] {
            (commas(ids.iter().map(|id| html! { a class="code" href={ "#" (anchor(id)) } { (LogText(id)) } })))
        }
    }
}

fn by_server(matrix: &ServerMatrix, report: &Report) -> Markup {
    let columns = &matrix.rows[..matrix.rows.len().min(MAX_COLUMNS)];
    let cut = matrix.truncated || matrix.rows.len() > MAX_COLUMNS || matrix.codes.len() > MAX_ROWS;
    let title = |id: &str| report.codes.iter().find(|code| &*code.id == id).map(|code| &*code.title);
    html! {
        div class="scroll" role="region" aria-labelledby="servers-caption" tabindex="0" {
            table class="matrix" {
                caption id="servers-caption" { "Findings by code and server" (cut_off(cut)) }
                thead {
                    tr {
                        th scope="col" { "Code" }
                        @for row in columns {
                            th scope="col" {
                                @match &row.server {
                                    Some(server) => (value(server)),
                                    None => "unnamed server",
                                }
                                @if let Some(known) = row.side { " " small { (side(known)) } }
                            }
                        }
                    }
                }
                tbody {
                    @for (i, id) in matrix.codes.iter().enumerate().take(MAX_ROWS) {
                        tr {
                            th scope="row" {
                                a href={ "#" (anchor(id)) } { (LogText(id)) } " "
                                span class="hush" { (LogText(title(id).unwrap_or_default())) }
                            }
                            @for row in columns {
                                @let count = row.cells.get(i).copied().unwrap_or_default();
                                @if count > 0 {
                                    td class=[tone(std::slice::from_ref(id), report)] { (thousands(count)) }
                                } @else {
                                    td {}
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The colour of a cell: the worst of its codes.
fn tone(ids: &[String], report: &Report) -> Option<&'static str> {
    let found = report.codes.iter().filter(|code| ids.iter().any(|id| **id == *code.id));
    found.map(|code| code.severity).max().map(|severity| match severity {
        Severity::Error => "filled error",
        Severity::Warning => "filled warning",
    })
}

fn cut_off(cut: bool) -> Markup {
    html! {
        @if cut {
            "; at most " (plural(MAX_ROWS as u64, "row")) " and " (plural(MAX_COLUMNS as u64, "column"))
            " are shown (--format json has more)"
        }
    }
}
