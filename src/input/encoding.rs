//! Encodings: bytes with a byte order mark as UTF-8 without one.
//!
//! UTF-16 in either order is transcoded, the mark of UTF-8 is dropped, and everything else passes as it is: a log that
//! is no UTF-8 stays what it is, and what cannot be read of it is told by the finding.

use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};
use std::io::Read;

/// Whether a source that begins with `head` has a byte order mark.
pub fn has_mark(head: &[u8]) -> bool {
    head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || head.starts_with(b"\xef\xbb\xbf")
}

/// `reader` as UTF-8 by its byte order mark, which is dropped.
pub fn decode<R: Read>(reader: R) -> DecodeReaderBytes<R, Vec<u8>> {
    DecodeReaderBytesBuilder::new().bom_sniffing(true).strip_bom(true).utf8_passthru(true).build(reader)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_decide() {
        let utf16 = |text: &str, big: bool| -> Vec<u8> {
            let unit = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(unit).collect()
        };
        let text = "Überblick 客户 😀\r\n";
        let cases: [(Vec<u8>, &[u8]); 5] = [
            (utf16(text, false), text.as_bytes()),
            (utf16(text, true), text.as_bytes()),
            ([b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat(), text.as_bytes()),
            (b"a\xffb\xfe".to_vec(), b"a\xffb\xfe"),
            (Vec::new(), b""),
        ];
        for (raw, want) in cases {
            let mut got = Vec::new();
            decode(&raw[..]).read_to_end(&mut got).expect("reads");
            assert_eq!(got, want);
            assert_eq!(
                has_mark(&raw),
                raw.len() > want.len() || raw.starts_with(b"\xff") || raw.starts_with(b"\xfe")
            );
        }
    }
}
