//! Codes: whether a text that has the form of a code is an error code here.
//!
//! A line's text, the place of a candidate in it and the [`CodeForm`] that it has come in; a [`Mention`] goes
//! out or nothing. Which codes are listed is not known here, nor what the messages are.
//!
//! # Why six digits are rarely a code
//!
//! The migration service's codes are six digits that start with 603. In logs such numbers are everywhere:
//!
//! ```text
//! 2024-06-01T06:06:48.603105+00:00                                the fraction of a second
//! 2024-07-08 18:58:20.214 603405 ERROR  pgsql.c:2330 …            a process id
//! copied 603104 rows from table with oid 603402 (603410 bytes)    counts and ids
//! BEGIN; -- {"xid":603405,"lsn":"140F/5DE9F368"}                  a transaction
//! GET /items/603105?page=603400 HTTP/1.1                          a part of a URL
//! ```
//!
//! One false alarm in such a line costs more trust than a missed code: its message is usually found by its
//! wording anyway. So a candidate is refused unless the text itself treats it as a code:
//!
//! - after a word that announces one: `errorCode: "603405"`, `Error (603405)`, `failed with code 603701`; but
//!   not `exit code 603405`, which is another kind of code, and not `errors: 603405`, which is a count;
//! - at the head of a message, with a colon or in brackets: `ERROR 603104: Missing …`, `[603104] Missing …`;
//! - in round brackets at the end of a text: `… on the target server. (603405)`.
//!
//! Between those and a clear no there are places where a code may be, but a process id or a column as well:
//! after a time stamp, in a column of a table, at the head of a line without a colon. There the mention is
//! [`ambiguous`](Mention::ambiguous): it counts beside its own title or message and not alone.
//!
//! Codes with letters (`S0004`, `42P01`) are judged by the same rules, except that they are never a process
//! id or an amount: those are numbers.
//!
//! The rules are applied three times, from cheap to exact. [`may_be_code`] looks at the raw bytes next to the
//! candidate and drops nearly all of them. [`is_ambiguous`] looks back at most 48 raw bytes for an announcing
//! word, so that an ambiguous candidate without an entry of its own is dropped before its line is unescaped.
//! [`mention`] then decides on the line's unescaped text. The first two may keep too much, but never drop a
//! code that counts in the end.

use super::bytes::is_word;
use super::normalized::Normalized;
use super::prefilter::{WordBoundaries, plausible};
use super::work;
use crate::catalog::{Alphabet, CodeSpace};
use crate::text::pattern;
use regex::bytes::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// The form of the codes of one [`CodeSpace`], as it is looked for in text.
#[derive(Debug, Clone)]
pub struct CodeForm {
    space: CodeSpace,
    /// The length of the prefix, in bytes.
    prefix_len: usize,
    /// The bytes of a code that are compared with digits at once, as [`digits_only`] has them; 0 if they cannot be.
    digits: u64,
    /// Whether every code is a number.
    only_numbers: bool,
    /// What announces a code, apart from the usual words: the last word of how people call it, as [`Word`]
    /// has it (`sqlstate`).
    own_word: Vec<u8>,
}

impl CodeForm {
    /// The form of the codes in `space`.
    pub fn new(space: &CodeSpace) -> CodeForm {
        let word = space.word().rsplit(' ').next().unwrap_or_default();
        let (prefix_len, len) = (space.prefix().len(), space.length());
        let digits = match space.alphabet() {
            Alphabet::Digits if len <= 8 => (prefix_len..len).fold(0, |mask, at| mask | 0xff << (8 * at)),
            _ => 0,
        };
        let only_numbers =
            space.alphabet() == Alphabet::Digits && space.prefix().bytes().all(|byte| byte.is_ascii_digit());
        let own_word = word.to_ascii_lowercase().into_bytes();
        CodeForm { space: space.clone(), prefix_len, digits, only_numbers, own_word }
    }

    /// The length of a code.
    pub fn code_len(&self) -> usize {
        self.space.length()
    }

    /// The bytes at `at`, where a search has found the prefix, if they are a code of this form. Most prefixes in a log are
    /// parts of other numbers, so this decides before anything else is read.
    #[inline]
    fn code_after_prefix<'t>(&self, raw: &'t [u8], at: usize) -> Option<&'t [u8]> {
        let code = raw.get(at..at + self.code_len())?;
        if self.digits != 0
            && let Some(eight) = raw[at..].first_chunk()
        {
            return digits_only(u64::from_le_bytes(*eight), self.digits).then_some(code);
        }
        let is_code = match self.space.alphabet() {
            Alphabet::Digits => code[self.prefix_len..].iter().all(u8::is_ascii_digit),
            Alphabet::Alphanumeric => self.space.contains(code),
        };
        is_code.then_some(code)
    }

    /// Whether a code of this form is a number, so that the text may mean one.
    fn is_number(&self, code: &[u8]) -> bool {
        self.only_numbers || code.iter().all(u8::is_ascii_digit)
    }

    /// The bytes at `at`, if they are a code of this form.
    fn code_at<'t>(&self, text: &'t [u8], at: usize) -> Option<&'t [u8]> {
        text.get(at..at + self.code_len()).filter(|code| self.space.contains(code))
    }
}

/// Whether those of `eight` bytes that `mask` selects are digits, without a branch that depends on them: in a log full of
/// numbers, where a code's digits end cannot be predicted.
fn digits_only(eight: u64, mask: u64) -> bool {
    let values = eight ^ 0x3030_3030_3030_3030;
    // A value above 9 has a bit in its upper half, or gets one when 6 is added, without a carry into the next byte.
    let low = values & 0x0f0f_0f0f_0f0f_0f0f;
    (values | (low + 0x0606_0606_0606_0606)) & 0xf0f0_f0f0_f0f0_f0f0 & mask == 0
}

/// A code in a text, or what may be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The text range of the code, with the brackets around it.
    pub range: Range<usize>,
    /// Whether it counts only beside its own title or message.
    pub ambiguous: bool,
    /// Whether it is after its message ("… (error code 603405)"), not before it.
    pub trailing: bool,
}

/// Words that announce a code directly after them.
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
/// Words that may be between such a word and the code.
const CONNECTORS: [&str; 8] = ["code", "with", "number", "no", "nr", "is", "was", "id"];
/// Words that make a following "code" another kind of code, unless it is what people call the codes of this
/// form.
const OTHER_CODES: [&str; 10] =
    ["exit", "status", "zip", "postal", "country", "return", "response", "http", "area", "sqlstate"];
/// Units: a number before one of these is an amount.
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

/// The cheap test on raw bytes: whether there may be a code at `at` at all, judged by the bytes next to it.
pub fn may_be_code(raw: &[u8], at: usize, form: &CodeForm) -> bool {
    // Most places where a prefix was found fail here.
    let Some(code) = form.code_after_prefix(raw, at) else { return false };
    let end = at + code.len();
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
    let bounded_after = match raw.get(end) {
        Some(byte) if is_word(*byte) && *byte < 0x80 => false,
        Some(b'-' | b'.' | b'/' | b':' | b'%' | b'@' | b'+') => {
            raw.get(end + 1).is_none_or(|byte| !byte.is_ascii_alphanumeric())
        }
        _ => true,
    };
    bounded_before && bounded_after && !(form.is_number(code) && is_process_id(raw, at, end))
}

/// Whether the number at `at` to `end` is between a number or a bracket and a level: a PID in nearly every
/// log line.
fn is_process_id(raw: &[u8], at: usize, end: usize) -> bool {
    let before = raw[..at].iter().rev().find(|byte| !matches!(byte, b' ' | b'\t' | b'['));
    let rest = &raw[end..raw.len().min(end + 16)];
    let skip = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b']' | b':')).count();
    let levels: [&[u8]; 8] =
        [b"INFO ", b"ERROR ", b"LOG:", b"DEBUG ", b"NOTICE ", b"WARN", b"SQL ", b"FATAL"];
    before.is_some_and(|byte| byte.is_ascii_digit() || *byte == b'C')
        && levels.iter().any(|level| rest[skip..].starts_with(level))
}

/// How far back the word before a code is looked for in raw bytes.
const MAX_LOOK: usize = 48;
/// How many letters of a word count.
const MAX_WORD: usize = 40;

/// Whether a code for which [`may_be_code`] holds is at most an ambiguous mention, judged by raw bytes: most
/// candidates in a log are, and their lines need not be normalized where neither their title nor their
/// message is near. False where escapes leave it open.
pub fn is_ambiguous(raw: &[u8], at: usize, form: &CodeForm) -> bool {
    let is_escape = |byte: &u8| matches!(byte, b'\\' | b'&' | b';' | b'>' | 0x1b | 0x80..);
    let (before, after) = (&raw[at.saturating_sub(MAX_LOOK)..at], &raw[at + form.code_len()..]);
    if after.iter().take(2).any(is_escape) || after.first() == Some(&b':') {
        return false;
    }
    let end = before.iter().rposition(|byte| !is_mark(*byte)).map_or(0, |last| last + 1);
    let word = before[..end].iter().rev().take_while(|byte| is_word(**byte)).count();
    let word = &before[end - word..end];
    let outer = before[..end - word.len()].last();
    let Some(outer) = outer.filter(|byte| !is_escape(byte) && !before[end..].iter().any(is_escape)) else {
        return false;
    };
    let mixed = word.iter().any(u8::is_ascii_digit) && !word.iter().all(u8::is_ascii_digit);
    if word.is_empty() && matches!(outer, b'\n' | b'\r') || mixed || !word.is_ascii() {
        return false;
    }
    let word = Word::new(word, MAX_LOOK);
    if word.announces(form) || word.is_one_of(&CONNECTORS) {
        return false;
    }
    match (before.last(), after.first()) {
        // At the end of a text it refers to the message before it.
        (Some(b'('), Some(b')')) => {
            let next = after[1..].iter().find(|byte| **byte != b' ');
            next.is_some_and(u8::is_ascii_alphanumeric)
        }
        // After a time it is a PID; after a level, a file or a label it is at the head of a message.
        (Some(b'['), Some(b']')) => word.is_one_of(&["utc", "gmt"]),
        _ => true,
    }
}

/// Whether a byte may be between a word and the code that it announces.
fn is_mark(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b':' | b'=' | b'#' | b'"' | b'\'' | b'(' | b'[' | b'`')
}

/// Judges the code at `at` in the text of a line; `above` returns the text of the line before.
pub fn mention(text: &[u8], at: usize, form: &CodeForm, above: impl FnOnce() -> Vec<u8>) -> Option<Mention> {
    let code = form.code_at(text, at)?;
    if in_url(text, at) {
        return None;
    }
    let end = at + code.len();
    let before = at.checked_sub(1).map(|i| text[i]);
    let close =
        text.get(end).filter(|byte| matches!((before, byte), (Some(b'['), b']') | (Some(b'('), b')')));
    let range = if close.is_some() { at - 1..end + 1 } else { at..end };
    let rest = &text[range.end..];
    if form.is_number(code) && is_amount(rest) {
        return None;
    }
    let after = rest.iter().find(|byte| !matches!(byte, b' ' | b'"' | b'\''));
    let announced = is_announced(&text[..at], form) || is_labelled(&text[..range.start], form, above);
    // In brackets at the end of a text: "… on the target server. (603405)".
    let closing =
        close == Some(&b')') && matches!(rest.trim_ascii().first(), None | Some(b'.' | b'"' | b'\''));
    if announced || closing {
        return Some(Mention { range, ambiguous: !announced, trailing: closing || after == Some(&b')') });
    }
    if form.is_number(code) && before_level_or_time(rest) {
        return None;
    }
    let head = head(&text[..range.start])?;
    let colon = matches!(rest, [b':'] | [b':', b' ' | b'\t' | b'\r' | b'\n', ..]);
    let spaced = close.is_some() && matches!(rest.first(), None | Some(b' ' | b':' | b'\t'));
    let clear = colon && head != Head::Column || spaced && head == Head::Message;
    Some(Mention { range, ambiguous: !clear, trailing: false })
}

/// Where a message starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    /// At the start of a line or string, or after a level, file or label.
    Message,
    /// After a time stamp, where a PID may be as well.
    Time,
    /// At the start of a column.
    Column,
}

/// Whether the text before a code ends with words that announce it: "error code", "failed with error number".
fn is_announced(before: &[u8], form: &CodeForm) -> bool {
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
            if other.is_one_of(&OTHER_CODES) && other.letters() != form.own_word {
                return false;
            }
        }
        if word.announces(form) {
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

/// The last word of `text` and where it starts; the word is empty if the text ends with a mark.
fn last_word(text: &[u8]) -> (Word, usize) {
    let start = text.iter().rposition(|byte| !is_word(*byte)).map_or(0, |i| i + 1);
    (Word::new(&text[start..], MAX_WORD), start)
}

/// The first letters of a word in lower case, without `_`.
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

    /// Whether it announces the code after it. It counts as a whole: `errors` and `error_count` are other
    /// words.
    fn announces(&self, form: &CodeForm) -> bool {
        self.is_one_of(&ERROR_WORDS)
            || self.letters().ends_with(b"errorcode")
            || self.letters() == form.own_word
    }
}

/// Whether the code starts its line and the line above is only a label, such as "Error code".
fn is_labelled(before: &[u8], form: &CodeForm, above: impl FnOnce() -> Vec<u8>) -> bool {
    if !before
        .iter()
        .all(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'"' | b'\'' | b'*' | b'|'))
    {
        return false;
    }
    let above = above();
    let label = above.trim_ascii();
    let label = label.strip_suffix(b":").unwrap_or(label);
    // A longer line may be wrapped between the word and the code: "… (error code".
    let wrapped = label.to_ascii_lowercase().ends_with(b"error code");
    let word = last_word(label).0;
    (label.len() <= 24 || wrapped)
        && (word.is_one_of(&["code", "errorcode"]) || word.letters() == form.own_word)
        && is_announced(label, form)
}

/// Whether a number is followed by a unit.
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

/// Whether the code is part of a URL or path: of a token with `://` or `?` in it, or with a slash at its
/// head.
fn in_url(text: &[u8], at: usize) -> bool {
    let is_edge =
        |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'(' | b'[');
    let start = text[..at].iter().rposition(is_edge).map_or(0, |i| i + 1);
    work::add(at - start);
    let token = &text[start..at];
    token.starts_with(b"/") || memchr::memmem::find(token, b"://").is_some() || token.contains(&b'?')
}

/// Whether a level or a time follows, so that a number is a PID.
fn before_level_or_time(rest: &[u8]) -> bool {
    static NEXT: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"(?-u)^[\]:)]*\s*\[?(?:(?:DEBUG[1-5]?|TRACE|INFO|NOTICE|WARN|WARNING|ERROR|ERR|FATAL|PANIC|LOG|SQL",
            r"|CRITICAL|SEVERE|DETAIL|HINT|STATEMENT|CONTEXT|VERBOSE)\b|\d\d:\d\d:\d\d|\d{4}-\d\d-\d\d)"
        ))
    });
    NEXT.is_match(rest)
}

/// Whether a message starts after `before`, and after what.
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
    // The longest text before a message that is recognized fits into 80 bytes.
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

/// Where the entry's title ends if it is directly after key `from`, apart from labels such as "message".
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

/// Whether [`title_after`] may find the title after the code that ends at `end`, judged by raw bytes.
pub fn may_be_titled(raw: &[u8], end: usize, title: &[u8]) -> bool {
    let is_dropped = |byte: u8| matches!(byte, b' ' | b'\t' | b'"' | b'`' | b'\'' | b'-' | b'*');
    let is_closing =
        |byte: u8| matches!(byte, b':' | b'.' | b',' | b')' | b']' | b'=' | b'|' | b';' | b'{' | b'}');
    let Some(at) = raw[end..].iter().position(|byte| !is_dropped(*byte) && !is_closing(*byte)) else {
        return false;
    };
    work::add(at);
    let labels = [b"errormessage".as_slice(), b"message", b"msg", b"title", b"description", title];
    let is_escape = |byte: u8| matches!(byte, b'\\' | b'&' | b'(' | 0x1b | 0x80..);
    is_escape(raw[end + at])
        || labels
            .into_iter()
            .any(|keys| !keys.is_empty() && plausible(raw, end + at, keys, 0, WordBoundaries::default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Alphabet;

    fn form(prefix: &str, alphabet: Alphabet, length: usize, word: &str) -> CodeForm {
        CodeForm::new(&CodeSpace::new(prefix, alphabet, length, word).expect("a code space"))
    }

    fn service() -> CodeForm {
        form("603", Alphabet::Digits, 6, "code")
    }

    /// The judgement of the first text in the line that has the form of a code.
    fn judge_as(line: &str, form: &CodeForm) -> Option<&'static str> {
        let bytes = line.as_bytes();
        let at = (0..bytes.len()).find(|at| form.code_at(bytes, *at).is_some())?;
        if !may_be_code(bytes, at, form) {
            return None;
        }
        let mention = mention(bytes, at, form, Vec::new)?;
        assert!(mention.ambiguous || !is_ambiguous(bytes, at, form), "the cheap test drops a code: {line}");
        Some(match (mention.ambiguous, mention.trailing) {
            (true, _) => "ambiguous",
            (false, true) => "trailing",
            (false, false) => "code",
        })
    }

    fn judge(line: &str) -> Option<&'static str> {
        judge_as(line, &service())
    }

    #[test]
    fn no_other_byte_counts_as_a_digit() {
        for mask in [0xff << 24, u64::MAX, 0xffff_ffff_ffff_0000, 0xff << 56] {
            for at in 0..8 {
                for byte in 0..=u8::MAX {
                    let mut eight = *b"09182736";
                    eight[at] = byte;
                    let selected = mask >> (8 * at) & 0xff != 0;
                    let expected = !selected || byte.is_ascii_digit();
                    assert_eq!(
                        digits_only(u64::from_le_bytes(eight), mask),
                        expected,
                        "{byte:#x} at {at}, mask {mask:#x}"
                    );
                }
            }
        }
    }

    #[test]
    fn codes_are_where_the_text_announces_them() {
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
    fn an_ambiguous_code_needs_its_message() {
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
    fn other_six_digits_are_no_code() {
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
        let mention = |text: &str, above: &str| {
            mention(text.as_bytes(), 0, &service(), || above.as_bytes().to_vec()).expect("a mention")
        };
        assert!(!mention("603401", "Error code").ambiguous);
        assert!(mention("603401)", "isn't present on target server. (error code").trailing);
        assert!(mention("603401", "rows copied").ambiguous);
        assert!(mention("603401", "").ambiguous);
    }

    #[test]
    fn codes_with_letters_are_no_numbers() {
        let service = form("S", Alphabet::Digits, 5, "service code");
        let state = form("42", Alphabet::Alphanumeric, 5, "SQLSTATE");
        for (line, form, want) in [
            ("ERROR: S0004: backup failed", &service, Some("code")),
            ("Service code S0004 was returned", &service, Some("code")),
            ("2024-06-06 21:42:53.039 S0004 ERROR x", &service, Some("ambiguous")),
            ("2024-06-06 21:42:53.039 UTC S0004: x", &service, Some("code")),
            ("part S0004 was delivered", &service, None),
            ("(S0004)", &service, Some("ambiguous")),
            ("S00045, AS0004, S0004x, s0004", &service, None),
            ("relation does not exist (SQLSTATE 42P01)", &state, Some("trailing")),
            ("sqlstate=42601", &state, Some("code")),
            ("SQLSTATE code: 42P01", &state, Some("code")),
            ("exit code 42601", &state, None),
            ("copied 42601 rows", &state, None),
            ("2024-06-06 21:42:53.039 42601 ERROR x", &state, None),
            ("SQLSTATE 42p01", &state, None),
        ] {
            assert_eq!(judge_as(line, form), want, "{line}");
        }
        assert_eq!(judge_as("SQLSTATE 603401", &self::service()), None, "the word of other codes");
    }
}
