//! Streams: a source that is read from start to end, cut into windows.
//!
//! A reader comes in; [`OwnedWindow`]s go out one by one. Each owns its bytes, so that one can be searched by
//! another thread while the next is read. What the windows guarantee is described in `window`.
//!
//! What has been read and not been handed out yet is held in one buffer. A window takes this buffer as it is;
//! only the margin before the next core is copied to the next buffer, and what was read ahead:
//!
//! ```text
//! held   [ margin | core | margin, read ahead ]
//!           done──┘      └── until
//! window [ margin | core | margin ]
//! next            [ margin | what was read ahead, then more ]
//! ```
//!
//! A source that may be a JSON document is held as a whole, if it is small enough to be read as one.

use super::{MAX_WHOLE_BYTES, Window};
use crate::error::SourceError;
use std::io::{self, Read};
use std::ops::Range;

/// The core of a stream's windows, in bytes: small enough to be in the cache still when the window is
/// searched, large enough that margins cost little.
pub const STREAM_WINDOW_BYTES: usize = 1 << 20;

/// How much is read at first, in bytes: many members of archives are small.
const FIRST_STEP_BYTES: usize = 4 << 10;

/// A window that owns its bytes.
#[derive(Debug)]
pub struct OwnedWindow {
    /// Margin, core, margin.
    pub bytes: Vec<u8>,
    base: u64,
    core: Range<usize>,
    whole: bool,
}

impl OwnedWindow {
    /// Borrows it.
    pub fn window(&self) -> Window<'_> {
        let whole = self.whole.then_some(&self.bytes[..]);
        Window { bytes: &self.bytes, base: self.base, core: self.core.clone(), whole }
    }
}

/// Cuts a stream into windows.
pub struct WindowReader<'r> {
    reader: &'r mut dyn Read,
    core_bytes: usize,
    margin_bytes: usize,
    /// What has been read and is still needed. Its first byte is at `base`; its first `done` bytes have been
    /// in a core.
    held: Vec<u8>,
    base: u64,
    done: usize,
    /// How the stream ended, if it has.
    end: Option<io::Result<()>>,
    started: bool,
}

impl<'r> WindowReader<'r> {
    /// Cuts `reader` into windows with cores of `core_bytes` bytes and margins of `margin_bytes`.
    pub fn new(reader: &'r mut dyn Read, core_bytes: usize, margin_bytes: usize) -> WindowReader<'r> {
        WindowReader {
            reader,
            core_bytes,
            margin_bytes,
            held: Vec::new(),
            base: 0,
            done: 0,
            end: None,
            started: false,
        }
    }

    /// Returns the next window, or `None` at the end. `spare` is memory to be used again.
    pub fn next(&mut self, spare: Vec<u8>) -> Option<OwnedWindow> {
        if !self.started {
            self.started = true;
            if let Some(document) = self.document() {
                return Some(document);
            }
        }
        self.fill(self.done + self.core_bytes + self.margin_bytes);
        if self.done == self.held.len() {
            return None;
        }
        let until = self.held.len().min(self.done + self.core_bytes);
        let kept = until.saturating_sub(self.margin_bytes);
        let mut rest = spare;
        rest.clear();
        rest.extend_from_slice(&self.held[kept..]);
        let mut bytes = std::mem::replace(&mut self.held, rest);
        bytes.truncate(until + self.margin_bytes);
        // What was read ahead is in the other buffer now.
        if bytes.capacity() > 2 * bytes.len() {
            bytes.shrink_to_fit();
        }
        let window = OwnedWindow { bytes, base: self.base, core: self.done..until, whole: false };
        self.base += kept as u64;
        self.done = until - kept;
        Some(window)
    }

    /// Reads the whole stream as one window, if it may be a JSON document and is small enough.
    fn document(&mut self) -> Option<OwnedWindow> {
        self.fill(self.core_bytes + self.margin_bytes);
        if self.held.is_empty() || !may_be_document(&self.held) {
            return None;
        }
        self.fill(MAX_WHOLE_BYTES as usize + 1);
        if self.end.is_none() || self.held.len() as u64 > MAX_WHOLE_BYTES {
            return None;
        }
        let bytes = std::mem::take(&mut self.held);
        (self.base, self.done) = (bytes.len() as u64, 0);
        Some(OwnedWindow { base: 0, core: 0..bytes.len(), whole: true, bytes })
    }

    /// Returns how many bytes the stream had.
    ///
    /// # Errors
    ///
    /// [`SourceError::Read`] with the offset, if an error ended the stream.
    pub fn finish(self) -> Result<u64, SourceError> {
        let bytes = self.base + self.held.len() as u64;
        match self.end {
            Some(Err(error)) => Err(SourceError::Read { offset: bytes, error }),
            _ => Ok(bytes),
        }
    }

    /// Reads until `len` bytes are held or the stream has ended.
    fn fill(&mut self, len: usize) {
        let mut filled = self.held.len();
        if filled >= len || self.end.is_some() {
            return;
        }
        // In steps that double, so that a small source never takes the memory of a large one.
        while filled < len {
            let step = len.min((filled + FIRST_STEP_BYTES).max(2 * filled));
            self.held.resize(step, 0);
            match self.reader.read(&mut self.held[filled..]) {
                Ok(0) => {
                    self.end = Some(Ok(()));
                    break;
                }
                Ok(got) => filled += got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.end = Some(Err(error));
                    break;
                }
            }
        }
        self.held.truncate(filled);
    }
}

/// Whether what starts with `head` may be one JSON document.
fn may_be_document(head: &[u8]) -> bool {
    head.trim_ascii_start().first().is_none_or(|byte| matches!(byte, b'{' | b'['))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cores tile the stream, and margins hold what is around them.
    #[test]
    fn cores_tile_the_stream() {
        let text: Vec<u8> = (0..MAX_WHOLE_BYTES + 5_000_000).map(|i| (i % 251) as u8).collect();
        let document = [b"  {".as_slice(), &text].concat();
        let large = text.len();
        for (text, len, core, margin) in [
            (&text, 0, 7, 3),
            (&text, 100, 7, 3),
            (&text, 100, 1000, 3),
            (&text, large, 3_000_001, 4096),
            (&document, 100, 7, 3),
            (&document, MAX_WHOLE_BYTES as usize, 1 << 20, 4096),
            (&document, large, 3_000_001, 4096),
        ] {
            let mut reader = &text[..len];
            let mut windows = WindowReader::new(&mut reader, core, margin);
            let mut next = 0;
            let mut spare = Vec::new();
            let whole = text[0] == b' ' && len as u64 <= MAX_WHOLE_BYTES;
            while let Some(owned) = windows.next(spare) {
                let window = owned.window();
                let base = window.base as usize;
                let (start, end) = (base + window.core.start, base + window.bytes.len());
                assert_eq!(start, next);
                next = base + window.core.end;
                assert!(end >= len.min(next + margin) && base <= start.saturating_sub(margin));
                assert_eq!(window.bytes, &text[base..end]);
                assert_eq!(window.whole.is_some(), whole);
                spare = owned.bytes;
            }
            assert_eq!((windows.finish().ok(), next), (Some(len as u64), len));
        }
    }

    #[test]
    fn what_precedes_an_error_is_shown() {
        struct Breaks(usize);
        impl Read for Breaks {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if self.0 == 0 {
                    return Err(io::Error::other("gone"));
                }
                let len = buffer.len().min(self.0);
                buffer[..len].fill(b'x');
                self.0 -= len;
                Ok(len)
            }
        }
        let mut reader = Breaks(1000);
        let mut windows = WindowReader::new(&mut reader, 64, 8);
        let mut shown = 0;
        while let Some(owned) = windows.next(Vec::new()) {
            shown += owned.window().core.len();
        }
        assert_eq!(shown, 1000);
        let result = windows.finish();
        assert_eq!(result.map_err(|error| error.to_string()), Err("gone at byte 1000".to_string()));
    }
}
