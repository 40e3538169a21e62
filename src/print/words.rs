//! Words: numbers, sizes, times, sides and actors, phrased the same in every format for people.

use super::json::args_line;
use crate::catalog::{Actor, Side};
use crate::context::Time;
use crate::report::{Suppressed, Suppression};
use crate::summary::Times;

/// The advice for a code without an entry.
pub(super) const UNKNOWN_CODE: &str =
    "This code is not in the catalogue. Please report it with a line of the log, so that it can be added.";

/// Who acts on a failure, as a name for a column or a badge. `support` is the name of the vendor's support.
pub(super) fn actor(actor: Actor, support: &str) -> &str {
    match actor {
        Actor::Customer => "you",
        Actor::Support => support,
        Actor::Unsupported => "not supported by the service",
    }
}

/// Whom a failure needs, among other facts; none where the reader fixes it.
pub(super) fn needs(actor: Actor, support: &str) -> Option<String> {
    match actor {
        Actor::Customer => None,
        Actor::Support => Some(format!("needs {support}")),
        Actor::Unsupported => Some("not supported by the service".into()),
    }
}

/// Where a fix is made.
pub(super) fn side(side: Side) -> &'static str {
    match side {
        Side::Source => "on the source",
        Side::Target => "on the target",
        Side::Both => "on source and target",
        Side::Service => "in the migration's settings or service",
    }
}

/// The first and last time in one line; the day once if both are on the same day.
pub(super) fn period(times: Times) -> Option<String> {
    let (first, last) = (seconds(times.first?), seconds(times.last?));
    Some(match (first.split_once(' '), last.split_once(' ')) {
        _ if first == last => first,
        (Some((day, _)), Some((same, clock))) if day == same => format!("{first} to {clock}"),
        _ => format!("{first} to {last}"),
    })
}

/// A time to the second, for people.
pub(super) fn seconds(time: Time) -> String {
    let text = time.to_string();
    text[..19].replace('T', " ")
}

/// The text with an upper-case first letter, if that is ASCII.
pub(super) fn upper(text: &str) -> String {
    let mut text = text.to_string();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// A number and its noun, in plural unless the number is 1.
pub(super) fn plural(number: u64, noun: &str) -> String {
    let stem = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']));
    let noun = match (number, stem) {
        (1, _) => noun.to_string(),
        (_, Some(stem)) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    };
    format!("{} {noun}", thousands(number))
}

/// The counts of a baseline or of one of its rules.
pub(super) fn accepted(known: Suppressed) -> String {
    format!("{}, {}", plural(known.failures, "failure"), plural(known.findings(), "finding"))
}

/// The failures that a rule of a baseline accepts.
pub(super) fn rule_words(rule: &Suppression) -> String {
    let mut about = vec![rule.id.to_string()];
    if !rule.args.is_empty() {
        about.push(args_line(&rule.args));
    }
    about.extend(rule.database.iter().map(|name| format!("in {name}")));
    about.extend(rule.until.map(|day| format!("until {day}")));
    about.join(", ")
}

/// A number with commas between groups of three digits.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The note that names are tokens, under the key with this id.
pub(super) fn redacted(key: &str) -> String {
    format!("Names of servers, databases, roles, tables, paths and addresses are tokens (key {key}).")
}

/// A size in bytes with a decimal unit.
pub(super) fn bytes(number: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    let mut value = number as f64;
    let mut unit = "";
    for next in units {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if unit.is_empty() { plural(number, "byte") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0, 1, 999, 1500, 2_000_000_000].map(bytes),
            ["0 bytes", "1 byte", "999 bytes", "1.5 kB", "2.0 GB"]
        );
        assert_eq!(
            [plural(1, "entry"), plural(2, "entry"), plural(0, "error"), plural(2, "day")],
            ["1 entry", "2 entries", "0 errors", "2 days"]
        );
    }
}
