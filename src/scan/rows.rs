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
