//! Streams: windows from one buffer.
//!
//! A reader comes in; each window is shown to a function while its bytes are in the buffer. The buffer holds one core
//! and two margins, or the whole stream as long as that is small enough to be a document.

use super::{MAX_WHOLE, Window, encoding};
use crate::error::SourceError;
use std::io::{self, Read};
use std::ops::ControlFlow;

/// Cuts what `reader` gives, decoded by its byte order mark, into windows with cores of `core` bytes and margins of
/// `margin`, and shows each to `show` until it breaks. Gives the number of bytes shown in cores.
///
/// # Errors
///
/// [`SourceError::Read`], with the offset; what was read before it has been shown.
pub fn stream(
    reader: &mut dyn Read,
    core: usize,
    margin: usize,
    show: &mut dyn FnMut(&Window<'_>) -> ControlFlow<()>,
) -> Result<u64, SourceError> {
    let mut decoded = encoding::decode(reader);
    let reader: &mut dyn Read = &mut decoded;
    let mut buffer = Vec::new();
    let mut end = fill(reader, &mut buffer, MAX_WHOLE as usize + 1);
    let whole = end.is_some() && buffer.len() as u64 <= MAX_WHOLE;
    // `base` is the offset of the buffer's first byte; the first `done` bytes have been in a core.
    let (mut base, mut done) = (0u64, 0usize);
    loop {
        if end.is_none() {
            end = fill(reader, &mut buffer, done + core + margin);
        }
        let until = buffer.len().min(done + core);
        let whole = whole.then_some(&buffer[..]);
        let window = Window { bytes: &buffer, base, core: done..until, whole };
        let stopped = show(&window).is_break();
        done = until;
        if stopped || end.is_some() && done == buffer.len() {
            break;
        }
        if whole.is_none() {
            let dropped = done.saturating_sub(margin);
            buffer.drain(..dropped);
            base += dropped as u64;
            done -= dropped;
        }
    }
    match end {
        Some(Err(error)) => Err(SourceError::Read { offset: base + buffer.len() as u64, error }),
        _ => Ok(base + done as u64),
    }
}

/// Reads until `buffer` holds `len` bytes; says how the stream ended, if it did.
fn fill(reader: &mut dyn Read, buffer: &mut Vec<u8>, len: usize) -> Option<io::Result<()>> {
    let missing = len.saturating_sub(buffer.len());
    match reader.take(missing as u64).read_to_end(buffer) {
        Ok(got) if got < missing => Some(Ok(())),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cores tile the stream and margins hold what is around them.
    #[test]
    fn cores_tile_the_stream() {
        let text: Vec<u8> = (0..MAX_WHOLE + 5_000_000).map(|i| (i % 251) as u8).collect();
        for (len, core, margin) in [(0, 7, 3), (100, 7, 3), (100, 1000, 3), (text.len(), 3_000_001, 4096)] {
            let mut next = 0;
            let shown = stream(&mut &text[..len], core, margin, &mut |window| {
                let start = window.base as usize + window.core.start;
                assert_eq!(start, next);
                next = window.base as usize + window.core.end;
                let end = window.base as usize + window.bytes.len();
                assert!(
                    end >= len.min(next + margin) && window.base as usize <= start.saturating_sub(margin)
                );
                assert_eq!(window.bytes, &text[window.base as usize..end]);
                assert_eq!(window.whole.is_some(), len <= MAX_WHOLE as usize);
                ControlFlow::Continue(())
            });
            assert_eq!((shown.ok(), next), (Some(len as u64), len));
        }
    }

    #[test]
    fn what_stood_before_an_error_is_shown() {
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
        let mut shown = 0;
        let result = stream(&mut Breaks(1000), 64, 8, &mut |window| {
            shown += window.core.len();
            ControlFlow::Continue(())
        });
        assert_eq!(shown, 1000);
        assert_eq!(result.map_err(|error| error.to_string()), Err("gone at byte 1000".to_string()));
    }
}
