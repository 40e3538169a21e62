//! Rows: findings encoded as bytes by the worker that found them.
//!
//! Findings come in; bytes go out, ready to be written. Most of the cost of a line of output is thus spent in
//! parallel, before its turn. Only the line number is missing: it depends on all that precedes the window. So
//! a row is encoded with a hole, and the writer fills in the number. What a row looks like is known to the
//! [`Encode`] function alone.

use super::sink::Encode;
use crate::finding::Finding;
use std::io::Write;

/// How many encoded bytes count as one finding against the bound on output that waits.
const BYTES_PER_COST: usize = 1 << 10;

/// How many bytes are passed on at once.
const BYTES_AT_ONCE: usize = 64 << 10;

/// The rows of one window's findings.
#[derive(Default)]
pub(super) struct Rows {
    bytes: Vec<u8>,
    holes: Vec<Hole>,
}

/// A missing line number.
struct Hole {
    /// Its place in the bytes.
    place: usize,
    /// The line, counted from the window's core.
    line: u64,
}

impl Rows {
    /// Appends a finding.
    pub fn push(&mut self, finding: &Finding, encode: Encode) {
        let place = encode(finding, &mut self.bytes);
        self.holes.push(Hole { place, line: finding.line });
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.holes.is_empty()
    }

    /// Returns their share of the bound on output that waits.
    pub fn cost(&self) -> usize {
        self.bytes.len().div_ceil(BYTES_PER_COST)
    }

    /// Passes `write` the rows piece by piece, with line numbers. `lines_before` is how many lines precede
    /// the window's core. `buffer` is scratch memory; it is empty before and after.
    pub fn write<E>(
        self,
        lines_before: u64,
        buffer: &mut Vec<u8>,
        mut write: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut done = 0;
        for Hole { place, line } in self.holes {
            buffer.extend_from_slice(&self.bytes[done..place]);
            // Writing to a vector cannot fail.
            let _ = write!(buffer, "{}", lines_before + line);
            done = place;
            if buffer.len() >= BYTES_AT_ONCE {
                write(buffer)?;
                buffer.clear();
            }
        }
        buffer.extend_from_slice(&self.bytes[done..]);
        write(buffer)?;
        buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_in_pieces_with_line_numbers() {
        let (count, row) = (3_000, b"<> and what follows\n");
        let mut rows = Rows::default();
        for line in 0..count {
            rows.holes.push(Hole { place: rows.bytes.len() + 1, line });
            rows.bytes.extend_from_slice(row);
        }
        assert_eq!(rows.cost(), (count as usize * row.len()).div_ceil(BYTES_PER_COST));
        let (mut pieces, mut all, mut buffer) = (0, Vec::new(), Vec::new());
        let write = |piece: &[u8]| {
            pieces += 1;
            all.extend_from_slice(piece);
            Ok::<(), ()>(())
        };
        assert_eq!(rows.write(9, &mut buffer, write), Ok(()));
        let want: String = (0..count).map(|line| format!("<{}> and what follows\n", line + 9)).collect();
        assert_eq!((all, buffer), (want.into_bytes(), Vec::new()));
        assert!(pieces > 1, "{pieces}");
    }

    #[test]
    fn writing_ends_at_the_first_error() {
        let rows = Rows {
            bytes: vec![b'x'; 4 * BYTES_AT_ONCE],
            holes: vec![
                Hole { place: 2 * BYTES_AT_ONCE, line: 1 },
                Hole { place: 3 * BYTES_AT_ONCE, line: 2 },
            ],
        };
        let mut pieces = 0;
        let write = |_: &[u8]| {
            pieces += 1;
            Err(pieces)
        };
        assert_eq!(rows.write(0, &mut Vec::new(), write), Err(1));
        assert_eq!(pieces, 1);
    }
}
