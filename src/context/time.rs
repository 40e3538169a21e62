//! Time stamps: what logs print, as an instant.
//!
//! Text comes in, the first time stamp in it goes out as UTC with as many digits as the log printed. A stamp without
//! a zone is UTC. It knows nothing of records.

use jiff::{Timestamp, civil, tz};
use regex::Regex;
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::OnceLock;

/// An instant with the precision it was logged with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// The instant.
    pub instant: Timestamp,
    /// Digits of the second's fraction, at least 3.
    pub digits: u8,
}

impl fmt::Display for Time {
    /// RFC 3339, UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.*}", usize::from(self.digits), self.instant)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A time stamp in `text`: the first one, with the byte range it takes.
pub fn first(text: &str) -> Option<(Time, std::ops::Range<usize>)> {
    static STAMP: OnceLock<Regex> = OnceLock::new();
    let stamp = regex(
        &STAMP,
        r"(?x) \b(\d{4})-(\d\d)-(\d\d) [T\ ] (\d\d):(\d\d):(\d\d) (?:[.,](\d{1,9})\d*)?
          (?: \ ?(Z|UTC|GMT)\b | \ ?([+-])(\d\d)(?::?(\d\d))?\b )?",
    );
    let found = stamp.captures(text)?;
    let range = found.get(0)?.range();
    let number = |i: usize| found.get(i).and_then(|part| part.as_str().parse::<i32>().ok());
    let fraction = found.get(7).map_or("", |part| part.as_str());
    let nanos = format!("{fraction:0<9}").parse::<i32>().ok()?;
    let date = civil::Date::new(number(1)? as i16, number(2)? as i8, number(3)? as i8).ok()?;
    let time = civil::Time::new(number(4)? as i8, number(5)? as i8, number(6)? as i8, nanos).ok()?;
    let minutes = number(10).unwrap_or(0) * 60 + number(11).unwrap_or(0);
    let west = found.get(9).is_some_and(|sign| sign.as_str() == "-");
    let offset = tz::Offset::from_seconds(if west { -60 } else { 60 } * minutes).ok()?;
    let instant = offset.to_timestamp(date.to_datetime(time)).ok()?;
    Some((Time { instant, digits: (fraction.len() as u8).max(3) }, range))
}

#[allow(clippy::unwrap_used, reason = "the pattern is a constant that the tests compile")]
fn regex(lock: &'static OnceLock<Regex>, pattern: &str) -> &'static Regex {
    lock.get_or_init(|| Regex::new(pattern).unwrap())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_of_logs() {
        let cases = [
            ("2024-06-01T06:06:48.410Z\tprod_db", Some("2024-06-01T06:06:48.410Z")),
            ("2024-06-13 21:37:45.518 80 ERROR", Some("2024-06-13T21:37:45.518Z")),
            ("2024-06-13 21:37:45.51 UTC [27]", Some("2024-06-13T21:37:45.510Z")),
            ("2020-06-21 22:37:10 UTC-5eefe116.22f4-LOG:", Some("2020-06-21T22:37:10.000Z")),
            ("at 2024-06-13 21:37:45,518+02:00", Some("2024-06-13T19:37:45.518Z")),
            ("2024-06-13T21:37:45.6031051Z", Some("2024-06-13T21:37:45.6031051Z")),
            ("2024-06-13 21:37:45-0530", Some("2024-06-14T03:07:45.000Z")),
            ("2024-13-13 21:37:45", None),
            ("nothing", None),
        ];
        for (text, want) in cases {
            assert_eq!(first(text).map(|(time, _)| time.to_string()).as_deref(), want, "{text}");
        }
    }
}
