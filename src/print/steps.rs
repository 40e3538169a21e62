//! What is said of a plan's steps and of attempts, in plain words for each format to make safe.
//!
//! A step or an attempt comes in, text goes out as the log and the catalogue have it.

use super::words::{period, plural, side};
use crate::catalog::Actor;
use crate::report::plan::{Command, Language, RefusedValue, Step};
use crate::summary::{Attempt, Times};

/// Databases and ids named in one line; the rest are counted.
const MAX_NAMED: usize = 20;
/// The most attempts shown, the last ones; the rest are counted.
const MAX_ATTEMPTS: usize = 10;

/// Where, who, and what it clears.
pub(super) fn facts(step: &Step) -> String {
    let mut text = side(step.side).to_string();
    if let Some(server) = &step.server {
        text += &format!(" {server}");
    }
    text += &match step.actor {
        Actor::Customer => ", by you".into(),
        Actor::Support => format!(", by {}", step.support),
        Actor::Unsupported => ", by you: the service does not support it".to_string(),
    };
    if step.restart {
        text += ", with one restart";
    }
    text += &format!("; clears {}", named(&step.codes));
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
        (Language::Az, _) => "In a shell".into(),
        (Language::Sql, None) => format!("In SQL {}", side(command.side)),
        (Language::Sql, Some(database)) => format!("In SQL {}, database {database}", side(command.side)),
    }
}

/// What the reader has to fill in, if anything.
pub(super) fn blanks(step: &Step) -> Option<String> {
    let mut blanks: Vec<&str> =
        step.commands.iter().flat_map(|command| command.blanks.iter().map(String::as_str)).collect();
    blanks.sort_unstable();
    blanks.dedup();
    (!blanks.is_empty()).then(|| format!("Fill in {}.", blanks.join(", ")))
}

/// What is to be written by hand.
pub(super) fn refused(refused: &RefusedValue) -> String {
    let RefusedValue { name, value, reason } = refused;
    format!("Write by hand what concerns the {name} \"{value}\": no command is made, {reason}.")
}

/// Some names; more are counted.
pub(super) fn named(values: &[String]) -> String {
    let more = values.len().saturating_sub(MAX_NAMED);
    let text = values[..values.len() - more].join(", ");
    if more > 0 { format!("{text} and {more} more") } else { text }
}

/// Attempts to be shown.
pub(super) struct Attempts<'a> {
    /// How many there are.
    pub count: u64,
    /// How many are before those shown.
    pub before: u64,
    /// The last ones.
    pub shown: Vec<&'a Attempt>,
}

/// The attempts, where there are several or one has no final state.
pub(super) fn attempts(attempts: &[Attempt]) -> Option<Attempts<'_>> {
    // Logs without an id that are near a migration in time are its own.
    let named = |log: &Attempt| attempts.iter().any(|a| a.migration.is_some() && a.is_near(log));
    let mut shown: Vec<&Attempt> = attempts.iter().filter(|a| a.migration.is_some() || !named(a)).collect();
    let open = shown.iter().any(|attempt| attempt.migration.is_some() && !attempt.ended);
    let count = shown.len();
    let before = count.saturating_sub(MAX_ATTEMPTS);
    shown.drain(..before);
    (count > 1 || open).then_some(Attempts { count: count as u64, before: before as u64, shown })
}

/// What is known of an attempt.
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
