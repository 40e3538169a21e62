//! lzma: the format of LZMA Utils, which .xz replaced.
//!
//! It has no magic bytes, no checksum and, if its size is unknown, an end mark. The first field holds the
//! properties of the compressor, the second the size of its dictionary, the third the decoded size.

use super::xz::Liblzma;
use super::{Codec, FRAME_COST_BYTES, Padding, Spec};
use crate::input::codec::raw::OneStream;
use liblzma::stream::Stream;

/// Properties, size of the dictionary, decoded size.
const HEAD_BYTES: usize = 1 + 4 + 8;
/// The properties that all usual writers use.
const DEFAULT_PROPERTIES: u8 = 0x5d;
/// The decoded size of a stream that ends with a mark.
const UNKNOWN_SIZE: u64 = u64::MAX;
/// The largest size that xz believes: 256 GiB.
const MAX_SIZE: u64 = 1 << 38;

pub(super) static SPEC: Spec = Spec {
    codec: Codec::Lzma,
    name: "lzma",
    magic: b"",
    head_bytes: HEAD_BYTES,
    confirm: is_header,
    open: |reader, memory| {
        Ok(Box::new(OneStream::new(Liblzma(Stream::new_lzma_decoder(memory / 2)?), reader)))
    },
    memory_left: |memory| memory / 2,
    frame_cost_bytes: FRAME_COST_BYTES,
    followed_by: &[],
    padding: Padding::None,
    skippable_frames: false,
    // Zip's LZMA method has another header.
    zip_methods: &[],
};

/// Whether `head` is a header, by the rules of xz: the dictionary has 2^n or 2^n + 2^(n-1) bytes, and the
/// size is unknown or believable. Other data may look like this by chance; so unusual properties need an
/// unknown size, which is eight more bytes of magic.
fn is_header(head: &[u8]) -> bool {
    let Some((properties, rest)) = head[..HEAD_BYTES].split_first() else { return false };
    let (Some(dictionary), Some(size)) = (rest.first_chunk(), rest[4..].first_chunk()) else { return false };
    let (dictionary, size) = (u32::from_le_bytes(*dictionary), u64::from_le_bytes(*size));
    // The bits of a literal's context and position.
    let known_properties = *properties < 9 * 5 * 5 && properties % 9 + properties / 9 % 5 <= 4;
    let two_bits = dictionary >> dictionary.trailing_zeros().min(31);
    let known_dictionary = matches!(two_bits, 1 | 3) || dictionary == u32::MAX;
    let known_size = if *properties == DEFAULT_PROPERTIES { size < MAX_SIZE } else { false };
    known_properties && known_dictionary && (size == UNKNOWN_SIZE || known_size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_recognized_and_text_is_none() {
        let header = |properties: u8, dictionary: u32, size: u64| {
            let fields: [&[u8]; 3] = [&[properties], &dictionary.to_le_bytes(), &size.to_le_bytes()];
            is_header(&fields.concat())
        };
        for dictionary in [1 << 12, 3 << 12, 1 << 23, u32::MAX] {
            assert!(header(0x5d, dictionary, UNKNOWN_SIZE) && header(0x5d, dictionary, 1000), "{dictionary}");
            assert!(
                header(0x00, dictionary, UNKNOWN_SIZE) && !header(0x00, dictionary, 1000),
                "{dictionary}"
            );
        }
        for (properties, dictionary, size) in
            [(0x5d, 0, 1), (0x5d, 5 << 12, 1), (0x5d, 1 << 16, MAX_SIZE), (0xff, 1 << 16, UNKNOWN_SIZE)]
        {
            assert!(!header(properties, dictionary, size), "{properties} {dictionary} {size}");
        }
        assert!(!is_header(b"]: 2024-06-06 21:42:53") && !is_header(&[0; 64]) && !is_header(&[0xff; 64]));
    }
}
