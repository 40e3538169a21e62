//! Normalized text: what a log line says, without the way its container wrote it.
//!
//! The raw bytes of a region of a window come in. Two other forms of them go out, each with a map to the form
//! before:
//!
//! | form | example | position |
//! |---|---|---|
//! | raw bytes | `{"m":"User \"repl\" doesn\u0027t  have"}` | raw offset in the window |
//! | [`UnescapedText`] | `{"m":"User "repl" doesn't  have"}` | text index |
//! | [`Normalized`] | `{m:userrepldoesnothave}` | normalized index |
//!
//! Templates of the catalogue are normalized by the same code, so two wordings say the same if and only if
//! their normalized bytes are equal. Arguments are read from the unescaped text, where case, blanks and
//! quotes are still there; positions of findings are raw offsets.
//!
//! # Which escapes are undone
//!
//! The passes run in a fixed order, from the outer container to the inner one:
//!
//! 1. ANSI sequences (`ESC[31m`) are dropped.
//! 2. CSV's doubled quotes `""` become `"`, if the region looks like CSV.
//! 3. Backslash escapes of JSON, Python and double-quoted YAML are undone, if the region shows that
//!    backslashes are escapes. JSON inside a JSON string (`{"m":"{\"error\":\"a \\\"b\\\"\"}"}`) needs one
//!    level per nesting, so the question is asked again after each level, at most `MAX_ESCAPE_LEVELS`
//!    times.
//! 4. ANSI sequences that were escaped (`\u001b[31m`) are dropped, and entities (`&quot;`) are replaced.
//! 5. SQL's doubled apostrophes become one.
//!
//! Steps 2 and 3 depend on what the region shows, and step 3 is the one that is easily wrong. In plain text a
//! backslash is a backslash: in ``User `CONTOSO\nadia` `` it separates a Windows domain from a name, and
//! undoing it would report a user `CONTOSO` and, one line below, `adia`. So backslashes count as escapes only
//! where the region itself contains what escaped text contains and a plain message does not: a quoted key
//! before a colon (`"message":`, `'message':`), `\"` or `\u00`, or a value that opens a quote (`message: "`).
//! The name or type of the file is no evidence: one log mixes plain lines with JSON lines.
//!
//! # Invariants
//!
//! - Both forms are functions of the region's bytes alone, so a window may be cut anywhere outside of the
//!   region.
//! - Both forms own their bytes. A mapped file may change while it is read, so the raw bytes are copied once, before
//!   anything is decided about them: all that follows looks at the copy.
//! - The raw ranges of the unescaped bytes are in order and not empty, and `raw_start` of `index_of` of a raw
//!   start returns that start again. The text indices of the normalized bytes never decrease.
//!   `tests/oracle/normalized.rs` checks both for any bytes.
//!
//! This file does not know wordings, anchors or where lines end.

use super::bytes::mail_quote;
use super::work;
use crate::redact::secrets;
use memchr::memmem::Finder;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;
use std::sync::LazyLock;

/// The longest text of which a part is searched for secrets alone, in bytes.
const SHORT: usize = 1 << 10;
/// The most levels of nested backslash escapes that are undone: JSON in a JSON string in a JSON string.
const MAX_ESCAPE_LEVELS: usize = 4;

static CSV_QUOTE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"\""));
static SQL_QUOTE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"''"));

/// A region's text with its escapes undone, and the map to raw offsets.
///
/// The map is a list of segments. `a\u0027b` at raw offset 100 becomes the text `a'b` with three of them:
/// the byte at text index 0 is a copy of raw byte 0, the one at 1 came from the 6 raw bytes from 1 on, and
/// those from 2 on are copies of the raw bytes from 7 on. So `b`, at text index 2, is at raw offset 107.
#[derive(Debug, Default, Clone)]
pub struct UnescapedText {
    /// The unescaped bytes; UTF-8 where the raw bytes were.
    pub bytes: Vec<u8>,
    /// Where the bytes came from, in order; empty where the text is the raw bytes.
    segments: Vec<Segment>,
    /// The raw offset of the region.
    base: usize,
    /// The ranges of its secrets, once they were needed.
    secrets: OnceCell<Vec<Range<usize>>>,
}

/// The bytes of a text up to the next segment, and the raw bytes that they came from.
#[derive(Debug, Clone, Copy)]
struct Segment {
    /// The text index of the first byte.
    at: u32,
    /// The first raw byte, counted from the start of the region.
    raw: u32,
    /// The length of the escape that all bytes of the segment came from; 0 if each byte is a copy of a raw
    /// one.
    len: u8,
}

impl Segment {
    /// Returns the start and length of the raw bytes that the byte at text index `i` came from.
    fn raw(self, i: usize) -> (u32, u8) {
        if self.len > 0 { (self.raw, self.len) } else { (self.raw + i as u32 - self.at, 1) }
    }
}

impl UnescapedText {
    /// Undoes the escapes of `raw`, a region that starts at the raw offset `base`.
    pub fn new(raw: &[u8], base: usize) -> UnescapedText {
        UnescapedText::default().reuse(raw, base)
    }

    /// Undoes the escapes of `raw` in the memory of `self`, whose contents are no longer needed.
    pub fn reuse(self, raw: &[u8], base: usize) -> UnescapedText {
        work::add(raw.len());
        let UnescapedText { mut bytes, mut segments, .. } = self;
        bytes.clear();
        bytes.extend_from_slice(raw);
        segments.clear();
        let mut text = UnescapedText { bytes, segments, base, secrets: OnceCell::new() };
        // Most lines are plain text: one search for three bytes spares all passes.
        let escaped = memchr::memchr3(0x1b, b'\\', b'&', &text.bytes).is_some();
        if escaped {
            text.pass(0x1b, ansi);
        }
        if text.has(&CSV_QUOTE) && looks_like_csv(&text.bytes) {
            text.pass(b'"', |rest, with| one_of_two(rest, b'"', with));
        }
        if escaped {
            text.unescape();
        }
        if text.has(&SQL_QUOTE) {
            text.pass(b'\'', |rest, with| one_of_two(rest, b'\'', with));
        }
        text
    }

    /// Undoes backslash escapes, level by level, then ANSI sequences and entities.
    fn unescape(&mut self) {
        for _ in 0..MAX_ESCAPE_LEVELS {
            if memchr::memchr(b'\\', &self.bytes).is_none() || !has_backslash_escapes(&self.bytes) {
                break;
            }
            self.pass(b'\\', backslash);
        }
        self.pass(0x1b, ansi);
        self.pass(b'&', entity);
    }

    fn has(&self, doubled: &Finder<'static>) -> bool {
        doubled.find(&self.bytes).is_some()
    }

    /// Calls `undo` at each byte that is `mark`. `undo` appends the text of the escape there and returns how
    /// many bytes the escape is long, or `None` if there is no escape.
    ///
    /// The segments of the new text are composed with those of the text before: passes may run one after
    /// another, and each byte still maps to raw bytes.
    fn pass(&mut self, mark: u8, undo: impl Fn(&[u8], &mut Vec<u8>) -> Option<usize>) {
        work::add(self.bytes.len());
        let Some(first) = memchr::memchr(mark, &self.bytes) else { return };
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut segments = Vec::with_capacity(self.segments.len() + 16);
        // Before `done` all is written; from `copied` on the segments of what was copied are not.
        let (mut done, mut copied, mut next) = (0, 0, Some(first));
        while let Some(at) = next {
            let start = bytes.len() + at - done;
            bytes.extend_from_slice(&self.bytes[done..at]);
            if let Some(len) = undo(&self.bytes[at..], &mut bytes) {
                self.copy_segments(copied..at, start, &mut segments);
                if bytes.len() > start {
                    let (raw, _) = self.raw(at);
                    let (last, last_len) = self.raw(at + len - 1);
                    let len = (last + u32::from(last_len) - raw).min(255) as u8;
                    segments.push(Segment { at: start as u32, raw, len });
                }
                done = at + len;
                copied = done;
            } else {
                bytes.push(self.bytes[at]);
                done = at + 1;
            }
            next = memchr::memchr(mark, &self.bytes[done..]).map(|at| at + done);
        }
        bytes.extend_from_slice(&self.bytes[done..]);
        self.copy_segments(copied..self.bytes.len(), bytes.len(), &mut segments);
        self.bytes = bytes;
        self.segments = segments;
    }

    /// Appends the segments of the bytes of `range`, which were copied so that they end at the new text index
    /// `end`.
    fn copy_segments(&self, range: Range<usize>, end: usize, segments: &mut Vec<Segment>) {
        if range.is_empty() {
            return;
        }
        let moved = |at: usize| (end - (range.end - at)) as u32;
        if self.segments.is_empty() {
            segments.push(Segment { at: moved(range.start), raw: range.start as u32, len: 0 });
            return;
        }
        let first = self.segment(range.start);
        for segment in self.segments[first..].iter().take_while(|segment| (segment.at as usize) < range.end) {
            let start = range.start.max(segment.at as usize);
            let (raw, _) = segment.raw(start);
            segments.push(Segment { at: moved(start), raw, len: segment.len });
        }
    }

    /// Returns the index of the segment that holds the byte at text index `i`.
    fn segment(&self, i: usize) -> usize {
        self.segments.partition_point(|segment| segment.at as usize <= i) - 1
    }

    fn raw(&self, i: usize) -> (u32, u8) {
        if self.segments.is_empty() { (i as u32, 1) } else { self.segments[self.segment(i)].raw(i) }
    }

    /// Returns the raw offset where the byte at text index `i` starts; for the end of the text, where the
    /// last byte ends.
    pub fn raw_start(&self, i: usize) -> usize {
        if i < self.bytes.len() { self.base + self.raw(i).0 as usize } else { self.raw_end(i) }
    }

    /// Returns the raw offset where the byte before text index `i` ends.
    pub fn raw_end(&self, i: usize) -> usize {
        match i.checked_sub(1) {
            Some(i) => {
                let (start, len) = self.raw(i);
                self.base + start as usize + len as usize
            }
            None => self.base,
        }
    }

    /// Returns the text that came from the raw bytes of `range`, its secrets masked.
    pub fn slice(&self, range: &Range<usize>) -> Cow<'_, [u8]> {
        let (start, end) = (self.index_of(range.start), self.index_of(range.end));
        self.shown(start..end.max(start))
    }

    /// Returns a range of the text with its secrets masked, also those that are only partly in it. What is reported is cut
    /// from here: half a secret could not be recognized any more.
    pub fn shown(&self, range: Range<usize>) -> Cow<'_, [u8]> {
        secrets::cut(&self.bytes, range, self.secrets())
    }

    /// Returns the start of the text up to `end` with its secrets masked. Of a short text nothing after `end` is looked at,
    /// which saves time; of a long one all, which is done once however often this is asked.
    pub fn shown_before(&self, end: usize) -> Cow<'_, [u8]> {
        if self.bytes.len() > SHORT || self.secrets.get().is_some() {
            return self.shown(0..end);
        }
        let start = &self.bytes[..end];
        secrets::cut(start, 0..end, &secrets::find(start, &|i| usize::from(self.raw(i).1)))
    }

    /// Returns the ranges of the secrets in the text, in order.
    pub fn secrets(&self) -> &[Range<usize>] {
        self.secrets.get_or_init(|| secrets::find(&self.bytes, &|i| usize::from(self.raw(i).1)))
    }

    /// Returns the text index of the first byte that starts at the raw offset `raw` or after it.
    pub fn index_of(&self, raw: usize) -> usize {
        let relative = raw.saturating_sub(self.base);
        if self.segments.is_empty() {
            return relative.min(self.bytes.len());
        }
        // The first segment that starts there or later, unless a copied byte of the segment before does.
        let next = self.segments.partition_point(|segment| (segment.raw as usize) < relative);
        let end = self.segments.get(next).map_or(self.bytes.len(), |segment| segment.at as usize);
        match next.checked_sub(1).map(|last| self.segments[last]) {
            Some(last) if last.len == 0 => end.min(last.at as usize + relative - last.raw as usize),
            _ => end,
        }
    }
}

/// Returns the ranges of the secrets in `raw`, in order. They are found in its text without escapes.
pub fn secrets_in(raw: &[u8]) -> Vec<Range<usize>> {
    let text = UnescapedText::new(raw, 0);
    text.secrets().iter().map(|range| text.raw_start(range.start)..text.raw_end(range.end)).collect()
}

/// Drops a CSI sequence (colours, cursor).
fn ansi(rest: &[u8], _: &mut Vec<u8>) -> Option<usize> {
    let body = rest.strip_prefix(b"\x1b[")?;
    let end = body.iter().position(|byte| (0x40..=0x7e).contains(byte))?;
    body[..end].iter().all(|byte| (0x20..=0x3f).contains(byte)).then_some(end + 3)
}

/// Replaces a doubled quote mark by one.
fn one_of_two(rest: &[u8], quote: u8, with: &mut Vec<u8>) -> Option<usize> {
    rest.starts_with(&[quote, quote]).then(|| {
        with.push(quote);
        2
    })
}

/// Undoes what JSON, Python and double-quoted YAML write with a backslash.
fn backslash(rest: &[u8], with: &mut Vec<u8>) -> Option<usize> {
    if rest.len() == 1 {
        // The end of a folded YAML line: the line break that it escapes is after the region.
        return Some(1);
    }
    let one = match *rest.get(1)? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' | b'f' | b' ' => b' ',
        mark @ (b'"' | b'\'' | b'\\' | b'/') => mark,
        b'\n' => return Some(2),
        b'u' => {
            let unit = hex(rest.get(2..6)?)?;
            let low = if (0xd800..0xdc00).contains(&unit) && rest.get(6..8) == Some(b"\\u") {
                rest.get(8..12).and_then(hex)
            } else {
                None
            };
            let units = std::iter::once(unit as u16).chain(low.map(|low| low as u16));
            char::decode_utf16(units).for_each(|c| push(c.unwrap_or(char::REPLACEMENT_CHARACTER), with));
            return Some(if low.is_some() { 12 } else { 6 });
        }
        b'x' => {
            push(char::from_u32(hex(rest.get(2..4)?)?)?, with);
            return Some(4);
        }
        _ => return None,
    };
    with.push(one);
    Some(2)
}

fn push(c: char, with: &mut Vec<u8>) {
    with.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + (*digit as char).to_digit(16)?))
}

/// Replaces the named entities of XML, a few of HTML, and numeric ones.
fn entity(rest: &[u8], with: &mut Vec<u8>) -> Option<usize> {
    let end = rest.iter().take(10).position(|byte| *byte == b';')?;
    let c = match rest.get(1..end)? {
        b"quot" => '"',
        b"apos" | b"lsquo" | b"rsquo" => '\'',
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"nbsp" => ' ',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(hex(digits)?)?,
        [b'#', digits @ ..] => char::from_u32(std::str::from_utf8(digits).ok()?.parse().ok()?)?,
        _ => return None,
    };
    push(c, with);
    Some(end + 1)
}

/// Whether the text shows that its backslashes are escapes; see the module's documentation.
fn has_backslash_escapes(text: &[u8]) -> bool {
    memchr::memchr_iter(b':', text).any(|at| at > 0 && matches!(text[at - 1], b'"' | b'\''))
        || memchr::memchr_iter(b'\\', text)
            .any(|at| text.get(at + 1) == Some(&b'"') || text[at + 1..].starts_with(b"u00"))
        || memchr::memmem::find_iter(text, b": \"").any(|at| at > 0 && text[at - 1].is_ascii_alphanumeric())
}

/// Whether doubled quotes are CSV's way of writing one. In JSON `""` is an empty string, with no letter next
/// to it.
fn looks_like_csv(text: &[u8]) -> bool {
    let mut doubled = memchr::memmem::find_iter(text, b"\"\"");
    let inside = |at: usize| {
        let before = at.checked_sub(1).map(|i| text[i]);
        let after = text.get(at + 2).copied();
        let word = |byte: Option<u8>| {
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'{' || byte >= 0x80)
        };
        word(before) || word(after)
    };
    doubled.any(inside)
        && (text.first() == Some(&b'"')
            || memchr::memmem::find(text, b",\"").is_some()
            || memchr::memmem::find(text, b";\"").is_some()
            || memchr::memmem::find(text, b"\n\"").is_some())
}

/// How many bytes are normalized at once.
const PLAIN: usize = 64;

/// The class of a byte for [`Normalized`], as bits: it is compared, not dropped.
const COUNTS: u8 = 1;
/// The bytes around it decide what becomes of it.
const SPECIAL: u8 = 4;
/// It is a capital letter. The same bit makes a letter a small one.
const CAPITAL: u8 = 0x20;
/// It is no part of a word, so a capital letter after it is the first of a word. One bit to the left of
/// [`CAPITAL`], so that a shift turns it into the mask for the next byte.
const BEFORE_WORD: u8 = 0x40;

/// The class of each byte.
static CLASSES: [u8; 256] = {
    let mut shapes = [COUNTS | BEFORE_WORD; 256];
    let mut i = 0;
    while i < 256 {
        shapes[i] = match i as u8 {
            b' ' | b'\t' | b'\r' | 0x0b | 0x0c | b'-' | b'*' | b'"' | b'`' => BEFORE_WORD,
            b'\n' | b'\'' | b'(' | 0xc2 | 0xe2 => SPECIAL,
            b'A'..=b'Z' => COUNTS | CAPITAL,
            b'0'..=b'9' | b'a'..=b'z' | b'_' | 0x80.. => COUNTS,
            _ => COUNTS | BEFORE_WORD,
        };
        i += 1;
    }
    shapes
};

/// A run of plain bytes that was normalized.
struct PlainRun {
    /// How many bytes were read.
    len: usize,
    /// How many of them were kept.
    kept: usize,
    /// Whether the last is part of a word.
    in_word: bool,
}

/// Text in the form in which wordings are compared, with the map to text indices.
///
/// Dropped are white space, quotes, hyphens and asterisks: logs wrap lines, change quotes, and write
/// "allow-list" and "allow list". Contractions are written out (`doesn't` as `doesnot`), `(s)` is `s`, and
/// the first letter of each word is a small one. All other bytes stay: `GUC` differs from `guc`.
#[derive(Debug, Default, Clone)]
pub struct Normalized {
    /// The bytes that are compared.
    pub bytes: Vec<u8>,
    /// The text index of each.
    text_indices: Vec<u32>,
}

impl Normalized {
    /// Normalizes `text`.
    pub fn new(text: &[u8]) -> Normalized {
        Normalized::default().reuse(text)
    }

    /// Normalizes `text` in the memory of `self`, whose contents are no longer needed.
    pub fn reuse(self, text: &[u8]) -> Normalized {
        work::add(text.len());
        let mut normalized = self;
        // Contractions that are written out add at most half, and a whole block is written after the last
        // byte kept.
        let most = text.len() + text.len() / 2 + PLAIN + 2;
        normalized.bytes.resize(most, 0);
        normalized.text_indices.resize(most, 0);
        let mut i = mail_quote(text);
        let mut end = 0;
        // Whether the character before is part of a word: a capital after it is inside of that word.
        let mut in_word = false;
        while i < text.len() {
            let run = normalized.plain(&text[i..], i, end, in_word);
            i += run.len;
            end += run.kept;
            in_word = run.in_word;
            if run.len == PLAIN {
                continue;
            }
            let Some(&byte) = text.get(i) else { break };
            match byte {
                b'\n' => {
                    in_word = false;
                    i += 1 + mail_quote(&text[i + 1..]);
                }
                b'\'' => {
                    end = normalized.contraction(text, i, 1, end);
                    in_word = false;
                    i += 1;
                }
                b'(' if in_word && text[i..].starts_with(b"(s)") => {
                    // It maps to the end of the mark, so that an argument after it does not start with `)`.
                    end = normalized.put(b's', i + 2, end);
                    i += 3;
                }
                0xc2 if matches!(text.get(i + 1), Some(0xa0 | 0xab | 0xbb)) => {
                    in_word = false;
                    i += 2;
                }
                0xe2 if is_dropped_mark(text.get(i..i + 3)) => {
                    if text[i + 2] == 0x99 {
                        end = normalized.contraction(text, i, 3, end);
                    }
                    in_word = false;
                    i += 3;
                }
                _ => {
                    end = normalized.put(byte, i, end);
                    in_word = byte >= 0x80;
                    i += 1;
                }
            }
        }
        normalized.bytes.truncate(end);
        normalized.text_indices.truncate(end);
        normalized
    }

    /// Normalizes the run of plain bytes at the start of `text`, at most [`PLAIN`]: bytes that mean the same
    /// whatever is around them. `from` is the text index of the first, `known` the number of bytes normalized
    /// so far. Each byte is written, and the next one over it if it is dropped: there is no branch to
    /// mispredict.
    fn plain(&mut self, text: &[u8], from: usize, known: usize, in_word: bool) -> PlainRun {
        let places = (self.bytes[known..].first_chunk_mut(), self.text_indices[known..].first_chunk_mut());
        let (Some(bytes), Some(indices)): (Option<&mut [u8; PLAIN]>, Option<&mut [u32; PLAIN]>) = places
        else {
            unreachable!("a block fits");
        };
        let (mut len, mut kept, mut index) = (text.len().min(PLAIN), 0, from as u32);
        // The bit that makes a capital a small letter; 0 inside a word.
        let mut fold = if in_word { 0 } else { CAPITAL };
        for (i, byte) in text[..len].iter().enumerate() {
            let class = CLASSES[usize::from(*byte)];
            if class & SPECIAL != 0 {
                len = i;
                break;
            }
            bytes[kept % PLAIN] = byte | class & fold;
            indices[kept % PLAIN] = index;
            kept += usize::from(class & COUNTS);
            index = index.wrapping_add(1);
            fold = class >> 1 & CAPITAL;
        }
        PlainRun { len, kept, in_word: fold == 0 }
    }

    /// Writes a byte after `known` others and returns how many there are.
    fn put(&mut self, byte: u8, text_index: usize, known: usize) -> usize {
        (self.bytes[known], self.text_indices[known]) = (byte, text_index as u32);
        known + 1
    }

    /// Writes the letters that a contraction leaves out at the apostrophe at `i`, which is `len` bytes long:
    /// `n't` is `not`, `'re` is `are`. Returns how many bytes there are after the `known` ones.
    fn contraction(&mut self, text: &[u8], i: usize, len: usize, known: usize) -> usize {
        let (before, rest) = (&self.bytes[..known], &text[i + len..]);
        let tail = rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let missing: &[u8] = match (&rest[..tail], before.last()) {
            (b"t", Some(b'n')) if before.ends_with(b"can") => b"no",
            (b"t", Some(b'n')) => b"o",
            (b"re", Some(last)) if last.is_ascii_alphabetic() => b"a",
            (b"ve", Some(last)) if last.is_ascii_alphabetic() => b"ha",
            (b"ll", Some(last)) if last.is_ascii_alphabetic() => b"wi",
            _ => b"",
        };
        missing.iter().fold(known, |known, byte| self.put(*byte, i, known))
    }

    /// Returns the text index of the normalized byte `i`.
    pub fn text_index(&self, i: usize) -> usize {
        self.text_indices[i] as usize
    }

    /// Returns the index of the first normalized byte that came from `text_index` or after it.
    pub fn index_of(&self, text_index: usize) -> usize {
        self.text_indices.partition_point(|&index| (index as usize) < text_index)
    }
}

/// Whether three bytes are a typographic quote, a hyphen or an en dash in UTF-8.
fn is_dropped_mark(bytes: Option<&[u8]>) -> bool {
    matches!(bytes, Some([0xe2, 0x80, 0x90..=0x93 | 0x98..=0x9f | 0xb2 | 0xb3 | 0x8b]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(raw: &str) -> String {
        String::from_utf8(UnescapedText::new(raw.as_bytes(), 0).bytes).expect("UTF-8")
    }

    fn normalized(text: &str) -> String {
        String::from_utf8(Normalized::new(text.as_bytes()).bytes).expect("UTF-8")
    }

    #[test]
    fn wordings_that_say_the_same_are_normalized_alike() {
        let same: &[&[&str]] = &[
            &["doesn't support", "does not  support", "doesn’t\nsupport", "Doesn't support"],
            &["can't be", "cannot be", "can not be", "can’t be"],
            &["they're not", "They are not"],
            &["couldn't", "could not"],
            &["the extension(s) of", "the extensions of"],
            &["non-system schema", "nonsystem schema", "non system schema"],
            &["pre-migration/post-migration", "premigration/postmigration"],
            &["SSL.Check", "SSL. Check", "SSL.\r\n> Check"],
            &["to *prefer* and", "to prefer and", "to “prefer” and"],
            &["allowlist", "allow-list", "allow list"],
        ];
        for texts in same {
            for text in *texts {
                assert_eq!(normalized(text), normalized(texts[0]), "{text:?}");
            }
        }
        assert_ne!(normalized("GUC"), normalized("guc"), "only first letters become small");
        assert_ne!(normalized("extension"), normalized("extensions"));
    }

    #[test]
    fn escapes_are_undone() {
        let cases = [
            (r#"{"message":"User \"repl\" doesn\u0027t"}"#, r#"{"message":"User "repl" doesn't"}"#),
            (r#"{"m":"{\"error\":\"a \\\"b\\\" c\\nd\"}"}"#, "{\"m\":\"{\"error\":\"a \"b\" c\nd\"}\"}"),
            ("\x1b[31mERROR\x1b[0m it", "ERROR it"),
            (r#"a,"said ""x"" to"#, r#"a,"said "x" to"#),
            ("a,\"in \"\"客户\"\".\"", "a,\"in \"客户\".\""),
            (r#"{"prefix":"","detail":""}"#, r#"{"prefix":"","detail":""}"#),
            ("database ''o''brien'' is", "database 'o'brien' is"),
            ("&lt;b&gt; isn&#39;t &quot;x&quot; &#x27;y&apos;", "<b> isn't \"x\" 'y'"),
            (r"User `CONTOSO\nadia` is", r"User `CONTOSO\nadia` is"),
            (r"{'message': 'it\'s\r\nso'}", "{'message': 'it's\r\nso'}"),
            ("m: \"a \\\"b\\\" on the\\\n  \\ source\"", "m: \"a \"b\" on the   source\""),
            (r#"{"m":"\ud83d\ude00\u00dc"}"#, r#"{"m":"😀Ü"}"#),
        ];
        for (raw, want) in cases {
            assert_eq!(text(raw), want);
        }
    }

    proptest! {
        /// Raw ranges are in order and not empty, and a raw start maps back to the byte that starts there.
        #[test]
        fn text_indices_and_raw_offsets_map_to_each_other(raw in "([a-z:{}\\[\\]]|\\\\\\\\|\\\\\"|\\\\u0027|\\\\n|&amp;|&#39;|''|\"\"|\x1b\\[1m|\"){0,40}", base in 0usize..9) {
            let text = UnescapedText::new(raw.as_bytes(), base);
            let mut before = base;
            for (i, byte) in text.bytes.iter().enumerate() {
                let (start, end) = (text.raw_start(i), text.raw_end(i + 1));
                prop_assert!(before <= start && start < end && end <= base + raw.len(), "{}", i);
                prop_assert!(end - start > 1 || raw.as_bytes()[start - base] == *byte);
                prop_assert!((0..=i).contains(&text.index_of(start)) && text.raw_start(text.index_of(start)) == start);
                prop_assert!(text.index_of(start + 1) > i);
                before = start;
            }
            prop_assert_eq!(text.index_of(base + raw.len()), text.bytes.len());
        }
    }

    #[test]
    fn text_indices_map_to_raw_offsets() {
        let raw = r#"{"m":"a \"b\" \u0027c"}"#;
        let text = UnescapedText::new(raw.as_bytes(), 100);
        let at = text.bytes.iter().position(|byte| *byte == b'c').expect("there");
        assert_eq!(text.raw_start(at), 100 + raw.find('c').expect("there"));
        assert_eq!(text.raw_end(at), 100 + raw.find('c').expect("there"));
        assert_eq!(text.raw_start(at - 1), 100 + raw.find("\\u0027").expect("there"));
        assert_eq!(text.index_of(text.raw_start(at)), at);
        assert_eq!(text.raw_end(text.bytes.len()), 100 + raw.len());
    }
}
