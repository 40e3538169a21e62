//! Content: what tells the bytes of one file from those of another, as a scan reads them.
//!
//! A source is hashed in blocks, so that its windows can be hashed by whoever matches them: the hashes of whole blocks
//! are chained in their order, and the hash of all is that of the chain with the rest. So the hash of any begin can be
//! told, and hashing can go on where a chain is known. A [`Hasher`] hashes bytes as they come, a [`Reading`] takes the windows
//! of a file in their order.

use super::WINDOW_BYTES;
use crate::input::{Resume, Window};
use crate::matcher::record;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_128};

/// A hash of 128 bits.
pub type Hash = [u8; 16];

/// How many first bytes propose which content a file has.
pub const HEAD_BYTES: usize = 1024;
/// How many bytes before its end are hashed, to tell whether a file goes on behind them.
pub const TAIL_BYTES: usize = 32 << 10;
/// What is hashed as one, in bytes; windows begin where a block does.
const BLOCK_BYTES: usize = 1 << 20;

const _: () = assert!(TAIL_BYTES <= record::MARGIN && WINDOW_BYTES.is_multiple_of(BLOCK_BYTES));

/// What a file's bytes say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// Whether it holds members: its own bytes count, and nothing continues it; else the decoded bytes count.
    pub archive: bool,
    /// How many bytes count.
    pub length: u64,
    /// Their hash.
    pub hash: Hash,
    /// The hash of the first [`HEAD_BYTES`] of them; of what is read on, that of the first that were read.
    pub head: u64,
    /// Where a longer file that begins with this one can be read on, if that is worth it.
    pub continuation: Option<Continuation>,
}

/// How a large plain file can be read on when it has become longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Continuation {
    /// Far enough before the end that nothing found before changes with what comes behind.
    pub from: Resume,
    /// The hash of the last [`TAIL_BYTES`].
    pub tail: Hash,
}

/// The hash of the first bytes of a source.
pub fn head_hash(bytes: &[u8]) -> u64 {
    xxh3_64(&bytes[..bytes.len().min(HEAD_BYTES)])
}

/// The hash of the last bytes of a source.
pub fn tail_hash(bytes: &[u8]) -> Hash {
    xxh3_128(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]).to_be_bytes()
}

/// The hash of what a chain and the hash of the bytes behind it stand for.
fn linked(chain: &Hash, next: Hash) -> Hash {
    let mut both = [0; 32];
    both[..16].copy_from_slice(chain);
    both[16..].copy_from_slice(&next);
    xxh3_128(&both).to_be_bytes()
}

/// What an archive is by its own bytes, as far as they can be read.
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
        let taken = block.len();
        read.consume(taken);
    }
    Content { length: hasher.length, hash: hasher.hash(), ..content }
}

/// Hashes bytes as they come.
pub struct Hasher {
    chain: Hash,
    block: Xxh3,
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
    /// Takes the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len() as u64;
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(BLOCK_BYTES - self.filled));
            self.block.update(now);
            self.filled += now.len();
            bytes = rest;
            if self.filled == BLOCK_BYTES {
                self.chain = linked(&self.chain, self.block.digest128().to_be_bytes());
                self.block.reset();
                self.filled = 0;
            }
        }
    }

    /// The hash of all so far.
    pub fn hash(&self) -> Hash {
        if self.filled == 0 { self.chain } else { linked(&self.chain, self.block.digest128().to_be_bytes()) }
    }
}

/// The hashes of a window's core: what a worker tells of it.
#[derive(Debug)]
pub(super) struct Hashed {
    offset: u64,
    blocks: Vec<Hash>,
    bytes: usize,
    head: u64,
    tail: Hash,
    /// Whether it is the only window of its source.
    pub only: bool,
}

impl Hashed {
    /// Hashes the core of `window`, which begins where a block does.
    pub fn new(window: &Window<'_>) -> Hashed {
        let core: Range<usize> = window.core.clone();
        let blocks = window.bytes[core.clone()].chunks(BLOCK_BYTES);
        Hashed {
            offset: window.base + core.start as u64,
            blocks: blocks.map(|block| xxh3_128(block).to_be_bytes()).collect(),
            bytes: core.len(),
            head: head_hash(&window.bytes[core.start..]),
            // A document is never read on.
            tail: if window.whole.is_some() { [0; 16] } else { tail_hash(&window.bytes[..core.end]) },
            only: window.is_only(),
        }
    }
}

/// The content of a file whose windows come in order.
#[derive(Debug)]
pub(super) struct Reading {
    /// Where it was begun.
    pub from: u64,
    /// What it is so far.
    pub content: Content,
    chain: Hash,
    tail: Hash,
    /// The last places where it could be read on.
    places: [Option<Resume>; 3],
    /// Whether a window is missing: what stands behind does not count.
    torn: bool,
}

impl Reading {
    /// Begins with the first window, before which `from` is known.
    pub fn new(first: &Hashed, from: Option<Resume>) -> Reading {
        let from = from.filter(|from| from.offset == first.offset);
        let chain = from.map_or([0; 16], |from| from.chain);
        let length = from.map_or(0, |from| from.offset);
        let content = Content { length, hash: chain, head: first.head, ..Content::default() };
        Reading { from: length, content, chain, tail: [0; 16], places: [from, None, None], torn: false }
    }

    /// Takes the next window; `lines` is the number of line breaks before it.
    pub fn push(&mut self, window: &Hashed, lines: u64) {
        self.torn |= window.offset != self.content.length;
        if self.torn {
            return;
        }
        if window.offset > 0 && window.offset.is_multiple_of(WINDOW_BYTES as u64) {
            self.places.rotate_right(1);
            self.places[0] = Some(Resume { offset: window.offset, lines, chain: self.chain });
        }
        for block in &window.blocks {
            self.content.hash = linked(&self.chain, *block);
            self.chain = self.content.hash;
        }
        self.content.length += window.bytes as u64;
        self.tail = window.tail;
    }

    /// What was read; `plain` says whether it could be read on.
    pub fn finish(mut self, plain: bool) -> Content {
        let until = self.content.length.saturating_sub(record::MARGIN as u64);
        let place = self.places.iter().flatten().find(|place| place.offset <= until);
        self.content.continuation =
            place.filter(|_| plain && !self.torn).map(|from| Continuation { from: *from, tail: self.tail });
        self.content
    }
}
