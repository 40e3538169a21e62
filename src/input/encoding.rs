//! Encodings: UTF-16 and UTF-32 are transcoded to UTF-8, and byte order marks are dropped.
//!
//! The first bytes of a source come in; a [`Transcoder`] goes out. A byte order mark decides. Without one,
//! UTF-16 is recognized by the zero bytes next to its ASCII characters, in text that is valid throughout. All
//! else passes unchanged: a log that is not UTF-8 stays what it is, and the finding reports what cannot be
//! read of it.

use super::peek::{PEEK_BYTES, PeekReader};
use std::io::{self, Read};

/// An encoding that is not read as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 after a byte order mark.
    MarkedUtf8,
    /// UTF-16 of this byte order, with or without a byte order mark.
    Utf16(ByteOrder),
    /// UTF-32 of this byte order, after a byte order mark.
    Utf32(ByteOrder),
}

/// Which byte of a code unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// The low byte.
    Little,
    /// The high byte.
    Big,
}

/// The fewest ASCII characters that identify UTF-16 without a mark, and their least share of all: time stamps
/// and levels alone are more than a quarter of a log in any language.
const MIN_ASCII: usize = 8;
const MIN_ASCII_SHARE: usize = 4;
/// The longest byte order mark, in bytes.
const MAX_MARK_BYTES: usize = 4;
/// The last plane of Unicode: a character's third byte.
const MAX_PLANE: u8 = 0x10;
/// How many bytes are transcoded at once.
const CHUNK_BYTES: usize = 16 << 10;
/// How many code units are tested for being ASCII at once: compiles to vector instructions.
const BLOCK_UNITS: usize = 16;

/// Returns the encoding of a source that starts with `head`; `None` if its bytes are read as they are.
pub fn of(head: &[u8]) -> Option<Encoding> {
    if let Some((_, encoding)) = mark(head) {
        return Some(encoding);
    }
    // Its ASCII characters have a zero byte each.
    memchr::memchr(0, head)?;
    let (units, _) = head.as_chunks::<2>();
    let is_utf16 = |order: &ByteOrder| is_text(units.iter().map(|unit| order.unit(*unit)));
    [ByteOrder::Little, ByteOrder::Big].into_iter().find(is_utf16).map(Encoding::Utf16)
}

/// The byte order mark at the start of `head`, and the encoding it marks.
fn mark(head: &[u8]) -> Option<(&'static [u8], Encoding)> {
    // The little-endian mark of UTF-32 starts with that of UTF-16; a character has to follow, which makes the
    // difference.
    match head {
        [0xff, 0xfe, 0, 0, _, _, plane, 0, ..] if *plane <= MAX_PLANE => {
            return Some((b"\xff\xfe\0\0", Encoding::Utf32(ByteOrder::Little)));
        }
        [0, 0, 0xfe, 0xff, 0, plane, ..] if *plane <= MAX_PLANE => {
            return Some((b"\0\0\xfe\xff", Encoding::Utf32(ByteOrder::Big)));
        }
        _ => {}
    }
    let marks: [(&[u8], Encoding); 3] = [
        (b"\xef\xbb\xbf", Encoding::MarkedUtf8),
        (b"\xff\xfe", Encoding::Utf16(ByteOrder::Little)),
        (b"\xfe\xff", Encoding::Utf16(ByteOrder::Big)),
    ];
    marks.into_iter().find(|(mark, _)| head.starts_with(mark))
}

/// Whether the code units are text such as logs hold. The last may be half of a character.
fn is_text(units: impl ExactSizeIterator<Item = u16>) -> bool {
    let count = units.len();
    let (mut ascii, mut at) = (0, 0);
    for unit in char::decode_utf16(units) {
        match unit {
            Ok('\t' | '\n' | '\r' | '\u{1b}' | ' '..='~') => ascii += 1,
            Ok(c) if c.is_control() => return false,
            Err(_) if at + 1 < count => return false,
            Ok(_) | Err(_) => {}
        }
        at += unit.map_or(1, char::len_utf16);
    }
    ascii >= MIN_ASCII && ascii * MIN_ASCII_SHARE >= count
}

/// A source's bytes as UTF-8, without a byte order mark.
pub enum Transcoder<'r> {
    /// The bytes as they are.
    Unchanged(PeekReader<'r>),
    /// UTF-16 or UTF-32 as UTF-8.
    Wide(Box<WideReader<PeekReader<'r>>>),
}

impl<'r> Transcoder<'r> {
    /// Recognizes the encoding of `reader` by its first bytes.
    pub fn new(mut reader: PeekReader<'r>) -> Transcoder<'r> {
        let head = reader.peek(PEEK_BYTES);
        let (encoding, mark) = (of(head), mark(head).map_or(0, |(mark, _)| mark.len()));
        // These bytes were peeked at, so that reading them cannot fail.
        let _ = reader.read_exact(&mut [0; MAX_MARK_BYTES][..mark]);
        let (units, order) = match encoding {
            Some(Encoding::Utf16(order)) => (Units::Two, order),
            Some(Encoding::Utf32(order)) => (Units::Four, order),
            Some(Encoding::MarkedUtf8) | None => return Transcoder::Unchanged(reader),
        };
        Transcoder::Wide(Box::new(WideReader::new(reader, units, order)))
    }
}

impl Read for Transcoder<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Transcoder::Unchanged(reader) => reader.read(into),
            Transcoder::Wide(reader) => reader.read(into),
        }
    }
}

/// The size of a code unit, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Units {
    /// UTF-16.
    Two,
    /// UTF-32.
    Four,
}

/// Reads UTF-16 or UTF-32 as UTF-8. What is no character becomes U+FFFD: a surrogate without its partner, a
/// number beyond Unicode, a part of a code unit at the end.
#[derive(Debug)]
pub struct WideReader<R> {
    reader: R,
    units: Units,
    order: ByteOrder,
    /// Bytes that were read and not transcoded yet: a part of a code unit, or the first half of a character.
    raw: Vec<u8>,
    /// The transcoded text, of which `given` bytes were passed on.
    text: Vec<u8>,
    given: usize,
    at_end: bool,
}

impl<R: Read> WideReader<R> {
    fn new(reader: R, units: Units, order: ByteOrder) -> WideReader<R> {
        WideReader { reader, units, order, raw: Vec::new(), text: Vec::new(), given: 0, at_end: false }
    }

    /// Reads and transcodes the next chunk. What a failing read returned before is kept for the next call.
    fn fill(&mut self) -> io::Result<()> {
        let known = self.raw.len();
        self.raw.resize(known + CHUNK_BYTES, 0);
        let result = self.reader.read(&mut self.raw[known..]);
        self.raw.truncate(known + result.as_ref().map_or(0, |count| *count));
        self.at_end = result? == 0;
        self.given = 0;
        self.text.clear();

        let done = match self.units {
            Units::Two => self.transcode_utf16(),
            Units::Four => self.transcode_utf32(),
        };
        if self.at_end && done < self.raw.len() {
            push(char::REPLACEMENT_CHARACTER, &mut self.text);
            self.raw.clear();
        } else {
            self.raw.drain(..done);
        }
        Ok(())
    }

    /// Transcodes whole characters; returns how many bytes they took.
    fn transcode_utf16(&mut self) -> usize {
        let (units, _) = self.raw.as_chunks::<2>();
        let is_open = |unit: &[u8; 2]| (0xd800..0xdc00).contains(&self.order.unit(*unit));
        // The second half of the last character may be in the next chunk.
        let open = usize::from(!self.at_end && units.last().is_some_and(is_open));
        let units = &units[..units.len() - open];
        transcode(units, self.order, &mut self.text);
        2 * units.len()
    }

    /// Transcodes whole characters; returns how many bytes they took.
    fn transcode_utf32(&mut self) -> usize {
        let (units, _) = self.raw.as_chunks::<4>();
        for unit in units {
            let character = char::from_u32(self.order.wide_unit(*unit));
            push(character.unwrap_or(char::REPLACEMENT_CHARACTER), &mut self.text);
        }
        4 * units.len()
    }
}

impl<R: Read> Read for WideReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.at_end && !into.is_empty() {
            self.fill()?;
        }
        let ready = &self.text[self.given..];
        let count = ready.len().min(into.len());
        into[..count].copy_from_slice(&ready[..count]);
        self.given += count;
        Ok(count)
    }
}

impl ByteOrder {
    fn unit(self, bytes: [u8; 2]) -> u16 {
        match self {
            ByteOrder::Little => u16::from_le_bytes(bytes),
            ByteOrder::Big => u16::from_be_bytes(bytes),
        }
    }

    fn wide_unit(self, bytes: [u8; 4]) -> u32 {
        match self {
            ByteOrder::Little => u32::from_le_bytes(bytes),
            ByteOrder::Big => u32::from_be_bytes(bytes),
        }
    }
}

/// Appends the code units as UTF-8. Blocks of ASCII, most of a log, are copied at once.
fn transcode(mut units: &[[u8; 2]], order: ByteOrder, text: &mut Vec<u8>) {
    while !units.is_empty() {
        if let Some((block, rest)) = units.split_first_chunk::<BLOCK_UNITS>() {
            let block = block.map(|unit| order.unit(unit));
            if block.iter().fold(0, |all, unit| all | unit) < 0x80 {
                text.extend_from_slice(&block.map(|unit| unit as u8));
                units = rest;
                continue;
            }
        }
        // A character's two halves stay together.
        let mut end = units.len().min(BLOCK_UNITS);
        let is_open = |unit: [u8; 2]| (0xd800..0xdc00).contains(&order.unit(unit));
        while end < units.len() && is_open(units[end - 1]) {
            end += 1;
        }
        for unit in char::decode_utf16(units[..end].iter().map(|unit| order.unit(*unit))) {
            push(unit.unwrap_or(char::REPLACEMENT_CHARACTER), text);
        }
        units = &units[end..];
    }
}

fn push(c: char, text: &mut Vec<u8>) {
    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        let unit = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(unit).collect()
    }

    fn utf32(text: &str, big: bool) -> Vec<u8> {
        let unit = |c: char| if big { u32::from(c).to_be_bytes() } else { u32::from(c).to_le_bytes() };
        text.chars().flat_map(unit).collect()
    }

    #[test]
    fn encodings_are_identified_by_marks_or_by_zero_bytes() {
        let text = "Überblick 客户 😀, and what the log says\r\n";
        let marked = |big| utf16(&format!("\u{feff}{text}"), big);
        let chinese = "2024-06-06 21:42 错误：目标服务器上的数据库已存在，请先删除它 😀 再重试迁移\r\n";
        let wide = |big| utf32(&format!("\u{feff}{text}"), big);
        let cases: [(Vec<u8>, Option<Encoding>, &str); 13] = [
            (wide(false), Some(Encoding::Utf32(ByteOrder::Little)), text),
            (wide(true), Some(Encoding::Utf32(ByteOrder::Big)), text),
            // A mark of UTF-16, a zero, and text: no character of UTF-32 follows.
            (utf16("\u{feff}\0ab", false), Some(Encoding::Utf16(ByteOrder::Little)), "\0ab"),
            (marked(false), Some(Encoding::Utf16(ByteOrder::Little)), text),
            (marked(true), Some(Encoding::Utf16(ByteOrder::Big)), text),
            ([b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat(), Some(Encoding::MarkedUtf8), text),
            (utf16(text, false), Some(Encoding::Utf16(ByteOrder::Little)), text),
            (utf16(text, true), Some(Encoding::Utf16(ByteOrder::Big)), text),
            (utf16(chinese, false), Some(Encoding::Utf16(ByteOrder::Little)), chinese),
            (utf16(chinese, true), Some(Encoding::Utf16(ByteOrder::Big)), chinese),
            (text.as_bytes().to_vec(), None, text),
            (vec![0; 64], None, ""),
            (b"\0\x01\0\x02\0\x03\0\x04\0\x05\0\x06\0\x07\0\x08\0\x09".to_vec(), None, ""),
        ];
        for (raw, want, text) in cases {
            assert_eq!(of(&raw), want);
            let mut got = Vec::new();
            Transcoder::new(PeekReader::new(&raw[..])).read_to_end(&mut got).expect("reads");
            assert_eq!(got, if want.is_some() { text.as_bytes() } else { &raw });
        }
        assert_eq!((of(b""), of(b"a\0b\0")), (None, None));
    }

    /// A reader that returns a few bytes at a time and is interrupted in between.
    struct Pieces<'p>(&'p [u8], usize, bool);

    impl Read for Pieces<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.2 = !self.2;
            if self.2 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let count = self.1.min(self.0.len()).min(into.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    proptest::proptest! {
        #[test]
        fn any_units_in_any_pieces_are_what_the_standard_library_reads(
            units in proptest::collection::vec(
                proptest::prop_oneof![0x20_u16..0x7f, 0xd7f0_u16..0xe010, proptest::prelude::any::<u16>()], 0..200),
            step in 1_usize..40,
            big: bool,
            odd: bool,
        ) {
            let order = if big { ByteOrder::Big } else { ByteOrder::Little };
            let unit = |unit: &u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            let mut raw: Vec<u8> = units.iter().flat_map(unit).collect();
            let mut want = String::from_utf16_lossy(&units);
            if odd {
                raw.push(b'x');
                want.push(char::REPLACEMENT_CHARACTER);
            }
            let mut got = Vec::new();
            WideReader::new(Pieces(&raw, step, false), Units::Two, order).read_to_end(&mut got).expect("reads");
            proptest::prop_assert_eq!(String::from_utf8(got).expect("UTF-8"), want);
        }

        #[test]
        fn any_numbers_in_any_pieces_are_characters_or_replaced(
            units in proptest::collection::vec(
                proptest::prop_oneof![0_u32..0x80, 0xd7f0_u32..0xe010, 0x10_fff0_u32..0x11_0010, proptest::prelude::any::<u32>()],
                0..200),
            step in 1_usize..40,
            big: bool,
            odd in 0_usize..4,
        ) {
            let order = if big { ByteOrder::Big } else { ByteOrder::Little };
            let unit = |unit: &u32| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            let mut raw: Vec<u8> = units.iter().flat_map(unit).collect();
            raw.extend(vec![b'x'; odd]);
            let read = |unit: &u32| char::from_u32(*unit).unwrap_or(char::REPLACEMENT_CHARACTER);
            let want = units.iter().map(read).chain((odd > 0).then_some(char::REPLACEMENT_CHARACTER));
            let mut got = Vec::new();
            WideReader::new(Pieces(&raw, step, false), Units::Four, order).read_to_end(&mut got).expect("reads");
            proptest::prop_assert_eq!(String::from_utf8(got).expect("UTF-8"), want.collect::<String>());
        }
    }
}
