//! The plan and the block for support, as a person works through them.

use super::page::{BOLD, DIM, Page, RED, YELLOW};
use crate::catalog::Severity;
use crate::print::safe::line;
use crate::print::steps;
use crate::print::words::{period, plural};
use crate::report::Report;
use crate::report::plan::{Language, Plan, Step};
use std::io;
use unicode_width::UnicodeWidthStr;

impl Page<'_> {
    /// The steps in order.
    pub(super) fn plan(&mut self, plan: &Plan) -> io::Result<()> {
        if plan.steps.is_empty() {
            return Ok(());
        }
        let head = self.paint(BOLD, format!("Plan: {}", plural(plan.steps.len() as u64, "step")));
        writeln!(self.out, "\n{head}{}", self.paint(DIM, "; commands are to be read, nothing is run"))?;
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
                (steps::place(command), if command.language == Language::Az { " \\" } else { "" });
            if place.as_ref() != Some(&here) {
                self.wrapped("    ", &format!("{}:", line(&here)))?;
                place = Some(here);
            }
            self.command("      ", &line(&command.text), tail)?;
        }
        if step.commands_truncated {
            self.wrapped("    ", &format!("and more than the {} that are shown", step.commands.len()))?;
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

    /// A numbered title, wrapped behind its number.
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

    /// What a support case asks for, in one block.
    pub(super) fn support(&mut self, report: &Report) -> io::Result<()> {
        let support = &report.support;
        if support.codes.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "\n{}", self.paint(BOLD, "For support"))?;
        let lists = [
            ("migrations", &support.migrations),
            ("resources", &support.resources),
            ("sources", &support.sources),
            ("targets", &support.targets),
            ("servers", &support.servers),
            ("databases", &support.databases),
            ("states", &support.states),
            ("tracking ids", &support.tracking),
        ];
        for (name, values) in lists.into_iter().filter(|(_, values)| !values.is_empty()) {
            self.field(name, &steps::named(values))?;
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
        self.field("read by", &format!("migsift {}, catalogue {}", support.version, support.edition))
    }

    fn field(&mut self, name: &str, value: &str) -> io::Result<()> {
        self.wrapped(&format!("  {name:<14}"), &line(value))
    }
}

/// The width of a text as a terminal shows it.
pub(super) fn columns(text: &str) -> usize {
    line(text).width()
}
