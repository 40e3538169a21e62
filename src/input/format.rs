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

/// Formats that are not read: their magic bytes, their names, and what to do instead.
const UNSUPPORTED: [(&[u8], &str, &str); 12] = [
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it first (7z x)"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it first (unrar x, 7z x)"),
    (b"MSCF\0\0\0\0", "a cabinet archive", "unpack it first (expand, cabextract)"),
    (b"\x1f\x9d", "compressed with compress(1) and unknown flags", "unpack it first (uncompress)"),
    (b"\x1f\xa0", "compressed with pack(1)", "unpack it first (gzip -d)"),
    (b"\x1f\x8b", "gzip data of an unknown method", "unpack it first"),
    (b"LZIP\x01", "compressed with lzip", "unpack it first (lzip -d)"),
    (b"\x25\xb5\x2f\xfd", "compressed with zstd 0.5", "unpack it first (zstd -d)"),
    (b"\x26\xb5\x2f\xfd", "compressed with zstd 0.6", "unpack it first (zstd -d)"),
    (b"\x27\xb5\x2f\xfd", "compressed with zstd 0.7", "unpack it first (zstd -d)"),
    (b"\xff\x06\0\0sNaPpY", "compressed with snappy", "unpack it first (snzip -d)"),
    (b"\x89LZO\0\r\n\x1a\n", "compressed with lzop", "unpack it first (lzop -d)"),
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
            return Some(ContainerFormat::Unsupported { name, hint: "unpack it first" });
        }
        if tar::is_header(head) {
            return Some(ContainerFormat::Tar);
        }
        unsupported(head).map(|(name, hint)| ContainerFormat::Unsupported { name, hint })
    }

    /// Whether it is read, so that it counts as a level of nesting.
    pub fn is_supported(self) -> bool {
        !matches!(self, ContainerFormat::Unsupported { .. })
    }
}

/// The name of the format of [`UNSUPPORTED`] that starts with `head`, and what to do instead.
fn unsupported(head: &[u8]) -> Option<(&'static str, &'static str)> {
    // Two magic bytes might start a text, too; a third byte that no text has rules that out.
    let is_binary = |byte: &u8| *byte >= 0x80 || *byte < b'\t';
    let (magic, name, hint) = UNSUPPORTED.iter().find(|(magic, ..)| head.starts_with(magic))?;
    (magic.len() > 2 || head.get(2).is_some_and(is_binary)).then_some((name, hint))
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
            b"\xff\xfe\0\0a\0\0\0",
            b"\x1f\x9d is how a .Z file starts",
            b"2024-06-06 21:42:53 ERROR",
            &[0; PEEK_BYTES],
            &[b' '; PEEK_BYTES],
            &[b'0'; PEEK_BYTES],
        ] {
            assert_eq!(ContainerFormat::of(head), None, "{:?}", head.escape_ascii().to_string());
        }
    }
}
