//! Content: the identity of a file by its bytes, computed while the file is scanned.
//!
//! Windows of a file come in, hashed by the workers that matched them; a [`Content`] goes out. What it is
//! compared with, and why, is known to the store.
//!
//! A file of many windows is scanned by many workers, but a hash is sequential. So a source is hashed in
//! *blocks* of 1 MiB: whoever matches a window hashes its blocks, and the writer, to whom windows come in
//! order, *chains* the block hashes.
//!
//! ```text
//! bytes   [block 0][block 1][block 2][rest]      windows start at block borders
//! chain   c1 = h(0 ‖ b0)   c2 = h(c1 ‖ b1)   c3 = h(c2 ‖ b2)
//! hash    h(c3 ‖ rest)
//! ```
//!
//! This has two uses beyond speed. Hashing can resume at any window whose chain is known, so that a log that
//! has grown need not be read again. And the hash of each earlier prefix of a file is computed on the way,
//! without reading the prefix twice: that is how a grown log is recognised. A [`Hasher`] computes the same
//! from bytes as they come.

use super::WINDOW_BYTES;
use crate::input::{Resume, Window};
use crate::matcher::bounds;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_128};

/// A hash of 128 bits.
pub type Hash = [u8; 16];

/// How many first bytes are hashed to find candidates for the content of a file.
pub const HEAD_BYTES: usize = 1024;
/// How many last bytes are hashed to check that a file still has them before it is resumed after them.
pub const TAIL_BYTES: usize = 32 << 10;
/// How many bytes are hashed as one; windows start at multiples.
const BLOCK_BYTES: usize = 1 << 20;

const _: () = assert!(TAIL_BYTES <= bounds::MARGIN && WINDOW_BYTES.is_multiple_of(BLOCK_BYTES));

/// The identity of a file's bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// Whether it is an archive. Then its own bytes are hashed, and no file continues it; else its decoded
    /// bytes are.
    pub archive: bool,
    /// How many bytes are hashed.
    pub length: u64,
    /// The hash of all of them.
    pub hash: Hash,
    /// The hash of the first `HEAD_BYTES`; if reading was resumed, of the first that were read.
    pub head: u64,
    /// How a longer file that starts with these bytes can be resumed, if that is worth it.
    pub continuation: Option<Continuation>,
}

/// How a large plain file can be resumed when it has grown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Continuation {
    /// Where to resume: far enough before the end that no finding before it depends on bytes after the end.
    pub from: Resume,
    /// The hash of the last `TAIL_BYTES`.
    pub tail: Hash,
}

/// Whether a file was read as it is, or decoded. Only a file that was read as it is can be resumed at an
/// offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadAs {
    /// Its own bytes were scanned.
    Plain,
    /// What a decoder made of them was scanned.
    Decoded,
}

/// Returns the hash of the first bytes of a source.
pub fn head_hash(bytes: &[u8]) -> u64 {
    xxh3_64(&bytes[..bytes.len().min(HEAD_BYTES)])
}

/// Returns the hash of the last bytes of a source.
pub fn tail_hash(bytes: &[u8]) -> Hash {
    xxh3_128(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]).to_be_bytes()
}

/// Returns a chain with one more block, or with the rest.
fn chained(chain: &Hash, next: Hash) -> Hash {
    let mut both = [0; 32];
    both[..16].copy_from_slice(chain);
    both[16..].copy_from_slice(&next);
    xxh3_128(&both).to_be_bytes()
}

/// Returns the content of an archive, as far as its bytes can be read.
pub(super) fn archive(bytes: impl Read) -> Content {
    let mut hasher = Hasher::default();
    let mut read = BufReader::with_capacity(BLOCK_BYTES / 4, bytes);
    let mut content = Content { archive: true, ..Content::default() };
    while let Ok(block) = read.fill_buf()
        && !block.is_empty()
    {
        if hasher.length == 0 {
            content.head = head_hash(block);
        }
        hasher.update(block);
        let length = block.len();
        read.consume(length);
    }
    Content { length: hasher.length, hash: hasher.hash(), ..content }
}

/// Hashes bytes as they come.
pub struct Hasher {
    chain: Hash,
    block: Xxh3,
    /// Bytes of the open block.
    filled: usize,
    /// How many bytes there were.
    pub length: u64,
}

impl Default for Hasher {
    fn default() -> Hasher {
        Hasher { chain: [0; 16], block: Xxh3::new(), filled: 0, length: 0 }
    }
}

impl Hasher {
    /// Hashes the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len() as u64;
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(BLOCK_BYTES - self.filled));
            self.block.update(now);
            self.filled += now.len();
            bytes = rest;
            if self.filled == BLOCK_BYTES {
                self.chain = chained(&self.chain, self.block.digest128().to_be_bytes());
                self.block.reset();
                self.filled = 0;
            }
        }
    }

    /// Returns the hash of all bytes so far.
    pub fn hash(&self) -> Hash {
        if self.filled == 0 { self.chain } else { chained(&self.chain, self.block.digest128().to_be_bytes()) }
    }
}

/// The hashes of a window's core, computed by the worker that matches it.
#[derive(Debug)]
pub(super) struct WindowHashes {
    offset: u64,
    blocks: Vec<Hash>,
    bytes: usize,
    head: u64,
    tail: Hash,
    /// Whether it is the only window of its source.
    pub only: bool,
}

impl WindowHashes {
    /// Hashes the core of `window`, which starts at a block border.
    pub fn new(window: &Window<'_>) -> WindowHashes {
        let core: Range<usize> = window.core.clone();
        let blocks = window.bytes[core.clone()].chunks(BLOCK_BYTES);
        WindowHashes {
            offset: window.base + core.start as u64,
            blocks: blocks.map(|block| xxh3_128(block).to_be_bytes()).collect(),
            bytes: core.len(),
            head: head_hash(&window.bytes[core.start..]),
            // A file that is one document is never resumed.
            tail: if window.whole.is_some() { [0; 16] } else { tail_hash(&window.bytes[..core.end]) },
            only: window.is_only(),
        }
    }
}

/// Builds the content of a file from its windows in order.
#[derive(Debug)]
pub(super) struct ContentBuilder {
    /// Where reading started.
    pub from: u64,
    /// The content of what was read so far.
    pub content: Content,
    chain: Hash,
    tail: Hash,
    /// The last places where the file can be resumed, the latest first.
    places: [Option<Resume>; 3],
    /// Whether a window is missing: windows after it do not count.
    has_gap: bool,
}

impl ContentBuilder {
    /// Starts with the first window. `from` is where reading resumed, if the file was read up to there
    /// before.
    pub fn new(first: &WindowHashes, from: Option<Resume>) -> ContentBuilder {
        let from = from.filter(|from| from.offset == first.offset);
        let chain = from.map_or([0; 16], |from| from.chain);
        let length = from.map_or(0, |from| from.offset);
        let content = Content { length, hash: chain, head: first.head, ..Content::default() };
        let places = [from, None, None];
        ContentBuilder { from: length, content, chain, tail: [0; 16], places, has_gap: false }
    }

    /// Adds the next window. `lines` is the number of line breaks before it.
    pub fn push(&mut self, window: &WindowHashes, lines: u64) {
        self.has_gap |= window.offset != self.content.length;
        if self.has_gap {
            return;
        }
        if window.offset > 0 && window.offset.is_multiple_of(WINDOW_BYTES as u64) {
            self.places.rotate_right(1);
            self.places[0] = Some(Resume { offset: window.offset, lines, chain: self.chain });
        }
        for block in &window.blocks {
            self.content.hash = chained(&self.chain, *block);
            self.chain = self.content.hash;
        }
        self.content.length += window.bytes as u64;
        self.tail = window.tail;
    }

    /// Returns the content. It can be continued if the file was read as it is, whole, and has a place to
    /// resume at least a margin before its end.
    pub fn finish(mut self, read_as: ReadAs) -> Content {
        let until = self.content.length.saturating_sub(bounds::MARGIN as u64);
        let place = self.places.iter().flatten().find(|place| place.offset <= until);
        self.content.continuation = place
            .filter(|_| read_as == ReadAs::Plain && !self.has_gap)
            .map(|from| Continuation { from: *from, tail: self.tail });
        self.content
    }
}
