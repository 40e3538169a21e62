//! Attempts for people: which tries of a migration the findings are of, and which of them have not ended.

use super::page::{BOLD, Page};
use crate::print::safe::line;
use crate::print::words::{period, plural};
use crate::summary::{Attempt, Times};
use std::io;

/// The most attempts shown, the last ones; the rest are counted.
const MAX_ATTEMPTS: usize = 10;

impl Page<'_> {
    /// The attempts, where there are several or one has no final state.
    pub(super) fn attempts(&mut self, attempts: &[Attempt]) -> io::Result<()> {
        // Logs without an id that are near a migration in time are its own.
        let named = |log: &Attempt| attempts.iter().any(|a| a.migration.is_some() && a.is_near(log));
        let shown: Vec<&Attempt> = attempts.iter().filter(|a| a.migration.is_some() || !named(a)).collect();
        let open = shown.iter().any(|attempt| attempt.migration.is_some() && !attempt.ended);
        if shown.len() < 2 && !open {
            return Ok(());
        }
        let several = if shown.len() > 1 { "; --last-attempt counts the last alone" } else { "" };
        let heading = self.paint(BOLD, plural(shown.len() as u64, "attempt"));
        writeln!(self.out, "\n{heading}{several}")?;
        let more = shown.len().saturating_sub(MAX_ATTEMPTS);
        if more > 0 {
            writeln!(self.out, "  {} before these", plural(more as u64, "attempt"))?;
        }
        for attempt in &shown[more..] {
            let mut text: Vec<String> = attempt.migration.iter().map(|id| line(id).into_owned()).collect();
            text.extend(period(Times { first: attempt.first, last: attempt.last }));
            text.push(plural(attempt.findings, "finding"));
            text.extend(attempt.states.iter().map(|state| line(state).into_owned()));
            if !attempt.ended {
                text.push("no final state (Succeeded, Failed, Canceled) in the logs".into());
            }
            self.wrapped("  ", &text.join(", "))?;
        }
        Ok(())
    }
}
