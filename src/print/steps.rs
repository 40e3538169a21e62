//! Steps of the plan, and attempts, as sentences that all formats for people share.
//!
//! A step or an attempt comes in; plain text goes out, with the log's own names in it. Each format escapes
//! the text for its medium.

use super::words::{actor, period, plural, side};
use crate::catalog::Actor;
use crate::report::plan::{Command, CommandLanguage, RefusedValue, Step};
use crate::summary::{Attempt, Times};

/// Databases and ids named in one line; the others are counted.
const MAX_NAMED: usize = 20;
/// The most attempts shown, the last ones; the others are counted.
const MAX_ATTEMPTS: usize = 10;

/// Where a step is done, by whom, and what it fixes.
pub(super) fn facts(step: &Step) -> String {
    let mut text = side(step.side).to_string();
    if let Some(server) = &step.server {
        text += &format!(" {server}");
    }
    text += &match step.actor {
        Actor::Customer | Actor::Support => format!(", by {}", actor(step.actor, &step.support)),
        // The service cannot do it, so the reader must change what is not supported.
        Actor::Unsupported => ", by you: the service does not support it".into(),
    };
    if step.restart {
        text += ", with one restart";
    }
    text += &format!("; fixes {}", named(&step.codes));
    if !step.databases.is_empty() {
        text += &format!(" in {}", named(&step.databases));
    }
    if step.databases_more > 0 {
        text += &format!(" and {}", plural(step.databases_more, "more database"));
    }
    text
}

/// Where a command is run.
pub(super) fn place(command: &Command) -> String {
    match (command.language, &command.database) {
        (CommandLanguage::Az, _) => "In a shell".into(),
        (CommandLanguage::Sql, None) => format!("In SQL {}", side(command.side)),
        (CommandLanguage::Sql, Some(database)) => {
            format!("In SQL {}, database {database}", side(command.side))
        }
    }
}

/// The placeholders that the reader fills in, if there are any.
pub(super) fn blanks(step: &Step) -> Option<String> {
    let mut blanks: Vec<&str> =
        step.commands.iter().flat_map(|command| command.blanks.iter().map(String::as_str)).collect();
    blanks.sort_unstable();
    blanks.dedup();
    (!blanks.is_empty()).then(|| format!("Fill in {}.", blanks.join(", ")))
}

/// A value that is left out of the commands.
pub(super) fn refused(refused: &RefusedValue) -> String {
    let RefusedValue { name, value, reason } = refused;
    format!("Write the command for the {name} \"{value}\" by hand: {reason}.")
}

/// The first names; the others are counted.
pub(super) fn named(values: &[String]) -> String {
    let more = values.len().saturating_sub(MAX_NAMED);
    let text = values[..values.len() - more].join(", ");
    if more > 0 { format!("{text} and {more} more") } else { text }
}

/// The attempts to show.
pub(super) struct Attempts<'a> {
    /// The number of all attempts.
    pub count: u64,
    /// The number of attempts before those shown.
    pub before: u64,
    /// The last attempts.
    pub shown: Vec<&'a Attempt>,
}

/// The attempts, if there are several or one has no final state.
pub(super) fn attempts(attempts: &[Attempt]) -> Option<Attempts<'_>> {
    // Logs without an id belong to the migration that they are near in time.
    let named = |log: &Attempt| attempts.iter().any(|a| a.migration.is_some() && a.is_near(log));
    let mut shown: Vec<&Attempt> = attempts.iter().filter(|a| a.migration.is_some() || !named(a)).collect();
    let open = shown.iter().any(|attempt| attempt.migration.is_some() && !attempt.ended);
    let count = shown.len();
    let before = count.saturating_sub(MAX_ATTEMPTS);
    shown.drain(..before);
    (count > 1 || open).then_some(Attempts { count: count as u64, before: before as u64, shown })
}

/// An attempt in one line.
pub(super) fn attempt(attempt: &Attempt) -> String {
    let mut parts: Vec<String> = attempt.migration.iter().cloned().collect();
    parts.extend(period(Times { first: attempt.first, last: attempt.last }));
    parts.push(plural(attempt.findings, "finding"));
    parts.extend(attempt.states.iter().map(ToString::to_string));
    if !attempt.ended {
        parts.push("no final state (Succeeded, Failed, Canceled) in the logs".into());
    }
    parts.join(", ")
}
