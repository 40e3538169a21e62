//! Compressed streams that are cut, that lie, or that are followed by something else.

use super::{Case, partial, whole};
use crate::bundles::{Codec, line, log, lzw, nested, pack, skippable};

/// The bytes with one changed.
fn flipped(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    let at = if at < bytes.len() { at } else { bytes.len() / 2 };
    bytes[at] ^= 0xff;
    bytes
}

/// The bytes with one changed, `back` bytes before the end.
fn from_end(bytes: Vec<u8>, back: usize) -> Vec<u8> {
    let at = bytes.len() - back;
    flipped(bytes, at)
}

/// A gzip member with this deflate data, and nothing after it.
fn deflated(data: &[u8]) -> Vec<u8> {
    [b"\x1f\x8b\x08\0\0\0\0\0\0\xff", data].concat()
}

pub fn cases() -> Vec<Case> {
    let a = line("a");
    let (text, large) = (a.as_bytes(), log(20, 5_000));
    let gz = || pack(Codec::Gzip, text);
    let zst = || pack(Codec::Zstd, text);
    let xz = || pack(Codec::Xz, text);
    let bz2 = || pack(Codec::Bzip2, text);
    let lz4 = || pack(Codec::Lz4, text);
    let lzma = || pack(Codec::Lzma, text);
    let sized_lzma = |size: usize| [&lzma()[..5], &(size as u64).to_le_bytes(), &lzma()[13..]].concat();
    let legacy = |text: &[u8]| pack(Codec::Lz4Legacy, text);
    let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    let twice = |bytes: Vec<u8>| bytes.repeat(2);
    vec![
        partial("gzip: a magic number and nothing", 0, "cut short", &b"\x1f\x8b\x08"[..]),
        partial("gzip: a header without data", 0, "cut short", deflated(b"")),
        partial(
            "gzip: a name without an end",
            0,
            "cut short",
            [b"\x1f\x8b\x08\x08\0\0\0\0\0\xff".as_slice(), &[b'n'; 9_000]].concat(),
        ),
        partial("gzip: reserved flags", 0, "damaged", flipped(gz(), 3)),
        partial(
            "gzip: an unknown method",
            0,
            "unknown method",
            [b"\x1f\x8b\x07".as_slice(), &gz()[3..]].concat(),
        ),
        partial("gzip: a block of an unknown kind", 0, "damaged", deflated(&[7, 0, 0])),
        partial("gzip: a stored block whose length lies", 0, "damaged", deflated(&[1, 10, 0, 10, 0])),
        partial("gzip: a distance before the start", 0, "damaged", deflated(&[0x4b, 0x04, 0x22, 0x00])),
        partial("gzip: another checksum", 1, "damaged", from_end(gz(), 8)),
        partial("gzip: another length", 1, "damaged", from_end(gz(), 1)),
        partial("gzip: text after it", 1, "something else follows", [&gz()[..], b"and more"].concat()),
        partial("gzip: a zstd frame after it", 1, "something else follows", [gz(), zst()].concat()),
        whole("gzip: zeros after it", 1, [gz(), vec![0; 70_000]].concat()),
        whole("gzip: a thousand members", 1_000, gz().repeat(1_000)),
        partial(
            "gzip: a thousand members and a half",
            1_001,
            "cut short",
            [gz().repeat(1_000), half(gz())].concat(),
        ),
        whole("gzip: nothing in it", 0, pack(Codec::Gzip, b"")),
        whole("gzip: seven deep", 1, nested(text, 7)),
        partial("gzip: fifty deep", 0, "--max-nesting", nested(text, 50)),
        partial("compress(1): unknown flags", 0, "uncompress", &b"\x1f\x9d\xf0abc"[..]),
        whole("compress(1): a header and nothing", 0, &b"\x1f\x9d\x90"[..]),
        partial("compress(1): a first code that is no byte", 0, "damaged", &b"\x1f\x9d\x90\xff\xff"[..]),
        partial("compress(1): a code that is not known yet", 0, "damaged", &b"\x1f\x9d\x90a\xfe\xff\xff"[..]),
        whole("compress(1): twelve bits", 20, lzw::compress(&large, 12)),
        whole("compress(1): nine bits", 20, lzw::compress(&large, 9)),
        partial("lzma: half of it", 1, "cut short", half(lzma())),
        partial("lzma: one after the other", 1, "something else follows", twice(lzma())),
        partial("lzma: zeros after it", 1, "something else follows", [lzma(), vec![0; 8]].concat()),
        partial(
            "lzma: a dictionary of two gigabytes",
            0,
            "--max-decoder-memory",
            [&b"\x5d\0\0\0\x80"[..], &lzma()[5..]].concat(),
        ),
        whole("lzma: its size in the header", 1, sized_lzma(a.len())),
        partial("lzma: a size in the header that is too large", 1, "damaged", sized_lzma(a.len() + 1)),
        partial("lzma: damaged data", 0, "damaged", flipped(lzma(), 14)),
        partial("legacy lz4: half of it", 1, "cut short", half(legacy(text))),
        whole("legacy lz4: a magic number and nothing", 0, &b"\x02\x21\x4c\x18"[..]),
        partial("legacy lz4: a size and nothing", 0, "cut short", &b"\x02\x21\x4c\x18\x05\0\0\0"[..]),
        partial("legacy lz4: half a size", 0, "cut short", &b"\x02\x21\x4c\x18\x05\0"[..]),
        partial("legacy lz4: an empty block", 1, "damaged", [legacy(text), vec![0; 4]].concat()),
        partial(
            "legacy lz4: text after it",
            1,
            "something else follows",
            [&legacy(text)[..], b"and more"].concat(),
        ),
        whole("legacy lz4: frames of both formats", 3, [legacy(text), lz4(), legacy(text)].concat()),
        whole("legacy lz4: a frame to skip before it", 1, [skippable(b"abc"), legacy(text)].concat()),
        partial("legacy lz4: most of it", 18, "cut short", {
            let bytes = legacy(&large);
            bytes[..bytes.len() * 9 / 10].to_vec()
        }),
        whole("zstd: nothing but frames to skip", 0, skippable(b"abc")),
        partial(
            "zstd: a frame to skip that is too long",
            0,
            "cut short",
            [&skippable(b"abc")[..4], &[0xff; 8]].concat(),
        ),
        partial("zstd: a magic number and nothing", 0, "cut short", &b"\x28\xb5\x2f\xfd"[..]),
        partial(
            "zstd: an unknown dictionary",
            0,
            "damaged",
            [&b"\x28\xb5\x2f\xfd\x01\x58\x07"[..], &zst()[6..]].concat(),
        ),
        partial("zstd: another checksum", 1, "damaged", from_end(zst(), 1)),
        partial("zstd: a block of an unknown kind", 0, "damaged", &b"\x28\xb5\x2f\xfd\0\x58\x07\0\0"[..]),
        partial("zstd: half of it", 0, "cut short", half(zst())),
        whole("zstd: one after the other", 2, twice(zst())),
        partial("zstd: text after it", 1, "something else follows", [&zst()[..], b"and more"].concat()),
        partial("xz: half of it", 1, "cut short", half(xz())),
        partial("xz: an index that lies", 1, "xz data is", from_end(xz(), 20)),
        partial("xz: a header whose checksum is wrong", 0, "damaged", flipped(xz(), 8)),
        partial(
            "xz: padding that is no multiple of four",
            1,
            "multiple of four",
            [xz(), vec![0; 3], b"x".to_vec()].concat(),
        ),
        partial("xz: padding of two at the end", 1, "multiple of four", [xz(), vec![0; 2]].concat()),
        partial("xz: padding of five between two", 1, "multiple of four", [xz(), vec![0; 5], xz()].concat()),
        partial(
            "xz: padding and text",
            1,
            "something else follows",
            [xz(), vec![0; 4], b"x".to_vec()].concat(),
        ),
        whole("xz: one after the other, padded", 2, [xz(), vec![0; 4], xz(), vec![0; 12]].concat()),
        partial("bzip2: half of it", 0, "cut short", half(bz2())),
        partial("bzip2: another checksum of the block", 1, "damaged", flipped(bz2(), 10)),
        partial("bzip2: another checksum of all", 1, "damaged", from_end(bz2(), 2)),
        whole("bzip2: one after the other", 2, twice(bz2())),
        partial("bzip2: text after it", 1, "something else follows", [&bz2()[..], b"and more"].concat()),
        partial("lz4: half of it", 0, "cut short", half(lz4())),
        partial("lz4: another checksum", 1, "damaged", from_end(lz4(), 1)),
        partial("lz4: a header whose checksum is wrong", 0, "damaged", flipped(lz4(), 6)),
        partial("lz4: without its end", 20, "cut short", {
            let bytes = pack(Codec::Lz4, &large);
            bytes[..bytes.len() - 8].to_vec()
        }),
        partial("a 7-Zip archive", 0, "7-Zip", &b"7z\xbc\xaf\x27\x1c\0\x04"[..]),
        partial("a RAR archive", 0, "RAR", &b"Rar!\x1a\x07\x01\0"[..]),
    ]
}
