//! Lines: how many line breaks stand before a place in a window.
//!
//! Blocks come in while stage 1 has them in a near cache; a count for any place goes out, for which less than a block
//! is read again. In the only window of a source lines are counted when somebody asks, which mostly nobody does.

/// How many bytes both searches of stage 1 read in turn, so that the second finds them in the cache.
pub(super) const BLOCK: usize = 64 << 10;

/// The line breaks of the bytes that stage 1 has seen, or is about to see.
#[derive(Debug)]
pub struct Lines {
    start: usize,
    /// Line breaks before each block, and before the end.
    before: Vec<u64>,
}

impl Lines {
    pub(super) fn new(start: usize) -> Lines {
        Lines { start, before: vec![0] }
    }

    /// Takes in the next block.
    pub(super) fn push(&mut self, block: &[u8]) {
        let before = self.before.last().copied().unwrap_or(0);
        self.before.push(before + breaks(block));
    }

    /// How many line breaks stand between `from` and `to`, offsets of the window that was scanned, `bytes`.
    ///
    /// # Panics
    ///
    /// If they were not scanned.
    pub fn between(&self, bytes: &[u8], from: usize, to: usize) -> u64 {
        let block = |at: usize| (at - self.start) / BLOCK;
        if self.before.len() == 1 || block(from) == block(to) {
            return breaks(&bytes[from..to]);
        }
        let upto = |at: usize| self.before[block(at)] + breaks(&bytes[self.start + block(at) * BLOCK..at]);
        upto(to) - upto(from)
    }
}

/// How many bytes are counted side by side: a few vectors, so that compilers make vector code of the loop.
const LANES: usize = 64;

/// The line breaks in `bytes`. Each lane counts in a byte, which holds 255: half of the time of a search that goes from
/// break to break, on lines as long as those of logs.
fn breaks(bytes: &[u8]) -> u64 {
    bytes.chunks(usize::from(u8::MAX) * LANES).map(run).sum()
}

/// The line breaks in at most 255 times as many bytes as there are lanes.
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

    /// Lanes that are full do not begin anew.
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
