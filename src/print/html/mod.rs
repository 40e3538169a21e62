//! HTML: the report as one page that needs nothing else.
//!
//! A report comes in; a document goes out that opens offline, asks for nothing, and reads whole without script: style
//! and script are in it and let in by their hashes alone. The script only makes tables sort and filter, adds buttons to
//! copy with and remembers which steps are ticked. maud escapes what is special in HTML; what comes from a log takes
//! the door of `text.rs` on top of that. Every table is cut at a stated number of rows.

mod attempts;
mod baseline;
mod cards;
mod coverage;
mod failures;
mod matrix;
mod plan;
mod plot;
mod text;

use super::words::{accepted, bytes, plural, redacted, seconds, thousands};
use crate::context::Time;
use crate::record::{TOOL, VERSION};
use crate::report::Report;
use crate::summary::Times;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::io::{self, Write};
use text::Log;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// What the page may do: use this style and this script, and nothing else. A test holds the hashes to the files.
const POLICY: &str = concat!(
    "default-src 'none'; ",
    "style-src 'sha256-r0BtvzAz2hYELm9pU28n7Qo0A/e2CXEJoWdAsMaL+vE='; ",
    "script-src 'sha256-2JV3V4KHuJsTQ5/M8lNMgiLpxmW1RXba8Hx1oJGy1AU='; ",
    "base-uri 'none'; form-action 'none'"
);

/// Writes the report; `generated` is the time it says it was made at.
///
/// # Errors
///
/// What the writer gives.
pub fn write_report(report: &Report, generated: Option<Time>, out: &mut dyn Write) -> io::Result<()> {
    let page = page(report, generated);
    writeln!(out, "{}", page.into_string())
}

fn page(report: &Report, generated: Option<Time>) -> Markup {
    let found = !report.codes.is_empty();
    let title = headline(report);
    let sections: Vec<Section> = [
        Section::new("plan", "What to do", plan::steps(report), found),
        Section::new("time", "When it happened", plot::figure(report), found),
        Section::new("trend", "Day by day", plot::trend(report), found),
        Section::new("attempts", "Attempts", attempts::all(report), found),
        Section::new("codes", "Code by code", cards::all(report), found),
        Section::new("matrix", "What fails where", matrix::all(report), found),
        Section::new("failures", "All failures", failures::table(report), found),
        Section::new("baseline", "Known and accepted", baseline::rules(report), true),
        Section::new("coverage", "What was read", coverage::all(report), true),
        Section::new("support", "For support", plan::support(report), found),
    ]
    .into_iter()
    .filter(|section| section.shown)
    .collect();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                // What a later scan knows its own reports by, so it stands at the head.
                meta name="generator" content={ (TOOL) " " (VERSION) };
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) " - migsift" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#main" { "Skip to the report" }
                (head(report, &title))
                @if sections.len() > 1 {
                    nav aria-label="Sections" {
                        ul {
                            @for section in &sections {
                                li { a href={ "#" (section.id) } { (section.heading) } }
                            }
                        }
                    }
                }
                main id="main" {
                    @for section in &sections {
                        section id=(section.id) aria-labelledby={ (section.id) "-heading" } {
                            h2 id={ (section.id) "-heading" } { (section.heading) }
                            (section.body)
                        }
                    }
                }
                (foot(report, generated))
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

struct Section {
    id: &'static str,
    heading: &'static str,
    body: Markup,
    shown: bool,
}

impl Section {
    fn new(id: &'static str, heading: &'static str, body: Option<Markup>, shown: bool) -> Section {
        let shown = shown && body.is_some();
        Section { id, heading, body: body.unwrap_or_default(), shown }
    }
}

/// The headline: what blocks, and where.
fn headline(report: &Report) -> String {
    let verdict = report.verdict();
    let least = if verdict.at_least { "At least " } else { "" };
    let place = match (verdict.blocked_databases, verdict.databases) {
        (0, _) => String::new(),
        (blocked, Some(known)) => format!(" in {} of {}", thousands(blocked), plural(known, "database")),
        (blocked, None) => format!(" in {}", plural(blocked, "database")),
    };
    match (verdict.blockers, verdict.warnings, report.inputs.complete()) {
        (0, 0, _) if verdict.suppressed > 0 => {
            format!("Nothing but {} known and accepted", plural(verdict.suppressed, "failure"))
        }
        (0, 0, true) => "Nothing found".into(),
        (0, 0, false) => "Nothing found in what could be read".into(),
        (0, warnings, _) => format!("{least}{}, nothing that blocks", plural(warnings, "warning")),
        (blockers, _, _) => format!("{least}{}{place}", plural(blockers, "blocker")),
    }
}

/// Whose the blockers are.
fn owners(report: &Report) -> Option<String> {
    let verdict = report.verdict();
    let parts: Vec<String> = [
        (verdict.customer, "for you to fix"),
        (verdict.support, &*format!("for {}", report.support_name())),
        (verdict.unsupported, "not supported by the service"),
        (verdict.unknown, "not in the catalogue"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{} {what}", thousands(count)))
    .collect();
    (!parts.is_empty()).then(|| format!("{}.", parts.join(", ")))
}

fn head(report: &Report, title: &str) -> Markup {
    let (inputs, totals, verdict) = (&report.inputs, report.totals(), report.verdict());
    let asked = inputs.scanned + inputs.partial + inputs.failed;
    let tone = match (verdict.blockers, verdict.warnings, inputs.complete()) {
        (0, 0, true) => "ok",
        (0, _, _) => "warning",
        _ => "error",
    };
    let unread = inputs.partial + inputs.failed;
    html! {
        header class=(tone) {
            p class="eyebrow" { "PostgreSQL migration triage" }
            h1 { (title) }
            @if let Some(owners) = owners(report) { p class="lede" { (owners) } }
            dl class="tiles" {
                div {
                    dt { "Failures" }
                    dd {
                        (thousands(totals.failures))
                        @if verdict.warnings > 0 {
                            " "
                            small { (plural(verdict.blockers, "blocker")) ", " (plural(verdict.warnings, "warning")) }
                        }
                    }
                }
                div {
                    dt { "Findings" }
                    dd {
                        (thousands(totals.findings))
                        @if totals.warnings > 0 {
                            " "
                            small { (plural(totals.errors, "error")) ", " (plural(totals.warnings, "warning")) }
                        }
                    }
                }
                div {
                    dt { "Inputs read" }
                    dd {
                        (thousands(inputs.scanned)) " of " (thousands(asked)) " "
                        small { (bytes(inputs.bytes)) }
                    }
                }
                @if let Some(span) = period(report.window) {
                    div { dt { "Time of the findings (UTC)" } dd class="when" { (span) } }
                }
            }
            @if unread > 0 {
                p class="callout" {
                    strong { "Not complete. " }
                    (plural(unread, "input")) " could not be read whole; this page holds for what was read. "
                    a href="#coverage" { "What was read" } " says which."
                }
            }
            @if totals.suppressed.findings() > 0 {
                p class="callout" {
                    strong { "Known and accepted: " }
                    (accepted(totals.suppressed)) ". "
                    a href="#baseline" { "The baseline" } " says why."
                }
            }
            @if totals.unknown > 0 {
                p class="callout" {
                    strong { "Not all codes are known. " }
                    (plural(totals.unknown, "finding")) " of codes that the catalogue does not list."
                }
            }
        }
    }
}

/// The first and last time in one line; the day once where it is the same.
fn period(times: Times) -> Option<String> {
    let (first, last) = (seconds(times.first?), seconds(times.last?));
    Some(match (first.split_once(' '), last.split_once(' ')) {
        _ if first == last => first,
        (Some((day, _)), Some((same, clock))) if day == same => format!("{first} to {clock}"),
        _ => format!("{first} to {last}"),
    })
}

fn foot(report: &Report, generated: Option<Time>) -> Markup {
    let stamp = &report.catalog;
    html! {
        footer {
            p {
                (TOOL) " " (VERSION) ", catalogue " (Log(&stamp.edition)) " with "
                (plural(stamp.entries as u64, "entry")) " (" code { (Log(&stamp.fingerprint)) } ")"
                @if let Some(time) = generated {
                    ", written " time datetime=(time) { (seconds(time)) " UTC" }
                }
                "."
                @if let Some(key) = &report.redaction { " " (Log(&redacted(key))) }
            }
            p {
                "A finding is one occurrence in a log, a failure a distinct set of code, arguments and database: "
                "what somebody has to fix. Times are those that the records give, in UTC. "
                "This page asks nothing of the network."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    /// Base64, RFC 4648.
    fn base64(bytes: &[u8]) -> String {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for chunk in bytes.chunks(3) {
            let number = (0..3).fold(0, |n, i| n << 8 | usize::from(chunk.get(i).copied().unwrap_or(0)));
            let digit = |i: usize| char::from(alphabet[number >> (18 - 6 * i) & 63]);
            text.extend((0..4).map(|i| if i <= chunk.len() { digit(i) } else { '=' }));
        }
        text
    }

    #[test]
    fn the_policy_lets_in_what_is_in_the_page() {
        assert_eq!(["", "f", "fo", "foo"].map(|text| base64(text.as_bytes())), ["", "Zg==", "Zm8=", "Zm9v"]);
        for (directive, text) in [("style-src", STYLE), ("script-src", SCRIPT)] {
            // Browsers read line breaks of either kind as line feeds before they hash.
            let hash = base64(&Sha256::digest(text.replace("\r\n", "\n")));
            let want = format!("{directive} 'sha256-{hash}'");
            assert!(POLICY.contains(&want), "src/print/html/mod.rs: POLICY must have {want}");
        }
    }

    #[test]
    fn style_and_script_end_where_they_should() {
        for text in [STYLE, SCRIPT] {
            let text = text.to_ascii_lowercase();
            assert!(
                ["</", "<!--", "http:", "https:", "url(", "@import"].iter().all(|mark| !text.contains(mark))
            );
        }
        assert!(
            ["eval", "innerHTML", "outerHTML", "insertAdjacent"].iter().all(|mark| !SCRIPT.contains(mark))
        );
    }
}
