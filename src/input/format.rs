//! What holds or compresses sources, told by how it begins, never by its name.

/// How many first bytes of a source are looked at to tell what it is: a tar header is the longest.
pub const HEAD: usize = 512;

/// What a run of bytes is, other than a source itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerFormat {
    /// One compressed stream.
    Compressed(Codec),
    /// A tar archive.
    Tar,
    /// A zip archive.
    Zip,
    /// Something that is told but not read.
    Unsupported {
        /// The name to say.
        name: &'static str,
        /// What to do instead.
        way: &'static str,
    },
}

/// How one stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// RFC 1952, with any number of members.
    Gzip,
    /// RFC 8878, with any number of frames.
    Zstd,
    /// The .xz format, with any number of streams.
    Xz,
    /// With any number of streams.
    Bzip2,
    /// The frame format, with any number of frames.
    Lz4,
}

impl Codec {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Gzip => "gzip",
            Codec::Zstd => "zstd",
            Codec::Xz => "xz",
            Codec::Bzip2 => "bzip2",
            Codec::Lz4 => "lz4",
        }
    }
}

/// The magic numbers of frames that zstd and lz4 readers pass over: 0x184D2A50 to 0x184D2A5F, little-endian.
pub fn is_skippable(head: &[u8]) -> bool {
    head.len() >= 4 && head[0] & 0xf0 == 0x50 && head[1..4] == [0x2a, 0x4d, 0x18]
}

const UNPACK: &str = "unpack it first";

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
    // The default properties, a dictionary of a power of two, and a size that is not known, as lzma(1) writes it.
    (b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff", "compressed with lzma(1)"),
];

impl ContainerFormat {
    /// What begins with `head`, the first `HEAD` bytes or all there are.
    pub fn of(head: &[u8]) -> Option<ContainerFormat> {
        let bzip2 = |head: &[u8]| {
            head.len() >= 10
                && head.starts_with(b"BZh")
                && matches!(head[3], b'1'..=b'9')
                && (head[4..10] == *b"\x31\x41\x59\x26\x53\x59"
                    || head[4..10] == *b"\x17\x72\x45\x38\x50\x90")
        };
        let codec = match head {
            [0x1f, 0x8b, 8, ..] => Some(Codec::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Codec::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Codec::Xz),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Codec::Lz4),
            head if bzip2(head) => Some(Codec::Bzip2),
            // Which of the two it is shows behind the frame; lz4's reader takes none at the begin.
            head if is_skippable(head) => Some(behind_skippable(head).unwrap_or(Codec::Zstd)),
            _ => None,
        };
        if let Some(codec) = codec {
            return Some(ContainerFormat::Compressed(codec));
        }
        // The mark of a split archive that came out as one file.
        let head = head.strip_prefix(b"PK00").filter(|rest| rest.starts_with(b"PK")).unwrap_or(head);
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06\0\0\0\0") {
            return Some(ContainerFormat::Zip);
        }
        if head.starts_with(b"PK\x07\x08PK\x03\x04") {
            return Some(ContainerFormat::Unsupported {
                name: "a part of a zip archive in several parts",
                way: UNPACK,
            });
        }
        if is_tar(head) {
            return Some(ContainerFormat::Tar);
        }
        if is_utf32(head) {
            return Some(ContainerFormat::Unsupported {
                name: "text in UTF-32",
                way: "convert it to UTF-8 first",
            });
        }
        // Bytes that are no text tell the short ones from it.
        let no_text = |byte: &u8| *byte >= 0x80 || *byte < b'\t';
        UNSUPPORTED
            .iter()
            .find(|(magic, _)| head.starts_with(magic))
            .filter(|(magic, _)| magic.len() > 2 || head.get(2).is_some_and(no_text))
            .map(|(_, name)| ContainerFormat::Unsupported { name, way: UNPACK })
    }
}

/// Whether `head` begins with the mark of UTF-32 and a character.
fn is_utf32(head: &[u8]) -> bool {
    match head {
        [0xff, 0xfe, 0, 0, _, _, plane, 0, ..] | [0, 0, 0xfe, 0xff, 0, plane, ..] => *plane <= 0x10,
        _ => false,
    }
}

/// The codec of the first frame behind skippable ones, as far as the head shows it.
fn behind_skippable(mut head: &[u8]) -> Option<Codec> {
    while is_skippable(head) {
        let len = u32::from_le_bytes(head.get(4..8)?.try_into().ok()?) as usize;
        head = head.get(8usize.checked_add(len)?..)?;
    }
    match ContainerFormat::of(head) {
        Some(ContainerFormat::Compressed(codec @ (Codec::Zstd | Codec::Lz4))) => Some(codec),
        _ => None,
    }
}

/// Whether `head` is a tar header: its checksum is right, and it names something.
pub fn is_tar(head: &[u8]) -> bool {
    let Some(header) = head.get(..HEAD) else { return false };
    let digits = header[148..156].iter().filter(|byte| byte.is_ascii_digit()).count();
    if header[0] == 0 && &header[257..262] != b"ustar" || digits == 0 {
        return false;
    }
    let stated =
        header[148..156].iter().skip_while(|byte| **byte == b' ').take_while(|byte| byte.is_ascii_digit());
    let stated = stated.fold(0u32, |sum, digit| sum.wrapping_mul(8).wrapping_add(u32::from(digit - b'0')));
    // The blanks of the field alone are more; most text ends here, before 512 bytes are added up.
    if stated == 0 {
        return false;
    }
    let bytes = header.iter().enumerate();
    let bytes = bytes.map(|(i, b)| if (148..156).contains(&i) { b' ' } else { *b });
    let (sum, signed) = bytes.fold((0u32, 0u32), |(sum, signed), byte| {
        (sum + u32::from(byte), signed.wrapping_add_signed(i32::from(byte.cast_signed())))
    });
    // Some old writers took bytes for signed numbers.
    stated == sum || stated == signed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_format() {
        for head in [
            b"".as_slice(),
            b"P",
            b"PK",
            b"PK\x03",
            b"BZh9 is how a bzip2 file begins",
            b"Rar!",
            b"7z",
            b"LZIP said",
            b"\x1f",
            b"\x1f\x8b",
            b"\x1f\x8bery",
            b"\xff\xfea\0b\0c\0",
            b"2024-06-06 21:42:53 ERROR",
            &[0; HEAD],
            &[b' '; HEAD],
            &[b'0'; HEAD],
        ] {
            assert_eq!(ContainerFormat::of(head), None, "{:?}", head.escape_ascii().to_string());
        }
    }

    #[test]
    fn a_skippable_frame_is_of_what_follows() {
        let frame = [b"\x53\x2a\x4d\x18\x03\0\0\0abc".as_slice(), b"\x04\x22\x4d\x18"].concat();
        assert_eq!(ContainerFormat::of(&frame), Some(ContainerFormat::Compressed(Codec::Lz4)));
        let frame = [b"\x53\x2a\x4d\x18\x03\0\0\0abc".as_slice(), b"\x28\xb5\x2f\xfd"].concat();
        assert_eq!(ContainerFormat::of(&frame), Some(ContainerFormat::Compressed(Codec::Zstd)));
    }
}
