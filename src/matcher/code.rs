//! Codes: whether six digits are an error code here.
//!
//! A line's text and the place of six digits in it come in; a [`Mention`] goes out or nothing. Logs are full of six
//! digits (fractions, PIDs, row counts, ids), so digits count only where the text says so: directly behind a word such
//! as error or code, or at the head of a message. What is only *perhaps* a code is [`Mention::ambiguous`]: it counts beside
//! its own title or message and not alone.

use super::bytes::is_word;
use super::normalized::Normalized;
use super::prefilter::{WordBoundaries, plausible};
use regex::bytes::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// The number of digits of a code.
pub const CODE_LEN: usize = 6;

/// Six digits that are an error code, or may be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Text range of the digits, with the brackets around them.
    pub range: Range<usize>,
    /// Counts only beside its own title or message.
    pub ambiguous: bool,
    /// Stands behind its message ("… (error code 603405)"), not before it.
    pub trailing: bool,
}

/// Words that make the digits directly behind them a code.
const ERROR_WORDS: [&str; 12] = [
    "error",
    "err",
    "code",
    "errorcode",
    "errcode",
    "errno",
    "errornumber",
    "failed",
    "failure",
    "fatal",
    "exception",
    "errorid",
];
/// Words that may stand between such a word and the digits.
const CONNECTORS: [&str; 8] = ["code", "with", "number", "no", "nr", "is", "was", "id"];
/// Words that make a following "code" another kind of code.
const OTHER_CODES: [&str; 10] =
    ["exit", "status", "zip", "postal", "country", "return", "response", "http", "area", "sqlstate"];
/// Units: digits before one of these are an amount.
const UNITS: [&str; 34] = [
    "ms",
    "us",
    "ns",
    "s",
    "sec",
    "secs",
    "second",
    "seconds",
    "milliseconds",
    "microseconds",
    "min",
    "minutes",
    "hours",
    "bytes",
    "byte",
    "b",
    "kb",
    "kib",
    "mb",
    "mib",
    "gb",
    "gib",
    "rows",
    "row",
    "records",
    "tuples",
    "buffers",
    "pages",
    "files",
    "times",
    "tables",
    "items",
    "objects",
    "connections",
];

/// The number that `digits` are.
pub fn number(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |number, digit| 10 * number + u32::from(digit - b'0'))
}

/// The cheap test on raw bytes: whether digits at `at` may be a code at all, judged by their neighbours.
pub fn may_be_code(raw: &[u8], at: usize) -> bool {
    // Most of what begins as a code does ends here.
    if !raw.get(at..at + CODE_LEN).is_some_and(|code| code.iter().all(u8::is_ascii_digit)) {
        return false;
    }
    let before = &raw[at.saturating_sub(8)..at];
    let bounded_before = match before.last() {
        None => true,
        Some(
            b' ' | b'\t' | b'\n' | b'\r' | b':' | b'=' | b'#' | b'"' | b'\'' | b'(' | b'[' | b'{' | b'`',
        ) => true,
        Some(b'>' | b',' | b'|') => true,
        // The end of a colour (`ESC[1m`) and of escapes (`\n`, `\t`, `\u0027`, `&quot;`).
        Some(b'm') => memchr::memchr(0x1b, before).is_some() || before.windows(4).any(|part| part == b"u001"),
        Some(b'n' | b't' | b'r') => before.len() > 1 && before[before.len() - 2] == b'\\',
        Some(b';') => memchr::memchr(b'&', before).is_some(),
        Some(b'0'..=b'9') => before.len() > 5 && before[before.len() - 6..].starts_with(b"\\u00"),
        Some(0x80..) => true,
        Some(_) => false,
    };
    let bounded_after = match raw.get(at + CODE_LEN) {
        Some(byte) if is_word(*byte) && *byte < 0x80 => false,
        Some(b'-' | b'.' | b'/' | b':' | b'%' | b'@' | b'+') => {
            raw.get(at + CODE_LEN + 1).is_none_or(|byte| !byte.is_ascii_alphanumeric())
        }
        _ => true,
    };
    bounded_before && bounded_after && !is_process_id(raw, at)
}

/// Whether digits stand between a number or a bracket and a level: a PID in nearly every log line.
fn is_process_id(raw: &[u8], at: usize) -> bool {
    let before = raw[..at].iter().rev().find(|byte| !matches!(byte, b' ' | b'\t' | b'['));
    let rest = &raw[at + CODE_LEN..raw.len().min(at + CODE_LEN + 16)];
    let skip = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b']' | b':')).count();
    let levels: [&[u8]; 8] =
        [b"INFO ", b"ERROR ", b"LOG:", b"DEBUG ", b"NOTICE ", b"WARN", b"SQL ", b"FATAL"];
    before.is_some_and(|byte| byte.is_ascii_digit() || *byte == b'C')
        && levels.iter().any(|level| rest[skip..].starts_with(level))
}

/// How far back the word before digits is looked for in raw bytes.
const MAX_LOOK: usize = 48;
/// How many letters of a word count.
const MAX_WORD: usize = 40;

/// Whether digits for which [`may_be_code`] holds are at most a ambiguous mention, judged by raw bytes: most digits in a log
/// are, and need no line made canonical where neither their title nor their message stands near. Says no where escapes
/// leave it open.
pub fn is_ambiguous(raw: &[u8], at: usize) -> bool {
    let escaped = |byte: &u8| matches!(byte, b'\\' | b'&' | b';' | b'>' | 0x1b | 0x80..);
    let (before, behind) = (&raw[at.saturating_sub(MAX_LOOK)..at], &raw[at + CODE_LEN..]);
    if behind.iter().take(2).any(escaped) || behind.first() == Some(&b':') {
        return false;
    }
    let end = before.iter().rposition(|byte| !is_mark(*byte)).map_or(0, |last| last + 1);
    let word = before[..end].iter().rev().take_while(|byte| is_word(**byte)).count();
    let word = &before[end - word..end];
    let outer = before[..end - word.len()].last();
    let Some(outer) = outer.filter(|byte| !escaped(byte) && !before[end..].iter().any(escaped)) else {
        return false;
    };
    let mixed = word.iter().any(u8::is_ascii_digit) && !word.iter().all(u8::is_ascii_digit);
    if word.is_empty() && matches!(outer, b'\n' | b'\r') || mixed || !word.is_ascii() {
        return false;
    }
    let word = Word::new(word, MAX_LOOK);
    if word.is_error() || word.is_one_of(&CONNECTORS) {
        return false;
    }
    match (before.last(), behind.first()) {
        // At the end of a text it points to what stands before.
        (Some(b'('), Some(b')')) => {
            let next = behind[1..].iter().find(|byte| **byte != b' ');
            next.is_some_and(u8::is_ascii_alphanumeric)
        }
        // Behind a time it is a PID, behind a level, a file or a label the head of a message.
        (Some(b'['), Some(b']')) => word.is_one_of(&["utc", "gmt"]),
        _ => true,
    }
}

/// What may stand between a word and the digits that it makes a code.
fn is_mark(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b':' | b'=' | b'#' | b'"' | b'\'' | b'(' | b'[' | b'`')
}

/// Judges the digits at `at` in the text of a line; `above` is the text of the line before.
pub fn mention(text: &[u8], at: usize, above: impl FnOnce() -> Vec<u8>) -> Option<Mention> {
    let code = text.get(at..at + CODE_LEN)?;
    if !code.iter().all(u8::is_ascii_digit) || in_url(text, at) {
        return None;
    }
    let before = at.checked_sub(1).map(|i| text[i]);
    let close = text
        .get(at + CODE_LEN)
        .filter(|byte| matches!((before, byte), (Some(b'['), b']') | (Some(b'('), b')')));
    let range = if close.is_some() { at - 1..at + CODE_LEN + 1 } else { at..at + CODE_LEN };
    let rest = &text[range.end..];
    if is_amount(rest) {
        return None;
    }
    let after = rest.iter().find(|byte| !matches!(byte, b' ' | b'"' | b'\''));
    let called = called_error(&text[..at]) || labelled(&text[..range.start], above);
    // In brackets at the end of a text: "… on the target server. (603405)".
    let closing =
        close == Some(&b')') && matches!(rest.trim_ascii().first(), None | Some(b'.' | b'"' | b'\''));
    if called || closing {
        return Some(Mention { range, ambiguous: !called, trailing: closing || after == Some(&b')') });
    }
    if before_level_or_time(rest) {
        return None;
    }
    let head = head(&text[..range.start])?;
    let colon = matches!(rest, [b':'] | [b':', b' ' | b'\t' | b'\r' | b'\n', ..]);
    let spaced = close.is_some() && matches!(rest.first(), None | Some(b' ' | b':' | b'\t'));
    let strong = colon && head != Head::Column || spaced && head == Head::Message;
    Some(Mention { range, ambiguous: !strong, trailing: false })
}

/// Where a message begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    /// At the begin of a line or string, or behind a level, file or label.
    Message,
    /// Behind a time stamp, where a PID may stand as well.
    Time,
    /// At the begin of a column.
    Column,
}

/// Whether the text before the digits ends with a word that makes them a code.
fn called_error(before: &[u8]) -> bool {
    let mut rest = before;
    let mut tag = false;
    let mut connected = false;
    for _ in 0..4 {
        while let [shorter @ .., mark] = rest {
            match mark {
                mark if is_mark(*mark) => rest = shorter,
                b'>' => {
                    tag = true;
                    rest = shorter;
                }
                _ => break,
            }
        }
        let (word, start) = last_word(rest);
        if word.letters().is_empty() || tag && !matches!(rest[..start].last(), Some(b'<')) {
            return false;
        }
        if word.is_one_of(&["code"]) && !connected {
            let (other, _) = last_word(rest[..start].trim_ascii_end());
            if other.is_one_of(&OTHER_CODES) {
                return false;
            }
        }
        if word.is_error() {
            return true;
        }
        if !word.is_one_of(&CONNECTORS) {
            return false;
        }
        connected = true;
        rest = &rest[..start];
    }
    false
}

/// The last word of `text`, and where it begins; empty if another mark is last.
fn last_word(text: &[u8]) -> (Word, usize) {
    let start = text.iter().rposition(|byte| !is_word(*byte)).map_or(0, |i| i + 1);
    (Word::new(&text[start..], MAX_WORD), start)
}

/// The begin of a word in lower case, without `_`.
struct Word {
    letters: [u8; MAX_LOOK],
    len: usize,
}

impl Word {
    /// At most `most` letters of `word`.
    fn new(word: &[u8], most: usize) -> Word {
        let letters = word.iter().filter(|byte| **byte != b'_').map(u8::to_ascii_lowercase);
        let mut word = Word { letters: [0; MAX_LOOK], len: 0 };
        for (place, letter) in word.letters.iter_mut().zip(letters.take(most)) {
            *place = letter;
            word.len += 1;
        }
        word
    }

    fn letters(&self) -> &[u8] {
        &self.letters[..self.len]
    }

    fn is_one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| word.as_bytes() == self.letters())
    }

    /// Whether it makes the digits behind it a code. The word as a whole: `errors` and `error_count` are others.
    fn is_error(&self) -> bool {
        self.is_one_of(&ERROR_WORDS) || self.letters().ends_with(b"errorcode")
    }
}

/// Whether the digits begin a line and the line above is nothing but a label such as "Error code".
fn labelled(before: &[u8], above: impl FnOnce() -> Vec<u8>) -> bool {
    if !before
        .iter()
        .all(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'"' | b'\'' | b'*' | b'|'))
    {
        return false;
    }
    let above = above();
    let label = above.trim_ascii();
    let label = label.strip_suffix(b":").unwrap_or(label);
    // A longer line may be wrapped between the word and the digits: "… (error code".
    let wrapped = label.to_ascii_lowercase().ends_with(b"error code");
    (label.len() <= 24 || wrapped)
        && last_word(label).0.is_one_of(&["code", "errorcode"])
        && called_error(label)
}

/// Whether the digits are followed by a unit or a percent sign.
fn is_amount(rest: &[u8]) -> bool {
    let Some(word) = rest.strip_prefix(b" ") else { return false };
    let word: Vec<u8> = word
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .take(16)
        .map(u8::to_ascii_lowercase)
        .collect();
    UNITS.iter().any(|unit| unit.as_bytes() == word)
}

/// Whether the digits stand in a URL or path: a token with `://` or with a slash at its head.
fn in_url(text: &[u8], at: usize) -> bool {
    let token =
        |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'(' | b'[');
    let start = text[..at].iter().rposition(token).map_or(0, |i| i + 1);
    let token = &text[start..at];
    token.starts_with(b"/") || memchr::memmem::find(token, b"://").is_some() || token.contains(&b'?')
}

/// Whether a level or a time follows, so that the digits are a PID.
fn before_level_or_time(rest: &[u8]) -> bool {
    static NEXT: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"(?-u)^[\]:)]*\s*\[?(?:(?:DEBUG[1-5]?|TRACE|INFO|NOTICE|WARN|WARNING|ERROR|ERR|FATAL|PANIC|LOG|SQL",
            r"|CRITICAL|SEVERE|DETAIL|HINT|STATEMENT|CONTEXT|VERBOSE)\b|\d\d:\d\d:\d\d|\d{4}-\d\d-\d\d)"
        ))
    });
    NEXT.is_match(rest)
}

/// Whether and where a message begins behind `before`.
fn head(before: &[u8]) -> Option<Head> {
    static MESSAGE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"(?-u)(?:^[\s>*|-]*",
            r#"|[:=\[{]\s*["'`]\s*"#,
            r"|\b(?i:DEBUG[1-5]?|TRACE|INFO|INFORMATION|NOTICE|WARN|WARNING|ERROR|ERR|FATAL|PANIC|LOG|CRITICAL|SEVERE)\b\]?:?\s+-?\s*",
            r"|\b[\w-]+\.(?:c|go|rs|py|java|cs|cpp|js):\d+\]?:?\s+",
            r"|\[(?:SOURCE|TARGET)[^\]\[]*\]\s+",
            r"|\b(?i:message|msg|reason|details?|errormessage)\s*[:=]\s*",
            r#"|(?:^|[\n"'`])\s*[\w.-]{1,63}:\s+"#,
            r")$"
        ))
    });
    static TIME: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?-u)(?:\d\d:\d\d:\d\d(?:[.,]\d+)?(?:\s*Z|\s*UTC|\s*GMT|[+-]\d\d:?\d\d)?|\bUTC|\[\d+\]:?)\]?:?\s+-?\s*(?:\d{1,7}\s+)?$",
        )
    });
    static COLUMN: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?-u)[,;\t|>]\s*["']?\s*$"#));
    // The end of what stands before a message; 80 bytes hold any of it.
    let tail = &before[before.len().saturating_sub(80)..];
    let whole = tail.len() == before.len();
    if (whole || !tail.trim_ascii().is_empty()) && MESSAGE.is_match(tail) {
        Some(Head::Message)
    } else if TIME.is_match(tail) {
        Some(Head::Time)
    } else {
        COLUMN.is_match(tail).then_some(Head::Column)
    }
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

/// Where the entry's title ends if it stands directly behind key `from`, labels such as "message" in between.
pub fn title_after(keys: &Normalized, from: usize, title: &[u8]) -> Option<usize> {
    let mut at = from;
    for _ in 0..2 {
        while matches!(
            keys.bytes.get(at),
            Some(b':' | b'.' | b',' | b')' | b']' | b'=' | b'|' | b';' | b'{' | b'}')
        ) {
            at += 1;
        }
        if !title.is_empty() && keys.bytes.get(at..).is_some_and(|rest| rest.starts_with(title)) {
            return Some(at + title.len());
        }
        let labels = [b"errormessage".as_slice(), b"message", b"msg", b"title", b"description"];
        let label = labels.into_iter().find(|label| keys.bytes[at..].starts_with(label))?;
        at += label.len();
    }
    None
}

/// Whether [`title_after`] may find the title behind the digits that end at `end`, judged by raw bytes.
pub fn may_be_titled(raw: &[u8], end: usize, title: &[u8]) -> bool {
    let dropped = |byte: u8| matches!(byte, b' ' | b'\t' | b'"' | b'`' | b'\'' | b'-' | b'*');
    let mark = |byte: u8| matches!(byte, b':' | b'.' | b',' | b')' | b']' | b'=' | b'|' | b';' | b'{' | b'}');
    let Some(at) = raw[end..].iter().position(|byte| !dropped(*byte) && !mark(*byte)) else { return false };
    let labels = [b"errormessage".as_slice(), b"message", b"msg", b"title", b"description", title];
    let open = |byte: u8| matches!(byte, b'\\' | b'&' | b'(' | 0x1b | 0x80..);
    open(raw[end + at])
        || labels
            .into_iter()
            .any(|keys| !keys.is_empty() && plausible(raw, end + at, keys, 0, WordBoundaries::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(line: &str) -> Option<&'static str> {
        let at = memchr::memmem::find(line.as_bytes(), b"603").expect("holds digits");
        if !may_be_code(line.as_bytes(), at) {
            return None;
        }
        let mention = mention(line.as_bytes(), at, Vec::new)?;
        Some(match (mention.ambiguous, mention.trailing) {
            (true, _) => "ambiguous",
            (false, true) => "trailing",
            (false, false) => "code",
        })
    }

    #[test]
    fn codes_where_the_text_says_so() {
        for line in [
            "2025-02-22T15:57:04.892Z ErrorCode: 603799",
            "error: code=603705",
            "Error 603199 occurred during validation",
            "2026-03-17T23:08:56.064Z ERROR 603413",
            "Migration failed with error code 603701",
            "\"errorCode\": \"603105\",",
            "{\"code\": 603406, \"status\": \"Failed\"}",
            "603104: Missing Replication Role.",
            "[603104] Missing Replication Role.",
            "(603104) Missing Replication Role.",
            "2026-07-24T02:46:26.062Z ERROR [603703] Internal",
            "2024-06-13 21:37:45.518 80 ERROR  pgsql.c:4041   603104: Missing",
            "2024-06-06T21:42:53.039Z 603104: Missing",
            "{\"message\":\"603104: Missing\"}",
            "failed: 603405",
            "Error (603405)",
            "<errorCode>603405</errorCode>",
            "error code \"603405\"",
            "Error #603405",
            "orders: 603405: Unsupported Extensions",
            "ERROR 603105 - GUC Settings Error",
            "migrationErrorCode=603105 x",
        ] {
            let want = if line == "Error (603405)" { "trailing" } else { "code" };
            assert_eq!(judge(line), Some(want), "{line}");
        }
        assert_eq!(judge("isn't present. (error code 603401)"), Some("trailing"));
    }

    #[test]
    fn what_may_be_a_code_needs_its_message() {
        for line in [
            "2024-06-06 21:42:53.039 603408 Unsupported Extensions",
            "603408 Unsupported Extensions Target",
            "ORA,603408,Unsupported",
            "isn't present on target server. (603401)",
            "{\"message\":\"603109 Shared preload libraries\"}",
        ] {
            assert_eq!(judge(line), Some("ambiguous"), "{line}");
        }
    }

    #[test]
    fn six_digits_elsewhere_are_no_code() {
        for line in [
            "copied 603104 rows from table with oid 603402 (603410 bytes)",
            "2024-06-01T06:06:48.6031051Z\tprod_db",
            "2024-06-01T06:06:48.603105+00:00",
            "2024-07-08 18:58:20.214 603405 INFO   copydb.c:1814",
            "2024-07-08 18:58:20.214 603405 ERROR  pgsql.c:2330 relation exists",
            "16:50:21 603000 FATAL  Please use --restart",
            "2024-01-01 10:00:00.123 UTC [603100] LOG:  connection received",
            "603405 2024-07-08 18:58:20.214 INFO",
            "exit status 0 after 603403 ms; temp",
            "invoice 603402 paid by customer",
            "\"retryAfter\": 603400, \"code\": \"InvalidInput\"",
            "http status code 500 after 603101 us",
            "migrationId: 603100da-52db-29cf",
            "GET /items/603105?page=603400 HTTP/1.1\" 200 603102",
            "BEGIN; -- {\"xid\":603405,\"lsn\":\"140F/5DE9F368\"}",
            "wrote /var/log/report_603105.csv (603106 bytes), build v1.603107.0",
            "\"fullLoadCompletedTables\": 603101, \"cdcInsertCounter\": 603400",
            "INSERT INTO t VALUES (603108, 603109, 'Connection pool size');",
            "tel. +49 603 100 603105, ref 1603405, 6034051",
            "error: value 603410 out of range for type smallint",
            "COPY 603105",
            "DETAIL:  Key (id)=(603105) already exists.",
            "{\"error_count\": 0, \"errors\": 603405, \"code\": \"OK\"}",
            "copy failed after 603400 rows, 603409 bytes read",
            "ErrorCode: 0x603105",
            "ErrorCode: AB603105",
            "coordinates: [-122.6031036, 45.603405]",
            "host=10.0.0.4 port=603105",
            "https://portal.example/?errorCode=603405&x=1",
            "process exited with exit code 603405",
            "ERROR:  603105 rows could not be copied",
            "app[603105]: started",
        ] {
            assert_eq!(judge(line), None, "{line}");
        }
    }

    #[test]
    fn a_label_on_the_line_above_makes_a_code() {
        let above = |label: &'static str| move || label.as_bytes().to_vec();
        assert!(mention(b"603401", 0, above("Error code")).is_some_and(|mention| !mention.ambiguous));
        assert!(
            mention(b"603401)", 0, above("isn't present on target server. (error code"))
                .is_some_and(|m| m.trailing)
        );
        assert!(mention(b"603401", 0, above("rows copied")).is_some_and(|mention| mention.ambiguous));
        assert!(mention(b"603401", 0, above("")).is_some_and(|mention| mention.ambiguous));
    }
}
