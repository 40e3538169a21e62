//! HTML: the report as one page that needs nothing else.
//!
//! A report comes in; one document goes out, which opens offline and makes no request. Style and script are
//! in the page, and its Content-Security-Policy allows them by their hashes and nothing else. The whole
//! report is readable without script; the script only sorts and filters tables, adds copy buttons and
//! remembers the checked steps.
//!
//! maud escapes what is special in HTML. Text from a log is wrapped in `LogText` (`text.rs`), which writes
//! out hidden characters before that and cuts very long values. Every table is cut at a fixed number of rows,
//! and the page states it.

mod attempts;
mod baseline;
mod cards;
mod coverage;
mod failures;
mod matrix;
mod plan;
mod plot;
mod text;

use super::definition::{Definition, Writer};
use super::verdict::{asked, headline, who_acts};
use super::words::{accepted, bytes, period, plural, redacted, seconds, thousands, upper};
use crate::context::Time;
use crate::input::Signature;
use crate::record::{TOOL, VERSION};
use crate::report::{Report, Verdict};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::io::{self, Write};
use text::LogText;

/// The row of the table of formats.
pub(super) const FORMAT: Definition = Definition {
    name: "html",
    aliases: &[],
    about: "One page for a browser, which needs nothing else",
    signatures: &[Signature::Text {
        start: "<!DOCTYPE html>",
        marker: "<meta name=\"generator\" content=\"migsift ",
    }],
    writer: Writer::Report(|report, settings, out| write_report(report, settings.generated, out)),
};

/// The most steps of the plan on the page; cards link to no others.
const MAX_STEPS: usize = 200;
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// The policy of the page: this style and this script, and nothing else. A test compares the hashes with the
/// files.
const POLICY: &str = concat!(
    "default-src 'none'; ",
    "style-src 'sha256-hnQHCmY3Q9Ai7V5jYRCOgBho8b9Kjp747D9MF5h2gPo='; ",
    "script-src 'sha256-DtCGGWDdX1b16TFWd20Spu6zq91okCqnt134SvY8FHg='; ",
    "base-uri 'none'; form-action 'none'"
);

/// Writes the report; `generated` is the time that the page states.
///
/// # Errors
///
/// Those of the writer.
pub fn write_report(report: &Report, generated: Option<Time>, out: &mut dyn Write) -> io::Result<()> {
    let page = page(report, generated);
    writeln!(out, "{}", page.into_string())
}

fn page(report: &Report, generated: Option<Time>) -> Markup {
    let found = !report.codes.is_empty();
    let title = upper(&headline(report));
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
                // A later scan recognises the page by this, so it must be within the first bytes.
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
                (header(report, &title))
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

/// The verdict at the top of the page, in the colour of how bad it is.
fn header(report: &Report, title: &str) -> Markup {
    let verdict = report.verdict();
    let tone = match (verdict.blockers, verdict.warnings, report.inputs.complete()) {
        (0, 0, true) => "ok",
        (0, _, _) => "warning",
        _ => "error",
    };
    html! {
        header class=(tone) {
            p class="eyebrow" { "PostgreSQL migration triage" }
            h1 { (title) }
            @if let Some(who) = who_acts(&verdict, report.support_name()) { p class="lede" { (LogText(&who)) "." } }
            (tiles(report, &verdict))
            (callouts(report))
        }
    }
}

/// The numbers below the headline.
fn tiles(report: &Report, verdict: &Verdict) -> Markup {
    let (inputs, totals) = (&report.inputs, report.totals());
    html! {
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
                    (thousands(inputs.scanned)) " of " (thousands(asked(inputs))) " "
                    small { (bytes(inputs.bytes)) }
                }
            }
            @if let Some(period) = period(report.window) {
                div { dt { "Time of the findings (UTC)" } dd class="when" { (period) } }
            }
        }
    }
}

/// What limits the verdict: inputs that were not read, accepted failures, unknown codes.
fn callouts(report: &Report) -> Markup {
    let (inputs, totals) = (&report.inputs, report.totals());
    let unread = inputs.partial + inputs.failed;
    html! {
        @if unread > 0 {
            p class="callout" {
                strong { "Incomplete. " }
                (plural(unread, "input")) " could not be read to the end, so there may be more failures. See "
                a href="#coverage" { "What was read" } "."
            }
        }
        @if totals.suppressed.findings() > 0 {
            p class="callout" {
                strong { "Known and accepted: " }
                (accepted(totals.suppressed)) ". See "
                a href="#baseline" { "the reasons" } "."
            }
        }
        @if totals.unknown > 0 {
            p class="callout" {
                strong { "Unknown codes. " }
                (plural(totals.unknown, "finding")) " with codes that are not in the catalogue."
            }
        }
    }
}

fn foot(report: &Report, generated: Option<Time>) -> Markup {
    let stamp = &report.catalog;
    html! {
        footer {
            p {
                (TOOL) " " (VERSION) ", catalogue " (LogText(&stamp.edition)) " with "
                (plural(stamp.entries as u64, "entry")) " (" code { (LogText(&stamp.fingerprint)) } ")"
                @if let Some(time) = generated {
                    ", written " time datetime=(time) { (seconds(time)) " UTC" }
                }
                "."
                @if let Some(key) = &report.redaction { " " (LogText(&redacted(key))) }
            }
            p {
                "A finding is one occurrence in a log. A failure is a distinct set of code, arguments and database: "
                "one thing to fix. Times are those of the log records, in UTC. "
                "This page makes no network requests."
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
    fn the_policy_allows_the_style_and_the_script() {
        assert_eq!(["", "f", "fo", "foo"].map(|text| base64(text.as_bytes())), ["", "Zg==", "Zm8=", "Zm9v"]);
        for (directive, text) in [("style-src", STYLE), ("script-src", SCRIPT)] {
            // Browsers read line breaks of either kind as line feeds before they hash.
            let hash = base64(&Sha256::digest(text.replace("\r\n", "\n")));
            let want = format!("{directive} 'sha256-{hash}'");
            assert!(POLICY.contains(&want), "src/print/html/mod.rs: POLICY must contain {want}");
        }
    }

    #[test]
    fn style_and_script_cannot_end_early() {
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
