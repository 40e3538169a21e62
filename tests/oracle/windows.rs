//! Windows and matcher: the matches are the same wherever a source is cut, and those of `naive`.

use super::generated::{Choices, log};
use super::matcher;
use migsift::context::{ContextLines, ContextLinesReader};
use migsift::input::Window;
use migsift::matcher::{Match, bounds};

/// The longest source, in bytes: a few windows with their margins.
const MAX_BYTES: usize = 96 << 10;
/// The longest source for `naive`, in bytes: shorter than what the matcher reads around any hit.
#[cfg(fuzzing)]
const MAX_NAIVE_BYTES: usize = bounds::WRAP_BEFORE;

/// Returns the matches in a window, with `lines` lines around them.
pub fn in_window(window: &Window<'_>, lines: usize) -> Vec<(Match, ContextLines)> {
    let mut reader = ContextLinesReader::new(window.bytes, lines);
    let around = |found: Match| {
        let context_lines = reader.read(&found.range);
        (found, context_lines)
    };
    matcher().scan(window).into_iter().map(around).collect()
}

/// Returns all matches of `bytes` in windows with cores of `core` bytes and no more than the margins, with
/// the lines around them.
pub fn in_windows(bytes: &[u8], core: usize, lines: usize) -> Vec<(Match, ContextLines)> {
    let mut found = Vec::new();
    for from in (0..bytes.len()).step_by(core) {
        let to = bytes.len().min(from + core);
        let start = from.saturating_sub(bounds::MARGIN);
        let end = bytes.len().min(to + bounds::MARGIN);
        let window = Window {
            bytes: &bytes[start..end],
            base: start as u64,
            core: from - start..to - start,
            whole: None,
        };
        found.extend(in_window(&window, lines).into_iter().map(|(mut found, context_lines)| {
            found.range = found.range.start + start..found.range.end + start;
            (found, context_lines)
        }));
    }
    found
}

/// Checks both properties. The first bytes of `data` decide how the rest is used (as the source, or as
/// choices from which one is made) and how it is cut.
pub fn check(data: &[u8]) {
    let mut choices = Choices(data);
    let (how, core, lines) = (choices.byte(), choices.byte() * 256 + choices.byte(), choices.byte() % 4);
    let made;
    let bytes = if how % 2 == 0 {
        choices.take(MAX_BYTES)
    } else {
        made = log(&mut choices, MAX_BYTES);
        &made
    };
    let whole = in_window(&Window::whole(bytes), lines);
    for (found, _) in &whole {
        assert!(!found.range.is_empty() && found.range.end <= bytes.len(), "{found:?}");
    }
    let cut = in_windows(bytes, core.max(1 + bytes.len() / 40), lines);
    assert_eq!(cut, whole, "cut into {core}: {:?}", String::from_utf8_lossy(bytes));
    #[cfg(fuzzing)]
    if bytes.len() <= MAX_NAIVE_BYTES {
        let naive = migsift::matcher::naive(matcher(), bytes);
        let found: Vec<Match> = whole.into_iter().map(|(found, _)| found).collect();
        if !inner_messages(&found, &naive) {
            assert_eq!(found, naive, "{:?}", String::from_utf8_lossy(bytes));
        }
    }
}

/// Whether `found` and `naive` differ in a way that is known: `naive` also starts from words on an earlier line
/// than that of the anchor, reads an argument that runs over another message up to the anchor, and takes this
/// longer message. The matcher starts from the anchor and takes the message on its line, which is better.
#[cfg_attr(not(fuzzing), allow(dead_code))]
fn inner_messages(found: &[Match], naive: &[Match]) -> bool {
    let only_naive = naive.iter().filter(|message| !found.contains(message));
    let mut longer = only_naive.filter(|outer| {
        let (id, range) = (outer.id, &outer.range);
        found
            .iter()
            .any(|inner| inner.id == id && inner.range.end == range.end && inner.range.start > range.start)
    });
    longer.next().is_some()
}
