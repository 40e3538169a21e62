//! Key blocks: private keys in PEM.
//!
//! A text comes in; the range of each key goes out. A key has many lines, and a log's prefix or a mark of quoted mail may
//! be on each. A line that is shown alone may be in the middle of one: [`is_in_key`] looks at the bytes around it.

use super::Text;
use memchr::memmem;
use std::ops::Range;

/// The fewest base64 digits at the end of a line that may be a line of a key.
pub(super) const MIN_KEY_LINE: usize = 60;
/// The fewest base64 digits at the end of a line that goes on with a key.
const MIN_KEY_REST: usize = 16;
/// The longest key, in bytes, from its first line to its last: one of 16,384 bits has 13 kB.
const MAX_KEY: usize = 16 << 10;
/// How far from a line its key's first or last line is looked for, in bytes: one of 8,192 bits has 6.4 kB.
pub const KEY_REACH: usize = 3 << 10;
/// What all first lines hold.
const FIRST_LINE: &[u8] = b"-----BEGIN ";
const LAST_LINE: &[u8] = b"-----END ";

/// Whether the line that starts at `at` is inside of a key whose first or last line is at most [`KEY_REACH`] bytes away.
/// In a longer key, the lines in the middle are full, which is enough to recognize them.
pub fn is_in_key(raw: &[u8], at: usize) -> bool {
    let before = &raw[at.saturating_sub(KEY_REACH)..at];
    let after = &raw[at..raw.len().min(at + KEY_REACH)];
    let line_end = memchr::memchr(b'\n', after).unwrap_or(after.len());
    // On another line than this one, and before another key.
    let end = memmem::find(after, LAST_LINE)
        .filter(|end| *end > line_end && is_private(&after[end + LAST_LINE.len()..]));
    let closed = end.is_some_and(|end| memmem::find(&after[..end], FIRST_LINE).is_none());
    let looks_like_key = |line: &[u8]| base64_tail(line) >= MIN_KEY_REST;
    let line = &after[..line_end];
    let open = memmem::rfind(before, FIRST_LINE).map(|first| &before[first..]);
    if let Some(open) = open.filter(|open| !is_end(open) && is_private(&open[FIRST_LINE.len()..])) {
        let mut lines = open.split(|byte| *byte == b'\n').skip(1).filter(|line| !line.is_empty());
        if !is_end(line) && (closed || lines.all(looks_like_key) && looks_like_key(line)) {
            return true;
        }
    }
    // Its first line is missing. The last line is shorter than the one before it.
    let last = before.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    base64_tail(last) >= MIN_KEY_LINE && (closed || looks_like_key(line))
}

/// Whether the label of a first or last line is that of a private key.
fn is_private(label: &[u8]) -> bool {
    memmem::find(&label[..label.len().min(64)], b"PRIVATE KEY").is_some()
}

fn is_end(line: &[u8]) -> bool {
    memmem::find(line, LAST_LINE).is_some()
}

/// The ranges of keys, without the lines around them; one without an end goes on as long as lines look like it.
fn blocks(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    memmem::find_iter(text, FIRST_LINE).filter_map(|first| {
        let reach = &text[first..text.len().min(first + MAX_KEY)];
        let label = &reach[FIRST_LINE.len()..];
        let label_end = memmem::find(&label[..label.len().min(64)], b"-----")?;
        is_private(&label[..label_end]).then_some(())?;
        let start = FIRST_LINE.len() + label_end + 5;
        // Of this key, not of the next one.
        let end = memmem::find(&reach[start..], LAST_LINE).map(|end| start + end);
        let end = end.filter(|end| memmem::find(&reach[start..*end], FIRST_LINE).is_none());
        let end = end.unwrap_or_else(|| unfinished(reach, start));
        Some(first + start..first + end)
    })
}

/// Where a key without a last line ends.
fn unfinished(text: &[u8], start: usize) -> usize {
    // No key has a quote: it ends the string that the key is in.
    let line_end =
        |from: usize| memchr::memchr3(b'\n', b'"', b'\'', &text[from..]).map_or(text.len(), |end| from + end);
    let mut end = line_end(start);
    while text.get(end) == Some(&b'\n') {
        let next = line_end(end + 1);
        if base64_tail(&text[end + 1..next]) < MIN_KEY_REST {
            break;
        }
        end = next;
    }
    end
}

/// The keys in a text.
pub(super) fn in_text(text: &Text<'_>, found: &mut Vec<Range<usize>>) {
    found.extend(blocks(text.bytes));
}

/// Lines that may be of a key whose first line is not in the text: base64 from the last blank on.
pub(super) fn key_lines(text: &Text<'_>, found: &mut Vec<Range<usize>>) {
    let mut start = 0;
    while start < text.bytes.len() {
        let end = text.line_end(start);
        let line = text.bytes[start..end].trim_ascii_end();
        let tail = base64_tail(line);
        if tail >= MIN_KEY_LINE {
            let end = start + line.len();
            let key = &text.bytes[end - tail..end];
            if key.iter().any(u8::is_ascii_uppercase) && key.iter().any(u8::is_ascii_lowercase) {
                found.push(end - tail..end);
            }
        }
        start = end + 1;
    }
}

/// The number of base64 digits at the end of a line, if a blank or nothing is before them.
fn base64_tail(line: &[u8]) -> usize {
    let line = line.trim_ascii_end();
    let is_digit = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let digits = line.iter().rev().take_while(is_digit).count();
    let before = line.len() - digits;
    if before == 0 || matches!(line[before - 1], b' ' | b'\t' | b'"' | b'>' | b'|' | b'\'') {
        digits
    } else {
        0
    }
}
