//! Bounds: how far around a hit the matcher looks, and where a record of a log starts.
//!
//! A window and an offset in it come in; the range of the line, of the wrapped lines or of the JSON object
//! around it goes out. This file knows nothing of wordings, codes or times.
//!
//! # Why every bound is a fixed size
//!
//! A source is read in windows, and where they are cut depends on the number of threads, on the size of
//! buffers and on whether the file is mapped. The findings must not depend on it. So every decision about a
//! hit is a function of the bytes within a fixed distance of the hit, and a window holds at least that many
//! bytes on both sides of its core. The longest chain of decisions about a finding that starts in the core
//! is:
//!
//! ```text
//!            MARGIN                                core                               MARGIN
//! ├── MAX_LINE + MAX_CONTEXT ──┼─ SCAN_MARGIN ─┼─────────────────┼─ SCAN_MARGIN ─┼── MAX_LINE + MAX_CONTEXT ──┤
//!                              └─────────── stage 1 searches here ──────────────┘
//! ```
//!
//! - A message belongs to a code at most [`MAX_LINK`] bytes away, and which code is decided by other messages
//!   and codes that are as near to those. Three such steps are [`SCAN_MARGIN`], in which stage 1 searches as
//!   in the core. Matches that start outside of the core are dropped: they are another window's.
//! - A hit is judged by its line, [`MAX_LINE`] to either side, or by the lines that its message may be
//!   wrapped over, which reach less far.
//! - The context of a finding is read up to [`MAX_CONTEXT`] around it.
//!
//! # Long lines
//!
//! A line can be longer than any bound: a whole JSON document may be one line. Such a line is cut, but not at
//! a fixed distance from the hit, or two hits next to each other would see different text and normalize it
//! differently. It is cut at multiples of [`GRID`] of the offset in the *source*, the next but one in either
//! direction. With a grid of 4,096 bytes, a hit at the source offset 10,000 sees the bytes from 4,096 to
//! 16,384, and so does every hit from 8,192 to 12,287, in whatever window.
//!
//! The invariant is tested by `tests/it/invariants.rs`: any cut into windows finds the same.

use crate::input::Window;
use std::ops::Range;

/// The most bytes of a line that are read to either side of a hit; a longer line is cut.
pub const MAX_LINE: usize = 8 << 10;
/// A longer line is cut at multiples of this in its source.
pub const GRID: usize = MAX_LINE / 2;
/// How far before a hit a wrapped message may start, in bytes.
pub const WRAP_BEFORE: usize = 2 << 10;
/// How far after a hit a wrapped message may end, in bytes.
pub const WRAP_AFTER: usize = 4 << 10;
/// The longest message, in bytes: it is in one line, or in the wrapped lines around a hit.
pub const MAX_MESSAGE: usize = 2 * MAX_LINE + WRAP_BEFORE + WRAP_AFTER;
/// The most bytes between a code and its message.
pub const MAX_LINK: usize = 4 << 10;
/// The most line breaks between a code and its message outside of JSON.
pub const MAX_LINK_LINES: usize = 8;
/// How far around a window's core stage 1 searches, so that codes and messages on both sides of its edge are
/// joined.
pub const SCAN_MARGIN: usize = 3 * MAX_LINK;
/// How far around a finding its context is read, in bytes.
pub const MAX_CONTEXT: usize = 16 << 10;
/// A line that is longer than the context is cut at multiples of this in its source.
pub const CONTEXT_GRID: usize = MAX_CONTEXT / 2;
/// The bytes that a window must hold on both sides of its core.
pub const MARGIN: usize = SCAN_MARGIN + MAX_LINE + MAX_CONTEXT;

/// Asked between hits, tokens and findings whether the work is to end before it is done. A window may hold a million of
/// them, and a run that is interrupted ends soon.
pub type Stop<'s> = &'s dyn Fn() -> bool;

/// A side of a place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The bytes before it.
    Before,
    /// The bytes after it.
    After,
}

/// Returns the line around `at` without its line break. A long one is cut between a half of [`MAX_LINE`] and
/// all of it to either side.
pub fn line(window: &Window<'_>, at: usize) -> Range<usize> {
    line_on_grid(window, at, GRID)
}

/// Returns the line around `at` in which its context is read. A long one is cut between a half of
/// [`MAX_CONTEXT`] and all of it to either side.
pub fn context_line(window: &Window<'_>, at: usize) -> Range<usize> {
    line_on_grid(window, at, CONTEXT_GRID)
}

/// Returns the line around `at`, cut at the next but one multiple of `grid` to either side.
fn line_on_grid(window: &Window<'_>, at: usize, grid: usize) -> Range<usize> {
    // The grid is that of the source: a window may start anywhere in it.
    let into = ((window.base + at as u64) % grid as u64) as usize;
    line_within(window.bytes, at, into + grid, 2 * grid - into)
}

/// Returns the line around `at`, cut `before` and `after` bytes from it.
pub fn line_within(bytes: &[u8], at: usize, before: usize, after: usize) -> Range<usize> {
    let floor = at.saturating_sub(before);
    let ceiling = bytes.len().min(at + after);
    let start = memchr::memrchr(b'\n', &bytes[floor..at]).map_or(floor, |i| floor + i + 1);
    let end = memchr::memchr(b'\n', &bytes[at..ceiling]).map_or(ceiling, |i| at + i);
    start..end
}

/// Whether `line`, the line around some place, is the line around `at` as well. It is if it was not cut: both
/// of its ends are line breaks, because it is shorter than `least_cut`, the least distance from a place to a
/// cut.
pub fn is_whole_line(line: &Range<usize>, at: usize, least_cut: usize) -> bool {
    line.len() < least_cut && line.start <= at && at <= line.end
}

/// Returns the whole lines within [`WRAP_BEFORE`] and [`WRAP_AFTER`] of `at`, over which a message may be
/// wrapped; at least the line of `at`.
pub fn wrapped_lines(window: &Window<'_>, at: usize) -> Range<usize> {
    let (bytes, own) = (window.bytes, line(window, at));
    let floor = at.saturating_sub(WRAP_BEFORE);
    let ceiling = bytes.len().min(at + WRAP_AFTER);
    let start = if floor == 0 {
        0
    } else {
        memchr::memchr(b'\n', &bytes[floor..own.start.max(floor)]).map_or(own.start, |i| floor + i + 1)
    };
    let end = if ceiling == bytes.len() {
        ceiling
    } else {
        memchr::memrchr(b'\n', &bytes[own.end.min(ceiling)..ceiling])
            .map_or(own.end, |i| own.end.min(ceiling) + i)
    };
    start.min(own.start)..end.max(own.end)
}

/// Whether the record of the line that ends at `end` ends there as well: a new record or the end of the bytes
/// follows.
pub fn ends_record(bytes: &[u8], end: usize) -> bool {
    let next = &bytes[(end + 1).min(bytes.len())..bytes.len().min(end + 64)];
    next.is_empty() || starts_record(next.trim_ascii_start())
}

/// Returns the bytes that may hold the message of the code at `code`: the JSON object around it, else its
/// line and the lines of its record on the `side` of the code where the message is.
pub fn message_region(window: &Window<'_>, code: &Range<usize>, side: Side) -> Range<usize> {
    if let Some(object) = object(window.bytes, code) {
        return object;
    }
    let line = line(window, code.start);
    match side {
        Side::Before => with_lines_above(window.bytes, line, code),
        Side::After => with_lines_below(window.bytes, line, code),
    }
}

/// Returns `line` with the lines of its record above it.
fn with_lines_above(bytes: &[u8], line: Range<usize>, code: &Range<usize>) -> Range<usize> {
    let mut region = line;
    let floor = code.start.saturating_sub(MAX_LINK);
    for _ in 0..MAX_LINK_LINES {
        let own = &bytes[region.start..region.end];
        let Some(end) = region.start.checked_sub(1).filter(|end| *end > floor && !starts_record(own)) else {
            break;
        };
        let above = line_within(bytes, end, end - floor, 0);
        if bytes[above.clone()].trim_ascii().is_empty() {
            break;
        }
        region.start = above.start;
    }
    region
}

/// Returns `line` with the lines of its record below it.
fn with_lines_below(bytes: &[u8], line: Range<usize>, code: &Range<usize>) -> Range<usize> {
    let mut region = line;
    let limit = bytes.len().min(code.end + MAX_LINK);
    for _ in 0..MAX_LINK_LINES {
        let next = (region.end + 1).min(limit);
        let end = memchr::memchr(b'\n', &bytes[next..limit]).map_or(limit, |at| next + at);
        let text = bytes[next..end].trim_ascii();
        if next >= end || text.is_empty() || starts_record(text) {
            break;
        }
        region.end = end;
    }
    region
}

/// Returns the innermost JSON object around `code`, if it starts and ends within [`MAX_LINK`] bytes.
fn object(bytes: &[u8], code: &Range<usize>) -> Option<Range<usize>> {
    let mut depth = 0;
    let floor = code.start.saturating_sub(MAX_LINK);
    let start = memchr::memrchr2_iter(b'{', b'}', &bytes[floor..code.start]).find(|at| {
        depth += if bytes[floor + at] == b'{' { 1 } else { -1 };
        depth > 0
    })?;
    depth = 0;
    let end = memchr::memchr2_iter(b'{', b'}', &bytes[code.end..bytes.len().min(code.end + MAX_LINK)]).find(
        |at| {
            depth += if bytes[code.end + at] == b'}' { 1 } else { -1 };
            depth > 0
        },
    )?;
    Some(floor + start..code.end + end + 1)
}

/// Whether a line starts a record: its first bytes are a time stamp or open a JSON object.
pub fn starts_record(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    let line = line.strip_prefix(b"\"").or_else(|| line.strip_prefix(b"[")).unwrap_or(line);
    let digits =
        |range: Range<usize>| line.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    let at = |i: usize, mark: u8| line.get(i) == Some(&mark);
    let date = digits(0..4) && at(4, b'-') && digits(5..7) && at(7, b'-') && digits(8..10);
    let time = digits(0..2) && at(2, b':') && digits(3..5) && at(5, b':') && digits(6..8);
    date || time || line.starts_with(b"{\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded() {
        let bytes = b"one\ntwo\r\nthree";
        let text = &Window::whole(bytes);
        assert_eq!(&bytes[line(text, 5)], b"two\r");
        assert_eq!(&bytes[line(text, 0)], b"one");
        assert_eq!(&bytes[line(text, bytes.len())], b"three");
        let long = vec![b'x'; 3 * MAX_LINE];
        for base in [0, 1, 5_000] {
            let window = &Window { base: base as u64, ..Window::whole(&long) };
            for at in [0, 1, GRID - 1, GRID, MAX_LINE + 7, long.len() - 1, long.len()] {
                let Range { start, end } = line(window, at);
                assert!(
                    start == 0 || at - start >= GRID && (base + start).is_multiple_of(GRID),
                    "{base} {at}"
                );
                assert!(
                    end == long.len() || end - at >= GRID && (base + end).is_multiple_of(GRID),
                    "{base} {at}"
                );
                assert!(at - start <= MAX_LINE && end - at <= MAX_LINE, "{base} {at}");
            }
            assert_eq!(line(window, 2 * GRID - base % GRID), line(window, 3 * GRID - 1 - base % GRID));
        }
        assert_eq!(line_within(bytes, 6, 1, 1), 5..7);
        for at in 0..=bytes.len() {
            for other in 0..=bytes.len() {
                let same = line(text, at) == line(text, other);
                assert_eq!(is_whole_line(&line(text, at), other, GRID), same, "{at} {other}");
            }
        }
        assert!(!is_whole_line(&line(&Window::whole(&long), MAX_LINE + 7), MAX_LINE + 8, GRID));
    }

    #[test]
    fn wrapped_regions_are_whole_lines_around_the_hit() {
        let text = [b"aaaaaaaaa\n".repeat(600), b"hit here\n".to_vec(), b"bbbbbbbbb\n".repeat(900)].concat();
        let range = wrapped_lines(&Window::whole(&text), 6003);
        assert!(range.start >= 6003 - WRAP_BEFORE && range.start.is_multiple_of(10), "{range:?}");
        assert!(range.end <= 6003 + WRAP_AFTER && text[range.end] == b'\n', "{range:?}");
        assert_eq!(wrapped_lines(&Window::whole(b"short"), 2), 0..5);
    }

    #[test]
    fn records_start_with_times_and_objects() {
        for line in [
            "2024-06-06 21:37:45.518 80 ERROR",
            "[2024-06-06T21",
            "05:25:20\t46",
            "{\"time\":",
            "\"2026-05-16 05",
        ] {
            assert!(starts_record(line.as_bytes()), "{line}");
        }
        for line in ["target server.", "12 and later", "603104: x", "\"details\": 1", "2024 was"] {
            assert!(!starts_record(line.as_bytes()), "{line}");
        }
    }
}
