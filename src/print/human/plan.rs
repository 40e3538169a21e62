//! The plan and the facts for support, as text for people.
//!
//! Steps come in; each is printed with its commands, which are broken only where a shell or psql allows it.

use super::page::{BOLD, DIM, Page, RED, YELLOW};
use crate::catalog::Severity;
use crate::print::safe::line;
use crate::print::steps;
use crate::print::words::{period, plural};
use crate::report::Report;
use crate::report::plan::{CommandLanguage, Plan, Step};
use std::io;
use unicode_width::UnicodeWidthStr;

impl Page<'_> {
    /// Writes the steps in order.
    pub(super) fn plan(&mut self, plan: &Plan) -> io::Result<()> {
        if plan.steps.is_empty() {
            return Ok(());
        }
        let head = self.paint(BOLD, format!("Plan: {}", plural(plan.steps.len() as u64, "step")));
        writeln!(self.out, "\n{head}{}", self.paint(DIM, " (nothing is run; read each command first)"))?;
        plan.steps.iter().try_for_each(|step| self.step(step))
    }

    fn step(&mut self, step: &Step) -> io::Result<()> {
        let style = if step.severity == Severity::Error { RED } else { YELLOW };
        let number = self.paint(style, format!("{:>2}", step.number));
        let title = line(&step.title).into_owned();
        writeln!(self.out)?;
        self.titled(&number, &title)?;
        self.wrapped("    ", &line(&steps::facts(step)))?;
        for caution in &step.cautions {
            self.wrapped("    ! ", &line(caution))?;
        }
        let mut place = None;
        for command in &step.commands {
            let (here, tail) =
                (steps::place(command), if command.language == CommandLanguage::Az { " \\" } else { "" });
            if place.as_ref() != Some(&here) {
                self.wrapped("    ", &format!("{}:", line(&here)))?;
                place = Some(here);
            }
            self.command("      ", &line(&command.text), tail)?;
        }
        if step.commands_truncated {
            self.wrapped("    ", &format!("and more commands than the {} shown", step.commands.len()))?;
        }
        if let Some(blanks) = steps::blanks(step) {
            self.wrapped("    ", &blanks)?;
        }
        for refused in &step.refused {
            self.wrapped("    ", &line(&steps::refused(refused)))?;
        }
        if step.commands.is_empty() {
            for advice in &step.advice {
                self.wrapped("    ", &line(advice))?;
            }
        }
        Ok(())
    }

    /// Writes a numbered title, wrapped after its number.
    fn titled(&mut self, number: &str, title: &str) -> io::Result<()> {
        let Some(width) = self.layout.width else {
            return writeln!(self.out, "{number}  {}", self.paint(BOLD, title));
        };
        let rows = textwrap::wrap(title, textwrap::Options::new(width.max(24) - 4).break_words(false));
        for (i, row) in rows.iter().enumerate() {
            let lead = if i == 0 { number } else { "  " };
            writeln!(self.out, "{lead}  {}", self.paint(BOLD, row))?;
        }
        Ok(())
    }

    /// Writes the facts for a support case.
    pub(super) fn support(&mut self, report: &Report) -> io::Result<()> {
        let support = &report.support;
        if support.codes.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "\n{}", self.paint(BOLD, "For support"))?;
        for list in support.lists().iter().filter(|list| !list.names.is_empty()) {
            self.field(list.label, &steps::named(list.names))?;
        }
        if let Some(period) = period(report.window) {
            self.field("window", &format!("{period} UTC"))?;
        }
        let codes = support.codes.iter().map(|code| {
            let (findings, failures) = (plural(code.count, "finding"), plural(code.failures, "failure"));
            format!("{} {}: {failures}, {findings}", code.id, code.title)
        });
        for (i, code) in codes.enumerate() {
            self.field(if i == 0 { "codes" } else { "" }, &code)?;
        }
        self.field("made by", &format!("migsift {}, catalogue {}", support.version, support.edition))
    }

    fn field(&mut self, name: &str, value: &str) -> io::Result<()> {
        self.wrapped(&format!("  {name:<14}"), &line(value))
    }
}

/// The width of a text as a terminal shows it.
pub(super) fn columns(text: &str) -> usize {
    line(text).width()
}
