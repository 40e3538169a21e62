//! Context lines: the lines before and after a finding.
//!
//! A window's bytes and the range of a match come in; the lines around it go out as text, as many as were
//! asked for. Like everything that is reported they are a function of the bytes within fixed distances of the
//! match's start, so that no cut of the source into windows changes them: a line that starts farther away is
//! not shown. Findings that are close to each other share their lines. It does not know what was found.

use crate::matcher::bounds;
use crate::matcher::bytes::lossy;
use crate::matcher::normalized::UnescapedText;
use crate::redact::secrets::{self, KEY_REACH, MASK, is_in_key};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// The most lines that are shown on either side.
pub const MAX_LINES: usize = 100;
/// The most bytes of a line that are shown; a longer one is cut there and ends with [`CUT`].
pub const MAX_LINE_BYTES: usize = 512;
/// Marks the end of a line that was cut.
pub const CUT: char = '…';
/// How far from the start of the match a line may start, in bytes.
pub const MAX_DISTANCE: usize = 32 << 10;

/// How much of a line is searched for secrets, in bytes: what is after the bytes that are shown decides where a value
/// ends.
const MAX_SEARCHED: usize = MAX_LINE_BYTES + 256;

// A line that starts within reach can be read as far as it is searched, and so can the key that it may be a part of, in
// whatever window the match is.
const _: () = assert!(MAX_DISTANCE + MAX_SEARCHED + KEY_REACH < bounds::MARGIN);

/// The lines before and after the lines of a finding, in the source's order; secrets are masked, and bytes
/// that are not UTF-8 are replaced by U+FFFD.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContextLines {
    /// The lines before it.
    pub before: Vec<Arc<str>>,
    /// The lines after it.
    pub after: Vec<Arc<str>>,
}

/// Reads the context lines of one window's matches.
#[derive(Debug)]
pub struct ContextLinesReader<'a> {
    bytes: &'a [u8],
    lines: usize,
    /// Lines by where they start.
    known: HashMap<usize, Arc<str>>,
}

impl<'a> ContextLinesReader<'a> {
    /// A reader of at most `lines` lines on either side, never more than [`MAX_LINES`], in a window's
    /// `bytes`.
    pub fn new(bytes: &'a [u8], lines: usize) -> ContextLinesReader<'a> {
        ContextLinesReader { bytes, lines: lines.min(MAX_LINES), known: HashMap::new() }
    }

    /// The lines around the match at `range`.
    pub fn read(&mut self, range: &Range<usize>) -> ContextLines {
        let floor = range.start.saturating_sub(MAX_DISTANCE);
        let ceiling = self.bytes.len().min(range.start + MAX_DISTANCE);
        let mut before = Vec::new();
        let mut own = self.line_start(floor, range.start);
        while before.len() < self.lines
            && let Some(end) = own.and_then(|own| own.checked_sub(1))
            && let Some(start) = self.line_start(floor, end)
        {
            before.push(self.line(start));
            own = Some(start);
        }
        before.reverse();
        let mut after = Vec::new();
        let mut end = range.end.saturating_sub(1).max(range.start);
        while after.len() < self.lines
            && let Some(start) = self.next_line(end, ceiling)
        {
            after.push(self.line(start));
            end = start;
        }
        ContextLines { before, after }
    }

    /// Where the line that `at` is in starts; none if that is before `floor`.
    fn line_start(&self, floor: usize, at: usize) -> Option<usize> {
        // One byte more, so that a line that starts at the floor itself is found in any window.
        let from = floor.saturating_sub(1);
        let found = memchr::memrchr(b'\n', self.bytes.get(from..at)?).map(|i| from + i + 1);
        found.or((floor == 0).then_some(0))
    }

    /// Where the line after that of `at` starts; none if that is not before `ceiling`.
    fn next_line(&self, at: usize, ceiling: usize) -> Option<usize> {
        let next = at + memchr::memchr(b'\n', self.bytes.get(at..ceiling)?)? + 1;
        (next < ceiling).then_some(next)
    }

    /// The line that starts at `start` as it is shown.
    fn line(&mut self, start: usize) -> Arc<str> {
        if let Some(known) = self.known.get(&start) {
            return known.clone();
        }
        let bytes = self.bytes;
        let shown: Arc<str> = if is_in_key(bytes, start) { MASK.into() } else { shown(bytes, start) };
        self.known.insert(start, shown.clone());
        shown
    }
}

/// The line of `bytes` that starts at `start` as far as it is shown.
fn shown(bytes: &[u8], start: usize) -> Arc<str> {
    let end = line_end(bytes, start);
    let line = &bytes[start..end];
    let secrets = secrets_of(bytes, start..end);
    let shown = MAX_LINE_BYTES.min(line.len());
    // Not inside a character.
    let inside = |end: &usize| line.get(*end).is_some_and(|byte| byte & 0xc0 == 0x80);
    let shown = (shown.saturating_sub(3)..=shown).rev().find(|end| !inside(end)).unwrap_or(shown);
    // A copy: the bytes of a mapped file may change after they were found to be UTF-8.
    let text = secrets::cut(line, 0..shown, &secrets).into_owned();
    let text = lossy(&text);
    if shown < line.len() { format!("{text}{CUT}").into() } else { text.into() }
}

/// Where the line that starts at `start` ends, without its carriage return; at most as far as it is searched.
fn line_end(bytes: &[u8], start: usize) -> usize {
    // One byte more for a line break after the last byte, one for its carriage return.
    let reach = &bytes[start..bytes.len().min(start + MAX_SEARCHED + 2)];
    let line = memchr::memchr(b'\n', reach).map_or(reach, |end| &reach[..end]);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    start + line.len().min(MAX_SEARCHED)
}

/// The raw ranges of the secrets in a line, counted from its start. They are found in its text without escapes.
fn secrets_of(bytes: &[u8], line: Range<usize>) -> Vec<Range<usize>> {
    // The name of a value may be on the line before: `- name: PGPASSWORD` and `value: x`.
    let text = bytes[line.clone()].trim_ascii_start();
    let is_value = text.strip_prefix(b"\"").unwrap_or(text).starts_with(b"value");
    let before = line.start.checked_sub(1).filter(|_| is_value);
    let start = before.map_or(line.start, |end| {
        let floor = end.saturating_sub(MAX_LINE_BYTES);
        memchr::memrchr(b'\n', &bytes[floor..end]).map_or(line.start, |at| floor + at + 1)
    });
    let text = UnescapedText::new(&bytes[start..line.end], start);
    let raw = text.secrets().iter().map(|range| text.raw_start(range.start)..text.raw_end(range.end));
    let inside = raw.filter(|range| range.end > line.start);
    inside.map(|range| range.start.max(line.start) - line.start..range.end - line.start).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, needle: &str, lines: usize) -> (String, String) {
        let at = text.find(needle).expect("present");
        let found = ContextLinesReader::new(text.as_bytes(), lines).read(&(at..at + needle.len()));
        (found.before.join("|"), found.after.join("|"))
    }

    fn both(before: &str, after: &str) -> (String, String) {
        (before.to_string(), after.to_string())
    }

    #[test]
    fn whole_lines_around_a_match() {
        let text = "one\ntwo\r\n\nthree hit here\nfour\nfive\n";
        assert_eq!(read(text, "hit", 2), both("two|", "four|five"));
        assert_eq!(read(text, "hit", 9), both("one|two|", "four|five"));
        assert_eq!(read(text, "hit", 0), both("", ""));
        assert_eq!(read(text, "hit here\nfour", 1), both("", "five"));
        assert_eq!(read("hit", "hit", 3), both("", ""));
        assert_eq!(read("\nhit\n\n", "hit", 3), both("", ""));
        assert_eq!(ContextLinesReader::new(b"\nhit\n\n", 3).read(&(1..4)).before.len(), 1);
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let text = format!(
            "{}é{}\nhit\n{}\n",
            "x".repeat(MAX_LINE_BYTES - 1),
            "y".repeat(9),
            "z".repeat(MAX_LINE_BYTES)
        );
        let (before, after) = read(&text, "hit", 1);
        assert_eq!(before, format!("{}{CUT}", "x".repeat(MAX_LINE_BYTES - 1)));
        assert_eq!(after, "z".repeat(MAX_LINE_BYTES));
        let broken = [vec![0x80; MAX_LINE_BYTES + 9], b"\nhit".to_vec()].concat();
        let before =
            &ContextLinesReader::new(&broken, 1).read(&(MAX_LINE_BYTES + 10..broken.len())).before[0];
        assert!(before.chars().count() >= MAX_LINE_BYTES - 3 && before.ends_with(CUT), "{before}");
    }

    /// Lines beyond what every window holds are never shown.
    #[test]
    fn lines_that_start_far_away_are_not_shown() {
        let far = "x".repeat(MAX_DISTANCE);
        assert_eq!(read(&format!("a\n{far}hit{far}\nb"), "hit", 3), both("", ""));
        let near = "x".repeat(MAX_DISTANCE - 1);
        assert_eq!(read(&format!("a\n{near}hit\nb"), "hit", 3), both("", "b"));
        let (before, after) =
            read(&format!("{}hit\n{}", "line\n".repeat(9_000), "line\n".repeat(9_000)), "hit", 500);
        assert_eq!((before.split('|').count(), after.split('|').count()), (MAX_LINES, MAX_LINES));
    }
}
