//! Windows: a source cut into pieces that workers take.
//!
//! A [`Window`] is a slice of one decoded source: a core that tiles the source with the other windows' cores, and
//! margins in which context may be read. Where it is cut never shows in what is found.

use std::ops::Range;

/// A slice of a source with margins.
#[derive(Debug, Clone)]
pub struct Window<'a> {
    /// The bytes: margin, core, margin.
    pub bytes: &'a [u8],
    /// The offset of `bytes` in the source.
    pub base: u64,
    /// The core, as a range of `bytes`; what is found begins in it.
    pub core: Range<usize>,
    /// All of the source, where it is at most [`MAX_WHOLE_BYTES`](super::MAX_WHOLE_BYTES) bytes.
    pub whole: Option<&'a [u8]>,
}

impl<'a> Window<'a> {
    /// The one window over a whole source.
    pub fn whole(bytes: &'a [u8]) -> Window<'a> {
        Window { bytes, base: 0, core: 0..bytes.len(), whole: Some(bytes) }
    }

    /// Whether it is the only one of its source: nothing stands before or behind its core.
    pub fn is_only(&self) -> bool {
        self.base == 0 && self.core == (0..self.bytes.len())
    }
}
