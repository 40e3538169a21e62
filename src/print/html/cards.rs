//! Cards: the findings of each code, and the advice for it.
//!
//! Codes of a report come in; an article for each goes out, up to [`MAX_CARDS`]. A card shows the first
//! arguments and places only; the table of failures has all of them.

use super::super::safe;
use super::text::{LogText, advice, anchor, arguments, commas, link, severity, value, values};
use super::{MAX_STEPS, plural, thousands};
use crate::catalog::{Entry, Severity};
use crate::finding::Finding;
use crate::matcher::MatchQuality;
use crate::print::words::{UNKNOWN_CODE, actor, period, side};
use crate::report::{CodeReport, Report};
use crate::summary::ArgSet;
use maud::{Markup, html};

/// The most cards.
const MAX_CARDS: usize = 200;
/// The most argument sets in a card.
const MAX_SETS: usize = 8;
/// The most databases named for one of them.
const MAX_NAMED: usize = 8;

/// All cards.
pub fn all(report: &Report) -> Option<Markup> {
    let more = report.codes.len().saturating_sub(MAX_CARDS);
    Some(html! {
        div class="cards" { @for code in report.codes.iter().take(MAX_CARDS) { (card(code, report)) } }
        @if more > 0 { p { (plural(more as u64, "more code")) " not shown (--format json has them)." } }
    })
}

fn card(code: &CodeReport, report: &Report) -> Markup {
    let steps: Vec<u64> = report
        .plan
        .steps
        .iter()
        .take(MAX_STEPS)
        .filter(|step| step.codes.iter().any(|id| **id == *code.id))
        .map(|step| step.number)
        .collect();
    let id = anchor(&code.id);
    let class = if code.severity == Severity::Error { "card error" } else { "card warning" };
    html! {
        article class=(class) id=(id) aria-labelledby={ (id) "-title" } {
            h3 id={ (id) "-title" } {
                span class="code" { (LogText(&code.id)) } " " span class="title" { (LogText(&code.title)) } " "
                (severity(code.severity))
            }
            (facts(code))
            (found(code))
            h4 { "What to do" }
            (resolutions(code))
            @if !steps.is_empty() {
                p class="hush" { "In the plan: " (commas(steps.iter().map(step))) "." }
            }
            (places(code))
        }
    }
}

fn step(number: &u64) -> Markup {
    html! { a href={ "#plan-" (number) } { "step " (number) } }
}

fn facts(code: &CodeReport) -> Markup {
    let entry = code.entry.as_deref();
    html! {
        dl class="facts" {
            div { dt { "Failures" } dd { (thousands(code.failures)) } }
            div { dt { "Findings" } dd { (thousands(code.count)) " in " (plural(code.files, "input")) } }
            @if let Some(entry) = entry {
                div { dt { "Where" } dd { (entry.scope) " " (side(entry.side)) } }
                div { dt { "Who acts" } dd { (actor(entry.actor, &code.vendor.support)) } }
                div {
                    dt { "Restart" }
                    dd { @if entry.restart { strong { "needed" } } @else { "not needed" } }
                }
            }
            @if let Some(times) = period(code.times) {
                div { dt { "When (UTC)" } dd class="when" { (times) } }
            }
        }
    }
}

fn found(code: &CodeReport) -> Markup {
    let sets = || code.args.iter().filter(|set| !set.args.is_empty() || !set.databases.is_empty());
    let more = (code.args_distinct - code.args.len() as u64) + sets().count().saturating_sub(MAX_SETS) as u64;
    html! {
        @if sets().next().is_some() {
            h4 { "Found" }
            ul class="found" {
                @for set in sets().take(MAX_SETS) { (occurrence(set)) }
                @if more > 0 { li { "and " (thousands(more)) " more" } }
            }
        }
    }
}

/// An argument set with its databases and its count.
fn occurrence(set: &ArgSet) -> Markup {
    html! {
        li {
            (arguments(&set.args))
            @if !set.databases.is_empty() {
                span class="hush" { @if !set.args.is_empty() { " in " } @else { "in " } }
                (values(set.databases.keys().map(String::as_str), MAX_NAMED))
            }
            span class="hush" { " " (thousands(set.count)) "×" }
        }
    }
}

fn resolutions(code: &CodeReport) -> Markup {
    let entry = code.entry.as_deref();
    let known = |address: &String| code.resolutions.iter().any(|text| text.contains(address));
    let links: Vec<&String> =
        entry.iter().flat_map(|entry| &entry.links).filter(|address| !known(address)).collect();
    html! {
        @match (entry, &code.resolutions[..]) {
            (None, _) => p {
                (UNKNOWN_CODE)
            },
            (_, []) => p { "No resolution is published." },
            (_, [one]) => (advice(one, entry)),
            (_, many) => ul class="ways" { @for text in many { li { (advice(text, entry)) } } },
        }
        @if !links.is_empty() {
            p { "See " (commas(links.iter().map(|address| link(address)))) "." }
        }
        (drifted(code, entry))
    }
}

fn drifted(code: &CodeReport, entry: Option<&Entry>) -> Markup {
    html! {
        @if let (Some(drift), Some(_)) = (&code.drift, entry) {
            p class="hush" {
                "The wording has changed in " (thousands(code.graded(MatchQuality::Drifted))) " of "
                (plural(code.count, "finding")) "; the log now says: " (value(&drift.text))
            }
        }
    }
}

fn places(code: &CodeReport) -> Markup {
    let more = code.count.saturating_sub(code.samples.len() as u64);
    html! {
        @if !code.samples.is_empty() {
            details {
                summary { "Places in the logs" }
                ol class="places" {
                    @for sample in &code.samples { (place(sample)) }
                }
                @if more > 0 {
                    p class="hush" { (plural(more, "more finding")) " (--format ndjson has all)." }
                }
            }
        }
    }
}

fn place(sample: &Finding) -> Markup {
    html! {
        li {
            bdi class="value" { (LogText(&sample.origin.to_string())) ":" (sample.line) }
            // A message may be written from right to left, although the page is not.
            pre dir="auto" { (safe::block(&sample.text)) }
        }
    }
}
