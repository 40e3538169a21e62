//! Encodings: UTF-16, and UTF-8 with a byte order mark, as UTF-8 without a mark.
//!
//! A source comes in; a [`Transcoder`] goes out that reads as UTF-8. A byte order mark decides. Without one,
//! UTF-16 is recognized by the zero bytes beside ASCII characters, in a head that is valid text throughout.
//! Anything else is passed on unchanged: a log that is not UTF-8 stays what it is, and the finding says what
//! could not be shown of it.

use super::peek::{PEEK_BYTES, PeekReader};
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};
use std::io::{self, Read};

/// How a source is encoded that is not read unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As its byte order mark says.
    Marked,
    /// UTF-16 without a mark, low byte first.
    Utf16Le,
    /// UTF-16 without a mark, high byte first.
    Utf16Be,
}

/// The byte order marks of UTF-16 and UTF-8.
const MARKS: [&[u8]; 3] = [b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"];

/// The fewest ASCII characters by which UTF-16 without a mark is recognized, and their least share of all
/// characters: one in so many. Time stamps and levels alone are more than a quarter of a log in any language.
const MIN_ASCII: usize = 8;
const MIN_ASCII_SHARE: usize = 4;

/// Identifies the encoding of a source that starts with `head`; `None` if its bytes are read unchanged.
pub fn of(head: &[u8]) -> Option<Encoding> {
    if MARKS.iter().any(|mark| head.starts_with(mark)) {
        return Some(Encoding::Marked);
    }
    // The ASCII characters of UTF-16 have a zero byte each.
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

/// Reads as a source in UTF-8, without a byte order mark.
pub enum Transcoder<'r> {
    /// The bytes are passed on.
    Unchanged(PeekReader<'r>),
    /// The bytes are transcoded.
    Transcoded(Box<DecodeReaderBytes<PeekReader<'r>, Vec<u8>>>),
}

impl<'r> Transcoder<'r> {
    /// Identifies the encoding of `reader` by what it starts with.
    pub fn new(mut reader: PeekReader<'r>) -> Transcoder<'r> {
        match of(reader.peek(PEEK_BYTES)) {
            Some(encoding) => Transcoder::Transcoded(Box::new(transcode(reader, encoding))),
            None => Transcoder::Unchanged(reader),
        }
    }
}

impl Read for Transcoder<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Transcoder::Unchanged(reader) => reader.read(into),
            Transcoder::Transcoded(reader) => reader.read(into),
        }
    }
}

fn transcode<R: Read>(reader: R, encoding: Encoding) -> DecodeReaderBytes<R, Vec<u8>> {
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
    fn encodings_are_identified_by_marks_or_by_zero_bytes() {
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
