//! Words: numbers, sizes, times and sides as people read them, the same in every format that is for people.

use super::json::args_line;
use crate::catalog::Side;
use crate::context::Time;
use crate::report::{Suppressed, Suppression};
use crate::summary::Times;

/// Where the mending is done.
pub(super) fn side(side: Side) -> &'static str {
    match side {
        Side::Source => "on the source",
        Side::Target => "on the target",
        Side::Both => "on source and target",
        Side::Service => "in the migration's settings or service",
    }
}

/// The first and last time in one line.
pub(super) fn period(times: Times) -> Option<String> {
    let (first, last) = (seconds(times.first?), seconds(times.last?));
    Some(if first == last { first } else { format!("{first} to {last}") })
}

/// A time to the second, for people.
pub(super) fn seconds(time: Time) -> String {
    let text = time.to_string();
    text[..19].replace('T', " ")
}

/// A number and its noun, the noun in plural but for 1.
pub(super) fn plural(number: u64, noun: &str) -> String {
    let stem = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']));
    let noun = match (number, stem) {
        (1, _) => noun.to_string(),
        (_, Some(stem)) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    };
    format!("{} {noun}", thousands(number))
}

/// What is known and accepted.
pub(super) fn accepted(known: Suppressed) -> String {
    format!("{}, {}", plural(known.failures, "failure"), plural(known.findings(), "finding"))
}

/// What a rule of a baseline takes.
pub(super) fn taken(rule: &Suppression) -> String {
    let mut about = vec![rule.id.to_string()];
    if !rule.args.is_empty() {
        about.push(args_line(&rule.args));
    }
    about.extend(rule.database.iter().map(|name| format!("in {name}")));
    about.extend(rule.until.map(|day| format!("until {day}")));
    about.join(", ")
}

/// A number with a comma before each three digits.
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

/// That names are tokens, under the key with this id.
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
