//! lz4's legacy format: blocks of up to 8 MiB, each after its compressed size. There is no checksum and no
//! end mark: a stream ends where it is cut between two blocks, or where another magic number follows.
//!
//! The crate decodes a block as a whole or not at all, and a whole log is often one block. So blocks are
//! decoded here, and what precedes damage or a cut is kept. What counts as damage is what `lz4 -t` rejects.

use super::{Codec, FRAME_COST_BYTES, FrameDecoder, Padding, Spec, magic_suffices};
use crate::input::peek::PeekReader;
use std::io::{self, Read};

const MAGIC: [u8; 4] = [0x02, 0x21, 0x4c, 0x18];
/// The most that a block decodes to.
const MAX_BLOCK_BYTES: usize = 8 << 20;
/// The most that a compressed block takes. A larger size is the magic number of what follows.
const MAX_PACKED_BYTES: u32 = (MAX_BLOCK_BYTES + MAX_BLOCK_BYTES / 255 + 16) as u32;
/// A block and what it is decoded from.
const READER_BYTES: u64 = MAX_BLOCK_BYTES as u64 + MAX_PACKED_BYTES as u64;

/// The shortest match.
const MIN_MATCH_BYTES: usize = 4;
/// How many literals end a block, at least, if it has a match.
const LAST_LITERALS: usize = 5;
/// How far from the largest end of a block its last match starts, at least.
const MATCH_MARGIN_BYTES: usize = 12;

pub(super) static SPEC: Spec = Spec {
    codec: Codec::Lz4Legacy,
    name: "legacy lz4",
    magic: &MAGIC,
    head_bytes: 4,
    confirm: magic_suffices,
    open: |mut reader, _| {
        reader.read_exact(&mut [0; MAGIC.len()])?;
        Ok(Box::new(Lz4Legacy { reader, block: Vec::new(), text: Vec::new(), given: 0, failed: None }))
    },
    memory_left: |memory| memory.saturating_sub(READER_BYTES),
    frame_cost_bytes: FRAME_COST_BYTES,
    followed_by: &[Codec::Lz4, Codec::Lz4Legacy],
    padding: Padding::None,
    skippable_frames: true,
    zip_methods: &[],
};

struct Lz4Legacy<'r> {
    reader: PeekReader<'r>,
    /// A compressed block, and what it decodes to, of which `given` bytes were passed on.
    block: Vec<u8>,
    text: Vec<u8>,
    given: usize,
    /// What is wrong after the text.
    failed: Option<io::Error>,
}

impl Lz4Legacy<'_> {
    /// Decodes the next block; whether there is one.
    fn next_block(&mut self) -> io::Result<bool> {
        let size = match self.reader.peek(4) {
            [] => {
                // If peeking met an error, reading returns it.
                return self.reader.read(&mut [0]).map(|_| false);
            }
            size => match size.first_chunk() {
                Some(size) => u32::from_le_bytes(*size),
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            },
        };
        if size > MAX_PACKED_BYTES {
            return Ok(false);
        }
        self.reader.read_exact(&mut [0; 4])?;
        self.block.clear();
        let got = self.reader.by_ref().take(size.into()).read_to_end(&mut self.block);
        let cut = self.block.len() < size as usize;
        (self.given, self.failed) = (0, None);
        self.text.clear();
        let decoded = decode_block(&self.block, &mut self.text);
        self.failed = match (got, decoded) {
            (Err(error), _) => Some(error),
            (Ok(_), _) if cut => Some(io::ErrorKind::UnexpectedEof.into()),
            (Ok(_), None) => Some(io::Error::new(io::ErrorKind::InvalidData, "corrupt block")),
            (Ok(_), Some(())) => None,
        };
        Ok(true)
    }
}

impl Read for Lz4Legacy<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !into.is_empty() {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if !self.next_block()? {
                return Ok(0);
            }
        }
        let count = into.len().min(self.text.len() - self.given);
        into[..count].copy_from_slice(&self.text[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

impl<'r> FrameDecoder<'r> for Lz4Legacy<'r> {
    fn into_reader(self: Box<Self>) -> PeekReader<'r> {
        self.reader
    }
}

/// Appends what `block` decodes to; `None` if it is damaged or cut, after all that precedes that.
///
/// A block is a series of literals and matches: a token with both lengths, the literals, and how far back the
/// match is. The last has literals only.
fn decode_block(mut block: &[u8], text: &mut Vec<u8>) -> Option<()> {
    loop {
        let (token, rest) = block.split_first()?;
        block = rest;
        let literals = length(usize::from(token >> 4), &mut block)?;
        let known = literals.min(block.len()).min(MAX_BLOCK_BYTES - text.len());
        text.extend_from_slice(&block[..known]);
        if known < literals {
            return None;
        }
        block = &block[literals..];
        if block.is_empty() {
            return Some(());
        }
        // The match, a token and the last literals have to follow.
        if block.len() < 2 + 1 + LAST_LITERALS || text.len() > MAX_BLOCK_BYTES - MATCH_MARGIN_BYTES {
            return None;
        }
        let (distance, rest) = block.split_first_chunk()?;
        block = rest;
        let distance = usize::from(u16::from_le_bytes(*distance));
        let bytes = MIN_MATCH_BYTES + length(usize::from(token & 15), &mut block)?;
        if distance == 0 || distance > text.len() || bytes > MAX_BLOCK_BYTES - LAST_LITERALS - text.len() {
            return None;
        }
        copy_match(distance, bytes, text);
    }
}

/// Returns a length of which the token holds `first`; further bytes continue it.
fn length(first: usize, block: &mut &[u8]) -> Option<usize> {
    let mut length = first;
    let mut more = first == 15;
    while more {
        let (byte, rest) = block.split_first()?;
        *block = rest;
        length += usize::from(*byte);
        more = *byte == u8::MAX;
    }
    Some(length)
}

/// Appends `bytes` bytes that start `distance` bytes before the end of the text, and may reach into
/// themselves.
fn copy_match(distance: usize, bytes: usize, text: &mut Vec<u8>) {
    let (start, end) = (text.len() - distance, text.len() + bytes);
    while text.len() < end {
        // Each round doubles what there is to copy.
        let count = (text.len() - start).min(end - text.len());
        text.extend_from_within(start..start + count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The crate is the reference. What it accepts has the same content here; of what is cut, a prefix is left.
        #[test]
        fn blocks_are_what_the_crate_reads(
            words in prop::collection::vec("[ab]{1,3}|[a-z]{1,40}", 0..200),
            cut in any::<prop::sample::Index>(),
            flip in any::<(prop::sample::Index, u8)>(),
        ) {
            let text = words.concat().into_bytes();
            let mut block = lz4_flex::block::compress(&text);
            let mut got = Vec::new();
            prop_assert_eq!(decode_block(&block, &mut got), Some(()));
            prop_assert_eq!(&got, &text);
            got.clear();
            // A cut after literals leaves a block that is complete.
            decode_block(&block[..cut.index(block.len())], &mut got);
            prop_assert!(text.starts_with(&got));
            let at = flip.0.index(block.len());
            block[at] ^= flip.1;
            got.clear();
            if decode_block(&block, &mut got).is_some() {
                prop_assert_eq!(lz4_flex::block::decompress(&block, MAX_BLOCK_BYTES).ok(), Some(got));
            }
        }
    }

    #[test]
    fn a_block_decodes_to_no_more_than_its_limit() {
        // One literal, and a match that repeats it 32 million times.
        let long = [vec![255; 130_000], vec![0]].concat();
        let block = [&b"\x1fa\x01\0"[..], &long, &b"\x50aaaaa"[..]].concat();
        let mut text = Vec::new();
        assert_eq!(decode_block(&block, &mut text), None);
        assert_eq!(text, b"a");
    }
}
