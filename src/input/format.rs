//! Formats: what holds or compresses sources, identified by first bytes, never by name.
//!
//! The first [`PEEK_BYTES`](super::peek::PEEK_BYTES) bytes of a stream come in; a [`ContainerFormat`] goes
//! out, or `None` for a source itself. The magic bytes of what is read are beside what reads it: in `codec`,
//! `archive::tar` and `archive::zip`. Here are those of formats that are recognized only to say that they are
//! not read, so that such a file is reported instead of being searched as text in which nothing can be found.

use super::archive::{tar, zip};
use super::codec::Codec;

/// What a stream of bytes is, if it is not a source itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerFormat {
    /// One compressed stream.
    Compressed(Codec),
    /// A tar archive.
    Tar,
    /// A zip archive.
    Zip,
    /// Something that is recognized but not read.
    Unsupported {
        /// The name in messages.
        name: &'static str,
        /// What to do instead.
        hint: &'static str,
    },
}

const UNPACK: &str = "unpack it first";

/// Formats that are not read, by their magic bytes.
const UNSUPPORTED: [(&[u8], &str); 11] = [
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"MSCF\0\0\0\0", "a cabinet archive"),
    (b"\x1f\x9d", "compressed with compress(1)"),
    (b"\x1f\xa0", "compressed with pack(1)"),
    (b"\x1f\x8b", "gzip data of an unknown method"),
    (b"LZIP\x01", "compressed with lzip"),
    (b"\x02\x21\x4c\x18", "compressed with lz4's legacy format"),
    (b"\xff\x06\0\0sNaPpY", "compressed with snappy"),
    (b"\x89LZO\0\r\n\x1a\n", "compressed with lzop"),
    // The default properties, a dictionary of a power of two, and an unknown size, as lzma(1) writes it.
    (b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff", "compressed with lzma(1)"),
];

impl ContainerFormat {
    /// Identifies what starts with `head`: the first 512 bytes of a stream, or all if there
    /// are fewer.
    pub fn of(head: &[u8]) -> Option<ContainerFormat> {
        if let Some(codec) = Codec::of(head) {
            return Some(ContainerFormat::Compressed(codec));
        }
        if zip::is_archive(head) {
            return Some(ContainerFormat::Zip);
        }
        if zip::is_first_of_several(head) {
            let name = "a part of a zip archive in several parts";
            return Some(ContainerFormat::Unsupported { name, hint: UNPACK });
        }
        if tar::is_header(head) {
            return Some(ContainerFormat::Tar);
        }
        if is_utf32(head) {
            let hint = "convert it to UTF-8 first";
            return Some(ContainerFormat::Unsupported { name: "text in UTF-32", hint });
        }
        unsupported(head).map(|name| ContainerFormat::Unsupported { name, hint: UNPACK })
    }

    /// Whether it is read, so that it counts as a level of nesting.
    pub fn is_supported(self) -> bool {
        !matches!(self, ContainerFormat::Unsupported { .. })
    }
}

/// The name of the format of [`UNSUPPORTED`] that starts with `head`.
fn unsupported(head: &[u8]) -> Option<&'static str> {
    // Two magic bytes might start a text, too; a third byte that no text has rules that out.
    let is_binary = |byte: &u8| *byte >= 0x80 || *byte < b'\t';
    let (magic, name) = UNSUPPORTED.iter().find(|(magic, _)| head.starts_with(magic))?;
    (magic.len() > 2 || head.get(2).is_some_and(is_binary)).then_some(name)
}

/// Whether `head` starts with the byte order mark of UTF-32 and a character.
fn is_utf32(head: &[u8]) -> bool {
    match head {
        [0xff, 0xfe, 0, 0, _, _, plane, 0, ..] | [0, 0, 0xfe, 0xff, 0, plane, ..] => *plane <= 0x10,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::peek::PEEK_BYTES;

    #[test]
    fn text_is_no_format() {
        for head in [
            b"".as_slice(),
            b"P",
            b"PK",
            b"PK\x03",
            b"BZh9 is how a bzip2 file starts",
            b"Rar!",
            b"7z",
            b"LZIP said",
            b"\x1f",
            b"\x1f\x8b",
            b"\x1f\x8bery",
            b"\xff\xfea\0b\0c\0",
            b"2024-06-06 21:42:53 ERROR",
            &[0; PEEK_BYTES],
            &[b' '; PEEK_BYTES],
            &[b'0'; PEEK_BYTES],
        ] {
            assert_eq!(ContainerFormat::of(head), None, "{:?}", head.escape_ascii().to_string());
        }
    }
}
