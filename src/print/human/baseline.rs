//! The failures that a baseline accepts, rule by rule, as text for people.

use super::page::{BOLD, Page, YELLOW};
use crate::print::safe::line;
use crate::print::words::{accepted, plural, rule_words};
use crate::report::{Report, Suppressed, Suppression};
use std::io;

impl Page<'_> {
    /// Writes the rules with their reasons.
    pub(super) fn baseline(&mut self, report: &Report) -> io::Result<()> {
        let Some(rules) = &report.baseline else { return Ok(()) };
        let known = report.totals().suppressed;
        let heading = format!("Known and accepted, not counted ({})", accepted(known));
        writeln!(self.out, "\n{}", self.paint(BOLD, heading))?;
        let (idle, taking): (Vec<_>, Vec<_>) =
            rules.iter().partition(|rule| rule.suppressed == Suppressed::default());
        let (expired, holding): (Vec<_>, Vec<_>) = taking.into_iter().partition(|rule| rule.expired);
        for rule in holding {
            self.rule(rule, &accepted(rule.suppressed))?;
        }
        for rule in expired {
            let counts = format!("expired, counted again: {}", accepted(rule.suppressed));
            self.rule(rule, &self.paint(YELLOW, counts))?;
        }
        if !idle.is_empty() {
            writeln!(self.out, "  {} of the baseline matched nothing", plural(idle.len() as u64, "rule"))?;
        }
        Ok(())
    }

    fn rule(&mut self, rule: &Suppression, counts: &str) -> io::Result<()> {
        self.wrapped("  ", &format!("{} ({counts})", line(&rule_words(rule))))?;
        self.wrapped("    ", &line(&rule.reason))
    }
}
