//! gzip (RFC 1952): any number of members, each deflate data with a header and a checksum.

use super::deflate::Deflate;
use super::raw::OneStream;
use super::{Codec, FRAME_COST_BYTES, Padding, Spec, magic_suffices};

pub(super) static SPEC: Spec = Spec {
    codec: Codec::Gzip,
    name: "gzip",
    // The third byte is the method: 8 for deflate, the only one in use.
    magic: b"\x1f\x8b\x08",
    head_bytes: 3,
    confirm: magic_suffices,
    open: |reader, _| Ok(Box::new(OneStream::new(Deflate::gzip(), reader))),
    // Its window takes 32 KiB.
    memory_left: |memory| memory,
    frame_cost_bytes: FRAME_COST_BYTES,
    followed_by: &[Codec::Gzip],
    // Tapes fill up their last block with zeros.
    padding: Padding::Zeros,
    skippable_frames: false,
    zip_methods: &[],
};
