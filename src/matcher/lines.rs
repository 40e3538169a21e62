//! Lines: how many line breaks are before a place in a window.
//!
//! Blocks of bytes come in, one after another, while stage 1 has them in the cache; the number of line breaks
//! between any two places goes out. Less than two blocks are read again for it. This file does not know what
//! is at those places.
//!
//! The lines of a window that is the only one of its source are not counted while it is scanned: line numbers
//! are needed only for findings, and most sources have none.

use super::work;

/// How many bytes both searches of stage 1 read in turn, so that the second finds them in the cache.
pub(super) const BLOCK: usize = 64 << 10;

/// The line breaks of the bytes that stage 1 reads.
#[derive(Debug)]
pub struct Lines {
    start: usize,
    /// The line breaks before each block, and before the end; a single 0 if they are not counted yet.
    before: Vec<u64>,
}

impl Lines {
    pub(super) fn new(start: usize) -> Lines {
        Lines { start, before: vec![0] }
    }

    /// Counts the next block.
    pub(super) fn push(&mut self, block: &[u8]) {
        let before = self.before.last().copied().unwrap_or(0);
        self.before.push(before + breaks(block));
    }

    /// Returns the number of line breaks between `from` and `to`, offsets of the window that was scanned,
    /// `bytes`.
    ///
    /// # Panics
    ///
    /// If the offsets are outside of the bytes that were scanned.
    pub fn between(&self, bytes: &[u8], from: usize, to: usize) -> u64 {
        let block = |at: usize| (at - self.start) / BLOCK;
        if self.before.len() == 1 || block(from) == block(to) {
            work::add(to - from);
            return breaks(&bytes[from..to]);
        }
        let upto = |at: usize| self.before[block(at)] + breaks(&bytes[self.start + block(at) * BLOCK..at]);
        // The bytes of a mapped file may have changed since the blocks were counted.
        upto(to).saturating_sub(upto(from))
    }
}

/// How many bytes are counted side by side: a few vectors, so that the compiler vectorises the loop.
const LANES: usize = 64;

/// Returns the number of line breaks in `bytes`. Each lane counts in a byte, which holds at most 255. On
/// lines as long as those of logs, this takes half of the time of a search from break to break.
fn breaks(bytes: &[u8]) -> u64 {
    bytes.chunks(usize::from(u8::MAX) * LANES).map(run).sum()
}

/// Returns the number of line breaks in at most 255 bytes for each lane.
fn run(bytes: &[u8]) -> u64 {
    let is_break = |byte: &u8| u8::from(*byte == b'\n');
    let mut lanes = [0u8; LANES];
    let rows = bytes.chunks_exact(LANES);
    let rest: u64 = rows.remainder().iter().map(|byte| u64::from(is_break(byte))).sum();
    for row in rows {
        for (lane, byte) in lanes.iter_mut().zip(row) {
            // Never more than 255; a check would keep the loop from being vectorised.
            *lane = lane.wrapping_add(is_break(byte));
        }
    }
    rest + lanes.iter().map(|lane| u64::from(*lane)).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A full lane does not start at 0 again.
    #[test]
    fn breaks_are_counted_in_any_length() {
        let full = 255 * LANES;
        for len in [0, 1, LANES - 1, LANES, LANES + 1, full - 1, full, full + 1, full + LANES, 3 * full + 5] {
            assert_eq!(breaks(&vec![b'\n'; len]), len as u64);
            assert_eq!(breaks(&vec![b'x'; len]), 0);
            let third: Vec<u8> = (0..len).map(|i| if i % 3 == 0 { b'\n' } else { 0x8a }).collect();
            assert_eq!(breaks(&third), len.div_ceil(3) as u64);
        }
    }

    #[test]
    fn lines_are_counted_between_any_places() {
        let bytes: Vec<u8> = (0..5 * BLOCK / 2).map(|i| if i % 7 == 0 { b'\n' } else { b'x' }).collect();
        let start = 100;
        let mut lines = Lines::new(start);
        bytes[start..].chunks(BLOCK).for_each(|block| lines.push(block));
        let places = [100, 101, 5_000, start + BLOCK - 1, start + BLOCK, 2 * BLOCK, bytes.len()];
        for lines in [lines, Lines::new(start)] {
            for (i, from) in places.iter().enumerate() {
                for to in &places[i..] {
                    assert_eq!(lines.between(&bytes, *from, *to), breaks(&bytes[*from..*to]), "{from} {to}");
                }
            }
        }
    }
}
