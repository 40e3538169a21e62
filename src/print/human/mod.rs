//! Text for people: what is read in a terminal, a pipe or a mail.
//!
//! A report or an entry comes in; text goes out: the verdict, a table by code, then the advice for each code.
//! If the layout has a width, lines are wrapped to it; without one nothing is wrapped or cut, so that the
//! text can be searched. Log text is escaped by [`safe::line`](super::safe::line).

mod attempts;
mod baseline;
mod explanation;
mod page;
mod pivots;
mod plan;
pub(super) mod signature;

pub use explanation::{write_catalog, write_explanation};
pub use page::Layout;

use super::definition::{Definition, Writer};
use super::json::args_line;
use super::safe::line;
use crate::context::Time;
use crate::finding::Finding;
use crate::matcher::MatchQuality;
use crate::print::verdict::{headline, inputs_counted, who_acts};
use crate::print::words::{UNKNOWN_CODE, bytes, needs, period, plural, redacted, seconds, side, thousands};
use crate::report::{CodeReport, Report, Verdict};
use crate::scan::{Inputs, Status};
use crate::summary::ArgSet;
use page::DIM;
pub(super) use page::{BOLD, GREEN, Page, RED, YELLOW};
use std::io::{self, Write};
use std::sync::Arc;
use unicode_width::UnicodeWidthStr;

/// The row of the table of formats.
pub(super) const FORMAT: Definition = Definition {
    name: "human",
    aliases: &["text"],
    about: "A summary by code, for people",
    signatures: signature::SIGNATURES,
    writer: Writer::Report(|report, settings, out| write_report(report, settings.layout, out)),
};

/// Argument sets shown of one code; the others are counted.
const MAX_SHOWN: usize = 10;
/// Inputs shown that were not read to their end; the others are counted.
const MAX_PROBLEMS: usize = 20;
/// The fewest columns for titles and arguments next to the times. With less space the times follow on their
/// own line.
const MIN_BESIDE: usize = 48;

/// Writes the report.
///
/// # Errors
///
/// Those of the writer.
pub fn write_report(report: &Report, layout: Layout, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { out, layout };
    page.verdict(report)?;
    page.baseline(report)?;
    page.attempts(&report.attempts)?;
    page.table(&report.codes)?;
    if layout.plan {
        page.plan(&report.plan)?;
        page.support(report)?;
    }
    page.pivots(&report.pivots)?;
    if !report.codes.is_empty() {
        let more = if layout.plan { "" } else { " (--plan puts it in order, with commands)" };
        let more = page.paint(DIM, more);
        writeln!(page.out, "\n{}{more}", page.paint(BOLD, "What to do, by code"))?;
    }
    for code in &report.codes {
        page.code(code)?;
    }
    page.problems(&report.inputs)
}

impl Page<'_> {
    fn verdict(&mut self, report: &Report) -> io::Result<()> {
        let (inputs, totals, verdict) = (&report.inputs, report.totals(), report.verdict());
        let style = match verdict {
            _ if totals.findings == 0 && inputs.complete() => GREEN,
            Verdict { blockers: 0, .. } => YELLOW,
            _ => RED,
        };
        self.wrapped("", &self.paint(style, headline(report)))?;
        if let Some(who) = who_acts(&verdict, report.support_name()) {
            self.wrapped("", &line(&who))?;
        }
        let read = inputs_counted(inputs);
        let read = if inputs.complete() { read } else { self.paint(YELLOW, read) };
        let mut text = format!("{read} ({})", bytes(inputs.bytes));
        if totals.findings > 0 {
            let mut parts = vec![plural(totals.errors, "error"), plural(totals.warnings, "warning")];
            if totals.unknown > 0 {
                parts.push(format!("{} not in the catalogue", thousands(totals.unknown)));
            }
            text += &format!(": {} ({})", plural(totals.findings, "finding"), parts.join(", "));
        }
        self.wrapped("", &text)?;
        if let Some(period) = period(report.window) {
            writeln!(self.out, "{period} UTC")?;
        }
        let stamp = &report.catalog;
        let entries = plural(stamp.entries as u64, "entry");
        let looked = format!("Searched for {entries} of catalogue {}", line(&stamp.edition));
        writeln!(self.out, "{}", self.paint(DIM, looked))?;
        report.redaction.as_deref().map_or(Ok(()), |key| self.wrapped("", &redacted(&line(key))))
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

    /// One code: the facts, its findings and the advice.
    fn code(&mut self, code: &CodeReport) -> io::Result<()> {
        let title = format!("{}  {}", code.id, line(&code.title));
        writeln!(self.out, "\n{}", self.paint(BOLD, title))?;
        let Some(entry) = &code.entry else {
            let text = UNKNOWN_CODE;
            self.wrapped("  ", text)?;
            return code.samples.iter().try_for_each(|sample| self.sample(sample));
        };
        let mut facts = vec![
            plural(code.count, "finding"),
            plural(code.failures, "failure"),
            side(entry.side).to_string(),
        ];
        facts.extend(needs(entry.actor, &code.vendor.support).map(|need| line(&need).into_owned()));
        if entry.restart {
            facts.push("needs a restart".into());
        }
        let facts = self.paint(DIM, facts.join(", "));
        self.wrapped("  ", &facts)?;
        for set in code.args.iter().take(MAX_SHOWN) {
            self.wrapped("  ", &occurrence(set))?;
        }
        if code.args.len() > MAX_SHOWN {
            let more = code.args_distinct - MAX_SHOWN as u64;
            writeln!(
                self.out,
                "  and {} more (--format json lists them)",
                plural(more, "distinct argument set")
            )?;
        }
        for sample in &code.samples {
            self.sample(sample)?;
        }
        if let Some(drift) = &code.drift {
            let (drifted, exact) =
                (thousands(code.graded(MatchQuality::Drifted)), thousands(code.graded(MatchQuality::Exact)));
            let head = format!(
                "the wording has changed in {drifted} of {}, {exact} exact",
                plural(code.count, "finding")
            );
            self.wrapped("  ", &format!("{head}; the log now says: {}", line(&drift.text)))?;
        }
        for advice in code.advice() {
            self.advice("  > ", &advice)?;
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

    /// A finding between the lines around it, if `--context-lines` asks for them.
    fn sample(&mut self, finding: &Finding) -> io::Result<()> {
        let Some(context_lines) = &finding.context_lines else { return Ok(()) };
        let place = format!("{}:{}", finding.origin, finding.line);
        writeln!(self.out, "  {}", self.paint(DIM, line(&place)))?;
        self.around(&context_lines.before)?;
        self.wrapped("    > ", &line(&finding.text))?;
        self.around(&context_lines.after)
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

fn arguments(set: &ArgSet) -> String {
    line(&args_line(&set.args)).into_owned()
}

/// An argument set with its databases and its count.
fn occurrence(set: &ArgSet) -> String {
    let databases: Vec<String> =
        set.databases.keys().take(MAX_SHOWN).map(|name| line(name).into_owned()).collect();
    let more = set.databases.len() - databases.len();
    let mut place = if databases.is_empty() { String::new() } else { format!("in {}", databases.join(", ")) };
    if more > 0 {
        place.push_str(&format!(" and {more} more"));
    }
    let times = format!("{}x", thousands(set.count));
    let about = [place, times].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    if set.args.is_empty() { about } else { format!("{} ({about})", arguments(set)) }
}
