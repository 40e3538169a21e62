//! Rows: findings as bytes, made by the worker that found them.
//!
//! Most of what a line of output costs is spent before its turn has come; the writer puts in the numbers of lines, which
//! follow from all that was read before.

use super::Encode;
use crate::finding::Finding;
use std::io::Write;

/// How many bytes of rows take as much of the room for what waits as a finding.
const BYTES_OF_WEIGHT: usize = 1 << 10;

/// How many bytes are handed on at once.
const BYTES_AT_ONCE: usize = 64 << 10;

/// The rows of one window's findings.
#[derive(Default)]
pub(super) struct Rows {
    bytes: Vec<u8>,
    /// Where numbers of lines go, and these numbers, counted from the window's core.
    lines: Vec<(usize, u64)>,
}

impl Rows {
    /// Appends a finding.
    pub fn push(&mut self, finding: &Finding, encode: Encode) {
        let place = encode(finding, &mut self.bytes);
        self.lines.push((place, finding.line));
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How much of the room for what waits they take.
    pub fn weight(&self) -> usize {
        self.bytes.len().div_ceil(BYTES_OF_WEIGHT)
    }

    /// Gives `put` the rows as they are printed, `before` lines being those before the window's core; `buffer` is memory to
    /// put them together in.
    pub fn each<E>(
        self,
        before: u64,
        buffer: &mut Vec<u8>,
        mut put: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut done = 0;
        for (place, line) in self.lines {
            buffer.extend_from_slice(&self.bytes[done..place]);
            // A vector takes all that is written.
            let _ = write!(buffer, "{}", before + line);
            done = place;
            if buffer.len() >= BYTES_AT_ONCE {
                put(buffer)?;
                buffer.clear();
            }
        }
        buffer.extend_from_slice(&self.bytes[done..]);
        put(buffer)?;
        buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_handed_on_in_pieces_with_their_lines() {
        let (count, row) = (3_000, b"<> and what follows\n");
        let mut rows = Rows::default();
        for line in 0..count {
            rows.lines.push((rows.bytes.len() + 1, line));
            rows.bytes.extend_from_slice(row);
        }
        assert_eq!(rows.weight(), (count as usize * row.len()).div_ceil(BYTES_OF_WEIGHT));
        let (mut pieces, mut all, mut buffer) = (0, Vec::new(), Vec::new());
        let put = |piece: &[u8]| {
            pieces += 1;
            all.extend_from_slice(piece);
            Ok::<(), ()>(())
        };
        assert_eq!(rows.each(9, &mut buffer, put), Ok(()));
        let want: String = (0..count).map(|line| format!("<{}> and what follows\n", line + 9)).collect();
        assert_eq!((all, buffer), (want.into_bytes(), Vec::new()));
        assert!(pieces > 1, "{pieces}");
    }

    #[test]
    fn nothing_follows_an_error() {
        let rows = Rows {
            bytes: vec![b'x'; 4 * BYTES_AT_ONCE],
            lines: vec![(2 * BYTES_AT_ONCE, 1), (3 * BYTES_AT_ONCE, 2)],
        };
        let mut pieces = 0;
        let put = |_: &[u8]| {
            pieces += 1;
            Err(pieces)
        };
        assert_eq!(rows.each(0, &mut Vec::new(), put), Err(1));
        assert_eq!(pieces, 1);
    }
}
