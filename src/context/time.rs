//! Time stamps: what logs print, as an instant.
//!
//! Text comes in; its first time stamp goes out as an instant in UTC, with as many digits as the log printed.
//! It reads no clock: a caller that accepts "three days ago" passes the current time.
//!
//! # How times are recognised
//!
//! A log line of a migration starts with an ISO date and time in nearly all cases: PostgreSQL, pgcopydb,
//! containers and JSON all print `2024-06-13 21:37:45.518`, with `T` or a blank, `.` or `,`, with or without
//! a zone. `leading` reads that form at the start of the text byte by byte, because it is done for every
//! finding. Everything else goes to one regular expression (`anywhere`): stamps inside the text and text
//! beyond ASCII. If that finds none, the portal's `6/13/2024, 9:37:45 PM` is tried. A property test holds
//! `leading` to the results of the pattern.
//!
//! Nothing is guessed: a time without a date or a date without a year (syslog's `Jun  6`) is no time stamp,
//! because a wrong day moves a finding into another attempt of the migration. A stamp without a zone, or with
//! an ambiguous abbreviation such as `CET`, is in the zone that the caller names.

use crate::text::pattern;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp, ToSpan, civil};
use regex::Regex;
#[cfg(test)]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

/// An instant with the precision it was logged with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// The instant.
    pub instant: Timestamp,
    /// Digits of the second's fraction, at least 3.
    pub digits: u8,
}

impl Time {
    /// RFC 3339 in UTC and its length in bytes; none for a year that does not have four digits.
    fn stamp(&self) -> Option<([u8; STAMP_LEN], usize)> {
        let civil = Offset::UTC.to_datetime(self.instant);
        let digits = usize::from(self.digits).min(9);
        let mut stamp = *b"0000-00-00T00:00:00.000000000Z";
        let parts = [
            (0, 4, i32::from(civil.year())),
            (5, 2, i32::from(civil.month())),
            (8, 2, i32::from(civil.day())),
            (11, 2, i32::from(civil.hour())),
            (14, 2, i32::from(civil.minute())),
            (17, 2, i32::from(civil.second())),
            (20, 9, civil.subsec_nanosecond()),
        ];
        for (from, len, number) in parts {
            let mut rest = u32::try_from(number).ok()?;
            for byte in stamp[from..from + len].iter_mut().rev() {
                *byte = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        stamp[20 + digits] = b'Z';
        Some((stamp, 21 + digits))
    }
}

const STAMP_LEN: usize = "0000-00-00T00:00:00.000000000Z".len();

impl fmt::Display for Time {
    /// RFC 3339, UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By hand: through `fmt`, times would take most of the time that a printer spends on a finding.
        let stamp = self.stamp();
        match stamp.as_ref().and_then(|(stamp, len)| std::str::from_utf8(&stamp[..*len]).ok()) {
            Some(stamp) => f.write_str(stamp),
            None => write!(f, "{:.*}", usize::from(self.digits), self.instant),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stamp = self.stamp();
        match stamp.as_ref().and_then(|(stamp, len)| std::str::from_utf8(&stamp[..*len]).ok()) {
            Some(stamp) => serializer.serialize_str(stamp),
            None => serializer.collect_str(self),
        }
    }
}

/// Reads back exactly what [`Time`] prints.
impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let wrong =
            || de::Error::invalid_value(de::Unexpected::Str(&text), &"a time in UTC as RFC 3339 has it");
        let fraction = text.strip_suffix('Z').and_then(|text| text.rsplit_once('.')).ok_or_else(wrong)?.1;
        let digits = u8::try_from(fraction.len()).ok().filter(|digits| (3..=9).contains(digits));
        let instant = text.parse().map_err(|_| wrong())?;
        Ok(Time { instant, digits: digits.ok_or_else(wrong)? })
    }
}

#[cfg(test)]
impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An instant in UTC, RFC 3339, with as many digits as the log has, but milliseconds at least.",
            "type": "string",
            "format": "date-time",
            "pattern": "^(-[0-9]{6}|[0-9]{4})-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3,9}Z$"
        })
    }
}

/// The first time stamp in `text`, with its byte range. One without a zone is in `zone`; so is one with an
/// abbreviation that names different zones in different countries (`CET`, `EST`).
pub fn first(text: &str, zone: &TimeZone) -> Option<(Time, Range<usize>)> {
    if let Some(stamp) = leading(text) {
        return Some((stamp.resolve(zone)?, stamp.range));
    }
    // Without minutes between colons there is no stamp of either kind.
    let bytes = text.as_bytes();
    let timed = memchr::memchr_iter(b':', bytes).any(|at| bytes.get(at + 3) == Some(&b':'));
    if timed { anywhere(text, zone) } else { None }
}

/// A time stamp as written, not yet checked against the calendar.
struct Stamp<'t> {
    year: i32,
    month: i32,
    day: i32,
    hour: i32,
    minute: i32,
    second: i32,
    /// The digits of the second's fraction, at most nine.
    fraction: &'t str,
    /// The zone that it names.
    offset: Option<Offset>,
    /// Where it is in the text.
    range: Range<usize>,
}

impl Stamp<'_> {
    /// The instant; none where the calendar has no such day or time.
    fn resolve(&self, zone: &TimeZone) -> Option<Time> {
        let fraction = if self.fraction.is_empty() { 0 } else { self.fraction.parse::<i32>().ok()? };
        let nanos = fraction * 10_i32.pow(9 - self.fraction.len() as u32);
        let date = civil::Date::new(self.year as i16, self.month as i8, self.day as i8).ok()?;
        // A leap second is the last instant of its minute.
        let second = self.second.min(59) as i8;
        let clock = civil::Time::new(self.hour as i8, self.minute as i8, second, nanos).ok()?;
        let civil = date.to_datetime(clock);
        let instant = match self.offset {
            Some(offset) => offset.to_timestamp(civil).ok()?,
            None => zone.to_timestamp(civil).ok()?,
        };
        Some(Time { instant, digits: (self.fraction.len() as u8).max(3) })
    }
}

/// The stamp at the very start of `text`: what the pattern of [`anywhere`] finds there, much sooner. None
/// where only the pattern can decide.
fn leading(text: &str) -> Option<Stamp<'_>> {
    // Unicode has more digits and word characters than ASCII; the pattern knows them.
    let head = &text.as_bytes()[..text.len().min(64)];
    let mark = |at: usize, marks: &[u8]| head.get(at).is_some_and(|byte| marks.contains(byte));
    let marked = mark(4, b"-/") && mark(7, b"-/") && mark(10, b"T ") && mark(13, b":") && mark(16, b":");
    if !marked || !head.is_ascii() {
        return None;
    }
    let two = |at: usize| two_digits(head, at);
    let (year, month, day) = (two(0)? * 100 + two(2)?, two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    let digits = |from: usize| head[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let fraction = if mark(19, b".,") { digits(20) } else { 0 };
    let end = if fraction > 0 { 20 + fraction } else { 19 };
    // The zone must end within the bytes that were looked at.
    if end + 10 > head.len() && head.len() < text.len() {
        return None;
    }
    let fraction = if fraction > 0 { &text[20..20 + fraction.min(9)] } else { "" };
    let (offset, end) = zone_at(head, end).unwrap_or((None, end));
    Some(Stamp { year, month, day, hour, minute, second, fraction, offset, range: 0..end })
}

/// The number of two digits at `at`.
fn two_digits(head: &[u8], at: usize) -> Option<i32> {
    match head.get(at..at + 2)? {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(i32::from(a - b'0') * 10 + i32::from(b - b'0')),
        _ => None,
    }
}

/// The zone after a leading stamp that ends at `end`, and where the zone ends; none where the stamp names
/// none. The offset is none where it is out of range.
fn zone_at(head: &[u8], end: usize) -> Option<(Option<Offset>, usize)> {
    let mark = |at: usize, marks: &[u8]| head.get(at).is_some_and(|byte| marks.contains(byte));
    let edge = |at: usize| !head.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let zone = end + usize::from(mark(end, b" "));
    let named = ["Z", "UTC", "GMT"].iter().find(|name| head[zone..].starts_with(name.as_bytes()));
    if let Some(name) = named.filter(|name| edge(zone + name.len())) {
        return Some((Some(Offset::UTC), zone + name.len()));
    }
    if !mark(zone, b"+-") {
        return None;
    }
    let hours = two_digits(head, zone + 1)?;
    let minutes = zone + 3 + usize::from(mark(zone + 3, b":"));
    let (seconds, end) = match two_digits(head, minutes).filter(|_| edge(minutes + 2)) {
        Some(more) => (hours * 3600 + more * 60, minutes + 2),
        None if edge(zone + 3) => (hours * 3600, zone + 3),
        None => return None,
    };
    let sign = if head[zone] == b'-' { -1 } else { 1 };
    Some((Offset::from_seconds(sign * seconds).ok(), end))
}

/// The first stamp anywhere in `text`.
fn anywhere(text: &str, zone: &TimeZone) -> Option<(Time, Range<usize>)> {
    static STAMP: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?x) \b([0-9]{4})[-/]([0-9]{2})[-/]([0-9]{2}) (?:[T\ ]|,\ ) ([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:[.,]([0-9]{1,9})[0-9]*)?
          (?: \ ?(Z|UTC|GMT)\b | \ ?([+-])([0-9]{2})(?::?([0-9]{2}))?\b )?",
        )
    });
    let Some(found) = STAMP.captures(text) else { return american(text, zone) };
    let part = |i: usize| found.get(i).map(|part| part.as_str());
    let offset = if part(8).is_some() {
        Some(Offset::UTC)
    } else {
        let seconds = number(part(10)).unwrap_or(0) * 3600 + number(part(11)).unwrap_or(0) * 60;
        part(9)
            .map(|sign| if sign == "-" { -seconds } else { seconds })
            .and_then(|s| Offset::from_seconds(s).ok())
    };
    let stamp = Stamp {
        year: number(part(1))?,
        month: number(part(2))?,
        day: number(part(3))?,
        hour: number(part(4))?,
        minute: number(part(5))?,
        second: number(part(6))?,
        fraction: part(7).unwrap_or_default(),
        offset,
        range: found.get(0)?.range(),
    };
    Some((stamp.resolve(zone)?, stamp.range))
}

/// The format of the portal's exports: `6/13/2024, 9:37:45.518 PM`.
fn american(text: &str, zone: &TimeZone) -> Option<(Time, Range<usize>)> {
    static STAMP: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}),? ([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))? ([AP])M\b",
        )
    });
    let found = STAMP.captures(text)?;
    let part = |i: usize| found.get(i).map(|part| part.as_str());
    let half = if part(8) == Some("P") { 12 } else { 0 };
    let stamp = Stamp {
        year: number(part(3))?,
        month: number(part(1))?,
        day: number(part(2))?,
        hour: number(part(4))? % 12 + half,
        minute: number(part(5))?,
        second: number(part(6))?,
        fraction: part(7).unwrap_or_default(),
        offset: None,
        range: found.get(0)?.range(),
    };
    Some((stamp.resolve(zone)?, stamp.range))
}

fn number(text: Option<&str>) -> Option<i32> {
    text.and_then(|text| text.parse().ok())
}

/// Reads a bound as people write it: RFC 3339, `YYYY-MM-DD[ HH:MM[:SS]]` in `zone`, a duration before `now`
/// (`-3d`, `2h30m`), or `now`, `today`, `yesterday`.
///
/// # Errors
///
/// A message that names the accepted forms.
pub fn bound(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    let text = text.trim();
    let today = now.to_zoned(zone.clone());
    let day = |back: i64| {
        today.start_of_day().and_then(|day| day.checked_sub(back.days())).map(|day| day.timestamp())
    };
    let found = match text {
        "now" => Some(now),
        "today" => day(0).ok(),
        "yesterday" => day(1).ok(),
        _ => {
            let ago = || {
                let span: Span = text.trim_start_matches('-').parse().ok()?;
                today.checked_sub(span).ok().map(|then| then.timestamp())
            };
            let civil = || {
                let minutes = format!("{text}:00");
                let civil = text.parse::<civil::DateTime>().or_else(|_| minutes.parse()).ok()?;
                zone.to_timestamp(civil).ok()
            };
            text.parse::<Timestamp>().ok().or_else(civil).or_else(ago)
        }
    };
    found.ok_or_else(|| {
        format!("`{text}` is no time: use 2024-06-13T21:37:45Z, `2024-06-13 21:37`, -3d, 2h30m, today or yesterday")
    })
}

/// The time zone with this IANA name, or a fixed offset such as `+02:00`, `+0200` or `+02`.
///
/// # Errors
///
/// A message that names the accepted forms and the range of offsets.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    if name.starts_with(['+', '-']) {
        let offset = fixed_offset(name).and_then(|seconds| Offset::from_seconds(seconds).ok());
        return offset.map(TimeZone::fixed).ok_or_else(|| {
            format!("`{name}` is no offset: use one from -23:59 to +23:59, such as +02:00 or -05:30")
        });
    }
    TimeZone::get(name)
        .map_err(|_| format!("`{name}` is no time zone: use a name such as Europe/Berlin, or +02:00"))
}

/// The seconds of an offset of hours, and minutes with or without a colon.
fn fixed_offset(name: &str) -> Option<i32> {
    let head = name.as_bytes();
    let hours = two_digits(head, 1)?;
    let minutes = match head.len() {
        3 => 0,
        5 => two_digits(head, 3)?,
        6 if head[3] == b':' => two_digits(head, 4)?,
        _ => return None,
    };
    let sign = if head[0] == b'-' { -1 } else { 1 };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
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
            ("6/13/2024, 9:37:45.518 PM", Some("2024-06-13T21:37:45.518Z")),
            ("12/1/2024 12:07:45 AM", Some("2024-12-01T00:07:45.000Z")),
            ("2024-06-13 21:37:60 UTC", Some("2024-06-13T21:37:59.000Z")),
            ("2024-06-13 21:37:45.518 CEST [27]", Some("2024-06-13T21:37:45.518Z")),
            ("Jun  6 21:37:45 host app[1]:", None),
            ("05:25:20\t46", None),
            ("2024-13-13 21:37:45", None),
            ("nothing", None),
        ];
        for (text, want) in cases {
            assert_eq!(
                first(text, &TimeZone::UTC).map(|(time, _)| time.to_string()).as_deref(),
                want,
                "{text}"
            );
        }
    }

    #[test]
    fn stamps_without_a_zone_are_in_the_named_one() {
        let berlin = zone("Europe/Berlin").expect("a zone");
        let got = |text| first(text, &berlin).map(|(time, _)| time.to_string());
        assert_eq!(got("2024-06-13 21:37:45").as_deref(), Some("2024-06-13T19:37:45.000Z"));
        assert_eq!(got("2024-06-13 21:37:45Z").as_deref(), Some("2024-06-13T21:37:45.000Z"));
        let fixed = zone("+05:30").expect("a zone");
        let time = first("2024-06-13 21:37:45", &fixed).map(|(time, _)| time.to_string());
        assert_eq!(time.as_deref(), Some("2024-06-13T16:07:45.000Z"));
        assert!(zone("Mars/Olympus").is_err() && zone("+x").is_err());
    }

    #[test]
    fn bounds_as_people_write_them() {
        let now: Timestamp = "2024-06-13T21:37:45Z".parse().expect("a time");
        let berlin = zone("Europe/Berlin").expect("a zone");
        for (text, want) in [
            ("2024-06-01T00:00:00Z", "2024-06-01T00:00:00Z"),
            ("2024-06-01T00:00:00+02:00", "2024-05-31T22:00:00Z"),
            ("2024-06-01", "2024-05-31T22:00:00Z"),
            ("2024-06-01 12:30", "2024-06-01T10:30:00Z"),
            ("2024-06-01 12:30:15", "2024-06-01T10:30:15Z"),
            ("-3d", "2024-06-10T21:37:45Z"),
            ("2h30m", "2024-06-13T19:07:45Z"),
            ("yesterday", "2024-06-11T22:00:00Z"),
            ("today", "2024-06-12T22:00:00Z"),
            ("now", "2024-06-13T21:37:45Z"),
        ] {
            assert_eq!(bound(text, now, &berlin).map(|time| time.to_string()).as_deref(), Ok(want), "{text}");
        }
        for text in ["", "tomorrowish", "2024-13-01", "3 parsecs"] {
            assert!(bound(text, now, &berlin).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn times_print_as_in_jiff(
            second in -377_705_023_201_i64..=253_402_207_200,
            nanosecond in 0..1_000_000_000,
            digits in 3_u8..=9,
        ) {
            let instant = Timestamp::new(second, nanosecond).expect("in range");
            let time = Time { instant, digits };
            proptest::prop_assert_eq!(time.to_string(), format!("{:.*}", usize::from(digits), instant));
        }

        #[test]
        fn leading_stamps_agree_with_the_pattern(
            date in "([0-9]{3,4}[-/][0-9]{2}[-/][01][0-9][T ,]{1,2})?[0-9]{2}:[0-5][0-9]:[0-5][0-9]",
            rest in "([.,][0-9]{0,11})?( ?(Z|UTC|GMT|[+-][0-9]{1,5}|[+-][0-9]{2}:[0-9]{1,3}|é))?[ -_0é٣]{0,3}",
            more in ".{0,80}",
        ) {
            for text in [format!("{date}{rest}"), format!("{date}{rest}{more}"), format!("x {date}{rest}")] {
                proptest::prop_assert_eq!(first(&text, &TimeZone::UTC), anywhere(&text, &TimeZone::UTC), "{}", text);
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,60}", digits in "[0-9/:., TZ+-]{0,40}") {
            for text in [&text, &digits] {
                let _ = first(text, &TimeZone::UTC);
                let _ = bound(text, Timestamp::UNIX_EPOCH, &TimeZone::UTC);
                let _ = zone(text);
            }
        }
    }
}
