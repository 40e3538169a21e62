//! Files that change while they are read: no stage relies on what another one, or the same one a moment before, has read.
//!
//! A mapped file shows what others write to it. So stage 1 reads one version of the bytes here, stage 2 another, and the
//! context a third, all of one length, as a mapping keeps its own. What is found may be anything, but it lies in the bytes.

use super::generated::{Choices, log};
use super::matcher;
use migsift::context::{ContextLinesReader, ContextReader};
use migsift::finding::{Builder, Sanitizer};
use migsift::input::Window;
use migsift::source::Origin;
use std::path::Path;
use std::sync::Arc;

/// The longest source, in bytes.
const MAX_BYTES: usize = 8 << 10;
/// What changes the reading of the bytes around it.
const MARKS: &[u8] = b"\0\n\r \"'`\\&;{}[]():.,60<>\x1b\x80\xc2\xe2\x99\xff";

/// Checks that any change between the stages ends well. The first half of `data` makes the bytes, the second changes
/// them twice.
pub fn check(data: &[u8]) {
    let (own, changes) = data.split_at(data.len() / 2);
    let mut choices = Choices(changes);
    let first = log(&mut Choices(own), MAX_BYTES);
    let second = changed(&first, &mut choices);
    let third = changed(&second, &mut choices);
    let matches = matcher().scan_changed(&first, &Window::whole(&second));
    let (window, utc) = (Window::whole(&third), jiff::tz::TimeZone::UTC);
    let reader = ContextReader::new(&window, &utc);
    let builder = Builder { matcher: matcher(), origin: Arc::new(Origin::path(Path::new("a.log"))) };
    let (mut lines, mut sanitizer) = (ContextLinesReader::new(&third, 3), Sanitizer::new(None));
    for found in matches {
        assert!(found.range.start <= found.range.end && found.range.end <= third.len(), "{found:?}");
        let mut finding = builder.build(&found, &window, &reader, 1);
        sanitizer.sanitize(&mut finding, builder.entry(found.id));
        lines.read(&found.range);
    }
}

/// Returns the bytes after some changes: cut and read as zeros, moved, or overwritten by marks or other text.
fn changed(bytes: &[u8], choices: &mut Choices<'_>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.is_empty() {
        return bytes;
    }
    for _ in 0..choices.byte() % 24 {
        let at = (choices.byte() << 8 | choices.byte()) % bytes.len();
        let part = &mut bytes[at..];
        match choices.byte() % 5 {
            0 => part.fill(0),
            1 => part.rotate_left(choices.byte() % part.len()),
            2 => {
                let mark = MARKS[choices.byte() % MARKS.len()];
                let len = part.len().min(1 + choices.byte() % 8);
                part[..len].fill(mark);
            }
            3 => part.iter_mut().for_each(|byte| *byte = byte.to_ascii_uppercase()),
            _ => {
                let text = choices.some();
                let len = part.len().min(text.len());
                part[..len].copy_from_slice(&text[..len]);
            }
        }
    }
    bytes
}
