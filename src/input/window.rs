//! Windows: slices of a source with margins.
//!
//! The matcher sees a source only through a [`Window`]. So a file of any size is searched by any number of
//! threads, and compressed data while it is decoded, in little memory. Each window has a core, in which
//! findings may start, and margins on both sides, in which their context may be read:
//!
//! ```text
//! source   ├──────────────┬──────────────┬──────────────┤
//! window 1 [     core     | margin ]
//! window 2       [ margin |     core     | margin ]
//! window 3                      [ margin |     core     ]
//! ```
//!
//! Invariant (cut invariance): cores tile the source, so each finding starts in exactly one of them; margins
//! are at least as long as the longest record that the matcher looks at (its `record::MARGIN`), so a window
//! shows everything that decides about a finding in its core. Therefore the same findings come out wherever a
//! source is cut: for any window size, any number of threads, mapped, read or decoded.
//!
//! This file does not know where windows come from: `file` cuts mapped files, `stream` cuts readers.

use std::ops::Range;

/// A slice of a source with margins.
#[derive(Debug, Clone)]
pub struct Window<'a> {
    /// The bytes: margin, core, margin.
    pub bytes: &'a [u8],
    /// The offset of `bytes` in the source.
    pub base: u64,
    /// The core, as a range of `bytes`; findings start in it.
    pub core: Range<usize>,
    /// All of the source, if it has at most [`MAX_WHOLE_BYTES`](super::MAX_WHOLE_BYTES): a JSON document can
    /// only be read as a whole.
    pub whole: Option<&'a [u8]>,
}

impl<'a> Window<'a> {
    /// The one window over a whole source.
    pub fn whole(bytes: &'a [u8]) -> Window<'a> {
        Window { bytes, base: 0, core: 0..bytes.len(), whole: Some(bytes) }
    }

    /// Whether it is the only one of its source, without margins.
    pub fn is_only(&self) -> bool {
        self.base == 0 && self.core == (0..self.bytes.len())
    }
}
