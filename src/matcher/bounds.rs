//! Records: how far around a hit one looks, and where a new record begins.
//!
//! All bounds are fixed sizes around the hit, so that what is found never depends on where a window was cut. They are
//! stated here and nowhere else; a window's margin is larger than their sum along the longest chain of decisions.

use crate::input::Window;
use std::ops::Range;

/// How far a line is followed from a hit in either direction, in bytes, at most; a longer line is cut.
pub const MAX_LINE: usize = 8 << 10;
/// A longer line is cut at offsets of its source that are multiples of this, the next but one in either direction: so
/// hits that stand close together see the same part of it.
pub const GRID: usize = MAX_LINE / 2;
/// How far before a hit a wrapped message may begin, in bytes.
pub const WRAP_BEFORE: usize = 2 << 10;
/// How far behind a hit a wrapped message may end, in bytes.
pub const WRAP_AFTER: usize = 4 << 10;
/// The longest message, in bytes: it lies in its line, or in the lines that are looked at around a hit.
pub const MAX_MESSAGE: usize = 2 * MAX_LINE + WRAP_BEFORE + WRAP_AFTER;
/// How far apart a code and its message may stand, in bytes.
pub const MAX_LINK: usize = 4 << 10;
/// How many line breaks may stand between a code and its message outside of JSON.
pub const MAX_LINK_LINES: usize = 8;
/// How far around a window's core hits are looked for, so that codes and messages across its edge are joined.
pub const SCAN_MARGIN: usize = 3 * MAX_LINK;
/// How far around a finding its context is read, in bytes.
pub const MAX_CONTEXT: usize = 16 << 10;
/// A longer line is cut at multiples of this there.
pub const CONTEXT_GRID: usize = MAX_CONTEXT / 2;
/// What a window must hold on both sides of its core, in bytes.
pub const MARGIN: usize = SCAN_MARGIN + MAX_LINE + MAX_CONTEXT;

/// The line around `at`, without its line break. A long one is cut between a half of [`MAX_LINE`] and all of it to
/// either side.
pub fn line(window: &Window<'_>, at: usize) -> Range<usize> {
    line_by(window, at, GRID)
}

/// The line around `at` in which its context is read: a long one is cut between a half of [`MAX_CONTEXT`] and all of it to
/// either side.
pub fn context_line(window: &Window<'_>, at: usize) -> Range<usize> {
    line_by(window, at, CONTEXT_GRID)
}

/// The line around `at`, cut at the next but one multiple of `grid` to either side.
fn line_by(window: &Window<'_>, at: usize, grid: usize) -> Range<usize> {
    // A window begins anywhere in its source.
    let into = ((window.base + at as u64) % grid as u64) as usize;
    line_within(window.bytes, at, into + grid, 2 * grid - into)
}

/// The line around `at`, cut at `before` and `after` bytes.
pub fn line_within(bytes: &[u8], at: usize, before: usize, after: usize) -> Range<usize> {
    let floor = at.saturating_sub(before);
    let ceiling = bytes.len().min(at + after);
    let start = memchr::memrchr(b'\n', &bytes[floor..at]).map_or(floor, |i| floor + i + 1);
    let end = memchr::memchr(b'\n', &bytes[at..ceiling]).map_or(ceiling, |i| at + i);
    start..end
}

/// Whether `line`, cut at `most` bytes or more to either side of a place in it, is the line around `at` as well: both of its
/// ends are its own.
pub fn is_line(line: &Range<usize>, at: usize, most: usize) -> bool {
    line.len() < most && line.start <= at && at <= line.end
}

/// The whole lines within [`WRAP_BEFORE`] and [`WRAP_AFTER`] around `at`; the line itself where it is longer.
pub fn wrapped(window: &Window<'_>, at: usize) -> Range<usize> {
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

/// Whether nothing of the line that ends at `end` goes on behind it: a new record or the end follows.
pub fn ends_record(bytes: &[u8], end: usize) -> bool {
    let next = &bytes[(end + 1).min(bytes.len())..bytes.len().min(end + 64)];
    next.is_empty() || starts_record(next.trim_ascii_start())
}

/// What may hold the message of the code at `code`: the JSON object around it, else its line and the lines of the record
/// behind it or, for a code behind its message, before it.
pub fn around(window: &Window<'_>, code: &Range<usize>, trailing: bool) -> Range<usize> {
    let bytes = window.bytes;
    if let Some(object) = object(bytes, code) {
        return object;
    }
    let mut region = line(window, code.start);
    let floor = code.start.saturating_sub(MAX_LINK);
    for _ in 0..if trailing { MAX_LINK_LINES } else { 0 } {
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
    let limit = bytes.len().min(code.end + MAX_LINK);
    for _ in 0..if trailing { 0 } else { MAX_LINK_LINES } {
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

/// The innermost JSON object around `code`, if it begins and ends within [`MAX_LINK`] bytes.
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

/// Whether a line begins a record of its own: a time stamp or a JSON object at its head.
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
                assert_eq!(is_line(&line(text, at), other, GRID), same, "{at} {other}");
            }
        }
        assert!(!is_line(&line(&Window::whole(&long), MAX_LINE + 7), MAX_LINE + 8, GRID));
    }

    #[test]
    fn wrapped_regions_are_whole_lines_around_the_hit() {
        let text = [b"aaaaaaaaa\n".repeat(600), b"hit here\n".to_vec(), b"bbbbbbbbb\n".repeat(900)].concat();
        let range = wrapped(&Window::whole(&text), 6003);
        assert!(range.start >= 6003 - WRAP_BEFORE && range.start.is_multiple_of(10), "{range:?}");
        assert!(range.end <= 6003 + WRAP_AFTER && text[range.end] == b'\n', "{range:?}");
        assert_eq!(wrapped(&Window::whole(b"short"), 2), 0..5);
    }

    #[test]
    fn records_begin_with_times_and_objects() {
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
