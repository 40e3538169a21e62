//! Skippable frames: content that zstd and lz4 readers pass over.
//!
//! Both formats define the same frames: a magic number from 0x184D2A50 to 0x184D2A5F, a length, and that many
//! bytes of anything, such as an index. So a stream that starts with one does not show yet which of the two
//! formats it has.

/// Magic number and length.
pub const HEADER_BYTES: usize = 8;

/// Whether a skippable frame starts with `head`.
pub fn is_frame(head: &[u8]) -> bool {
    head.len() >= 4 && head[0] & 0xf0 == 0x50 && head[1..4] == [0x2a, 0x4d, 0x18]
}

/// Returns the size of the skippable frame that starts with `head`, its header included; `None` if `head` is
/// too short.
pub fn frame_bytes(head: &[u8]) -> Option<u64> {
    let len = head.get(4..HEADER_BYTES)?.try_into().ok()?;
    Some(HEADER_BYTES as u64 + u64::from(u32::from_le_bytes(len)))
}

/// Returns what follows the skippable frames at the start of `head`, if that is still in `head`.
pub fn skip_all(mut head: &[u8]) -> Option<&[u8]> {
    while is_frame(head) {
        head = head.get(usize::try_from(frame_bytes(head)?).ok()?..)?;
    }
    Some(head)
}
