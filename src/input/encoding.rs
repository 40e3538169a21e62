//! Encodings: UTF-16 and marked UTF-8 as UTF-8 without a mark.
//!
//! A byte order mark decides; without one, UTF-16 is told by the zero bytes that it puts beside ASCII letters.
//! Everything else passes as it is: a log that is no UTF-8 stays what it is, and what cannot be read of it is told by
//! the finding.

use super::file::HEAD;
use super::peek::Peek;
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

/// The fewest code units that tell UTF-16 without a mark.
const MIN_UNITS: usize = 8;

/// The encoding of a source that begins with `head`; none if its bytes are taken as they are.
pub fn of(head: &[u8]) -> Option<Encoding> {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || head.starts_with(b"\xef\xbb\xbf") {
        return Some(Encoding::Marked);
    }
    // Logs are mostly ASCII: nearly every unit has a zero byte on one side and a printing character on the other.
    let (units, _) = head.as_chunks::<2>();
    let text = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    let few = |count: usize| count >= MIN_UNITS && count * 10 >= units.len() * 7;
    let low = units.iter().filter(|[low, high]| *high == 0 && text(*low)).count();
    let high = units.iter().filter(|[high, low]| *high == 0 && text(*low)).count();
    match (few(low), few(high)) {
        (true, false) => Some(Encoding::Utf16Le),
        (false, true) => Some(Encoding::Utf16Be),
        _ => None,
    }
}

/// A source's bytes as UTF-8, its mark dropped.
pub enum Recoded<'r> {
    /// As they are.
    Same(Peek<'r>),
    /// Transcoded.
    Other(Box<DecodeReaderBytes<Peek<'r>, Vec<u8>>>),
}

impl<'r> Recoded<'r> {
    /// Tells the encoding of `reader` by how it begins.
    pub fn new(mut reader: Peek<'r>) -> Recoded<'r> {
        match of(reader.peek(HEAD)) {
            Some(encoding) => Recoded::Other(Box::new(decode(reader, encoding))),
            None => Recoded::Same(reader),
        }
    }
}

impl Read for Recoded<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Recoded::Same(reader) => reader.read(into),
            Recoded::Other(reader) => reader.read(into),
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
        let cases: [(Vec<u8>, Option<Encoding>); 8] = [
            (marked(false), Some(Encoding::Marked)),
            (marked(true), Some(Encoding::Marked)),
            ([b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat(), Some(Encoding::Marked)),
            (utf16(text, false), Some(Encoding::Utf16Le)),
            (utf16(text, true), Some(Encoding::Utf16Be)),
            (text.as_bytes().to_vec(), None),
            (vec![0; 64], None),
            (b"\0\x01\0\x02\0\x03\0\x04\0\x05\0\x06\0\x07\0\x08\0\x09".to_vec(), None),
        ];
        for (raw, want) in cases {
            assert_eq!(of(&raw), want);
            let mut got = Vec::new();
            Recoded::new(Peek::new(&raw[..])).read_to_end(&mut got).expect("reads");
            assert_eq!(got, if want.is_some() { text.as_bytes() } else { &raw });
        }
        assert_eq!((of(b""), of(b"a\0b\0")), (None, None));
    }
}
