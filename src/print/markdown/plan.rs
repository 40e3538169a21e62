//! The plan as a list of tasks, and the attempts.
//!
//! Steps come in; a list with check boxes goes out, as issue trackers show it, with commands as blocks below
//! each step.

use super::super::published::block_name;
use super::super::steps;
use super::super::words::plural;
use super::escape::{block, inline, text as paragraph};
use crate::report::Report;
use crate::report::plan::{Command, Step};
use std::io::{self, Write};

/// The most steps.
const MAX_STEPS: usize = 50;
/// The indentation of text below an item of a list.
const INDENT: &str = "  ";

/// Writes the steps in order.
pub(super) fn steps(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let steps = &report.plan.steps;
    if steps.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Plan\n\nIn this order. Read a command before you run it.")?;
    for step in steps.iter().take(MAX_STEPS) {
        item(step, out)?;
    }
    let more = steps.len().saturating_sub(MAX_STEPS);
    if more > 0 { writeln!(out, "\n- and {}", plural(more as u64, "more step")) } else { Ok(()) }
}

fn item(step: &Step, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n- [ ] **{}.** {}", step.number, inline(&step.title))?;
    below(&steps::facts(step), out)?;
    for caution in &step.cautions {
        below(&format!("Caution: {caution}"), out)?;
    }
    let place = |command: &Command| (steps::place(command), command.language);
    for commands in step.commands.chunk_by(|a, b| place(a) == place(b)) {
        let lines: Vec<&str> = commands.iter().map(|command| command.text.as_str()).collect();
        let (place, language) = place(&commands[0]);
        below(&format!("{place}:"), out)?;
        writeln!(out)?;
        for row in block(block_name(language), &lines).lines() {
            writeln!(out, "{INDENT}{row}")?;
        }
    }
    if step.commands_truncated {
        below(&format!("and more commands than the {} shown", step.commands.len()), out)?;
    }
    if let Some(blanks) = steps::blanks(step) {
        below(&blanks, out)?;
    }
    for refused in &step.refused {
        below(&steps::refused(refused), out)?;
    }
    if step.commands.is_empty() {
        for advice in &step.advice {
            below(advice, out)?;
        }
    }
    Ok(())
}

/// A paragraph below the item.
fn below(text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{INDENT}{}", paragraph(text))
}

/// Writes the attempts, if there are several or one has no final state.
pub(super) fn attempts(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Some(attempts) = steps::attempts(&report.attempts) else { return Ok(()) };
    writeln!(out, "\n## Attempts\n")?;
    if attempts.before > 0 {
        writeln!(out, "- {} before these", plural(attempts.before, "attempt"))?;
    }
    attempts.shown.iter().try_for_each(|attempt| writeln!(out, "- {}", paragraph(&steps::attempt(attempt))))
}
