//! Markdown: a report for an issue tracker.
//!
//! A report comes in; CommonMark with tables goes out, for every tracker that reads GitHub's dialect: the
//! verdict, a table by code, the plan, a section for each code, the inputs that were not read. Text from a
//! log or a pattern file goes through [`escape`]. Lists are cut at fixed counts, so that a ticket can hold
//! the report, and each cut is stated.

pub mod escape;
mod plan;

use super::definition::{Definition, Writer};
use super::published::{block_name, statement};
use super::verdict::inputs_read;
use super::words::{UNKNOWN_CODE, accepted, actor, period, plural, redacted, rule_words, side, thousands};
use crate::catalog::{ArgValue, Entry};
use crate::finding::Finding;
use crate::input::Signature;
use crate::report::{CodeReport, Report, Suppressed};
use crate::scan::{Inputs, Status};
use crate::summary::ArgSet;
use escape::{MarkdownLine, block, code, inline, text};
use std::io::{self, Write};

/// The row of the table of formats.
pub(super) const FORMAT: Definition = Definition {
    name: "markdown",
    aliases: &["md"],
    about: "A report to paste into a ticket",
    signatures: &[Signature::Text { start: TITLE, marker: "" }],
    writer: Writer::Report(|report, _, out| write_report(report, out)),
};

/// The start of the title, by which the document is recognised.
const TITLE: &str = "# migsift: ";
/// Argument sets, databases and list items shown in one place; the others are counted.
const MAX_SHOWN: usize = 10;
/// Inputs shown that were not read to their end; the others are counted.
const MAX_PROBLEMS: usize = 20;
/// Rules of a baseline shown; the others are counted.
const MAX_RULES: usize = 20;
/// Writes the report.
///
/// # Errors
///
/// Those of the writer.
pub fn write_report(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    verdict(report, out)?;
    table(&report.codes, out)?;
    plan::attempts(report, out)?;
    plan::steps(report, out)?;
    for code in &report.codes {
        section(code, out)?;
    }
    baseline(report, out)?;
    coverage(&report.inputs, out)
}

fn verdict(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (inputs, totals) = (&report.inputs, report.totals());
    let found = match totals.findings {
        0 => "nothing found".to_string(),
        _ => plural(totals.failures - totals.suppressed.failures, "failure"),
    };
    writeln!(out, "{TITLE}{found}\n")?;
    if totals.suppressed.findings() > 0 {
        let known = accepted(totals.suppressed);
        writeln!(out, "Known and accepted, not counted: {known}.\n")?;
    }
    if !inputs.complete() {
        let missed = plural(inputs.partial + inputs.failed, "input");
        writeln!(out, "**Incomplete: {missed} could not be read to the end, see Coverage.**\n")?;
    }
    if totals.findings > 0 {
        let mut parts = vec![plural(totals.errors, "error"), plural(totals.warnings, "warning")];
        if totals.unknown > 0 {
            parts.push(format!("{} not in the catalogue", thousands(totals.unknown)));
        }
        write!(out, "{} ({})", plural(totals.findings, "finding"), parts.join(", "))?;
        if let Some(period) = period(report.window) {
            write!(out, ", {period} UTC")?;
        }
        write!(out, ". ")?;
    }
    let stamp = &report.catalog;
    let edition = inline(&stamp.edition);
    let entries = plural(stamp.entries as u64, "entry");
    writeln!(out, "{}. Catalogue {edition}, {entries}.", inputs_read(inputs))?;
    let note = |key: &str| writeln!(out, "\n{}", inline(&redacted(key)));
    report.redaction.as_deref().map_or(Ok(()), note)
}

fn table(codes: &[CodeReport], out: &mut dyn Write) -> io::Result<()> {
    if codes.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n| Code | Severity | Findings | Failures | Title | Who acts |")?;
    writeln!(out, "|---|---|--:|--:|---|---|")?;
    for code in codes {
        let cell = |text: &str| MarkdownLine::default().text(text).cell();
        let who = code.actor().map(|known| cell(actor(known, &code.vendor.support))).unwrap_or_default();
        let (count, failures) = (thousands(code.count), thousands(code.failures));
        let (id, title) = (cell(&code.id), cell(&code.title));
        writeln!(out, "| {id} | {} | {count} | {failures} | {title} | {who} |", code.severity)?;
    }
    Ok(())
}

/// Writes one code: the facts, its findings and the advice.
fn section(report: &CodeReport, out: &mut dyn Write) -> io::Result<()> {
    let heading = format!("{} {}", report.id, report.title);
    writeln!(out, "\n## {}\n", inline(&heading))?;
    let mut facts = vec![
        report.severity.to_string(),
        plural(report.count, "finding"),
        plural(report.failures, "failure"),
    ];
    facts.extend(report.side().map(|known| side(known).to_string()));
    if report.entry.as_ref().is_some_and(|entry| entry.restart) {
        facts.push("needs a restart".into());
    }
    facts.extend(period(report.times).map(|period| format!("{period} UTC")));
    writeln!(out, "{}", facts.join(", "))?;
    arguments(report, out)?;
    if let Some(first) = report.samples.first() {
        sample(first, out)?;
    }
    advice(report, out)
}

fn arguments(report: &CodeReport, out: &mut dyn Write) -> io::Result<()> {
    let has_facts = |set: &&ArgSet| !set.args.is_empty() || !set.databases.is_empty();
    for (i, set) in report.args.iter().filter(has_facts).take(MAX_SHOWN).enumerate() {
        writeln!(out, "{}- {}", if i == 0 { "\n" } else { "" }, occurrence(set))?;
    }
    let more = report.args_distinct.saturating_sub(MAX_SHOWN as u64);
    if more > 0 {
        writeln!(out, "- and {}", plural(more, "more distinct argument set"))?;
    }
    Ok(())
}

/// An argument set with its databases and its count.
fn occurrence(set: &ArgSet) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (name, value) in &set.args {
        let values = match value {
            ArgValue::One(value) => code(value),
            ArgValue::Many(values) => codes(values),
        };
        parts.push(format!("{}: {values}", text(name)));
    }
    if !set.databases.is_empty() {
        parts.push(format!("in {}", codes(set.databases.keys())));
    }
    parts.push(plural(set.count, "finding"));
    parts.join(", ")
}

/// The first values as code; the others are counted.
fn codes<'a>(values: impl IntoIterator<Item = &'a String>) -> String {
    let values: Vec<&String> = values.into_iter().collect();
    let shown = values.iter().take(MAX_SHOWN).map(|value| code(value)).collect::<Vec<_>>().join(", ");
    match values.len().saturating_sub(MAX_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Writes the place and text of the first finding.
fn sample(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let place = code(&finding.origin.to_string());
    writeln!(out, "\nFirst in {place}, line {}:\n", finding.line)?;
    let context_lines = finding.context_lines.as_deref();
    let before = context_lines.iter().flat_map(|lines| &lines.before).map(|line| &**line);
    let after = context_lines.iter().flat_map(|lines| &lines.after).map(|line| &**line);
    let lines: Vec<&str> = before.chain([&*finding.text]).chain(after).collect();
    out.write_all(block("text", &lines).as_bytes())
}

fn advice(report: &CodeReport, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n**What to do**")?;
    let Some(entry) = &report.entry else {
        let what = UNKNOWN_CODE;
        return writeln!(out, "\n{what}");
    };
    if report.resolutions.is_empty() {
        writeln!(out, "\nNo resolution is published.")?;
    }
    let many = report.resolutions.len();
    for (i, resolution) in report.resolutions.iter().enumerate() {
        if many > 1 {
            writeln!(out, "\nResolution {} of {many}:", i + 1)?;
        }
        resolved(resolution, entry, out)?;
    }
    for link in entry.links.iter().filter(|link| !report.resolutions.iter().any(|text| text.contains(*link)))
    {
        writeln!(
            out,
            "\n{}",
            MarkdownLine::default().linked("See ", &[]).linked(link, &entry.links).paragraph()
        )?;
    }
    Ok(())
}

/// Writes one resolution: the catalogue's statements as blocks to copy, all other text as lines between them.
fn resolved(resolution: &str, entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
    let links = links(entry);
    let mut line = MarkdownLine::default();
    let put = |line: &mut MarkdownLine, out: &mut dyn Write| {
        let paragraph = std::mem::take(line).trimmed().paragraph();
        if paragraph.is_empty() { Ok(()) } else { writeln!(out, "\n{paragraph}") }
    };
    let parts: Vec<&str> = resolution.split('`').collect();
    for (i, part) in parts.iter().enumerate() {
        let quoted = i % 2 == 1 && i + 1 < parts.len();
        if let Some(language) = statement(part, Some(entry)).filter(|_| quoted) {
            put(&mut line, out)?;
            write!(out, "\n{}", block(block_name(language), &[part]))?;
        } else if quoted {
            line.code(part);
        } else {
            if i % 2 == 1 {
                line.code("`");
            }
            line.linked(&unmarked(part, &links), &links);
        }
    }
    put(&mut line, out)
}

/// The links of an entry, with those in the Markdown of its resolutions.
fn links(entry: &Entry) -> Vec<String> {
    let marked = entry.resolutions.iter().flat_map(|template| template.text.split("](").skip(1));
    let marked = marked.filter_map(|rest| Some(rest.split_once(')')?.0.to_string()));
    entry.links.iter().cloned().chain(marked).collect()
}

/// `text` with `[label](link)` as `label (link)`.
fn unmarked(text: &str, links: &[String]) -> String {
    let mut text = text.to_string();
    for link in links {
        let marked = format!("]({link})");
        while let Some(end) = text.find(&marked)
            && let Some(start) = text[..end].rfind('[')
        {
            text.replace_range(end..end + 1, " ");
            text.remove(start);
        }
    }
    text
}

/// Writes the rules of the baseline with their reasons.
fn baseline(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Some(rules) = &report.baseline else { return Ok(()) };
    writeln!(out, "\n## Known and accepted\n")?;
    let (idle, taking): (Vec<_>, Vec<_>) =
        rules.iter().partition(|rule| rule.suppressed == Suppressed::default());
    for rule in taking.iter().take(MAX_RULES) {
        let expired = if rule.expired { "expired, counted again: " } else { "" };
        let (what, reason) = (inline(&rule_words(rule)), inline(&rule.reason));
        writeln!(out, "- {what} ({expired}{}): {reason}", accepted(rule.suppressed))?;
    }
    if taking.len() > MAX_RULES {
        writeln!(out, "- and {} more", taking.len() - MAX_RULES)?;
    }
    if !idle.is_empty() {
        writeln!(out, "- {} matched nothing", plural(idle.len() as u64, "rule"))?;
    }
    Ok(())
}

fn coverage(inputs: &Inputs, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## Coverage\n\n{}.", inputs_read(inputs))?;
    for (status, heading) in
        [(Status::Failed, "Not read"), (Status::Partial, "Read in part"), (Status::Skipped, "Skipped")]
    {
        let of = || inputs.problems.iter().filter(|problem| problem.status == status);
        let count = of().count();
        if count == 0 {
            continue;
        }
        writeln!(out, "\n{heading} ({count}):\n")?;
        for problem in of().take(MAX_PROBLEMS) {
            writeln!(out, "- {}: {}", code(&problem.origin.to_string()), inline(&problem.reason))?;
        }
        if count > MAX_PROBLEMS {
            writeln!(out, "- and {} more", count - MAX_PROBLEMS)?;
        }
    }
    Ok(())
}
