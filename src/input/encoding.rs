//! Encodings: UTF-16 and marked UTF-8 as UTF-8 without a mark.
//!
//! A byte order mark decides; without one, UTF-16 is told by the zero bytes that it puts beside ASCII characters, in text
//! that is valid throughout.
//! Everything else passes as it is: a log that is no UTF-8 stays what it is, and what cannot be read of it is told by
//! the finding.

use super::format::HEAD;
use super::peek::PeekReader;
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};
use std::io::{self, Read};

/// How a source is encoded that is not read as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// A byte order mark says it.
    Marked,
    /// UTF-16 without a mark, low byte first.
    Utf16Le,
    /// UTF-16 without a mark, high byte first.
    Utf16Be,
}

/// The fewest ASCII characters that tell UTF-16 without a mark, and their least share of all: time stamps and levels
/// alone are more than a quarter of a log in any language.
const MIN_ASCII: usize = 8;
const MIN_ASCII_SHARE: usize = 4;

/// The encoding of a source that begins with `head`; none if its bytes are taken as they are.
pub fn of(head: &[u8]) -> Option<Encoding> {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || head.starts_with(b"\xef\xbb\xbf") {
        return Some(Encoding::Marked);
    }
    // Its ASCII characters have a zero byte each.
    memchr::memchr(0, head)?;
    let (units, _) = head.as_chunks::<2>();
    if is_text(units.iter().map(|unit| u16::from_le_bytes(*unit))) {
        Some(Encoding::Utf16Le)
    } else if is_text(units.iter().map(|unit| u16::from_be_bytes(*unit))) {
        Some(Encoding::Utf16Be)
    } else {
        None
    }
}

/// Whether the code units are text as logs have it. The last may be half of a character.
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

/// A source's bytes as UTF-8, its mark dropped.
pub enum Transcoder<'r> {
    /// As they are.
    Same(PeekReader<'r>),
    /// Transcoded.
    Other(Box<DecodeReaderBytes<PeekReader<'r>, Vec<u8>>>),
}

impl<'r> Transcoder<'r> {
    /// Tells the encoding of `reader` by how it begins.
    pub fn new(mut reader: PeekReader<'r>) -> Transcoder<'r> {
        match of(reader.peek(HEAD)) {
            Some(encoding) => Transcoder::Other(Box::new(decode(reader, encoding))),
            None => Transcoder::Same(reader),
        }
    }
}

impl Read for Transcoder<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Transcoder::Same(reader) => reader.read(into),
            Transcoder::Other(reader) => reader.read(into),
        }
    }
}

fn decode<R: Read>(reader: R, encoding: Encoding) -> DecodeReaderBytes<R, Vec<u8>> {
    let mut builder = DecodeReaderBytesBuilder::new();
    match encoding {
        Encoding::Marked => builder.bom_sniffing(true).strip_bom(true).utf8_passthru(true),
        Encoding::Utf16Le => builder.encoding(Some(encoding_rs::UTF_16LE)),
        Encoding::Utf16Be => builder.encoding(Some(encoding_rs::UTF_16BE)),
    };
    builder.build(reader)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        let unit = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn marks_decide_and_zeros_tell() {
        let text = "Überblick 客户 😀, and what the log says\r\n";
        let marked = |big| utf16(&format!("\u{feff}{text}"), big);
        let chinese = "2024-06-06 21:42 错误：目标服务器上的数据库已存在，请先删除它 😀 再重试迁移\r\n";
        let cases: [(Vec<u8>, Option<Encoding>, &str); 10] = [
            (marked(false), Some(Encoding::Marked), text),
            (marked(true), Some(Encoding::Marked), text),
            ([b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat(), Some(Encoding::Marked), text),
            (utf16(text, false), Some(Encoding::Utf16Le), text),
            (utf16(text, true), Some(Encoding::Utf16Be), text),
            (utf16(chinese, false), Some(Encoding::Utf16Le), chinese),
            (utf16(chinese, true), Some(Encoding::Utf16Be), chinese),
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
}
