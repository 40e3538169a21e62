//! Human: what a person reads in a terminal, a pipe or a mail.
//!
//! A report or an entry comes in; text goes out, the verdict first, then a table by code, then what to do. It fits the
//! terminal's width where one is given and cuts nothing where none is. Log text comes in through
//! [`safe::line`](super::safe::line).

use super::json::args_line;
use super::safe::line;
use crate::catalog::{Catalog, Severity};
use crate::context::Time;
use crate::explain::Explanation;
use crate::finding::Finding;
use crate::matcher::wording::Grade;
use crate::report::{CodeReport, Report};
use crate::scan::{Inputs, Status};
use crate::summary::{ArgSet, Times};
use anstyle::{AnsiColor, Effects, Style};
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::Arc;
use textwrap::{Options, WordSplitter};
use unicode_width::UnicodeWidthStr;

/// Argument sets shown of one code; the rest are counted.
const MAX_SHOWN: usize = 10;
/// Inputs shown that were not read whole; the rest are counted.
const MAX_PROBLEMS: usize = 20;
/// The least columns for titles and arguments beside the other columns; below, they go on lines of their own.
const MIN_BESIDE: usize = 48;

/// How to print.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layout {
    /// Columns of the terminal; none cuts and wraps nothing.
    pub width: Option<usize>,
    /// Whether to colour.
    pub color: bool,
}

/// A writer with a layout.
struct Page<'w> {
    out: &'w mut dyn Write,
    layout: Layout,
}

const BOLD: Style = Style::new().effects(Effects::BOLD);
const DIM: Style = Style::new().effects(Effects::DIMMED);
const RED: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
const YELLOW: Style = AnsiColor::Yellow.on_default().effects(Effects::BOLD);
const GREEN: Style = AnsiColor::Green.on_default().effects(Effects::BOLD);

/// Writes the report.
///
/// # Errors
///
/// What the writer gives.
pub fn write_report(report: &Report, layout: Layout, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { out, layout };
    page.verdict(report)?;
    page.table(&report.codes)?;
    if !report.codes.is_empty() {
        writeln!(page.out, "\n{}", page.paint(BOLD, "What to do"))?;
    }
    for code in &report.codes {
        page.code(code)?;
    }
    page.problems(&report.inputs)
}

/// Writes one entry.
///
/// # Errors
///
/// What the writer gives.
pub fn write_explanation(entry: &Explanation<'_>, layout: Layout, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { out, layout };
    writeln!(page.out, "{}  {}", page.paint(BOLD, entry.id), page.paint(BOLD, line(entry.title)))?;
    let restart = if entry.restart { ", needs a restart" } else { "" };
    let who = match entry.actor {
        crate::catalog::Actor::Customer => "you can fix it",
        crate::catalog::Actor::Support => "needs Microsoft support",
        crate::catalog::Actor::Unsupported => "not supported by the service",
    };
    let severity = page.severity(entry.severity, 0);
    writeln!(page.out, "{severity}, concerns the {}, {who}: {}{restart}", entry.scope, side(entry.side))?;
    let arguments =
        entry.arguments.iter().map(|a| format!("{{{}}}  {} ({})", a.position, a.name, kind(a.kind)));
    page.list("Arguments", arguments)?;
    page.list("Messages", entry.wordings.iter().map(|text| line(text).into_owned()))?;
    page.list("May be followed by", entry.followups.iter().map(|text| line(text).into_owned()))?;
    let heading = match entry.resolutions.len() {
        0 | 1 => "Resolution".to_string(),
        many => format!("{many} resolutions"),
    };
    page.list(&heading, entry.resolutions.iter().map(|text| line(text).into_owned()))?;
    if entry.resolutions.is_empty() {
        writeln!(
            page.out,
            "\n{}\n  none published; the message itself says what to do",
            page.paint(BOLD, heading)
        )?;
    }
    page.list("Links", entry.links.iter().map(|text| line(text).into_owned()))?;
    page.list("Example", entry.examples.iter().take(1).map(|example| line(example.text).into_owned()))?;
    for example in entry.examples.iter().take(1).filter(|example| !example.args.is_empty()) {
        let args = example
            .args
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect::<Vec<_>>()
            .join(", ");
        page.wrapped("    gives ", &args)?;
    }
    Ok(())
}

/// Writes the catalogue, an entry a line.
///
/// # Errors
///
/// What the writer gives.
pub fn write_catalog(catalog: &Catalog, layout: Layout, out: &mut dyn Write) -> io::Result<()> {
    let page = Page { out, layout };
    let width = catalog.entries.iter().map(|entry| entry.id.width()).max().unwrap_or(0).max(4);
    let head = format!(
        "{:<width$}  {:<8}  {:<8}  {:<7}  {:<11}  TITLE",
        "CODE", "SEVERITY", "SCOPE", "SIDE", "ACTOR"
    );
    writeln!(page.out, "{}", page.paint(BOLD, head))?;
    for entry in &catalog.entries {
        let id = page.paint(BOLD, format!("{:<width$}", entry.id));
        let severity = page.severity(entry.severity, 8);
        let (scope, side, actor) = (entry.scope, entry.side, entry.actor);
        writeln!(page.out, "{id}  {severity}  {scope:<8}  {side:<7}  {actor:<11}  {}", line(&entry.title))?;
    }
    let codes = catalog.entries.iter().filter(|entry| entry.code.is_some()).count();
    let other = catalog.entries.len() - codes;
    let edition = line(&catalog.edition);
    writeln!(page.out, "\n{} and {other} without a code, edition {edition}", plural(codes as u64, "code"))
}

impl Page<'_> {
    fn paint(&self, style: Style, text: impl Display) -> String {
        if self.layout.color { format!("{style}{text}{style:#}") } else { text.to_string() }
    }

    fn severity(&self, severity: Severity, width: usize) -> String {
        let style = if severity == Severity::Error { RED } else { YELLOW };
        self.paint(style, format!("{severity:<width$}"))
    }

    /// `text` behind `lead`, wrapped to the width with continuation lines indented as far.
    fn wrapped(&mut self, lead: &str, text: &str) -> io::Result<()> {
        let Some(width) = self.layout.width else { return writeln!(self.out, "{lead}{text}") };
        let indent = " ".repeat(lead.width());
        let options =
            Options::new(width.max(lead.width() + 20)).initial_indent(lead).subsequent_indent(&indent);
        // Names and links stay whole so that they can be copied.
        let options = options.break_words(false).word_splitter(WordSplitter::NoHyphenation);
        for row in textwrap::wrap(text, options) {
            writeln!(self.out, "{row}")?;
        }
        Ok(())
    }

    fn list(&mut self, heading: &str, items: impl Iterator<Item = String>) -> io::Result<()> {
        for (i, item) in items.enumerate() {
            if i == 0 {
                writeln!(self.out, "\n{}", self.paint(BOLD, heading))?;
            }
            self.wrapped("  - ", &item)?;
        }
        Ok(())
    }

    fn verdict(&mut self, report: &Report) -> io::Result<()> {
        let (inputs, totals) = (&report.inputs, report.totals());
        let asked = inputs.scanned + inputs.partial + inputs.failed;
        let read = format!("{} of {} read", thousands(inputs.scanned), plural(asked, "input"));
        let read = if inputs.complete() { read } else { self.paint(YELLOW, read) };
        let found = if totals.findings == 0 {
            self.paint(GREEN, "nothing found")
        } else {
            let style = if totals.errors > 0 { RED } else { YELLOW };
            self.paint(style, plural(totals.failures, "failure"))
        };
        writeln!(self.out, "{read} ({}): {found}", bytes(inputs.bytes))?;
        if totals.findings > 0 {
            let mut parts = vec![plural(totals.errors, "error"), plural(totals.warnings, "warning")];
            if totals.unknown > 0 {
                parts.push(format!("{} not in the catalogue", thousands(totals.unknown)));
            }
            let span = match (report.window.first, report.window.last) {
                (Some(first), Some(last)) => format!(", {} to {} UTC", seconds(first), seconds(last)),
                _ => String::new(),
            };
            let text = format!("{} ({}){span}", plural(totals.findings, "finding"), parts.join(", "));
            self.wrapped("", &text)?;
        }
        let stamp = &report.catalog;
        let looked = format!(
            "Looked for {} of catalogue {}",
            plural(stamp.entries as u64, "entry"),
            line(&stamp.edition)
        );
        writeln!(self.out, "{}", self.paint(DIM, looked))
    }

    fn table(&mut self, codes: &[CodeReport]) -> io::Result<()> {
        if codes.is_empty() {
            return Ok(());
        }
        let id = codes.iter().map(|code| code.id.width()).max().unwrap_or(0).max(4);
        let count = codes.iter().map(|code| thousands(code.count).len()).max().unwrap_or(0).max(5);
        let fixed = id + 2 + count + 2 + 8 + 2;
        let head = format!("{:<id$}  {:>count$}  {:<8}  ", "CODE", "COUNT", "SEVERITY");
        let dates = 19 + 2 + 19 + 2;
        let beside = self.layout.width.is_none_or(|width| width >= fixed + dates + MIN_BESIDE);
        let dates_head = format!("{:<19}  {:<19}  ", "FIRST (UTC)", "LAST (UTC)");
        let tail = if beside {
            format!("{dates_head}TITLE, ARGUMENTS")
        } else {
            "TITLE, ARGUMENTS, FIRST AND LAST".into()
        };
        writeln!(self.out, "\n{}", self.paint(BOLD, format!("{head}{tail}")))?;
        for code in codes {
            let start = format!(
                "{}  {:>count$}  {}  ",
                self.paint(BOLD, format!("{:<id$}", code.id)),
                thousands(code.count),
                self.severity(code.severity, 8)
            );
            let stamp = |time: Option<Time>| time.map(seconds).unwrap_or_default();
            let args: Vec<String> =
                code.args.iter().filter(|set| !set.args.is_empty()).map(arguments).collect();
            let more = args.len().saturating_sub(3);
            let mut lines: Vec<String> = args.into_iter().take(3).collect();
            if more > 0 {
                lines.push(format!("and {more} more"));
            }
            let indent = if beside {
                let (first, last) = (stamp(code.times.first), stamp(code.times.last));
                writeln!(self.out, "{start}{first:<19}  {last:<19}  {}", line(&code.title))?;
                fixed + dates
            } else {
                writeln!(self.out, "{start}{}", line(&code.title))?;
                lines.extend(period(code.times));
                fixed
            };
            for text in lines {
                self.wrapped(&" ".repeat(indent), &text)?;
            }
        }
        Ok(())
    }

    /// What to do about one code.
    fn code(&mut self, code: &CodeReport) -> io::Result<()> {
        let title = format!("{}  {}", code.id, line(&code.title));
        writeln!(self.out, "\n{}", self.paint(BOLD, title))?;
        let Some(entry) = &code.entry else {
            let text = "This code is not in the catalogue. Please report it with a line of the log, so that it is added.";
            self.wrapped("  ", text)?;
            return code.samples.iter().try_for_each(|sample| self.sample(sample));
        };
        let mut facts = vec![
            plural(code.count, "finding"),
            plural(code.failures, "failure"),
            side(entry.side).to_string(),
        ];
        match entry.actor {
            crate::catalog::Actor::Customer => {}
            crate::catalog::Actor::Support => facts.push("needs Microsoft support".into()),
            crate::catalog::Actor::Unsupported => facts.push("not supported by the service".into()),
        }
        if entry.restart {
            facts.push("needs a restart".into());
        }
        let facts = self.paint(DIM, facts.join(", "));
        writeln!(self.out, "  {facts}")?;
        for set in code.args.iter().take(MAX_SHOWN) {
            self.wrapped("  ", &occurrence(set))?;
        }
        if code.args.len() > MAX_SHOWN {
            let more = code.args_distinct - MAX_SHOWN as u64;
            writeln!(
                self.out,
                "  and {} more; --format json lists them",
                plural(more, "distinct argument set")
            )?;
        }
        for sample in &code.samples {
            self.sample(sample)?;
        }
        if let Some(drift) = &code.drift {
            let (drifted, exact) =
                (thousands(code.graded(Grade::Drifted)), thousands(code.graded(Grade::Exact)));
            let head =
                format!("wording drifted in {drifted} of {}, {exact} exact", plural(code.count, "finding"));
            self.wrapped("  ", &format!("{head}; the log now says: {}", line(&drift.text)))?;
        }
        for resolution in &code.resolutions {
            self.wrapped("  > ", &line(resolution))?;
        }
        if code.resolutions.is_empty() {
            self.wrapped("  > ", "No resolution is published.")?;
        }
        for link in
            entry.links.iter().filter(|link| !code.resolutions.iter().any(|text| text.contains(*link)))
        {
            self.wrapped("  > See ", &line(link))?;
        }
        Ok(())
    }

    /// A finding between the lines around it, where they were asked for.
    fn sample(&mut self, finding: &Finding) -> io::Result<()> {
        let Some(neighbours) = &finding.neighbours else { return Ok(()) };
        let place = format!("{}:{}", finding.origin, finding.line);
        writeln!(self.out, "  {}", self.paint(DIM, line(&place)))?;
        self.around(&neighbours.before)?;
        self.wrapped("    > ", &line(&finding.text))?;
        self.around(&neighbours.after)
    }

    fn around(&mut self, lines: &[Arc<str>]) -> io::Result<()> {
        for text in lines {
            let text = line(text);
            if text.trim().is_empty() {
                writeln!(self.out, "    |")?;
            } else {
                self.wrapped("    | ", &text)?;
            }
        }
        Ok(())
    }

    fn problems(&mut self, inputs: &Inputs) -> io::Result<()> {
        for (status, heading) in
            [(Status::Failed, "Not read"), (Status::Partial, "Read in part"), (Status::Skipped, "Skipped")]
        {
            let of = || inputs.problems.iter().filter(|problem| problem.status == status);
            let count = of().count();
            if count == 0 {
                continue;
            }
            let style = if status == Status::Skipped { BOLD } else { YELLOW };
            writeln!(self.out, "\n{}", self.paint(style, format!("{heading} ({count})")))?;
            for problem in of().take(MAX_PROBLEMS) {
                let text = format!("{}: {}", problem.origin, problem.reason);
                self.wrapped("  ", &line(&text))?;
            }
            if count > MAX_PROBLEMS {
                writeln!(self.out, "  and {} more", count - MAX_PROBLEMS)?;
            }
        }
        Ok(())
    }
}

pub(super) fn side(side: crate::catalog::Side) -> &'static str {
    match side {
        crate::catalog::Side::Source => "on the source",
        crate::catalog::Side::Target => "on the target",
        crate::catalog::Side::Both => "on source and target",
        crate::catalog::Side::Service => "in the migration's settings or service",
    }
}

fn kind(kind: crate::catalog::Kind) -> &'static str {
    match kind {
        crate::catalog::Kind::Text => "text",
        crate::catalog::Kind::List => "list",
        crate::catalog::Kind::Number => "number",
        crate::catalog::Kind::Version => "version",
        crate::catalog::Kind::Word => "word",
    }
}

fn arguments(set: &ArgSet) -> String {
    line(&args_line(&set.args)).into_owned()
}

/// An argument set with where and how often it was found.
fn occurrence(set: &ArgSet) -> String {
    let databases: Vec<String> =
        set.databases.iter().take(MAX_SHOWN).map(|name| line(name).into_owned()).collect();
    let more = set.databases.len() - databases.len();
    let mut place = if databases.is_empty() { String::new() } else { format!("in {}", databases.join(", ")) };
    if more > 0 {
        place.push_str(&format!(" and {more} more"));
    }
    let times = format!("{}x", thousands(set.count));
    let about = [place, times].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    if set.args.is_empty() { about } else { format!("{} ({about})", arguments(set)) }
}

/// The first and last time in one line.
pub(super) fn period(times: Times) -> Option<String> {
    let (first, last) = (seconds(times.first?), seconds(times.last?));
    Some(if first == last { first } else { format!("{first} to {last}") })
}

/// A time to the second, for people.
pub(super) fn seconds(time: Time) -> String {
    let text = time.to_string();
    text[..19].replace('T', " ")
}

/// A number and its noun, the noun in plural but for 1.
pub(super) fn plural(number: u64, noun: &str) -> String {
    let stem = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']));
    let noun = match (number, stem) {
        (1, _) => noun.to_string(),
        (_, Some(stem)) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    };
    format!("{} {noun}", thousands(number))
}

/// A number with a comma before each three digits.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in bytes with a decimal unit.
pub(super) fn bytes(number: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    let mut value = number as f64;
    let mut unit = "";
    for next in units {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if unit.is_empty() { plural(number, "byte") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0, 1, 999, 1500, 2_000_000_000].map(bytes),
            ["0 bytes", "1 byte", "999 bytes", "1.5 kB", "2.0 GB"]
        );
        assert_eq!(
            [plural(1, "entry"), plural(2, "entry"), plural(0, "error"), plural(2, "day")],
            ["1 entry", "2 entries", "0 errors", "2 days"]
        );
    }
}
