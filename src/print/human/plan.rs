//! The plan and the block for support, as a person works through them.

use super::page::{BOLD, DIM, Page, RED, YELLOW};
use crate::catalog::{Actor, Severity};
use crate::print::safe::line;
use crate::print::words::{period, plural, side};
use crate::report::Report;
use crate::report::plan::{Command, Language, Plan, Step};
use std::io;
use unicode_width::UnicodeWidthStr;

/// Databases and ids named in one line; the rest are counted.
const MAX_NAMED: usize = 20;

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
        self.wrapped("    ", &facts(step))?;
        for caution in &step.cautions {
            self.wrapped("    ! ", &line(caution))?;
        }
        let mut place = None;
        for command in &step.commands {
            let (here, tail) = (place_of(command), if command.language == Language::Az { " \\" } else { "" });
            if place.as_ref() != Some(&here) {
                self.wrapped("    ", &format!("{}:", line(&here)))?;
                place = Some(here);
            }
            self.command("      ", &line(&command.text), tail)?;
        }
        if step.commands_truncated {
            self.wrapped("    ", &format!("and more than the {} that are shown", step.commands.len()))?;
        }
        let mut blanks: Vec<&str> =
            step.commands.iter().flat_map(|command| command.blanks.iter().map(String::as_str)).collect();
        blanks.sort_unstable();
        blanks.dedup();
        if !blanks.is_empty() {
            self.wrapped("    ", &format!("Fill in {}.", blanks.join(", ")))?;
        }
        for refused in &step.refused {
            let (name, value, reason) = (&refused.name, &refused.value, &refused.reason);
            let text =
                format!("Write by hand what concerns the {name} \"{value}\": no command is made, {reason}.");
            self.wrapped("    ", &line(&text))?;
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
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            self.field(name, &named(&values))?;
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

/// Where, who, and what it clears.
fn facts(step: &Step) -> String {
    let mut text = side(step.side).to_string();
    if let Some(server) = &step.server {
        text += &format!(" {server}");
    }
    text += match step.actor {
        Actor::Customer => ", by you",
        Actor::Support => ", by Microsoft support",
        Actor::Unsupported => ", by you: the service does not support it",
    };
    if step.restart {
        text += ", with one restart";
    }
    let codes: Vec<&str> = step.codes.iter().map(String::as_str).collect();
    text += &format!("; clears {}", named(&codes));
    let databases: Vec<&str> = step.databases.iter().map(String::as_str).collect();
    if !databases.is_empty() {
        text += &format!(" in {}", named(&databases));
    }
    if step.databases_more > 0 {
        text += &format!(" and {}", plural(step.databases_more, "more database"));
    }
    line(&text).into_owned()
}

/// Where a command is run.
fn place_of(command: &Command) -> String {
    match (command.language, &command.database) {
        (Language::Az, _) => "In a shell".into(),
        (Language::Sql, None) => format!("In SQL {}", side(command.side)),
        (Language::Sql, Some(database)) => format!("In SQL {}, database {database}", side(command.side)),
    }
}

fn named(values: &[&str]) -> String {
    let more = values.len().saturating_sub(MAX_NAMED);
    let text = values[..values.len() - more].join(", ");
    if more > 0 { format!("{text} and {more} more") } else { text }
}

/// The width of a text as a terminal shows it.
pub(super) fn columns(text: &str) -> usize {
    line(text).width()
}
