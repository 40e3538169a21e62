//! Codecs: the table of compression formats that are read.
//!
//! The first bytes of a stream come in; the [`Codec`] that wrote them goes out, with a decoder for one of its
//! frames: a gzip member, a zstd or lz4 frame, an xz or bzip2 stream. How several frames make up one stream
//! is left to [`Decoder`](super::decode::Decoder), and archives are left to `archive`.
//!
//! # Adding a codec
//!
//! Write one file beside the others with a [`Spec`]: its name, its magic bytes, its decoder. Then add a
//! variant to [`Codec`] and a line to [`TABLE`]. Everything else iterates the table: recognition, zip
//! methods, limits of memory, and the tests, whose `pack` then no longer compiles until it can write the
//! format, too.
//!
//! If the crate of the codec can be driven over buffers, implement [`RawDecoder`](raw::RawDecoder) and wrap
//! it in [`OneStream`](raw::OneStream), so that what precedes damage is found in any case (see `raw`). If it
//! only offers a reader, as lz4 does, implement [`FrameDecoder`] directly.

mod bzip2;
mod compress;
pub(super) mod deflate;
mod gzip;
mod lz4;
mod lz4_legacy;
mod lzma;
pub(super) mod raw;
pub(super) mod skippable;
mod xz;
mod zstd;

use super::peek::PeekReader;
use std::io::{self, Read};

/// How many bytes of a frame's head are looked at, at most: lzma is recognized by thirteen.
pub(super) const FRAME_HEAD_BYTES: usize = 13;

/// How a stream is compressed.
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
    /// lz4's format before frames, which `lz4 -l` writes.
    Lz4Legacy,
    /// The .lzma format, which is older than .xz.
    Lzma,
    /// The .Z format of compress(1).
    Compress,
}

/// All codecs, in the order of [`Codec`].
static TABLE: [&Spec; 8] = [
    &gzip::SPEC,
    &zstd::SPEC,
    &xz::SPEC,
    &bzip2::SPEC,
    &lz4::SPEC,
    &lz4_legacy::SPEC,
    &lzma::SPEC,
    &compress::SPEC,
];

/// All that the rest of the program needs to know of one codec.
pub(super) struct Spec {
    pub codec: Codec,
    /// The name in messages.
    pub name: &'static str,
    /// What every frame starts with.
    pub magic: &'static [u8],
    /// How many first bytes decide whether it is this codec: those of `magic`, or more where `confirm` looks
    /// further.
    pub head_bytes: usize,
    /// Whether a head of at least `head_bytes` that starts with `magic` is a frame.
    pub confirm: fn(&[u8]) -> bool,
    /// Opens a decoder for the frame that the reader is at, with this many bytes of memory.
    pub open: for<'r> fn(PeekReader<'r>, u64) -> io::Result<Box<dyn FrameDecoder<'r> + 'r>>,
    /// The memory that a decoder leaves to those nested in its stream, given what it may use.
    pub memory_left: fn(u64) -> u64,
    /// What a frame costs of the allowance of decoded bytes, besides its content; see [`FRAME_COST_BYTES`].
    pub frame_cost_bytes: u64,
    /// The codecs of which a frame may follow one of this: itself, unless its frames cannot be repeated.
    pub followed_by: &'static [Codec],
    /// What else may follow a frame.
    pub padding: Padding,
    /// Whether its readers pass over frames of other content; see `skippable`.
    pub skippable_frames: bool,
    /// Its numbers as a compression method of zip.
    pub zip_methods: &'static [u16],
}

/// The usual cost of a frame beyond the first, in decoded bytes. An empty frame decodes to nothing but takes
/// time, and a small file can hold millions of them: without a cost, they would not be limited. A codec
/// decodes about this much in the one or two microseconds that it takes to open a frame.
const FRAME_COST_BYTES: u64 = 1 << 10;

/// What may fill the space after a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    /// Nothing.
    None,
    /// Zeros.
    Zeros,
    /// Zeros, a multiple of four.
    ZerosInFours,
}

/// A decoder of one frame: reads as the content of the frame, then as its end.
pub(super) trait FrameDecoder<'r>: Read {
    /// Returns the reader, which has been read up to the end of the frame.
    fn into_reader(self: Box<Self>) -> PeekReader<'r>;
}

impl Codec {
    /// Returns all codecs.
    pub fn all() -> impl Iterator<Item = Codec> {
        TABLE.iter().map(|spec| spec.codec)
    }

    /// Recognizes the codec of a stream that starts with `head`.
    pub fn of(head: &[u8]) -> Option<Codec> {
        if skippable::is_frame(head) {
            // zstd and lz4 share these frames: the next frame decides. If the head does not reach that far,
            // zstd is assumed, and the decoder corrects it when it gets there.
            let next = skippable::skip_all(head).and_then(Codec::of_frame);
            return Some(next.filter(|codec| codec.spec().skippable_frames).unwrap_or(Codec::Zstd));
        }
        Codec::of_frame(head)
    }

    fn of_frame(head: &[u8]) -> Option<Codec> {
        TABLE.iter().find(|spec| spec.starts(head)).map(|spec| spec.codec)
    }

    /// Returns the codec that zip calls by the number `method`.
    pub(super) fn of_zip_method(method: u16) -> Option<Codec> {
        TABLE.iter().find(|spec| spec.zip_methods.contains(&method)).map(|spec| spec.codec)
    }

    pub(super) fn spec(self) -> &'static Spec {
        TABLE[self as usize]
    }

    /// The name in messages.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// How many first bytes identify a stream of it.
    pub fn head_bytes(self) -> usize {
        self.spec().head_bytes
    }
}

impl Spec {
    /// Whether a frame starts with `head`.
    fn starts(&self, head: &[u8]) -> bool {
        head.len() >= self.head_bytes && head.starts_with(self.magic) && (self.confirm)(head)
    }

    /// Whether `head`, which the end of the stream cuts short, may be the start of a frame that follows one
    /// of this codec.
    pub fn may_be_followed_by(&self, head: &[u8]) -> bool {
        self.followed_by.iter().any(|codec| codec.spec().may_start(head))
    }

    fn may_start(&self, head: &[u8]) -> bool {
        let len = head.len().min(self.magic.len());
        head[..len] == self.magic[..len]
    }
}

/// Confirms codecs that are identified by their magic bytes alone.
fn magic_suffices(_: &[u8]) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (index, spec) in TABLE.iter().enumerate() {
            assert_eq!(spec.codec as usize, index, "{}", spec.name);
            assert!(spec.magic.len() <= spec.head_bytes && spec.head_bytes <= FRAME_HEAD_BYTES);
        }
    }

    #[test]
    fn a_skippable_frame_is_of_what_follows() {
        for (magic, codec) in [(lz4::SPEC.magic, Codec::Lz4), (zstd::SPEC.magic, Codec::Zstd)] {
            let head = [b"\x53\x2a\x4d\x18\x03\0\0\0abc", magic].concat();
            assert_eq!(Codec::of(&head), Some(codec));
        }
    }
}
