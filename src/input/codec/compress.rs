//! compress(1): the .Z format, LZW with codes of 9 to 16 bits.
//!
//! Each code is a string: a string that was there before, and one more byte. Codes get wider as the table of
//! strings grows, and are written in groups of eight, which take as many bytes as a code has bits. When the
//! width changes, what is left of the group is unused: that is why no other LZW decoder reads the format.
//!
//! The format has no checksum and no end mark: a stream that is cut between two codes is complete.

use super::{Codec, FRAME_COST_BYTES, FrameDecoder, Padding, Spec};
use crate::input::peek::PeekReader;
use std::io::{self, Read};

/// Magic bytes and flags.
const HEADER_BYTES: usize = 3;
/// The flag of streams that may empty their table.
const CLEARS: u8 = 0x80;
/// Flags that no writer sets.
const RESERVED: u8 = 0x60;
/// The widest code, in bits, in the rest of the flags.
const WIDTH: u8 = 0x1f;
const MIN_WIDTH: usize = 9;
const MAX_WIDTH: usize = 16;
/// The code that empties the table.
const CLEAR: usize = 256;
/// How much is decoded at once, at least, in bytes.
const CHUNK_BYTES: usize = 16 << 10;

pub(super) static SPEC: Spec = Spec {
    codec: Codec::Compress,
    name: "compress(1)",
    magic: b"\x1f\x9d",
    head_bytes: HEADER_BYTES,
    confirm: |head| {
        head[2] & RESERVED == 0 && (MIN_WIDTH..=MAX_WIDTH).contains(&usize::from(head[2] & WIDTH))
    },
    open: |reader, _| Ok(Box::new(Compress::new(reader)?)),
    // Its table takes 192 KiB.
    memory_left: |memory| memory,
    frame_cost_bytes: FRAME_COST_BYTES,
    followed_by: &[],
    padding: Padding::None,
    skippable_frames: false,
    zip_methods: &[],
};

struct Compress<'r> {
    reader: PeekReader<'r>,
    codes: Codes,
    table: Table,
    /// The decoded text, of which `given` bytes were passed on.
    text: Vec<u8>,
    given: usize,
    failed: Option<io::Error>,
}

/// The codes of a stream.
struct Codes {
    width: usize,
    /// The current group: bytes that were read, and codes that were taken.
    group: [u8; MAX_WIDTH],
    bytes: usize,
    taken: usize,
    /// The error that follows these bytes.
    failed: Option<io::Error>,
}

/// The strings of all codes.
struct Table {
    clears: bool,
    max_width: usize,
    /// Each string's first bytes as a code, and its last byte.
    prefixes: Vec<u16>,
    suffixes: Vec<u8>,
    /// The next code to be defined.
    next: usize,
    /// The code before, and the first byte of its string.
    last: Option<(usize, u8)>,
}

impl<'r> Compress<'r> {
    fn new(mut reader: PeekReader<'r>) -> io::Result<Compress<'r>> {
        let mut header = [0; HEADER_BYTES];
        reader.read_exact(&mut header)?;
        let max_width = usize::from(header[2] & WIDTH).clamp(MIN_WIDTH, MAX_WIDTH);
        let table = Table::new(max_width, header[2] & CLEARS != 0);
        Ok(Compress { reader, codes: Codes::new(), table, text: Vec::new(), given: 0, failed: None })
    }

    /// Decodes the next chunk. What precedes an error is kept.
    fn fill(&mut self) {
        self.text.clear();
        self.given = 0;
        while self.text.len() < CHUNK_BYTES {
            // The table grows by a string for each code but the first.
            if self.table.next > (1 << self.codes.width) - 1 && self.codes.width < self.table.max_width {
                self.codes.set_width(self.codes.width + 1);
            }
            let code = match self.codes.next(&mut self.reader) {
                Ok(Some(code)) => code,
                Ok(None) => return,
                Err(error) => {
                    self.failed = Some(error);
                    return;
                }
            };
            if code == CLEAR && self.table.clears && self.table.last.is_some() {
                self.table.next = CLEAR;
                self.codes.set_width(MIN_WIDTH);
            } else if self.table.decode(code, &mut self.text).is_none() {
                self.failed = Some(io::Error::new(io::ErrorKind::InvalidData, "corrupt code"));
                return;
            }
        }
    }
}

impl Read for Compress<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given == self.text.len() && !into.is_empty() {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            self.fill();
            if self.text.is_empty() {
                return self.failed.take().map_or(Ok(0), Err);
            }
        }
        let count = into.len().min(self.text.len() - self.given);
        into[..count].copy_from_slice(&self.text[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

impl<'r> FrameDecoder<'r> for Compress<'r> {
    fn into_reader(self: Box<Self>) -> PeekReader<'r> {
        self.reader
    }
}

impl Codes {
    fn new() -> Codes {
        Codes { width: MIN_WIDTH, group: [0; MAX_WIDTH], bytes: 0, taken: 0, failed: None }
    }

    /// Continues with codes of `width` bits, in the next group.
    fn set_width(&mut self, width: usize) {
        (self.width, self.bytes, self.taken) = (width, 0, 0);
    }

    /// Returns the next code; `None` at the end. Bits that are too few for a code are no code.
    fn next(&mut self, reader: &mut PeekReader<'_>) -> io::Result<Option<usize>> {
        if (self.taken == 8 || self.bytes == 0) && self.failed.is_none() {
            (self.bytes, self.taken) = (0, 0);
            while self.bytes < self.width {
                match reader.read(&mut self.group[self.bytes..self.width]) {
                    Ok(0) => break,
                    Ok(got) => self.bytes += got,
                    Err(error) => {
                        self.failed = Some(error);
                        break;
                    }
                }
            }
        }
        let (first, end) = (self.taken * self.width, (self.taken + 1) * self.width);
        if end > 8 * self.bytes {
            return self.failed.take().map_or(Ok(None), Err);
        }
        self.taken += 1;
        // A code is in three bytes at most.
        let bytes = self.group[first / 8..end.div_ceil(8)].iter().rev();
        let bits = bytes.fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        Ok(Some(bits >> (first % 8) & ((1 << self.width) - 1)))
    }
}

impl Table {
    fn new(max_width: usize, clears: bool) -> Table {
        let mut suffixes = vec![0; 1 << max_width];
        for (byte, suffix) in (0..=u8::MAX).zip(&mut suffixes) {
            *suffix = byte;
        }
        // The code that empties the table is no string.
        let next = if clears { CLEAR + 1 } else { CLEAR };
        Table { clears, max_width, prefixes: vec![0; 1 << max_width], suffixes, next, last: None }
    }

    /// Appends the string of `code`, and defines the next; `None` if it has no string.
    fn decode(&mut self, code: usize, text: &mut Vec<u8>) -> Option<()> {
        let Some((last, last_first)) = self.last else {
            let byte = u8::try_from(code).ok()?;
            text.push(byte);
            self.last = Some((code, byte));
            return Some(());
        };
        let start = text.len();
        let mut string = code;
        if code >= self.next {
            // The string that is about to be defined: the last one and its own first byte.
            if code > self.next {
                return None;
            }
            text.push(last_first);
            string = last;
        }
        // Prefixes are lower codes, so this ends.
        while string > usize::from(u8::MAX) {
            text.push(self.suffixes[string]);
            string = usize::from(self.prefixes[string]);
        }
        let first = self.suffixes[string];
        text.push(first);
        text[start..].reverse();
        if self.next < 1 << self.max_width {
            // A code of at most sixteen bits.
            self.prefixes[self.next] = last as u16;
            self.suffixes[self.next] = first;
            self.next += 1;
        }
        self.last = Some((code, first));
        Some(())
    }
}
