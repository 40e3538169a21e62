//! The attempts of a migration as text for people.

use super::page::{BOLD, Page};
use crate::print::safe::line;
use crate::print::steps;
use crate::print::words::plural;
use crate::summary::Attempt;
use std::io;

impl Page<'_> {
    /// Writes the attempts, if there are several or one has no final state.
    pub(super) fn attempts(&mut self, attempts: &[Attempt]) -> io::Result<()> {
        let Some(attempts) = steps::attempts(attempts) else { return Ok(()) };
        let several = if attempts.count > 1 { " (--last-attempt counts only the last)" } else { "" };
        let heading = self.paint(BOLD, plural(attempts.count, "attempt"));
        writeln!(self.out, "\n{heading}{several}")?;
        if attempts.before > 0 {
            writeln!(self.out, "  {} before these", plural(attempts.before, "attempt"))?;
        }
        attempts.shown.iter().try_for_each(|attempt| self.wrapped("  ", &line(&steps::attempt(attempt))))
    }
}
