//! The head of a log line: what is written before the message.
//!
//! The text of a line up to the match comes in; its time stamp goes out, and level and database are filled
//! into a [`Context`]. It knows the layouts that migrations meet (PostgreSQL's `log_line_prefix` and csvlog,
//! pgcopydb's worker, container runtimes) and nothing of JSON or of the message.
//!
//! | line | time | level | database |
//! |---|---|---|---|
//! | `2024-06-01T06:06:48.410Z ⇥ orders ⇥ 62 ⇥ x.c ⇥ ERROR ⇥ …` | yes | `ERROR` | the second column, where a PID follows |
//! | `2024-06-13 21:37:45.518 UTC [80] mig@orders ERROR:  …` | yes | `ERROR` | after `@`, or after `db=` |
//! | `2024-06-06 21:42:53.039 UTC,"mig","orders",60,…,ERROR,XX000,"…` | yes | by column | by column |
//! | `orders: Error …` | no | none | before the colon, if that is not a usual word |

use super::fields::{Context, Level};
use super::time::{self, Time};
use crate::text::pattern;
use jiff::tz::TimeZone;
use memchr::memmem;
use regex::Regex;
use std::sync::LazyLock;

/// The part of `before` that belongs to the innermost string of a JSON line: the text after the last `": "`.
pub(super) fn in_string(before: &str) -> &str {
    let marks: [&[u8]; 4] = [b"\": \"", b"\":\"", b"[\"", b", \""];
    let mut quotes = memchr::memrchr_iter(b'"', before.as_bytes());
    let last = quotes.find(|at| marks.iter().any(|mark| before.as_bytes()[..=*at].ends_with(mark)));
    &before[last.map_or(0, |at| at + 1)..]
}

/// Fills `context` from the head of a line, and returns the line's time.
pub(super) fn read_head(head: &str, zone: &TimeZone, context: &mut Context) -> Option<Time> {
    let head = without_stream(head);
    let stamp = time::first(head, zone);
    let rest = stamp.as_ref().map_or(head, |(_, range)| &head[range.end..]);
    if let Some(found) = level(rest) {
        context.level = Some(Level::from(found));
    }
    if let Some(database) = worker_database(rest) {
        context.database = Some(database.to_string());
    }
    if let Some((database, level)) = csvlog_columns(rest) {
        context.database = Some(database.to_string());
        context.level = Some(Level::from(level));
    }
    if context.database.is_none() {
        let leading = || if stamp.is_some() { None } else { leading_database(head) };
        let found = prefix_database(rest).or_else(leading);
        context.database = found.map(|name| name.trim_matches(['"', '\'']).to_string());
    }
    stamp.map(|(time, _)| time)
}

// Each pattern below is compiled when a line first needs it, after a cheap test that most lines fail:
// compiling all of them takes longer than everything else that is done for a few small files.

/// The database column of pgcopydb's worker: time, database, PID, file and level, separated by tabs.
fn worker_database(rest: &str) -> Option<&str> {
    let mut columns = rest.strip_prefix('\t')?.split('\t');
    let (database, process) = (columns.next()?, columns.next()?);
    let is_process = !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit());
    (is_process && !database.is_empty()).then_some(database)
}

/// The database and the level of a line of PostgreSQL's csvlog.
fn csvlog_columns(rest: &str) -> Option<(&str, &str)> {
    static CSVLOG: LazyLock<Regex> =
        LazyLock::new(|| pattern(r#"^[" A-Z]*,"[^"]*","([^"]*)",[0-9]+,.*,([A-Z]+[0-9]?),[0-9A-Z]{5},"#));
    if !rest.trim_start_matches(|c| matches!(c, '"' | ' ' | 'A'..='Z')).starts_with(",\"") {
        return None;
    }
    let found = CSVLOG.captures(rest)?;
    Some((found.get(1)?.as_str(), found.get(2)?.as_str()))
}

/// The database in a `log_line_prefix`: `db=orders`, or `[80] mig@orders`.
fn prefix_database(rest: &str) -> Option<&str> {
    static DATABASE: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"\b(?:db|database)=([^\s,;\]]+)|\]:?\s[\w.-]+@([\w.-]+)\s"));
    memchr::memchr2(b'=', b'@', rest.as_bytes())?;
    let found = DATABASE.captures(rest)?;
    Some(found.get(1).or(found.get(2))?.as_str())
}

/// The database in `orders: message`, as the migration service prints it on lines without a time.
fn leading_database(head: &str) -> Option<&str> {
    static LEAD: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*([^\s:]{1,63}): (?:$|Error\b|\[|\w)"));
    let colon = memchr::memchr(b':', head.as_bytes())?;
    if head.as_bytes().get(colon + 1) != Some(&b' ') {
        return None;
    }
    let name = LEAD.captures(head)?.get(1)?.as_str();
    let word = name.to_ascii_lowercase();
    let is_other = level(name).is_some() || NO_DATABASE.contains(&word.as_str());
    (!is_other && !name.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

/// The line without the time and stream that a container runtime writes before it.
fn without_stream(head: &str) -> &str {
    static STREAM: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b" std"));
    if STREAM.find(head.as_bytes()).is_none() {
        return head;
    }
    let marks = [" stderr F ", " stdout F ", " stderr P ", " stdout P "];
    marks.iter().find_map(|mark| Some(&head[head.find(mark)? + mark.len()..])).unwrap_or(head)
}

/// The first word of `rest` that is a level, after a blank, a bracket, a colon or a hyphen.
fn level(rest: &str) -> Option<&str> {
    static LEVEL: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?:^|[\s\]:\-])(DEBUG[1-5]?|TRACE|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|PANIC|LOG|CRITICAL)\b",
        )
    });
    if !rest.is_ascii() {
        // Unicode has its own blanks and word characters; the pattern knows them.
        return Some(LEVEL.captures(rest)?.get(1)?.as_str());
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    // `SQL` is a level of pgcopydb, but in the head of a line it is usually an ordinary word.
    let is_level = |word: &str| Level::known(word).is_some_and(|level| level != Level::Sql);
    let mut from = 0;
    while let Some(at) = rest[from..].find(|c: char| c.is_ascii_uppercase()).map(|at| from + at) {
        let len = rest[at..].find(|c| !is_word(c)).unwrap_or(rest.len() - at);
        let before = rest.as_bytes()[..at].last();
        let starts = matches!(before, None | Some(b' ' | 0x09..=0x0d | b']' | b':' | b'-'));
        if starts && is_level(&rest[at..at + len]) {
            return Some(&rest[at..at + len]);
        }
        from = at + len;
    }
    None
}

/// Words before a colon that are not databases.
const NO_DATABASE: [&str; 14] = [
    "error",
    "warning",
    "message",
    "msg",
    "code",
    "errorcode",
    "details",
    "detail",
    "reason",
    "pg_restore",
    "pg_dump",
    "psql",
    "pgcopydb",
    "fatal",
];

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn levels_agree_with_the_pattern(
            parts in proptest::collection::vec(
                proptest::sample::select(vec![
                    "ERROR", "DEBUG", "DEBUG5", "6", "WARN", "ING", "LOG", "log", " ", "\t", "\u{b}", "]", ":", "-", "_", "é", "\u{301}",
                ]),
                0..8,
            ),
        ) {
            let pattern = Regex::new(
                r"(?:^|[\s\]:\-])(DEBUG[1-5]?|TRACE|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|PANIC|LOG|CRITICAL)\b",
            ).expect("compiles");
            let text = parts.concat();
            let want = pattern.captures(&text).and_then(|found| Some(found.get(1)?.as_str()));
            proptest::prop_assert_eq!(level(&text), want);
        }

        #[test]
        fn the_innermost_string_is_after_the_last_mark(text in "[\": ,\\[a]{0,24}") {
            let cut = ["\": \"", "\":\"", "[\"", ", \""]
                .iter()
                .filter_map(|mark| Some(text.rfind(mark)? + mark.len()))
                .max();
            proptest::prop_assert_eq!(in_string(&text), &text[cut.unwrap_or(0)..]);
        }
    }
}
