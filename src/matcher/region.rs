//! Regions: a range of a window in its unescaped and its normalized form, computed once for all hits in it.
//!
//! A range of raw bytes comes in; its text, its normalized text and their positions go out. Several hits may
//! be on one line (a code, a title and a message), so the region of the last hit is kept for the next one,
//! and its memory is reused. Normalizing is put off until it is needed: most digits are judged without. This
//! file does not know what is searched for in a region.

use super::bounds;
use super::normalized::{Normalized, UnescapedText};
use super::wording::Haystack;
use crate::input::Window;
use std::cell::{Cell, OnceCell};
use std::ops::Range;

/// A range of a window with its text.
pub(super) struct Region {
    /// The range of raw bytes in the window.
    pub range: Range<usize>,
    /// Their unescaped text.
    pub text: UnescapedText,
    /// Its normalized form, once it was needed.
    normalized: OnceCell<Normalized>,
    /// The memory for it, of a region that is no longer needed.
    spare: Cell<Normalized>,
}

impl Region {
    pub fn new(bytes: &[u8], range: Range<usize>) -> Region {
        Region::reusing(None, bytes, range)
    }

    /// Returns the region of `range` in the memory of `last`.
    fn reusing(last: Option<Region>, bytes: &[u8], range: Range<usize>) -> Region {
        let (text, spare) = match last {
            Some(last) => (last.text, last.normalized.into_inner().unwrap_or_else(|| last.spare.take())),
            None => Default::default(),
        };
        let text = text.reuse(&bytes[range.clone()], range.start);
        Region { range, text, normalized: OnceCell::new(), spare: Cell::new(spare) }
    }

    /// Returns the region of the line around `at`: `last` if it is that one, else a new one that replaces it.
    pub fn line<'k>(window: &Window<'_>, at: usize, last: &'k mut Option<Region>) -> &'k Region {
        let line = match last {
            Some(known) if bounds::is_whole_line(&known.range, at, bounds::GRID) => known.range.clone(),
            _ => bounds::line(window, at),
        };
        match last.take() {
            Some(known) if known.range == line => last.insert(known),
            known => last.insert(Region::reusing(known, window.bytes, line)),
        }
    }

    /// Returns the normalized text.
    pub fn normalized(&self) -> &Normalized {
        self.normalized.get_or_init(|| self.spare.take().reuse(&self.text.bytes))
    }

    /// Returns the normalized index of the first byte that came from the raw offset `at` or after it.
    pub fn index_of(&self, at: usize) -> usize {
        self.normalized().index_of(self.text.index_of(at))
    }

    /// Returns the text in which wordings are searched for.
    pub fn haystack(&self) -> Haystack<'_> {
        Haystack { text: &self.text, normalized: self.normalized() }
    }
}
