//! Sparse members of tar archives: files with holes, of which only the data between the holes is stored.
//!
//! A map says where the data belongs. Where it is depends on the version of the format:
//!
//! | format | map |
//! |---|---|
//! | old GNU | in the header, continued in blocks after it |
//! | PAX 0.0, 0.1 | in the fields of the extended header |
//! | PAX 1.0 | as text in the first blocks of the data |
//!
//! The data is read as it is stored, without the holes, which may be terabytes of zeros. So the map is only
//! passed over, and checked as GNU tar checks it.

use super::block::{self, BLOCK_BYTES, cut_short, read_block};
use crate::input::peek::PeekReader;
use std::io;
use tar::{GnuExtSparseHeader, GnuSparseHeader, Header};

/// The most digits of a number in a map.
const MAX_DIGITS: usize = 20;

/// What a map is worth.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Map {
    Sound,
    Malformed,
}

/// The fields of an extended header that concern holes.
#[derive(Default)]
pub(super) struct Fields {
    /// The name of the file.
    pub name: Option<Vec<u8>>,
    major: u64,
    real_bytes: Option<u64>,
    /// How many pieces of data the map has, by its own count, and how many of them were listed.
    pieces: u64,
    offsets: u64,
    lengths: u64,
    /// The lengths of the pieces, added up.
    data_bytes: u64,
}

impl Fields {
    /// Reads a field; `None` if it is malformed.
    pub fn read(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        match key {
            b"GNU.sparse.name" => self.name = Some(value.to_vec()),
            b"GNU.sparse.major" => self.major = number(value)?,
            b"GNU.sparse.minor" => _ = number(value)?,
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.real_bytes = Some(number(value)?),
            b"GNU.sparse.numblocks" => {
                self.pieces = number(value)?;
                (self.offsets, self.lengths, self.data_bytes) = (0, 0, 0);
            }
            b"GNU.sparse.offset" => {
                number(value)?;
                self.offsets += 1;
            }
            b"GNU.sparse.numbytes" => {
                self.data_bytes = self.data_bytes.saturating_add(number(value)?);
                self.lengths += 1;
            }
            b"GNU.sparse.map" => {
                let numbers = value.split(|byte| *byte == b',').map(number).collect::<Option<Vec<u64>>>()?;
                let (pairs, rest) = numbers.as_chunks::<2>();
                if !rest.is_empty() {
                    return None;
                }
                (self.offsets, self.lengths) = (pairs.len() as u64, pairs.len() as u64);
                self.data_bytes = pairs.iter().fold(0, |sum, [_, len]| sum.saturating_add(*len));
            }
            _ => {}
        }
        (self.offsets.max(self.lengths) <= self.pieces).then_some(())
    }

    /// What the map in the fields is worth for a member with `stored` bytes of data.
    pub fn map_of(&self, stored: u64) -> Map {
        if self.data_bytes > stored { Map::Malformed } else { Map::Sound }
    }

    /// Whether the map is in the data: format 1.0.
    pub fn has_map_in_data(&self) -> bool {
        self.major > 0
    }
}

/// Returns a decimal number that can be a size or an offset.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text)
        .ok()
        .filter(|_| is_number)?
        .parse()
        .ok()
        .filter(|number| *number <= i64::MAX as u64)
}

/// Skips the blocks that continue the map in `header`, of a member with `stored` bytes of data.
pub(super) fn skip_old_map(reader: &mut PeekReader<'_>, header: &Header, stored: u64) -> io::Result<Map> {
    // Without the magic bytes of the format there is no map.
    let Some(gnu) = header.as_gnu() else { return Ok(Map::Sound) };
    let Some(real_bytes) = block::number(&gnu.realsize) else { return Ok(Map::Malformed) };
    let mut left = Left { real_bytes, stored };
    let mut pieces = left.check(&gnu.sparse);
    let mut more = gnu.isextended != [0];
    while more && pieces == Pieces::More {
        let mut block = GnuExtSparseHeader::new();
        if read_block(reader, block.as_mut_bytes())? < BLOCK_BYTES {
            return Err(cut_short());
        }
        pieces = left.check(block.sparse());
        more = block.isextended != [0];
    }
    Ok(if pieces == Pieces::Malformed { Map::Malformed } else { Map::Sound })
}

/// What is known after some pieces of a map.
#[derive(PartialEq, Eq)]
enum Pieces {
    More,
    Ended,
    Malformed,
}

/// What the pieces of a map may still take.
struct Left {
    /// The size of the file, holes included.
    real_bytes: u64,
    /// The data that no piece has taken.
    stored: u64,
}

impl Left {
    fn check(&mut self, pieces: &[GnuSparseHeader]) -> Pieces {
        for piece in pieces {
            if piece.numbytes[0] == 0 {
                return Pieces::Ended;
            }
            let (offset, length) = (block::number(&piece.offset), block::number(&piece.numbytes));
            if offset.zip(length).and_then(|(offset, length)| self.take(offset, length)).is_none() {
                return Pieces::Malformed;
            }
        }
        Pieces::More
    }

    fn take(&mut self, offset: u64, length: u64) -> Option<()> {
        self.stored = self.stored.checked_sub(length)?;
        offset.checked_add(length).filter(|end| *end <= self.real_bytes).map(drop)
    }
}

/// Skips a map in the first of `bytes` bytes of data: how many pieces there are, then where each starts and
/// how long it is, one number a line, filled up to whole blocks.
pub(super) fn skip_map(reader: &mut PeekReader<'_>, bytes: u64, fields: &Fields) -> io::Result<Map> {
    let mut numbers =
        Numbers { reader, left: bytes, block: [0; BLOCK_BYTES as usize], at: BLOCK_BYTES as usize };
    let Some(pieces) = numbers.next()? else { return Ok(Map::Malformed) };
    let mut left = Left { real_bytes: fields.real_bytes.unwrap_or(u64::MAX), stored: bytes };
    for _ in 0..pieces {
        let (Some(offset), Some(length)) = (numbers.next()?, numbers.next()?) else {
            return Ok(Map::Malformed);
        };
        if left.take(offset, length).is_none() {
            return Ok(Map::Malformed);
        }
    }
    Ok(Map::Sound)
}

/// Reads numbers from whole blocks.
struct Numbers<'n, 'r> {
    reader: &'n mut PeekReader<'r>,
    /// How many bytes of data are left.
    left: u64,
    block: [u8; BLOCK_BYTES as usize],
    at: usize,
}

impl Numbers<'_, '_> {
    /// Returns the next number; `None` if there is none.
    fn next(&mut self) -> io::Result<Option<u64>> {
        let mut digits = Vec::new();
        loop {
            if self.at == self.block.len() {
                if self.left < BLOCK_BYTES {
                    return Ok(None);
                }
                // What is cut is reported by who reads the data.
                if read_block(self.reader, &mut self.block)? < BLOCK_BYTES {
                    return Err(cut_short());
                }
                (self.left, self.at) = (self.left - BLOCK_BYTES, 0);
            }
            let byte = self.block[self.at];
            self.at += 1;
            if byte == b'\n' {
                return Ok(number(&digits));
            }
            if digits.len() == MAX_DIGITS {
                return Ok(None);
            }
            digits.push(byte);
        }
    }
}
